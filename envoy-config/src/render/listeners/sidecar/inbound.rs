//! Where requests for the application come in: the ports that `--app-port` names, and those that the Sidecar's
//! `ingress` opens.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use outrigger_api::select::peer_authentication::PeerPolicies;
use outrigger_api::types::common::Protocol;
use outrigger_api::types::sidecar::{CaptureMode, IngressListener, Sidecar};
use outrigger_api::{Direction, Problem, Proxy, Resource};

use super::{Application, Bind, Http, Plan, Traffic, mtls};
use crate::envoy::listener::TrafficDirection;
use crate::envoy::scalars::Address;
use crate::render::options::Options;
use crate::render::problems;
use crate::render::secrets::Secrets;

/// A port that is opened for the application.
struct Port<'r> {
    bind: SocketAddr,
    /// By which policies know it.
    number: u16,
    /// What the Sidecar says of it, and where.
    ingress: Option<(String, &'r IngressListener)>,
}

/// A listener for each port, and a word on plain text.
pub(super) fn plan(
    resources: &[Resource],
    sidecar: Option<(&Resource, &Sidecar)>,
    proxy: &Proxy,
    options: &Options,
    secrets: &mut Secrets,
) -> Result<(Vec<Plan>, Vec<Problem>), Vec<Problem>> {
    let policies = PeerPolicies::of(resources, &proxy.namespace, &proxy.labels, &proxy.root_namespace);
    let (mut plans, mut problems, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    for port in ports(sidecar.map(|(_, sidecar)| sidecar), options) {
        if let (Some((resource, _)), Some((path, ingress))) = (sidecar, &port.ingress) {
            problems.extend(refused(resource, path, ingress));
        }
        let application = application(&port, sidecar.map(|(_, sidecar)| sidecar), options);
        let here = Proxy { direction: Some(Direction::Inbound), port: Some(port.number), ..proxy.clone() };
        let http = Http::all(Traffic::Inbound(Box::new(application)), here);
        let policy = policies.of_port(port.number);
        if warnings.is_empty() && options.app_ports.iter().any(|app| app.port == port.number) {
            warnings.extend(mtls::plain_text_only(policy, port.number, options));
        }
        match mtls::chains(policy, port.number, http, proxy, options, secrets) {
            Ok(chains) => {
                plans.push(Plan { bind: Bind::Port(port.bind), direction: TrafficDirection::Inbound, chains })
            }
            Err(problem) => problems.push(*problem),
        }
    }
    if problems.is_empty() { Ok((plans, warnings)) } else { Err(problems) }
}

/// Nothing diverts connections to the sidecar here. What `--app-port` names comes in on a port of the sidecar's own,
/// also where the Sidecar has more to say of it; what only the Sidecar names is opened under its own number.
fn ports<'r>(sidecar: Option<&'r Sidecar>, options: &Options) -> Vec<Port<'r>> {
    let any = options.bind.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let ingress = || {
        let listeners = sidecar.into_iter().flat_map(|sidecar| sidecar.ingress.iter().enumerate());
        listeners.map(|(at, listener)| (format!("spec.ingress[{at}]"), listener))
    };
    let captured = |number: u16| {
        ingress().find(|(_, listener)| {
            listener.port.number == number && listener.capture_mode != CaptureMode::None
        })
    };
    let mut ports: Vec<_> = options
        .app_ports
        .iter()
        .map(|app| Port {
            bind: SocketAddr::new(any, options.mapped(app.opened)),
            number: app.port,
            ingress: captured(app.port),
        })
        .collect();
    let own = ingress().filter(|(_, listener)| {
        let named = options.app_ports.iter().any(|app| app.port == listener.port.number);
        listener.capture_mode == CaptureMode::None || !named
    });
    ports.extend(own.map(|(path, listener)| {
        let ip = listener.bind.as_ref().and_then(|bind| bind.parse().ok()).unwrap_or(any);
        let number = listener.port.number;
        Port { bind: SocketAddr::new(ip, options.mapped(number)), number, ingress: Some((path, listener)) }
    }));
    ports
}

fn application(port: &Port<'_>, sidecar: Option<&Sidecar>, options: &Options) -> Application {
    let ingress = port.ingress.as_ref().map(|(_, listener)| *listener);
    let host = options.application_host();
    let local = |number| Address::tcp(host.clone(), number);
    let endpoint = ingress.and_then(|listener| listener.default_endpoint.as_deref()).map_or_else(
        || local(port.number),
        |endpoint| match endpoint.strip_prefix("unix://") {
            Some(path) => Address::Pipe { path: path.to_owned() },
            None => {
                let (host, number) = endpoint.rsplit_once(':').unwrap_or_default();
                let number = number.parse().unwrap_or(port.number);
                // The other addresses stand for all of the workload, which is where the sidecar is.
                if host == "[::1]" { Address::tcp("::1", number) } else { local(number) }
            }
        },
    );
    let own = ingress.and_then(|listener| listener.connection_pool.clone());
    let of_all = || sidecar.and_then(|sidecar| sidecar.inbound_connection_pool.clone());
    Application { port: port.number, endpoint, pool: own.or_else(of_all) }
}

/// What of a listener is not carried out.
fn refused(resource: &Resource, path: &str, listener: &IngressListener) -> Vec<Problem> {
    let mut problems = Vec::new();
    let protocol = listener.port.protocol;
    let terminated = protocol == Protocol::Https && listener.tls.is_some();
    if !protocol.is_http() && !terminated {
        let what = format!("`{}` for an application", format!("{protocol:?}").to_uppercase());
        let path = format!("{path}.port.protocol");
        let hint = "`HTTP`, `HTTP2` and `GRPC` are: policies are carried out on requests";
        problems
            .push(Problem { hint: Some(hint.to_owned()), ..problems::unsupported(resource, &path, &what) });
    }
    if listener.tls.is_some() {
        problems.push(problems::unsupported(
            resource,
            &format!("{path}.tls"),
            "`tls` of an ingress listener",
        ));
    }
    problems
}

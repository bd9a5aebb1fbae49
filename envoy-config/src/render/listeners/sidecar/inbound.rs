//! Where requests for the application come in: the ports that `--app-port` names, and those that the Sidecar's
//! `ingress` opens.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use outrigger_api::select::peer_authentication::{PeerMode, PeerPolicies};
use outrigger_api::select::sidecar::sidecar;
use outrigger_api::types::common::Protocol;
use outrigger_api::types::gateway::{ServerTls, ServerTlsMode};
use outrigger_api::types::sidecar::{CaptureMode, IngressListener, Sidecar};
use outrigger_api::{Direction, Problem, Proxy, Resource, Spec};

use super::{Application, Bind, Chain, Content, Context, Http, Plan, Tcp, Traffic, mtls};
use crate::envoy::listener::{FilterChainMatch, TrafficDirection};
use crate::envoy::scalars::Address;
use crate::envoy::tls::DownstreamTlsContext;
use crate::render::authz::{self, Scope};
use crate::render::clusters::{self, OwnPort, protocol_of_service};
use crate::render::listeners::gateway::tls::{self, Place};
use crate::render::options::{AppPort, Options};
use crate::render::problems;

/// A port that is opened for the application.
struct Port<'r> {
    bind: SocketAddr,
    /// By which policies know it.
    number: u16,
    /// What the Sidecar says of it, and where.
    ingress: Option<(usize, &'r IngressListener)>,
}

/// A listener for each port, and what is hardly meant as it is written.
pub(super) fn plan(
    sidecar: Option<(&Resource, &Sidecar)>,
    mut context: Context<'_>,
) -> Result<(Vec<Plan>, Vec<Problem>), Vec<Problem>> {
    let (proxy, options) = (context.proxy, context.options);
    let policies =
        PeerPolicies::of(context.resources, &proxy.namespace, &proxy.labels, &proxy.root_namespace);
    let mut plans = Vec::new();
    for port in ports(sidecar.map(|(_, sidecar)| sidecar), options) {
        let ingress = sidecar
            .zip(port.ingress)
            .map(|((resource, _), (index, listener))| (Place { resource, list: "ingress", index }, listener));
        if let Some((place, listener)) = &ingress {
            context.problems.extend(refused(place, listener));
        }
        let here = Proxy { direction: Some(Direction::Inbound), port: Some(port.number), ..proxy.clone() };
        let own = OwnPort { number: port.number, resources: context.resources, proxy, options };
        let protocol = protocol(&port, own);
        let mut application = application(&port, sidecar.map(|(_, sidecar)| sidecar), protocol, options);
        if leads_to(&application.endpoint, port.bind) {
            let place = ingress.as_ref().map(|(place, _)| place);
            context.problems.push(leads_to_itself(place, port.bind));
            continue;
        }
        if application.pool.is_none() {
            application.pool = clusters::pool_of_service(own);
        }
        let content = if passed_on(protocol, &port) {
            Content::Tcp(Box::new(Tcp::to_application(application, here)))
        } else {
            Content::Http(Box::new(Http::all(Traffic::Inbound(Box::new(application)), here)))
        };
        let policy = policies.of_port(port.number);
        let named = options.app_ports.iter().any(|app| app.port == port.number);
        let word = mtls::plain_text_only(policy, port.number, options).filter(|_| named);
        if !word.as_ref().is_some_and(|word| context.warnings.iter().any(|said| said.code == word.code)) {
            context.warnings.extend(word);
        }
        // Mutual TLS of the mesh and TLS of the application's own exclude each other.
        let own = ingress.and_then(|(place, listener)| Some((place, listener.tls.as_ref()?)));
        let chains = match own.filter(|_| policy.mode == PeerMode::Disable) {
            Some((place, tls)) => terminated(&place, tls, content, &mut context).into_iter().collect(),
            None => match mtls::chains(policy, port.number, content, proxy, options, context.secrets) {
                Ok(chains) => chains,
                Err(problem) => {
                    context.problems.push(*problem);
                    continue;
                }
            },
        };
        warn_of_policies(&chains, port.number, &mut context);
        plans.push(Plan { bind: Bind::Port(port.bind), direction: TrafficDirection::Inbound, chains });
    }
    if context.problems.is_empty() { Ok((plans, context.warnings)) } else { Err(context.problems) }
}

/// Whether the sidecar itself listens there.
fn leads_to(endpoint: &Address, bind: SocketAddr) -> bool {
    endpoint.socket().is_some_and(|to| {
        let all = bind.ip().is_unspecified() && to.ip().is_loopback() && bind.is_ipv4() == to.is_ipv4();
        to.port() == bind.port() && (all || to.ip() == bind.ip())
    })
}

/// `place`: of the Sidecar's, if that says so.
fn leads_to_itself(place: Option<&Place<'_>>, bind: SocketAddr) -> Problem {
    let message = format!(
        "requests on {bind} would go round for ever: the sidecar looks for the application where it listens itself"
    );
    let hint = format!(
        "open another port for it, as by `--app-port {}=PORT`, or say where the application is by `defaultEndpoint` or \
         `--app-host`",
        bind.port()
    );
    match place {
        None => problems::whole(problems::LOOP, message, &hint),
        Some(place) => Problem {
            hint: Some(hint),
            ..place.resource.error(
                &format!("spec.ingress[{}].port.number", place.index),
                problems::LOOP,
                message,
            )
        },
    }
}

/// The chain of a listener with a certificate of its own. `None`: something is wrong, and the context says what.
fn terminated(
    place: &Place<'_>,
    tls: &ServerTls,
    content: Content,
    context: &mut Context<'_>,
) -> Option<Chain> {
    Some(Chain {
        name: "tls".to_owned(),
        matches: FilterChainMatch { transport_protocol: Some("tls"), ..FilterChainMatch::default() },
        tls: Some(tls::context(place, tls, context)?),
        content,
    })
}

/// Nothing diverts connections to the sidecar here. What `--app-port` names comes in on a port of the sidecar's own,
/// also where the Sidecar has more to say of it; what only the Sidecar names is opened under its own number.
fn ports<'r>(sidecar: Option<&'r Sidecar>, options: &Options) -> Vec<Port<'r>> {
    let any = options.bind.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let ingress = || sidecar.into_iter().flat_map(|sidecar| sidecar.ingress.iter().enumerate());
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
    ports.extend(own.map(|(at, listener)| {
        let ip = listener.bind.as_ref().and_then(|bind| bind.parse().ok()).unwrap_or(any);
        let number = listener.port.number;
        Port { bind: SocketAddr::new(ip, options.mapped(number)), number, ingress: Some((at, listener)) }
    }));
    ports
}

fn application(
    port: &Port<'_>,
    sidecar: Option<&Sidecar>,
    protocol: Protocol,
    options: &Options,
) -> Application {
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
    Application { port: port.number, endpoint, pool: own.or_else(of_all), protocol }
}

/// Whether what comes to this port of the application is passed on as it comes, unread.
pub(crate) fn passes_on(resources: &[Resource], proxy: &Proxy, number: u16) -> bool {
    let (_, sidecar) = sidecar(resources, proxy).unzip();
    let options = Options { app_ports: vec![AppPort { port: number, opened: number }], ..Options::default() };
    let own = OwnPort { number, resources, proxy, options: &options };
    let port = ports(sidecar, &options).into_iter().find(|port| port.number == number);
    port.is_some_and(|port| passed_on(protocol(&port, own), &port))
}

/// What is spoken on a port: as the Sidecar says, else a Service or ServiceEntry that selects the workload. Where nobody
/// says it, it is HTTP of the version that comes.
fn protocol(port: &Port<'_>, own: OwnPort<'_>) -> Protocol {
    if let Some((_, listener)) = &port.ingress {
        return listener.port.protocol;
    }
    let here = own.resources.iter().filter(|resource| resource.meta.namespace == own.proxy.namespace);
    let said: Vec<_> = here.filter_map(|resource| said_by(resource, own)).collect();
    let bytes = said.iter().find(|protocol| !protocol.is_http());
    bytes.or(said.first()).copied().unwrap_or(Protocol::Unspecified)
}

/// What a resource says of a port of the workload.
fn said_by(resource: &Resource, own: OwnPort<'_>) -> Option<Protocol> {
    let said = match &resource.spec {
        Spec::Service(service) => protocol_of_service(own.of_service(service)?),
        Spec::ServiceEntry(entry) => own.of_entry(entry)?.protocol,
        _ => Protocol::Unspecified,
    };
    (!matches!(said, Protocol::Unspecified | Protocol::Udp)).then_some(said)
}

/// Whether nothing of what is spoken there is read.
fn passed_on(protocol: Protocol, port: &Port<'_>) -> bool {
    let terminated = port.ingress.as_ref().is_some_and(|(_, listener)| listener.tls.is_some());
    !(protocol.may_be_http() || protocol == Protocol::Https && terminated)
}

/// What policies do not mean on a port whose bytes are passed on.
fn warn_of_policies(chains: &[Chain], port: u16, context: &mut Context<'_>) {
    let Some(Content::Tcp(tcp)) = chains.first().map(|chain| &chain.content) else { return };
    let scope = Scope { resources: context.resources, proxy: &tcp.proxy, mesh: &context.options.mesh };
    let certificates =
        chains.iter().any(|chain| chain.tls.as_ref().is_some_and(DownstreamTlsContext::sees_certificates));
    context.warnings.extend(authz::of_server(&scope, &format!("port {port}"), certificates));
}

/// What of a listener is not carried out.
fn refused(place: &Place<'_>, listener: &IngressListener) -> Option<Problem> {
    let protocol = listener.port.protocol;
    let tls = listener.tls.as_ref();
    let reads = protocol.is_http() || protocol == Protocol::Https;
    if protocol == Protocol::Udp {
        return Some(problems::unsupported(place.resource, &place.path("port.protocol"), "`UDP`"));
    }
    let passes_through = tls.is_some_and(|tls| tls.mode == ServerTlsMode::Passthrough);
    if tls.is_none() || reads && !passes_through {
        return None;
    }
    let what = format!("TLS of a listener's own for `{}`", format!("{protocol:?}").to_uppercase());
    let hint =
        "leave `tls` out: what is no HTTP is passed on as it is, and mutual TLS of the mesh ended before";
    let problem = problems::unsupported(place.resource, &place.path("tls"), &what);
    Some(Problem { hint: Some(hint.to_owned()), ..problem })
}

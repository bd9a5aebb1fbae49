//! Which ports this proxy opens, and what it does with the connections there.

mod chains;
mod gateway;
mod probes;
mod sidecar;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use outrigger_api::problem::Severity;
use outrigger_api::resource::Resource;
use outrigger_api::select::gateways;
use outrigger_api::{Problem, Proxy, Role};

pub(super) use self::chains::{Application, Chain, Content, Http, Redirects, Tcp, Traffic, Unknown};
pub(crate) use self::gateway::{Accepted, Entrance, How, Reached, accepted, entered, reached};
pub(crate) use self::sidecar::passes_on;
use super::options::Options;
use super::problems;
use super::secrets::Secrets;
use crate::credentials::Credentials;
use crate::envoy::listener::TrafficDirection;
use crate::envoy::scalars::Address;

/// A port to open.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    /// Where.
    pub(super) bind: Bind,
    /// Which way its traffic goes.
    pub(super) direction: TrafficDirection,
    /// What is done with connections. At least one.
    pub(super) chains: Vec<Chain>,
}

/// Where a listener is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Bind {
    /// A TCP port.
    Port(SocketAddr),
    /// A unix socket at this path.
    Socket(String),
}

impl Bind {
    /// Whether nobody else can listen at `address`: a listener for all addresses takes the port of each.
    fn takes(&self, address: SocketAddr) -> bool {
        let Self::Port(own) = self else { return false };
        let same_family = own.is_ipv4() == address.is_ipv4();
        let either_is_any = own.ip().is_unspecified() || address.ip().is_unspecified();
        own.port() != 0
            && own.port() == address.port()
            && (own.ip() == address.ip() || (same_family && either_is_any))
    }

    /// As Envoy has it.
    pub(super) fn address(&self) -> Address {
        match self {
            Self::Port(address) => Address::tcp(address.ip().to_string(), address.port()),
            Self::Socket(path) => Address::Pipe { path: path.clone() },
        }
    }
}

impl Plan {
    /// The listener's name, as Istio forms it.
    pub(super) fn name(&self) -> String {
        match &self.bind {
            Bind::Port(address) => format!("{}_{}", address.ip(), address.port()),
            Bind::Socket(path) => format!("unix://{path}"),
        }
    }
}

/// The ports to open, and what is carried out there but hardly meant so.
///
/// # Errors
/// Gateway servers that are not carried out, two listeners that want the same port, or none at all.
pub(super) fn plan(
    resources: &[Resource],
    proxy: &Proxy,
    options: &Options,
    credentials: &Credentials<'_>,
    secrets: &mut Secrets,
) -> Result<(Vec<Plan>, Vec<Problem>), Vec<Problem>> {
    let (mut plans, mut warnings) = match proxy.role {
        Role::Gateway => gateway::plan(resources, proxy, options, credentials, secrets)?,
        Role::Sidecar => sidecar::plan(resources, proxy, options, credentials, secrets)?,
    };
    plans.extend(probes::plan(options));
    let mut taken = BTreeMap::new();
    for plan in &plans {
        if plan.bind.takes(options.admin) {
            return Err(vec![taken_by_admin(resources, proxy, options)]);
        }
        if let Some(other) = taken.insert(plan.bind.clone(), format!("listener `{}`", plan.name())) {
            let place = match &plan.bind {
                Bind::Port(address) => address.to_string(),
                Bind::Socket(path) => path.clone(),
            };
            let message = format!("`{place}` is wanted by {other} and by a listener");
            let hint = match (&plan.direction, options.app_ports.len()) {
                (TrafficDirection::Inbound, 2..) if proxy.role == Role::Sidecar => {
                    "open another for one of them, such as by `--app-port 9080=15007`"
                }
                _ => "choose others with `--port`",
            };
            return Err(vec![problems::whole(problems::PORT_CONFLICT, message, hint)]);
        }
    }
    warnings.extend(options.ports.iter().filter_map(|(named, opened)| {
        let opens = |plan: &Plan| matches!(&plan.bind, Bind::Port(address) if address.port() == *opened);
        (!plans.iter().any(opens)).then(|| no_such_port(*named, *opened))
    }));
    Ok((plans, warnings))
}

/// Said at the Gateway's server that names the port, if one does.
fn taken_by_admin(resources: &[Resource], proxy: &Proxy, options: &Options) -> Problem {
    let message =
        format!("port {} is that of Envoy's admin interface, `{}`", options.admin.port(), options.admin);
    let hint = "choose another by `--admin`, or open another in its place by `--port`";
    let opens = |port: u16| options.mapped(port) == options.admin.port();
    let gateways = match proxy.role {
        Role::Gateway => gateways(resources, proxy),
        Role::Sidecar => Vec::new(),
    };
    let named = gateways.into_iter().find_map(|(resource, gateway)| {
        gateway.servers.iter().position(|server| opens(server.port.number)).map(|at| (resource, at))
    });
    match named {
        Some((resource, at)) => {
            let path = format!("spec.servers[{at}].port.number");
            Problem { hint: Some(hint.to_owned()), ..resource.error(&path, problems::PORT_CONFLICT, message) }
        }
        None => problems::whole(problems::PORT_CONFLICT, message, hint),
    }
}

fn no_such_port(named: u16, opened: u16) -> Problem {
    let message = format!("`--port {named}={opened}` has no effect: nothing listens on port {named}");
    let hint = "the first is the port that a Gateway's server names (of a sidecar 15001 or 15006), the second the one \
                to open in its place";
    Problem { severity: Severity::Warning, ..problems::whole(problems::NO_SUCH_PORT, message, hint) }
}

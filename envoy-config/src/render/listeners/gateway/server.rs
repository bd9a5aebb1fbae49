//! One server of a Gateway.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use outrigger_api::Problem;
use outrigger_api::problem::code;
use outrigger_api::resource::Resource;
use outrigger_api::types::common::{GatewayRef, Protocol};
use outrigger_api::types::gateway::{Server, ServerTls, ServerTlsMode};

use super::tls::Place;
use crate::render::listeners::Bind;
use crate::render::options::Options;
use crate::render::problems;

/// A server that this proxy opens.
#[derive(Debug, Clone)]
pub(super) struct Served<'r> {
    /// The Gateway.
    pub(super) resource: &'r Resource,
    /// Which of its servers.
    pub(super) index: usize,
    /// What it says.
    pub(super) server: &'r Server,
    /// Where it listens.
    pub(super) bind: Bind,
    /// What it does with connections.
    pub(super) kind: Kind<'r>,
}

/// What a server does with connections.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind<'r> {
    /// Reads requests from them.
    Http,
    /// Ends their TLS and reads requests.
    Https(&'r ServerTls),
    /// Passes their bytes on.
    Tcp,
    /// Ends their TLS and passes their bytes on.
    TcpOverTls(&'r ServerTls),
    /// Passes their TLS on, by the name that it asks for.
    Passthrough,
}

impl<'r> Served<'r> {
    /// # Errors
    /// What is not carried out.
    pub(super) fn new(
        resource: &'r Resource,
        index: usize,
        server: &'r Server,
        options: &Options,
    ) -> Result<Self, Box<Problem>> {
        let bind = bind(server, options).map_err(|what| {
            let path = format!("spec.servers[{index}].bind");
            Box::new(resource.error(&path, code::SCHEMA, what))
        })?;
        let kind = kind(server).map_err(|(field, what, hint)| {
            let path = format!("spec.servers[{index}].{field}");
            let problem = resource.error(&path, code::UNSUPPORTED, what);
            Box::new(Problem { hint: Some(hint.to_owned()), ..problem })
        })?;
        Ok(Self { resource, index, server, bind, kind })
    }

    /// Where it is written.
    pub(super) fn place(&self) -> Place<'r> {
        Place { resource: self.resource, list: "servers", index: self.index }
    }

    /// The path of one of its fields.
    pub(super) fn path(&self, field: &str) -> String {
        self.place().path(field)
    }

    /// By which VirtualServices name its Gateway.
    pub(super) fn gateway(&self) -> GatewayRef {
        let meta = &self.resource.meta;
        GatewayRef::Named { namespace: meta.namespace.clone(), name: meta.name.clone() }
    }

    /// Names its filter chain: unique, since a Gateway's port names are.
    pub(super) fn name(&self) -> String {
        let meta = &self.resource.meta;
        format!("{}.{}.{}", meta.namespace, meta.name, self.server.port.name)
    }

    /// Whether it only tells clients to come by HTTPS.
    pub(super) fn redirects(&self) -> bool {
        self.server.tls.as_ref().is_some_and(|tls| tls.https_redirect)
    }

    /// `number/PROTOCOL`, for messages.
    pub(super) fn called(&self) -> String {
        let protocol = match self.kind {
            Kind::Http => "plain HTTP",
            Kind::Https(_) => "HTTPS",
            Kind::Tcp => "TCP",
            Kind::TcpOverTls(_) | Kind::Passthrough => "TLS",
        };
        format!("`{}` for {protocol}", self.server.port.name)
    }

    /// A problem of one of its fields.
    pub(super) fn conflict(&self, field: &str, message: String, hint: &str) -> Problem {
        let problem = self.resource.error(&self.path(field), problems::CONFLICTING_SERVERS, message);
        Problem { hint: Some(hint.to_owned()), ..problem }
    }
}

fn bind(server: &Server, options: &Options) -> Result<Bind, String> {
    let address = match server.bind.as_deref() {
        None => options.bind.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        Some(text) => match text.strip_prefix("unix://") {
            Some(path) => return Ok(Bind::Socket(path.to_owned())),
            None => text.parse().map_err(|_| format!("`{text}` is not an IP address"))?,
        },
    };
    Ok(Bind::Port(SocketAddr::new(address, options.mapped(server.port.number))))
}

fn kind(server: &Server) -> Result<Kind<'_>, (&'static str, &'static str, &'static str)> {
    use ServerTlsMode::{AutoPassthrough, Passthrough};
    let mode = server.tls.as_ref().map(|tls| (tls, tls.mode));
    match (server.port.protocol, mode) {
        (Protocol::Http | Protocol::Http2 | Protocol::Grpc | Protocol::GrpcWeb, _) => Ok(Kind::Http),
        (Protocol::Udp, _) => Err((
            "port.protocol",
            "a gateway carries no UDP",
            "HTTP, HTTPS, HTTP2, GRPC, GRPC-WEB, TLS, TCP, MONGO, MYSQL and REDIS are carried",
        )),
        (_, Some((_, AutoPassthrough))) => Err((
            "tls.mode",
            "AUTO_PASSTHROUGH is not carried out: it is for gateways between the clusters of a mesh",
            "use PASSTHROUGH with `tls` routes in a VirtualService",
        )),
        (_, Some((_, Passthrough))) => Ok(Kind::Passthrough),
        (Protocol::Https, Some((tls, _))) => Ok(Kind::Https(tls)),
        (_, Some((tls, _))) => Ok(Kind::TcpOverTls(tls)),
        (_, None) => Ok(Kind::Tcp),
    }
}

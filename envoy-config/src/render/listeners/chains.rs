//! What a listener consists of: filter chains, of which each connection takes the one whose match fits best.

use std::collections::BTreeSet;

use outrigger_api::types::common::Protocol;
use outrigger_api::types::destination_rule::ConnectionPool;
use outrigger_api::{Proxy, Resource};
use outrigger_core::route::Destination;

use crate::envoy::listener::{FilterChainMatch, TcpCluster};
use crate::envoy::scalars::{Address, Seconds};
use crate::envoy::tls::DownstreamTlsContext;
use crate::render::options::AppProbe;
use crate::render::routes::inbound_cluster;
pub(in crate::render) use crate::scope::Unknown;

/// What is done with some of a listener's connections.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::render) struct Chain {
    /// Unique in its listener, and the same from reload to reload: what stays the same under its name keeps its
    /// connections. Empty for an only one.
    pub(in crate::render) name: String,
    /// Which connections.
    pub(in crate::render) matches: FilterChainMatch,
    /// TLS with the client. `None`: plain text, or TLS that is passed through.
    pub(in crate::render) tls: Option<DownstreamTlsContext>,
    /// What is spoken.
    pub(in crate::render) content: Content,
}

/// What is spoken on a connection.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::render) enum Content {
    /// Requests.
    Http(Box<Http>),
    /// Bytes.
    Tcp(Box<Tcp>),
    /// Questions whether the proxy and its application are well, answered by Envoy alone.
    Probes(Vec<AppProbe>),
}

/// How requests of a chain are handled.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::render) struct Http {
    /// What comes in.
    pub(in crate::render) traffic: Traffic,
    /// Who the filters are.
    pub(in crate::render) proxy: Proxy,
    /// What the filters get of the resources. `None`: all of them.
    pub(in crate::render) resources: Option<Vec<Resource>>,
    /// Hosts whose requests are told to come by HTTPS.
    pub(in crate::render) redirects: Redirects,
    /// gRPC comes as browsers send it.
    pub(in crate::render) grpc_web: bool,
    /// The port where it comes in, if requests may be headed there.
    pub(in crate::render) own_port: Option<u16>,
}

/// The hosts of a plain HTTP chain whose requests are answered with the same URL by HTTPS, in Envoy's notation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::render) struct Redirects {
    /// These.
    pub(in crate::render) hosts: BTreeSet<String>,
    /// But not these, which are narrower than one of them.
    pub(in crate::render) except: BTreeSet<String>,
    /// Who came to a proxy in front of this one by HTTPS passes, as under Istio.
    pub(in crate::render) passable: bool,
}

/// Where the bytes of a chain go.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::render) struct Tcp {
    /// Whose policies hold.
    pub(in crate::render) proxy: Proxy,
    /// The cluster or clusters.
    pub(in crate::render) cluster: TcpCluster,
    /// What is behind them, so that the clusters are made.
    pub(in crate::render) destinations: Vec<Destination>,
    /// A connection on which nothing happens is closed. `None`: after an hour.
    pub(in crate::render) idle_timeout: Option<Seconds>,
    /// A connection is closed after so long.
    pub(in crate::render) max_connection_duration: Option<Seconds>,
    /// The endpoint is chosen by the client's address, where the cluster chooses by a hash.
    pub(in crate::render) by_source: bool,
    /// The sidecar's application that the cluster is.
    pub(in crate::render) application: Option<Application>,
}

/// What comes in on a chain.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::render) enum Traffic {
    /// Requests from outside of the mesh.
    Gateway,
    /// A sidecar's application's own requests; what becomes of those for hosts that nobody has named.
    Outbound(Unknown),
    /// Requests for a sidecar's application.
    Inbound(Box<Application>),
}

/// Where an application takes its requests.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::render) struct Application {
    /// The port by which policies know it.
    pub(in crate::render) port: u16,
    /// Where it really listens.
    pub(in crate::render) endpoint: Address,
    /// Limits of the connections to it.
    pub(in crate::render) pool: Option<ConnectionPool>,
    /// What it speaks, as far as somebody says so.
    pub(in crate::render) protocol: Protocol,
}

impl Tcp {
    /// To a sidecar's application.
    pub(in crate::render) fn to_application(application: Application, proxy: Proxy) -> Self {
        let timeouts = application.pool.as_ref().and_then(|pool| pool.tcp.as_ref());
        Self {
            proxy,
            cluster: TcpCluster::Cluster(inbound_cluster(application.port)),
            destinations: Vec::new(),
            idle_timeout: timeouts.and_then(|pool| pool.idle_timeout).map(Seconds),
            max_connection_duration: timeouts.and_then(|pool| pool.max_connection_duration).map(Seconds),
            by_source: false,
            application: Some(application),
        }
    }
}

impl Http {
    /// The filters get all resources.
    pub(in crate::render) fn all(traffic: Traffic, proxy: Proxy) -> Self {
        let redirects = Redirects::default();
        Self { traffic, proxy, resources: None, redirects, grpc_web: false, own_port: None }
    }
}

impl Chain {
    /// The only chain of a listener: plain text for whoever comes.
    pub(in crate::render) fn only(content: Content) -> Self {
        Self { name: String::new(), matches: FilterChainMatch::default(), tls: None, content }
    }

    /// Whether the beginning of a connection has to be looked at before the chain is chosen.
    pub(in crate::render) fn needs_inspection(&self) -> bool {
        let FilterChainMatch { server_names, transport_protocol, application_protocols, .. } = &self.matches;
        self.tls.is_some()
            || !server_names.is_empty()
            || transport_protocol.is_some()
            || !application_protocols.is_empty()
    }
}

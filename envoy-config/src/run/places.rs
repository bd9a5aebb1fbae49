//! Where a configuration listens.

use std::net::SocketAddr;

use super::dynamic::Dynamic;
use crate::envoy::Any;
use crate::envoy::listener::{FilterChain, Listener};
use crate::envoy::scalars::Address;

/// The address as a URL, or what is no port: for people.
pub(super) fn place(listener: &Listener) -> String {
    let reads_requests = |chain: &FilterChain| {
        chain.filters.iter().any(|filter| matches!(filter.typed_config, Any::HttpConnectionManager(_)))
    };
    let scheme = match listener.filter_chains.iter().find(|chain| reads_requests(chain)) {
        Some(chain) if chain.transport_socket.is_some() => "https",
        Some(_) => "http",
        None if listener.filter_chains.iter().any(|chain| {
            chain.transport_socket.is_some() || !chain.filter_chain_match.server_names.is_empty()
        }) =>
        {
            "tls"
        }
        None => "tcp",
    };
    match &listener.address {
        Address::SocketAddress { .. } => {
            let address = listener.address.socket().map_or_else(String::new, |address| address.to_string());
            format!("{scheme}://{address}")
        }
        Address::Pipe { path } => format!("unix://{path}"),
    }
}

/// The addresses of the listeners.
pub(super) fn addresses(of: &Dynamic) -> Vec<SocketAddr> {
    of.listeners.iter().filter_map(|listener| listener.address.socket()).collect()
}

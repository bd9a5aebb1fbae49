//! Whose address `remote.ip` is: Envoy's reading of `X-Forwarded-For`.

use std::net::IpAddr;

/// The client's address as Envoy tells it from the peer's and from `X-Forwarded-For`.
///
/// A gateway believes the last `trusted_proxies` proxies before it: with none of them the client is the peer. A
/// sidecar believes the header as it is and takes its last address. What is no address is not believed.
pub(super) fn client_address(
    peer: Option<IpAddr>,
    forwarded_for: &str,
    gateway: bool,
    trusted_proxies: u32,
) -> Option<IpAddr> {
    let skip = match (gateway, usize::try_from(trusted_proxies).ok()?) {
        (true, 0) => return peer,
        (true, proxies) => proxies.saturating_sub(1),
        (false, _) => 0,
    };
    let address = forwarded_for.rsplit(',').nth(skip).map(str::trim);
    address.and_then(|address| address.parse().ok()).or(peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_believed_as_far_as_configured() {
        let peer = "10.0.0.9".parse().ok();
        for (header, gateway, proxies, client) in [
            ("1.1.1.1, 2.2.2.2", true, 0, "10.0.0.9"),
            ("1.1.1.1, 2.2.2.2", true, 1, "2.2.2.2"),
            ("1.1.1.1, 2.2.2.2", true, 2, "1.1.1.1"),
            ("1.1.1.1, 2.2.2.2", true, 3, "10.0.0.9"),
            ("1.1.1.1, 2.2.2.2", false, 0, "2.2.2.2"),
            ("", false, 0, "10.0.0.9"),
            ("junk", false, 0, "10.0.0.9"),
        ] {
            assert_eq!(
                client_address(peer, header, gateway, proxies),
                client.parse().ok(),
                "{header} {gateway} {proxies}"
            );
        }
    }
}

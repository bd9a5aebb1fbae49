//! IP addresses and blocks of them.

use std::net::IpAddr;

use ipnet::IpNet;

/// An address (`10.1.2.3`, a block of one) or a block (`10.1.0.0/16`). Bits beyond the prefix are allowed, as Istio
/// and Envoy do, and are cut off.
pub(crate) fn block(text: &str) -> Result<IpNet, String> {
    let block = match text.split_once('/') {
        // As Go has it.
        Some((_, length)) if length.len() > 1 && length.starts_with('0') => None,
        Some(_) => text.parse().ok(),
        None => text.parse::<IpAddr>().ok().map(IpNet::from),
    };
    block
        .map(|block: IpNet| block.trunc())
        .ok_or_else(|| "is neither an IP address nor a CIDR block".to_owned())
}

/// An address.
pub(crate) fn address(text: &str) -> Result<(), String> {
    text.parse::<IpAddr>().map(|_| ()).map_err(|_| "is not an IP address".to_owned())
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn tells_blocks_from_the_rest() {
        for (text, expected) in [
            ("10.1.2.3", Some("10.1.2.3/32")),
            ("10.1.2.3/16", Some("10.1.0.0/16")),
            ("0.0.0.0/0", Some("0.0.0.0/0")),
            ("::1", Some("::1/128")),
            ("2001:db8::/32", Some("2001:db8::/32")),
            ("10.1.2.3/33", None),
            ("10.1.2.3/08", None),
            ("10.1.2", None),
            ("10.1.2.3/", None),
            ("/8", None),
            ("", None),
            ("10.1.2.3/8/8", None),
            ("10.1.2.300", None),
            (" 10.1.2.3", None),
        ] {
            assert_eq!(block(text).ok().map(|block| block.to_string()).as_deref(), expected, "{text}");
        }
    }
}

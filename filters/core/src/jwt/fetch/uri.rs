//! The URI of a key set or of an OpenID configuration.

use std::fmt;

/// Envoy's cluster for `http` URIs. Its hosts are those that requests name (`dynamic_forward_proxy`).
pub const CLUSTER: &str = "outrigger-jwks";

/// The same for `https`: what it asks must have a certificate of a public authority, for the host's own name.
pub const SECURE_CLUSTER: &str = "outrigger-jwks-tls";

/// An `http` or `https` URI (RFC 9110 section 4.2), taken apart as a request needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uri {
    secure: bool,
    authority: String,
    path: String,
}

impl Uri {
    /// Reads `text`. A fragment counts for nothing.
    ///
    /// # Errors
    /// What is wrong with it, to follow its text in a message.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (secure, rest) = if let Some(rest) = text.strip_prefix("https://") {
            (true, rest)
        } else if let Some(rest) = text.strip_prefix("http://") {
            (false, rest)
        } else {
            return Err("is not an `http://` or `https://` URI");
        };
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("has a character that no URI can have");
        }
        let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err("has a user name, which would be sent to nobody");
        }
        if !is_authority(authority) {
            return Err("has no host, or a port that is none");
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { secure, authority: authority.to_ascii_lowercase(), path })
    }

    /// Whether it is `https`.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Host and port: `:authority` of a request.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Path and query: `:path` of a request.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// `:scheme` of a request.
    pub fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    /// The name of the cluster that takes its requests.
    pub fn cluster(&self) -> &'static str {
        if self.secure { SECURE_CLUSTER } else { CLUSTER }
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}{}", self.scheme(), self.authority, self.path)
    }
}

fn is_authority(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => (address, port.strip_prefix(':').or(port.is_empty().then_some("1"))),
        None => text.split_once(':').map_or((text, Some("1")), |(host, port)| (host, Some(port))),
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port != 0);
    !host.is_empty() && port.is_some_and(is_port)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn uris() {
        for (text, read) in [
            ("https://idp.example/keys", Some("https://idp.example/keys")),
            ("http://IdP.example:8080", Some("http://idp.example:8080/")),
            ("https://idp.example?a=B#c", Some("https://idp.example/?a=B")),
            ("http://[::1]:80/k", Some("http://[::1]:80/k")),
            ("http://[::1]/k", Some("http://[::1]/k")),
            ("ftp://idp.example", None),
            ("HTTPS://idp.example", None),
            ("https://", None),
            ("https:///keys", None),
            ("https://:80/keys", None),
            ("https://a:0/", None),
            ("https://a:70000/", None),
            ("https://a:b@c/", None),
            ("https://a b/", None),
            ("https://[::1/", None),
            ("https://a/\u{e4}", None),
        ] {
            assert_eq!(Uri::parse(text).ok().map(|uri| uri.to_string()).as_deref(), read, "{text}");
        }
        let (plain, secure) = (Uri::parse("http://a").unwrap(), Uri::parse("https://a").unwrap());
        assert_eq!((plain.cluster(), secure.cluster()), (CLUSTER, SECURE_CLUSTER));
    }
}

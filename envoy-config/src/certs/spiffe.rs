//! SPIFFE IDs (the SPIFFE ID specification, section 2): `spiffe://TRUST-DOMAIN/PATH`.

use std::fmt;
use std::str::FromStr;

/// The longest ID that every implementation takes.
const LONGEST: usize = 2048;
/// The longest name of a trust domain.
const LONGEST_DOMAIN: usize = 255;

/// A trust domain: lower-case letters, digits, `.`, `-` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrustDomain(String);

/// The name of a workload.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpiffeId {
    text: String,
    domain: TrustDomain,
}

/// A text is not a SPIFFE ID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a SPIFFE ID: {why}", text.escape_debug())]
pub struct BadSpiffeId {
    text: String,
    why: &'static str,
}

impl SpiffeId {
    /// That of a service account, as Istio forms it.
    ///
    /// # Errors
    /// A name that can't stand in an ID.
    pub fn of_account(domain: &str, namespace: &str, account: &str) -> Result<Self, BadSpiffeId> {
        format!("spiffe://{domain}/ns/{namespace}/sa/{account}").parse()
    }

    /// Its trust domain.
    pub fn trust_domain(&self) -> &TrustDomain {
        &self.domain
    }

    /// The whole.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl TrustDomain {
    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The ID of the domain itself, which its authorities bear.
    pub fn id(&self) -> String {
        format!("spiffe://{}", self.0)
    }
}

impl FromStr for TrustDomain {
    type Err = BadSpiffeId;

    fn from_str(text: &str) -> Result<Self, BadSpiffeId> {
        let bad = |why| Err(BadSpiffeId { text: text.to_owned(), why });
        if text.is_empty() {
            return bad("its trust domain is empty");
        }
        if text.len() > LONGEST_DOMAIN {
            return bad("its trust domain is longer than 255 bytes");
        }
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte);
        if !text.bytes().all(fits) {
            return bad("a trust domain has lower-case letters, digits, `.`, `-` and `_`");
        }
        Ok(Self(text.to_owned()))
    }
}

impl FromStr for SpiffeId {
    type Err = BadSpiffeId;

    fn from_str(text: &str) -> Result<Self, BadSpiffeId> {
        let bad = |why| BadSpiffeId { text: text.to_owned(), why };
        if text.len() > LONGEST {
            return Err(bad("it is longer than 2048 bytes"));
        }
        let rest = text.strip_prefix("spiffe://").ok_or_else(|| bad("it does not begin with `spiffe://`"))?;
        let (domain, path) =
            rest.split_once('/').ok_or_else(|| bad("it names a trust domain and no workload of it"))?;
        let domain = domain.parse().map_err(|error: BadSpiffeId| bad(error.why))?;
        for segment in path.split('/') {
            if segment.is_empty() || segment == "." || segment == ".." {
                return Err(bad("no part of its path may be empty, `.` or `..`"));
            }
            if !segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)) {
                return Err(bad("its path has letters, digits, `.`, `-` and `_`"));
            }
        }
        Ok(Self { text: text.to_owned(), domain })
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl fmt::Display for TrustDomain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_as_the_specification_has_them() {
        for good in ["spiffe://cluster.local/ns/default/sa/a", "spiffe://td_1/x", "spiffe://td/A-b.c_d/e"] {
            assert_eq!(good.parse::<SpiffeId>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "cluster.local/ns/default/sa/a",
            "SPIFFE://cluster.local/a",
            "spiffe://cluster.local",
            "spiffe:///a",
            "spiffe://Cluster.local/a",
            "spiffe://td:80/a",
            "spiffe://user@td/a",
            "spiffe://td/",
            "spiffe://td/a/",
            "spiffe://td//a",
            "spiffe://td/a/../b",
            "spiffe://td/a?b",
            "spiffe://td/ä",
            "spiffe://td/a b",
        ] {
            assert!(bad.parse::<SpiffeId>().is_err(), "{bad}");
        }
        assert!(format!("spiffe://{}/a", "t".repeat(256)).parse::<SpiffeId>().is_err());
    }

    #[test]
    fn an_account_is_named_as_istio_names_it() {
        let id = SpiffeId::of_account("cluster.local", "shop", "cart").unwrap();
        assert_eq!(id.as_str(), "spiffe://cluster.local/ns/shop/sa/cart");
        assert_eq!(id.trust_domain().id(), "spiffe://cluster.local");
        assert!(SpiffeId::of_account("cluster.local", "a/b", "../c").is_err());
    }
}

//! Values of flags that are names of something.

use crate::certs::TrustDomain;
use crate::manifests::Name;

/// Namespaces are single labels, which is what makes `name.namespace` readable both ways.
pub(crate) fn namespace(text: &str) -> Result<String, String> {
    match Name::parse(text) {
        Ok(name) if text.len() <= 63 && !text.contains('.') => Ok(name.as_str().to_owned()),
        _ => Err(format!(
            "`{}` is not the name of a namespace (lower-case letters, digits and inner hyphens, at most 63)",
            text.escape_debug()
        )),
    }
}

/// It is a part of SPIFFE IDs.
pub(crate) fn service_account(text: &str) -> Result<String, String> {
    match Name::parse(text) {
        Ok(name) => Ok(name.as_str().to_owned()),
        Err(_) => Err(format!(
            "`{}` is not the name of a service account (lower-case letters, digits, inner `-` and `.`)",
            text.escape_debug()
        )),
    }
}

/// It is the host of SPIFFE IDs.
pub(crate) fn trust_domain(text: &str) -> Result<String, String> {
    match text.parse::<TrustDomain>() {
        Ok(domain) => Ok(domain.as_str().to_owned()),
        Err(_) => Err(format!(
            "`{}` is no trust domain (lower-case letters, digits, `.`, `-` and `_`)",
            text.escape_debug()
        )),
    }
}

/// A host name, whose first label may be a star as in a certificate.
pub(crate) fn dns_name(text: &str) -> Result<String, String> {
    match outrigger_api::host_name(text.strip_prefix("*.").unwrap_or(text)) {
        Ok(()) => Ok(text.to_owned()),
        Err(why) => Err(format!("`{}` {why}", text.escape_debug())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_what_is_none() {
        type Check = fn(&str) -> Result<String, String>;
        let table: [(Check, &[&str], &[&str]); 4] = [
            (namespace, &["default", "a-1"], &["", "A B", "a.b", "a/b", "-a", "ä"]),
            (service_account, &["default", "a.b-c"], &["", "A B/", "a/b"]),
            (trust_domain, &["cluster.local", "a_b"], &["", "A B/", "a:80"]),
            (dns_name, &["a", "a.example", "*.a.example"], &["", "a b", "*", "a.*", "a:80"]),
        ];
        for (check, names, others) in table {
            for name in names {
                assert_eq!(check(name).as_deref(), Ok(*name));
            }
            for other in others {
                assert!(check(other).is_err(), "{other}");
            }
        }
    }
}

//! `envoy.extensions.transport_sockets.tls.v3.Secret`: what Envoy reads from a file of its own, of which it takes
//! changes without closing a connection.

use std::fmt;

use serde::Serialize;

/// A secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Secret {
    /// By which a TLS context asks for it.
    pub name: String,
    /// What it is.
    #[serde(flatten)]
    pub content: Content,
}

/// What a secret is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A certificate with its key.
    TlsCertificate {
        /// The certificate first, then those that lead to an authority.
        certificate_chain: Inline,
        /// Its key.
        private_key: Inline,
    },
    /// Authorities that a peer's certificate may come from.
    ValidationContext {
        /// One or more.
        trusted_ca: Inline,
        /// What they have revoked.
        #[serde(skip_serializing_if = "Option::is_none")]
        crl: Option<Inline>,
    },
}

/// `DataSource` with the text itself, in PEM. It is never shown: one of them is a key.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Inline {
    inline_string: String,
}

impl Inline {
    /// The text.
    pub fn new(pem: impl Into<String>) -> Self {
        Self { inline_string: pem.into() }
    }

    /// The text, which is not for people.
    pub fn text(&self) -> &str {
        &self.inline_string
    }
}

impl fmt::Debug for Inline {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "[{} bytes of PEM]", self.inline_string.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_not_shown() {
        let content = Content::TlsCertificate {
            certificate_chain: Inline::new("CHAIN"),
            private_key: Inline::new("KEY"),
        };
        let secret = Secret { name: "default".to_owned(), content };
        assert!(!format!("{secret:?}").contains("KEY"));
        assert!(serde_json::to_string(&secret).unwrap().contains("KEY"));
    }
}

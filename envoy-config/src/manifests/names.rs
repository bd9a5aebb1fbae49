//! Names of Kubernetes' objects.

use serde::Serialize;

/// A name of a Kubernetes object: a DNS-1123 subdomain of at most 253 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    /// The most characters.
    const LONGEST: usize = 253;

    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let refused = |why: &str| Err(format!("`{text}` can't be the name of a Kubernetes object: {why}"));
        if text.is_empty() || text.len() > Self::LONGEST {
            return refused("it must have 1 to 253 characters");
        }
        let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        for label in text.split('.') {
            let bytes = label.as_bytes();
            let ends = [bytes.first(), bytes.last()];
            if !ends.into_iter().all(|end| end.is_some_and(|byte| alphanumeric(*byte)))
                || !bytes.iter().all(|byte| alphanumeric(*byte) || *byte == b'-')
            {
                return refused("lower-case letters, digits, and `-` and `.` within are allowed");
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// With `-` and `suffix` at its end.
    ///
    /// # Errors
    /// It becomes too long.
    pub fn with(&self, suffix: &str) -> Result<Self, String> {
        Self::parse(&format!("{}-{suffix}", self.0))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Name {
    /// `outrigger`
    fn default() -> Self {
        Self("outrigger".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dns_1123() {
        for good in ["a", "outrigger-authz", "a.b-c.9", &"a".repeat(253)] {
            assert_eq!(Name::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "A", "-a", "a-", "a..b", "a_b", "a/b", "ä", &"a".repeat(254)] {
            assert!(Name::parse(bad).is_err(), "{bad}");
        }
        assert!(Name::parse(&"a".repeat(250)).unwrap().with("authz").is_err());
    }
}

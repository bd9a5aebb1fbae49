//! Where the keys of a rule are fetched from, and how often.

use std::time::Duration;

use outrigger_api::types::request_authentication::{JwtAnnotations, JwtRule};

use super::uri::Uri;

/// Istio's default of `timeout`.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How long keys are new if nobody says anything else: as istiod has it.
const REFRESH: Duration = Duration::from_secs(20 * 60);

/// What servers may ask for by `cache-control`.
const SHORTEST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Keys that are fetched, for all rules that say the same of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// From where.
    pub location: Location,
    /// How long an answer may take, and how long a request waits for the first (Istio `timeout`).
    pub timeout: Duration,
    /// How long keys are new. `None`: as their server says, else 20 min.
    pub refresh: Option<Duration>,
    /// How long they are used beyond that.
    pub max_stale: Duration,
}

/// Where keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// There (Istio `jwksUri`).
    Keys(Uri),
    /// Where this OpenID configuration says.
    Discovery(Uri),
}

impl Location {
    /// Of a `jwksUri`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn keys(uri: &str) -> Result<Self, String> {
        Uri::parse(uri).map(Self::Keys).map_err(|reason| format!("`{uri}` {reason}"))
    }

    /// Of an issuer that has to be asked where its keys are (OpenID Connect Discovery 1.0, section 4.1).
    ///
    /// # Errors
    /// Why it can't be asked.
    pub fn discovery(issuer: &str) -> Result<Self, String> {
        let base = issuer.strip_suffix('/').unwrap_or(issuer);
        let uri = Uri::parse(&format!("{base}/.well-known/openid-configuration"));
        uri.map(Self::Discovery).map_err(|reason| format!("`{issuer}` {reason}"))
    }
}

impl Source {
    /// That of `rule`.
    pub fn new(location: Location, rule: &JwtRule, annotations: &JwtAnnotations) -> Self {
        Self {
            location,
            timeout: rule.timeout.unwrap_or(TIMEOUT),
            refresh: annotations.jwks_refresh,
            max_stale: annotations.jwks_max_stale,
        }
    }

    /// The URI that is asked first.
    pub fn uri(&self) -> &Uri {
        match &self.location {
            Location::Keys(uri) | Location::Discovery(uri) => uri,
        }
    }

    /// How long the keys of an answer are new. `max_age` is what its `cache-control` says.
    pub(super) fn interval(&self, max_age: Option<Duration>) -> Duration {
        let asked = || max_age.map(|age| age.clamp(SHORTEST, LONGEST));
        self.refresh.or_else(asked).unwrap_or(REFRESH)
    }

    /// How long to leave the server alone at least, whatever keys tokens name.
    pub(super) fn debounce(&self) -> Duration {
        const DEBOUNCE: Duration = Duration::from_secs(10);
        self.refresh.map_or(DEBOUNCE, |refresh| refresh.min(DEBOUNCE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn discovery_asks_below_the_issuer() {
        for issuer in ["https://idp.example/realm", "https://idp.example/realm/"] {
            let Location::Discovery(uri) = Location::discovery(issuer).unwrap() else { panic!("{issuer}") };
            assert_eq!(uri.to_string(), "https://idp.example/realm/.well-known/openid-configuration");
        }
        let error = Location::discovery("joe@example.com").unwrap_err();
        assert_eq!(error, "`joe@example.com` is not an `http://` or `https://` URI");
    }

    #[test]
    fn servers_are_heard_within_bounds_and_the_resource_before_them() {
        let seconds = Duration::from_secs;
        let location = Location::keys("https://a").unwrap();
        let mut source = Source { location, timeout: TIMEOUT, refresh: None, max_stale: Duration::default() };
        for (asked, interval) in [(None, 1200), (Some(1), 60), (Some(300), 300), (Some(1_000_000), 86_400)] {
            assert_eq!(source.interval(asked.map(seconds)), seconds(interval), "{asked:?}");
        }
        assert_eq!(source.debounce(), seconds(10));
        source.refresh = Some(seconds(2));
        assert_eq!((source.interval(Some(seconds(300))), source.debounce()), (seconds(2), seconds(2)));
    }
}

//! `security.istio.io` RequestAuthentication.

use std::time::Duration;

use super::common::Target;

/// Which tokens are accepted. Those of all RequestAuthentications of a workload are put together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestAuthentication {
    /// For whom.
    pub target: Target,
    /// Empty: nothing is checked.
    pub jwt_rules: Vec<JwtRule>,
    /// What is asked for beyond Istio.
    pub annotations: JwtAnnotations,
}

/// `outrigger.io/dry-run`
pub const DRY_RUN: &str = "outrigger.io/dry-run";
/// `outrigger.io/jwks-refresh`
pub const JWKS_REFRESH: &str = "outrigger.io/jwks-refresh";
/// `outrigger.io/jwks-max-stale`
pub const JWKS_MAX_STALE: &str = "outrigger.io/jwks-max-stale";
/// `outrigger.io/token-cache`
pub const TOKEN_CACHE: &str = "outrigger.io/token-cache";

/// All annotations of a RequestAuthentication that are Outrigger's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtAnnotations {
    /// What the rules would refuse is counted and logged, and nothing is done.
    pub dry_run: bool,
    /// How long fetched keys are taken as new, from 1 s on. `None`: as their server says, else 20 min.
    pub jwks_refresh: Option<Duration>,
    /// How long keys are used beyond that while their server can't be asked; by default a day.
    pub jwks_max_stale: Duration,
    /// Whether verified tokens are remembered; by default they are.
    pub token_cache: bool,
}

impl Default for JwtAnnotations {
    fn default() -> Self {
        Self {
            dry_run: false,
            jwks_refresh: None,
            jwks_max_stale: Duration::from_secs(24 * 60 * 60),
            token_cache: true,
        }
    }
}

/// One issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtRule {
    /// What `iss` must be. Empty only together with a key set by URI: then any will do.
    pub issuer: String,
    /// One of these must be in `aud`; empty: not checked.
    pub audiences: Vec<String>,
    /// Where the keys come from.
    pub keys: KeySource,
    /// Headers to look for a token in.
    pub from_headers: Vec<JwtHeader>,
    /// Query parameters to look for a token in.
    pub from_params: Vec<String>,
    /// Cookies to look for a token in.
    pub from_cookies: Vec<String>,
    /// Header which gets the payload, base64url without padding.
    pub output_payload_to_header: Option<String>,
    /// Headers which get single claims.
    pub output_claim_to_headers: Vec<ClaimToHeader>,
    /// Leaves the token in the request.
    pub forward_original_token: bool,
    /// Of fetching keys; `None`: 5 s.
    pub timeout: Option<Duration>,
    /// Claims to split at spaces besides `scope` and `permission`.
    pub space_delimited_claims: Vec<String>,
}

impl JwtRule {
    /// No place is named: `Authorization: Bearer …`, then the query parameter `access_token`.
    pub fn uses_default_places(&self) -> bool {
        self.from_headers.is_empty() && self.from_params.is_empty() && self.from_cookies.is_empty()
    }
}

/// Where the keys of an issuer come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// `jwks`: a JSON Web Key Set, as text; it is valid JSON with a list `keys`.
    Inline(String),
    /// `jwksUri`: fetched over HTTP or HTTPS.
    Uri(String),
    /// Neither: found by OpenID Connect discovery of the issuer.
    Discovery,
}

/// A header to look for a token in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtHeader {
    /// In lower case.
    pub name: String,
    /// Stands somewhere before the token, such as `Bearer `. May be empty.
    pub prefix: String,
}

/// A claim which is copied to a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimToHeader {
    /// The header, in lower case.
    pub header: String,
    /// The claim; dots lead into objects.
    pub claim: String,
}

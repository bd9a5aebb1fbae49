//! Stats of tokens and of the keys that verify them, named after those of Envoy's `jwt_authn`.

use super::labels::push;

/// One of the stats of all RequestAuthentications together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwtStat {
    /// Tokens that were known from before.
    CacheHit,
    /// Tokens that were not.
    CacheMiss,
    /// Known tokens that made room for others.
    CacheEvicted,
    /// Answers with keys.
    FetchSuccess,
    /// Answers without, and none at all.
    FetchFailed,
}

impl JwtStat {
    /// Each.
    pub const ALL: [Self; 5] =
        [Self::CacheHit, Self::CacheMiss, Self::CacheEvicted, Self::FetchSuccess, Self::FetchFailed];

    /// The stat's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CacheHit => "outrigger_jwt_cache_hit",
            Self::CacheMiss => "outrigger_jwt_cache_miss",
            Self::CacheEvicted => "outrigger_jwt_cache_evicted",
            Self::FetchSuccess => "outrigger_jwks_fetch_success",
            Self::FetchFailed => "outrigger_jwks_fetch_failed",
        }
    }
}

/// Counter of requests that a RequestAuthentication with `outrigger.io/dry-run` would have refused, without its label.
pub const DRY_RUN_DENIED: &str = "outrigger_jwt_dry_run_denied";

/// The label that names it (`namespace/name`).
pub const REQUEST_AUTHENTICATION: &str = "request_authentication";

/// The name of [`DRY_RUN_DENIED`] for one of them, with the label as [`super::tag_regex`] reads it.
pub fn dry_run_denied(resource: &str) -> String {
    let mut name = DRY_RUN_DENIED.to_owned();
    push(&mut name, REQUEST_AUTHENTICATION, resource);
    name
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn the_name_carries_its_label() {
        let name = dry_run_denied("default/shop");
        assert_eq!(name, "outrigger_jwt_dry_run_denied\u{1e}request_authentication\u{1f}default/shop");
    }
}

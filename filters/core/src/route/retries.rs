//! HTTPRetry: how the router is told to retry.

use std::borrow::Cow;
use std::time::Duration;

use outrigger_api::types::virtual_service::HttpRetry;

use super::retry_profile::RetryProfile;
use crate::duration::milliseconds;
use crate::header_names;
use crate::verdict::HeaderOp;

/// Conditions of Istio's default policy, and of a policy without `retryOn`.
pub const DEFAULT_RETRY_ON: &str =
    "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes";

/// Retries of Istio's default policy.
pub const DEFAULT_ATTEMPTS: u32 = 2;

/// Conditions on the gRPC status, which Envoy reads from a header of their own.
const GRPC_CONDITIONS: &[&str] =
    &["cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable"];

/// What Envoy calls the condition on listed status codes.
const STATUS_CODES: &str = "retriable-status-codes";

/// A retry policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retries {
    /// Retries after the first try; 0: none.
    pub attempts: u32,
    /// Limit of each try; `None`: the route's timeout.
    pub per_try_timeout: Option<Duration>,
    /// Every condition, comma-separated, as Istio writes it into the route.
    pub on: String,
    /// What of it stands on a generic route of its own.
    pub profile: RetryProfile,
    ops: Vec<HeaderOp<'static>>,
}

impl Retries {
    /// The mesh's default policy, which stands on the generic route itself: it takes no header.
    pub fn mesh_default() -> Self {
        let on = DEFAULT_RETRY_ON.to_owned();
        Self {
            attempts: DEFAULT_ATTEMPTS,
            per_try_timeout: None,
            on,
            profile: RetryProfile::MESH,
            ops: Vec::new(),
        }
    }

    /// No retries, not even the mesh's.
    pub fn none() -> Self {
        Self::own(0, None, &[], &[])
    }

    /// A rule's policy, the mesh's if it has none of its own. `hashed`: a consistent hash chooses the endpoint.
    pub fn new(spec: Option<&HttpRetry>, hashed: bool) -> Self {
        let mut retries = spec.map_or_else(Self::mesh_default, Self::of_rule);
        retries.profile = RetryProfile::new(spec, hashed);
        retries
    }

    fn of_rule(spec: &HttpRetry) -> Self {
        let default: Vec<_> = DEFAULT_RETRY_ON.split(',').map(str::to_owned).collect();
        let (conditions, codes) =
            spec.retry_on.as_ref().map_or((&default, &[][..]), |on| (&on.conditions, &on.status_codes));
        Self::own(spec.attempts, spec.per_try_timeout, conditions, codes)
    }

    fn own(attempts: u32, per_try_timeout: Option<Duration>, conditions: &[String], codes: &[u16]) -> Self {
        let mut ops = vec![set(header_names::OWN_RETRIES, "1".to_owned())];
        let mut conditions: Vec<&str> = conditions.iter().map(String::as_str).collect();
        if attempts == 0 {
            return Self {
                attempts,
                per_try_timeout: None,
                on: String::new(),
                profile: RetryProfile::OWN,
                ops,
            };
        }
        if !codes.is_empty() {
            if !conditions.contains(&STATUS_CODES) {
                conditions.push(STATUS_CODES);
            }
            let codes: Vec<_> = codes.iter().map(u16::to_string).collect();
            ops.push(set(header_names::RETRIABLE_STATUS_CODES, codes.join(",")));
        }
        let (grpc, http): (Vec<&str>, Vec<&str>) =
            conditions.iter().copied().partition(|condition| GRPC_CONDITIONS.contains(condition));
        for (name, conditions) in [(header_names::RETRY_ON, http), (header_names::RETRY_GRPC_ON, grpc)] {
            if !conditions.is_empty() {
                ops.push(set(name, conditions.join(",")));
            }
        }
        ops.push(set(header_names::MAX_RETRIES, attempts.to_string()));
        if let Some(timeout) = per_try_timeout {
            ops.push(set(header_names::PER_TRY_TIMEOUT, milliseconds(timeout).to_string()));
        }
        Self { attempts, per_try_timeout, on: conditions.join(","), profile: RetryProfile::OWN, ops }
    }

    /// The headers by which the router is told; none for the mesh's default.
    pub fn ops(&self) -> &[HeaderOp<'static>] {
        &self.ops
    }
}

fn set(name: &'static str, value: String) -> HeaderOp<'static> {
    HeaderOp::Set(Cow::Borrowed(name), Cow::Owned(value.into_bytes()))
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use outrigger_api::types::virtual_service::RetryOn;

    use super::*;

    fn spec(attempts: u32, retry_on: Option<(&[&str], &[u16])>) -> HttpRetry {
        HttpRetry {
            attempts,
            per_try_timeout: (attempts > 0).then_some(Duration::from_secs(2)),
            retry_on: retry_on.map(|(conditions, codes)| RetryOn {
                conditions: conditions.iter().map(|condition| (*condition).to_owned()).collect(),
                status_codes: codes.to_vec(),
            }),
            retry_remote_localities: None,
            retry_ignore_previous_hosts: None,
            backoff: None,
        }
    }

    fn headers(retries: &Retries) -> Vec<String> {
        let text = |op: &HeaderOp<'_>| match op {
            HeaderOp::Set(name, value) => format!("{name}: {}", value.escape_ascii()),
            other => panic!("{other:?}"),
        };
        retries.ops().iter().map(text).collect()
    }

    #[test]
    fn without_retry_on_istios_default_list_counts() {
        let retries = Retries::new(Some(&spec(3, None)), false);
        assert_eq!(retries.on, DEFAULT_RETRY_ON);
        assert_eq!(
            headers(&retries),
            [
                "x-outrigger-own-retries: 1",
                "x-envoy-retry-on: connect-failure,refused-stream,retriable-status-codes",
                "x-envoy-retry-grpc-on: unavailable,cancelled",
                "x-envoy-max-retries: 3",
                "x-envoy-upstream-rq-per-try-timeout-ms: 2000",
            ]
        );
    }

    #[test]
    fn status_codes_bring_their_condition_once() {
        let retries = Retries::new(Some(&spec(1, Some((&["5xx"], &[404, 429])))), false);
        assert_eq!(retries.on, "5xx,retriable-status-codes");
        assert!(headers(&retries).contains(&"x-envoy-retriable-status-codes: 404,429".to_owned()));
        let named = Retries::new(Some(&spec(1, Some((&["retriable-status-codes", "reset"], &[503])))), false);
        assert_eq!(named.on, "retriable-status-codes,reset");
    }

    #[test]
    fn zero_attempts_switch_retries_off() {
        let retries = Retries::new(Some(&spec(0, None)), false);
        assert_eq!(retries, Retries::none());
        assert_eq!(headers(&retries), ["x-outrigger-own-retries: 1"]);
        assert!(Retries::mesh_default().ops().is_empty());
        assert_eq!(Retries::new(None, false), Retries::mesh_default());
    }
}

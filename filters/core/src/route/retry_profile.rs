//! What of a retry policy stands on the route only: Envoy has headers for how often and when to retry, none for how
//! long to wait in between and where to go then. See [`super::profile`].

use std::time::Duration;

use outrigger_api::types::virtual_service::HttpRetry;

use crate::duration::milliseconds;

/// The parts of a retry policy that no header can tell the router.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RetryProfile {
    /// Whether the rule has retries of its own; otherwise the mesh's policy is on the route.
    pub own: bool,
    /// Base of the exponential wait between tries; `None`: Envoy's 25 ms (for the mesh's policy, what that says).
    pub back_off: Option<Duration>,
    /// Whether retries go to other localities (Envoy's `previous_priorities`).
    pub remote_localities: bool,
    /// Whether a host that was tried is left out of the next try (Envoy's `previous_hosts`).
    pub other_hosts: bool,
}

impl RetryProfile {
    /// A rule's own policy on the plain generic route.
    pub(super) const OWN: Self =
        Self { own: true, back_off: None, remote_localities: false, other_hosts: true };
    /// The mesh's.
    pub(super) const MESH: Self = Self { own: false, ..Self::OWN };

    /// What a rule's policy asks for. `hashed`: its only destination is chosen by a consistent hash, and then Istio lets
    /// retries go to the same host again unless told otherwise.
    pub(super) fn new(spec: Option<&HttpRetry>, hashed: bool) -> Self {
        match spec {
            None => Self { other_hosts: !hashed, ..Self::MESH },
            Some(spec) if spec.attempts == 0 => Self::OWN,
            Some(spec) => Self {
                back_off: spec.backoff,
                remote_localities: spec.retry_remote_localities == Some(true),
                other_hosts: spec.retry_ignore_previous_hosts.unwrap_or(!hashed),
                ..Self::OWN
            },
        }
    }

    /// Whether headers say all of it.
    pub(super) fn is_plain(&self) -> bool {
        *self == Self { own: self.own, ..Self::OWN }
    }

    /// Its part of the name of a [`super::Profile`].
    pub(super) fn name(&self) -> String {
        let mut name = String::from(if self.own { "own" } else { "mesh" });
        if let Some(back_off) = self.back_off {
            name.push_str(",back-off-ms=");
            name.push_str(&milliseconds(back_off).to_string());
        }
        if self.remote_localities {
            name.push_str(",remote-localities");
        }
        if !self.other_hosts {
            name.push_str(",same-hosts");
        }
        name
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn spec(attempts: u32) -> HttpRetry {
        HttpRetry {
            attempts,
            per_try_timeout: None,
            retry_on: None,
            retry_remote_localities: None,
            retry_ignore_previous_hosts: None,
            backoff: None,
        }
    }

    fn name(spec: Option<&HttpRetry>, hashed: bool) -> Option<String> {
        let profile = RetryProfile::new(spec, hashed);
        (!profile.is_plain()).then(|| profile.name())
    }

    #[test]
    fn only_what_no_header_can_say_makes_a_profile() {
        let second = Some(Duration::from_secs(1));
        let plain = spec(3);
        let waits = HttpRetry { backoff: second, ..spec(3) };
        let off = HttpRetry { backoff: second, ..spec(0) };
        let far = HttpRetry { retry_remote_localities: Some(true), ..waits.clone() };
        let near = HttpRetry { retry_remote_localities: Some(false), ..spec(3) };
        let any = HttpRetry { retry_ignore_previous_hosts: Some(false), ..spec(3) };
        let others = HttpRetry { retry_ignore_previous_hosts: Some(true), ..spec(3) };
        for (spec, hashed, expected) in [
            (None, false, None),
            (None, true, Some("mesh,same-hosts")),
            (Some(&plain), false, None),
            (Some(&plain), true, Some("own,same-hosts")),
            (Some(&off), true, None),
            (Some(&waits), false, Some("own,back-off-ms=1000")),
            (Some(&far), false, Some("own,back-off-ms=1000,remote-localities")),
            (Some(&far), true, Some("own,back-off-ms=1000,remote-localities,same-hosts")),
            (Some(&near), false, None),
            (Some(&any), false, Some("own,same-hosts")),
            (Some(&others), true, None),
        ] {
            assert_eq!(name(spec, hashed).as_deref(), expected, "{spec:?}, hashed: {hashed}");
        }
    }
}

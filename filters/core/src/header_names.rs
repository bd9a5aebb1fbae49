//! Names of the headers by which the filters drive Envoy's router. `envoy-config` renders the generic route from
//! the same names, so both sides can't drift apart.

/// The cluster that the generic route forwards to (`cluster_header`). Removed before the request goes upstream.
pub const CLUSTER: &str = "x-outrigger-cluster";

/// Present on a request whose VirtualService has retries of its own: selects the generic route without the mesh's
/// default retry policy, since Envoy adds `x-envoy-retry-on` to a route's policy and never takes from it.
pub const OWN_RETRIES: &str = "x-outrigger-own-retries";

/// Names what of a rule no header can tell the router ([`crate::route::Profile`]): selects the generic route on which it
/// stands. A route that is not there (yet) leaves the choice to the other two headers.
pub const PROFILE: &str = "x-outrigger-profile";

/// On a sidecar's outbound listener: no rule of the request's host fits, so that it must not take the route of unknown
/// hosts. Envoy has none then and answers 404, so that this goes nowhere.
pub const NO_ROUTE: &str = "x-outrigger-no-route";

/// Milliseconds until the router answers 504; read by Envoy's router.
pub const TIMEOUT: &str = "x-envoy-upstream-rq-timeout-ms";
/// Milliseconds of one try; read by Envoy's router.
pub const PER_TRY_TIMEOUT: &str = "x-envoy-upstream-rq-per-try-timeout-ms";
/// When to retry; read by Envoy's router.
pub const RETRY_ON: &str = "x-envoy-retry-on";
/// When to retry gRPC; read by Envoy's router.
pub const RETRY_GRPC_ON: &str = "x-envoy-retry-grpc-on";
/// How many retries; read by Envoy's router.
pub const MAX_RETRIES: &str = "x-envoy-max-retries";
/// Status codes of `retriable-status-codes`; read by Envoy's router.
pub const RETRIABLE_STATUS_CODES: &str = "x-envoy-retriable-status-codes";

/// By which protocol the client came. Without it Envoy's router finds no route.
pub const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// Request headers that steer Envoy's router and that no client may set: removed before a policy sets its own.
pub const INTERNAL: &[&str] = &[
    CLUSTER,
    OWN_RETRIES,
    PROFILE,
    NO_ROUTE,
    TIMEOUT,
    PER_TRY_TIMEOUT,
    RETRY_ON,
    RETRY_GRPC_ON,
    MAX_RETRIES,
    RETRIABLE_STATUS_CODES,
    "x-envoy-retriable-header-names",
    "x-envoy-hedge-on-per-try-timeout",
    "x-envoy-upstream-alt-stat-name",
    "x-envoy-upstream-stream-duration-ms",
    "x-envoy-upstream-rq-timeout-alt-response",
    "x-envoy-decorator-operation",
    "x-envoy-fault-abort-request",
    "x-envoy-fault-abort-request-percentage",
    "x-envoy-fault-abort-grpc-request",
    "x-envoy-fault-delay-request",
    "x-envoy-fault-delay-request-percentage",
    "x-envoy-fault-throughput-response",
    "x-envoy-fault-throughput-response-percentage",
    crate::fault::SECRET,
];

/// The name among [`INTERNAL`] that a client's header has, if it must not reach the router.
pub fn internal(name: &[u8]) -> Option<&'static str> {
    // Nearly every name is ruled out by its first bytes, most by the very first.
    if name.first() != Some(&b'x') || !(name.starts_with(b"x-envoy-") || name.starts_with(b"x-outrigger-")) {
        return None;
    }
    INTERNAL.iter().find(|internal| internal.as_bytes() == name).copied()
}

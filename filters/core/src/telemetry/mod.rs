//! Istio's standard metrics: which series a finished request belongs to and what that series is called.

mod authz;
mod faults;
mod flags;
mod jwt;
mod labels;
mod series;

pub use authz::{
    AUTHORIZATION_POLICY, AUTHZ_DRY_RUN, AuthzStat, DRY_RUN_ACTION, DRY_RUN_RESULT, authz_dry_run,
};
pub use faults::{FAULT_PREFIX, FaultStat, VIRTUAL_SERVICE};
pub use flags::ResponseFlags;
pub use jwt::{DRY_RUN_DENIED, JwtStat, REQUEST_AUTHENTICATION, dry_run_denied};
pub use labels::{LABELS, UNKNOWN, tag_regex};
pub use series::{Protocol, Reporter, Series};

/// Counter of finished requests (Istio `REQUEST_COUNT`).
pub const REQUESTS_TOTAL: &str = "istio_requests_total";
/// Histogram of request durations in milliseconds (Istio `REQUEST_DURATION`).
pub const REQUEST_DURATION: &str = "istio_request_duration_milliseconds";

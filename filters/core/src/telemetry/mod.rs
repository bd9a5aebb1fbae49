//! Istio's standard metrics: which series a finished request belongs to and what that series is called.

mod authz;
mod build;
mod faults;
mod flags;
mod jwt;
mod labels;
mod metric;
mod protobuf;
mod reporter;
mod series;
mod service;
mod workload;

pub use authz::{
    AUTHORIZATION_POLICY, AUTHZ_DRY_RUN, AuthzStat, DRY_RUN_ACTION, DRY_RUN_RESULT, authz_dry_run,
};
pub use build::{BUILD, COMPONENT, TAG, build};
pub use faults::{FAULT_PREFIX, FaultStat, VIRTUAL_SERVICE};
pub use flags::ResponseFlags;
pub use jwt::{DRY_RUN_DENIED, JwtStat, REQUEST_AUTHENTICATION, dry_run_denied};
pub use labels::{LABELS, UNKNOWN, tag_regex};
pub use metric::Metric;
pub use reporter::Reporter;
pub use series::{Protocol, Series};
pub use service::Service;
pub use workload::Workload;

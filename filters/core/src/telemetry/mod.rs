//! Istio's standard metrics: which series a finished request belongs to and what that series is called.

mod authz;
mod build;
mod expression;
mod faults;
mod flags;
mod jwt;
mod labels;
mod limit;
mod metric;
mod overrides;
mod peer;
mod protobuf;
mod reporter;
mod series;
mod service;
mod workload;

pub use authz::{
    AUTHORIZATION_POLICY, AUTHZ_DRY_RUN, AuthzStat, DRY_RUN_ACTION, DRY_RUN_RESULT, authz_dry_run,
};
pub use build::{BUILD, COMPONENT, TAG, build};
pub use expression::{Expression, to_text};
pub use faults::{FAULT_PREFIX, FaultStat, VIRTUAL_SERVICE};
pub use flags::ResponseFlags;
pub use jwt::{DRY_RUN_DENIED, JwtStat, REQUEST_AUTHENTICATION, dry_run_denied};
pub use labels::{LABELS, OVERFLOW, UNKNOWN, reports_as_destination, tag_regex};
pub use limit::{SERIES, SERIES_OVERFLOW};
pub use metric::Metric;
pub use overrides::{Overrides, Tag};
pub use peer::{METADATA, METADATA_ID};
pub use reporter::Reporter;
pub use series::{Protocol, Series};
pub use service::Service;
pub use workload::Workload;

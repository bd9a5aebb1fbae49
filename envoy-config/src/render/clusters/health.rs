//! How endpoints are asked whether they work, by annotations.

use outrigger_api::health_check::{self, HEALTH_CHECK, Kind};
use outrigger_api::problem::code;
use outrigger_api::{Problem, Resource};

use crate::envoy::cluster::{HealthCheck, HealthChecker, StatusRange};
use crate::envoy::scalars::{Empty, Seconds};

/// What the first of these resources that says something asks for, with the port if it is not the endpoint's own.
/// `http2`: the endpoints speak it, whatever the client speaks.
pub(super) fn of<'r>(
    resources: impl Iterator<Item = &'r Resource>,
    http2: bool,
    problems: &mut Vec<Problem>,
) -> Option<(HealthCheck, Option<u16>)> {
    for resource in resources {
        match health_check::read(&resource.meta.annotations) {
            Ok(None) => {}
            Ok(Some(found)) => {
                if matches!(found.kind, Kind::Grpc { .. }) && !http2 {
                    let path = format!("metadata.annotations[\"{HEALTH_CHECK}\"]");
                    let message = "gRPC is spoken over HTTP/2, which this port is not said to speak";
                    let hint = "give the port the protocol `GRPC`, or set `h2UpgradePolicy: UPGRADE`";
                    let problem = resource.error(&path, code::UNSUPPORTED, message);
                    problems.push(Problem { hint: Some(hint.to_owned()), ..problem });
                }
                return Some((envoy(&found), found.port));
            }
            Err(wrong) => {
                problems.extend(wrong.into_iter().map(|(name, message)| {
                    let path = format!("metadata.annotations[\"{name}\"]");
                    resource.error(&path, code::SCHEMA, message)
                }));
                return None;
            }
        }
    }
    None
}

fn envoy(found: &health_check::HealthCheck) -> HealthCheck {
    let host = || found.host.clone().unwrap_or_default();
    let checker = match &found.kind {
        Kind::Http { path, http2 } => HealthChecker::HttpHealthCheck {
            host: host(),
            path: path.clone(),
            expected_statuses: found
                .statuses
                .iter()
                .map(|(first, last)| StatusRange { start: *first, end: last.saturating_add(1) })
                .collect(),
            codec_client_type: http2.then_some("HTTP2"),
        },
        Kind::Tcp => HealthChecker::TcpHealthCheck(Empty {}),
        Kind::Grpc { service } => {
            HealthChecker::GrpcHealthCheck { service_name: service.clone(), authority: host() }
        }
    };
    let interval = Seconds(found.interval);
    HealthCheck {
        timeout: Seconds(found.timeout),
        interval,
        // Envoy would ask once a minute.
        no_traffic_interval: interval,
        unhealthy_threshold: found.unhealthy,
        healthy_threshold: found.healthy,
        checker,
    }
}

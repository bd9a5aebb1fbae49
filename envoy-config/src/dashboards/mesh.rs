//! The mesh as a whole.

use outrigger_core::telemetry::{self, Metric};

use super::grafana::{Dashboard, Panel};
use super::panels;
use super::query::{self, CLIENT_ERRORS, SERVER_ERRORS, WINDOW};

/// What is told by those who ask, so that no request counts twice.
const SENT: &str = "reporter=~\"source|waypoint\"";

const BY_WORKLOAD: &str = "destination_service, destination_workload, destination_workload_namespace";

/// The dashboard.
pub(super) fn dashboard() -> Dashboard {
    Dashboard::new("outrigger-mesh", "Outrigger: mesh", "Every service at a glance")
        .row(
            "All requests",
            vec![
                panels::volume("Requests", &[SENT]),
                panels::success("Success", &[SENT]),
                errors("4xx", CLIENT_ERRORS),
                errors("5xx", SERVER_ERRORS),
            ],
        )
        .row(
            "Services",
            vec![
                panels::by_code(
                    "Requests by service",
                    &[SENT],
                    "destination_service",
                    "{{destination_service}} {{response_code}}",
                ),
                panels::success_by(
                    "Success by service",
                    &[SENT],
                    "destination_service",
                    "{{destination_service}}",
                ),
            ],
        )
        .row("Workloads", vec![workloads()])
        .row("Proxies", vec![versions(), series()])
}

fn errors(title: &str, codes: &str) -> Panel {
    let all = query::rate(query::requests(), &[SENT], WINDOW, "");
    let chosen = query::rate(query::requests(), &[SENT, codes], WINDOW, "");
    panels::number(title, "reqps", "Requests a second with such an answer")
        .query(format!("{chosen} or 0 * {all}"), "")
}

fn workloads() -> Panel {
    let quantile = |q: &str| query::quantile(q, Metric::RequestDuration, &[SENT], WINDOW, BY_WORKLOAD);
    panels::table(
        "HTTP and gRPC",
        "short",
        "Requests a second, latencies in milliseconds and the share of success",
    )
    .query(query::rate(query::requests(), &[SENT], WINDOW, BY_WORKLOAD), "Requests")
    .query(quantile("0.5"), "P50")
    .query(quantile("0.9"), "P90")
    .query(quantile("0.99"), "P99")
    .query(format!("1 - {}", query::share(SERVER_ERRORS, &[SENT], WINDOW, BY_WORKLOAD)), "Success")
}

fn versions() -> Panel {
    let by = format!("{}, {}", telemetry::COMPONENT, telemetry::TAG);
    panels::lines("Versions", "short", "Proxies by version")
        .query(query::total(telemetry::BUILD, &[], &by), "{{component}} {{tag}}")
}

fn series() -> Panel {
    panels::lines("Series", "short", "Label sets that a proxy has metrics of")
        .query(query::total(telemetry::SERIES, &[], "instance"), "{{instance}}")
}

//! One workload: what it is asked, and what it asks others.

use outrigger_core::telemetry::Metric;

use super::grafana::{Dashboard, Panel};
use super::panels;
use super::query::{self, WINDOW, requests};

/// Requests for it, as its own proxy tells them.
const INBOUND: &[&str] = &[
    "reporter=\"destination\"",
    "destination_workload=~\"$workload\"",
    "destination_workload_namespace=~\"$namespace\"",
];
/// Requests of its own.
const OUTBOUND: &[&str] =
    &["reporter=\"source\"", "source_workload=~\"$workload\"", "source_workload_namespace=~\"$namespace\""];

/// The values of a label, whichever side it is of: many workloads are only asked, others only ask. `narrowed`: by the label
/// of that side that has to be the chosen namespace.
fn either(label: &str, narrowed: &str) -> String {
    let of = |side: &str| {
        let chosen = format!("{side}_{narrowed}=~\"$namespace\"");
        let selector = if narrowed.is_empty() { String::new() } else { format!("{{{chosen}}}") };
        format!("count by ({side}_{label}) (last_over_time({}{selector}[$__range]))", requests())
    };
    format!("{} or {}", of("source"), of("destination"))
}

/// The dashboard.
pub(super) fn dashboard() -> Dashboard {
    let services =
        ["P50 {{destination_service}}", "P90 {{destination_service}}", "P99 {{destination_service}}"];
    let callers = ["P50 {{source_workload}}", "P90 {{source_workload}}", "P99 {{source_workload}}"];
    let inbound = |title, metric| panels::quantiles(title, metric, INBOUND, "source_workload", callers);
    let outbound =
        |title, metric| panels::quantiles(title, metric, OUTBOUND, "destination_service", services);
    Dashboard::new(
        "outrigger-workload",
        "Outrigger: workload",
        "What a workload is asked, and what it asks others",
    )
    .variable_of(
        "namespace",
        "Namespace",
        &either("workload_namespace", ""),
        "/_workload_namespace=\"([^\"]+)\"/",
    )
    .variable_of(
        "workload",
        "Workload",
        &either("workload", "workload_namespace"),
        "/_workload=\"([^\"]+)\"/",
    )
    .row(
        "In short",
        vec![
            panels::volume("Requests for it", INBOUND),
            panels::success("Success of these", INBOUND),
            panels::volume("Requests of its own", OUTBOUND),
            panels::success("Success of these", OUTBOUND),
        ],
    )
    .row(
        "Requests for it",
        vec![
            panels::by_code("By caller", INBOUND, "source_workload", "{{source_workload}} {{response_code}}"),
            inbound("Latency", Metric::RequestDuration),
            callers_by_identity(),
        ],
    )
    .row(
        "Sizes of these",
        vec![inbound("Requests", Metric::RequestSize), inbound("Responses", Metric::ResponseSize)],
    )
    .row(
        "Requests of its own",
        vec![
            panels::by_code(
                "By service",
                OUTBOUND,
                "destination_service",
                "{{destination_service}} {{response_code}}",
            ),
            panels::success_by(
                "Success by service",
                OUTBOUND,
                "destination_service",
                "{{destination_service}}",
            ),
            outbound("Latency", Metric::RequestDuration),
        ],
    )
    .row(
        "Sizes of these",
        vec![
            outbound("Requests", Metric::RequestSize),
            outbound("Responses", Metric::ResponseSize),
            mean_size(),
        ],
    )
}

fn callers_by_identity() -> Panel {
    let by = "source_principal, connection_security_policy";
    panels::lines("By identity", "reqps", "Requests a second, by the caller's certificate").query(
        query::rate(requests(), INBOUND, WINDOW, by),
        "{{source_principal}} {{connection_security_policy}}",
    )
}

fn mean_size() -> Panel {
    panels::lines("Mean response", "bytes", "Headers and body, by service").query(
        query::mean(Metric::ResponseSize, OUTBOUND, WINDOW, "destination_service"),
        "{{destination_service}}",
    )
}

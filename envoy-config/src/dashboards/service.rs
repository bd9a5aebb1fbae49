//! One service: who asks it, and which workloads answer.

use outrigger_core::telemetry::Metric;

use super::grafana::Dashboard;
use super::panels;
use super::query::requests;

/// What a client's proxy tells.
const SENT: &[&str] = &["reporter=~\"source|waypoint\"", SERVICE];
/// What the service's own proxies tell.
const RECEIVED: &[&str] = &["reporter=\"destination\"", SERVICE];
/// What the user has chosen.
const CHOSEN: &[&str] = &["reporter=~\"$reporter\"", SERVICE, "connection_security_policy=~\"$security\""];

const SERVICE: &str = "destination_service=~\"$service\"";

const CLIENT: &str = "source_workload, source_workload_namespace";
const SERVER: &str = "destination_workload, destination_workload_namespace";

/// The dashboard.
pub(super) fn dashboard() -> Dashboard {
    let client = ["P50 {{source_workload}}", "P90 {{source_workload}}", "P99 {{source_workload}}"];
    let server =
        ["P50 {{destination_workload}}", "P90 {{destination_workload}}", "P99 {{destination_workload}}"];
    let quantiles =
        |title, metric, of: &[&str], by, legends| panels::quantiles(title, metric, of, by, legends);
    Dashboard::new(
        "outrigger-service",
        "Outrigger: service",
        "Who asks a service, and what its workloads answer",
    )
    .variable("service", "Service", requests(), "destination_service", false)
    .reporter()
    .variable("security", "Connection security", requests(), "connection_security_policy", true)
    .row("As its clients see it", vec![panels::volume("Requests", SENT), panels::success("Success", SENT)])
    .row(
        "As it sees itself",
        vec![panels::volume("Requests", RECEIVED), panels::success("Success", RECEIVED)],
    )
    .row(
        "Latency",
        vec![
            quantiles("Clients", Metric::RequestDuration, SENT, "", ["P50", "P90", "P99"]),
            quantiles("Server", Metric::RequestDuration, RECEIVED, "", ["P50", "P90", "P99"]),
        ],
    )
    .row(
        "Client workloads",
        vec![
            panels::by_code(
                "Requests",
                CHOSEN,
                CLIENT,
                "{{source_workload}}.{{source_workload_namespace}} {{response_code}}",
            ),
            panels::success_by(
                "Success",
                CHOSEN,
                CLIENT,
                "{{source_workload}}.{{source_workload_namespace}}",
            ),
            quantiles("Latency", Metric::RequestDuration, CHOSEN, CLIENT, client),
        ],
    )
    .row(
        "What clients send and get",
        vec![
            quantiles("Size of requests", Metric::RequestSize, CHOSEN, CLIENT, client),
            quantiles("Size of responses", Metric::ResponseSize, CHOSEN, CLIENT, client),
        ],
    )
    .row(
        "Workloads of the service",
        vec![
            panels::by_code(
                "Requests",
                CHOSEN,
                SERVER,
                "{{destination_workload}}.{{destination_workload_namespace}} {{response_code}}",
            ),
            panels::success_by(
                "Success",
                CHOSEN,
                SERVER,
                "{{destination_workload}}.{{destination_workload_namespace}}",
            ),
            quantiles("Latency", Metric::RequestDuration, CHOSEN, SERVER, server),
        ],
    )
}

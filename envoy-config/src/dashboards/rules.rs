//! Recording and alerting rules of Prometheus.

use std::collections::BTreeMap;

use outrigger_core::telemetry::{
    self, AUTHORIZATION_POLICY, AuthzStat, FAULT_PREFIX, FaultStat, JwtStat, Metric, VIRTUAL_SERVICE,
};
use serde::Serialize;

use super::query::{self, SERVER_ERRORS, requests};

/// A file of rules.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Rules {
    /// Its groups.
    pub(super) groups: Vec<Group>,
}

/// Rules that are evaluated together.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Group {
    name: &'static str,
    /// In order.
    pub(super) rules: Vec<Rule>,
}

/// A rule, of one kind or the other.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Rule {
    /// The metric that it records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) record: Option<&'static str>,
    /// The alert that it gives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) alert: Option<&'static str>,
    expr: String,
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    duration: Option<&'static str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<&'static str, &'static str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<&'static str, &'static str>,
}

const WINDOW: &str = "5m";

/// Requests by service, and by who sends them to whom.
const SERVICE: &str = "destination_service, destination_service_namespace, reporter";
const WORKLOADS: &str = "source_workload, source_workload_namespace, destination_workload, destination_workload_namespace, destination_service, reporter";

/// The recording rules.
pub(super) fn recording() -> Rules {
    let rule = |record, expr| Rule { record: Some(record), expr, ..Rule::default() };
    let quantile = |q| query::quantile(q, Metric::RequestDuration, &[], WINDOW, SERVICE);
    let services = vec![
        rule("destination_service:istio_requests:rate5m", query::rate(requests(), &[], WINDOW, SERVICE)),
        rule(
            "destination_service:istio_requests_5xx:ratio_rate5m",
            query::share(SERVER_ERRORS, &[], WINDOW, SERVICE),
        ),
        rule("destination_service:istio_request_duration_milliseconds:p50_rate5m", quantile("0.5")),
        rule("destination_service:istio_request_duration_milliseconds:p99_rate5m", quantile("0.99")),
    ];
    let by_code = format!("{WORKLOADS}, response_code");
    let workloads = vec![
        rule("workloads:istio_requests:rate5m", query::rate(requests(), &[], WINDOW, &by_code)),
        rule(
            "workloads:istio_request_bytes:mean_rate5m",
            query::mean(Metric::RequestSize, &[], WINDOW, WORKLOADS),
        ),
        rule(
            "workloads:istio_response_bytes:mean_rate5m",
            query::mean(Metric::ResponseSize, &[], WINDOW, WORKLOADS),
        ),
    ];
    let denied = query::rate(AuthzStat::Denied.metric(), &[], WINDOW, AUTHORIZATION_POLICY);
    let decisions = vec![
        rule("authorization_policy:outrigger_authz_denied:rate5m", denied),
        rule("instance:outrigger_metric_series:sum", query::total(telemetry::SERIES, &[], "instance")),
    ];
    Rules {
        groups: vec![
            Group { name: "outrigger-services", rules: services },
            Group { name: "outrigger-workloads", rules: workloads },
            Group { name: "outrigger-decisions", rules: decisions },
        ],
    }
}

/// An alert: `value` is compared by `condition`, such as `> 0`, and has to stay so for `duration`.
fn alert(
    alert: &'static str,
    (value, condition): (String, &str),
    duration: &'static str,
    severity: &'static str,
    (summary, description): (&'static str, &'static str),
) -> Rule {
    Rule {
        alert: Some(alert),
        expr: format!("{value} {condition}"),
        duration: Some(duration),
        labels: BTreeMap::from([("severity", severity)]),
        annotations: BTreeMap::from([("summary", summary), ("description", description)]),
        ..Rule::default()
    }
}

/// The alerting rules.
pub(super) fn alerts() -> Rules {
    Rules {
        groups: vec![
            Group { name: "outrigger-services", rules: of_services() },
            Group { name: "outrigger-policies", rules: of_policies() },
            Group { name: "outrigger-proxies", rules: of_proxies() },
        ],
    }
}

fn of_services() -> Vec<Rule> {
    let errors = query::share(SERVER_ERRORS, &[], WINDOW, SERVICE);
    let slow = query::quantile("0.99", Metric::RequestDuration, &[], WINDOW, SERVICE);
    vec![
        alert(
            "OutriggerManyErrors",
            (errors, "> 0.05"),
            "5m",
            "critical",
            (
                "{{ $labels.destination_service }} fails",
                "{{ $value | humanizePercentage }} of its requests are answered by 5xx, says its {{ $labels.reporter }}.",
            ),
        ),
        alert(
            "OutriggerSlow",
            (slow, "> 1000"),
            "10m",
            "warning",
            (
                "{{ $labels.destination_service }} is slow",
                "One of a hundred requests takes {{ $value | humanize }} ms or longer, says its {{ $labels.reporter }}.",
            ),
        ),
    ]
}

fn of_policies() -> Vec<Rule> {
    let denied = query::rate(AuthzStat::Denied.metric(), &[], WINDOW, "instance");
    let all = query::under_policies(&[], WINDOW);
    let disagree = query::increase_or_born(AuthzStat::Disagreements.metric(), "1h", AUTHORIZATION_POLICY);
    let faults = |stat: FaultStat| format!("{FAULT_PREFIX}{}", stat.metric());
    let injected = query::rate(&faults(FaultStat::Aborts), &[], WINDOW, VIRTUAL_SERVICE)
        + " + "
        + &query::rate(&faults(FaultStat::Delays), &[], WINDOW, VIRTUAL_SERVICE);
    let spared = query::increase_or_born(&faults(FaultStat::Overflow), "10m", VIRTUAL_SERVICE);
    vec![
        alert(
            "OutriggerManyDenials",
            (format!("{denied} / {all}"), "> 0.2"),
            "10m",
            "warning",
            (
                "Authorization denies {{ $value | humanizePercentage }} of the requests at {{ $labels.instance }}",
                "The dashboard of decisions shows by which policy; the access log shows whom.",
            ),
        ),
        alert(
            "OutriggerDryRunDisagrees",
            (disagree, "> 0"),
            "0m",
            "info",
            (
                "{{ $labels.authorization_policy }} would change {{ $value | humanize }} verdicts an hour",
                "The policy is on dry run. `outrigger explain --shadow` tells from an access log what would change.",
            ),
        ),
        alert(
            "OutriggerFaultsForgotten",
            (injected, "> 0"),
            "1h",
            "warning",
            (
                "{{ $labels.virtual_service }} has injected faults for an hour",
                "If that is not meant so, remove the faults or let them end by `outrigger.io/fault-expires`.",
            ),
        ),
        alert(
            "OutriggerFaultsSpared",
            (spared, "> 0"),
            "0m",
            "info",
            (
                "{{ $labels.virtual_service }} injects fewer faults than it says",
                "Too many requests were under a fault at once: {{ $value | humanize }} were spared in ten minutes.",
            ),
        ),
    ]
}

fn of_proxies() -> Vec<Rule> {
    let keys = query::increase_or_born(JwtStat::FetchFailed.name(), "15m", "instance");
    let overflow = query::increase(telemetry::SERIES_OVERFLOW, &[], "10m", "instance");
    let not_fetched = query::total(query::MODULES_NOT_FETCHED, &[], "instance");
    let no_vm = format!("> 0 unless {} > 0", query::total(query::VMS, &[], "instance"));
    // Envoy's counter may well be 1 when it is first scraped, which is no increase.
    let before = format!("sum by (instance) ({} offset 15m)", query::MODULES_NOT_FETCHED);
    let anew = format!("> ({before} or 0 * {not_fetched})");
    vec![
        alert(
            "OutriggerKeysNotFetched",
            (keys, "> 2"),
            "0m",
            "warning",
            (
                "{{ $labels.instance }} can't fetch keys of tokens",
                "{{ $value | humanize }} fetches have failed in 15 minutes. Known keys are used until they are too old; then tokens are refused.",
            ),
        ),
        alert(
            "OutriggerSeriesOverflow",
            (overflow, "> 0"),
            "0m",
            "warning",
            (
                "{{ $labels.instance }} has no room for more series",
                "{{ $value | humanize }} requests in ten minutes are counted as `overflow` only: some label takes values without end, or `--max-series` is too low.",
            ),
        ),
        alert(
            "OutriggerFiltersDown",
            (not_fetched.clone(), &no_vm),
            "1m",
            "critical",
            (
                "The filters of {{ $labels.instance }} are down",
                "No module could be fetched, and none runs: requests are refused. Envoy's log says why.",
            ),
        ),
        alert(
            "OutriggerModuleNotFetched",
            (not_fetched, &anew),
            "0m",
            "critical",
            (
                "{{ $labels.instance }} can't fetch a module",
                "Requests that need it are refused until its configuration is loaded anew. Envoy's log says why.",
            ),
        ),
        // A crash with FAIL_CLOSED is not among these: no stat of Envoy tells of it.
        alert(
            "OutriggerFiltersCrash",
            (query::increase_of_all(query::RELOADS, "10m"), "> 0"),
            "0m",
            "critical",
            (
                "A filter of {{ $labels.instance }} has crashed",
                "Requests got 503 until another VM was there. Envoy's log says which filter, and why.",
            ),
        ),
    ]
}

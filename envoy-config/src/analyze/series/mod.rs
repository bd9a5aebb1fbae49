//! How many series the metrics will have: labels whose values callers choose as they like.

mod free;

use std::collections::BTreeSet;

use outrigger_api::types::telemetry::{MetricSelector, TagOverride, Telemetry};
use outrigger_api::types::virtual_service::RouteAction;
use outrigger_api::{Resource, Spec};
use outrigger_core::telemetry::{Metric, OVERFLOW};

use super::codes;
use super::finding::{Finding, Level};
use super::kinds::{self, Kind};

/// What one destination answers with, by a rule of thumb: 200, 204, 302, 400, 401, 403, 404 and 503, of which some with
/// flags of Envoy's.
const ANSWERS: usize = 10;

/// Looks at each Telemetry by itself. `most`: the bound of the series.
pub(super) fn check(resources: &[Resource], most: u32, findings: &mut Vec<Finding>) {
    let destinations = destinations(resources).max(1);
    for resource in resources {
        if let Spec::Telemetry(telemetry) = &resource.spec {
            check_one(resource, telemetry, destinations, most, findings);
        }
    }
}

/// An expression with few values about an attribute of any kind.
fn named(attribute: &str) -> String {
    match kinds::of_attribute(attribute) {
        Some(Kind::Number | Kind::Double) => format!("{attribute} > 1000 ? 'more' : 'less'"),
        Some(Kind::Duration) => format!("{attribute} > duration('1s') ? 'slow' : 'fast'"),
        Some(Kind::Moment) => format!("{attribute}.getHours()"),
        Some(Kind::Map) => format!("{attribute}['x'] == 'a' ? 'a' : 'other'"),
        _ => format!("{attribute} == 'a' ? 'a' : 'other'"),
    }
}

fn check_one(
    resource: &Resource,
    telemetry: &Telemetry,
    destinations: usize,
    most: u32,
    findings: &mut Vec<Finding>,
) {
    let (series, most_series) =
        (destinations.saturating_mul(ANSWERS), usize::try_from(most).unwrap_or(usize::MAX));
    let (mut free, mut added) = (false, BTreeSet::new());
    for ((entry, index), change) in telemetry.metric_overrides() {
        // Of connections there are none.
        if matches!(change.metric, MetricSelector::Standard(metric) if Metric::of(metric).is_none()) {
            continue;
        }
        for (label, tag) in &change.tag_overrides {
            let TagOverride::Upsert(value) = tag else { continue };
            let Some(attribute) = free::attribute_in(value) else {
                added.insert(label.as_str());
                continue;
            };
            free = true;
            let path = format!("spec.metrics[{entry}].overrides[{index}].tagOverrides[\"{label}\"].value");
            let message =
                format!("label `{label}` takes as many values as callers like: nothing bounds `{attribute}`");
            let values = (most_series / series).max(1);
            let hint = format!(
                "each value makes about {series} series of a metric ({destinations} destinations, {ANSWERS} kinds of \
                 answers): after some {values} values the bound of {most} (`--max-series`) is reached, and what \
                 comes then counts as `{OVERFLOW}`; name the values that matter, such as `{}`",
                named(&attribute)
            );
            findings.push(
                Finding::new(codes::UNBOUNDED_LABEL, Level::Warning, resource, &path, message).hint(hint),
            );
        }
    }
    if !free && !added.is_empty() {
        estimate(resource, (destinations, series), &added, most, findings);
    }
}

/// Labels whose values can be counted multiply what there is.
fn estimate(
    resource: &Resource,
    (destinations, series): (usize, usize),
    added: &BTreeSet<&str>,
    most: u32,
    findings: &mut Vec<Finding>,
) {
    let labels: Vec<_> = added.iter().map(|label| format!("`{label}`")).collect();
    let message = format!(
        "about {series} series of a metric at a proxy ({destinations} destinations, {ANSWERS} kinds of answers), times the \
         values of {}; {most} is the bound",
        labels.join(" and ")
    );
    findings.push(Finding::new(codes::SERIES_ESTIMATE, Level::Info, resource, "spec.metrics", message));
}

/// Where requests can go: every host that is declared or routed to, each subset by itself.
fn destinations(resources: &[Resource]) -> usize {
    let mut all: BTreeSet<(String, Option<&str>)> = BTreeSet::new();
    for resource in resources {
        match &resource.spec {
            Spec::ServiceEntry(entry) => {
                all.extend(entry.hosts.iter().map(|host| (host.to_string(), None)));
            }
            Spec::Service(_) => {
                let meta = &resource.meta;
                all.insert((format!("{}.{}.svc.cluster.local", meta.name, meta.namespace), None));
            }
            Spec::VirtualService(service) => {
                for rule in &service.http {
                    let RouteAction::Route(places) = &rule.action else { continue };
                    all.extend(places.iter().map(|place| {
                        let destination = &place.destination;
                        (destination.host.to_string(), destination.subset.as_deref())
                    }));
                }
            }
            _ => {}
        }
    }
    all.len()
}

#[cfg(test)]
mod tests {
    use outrigger_api::parse_yaml;

    use super::*;

    const SERVICES: &str = "apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: a}
spec: {hosts: [a.example, b.example], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a}
spec: {hosts: [a.example], http: [{route: [{destination: {host: a.example, subset: v1}}, {destination: {host: a.example}, weight: 1}]}]}
---
";

    fn told(overrides: &str, most: u32) -> Vec<Finding> {
        let text = format!(
            "{SERVICES}apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {{name: t}}
spec: {{metrics: [{{overrides: [{overrides}]}}]}}
"
        );
        let parsed = parse_yaml(text.as_bytes(), "t.yaml", "default");
        assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
        let mut findings = Vec::new();
        check(&parsed.resources, most, &mut findings);
        findings
    }

    #[test]
    fn a_label_that_callers_choose_is_warned_about_with_what_it_comes_to() {
        let overrides =
            "{tagOverrides: {team: {value: \"request.headers['x-team']\"}, code: {value: response.code}}}";
        let findings = told(overrides, 10_000);
        assert_eq!(findings.len(), 1, "{findings:?}");
        let finding = &findings[0];
        assert_eq!((finding.code, finding.level), (codes::UNBOUNDED_LABEL, Level::Warning));
        assert_eq!(finding.path, "spec.metrics[0].overrides[0].tagOverrides[\"team\"].value");
        assert_eq!((finding.line, finding.column.is_some()), (Some(14), true));
        assert!(finding.message.contains("`request.headers['x-team']`"), "{}", finding.message);
        // Three destinations with ten answers each.
        let hint = finding.hint.as_deref().unwrap();
        assert!(hint.contains("about 30 series") && hint.contains("some 333 values"), "{hint}");
        let hint = told("{tagOverrides: {id: {value: request.id}}}", 7)[0].hint.clone().unwrap();
        assert!(hint.contains("some 1 values the bound of 7"), "{hint}");
    }

    #[test]
    fn values_that_can_be_counted_are_estimated() {
        let findings = told("{tagOverrides: {a: {value: request.method}, b: {operation: REMOVE}}}", 10_000);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!((findings[0].code, findings[0].level), (codes::SERIES_ESTIMATE, Level::Info));
        assert!(findings[0].message.contains("about 30 series"), "{}", findings[0].message);
        assert!(findings[0].message.ends_with("times the values of `a`; 10000 is the bound"));
        assert_eq!(told("{disabled: true}", 10_000), []);
        assert_eq!(told("{tagOverrides: {b: {operation: REMOVE}}}", 10_000), []);
    }
}

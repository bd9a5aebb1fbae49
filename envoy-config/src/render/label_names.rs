//! Names of labels that Telemetries add, as Prometheus will see them: one that it can't read makes all of a proxy's metrics
//! unreadable.

use std::collections::BTreeMap;

use outrigger_api::problem::code;
use outrigger_api::types::telemetry::{MetricSelector, TagOverride, Telemetry, WorkloadMode};
use outrigger_api::{Problem, Proxy, Resource, Spec, select};
use outrigger_core::telemetry::{LABELS, Metric, reports_as_destination};

/// A label that a Telemetry adds: the Telemetry, and where in it.
type Added<'r> = (&'r Resource, String);

/// What is wrong with the labels that `proxy` has.
pub(crate) fn check(resources: &[Resource], proxy: &Proxy) -> Vec<Problem> {
    let mode = match reports_as_destination(proxy) {
        true => WorkloadMode::Server,
        false => WorkloadMode::Client,
    };
    wrong(&select::telemetries(resources, proxy), mode)
}

/// What is wrong with a Telemetry by itself, whichever workloads it is for.
pub(crate) fn check_alone(resource: &Resource) -> Vec<Problem> {
    let Spec::Telemetry(telemetry) = &resource.spec else { return Vec::new() };
    let alone = [(resource, telemetry)];
    [WorkloadMode::Client, WorkloadMode::Server].into_iter().flat_map(|mode| wrong(&alone, mode)).collect()
}

fn wrong(telemetries: &[(&Resource, &Telemetry)], mode: WorkloadMode) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    for metric in Metric::ALL {
        let changes = changes(telemetries, mode, metric);
        let stays = |label: &&str| metric.has(label) && !matches!(changes.get(label), Some(None));
        let own = LABELS.into_iter().filter(stays);
        let mut taken: BTreeMap<String, &str> = own.map(|label| (label.to_owned(), label)).collect();
        for (label, added) in &changes {
            let Some((resource, path)) = added else { continue };
            if LABELS.contains(label) {
                continue;
            }
            let Some(why) = unreadable(label, metric, &mut taken) else { continue };
            let message =
                format!("label `{label}` {why}: Prometheus can read no metric of a proxy that has it");
            let hint = "take another name, of letters, digits and `_`, that begins with no digit and is no other label's";
            let problem = resource.error(path, code::UNSUPPORTED, message);
            let problem = Problem { hint: Some(hint.to_owned()), ..problem };
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
    }
    problems
}

/// Why Prometheus can't read a label of `metric`.
fn unreadable<'l>(label: &'l str, metric: Metric, taken: &mut BTreeMap<String, &'l str>) -> Option<String> {
    let name = in_prometheus(label);
    match name.as_str() {
        "" => return Some("has no name".to_owned()),
        "__name__" => return Some("is how Prometheus calls the name of a metric".to_owned()),
        "le" if metric.is_histogram() => {
            return Some("is how Prometheus calls the bounds of a histogram's buckets".to_owned());
        }
        _ => {}
    }
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        return Some("begins with a digit".to_owned());
    }
    let other = taken.insert(name.clone(), label)?;
    Some(match other == name {
        true => format!("becomes `{name}`, which there is already"),
        false => format!("becomes `{name}`, as `{other}` does"),
    })
}

/// Envoy writes `_` for what a name can't have.
fn in_prometheus(label: &str) -> String {
    let letter = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
    label.chars().map(letter).collect()
}

/// What becomes of labels of `metric`, merged as the filters do it. `None`: it is left out.
fn changes<'r>(
    telemetries: &[(&'r Resource, &'r Telemetry)],
    mode: WorkloadMode,
    metric: Metric,
) -> BTreeMap<&'r str, Option<Added<'r>>> {
    let mut changes = BTreeMap::new();
    for (resource, telemetry) in telemetries {
        for ((entry, index), change) in telemetry.metric_overrides() {
            let meant = match &change.metric {
                MetricSelector::All => true,
                MetricSelector::Standard(standard) => Metric::of(*standard) == Some(metric),
                MetricSelector::Custom(name) => metric.short_name() == name,
            };
            let here = change.mode == WorkloadMode::ClientAndServer || change.mode == mode;
            if !meant || !here {
                continue;
            }
            for (label, tag) in &change.tag_overrides {
                let path = || format!("spec.metrics[{entry}].overrides[{index}].tagOverrides[\"{label}\"]");
                let added = (*tag != TagOverride::Remove).then(|| (*resource, path()));
                changes.insert(label.as_str(), added);
            }
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use outrigger_api::{Role, parse_yaml};

    use super::*;

    fn told(overrides: &str) -> Vec<String> {
        let text = format!(
            "apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {{name: t}}
spec: {{metrics: [{{overrides: [{overrides}]}}]}}
"
        );
        let parsed = parse_yaml(text.as_bytes(), "t.yaml", "default");
        let problems = check(&parsed.resources, &Proxy { role: Role::Gateway, ..Proxy::default() });
        assert!(problems.iter().all(|problem| problem.is_error() && problem.position.is_some()));
        problems.into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn what_prometheus_can_not_read_is_refused() {
        for (overrides, why) in [
            ("{tagOverrides: {0num: {value: \"'x'\"}}}", "label `0num` begins with a digit"),
            (
                "{tagOverrides: {team-a: {value: \"'x'\"}, team_a: {value: \"'y'\"}}}",
                "becomes `team_a`, as `team-a` does",
            ),
            ("{tagOverrides: {le: {value: \"'x'\"}}}", "bounds of a histogram's buckets"),
            (
                "{tagOverrides: {response-code: {value: \"'x'\"}}}",
                "becomes `response_code`, which there is already",
            ),
            ("{tagOverrides: {__name__: {value: \"'x'\"}}}", "the name of a metric"),
            (
                "{tagOverrides: {a.b: {value: \"'x'\"}}}, {match: {metric: REQUEST_COUNT}, tagOverrides: {a_b: {value: \"'y'\"}}}",
                "becomes `a_b`",
            ),
        ] {
            let told = told(overrides);
            assert!(told.len() == 1 && told[0].contains(why), "{overrides}: {told:?}");
        }
    }

    #[test]
    fn what_it_reads_is_not() {
        for overrides in [
            "{tagOverrides: {team-a: {value: \"'x'\"}, TEAM: {value: \"'y'\"}, _0: {value: \"'z'\"}}}",
            // Another value of Istio's own.
            "{tagOverrides: {response_code: {value: \"'x'\"}}}",
            "{match: {metric: REQUEST_COUNT}, tagOverrides: {le: {value: \"'x'\"}}}",
            // In place of Istio's own.
            "{tagOverrides: {source_app: {operation: REMOVE}, source-app: {value: \"'x'\"}}}",
            // No metric has both.
            "{match: {metric: REQUEST_COUNT}, tagOverrides: {a.b: {value: \"'x'\"}}}, {match: {metric: REQUEST_SIZE}, tagOverrides: {a_b: {value: \"'y'\"}}}",
            "{match: {metric: GRPC_REQUEST_MESSAGES}, tagOverrides: {response-code: {value: \"'x'\"}}}",
            // A gateway is a client.
            "{match: {mode: SERVER}, tagOverrides: {0num: {value: \"'x'\"}}}",
            "{tagOverrides: {0num: {value: \"'x'\"}}}, {tagOverrides: {0num: {operation: REMOVE}}}",
        ] {
            assert_eq!(told(overrides), Vec::<String>::new(), "{overrides}");
        }
    }
}

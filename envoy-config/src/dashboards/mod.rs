//! What operators look at: dashboards for Grafana, and recording and alerting rules for Prometheus, written out of one
//! source, which takes the names of the metrics from where the filters do.

mod decisions;
mod grafana;
mod mesh;
mod panels;
mod query;
mod rules;
mod service;
mod workload;

use serde::Serialize;
use serde_saphyr::ser::Error;

use grafana::Dashboard;

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where, in a folder of the user's choice.
    pub path: &'static str,
    /// Its text.
    pub text: String,
}

/// Every file.
///
/// # Errors
/// What can't be said in JSON or YAML: nothing of ours.
pub fn files() -> Result<Vec<File>, WriteError> {
    let mut files = Vec::new();
    for (path, dashboard) in dashboards() {
        files.push(File { path, text: serde_json::to_string_pretty(&dashboard)? + "\n" });
    }
    files.push(File { path: "prometheus/recording.yaml", text: yaml(RECORDING, &rules::recording())? });
    files.push(File { path: "prometheus/alerts.yaml", text: yaml(ALERTS, &rules::alerts())? });
    Ok(files)
}

/// What can't be written down.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// As JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// As YAML.
    #[error(transparent)]
    Yaml(#[from] Error),
}

const RECORDING: &str =
    "# Recording rules: sums over the proxies, for long time ranges and for other rules.\n";
const ALERTS: &str = "# Alerting rules: what somebody should look at. Thresholds are a beginning: fit them to your services.\n";

fn dashboards() -> [(&'static str, Dashboard); 4] {
    [
        ("grafana/outrigger-mesh.json", mesh::dashboard()),
        ("grafana/outrigger-service.json", service::dashboard()),
        ("grafana/outrigger-workload.json", workload::dashboard()),
        ("grafana/outrigger-decisions.json", decisions::dashboard()),
    ]
}

fn yaml(comment: &str, value: &impl Serialize) -> Result<String, Error> {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false, compact_list_indent: true };
    Ok(comment.to_owned() + &serde_saphyr::to_string_with_options(value, options)?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    fn all() -> Vec<(&'static str, Value)> {
        let files = files().unwrap().into_iter().filter(|file| file.path.ends_with(".json"));
        files.map(|file| (file.path, serde_json::from_str(&file.text).unwrap())).collect()
    }

    #[test]
    fn dashboards_have_the_shape_that_grafana_reads() {
        let mut names = BTreeSet::new();
        for (path, dashboard) in all() {
            assert_eq!(dashboard["schemaVersion"], 39, "{path}");
            for name in ["uid", "title"] {
                assert!(names.insert(dashboard[name].as_str().unwrap().to_owned()), "{path}");
            }
            let variables = dashboard["templating"]["list"].as_array().unwrap();
            assert_eq!(
                (&variables[0]["name"], &variables[0]["type"]),
                (&"datasource".into(), &"datasource".into())
            );
            let mut ids = BTreeSet::new();
            let mut taken = BTreeSet::new();
            for panel in dashboard["panels"].as_array().unwrap() {
                assert!(ids.insert(panel["id"].as_u64().unwrap()), "{path}: {panel}");
                assert!(!panel["title"].as_str().unwrap().is_empty(), "{path}: {panel}");
                let [x, y, w, h] = ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap());
                assert!(w > 0 && h > 0 && x + w <= 24, "{path}: {panel}");
                for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
                    assert!(taken.insert(cell), "{path}: panels overlap: {panel}");
                }
                if panel["type"] != "row" {
                    check_targets(path, panel, variables);
                }
            }
            assert!(ids.len() > 5, "{path}");
        }
    }

    /// Each asks the chosen data source, and only by variables that there are.
    fn check_targets(path: &str, panel: &Value, variables: &[Value]) {
        let known: Vec<_> = variables.iter().map(|variable| variable["name"].as_str().unwrap()).collect();
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{path}: {panel}");
        assert!(!panel["description"].as_str().unwrap().is_empty(), "{path}: {panel}");
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{path}: {panel}");
        let ids: BTreeSet<_> = targets.iter().map(|target| target["refId"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), targets.len(), "{path}: {panel}");
        for target in targets {
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{path}: {panel}");
            let expression = target["expr"].as_str().unwrap();
            for used in expression.split('$').skip(1) {
                let end = used.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(used.len());
                let name = used.get(..end).unwrap();
                assert!(
                    known.contains(&name) || name == "__rate_interval",
                    "{path}: ${name} in {expression}"
                );
            }
        }
    }

    /// Who is only asked is offered as well as who only asks, each in the chosen namespaces.
    #[test]
    fn workloads_of_both_sides_can_be_chosen() {
        let (_, dashboard) = all().into_iter().find(|(path, _)| path.contains("workload")).unwrap();
        let variables = dashboard["templating"]["list"].as_array().unwrap();
        let of = |name: &str| variables.iter().find(|variable| variable["name"] == name).unwrap();
        let query = |name: &str| of(name)["query"]["query"].as_str().unwrap();
        assert_eq!(
            query("workload"),
            "query_result(count by (source_workload) (last_over_time(istio_requests_total{source_workload_namespace=~\"$namespace\"}[$__range])) or count by (destination_workload) (last_over_time(istio_requests_total{destination_workload_namespace=~\"$namespace\"}[$__range])))"
        );
        assert_eq!(
            query("namespace"),
            "query_result(count by (source_workload_namespace) (last_over_time(istio_requests_total[$__range])) or count by (destination_workload_namespace) (last_over_time(istio_requests_total[$__range])))"
        );
        // As Grafana writes what such a query brings.
        let offered = |name: &str, series: &str| {
            let written = of(name)["regex"].as_str().unwrap().trim_matches('/').to_owned();
            let found = regex::Regex::new(&written).unwrap().captures(series)?;
            Some(found[1].to_owned())
        };
        assert_eq!(offered("workload", r#"{destination_workload="b"} 3 17"#).as_deref(), Some("b"));
        assert_eq!(offered("workload", r#"{source_workload="a"} 3 17"#).as_deref(), Some("a"));
        assert_eq!(offered("namespace", r#"{source_workload_namespace="x"} 3 17"#).as_deref(), Some("x"));
    }

    #[test]
    fn rules_are_named_as_prometheus_advises() {
        for group in rules::recording().groups {
            for rule in group.rules {
                let name = rule.record.unwrap();
                assert_eq!(name.split(':').count(), 3, "{name} is not LEVEL:METRIC:OPERATION");
            }
        }
        let mut names = BTreeSet::new();
        for rule in rules::alerts().groups.into_iter().flat_map(|group| group.rules) {
            assert!(rule.annotations.contains_key("summary") && rule.annotations.contains_key("description"));
            assert!(names.insert(rule.alert.unwrap()));
        }
    }
}

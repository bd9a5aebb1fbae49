//! What the Telemetries of a proxy make of its metrics: which are measured, and with which labels.

use outrigger_api::problem::code;
use outrigger_api::types::telemetry::{MetricSelector, TagOverride, WorkloadMode};
use outrigger_api::{Problem, Proxy, Resource, select};

use super::expression::Expression;
use super::labels::reports_as_destination;
use super::metric::Metric;

/// The only provider of metrics that is carried out.
const PROMETHEUS: &str = "prometheus";

/// What becomes of a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tag {
    /// It is left out.
    Removed,
    /// It is always this.
    Literal(String),
    /// It is the value of this one of [`Overrides::expressions`].
    Value(usize),
}

/// What becomes of one metric.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Changes {
    disabled: bool,
    /// Sorted by label.
    tags: Vec<(String, Tag)>,
}

impl Changes {
    fn set(&mut self, label: String, tag: Tag) {
        let place = self.place(&label);
        if let Ok(known) = place {
            self.tags.remove(known);
        }
        self.tags.insert(place.unwrap_or_else(|place| place), (label, tag));
    }

    /// Where the tag of `label` stands, or would have to.
    fn place(&self, label: &str) -> Result<usize, usize> {
        self.tags.binary_search_by(|(known, _)| known.as_str().cmp(label))
    }
}

/// What the Telemetries of a proxy make of its metrics.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overrides {
    /// Whatever the metrics' own changes say.
    all_disabled: bool,
    changes: [Changes; Metric::ALL.len()],
    expressions: Vec<Expression>,
}

impl Overrides {
    /// Merges the Telemetries that apply to `proxy`: the root namespace's, then the namespace's, then the workload's. What
    /// comes later wins, label by label.
    ///
    /// # Errors
    /// Providers other than `prometheus`, and metrics that Istio does not have.
    pub fn compile(resources: &[Resource], proxy: &Proxy) -> Result<Self, Vec<Problem>> {
        let mode = match reports_as_destination(proxy) {
            true => WorkloadMode::Server,
            false => WorkloadMode::Client,
        };
        let (mut overrides, mut problems) = (Self::default(), Vec::new());
        for (resource, telemetry) in select::telemetries(resources, proxy) {
            for (place, entry) in telemetry.metrics.iter().enumerate() {
                for (index, provider) in entry.providers.iter().enumerate() {
                    if !provider.eq_ignore_ascii_case(PROMETHEUS) {
                        let path = format!("spec.metrics[{place}].providers[{index}].name");
                        let message = format!("metrics can't be sent to `{provider}`");
                        let hint = "`prometheus` is carried out: Envoy's `/stats/prometheus`".to_owned();
                        let error = resource.error(&path, code::UNSUPPORTED, message);
                        problems.push(Problem { hint: Some(hint), ..error });
                    }
                }
                for (index, change) in entry.overrides.iter().enumerate() {
                    let metrics: Vec<_> = match &change.metric {
                        MetricSelector::All => Metric::ALL.to_vec(),
                        MetricSelector::Standard(metric) => Metric::of(*metric).into_iter().collect(),
                        MetricSelector::Custom(name) => {
                            let found = Metric::ALL.into_iter().find(|metric| metric.short_name() == name);
                            let Some(metric) = found else {
                                let path =
                                    format!("spec.metrics[{place}].overrides[{index}].match.customMetric");
                                let message = format!("there is no metric `{name}`");
                                problems.push(resource.error(&path, code::UNSUPPORTED, message));
                                continue;
                            };
                            vec![metric]
                        }
                    };
                    if change.mode != WorkloadMode::ClientAndServer && change.mode != mode {
                        continue;
                    }
                    // As Istio merges them: all disabled is a state of its own, which whatever comes later ends.
                    overrides.all_disabled =
                        change.metric == MetricSelector::All && change.disabled == Some(true);
                    if !overrides.all_disabled {
                        overrides.apply(&metrics, change.disabled, &change.tag_overrides);
                    }
                }
            }
        }
        if problems.is_empty() { Ok(overrides) } else { Err(problems) }
    }

    fn apply(&mut self, metrics: &[Metric], disabled: Option<bool>, tags: &[(String, TagOverride)]) {
        let tags: Vec<_> = tags.iter().map(|(label, tag)| (label, self.tag(tag))).collect();
        for (metric, changes) in Metric::ALL.into_iter().zip(&mut self.changes) {
            if metrics.contains(&metric) {
                changes.disabled = disabled.unwrap_or(changes.disabled);
                for (label, tag) in &tags {
                    changes.set((*label).clone(), tag.clone());
                }
            }
        }
    }

    fn tag(&mut self, tag: &TagOverride) -> Tag {
        let expression = match tag {
            TagOverride::Remove => return Tag::Removed,
            TagOverride::Upsert(text) => Expression::parse(text),
        };
        if let Expression::Literal(text) = expression {
            return Tag::Literal(text);
        }
        let known = self.expressions.iter().position(|known| *known == expression);
        Tag::Value(known.unwrap_or_else(|| {
            self.expressions.push(expression);
            self.expressions.len() - 1
        }))
    }

    /// What has to be evaluated for each request, in the order of [`super::Series::values`].
    pub fn expressions(&self) -> &[Expression] {
        &self.expressions
    }

    /// Whether `metric` is measured.
    pub fn measures(&self, metric: Metric) -> bool {
        !self.all_disabled && self.of(metric).is_none_or(|changes| !changes.disabled)
    }

    /// Whether any metric is measured.
    pub fn measures_any(&self) -> bool {
        !self.all_disabled && self.changes.iter().any(|changes| !changes.disabled)
    }

    /// Whether messages of gRPC are counted.
    pub fn counts_messages(&self) -> bool {
        Metric::ALL.into_iter().any(|metric| metric.counts_messages() && self.measures(metric))
    }

    /// Labels of `metric` that are changed, sorted.
    pub(super) fn tags(&self, metric: Metric) -> impl Iterator<Item = (&str, &Tag)> {
        self.of(metric)
            .into_iter()
            .flat_map(|changes| &changes.tags)
            .map(|(label, tag)| (label.as_str(), tag))
    }

    /// What becomes of a label of `metric`; `None`: it stays.
    pub(super) fn tag_of(&self, metric: Metric, label: &str) -> Option<&Tag> {
        {
            let changes = self.of(metric)?;
            changes.tags.get(changes.place(label).ok()?).map(|(_, tag)| tag)
        }
    }

    /// Labels that some metric has besides Istio's.
    pub fn added_labels(&self) -> impl Iterator<Item = &str> {
        let tags = Metric::ALL.into_iter().flat_map(|metric| self.tags(metric));
        tags.filter(|(_, tag)| **tag != Tag::Removed).map(|(label, _)| label)
    }

    fn of(&self, metric: Metric) -> Option<&Changes> {
        self.changes.get(metric as usize)
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// As Istio merges them: that all are disabled touches none of them, and whatever comes later for the mode ends it.
    #[test]
    fn all_disabled_is_a_state_of_its_own() {
        for (overrides, expected) in [
            (r#"{"disabled": true}"#, [false, false]),
            (
                r#"{"disabled": true}, {"match": {"metric": "REQUEST_COUNT"}, "disabled": false}"#,
                [true, true],
            ),
            (
                r#"{"disabled": true}, {"match": {"metric": "REQUEST_COUNT"}, "disabled": true}"#,
                [false, true],
            ),
            (
                r#"{"disabled": true}, {"match": {"metric": "REQUEST_SIZE"}, "tagOverrides": {"x": {"value": "'y'"}}}"#,
                [true, true],
            ),
            (
                r#"{"disabled": true}, {"match": {"metric": "TCP_SENT_BYTES"}, "disabled": true}"#,
                [true, true],
            ),
            (r#"{"disabled": true}, {"match": {"mode": "SERVER"}, "disabled": false}"#, [false, false]),
            (r#"{"match": {"mode": "SERVER"}, "disabled": true}"#, [true, true]),
            (r#"{"match": {"customMetric": "requests_total"}, "disabled": true}"#, [false, true]),
            (
                r#"{"match": {"metric": "REQUEST_COUNT"}, "disabled": true}, {"disabled": true}, {"disabled": false}"#,
                [true, true],
            ),
        ] {
            let config = format!(
                r#"{{"proxy": {{"role": "gateway"}}, "resources": [{{
                    "apiVersion": "telemetry.istio.io/v1", "kind": "Telemetry", "metadata": {{"name": "t"}},
                    "spec": {{"metrics": [{{"overrides": [{overrides}]}}]}}}}]}}"#
            );
            let decoders = [outrigger_api::Decoder::TELEMETRY_METRICS];
            let config = outrigger_api::Config::read(config.as_bytes(), &decoders).unwrap();
            let merged = Overrides::compile(&config.resources, &config.proxy).unwrap();
            let found = [Metric::RequestCount, Metric::RequestDuration].map(|metric| merged.measures(metric));
            assert_eq!(found, expected, "{overrides}");
            assert_eq!(merged.measures_any(), expected != [false, false], "{overrides}");
        }
    }
}

//! Reads Envoy's Prometheus endpoint back.

use anyhow::{Context as _, Result};

use crate::client::Client;

/// One sample: its labels and its value.
#[derive(Debug, Clone)]
pub struct Sample {
    labels: Vec<(String, String)>,
    /// The value.
    pub value: f64,
}

impl Sample {
    /// The value of a label.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(label, _)| label == name).map(|(_, value)| value.as_str())
    }
}

/// Every sample of `metric` that Envoy's admin interface shows.
///
/// # Errors
/// No answer, or one that is not Prometheus' text format.
pub fn read(admin: &Client, metric: &str) -> Result<Vec<Sample>> {
    let body = admin.request("GET", "admin", "/stats/prometheus", &[])?.body;
    let mut samples = Vec::new();
    for line in body.lines() {
        let Some(rest) = line.strip_prefix(metric).and_then(|rest| rest.strip_prefix('{')) else { continue };
        let (labels, value) = rest.rsplit_once("} ").with_context(|| format!("no value: {line}"))?;
        let labels = labels.split("\",").filter_map(|label| {
            let (name, value) = label.split_once("=\"")?;
            Some((name.to_owned(), value.trim_end_matches('"').to_owned()))
        });
        samples.push(Sample { labels: labels.collect(), value: value.trim().parse()? });
    }
    Ok(samples)
}

/// The sum of `metric` over the samples that have all of `labels`.
///
/// # Errors
/// As [`read`].
pub fn sum(admin: &Client, metric: &str, labels: &[(&str, &str)]) -> Result<f64> {
    let samples = read(admin, metric)?;
    let fits = |sample: &&Sample| labels.iter().all(|(name, value)| sample.label(name) == Some(value));
    Ok(samples.iter().filter(fits).map(|sample| sample.value).sum())
}

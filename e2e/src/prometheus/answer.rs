//! What Prometheus' HTTP API answers.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

/// Around everything.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope<T> {
    pub(super) data: Option<T>,
    pub(super) error: Option<String>,
}

/// `/api/v1/targets`
#[derive(Debug, Deserialize)]
pub(super) struct Targets {
    #[serde(rename = "activeTargets")]
    pub(super) active: Vec<ScrapeState>,
}

/// The last scrape of a target.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ScrapeState {
    #[serde(rename = "scrapeUrl")]
    pub(super) url: String,
    pub(super) last_error: String,
    health: String,
    /// When it began, by RFC 3339.
    last_scrape: String,
}

impl ScrapeState {
    /// Whether it is good, and another one than the last that `before` knows.
    pub(super) fn is_new(&self, before: &[Self]) -> bool {
        let old = before.iter().find(|state| state.url == self.url);
        self.health == "up" && old.is_none_or(|old| old.last_scrape != self.last_scrape)
    }
}

/// `/api/v1/query`
#[derive(Debug, Deserialize)]
pub(super) struct Instant {
    #[serde(rename = "resultType")]
    kind: String,
    result: serde_json::Value,
}

/// One series of an instant vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Vector {
    /// Its labels, with `__name__` if it still has a name.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
}

impl Instant {
    /// A scalar is a series without labels.
    pub(super) fn series(self) -> Result<Vec<Vector>> {
        #[derive(Deserialize)]
        struct One {
            metric: BTreeMap<String, String>,
            value: (f64, String),
        }
        let value = |text: &str| text.parse().with_context(|| format!("`{text}` is no number"));
        match self.kind.as_str() {
            "scalar" => {
                let (_, text): (f64, String) = serde_json::from_value(self.result)?;
                Ok(vec![Vector { labels: BTreeMap::new(), value: value(&text)? }])
            }
            "vector" => {
                let all: Vec<One> = serde_json::from_value(self.result)?;
                all.into_iter()
                    .map(|one| Ok(Vector { labels: one.metric, value: value(&one.value.1)? }))
                    .collect()
            }
            other => bail!("the result is a {other}"),
        }
    }
}

/// `/api/v1/rules`
#[derive(Debug, Deserialize)]
pub(super) struct Groups {
    pub(super) groups: Vec<Group>,
}

/// Rules that are evaluated together.
#[derive(Debug, Deserialize)]
pub(super) struct Group {
    pub(super) rules: Vec<RuleState>,
}

/// A rule and what became of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleState {
    /// The metric that it records, or the alert.
    pub name: String,
    /// `recording` or `alerting`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its expression.
    pub query: String,
    /// `ok`, `err`, or `unknown` before its first evaluation.
    pub health: String,
    /// What went wrong.
    #[serde(default)]
    pub last_error: String,
    /// `inactive`, `pending` or `firing` for an alert.
    #[serde(default)]
    pub state: String,
}

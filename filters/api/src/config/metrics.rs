//! How much a filter measures.

use serde_json::json;

use crate::decode::Object;

/// `metrics`: how much a filter measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricLimits {
    /// `maxSeries`: how many series each of Istio's metrics has at most, in all threads together; default 10,000. What is
    /// measured beyond that goes to one more, whose labels are `overflow`.
    pub max_series: u32,
}

impl Default for MetricLimits {
    fn default() -> Self {
        Self { max_series: 10_000 }
    }
}

impl MetricLimits {
    pub(super) fn decode(fields: &Object<'_>) -> Option<Self> {
        let max_series = fields.get("maxSeries", |count| count.count());
        Some(Self { max_series: max_series.unwrap_or(Self::default().max_series) })
    }

    pub(super) fn to_json(self) -> serde_json::Value {
        json!({ "maxSeries": self.max_series })
    }
}

//! Stats of how many series there are.

/// Gauge: how many sets of labels Istio's metrics have by now, of all threads together. Each of the metrics has at most so
/// many series.
pub const SERIES: &str = "outrigger_metric_series";

/// Counter: requests for whose labels there was no room, and which were counted in the series of the label value
/// [`super::OVERFLOW`].
pub const SERIES_OVERFLOW: &str = "outrigger_metric_series_overflow";

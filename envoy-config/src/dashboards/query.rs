//! PromQL, by its parts.

use outrigger_core::telemetry::Metric;

/// Grafana's variable for a window that always holds a few scrapes.
pub(super) const WINDOW: &str = "$__rate_interval";

/// What a request has become of: the series of `istio_requests_total` with one of these codes.
pub(super) const SERVER_ERRORS: &str = "response_code=~\"5..\"";
/// The same for refusals and mistakes of clients.
pub(super) const CLIENT_ERRORS: &str = "response_code=~\"4..\"";

/// Istio's counter of requests.
pub(super) fn requests() -> &'static str {
    Metric::RequestCount.name()
}

/// `METRIC{SELECTOR}`, the parts of the selector joined.
fn series(metric: &str, selector: &[&str]) -> String {
    let selector: Vec<_> = selector.iter().filter(|part| !part.is_empty()).copied().collect();
    match selector.is_empty() {
        true => metric.to_owned(),
        false => format!("{metric}{{{}}}", selector.join(",")),
    }
}

/// How often a second, summed by labels.
pub(super) fn rate(metric: &str, selector: &[&str], window: &str, by: &str) -> String {
    sum(&format!("rate({}[{window}])", series(metric, selector)), by)
}

/// How many in a window, summed by labels.
pub(super) fn increase(metric: &str, selector: &[&str], window: &str, by: &str) -> String {
    sum(&format!("increase({}[{window}])", series(metric, selector)), by)
}

/// The value now, summed by labels.
pub(super) fn total(metric: &str, selector: &[&str], by: &str) -> String {
    sum(&series(metric, selector), by)
}

fn sum(what: &str, by: &str) -> String {
    match by {
        "" => format!("sum({what})"),
        by => format!("sum by ({by}) ({what})"),
    }
}

/// A quantile of a histogram, by labels.
pub(super) fn quantile(quantile: &str, metric: Metric, selector: &[&str], window: &str, by: &str) -> String {
    let by = if by.is_empty() { "le".to_owned() } else { format!("{by}, le") };
    let buckets = rate(&format!("{}_bucket", metric.name()), selector, window, &by);
    format!("histogram_quantile({quantile}, {buckets})")
}

/// The mean of a histogram, by labels.
pub(super) fn mean(metric: Metric, selector: &[&str], window: &str, by: &str) -> String {
    let part = |suffix: &str| rate(&format!("{}_{suffix}", metric.name()), selector, window, by);
    format!("{} / {}", part("sum"), part("count"))
}

/// The share of requests, by labels, that also fit `part`; 0 and not nothing where none does.
pub(super) fn share(part: &str, selector: &[&str], window: &str, by: &str) -> String {
    let all = rate(requests(), selector, window, by);
    let chosen = rate(requests(), &[selector, &[part]].concat(), window, by);
    format!("({chosen} or 0 * {all}) / {all}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_put_together() {
        assert_eq!(rate("m", &[], "5m", ""), "sum(rate(m[5m]))");
        assert_eq!(
            rate("m", &["a=\"1\"", "", "b=\"2\""], "5m", "x, y"),
            "sum by (x, y) (rate(m{a=\"1\",b=\"2\"}[5m]))"
        );
        assert_eq!(increase("m", &[], "1h", "x"), "sum by (x) (increase(m[1h]))");
        assert_eq!(total("m", &[], ""), "sum(m)");
        assert_eq!(
            quantile("0.9", Metric::RequestDuration, &[], "5m", "x"),
            "histogram_quantile(0.9, sum by (x, le) (rate(istio_request_duration_milliseconds_bucket[5m])))"
        );
        assert_eq!(
            share("c", &["a"], "5m", ""),
            "(sum(rate(istio_requests_total{a,c}[5m])) or 0 * sum(rate(istio_requests_total{a}[5m]))) / sum(rate(istio_requests_total{a}[5m]))"
        );
    }
}

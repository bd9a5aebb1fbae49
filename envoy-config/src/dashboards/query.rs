//! PromQL, by its parts.

use outrigger_core::telemetry::Metric;

/// Grafana's variable for a window that always holds a few scrapes.
pub(super) const WINDOW: &str = "$__rate_interval";

/// What a request has become of: the series of `istio_requests_total` with one of these codes.
pub(super) const SERVER_ERRORS: &str = "response_code=~\"5..\"";
/// The same for refusals and mistakes of clients.
pub(super) const CLIENT_ERRORS: &str = "response_code=~\"4..\"";

/// Envoy's gauge of WebAssembly VMs. There is none before the first VM; one that has crashed is counted on.
pub(super) const VMS: &str = "envoy_wasm_envoy_wasm_runtime_v8_active";
/// Its counter of modules that could not be fetched.
pub(super) const MODULES_NOT_FETCHED: &str = "envoy_wasm_remote_load_fetch_failures";
/// Its counters of each plugin with `FAIL_RELOAD` whose VM has crashed: VMs that took its place, that could not, and requests
/// in between. (`_vm_reload` itself stays 0.)
pub(super) const RELOADS: &str = "envoy_wasm_.+_vm_reload_(success|failure|backoff)";

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

/// By how much counters have risen that come to be when they first count: at 1, which is no increase to Prometheus. Of those
/// that were not there at the beginning of the window the whole counts.
pub(super) fn increase_or_born(metric: &str, window: &str, by: &str) -> String {
    sum(&format!("({metric} unless {metric} offset {window}) or increase({metric}[{window}])"), by)
}

/// By how much the counters of a proxy have risen together. `increase` by itself does not take names by a regular
/// expression: without their names they have equal labels. All begin anew at once, when the proxy does.
pub(super) fn increase_of_all(metrics: &str, window: &str) -> String {
    let total = total(&named(metrics), &[], "instance");
    sum(&format!("increase({total}[{window}:])"), "instance")
}

/// All metrics whose names fit a regular expression.
pub(super) fn named(metrics: &str) -> String {
    format!("{{__name__=~\"{metrics}\"}}")
}

/// How often a second, by proxy, policies have to do with requests: a sidecar's with those that come in, and not with what
/// its workload sends, a gateway's with all.
pub(super) fn under_policies(selector: &[&str], window: &str) -> String {
    const INBOUND: &[&str] = &["reporter=\"destination\""];
    let rate = |selector: &[&str]| rate(requests(), selector, window, "instance");
    let inbound = rate(&[INBOUND, selector].concat());
    format!("({inbound} or ({} unless {}))", rate(selector), rate(INBOUND))
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
    fn policies_of_a_sidecar_have_to_do_with_what_comes_in() {
        let rate = |selector| format!("sum by (instance) (rate(istio_requests_total{selector}[5m]))");
        let [inbound, all] = ["{reporter=\"destination\"}", ""].map(rate);
        assert_eq!(under_policies(&[], "5m"), format!("({inbound} or ({all} unless {inbound}))"));
        let [chosen, all] = ["{reporter=\"destination\",c}", "{c}"].map(rate);
        assert_eq!(under_policies(&["c"], "5m"), format!("({chosen} or ({all} unless {inbound}))"));
    }

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
            increase_of_all("a_(b|c)", "10m"),
            "sum by (instance) (increase(sum by (instance) ({__name__=~\"a_(b|c)\"})[10m:]))"
        );
        assert_eq!(
            increase_or_born("a", "1h", "b"),
            "sum by (b) ((a unless a offset 1h) or increase(a[1h]))"
        );
        assert_eq!(
            share("c", &["a"], "5m", ""),
            "(sum(rate(istio_requests_total{a,c}[5m])) or 0 * sum(rate(istio_requests_total{a}[5m]))) / sum(rate(istio_requests_total{a}[5m]))"
        );
    }
}

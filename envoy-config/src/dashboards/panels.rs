//! The panels that several dashboards have.

use outrigger_core::telemetry::Metric;
use serde_json::json;

use super::grafana::Panel;
use super::query::{self, WINDOW};

/// How high a panel with lines is.
const LINES: u32 = 8;
/// How high a panel with one number is.
const NUMBER: u32 = 4;

/// Lines over time.
pub(super) fn lines(title: &str, unit: &str, description: &'static str) -> Panel {
    let options = json!({
        "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["mean", "lastNotNull"], "showLegend": true},
        "tooltip": {"mode": "multi", "sort": "desc"}
    });
    Panel::new("timeseries", title, unit, description, LINES).options(options)
}

/// One number.
pub(super) fn number(title: &str, unit: &str, description: &'static str) -> Panel {
    let options = json!({
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": false}, "colorMode": "value",
        "graphMode": "none", "textMode": "auto"
    });
    Panel::new("stat", title, unit, description, NUMBER).options(options)
}

/// A table, its queries side by side.
pub(super) fn table(title: &str, unit: &str, description: &'static str) -> Panel {
    let merge = vec![json!({"id": "merge", "options": {}})];
    Panel::new("table", title, unit, description, LINES)
        .options(json!({"showHeader": true}))
        .transformed(merge)
}

/// Requests a second of all that `selector` chooses.
pub(super) fn volume(title: &str, selector: &[&str]) -> Panel {
    number(title, "reqps", "Finished requests a second")
        .query(query::rate(query::requests(), selector, WINDOW, ""), "")
}

/// The share of requests that were not answered by 5xx.
pub(super) fn success(title: &str, selector: &[&str]) -> Panel {
    number(title, "percentunit", "Share of requests with another answer than 5xx")
        .query(format!("1 - {}", query::share(query::SERVER_ERRORS, selector, WINDOW, "")), "")
}

/// Requests by labels and code.
pub(super) fn by_code(title: &str, selector: &[&str], by: &str, legend: &'static str) -> Panel {
    let by = format!("{by}, response_code");
    lines(title, "reqps", "Finished requests a second, by the code of the answer (0: there was none)")
        .query(query::rate(query::requests(), selector, WINDOW, &by), legend)
}

/// The share of requests without 5xx by labels.
pub(super) fn success_by(title: &str, selector: &[&str], by: &str, legend: &'static str) -> Panel {
    let query = format!("1 - {}", query::share(query::SERVER_ERRORS, selector, WINDOW, by));
    lines(title, "percentunit", "Share of requests with another answer than 5xx").query(query, legend)
}

/// Quantiles of a histogram by labels. `legends`: of the medians, of the 90th, of the 99th percentiles.
pub(super) fn quantiles(
    title: &str,
    metric: Metric,
    selector: &[&str],
    by: &str,
    legends: [&'static str; 3],
) -> Panel {
    let (unit, description) = match metric {
        Metric::RequestDuration => {
            ("ms", "From the request's headers to the end of its answer, as the proxy sees it")
        }
        _ => ("bytes", "Headers and body"),
    };
    let panel = lines(title, unit, description);
    ["0.5", "0.9", "0.99"].into_iter().zip(legends).fold(panel, |panel, (quantile, legend)| {
        panel.query(query::quantile(quantile, metric, selector, WINDOW, by), legend)
    })
}

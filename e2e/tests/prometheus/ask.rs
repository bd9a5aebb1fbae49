//! Queries, and whether they have data.

use std::time::{Duration, Instant};

use outrigger_e2e::prometheus::{Prometheus, Vector};

/// The queries of a file: each line is one, and those behind `#` say something about those below.
pub(crate) fn queries(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// Fills the variables in, as Grafana and Kiali do.
pub(crate) fn filled(query: &str, variables: &[(&str, &str)]) -> String {
    let filled = variables.iter().fold(query.to_owned(), |query, (name, value)| query.replace(name, value));
    assert!(!filled.contains('$'), "a variable is left: {filled}");
    filled
}

/// What a query has brought, and what is wrong with that: it has to be a number, of some series another one than zero.
pub(crate) fn answer(prometheus: &Prometheus, query: &str) -> Result<Vec<Vector>, String> {
    let series = prometheus.query(query).map_err(|error| format!("{query}\n  {error:#}"))?;
    if series.is_empty() {
        return Err(format!("{query}\n  no data"));
    }
    let good = |series: &&Vector| series.value.is_finite() && series.value != 0.0;
    if !series.iter().any(|series| good(&series)) {
        return Err(format!("{query}\n  nothing but {series:?}"));
    }
    Ok(series)
}

/// Envoy counts into histograms every five seconds, so that two scrapes may see the same.
const PATIENCE: Duration = Duration::from_secs(20);

/// Fails with every query that has no data.
pub(crate) fn assert_data(prometheus: &Prometheus, queries: &[String]) {
    assert!(!queries.is_empty());
    let end = Instant::now() + PATIENCE;
    let mut left: Vec<&String> = queries.iter().collect();
    loop {
        let mut wrong = Vec::new();
        left.retain(|query| answer(prometheus, query).map_err(|why| wrong.push(why)).is_err());
        if left.is_empty() {
            break;
        }
        assert!(Instant::now() < end, "{} of {} queries:\n{}", wrong.len(), queries.len(), wrong.join("\n"));
        std::thread::sleep(Duration::from_millis(500));
    }
    eprintln!("{} queries have data", queries.len());
}

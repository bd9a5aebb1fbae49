//! What goes between the host and a VM, as Envoy tells it in its log.

use anyhow::{Context as _, Result, bail};

use super::super::configurations::Row;
use super::super::envoy::Envoy;
use super::super::probes;

/// How often it may be that a filter of ours asks more than usual: once a second it asks anew what the configuration says of
/// an endpoint.
const TRIES: usize = 20;

/// Makes sure that the filter of the row `calls` makes the calls of the one of the row `filter`, in its order and by the same
/// callbacks.
///
/// # Errors
/// It does not; then it measures something else.
pub(in super::super) fn check(envoy: &Envoy, rows: &[Row], filter: &str, calls: &str) -> Result<()> {
    let row =
        |name: &str| rows.iter().find(|row| row.name == name).with_context(|| format!("no row `{name}`"));
    let (filter, calls) = (row(filter)?, row(calls)?);
    let expected = of(envoy, calls, 0)?;
    let mut seen = Vec::new();
    for number in 1..=TRIES {
        seen = of(envoy, filter, number)?;
        if seen == expected {
            return Ok(());
        }
    }
    bail!("`{}` and `{}` do not ask the host alike: {seen:?} and {expected:?}", filter.name, calls.name)
}

/// `number`: which of its requests is sent.
fn of(envoy: &Envoy, row: &Row, number: usize) -> Result<Vec<String>> {
    let request = row.request.nth(number)?;
    envoy.crossings(|| probes::send(row.port, "GET", &request).map(drop))
}

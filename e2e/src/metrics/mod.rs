//! Reads Envoy's Prometheus endpoint back, as strictly as the format is written down.

mod exposition;
mod lines;

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::client::Client;

pub use exposition::{Exposition, Family, Kind, Sample};

/// The page that a scrape of Envoy's admin interface gets.
///
/// # Errors
/// No answer.
pub fn page(admin: &Client) -> Result<String> {
    page_of(admin, "")
}

/// As much of it as is about stats whose names match `filter`.
///
/// # Errors
/// No answer.
pub fn page_of(admin: &Client, filter: &str) -> Result<String> {
    // With many series it is far longer than other answers.
    Ok(ask(admin, filter)?.with_config().limit(u64::MAX).read_to_string()?)
}

/// How long the page is, in bytes.
///
/// # Errors
/// No answer.
pub fn page_length(admin: &Client) -> Result<u64> {
    Ok(std::io::copy(&mut ask(admin, "")?.as_reader(), &mut std::io::sink())?)
}

fn ask(admin: &Client, filter: &str) -> Result<ureq::Body> {
    let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None);
    let agent: ureq::Agent = config.timeout_global(Some(Duration::from_secs(120))).build().into();
    let filter = percent_encoding::utf8_percent_encode(filter, percent_encoding::NON_ALPHANUMERIC);
    let answer = agent.get(format!("http://{}/stats/prometheus?filter={filter}", admin.address())).call()?;
    ensure!(answer.status() == 200, "{}", answer.status());
    Ok(answer.into_body())
}

/// Everything that Envoy's admin interface shows.
///
/// # Errors
/// No answer, or one that is not Prometheus' text format.
pub fn exposition(admin: &Client) -> Result<Exposition> {
    page(admin)?.parse()
}

/// Every sample of `metric` that Envoy's admin interface shows.
///
/// # Errors
/// As [`exposition`].
pub fn read(admin: &Client, metric: &str) -> Result<Vec<Sample>> {
    let all = exposition(admin)?.families.into_values().flat_map(|family| family.samples);
    Ok(all.filter(|sample| sample.name == metric).collect())
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

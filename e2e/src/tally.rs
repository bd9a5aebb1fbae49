//! Compares what was seen with what is expected.

use std::collections::BTreeMap;

use crate::scenario::{Exchange, Outcome};

/// What came of one request, as far as the judge can see it.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Status of the proxy's own answer.
    pub reply: Option<u16>,
    /// Service and version that the request went to.
    pub forward: Option<String>,
    /// The status that the client saw; `None` where nobody played the upstream.
    pub status: Option<u16>,
    /// Body of the proxy's own answer.
    pub body: String,
    /// Headers of the answer.
    pub headers: BTreeMap<String, String>,
    /// The path that the service saw; `None` if it does not say.
    pub path: Option<String>,
    /// Request headers that the service saw; `None` if it does not say.
    pub request_headers: Option<BTreeMap<String, String>>,
    /// Seconds that the proxy held the request; `None` where only the whole time is known.
    pub hold: Option<f64>,
    /// Seconds that the whole took.
    pub took: Option<f64>,
}

/// How much longer than expected an exchange may take on a busy machine, in seconds.
const SLACK: f64 = 2.5;

impl Seen {
    /// Whether this is the expected outcome.
    fn fits(&self, expected: &Outcome) -> bool {
        let headers_fit = expected.headers.iter().all(|(name, value)| self.headers.get(name) == Some(value));
        let path_fits = || match (&expected.path, &self.path) {
            (Some(expected), Some(seen)) => expected == seen,
            _ => true,
        };
        let forwarded_headers_fit = || match &self.request_headers {
            Some(seen) => expected
                .request_headers
                .iter()
                .all(|(name, value)| seen.get(name).map_or("", String::as_str) == value),
            None => true,
        };
        let kind_fits = match (expected.reply, &expected.forward) {
            (Some(status), _) => {
                self.reply == Some(status) && expected.body.as_ref().is_none_or(|body| *body == self.body)
            }
            (None, Some(service)) => {
                let status = expected.status.unwrap_or(200);
                let answered = self.status.is_none_or(|seen| seen == status);
                // A service that never answers says no name.
                let named = self.forward.as_ref() == Some(service) || (self.reply.is_some() && status >= 500);
                answered && named && path_fits() && forwarded_headers_fit()
            }
            (None, None) => false,
        };
        let hold_fits = match self.hold {
            Some(hold) => (hold - expected.hold).abs() < 1e-9,
            None => self.took.is_none_or(|took| {
                let least = expected.takes.unwrap_or(expected.hold);
                took >= least - 0.02 && took < least + SLACK
            }),
        };
        kind_fits && headers_fit && hold_fits
    }
}

/// Whether what came of one request is among what `exchange` expects.
#[must_use]
pub fn is_expected(exchange: &Exchange, seen: &Seen) -> bool {
    exchange.expect.iter().any(|expected| seen.fits(expected))
}

/// Checks what came of every repetition of `exchange` and counts each expected outcome. An error says what was expected
/// and what was seen.
///
/// # Errors
/// An outcome nobody expected, or a share further off than chance explains.
pub fn check(exchange: &Exchange, seen: &[Seen]) -> Result<Vec<u32>, String> {
    let mut counts = vec![0u32; exchange.expect.len()];
    for outcome in seen {
        let fitting = exchange.expect.iter().position(|expected| outcome.fits(expected));
        match fitting.and_then(|index| counts.get_mut(index)) {
            Some(count) => *count += 1,
            None => return Err(format!("expected one of {:#?}\nseen {outcome:#?}", exchange.expect)),
        }
    }
    let total = f64::from(u32::try_from(seen.len()).unwrap_or(u32::MAX));
    for (expected, count) in exchange.expect.iter().zip(&counts) {
        let allowed = tolerance(total, expected.percent / 100.0);
        let mean = total * expected.percent / 100.0;
        if (f64::from(*count) - mean).abs() > allowed {
            return Err(format!(
                "expected {mean} ± {allowed:.0} of {total} requests to end as {expected:?}, seen {count}"
            ));
        }
    }
    Ok(counts)
}

/// Five standard deviations of a binomial draw: a right implementation fails once in about two million runs.
#[must_use]
pub fn tolerance(total: f64, share: f64) -> f64 {
    5.0 * (total * share * (1.0 - share)).sqrt()
}

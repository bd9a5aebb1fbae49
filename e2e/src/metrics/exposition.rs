//! A whole page: families of samples, each once and together.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use anyhow::{Context as _, Error, Result, bail, ensure};

use super::lines::{self, Line};

/// One sample: the metric, its labels and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The name before the braces, such as `…_bucket`.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The value.
    pub value: f64,
}

impl Sample {
    /// The value of a label.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.get(name).map(String::as_str)
    }
}

/// What a family's samples are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Buckets, their sum and their number.
    Histogram,
    /// Nobody says.
    Untyped,
}

/// The samples of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// What they are.
    pub kind: Kind,
    /// In the page's order.
    pub samples: Vec<Sample>,
}

/// A page that a scrape gets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Exposition {
    /// By their names.
    pub families: BTreeMap<String, Family>,
}

impl FromStr for Exposition {
    type Err = Error;

    /// Reads a page.
    ///
    /// # Errors
    /// A malformed line, a family in two places, a series twice, a histogram that does not add up.
    fn from_str(page: &str) -> Result<Self> {
        ensure!(page.is_empty() || page.ends_with('\n'), "the last line does not end");
        let mut reading = Reading::default();
        for (number, line) in page.lines().enumerate() {
            reading.take(line).with_context(|| format!("line {}: {line}", number + 1))?;
        }
        for (name, family) in &reading.page.families {
            let kind = family.kind;
            if kind == Kind::Histogram {
                check_histogram(name, family)?;
            }
        }
        Ok(reading.page)
    }
}

/// The page so far.
#[derive(Default)]
struct Reading {
    page: Exposition,
    /// The family that samples are read of now.
    current: Option<String>,
    seen: BTreeSet<(String, BTreeMap<String, String>)>,
}

impl Reading {
    fn take(&mut self, line: &str) -> Result<()> {
        match lines::read(line)? {
            Line::Nothing | Line::Help(_) => Ok(()),
            Line::Type(name, kind) => self.open(
                name,
                match kind {
                    "counter" => Kind::Counter,
                    "gauge" => Kind::Gauge,
                    "histogram" => Kind::Histogram,
                    "untyped" => Kind::Untyped,
                    // Envoy has none.
                    other => bail!("a family of the kind `{other}`"),
                },
            ),
            Line::Sample(name, labels, value) => {
                let open = self.current.as_deref().is_some_and(|family| self.belongs(family, name));
                if !open {
                    self.open(name, Kind::Untyped)?;
                }
                let new = self.seen.insert((name.to_owned(), labels.clone()));
                ensure!(new, "a series twice");
                let family = self.current.as_ref().and_then(|name| self.page.families.get_mut(name));
                let samples = &mut family.context("a sample of no family")?.samples;
                samples.push(Sample { name: name.to_owned(), labels, value });
                Ok(())
            }
        }
    }

    fn open(&mut self, name: &str, kind: Kind) -> Result<()> {
        let old = self.page.families.insert(name.to_owned(), Family { kind, samples: Vec::new() });
        ensure!(old.is_none(), "the family `{name}` in two places");
        self.current = Some(name.to_owned());
        Ok(())
    }

    fn belongs(&self, family: &str, name: &str) -> bool {
        let histogram = self.page.families.get(family).is_some_and(|family| family.kind == Kind::Histogram);
        match name.strip_prefix(family) {
            Some("_bucket" | "_sum" | "_count") => histogram,
            Some("") => !histogram,
            _ => false,
        }
    }
}

/// Each series has buckets that only grow, the last of them without a bound and as large as the count, and a sum.
fn check_histogram(name: &str, family: &Family) -> Result<()> {
    let mut series: BTreeMap<BTreeMap<String, String>, Parts> = BTreeMap::new();
    for sample in &family.samples {
        let mut labels = sample.labels.clone();
        let bound = labels.remove("le");
        let parts = series.entry(labels).or_default();
        match (sample.name.strip_prefix(name), bound) {
            (Some("_bucket"), Some(bound)) => parts.buckets.push((bound.parse()?, sample.value)),
            (Some("_sum"), None) => parts.sum = Some(sample.value),
            (Some("_count"), None) => parts.count = Some(sample.value),
            _ => bail!("{}: `le` where it does not belong, or missing", sample.name),
        }
    }
    for (labels, parts) in series {
        parts.check().with_context(|| format!("{name}{labels:?}"))?;
    }
    Ok(())
}

#[derive(Default)]
struct Parts {
    buckets: Vec<(f64, f64)>,
    sum: Option<f64>,
    count: Option<f64>,
}

impl Parts {
    fn check(&self) -> Result<()> {
        let growing = self.buckets.is_sorted_by(|one, next| one.0 < next.0 && one.1 <= next.1);
        ensure!(growing, "buckets out of order: {:?}", self.buckets);
        let last = self.buckets.last().context("no bucket")?;
        ensure!(last.0 == f64::INFINITY, "the last bucket has a bound");
        ensure!(Some(last.1) == self.count, "the count is {:?}, the last bucket {}", self.count, last.1);
        ensure!(self.sum.is_some(), "no sum");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# TYPE a counter
a{x=\"1\"} 1
a{x=\"2\"} 2

# TYPE h histogram
h_bucket{le=\"1\"} 1
h_bucket{le=\"+Inf\"} 3
h_sum{} 7.5
h_count{} 3
bare 4
";

    #[test]
    fn families_are_read_with_their_samples() {
        let page: Exposition = PAGE.parse().unwrap();
        let names: Vec<_> = page.families.iter().map(|(name, family)| (name.as_str(), family.kind)).collect();
        assert_eq!(names, [("a", Kind::Counter), ("bare", Kind::Untyped), ("h", Kind::Histogram)]);
        assert_eq!(page.families["a"].samples[1].label("x"), Some("2"));
        assert_eq!(page.families["h"].samples.len(), 4);
    }

    #[test]
    fn a_page_that_does_not_hold_together_is_refused() {
        for (from, to) in [
            ("bare 4\n", "bare 4"),
            ("bare 4", "a{x=\"3\"} 4"),
            ("bare 4", "# TYPE a counter"),
            ("x=\"2\"", "x=\"1\""),
            ("counter", "number"),
            ("le=\"1\"", "x=\"1\""),
            ("h_sum{}", "h_sum{le=\"1\"}"),
            ("h_sum{} 7.5\n", ""),
            ("h_count{} 3", "h_count{} 4"),
            ("h_bucket{le=\"1\"} 1", "h_bucket{le=\"1\"} 4"),
            ("h_bucket{le=\"+Inf\"} 3\n", ""),
            ("le=\"1\"", "le=\"much\""),
        ] {
            let page = PAGE.replace(from, to);
            assert_ne!(page, PAGE);
            assert!(page.parse::<Exposition>().is_err(), "{from} -> {to}");
        }
    }
}

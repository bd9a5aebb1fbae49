//! A real Prometheus that scrapes proxies under test, and what it answers.

mod answer;
mod process;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

pub use answer::{RuleState, Vector};
pub use process::{promtool, promtool_reads};

use answer::{Envelope, Groups, Instant as InstantResult, ScrapeState, Targets};
use process::Process;

/// How often it scrapes and evaluates rules, in seconds: often, since tests wait for it, and no more often than a busy
/// machine can answer, since a scrape has to end within this time.
const INTERVAL: u32 = 2;

/// How long it may take until it answers, or until a scrape succeeds.
const PATIENCE: Duration = Duration::from_secs(60);

/// A proxy whose metrics are read.
#[derive(Debug, Clone)]
pub struct Target {
    /// The value of the label `instance`.
    pub instance: String,
    /// Where Envoy's admin interface is, `host:port`.
    pub admin: String,
}

/// A running Prometheus; it ends with this value.
pub struct Prometheus {
    process: Process,
    agent: ureq::Agent,
    targets: usize,
}

impl Prometheus {
    /// Starts it on a free port of the loopback interface, with the rules in `rules` (name and text of each file), and
    /// returns once every target has been scraped.
    ///
    /// # Errors
    /// There is no Prometheus, it does not start, or a scrape fails; with what it says.
    pub fn start(targets: &[Target], rules: &[(&str, &str)]) -> Result<Self> {
        ensure!(!targets.is_empty(), "nothing to scrape");
        let process = Process::start(&config(targets, rules), rules)?;
        let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None);
        let agent = config.timeout_global(Some(Duration::from_secs(20))).build().into();
        let mut prometheus = Self { process, agent, targets: targets.len() };
        prometheus.wait_until_ready()?;
        prometheus.scrape()?;
        Ok(prometheus)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        let url = format!("http://{}/-/ready", self.process.address());
        loop {
            if self.agent.get(&url).call().is_ok_and(|answer| answer.status() == 200) {
                return Ok(());
            }
            if let Some(said) = self.process.has_ended()? {
                bail!("prometheus has ended:\n{said}");
            }
            ensure!(Instant::now() < end, "prometheus is not ready. It said:\n{}", self.process.said()?);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Returns when each target has been scraped by a scrape that began after the call.
    ///
    /// # Errors
    /// A scrape failed, such as by a malformed line.
    pub fn scrape(&self) -> Result<()> {
        // The one that ends next may have begun before; and a scrape is reported a moment before its samples are there.
        self.next_scrape()?;
        self.next_scrape()
    }

    /// Returns when a scrape of each target has ended.
    fn next_scrape(&self) -> Result<()> {
        let before = self.scrapes()?;
        let end = Instant::now() + PATIENCE;
        loop {
            let now = self.scrapes()?;
            let failed = now.iter().find(|state| !state.last_error.is_empty());
            if let Some(ScrapeState { url, last_error, .. }) = failed {
                bail!("the scrape of {url} failed: {last_error}");
            }
            let done = now.len() == self.targets && now.iter().all(|state| state.is_new(&before));
            if done {
                return Ok(());
            }
            ensure!(Instant::now() < end, "not scraped: {now:?}. It said:\n{}", self.process.said()?);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn scrapes(&self) -> Result<Vec<ScrapeState>> {
        let targets: Targets = self.get("/api/v1/targets?state=active", None)?;
        Ok(targets.active)
    }

    /// The result of an instant query, each series by itself.
    ///
    /// # Errors
    /// The query is wrong, or its result is no vector.
    pub fn query(&self, query: &str) -> Result<Vec<Vector>> {
        let result: InstantResult =
            self.get("/api/v1/query", Some(query)).with_context(|| query.to_owned())?;
        result.series().with_context(|| query.to_owned())
    }

    /// The values of `label` on the series that `matcher` chooses, as a variable of a dashboard asks for them.
    ///
    /// # Errors
    /// No such question.
    pub fn label_values(&self, label: &str, matcher: &str) -> Result<Vec<String>> {
        let chosen = percent_encoding::utf8_percent_encode(matcher, percent_encoding::NON_ALPHANUMERIC);
        self.get(&format!("/api/v1/label/{label}/values?match[]={chosen}"), None)
    }

    /// What has become of each rule.
    ///
    /// # Errors
    /// No answer.
    pub fn rules(&self) -> Result<Vec<RuleState>> {
        let groups: Groups = self.get("/api/v1/rules", None)?;
        Ok(groups.groups.into_iter().flat_map(|group| group.rules).collect())
    }

    /// A query is sent as a form, since it may be long.
    fn get<T: serde::de::DeserializeOwned>(&self, path: &str, query: Option<&str>) -> Result<T> {
        let url = format!("http://{}{path}", self.process.address());
        let mut answer = match query {
            None => self.agent.get(&url).call()?,
            Some(query) => self.agent.post(&url).send_form([("query", query)])?,
        };
        let text = answer.body_mut().with_config().limit(u64::MAX).read_to_string()?;
        let envelope: Envelope<T> = serde_json::from_str(&text).with_context(|| text.clone())?;
        envelope.data.with_context(|| envelope.error.unwrap_or(text))
    }
}

/// JSON is YAML, and quotes what must be quoted.
fn config(targets: &[Target], rules: &[(&str, &str)]) -> String {
    let mut text = format!(
        "global: {{scrape_interval: {INTERVAL}s, scrape_timeout: {INTERVAL}s, evaluation_interval: {INTERVAL}s}}\n"
    );
    let files: Vec<&str> = rules.iter().map(|(name, _)| *name).collect();
    let _ = writeln!(text, "rule_files: {}", serde_json::json!(files));
    text += "scrape_configs:\n- job_name: envoy\n  metrics_path: /stats/prometheus\n  static_configs:\n";
    for Target { instance, admin } in targets {
        let target = serde_json::json!({"targets": [admin], "labels": {"instance": instance}});
        let _ = writeln!(text, "  - {target}");
    }
    text
}

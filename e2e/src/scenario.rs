//! A scenario: Istio resources, requests, and what is expected of each.
//!
//! One folder a scenario: `scenario.yaml` as described here, and every other `*.yaml` beside it is a resource file.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

/// A scenario as its file says it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// The folder's name.
    #[serde(skip)]
    pub name: String,
    /// The folder.
    #[serde(skip)]
    pub folder: PathBuf,
    /// What it shows, in one sentence.
    pub about: String,
    /// Where the proxy stands.
    #[serde(default)]
    pub role: Role,
    /// Requests in order.
    pub requests: Vec<Exchange>,
}

/// Where the proxy stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Before the services, on port 80.
    #[default]
    Gateway,
    /// Beside an application that sends requests: the outbound listener.
    Outbound,
    /// Beside httpbin, which receives them: the inbound listener.
    Inbound,
}

/// One request, sent as often as asked, and what may come of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Exchange {
    /// What the demo calls it.
    #[serde(default)]
    pub title: Option<String>,
    /// `METHOD http://host[:port]/path?query`.
    pub send: String,
    /// Header lines, `name: value`.
    #[serde(default)]
    pub headers: Vec<String>,
    /// A token to mint and send as `Authorization: Bearer`.
    #[serde(default)]
    pub token: Option<Token>,
    /// How often.
    #[serde(default = "once")]
    pub times: u32,
    /// Every outcome that may happen, with its share.
    pub expect: Vec<Outcome>,
}

fn once() -> u32 {
    1
}

/// Claims of a token, signed with the key that the scenarios' JWK set holds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Token {
    /// `RS256` or `ES256`.
    pub alg: String,
    /// The payload.
    pub claims: serde_json::Map<String, serde_json::Value>,
    /// Seconds from now until it expires; negative for an expired one.
    #[serde(default)]
    pub expires_in: Option<i64>,
}

/// One outcome. What is absent is not looked at.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Outcome {
    /// Share of the requests that end so, in percent.
    #[serde(default = "all")]
    pub percent: f64,
    /// The proxy answers by itself with this status.
    pub reply: Option<u16>,
    /// The request goes to this service: its name and version, as `reviews-v2`.
    pub forward: Option<String>,
    /// What the client sees in the end of a forwarded request; 200 unless said. Not known to the engine alone.
    pub status: Option<u16>,
    /// The body of the proxy's answer.
    pub body: Option<String>,
    /// Headers of the proxy's answer.
    #[serde(default)]
    pub headers: std::collections::BTreeMap<String, String>,
    /// The path that the service sees (services that echo it).
    pub path: Option<String>,
    /// Request headers that the service sees (services that echo them); an empty value: it does not see it.
    #[serde(default)]
    pub request_headers: std::collections::BTreeMap<String, String>,
    /// How long the proxy holds the request, in seconds.
    #[serde(default)]
    pub hold: f64,
    /// How long the whole takes at least, in seconds. Not known to the engine alone.
    pub takes: Option<f64>,
}

fn all() -> f64 {
    100.0
}

impl Scenario {
    /// Reads the scenario in `folder`.
    ///
    /// # Errors
    /// An unreadable file or one that does not say a scenario.
    pub fn read(folder: &Path) -> Result<Self> {
        let file = folder.join("scenario.yaml");
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let mut scenario: Self = yaml_serde::from_str(&text).with_context(|| file.display().to_string())?;
        scenario.name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        scenario.folder = folder.to_owned();
        for exchange in &scenario.requests {
            let total: f64 = exchange.expect.iter().map(|outcome| outcome.percent).sum();
            ensure!(
                (total - 100.0).abs() < 1e-6,
                "{}: `{}`: shares add up to {total}",
                file.display(),
                exchange.send
            );
        }
        Ok(scenario)
    }

    /// Every scenario of the project, by name.
    ///
    /// # Errors
    /// As [`Scenario::read`]; also when there is none.
    pub fn all() -> Result<Vec<Self>> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let mut folders: Vec<PathBuf> =
            std::fs::read_dir(&root)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        folders.retain(|path| path.is_dir());
        folders.sort();
        ensure!(!folders.is_empty(), "no scenario in {}", root.display());
        folders.iter().map(|folder| Self::read(folder)).collect()
    }

    /// The resource files.
    ///
    /// # Errors
    /// An unreadable folder.
    pub fn resource_files(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let is_yaml = path.extension().is_some_and(|extension| extension == "yaml");
            if is_yaml && path.file_name().is_some_and(|name| name != "scenario.yaml") {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }
}

impl Exchange {
    /// Method, authority and path with query of the request.
    ///
    /// # Errors
    /// `send` is not of its form.
    pub fn parts(&self) -> Result<(&str, &str, &str)> {
        let wrong = || format!("`{}` is not `METHOD http://host/path`", self.send);
        let (method, url) = self.send.split_once(' ').with_context(wrong)?;
        let rest = url.strip_prefix("http://").with_context(wrong)?;
        let slash = rest.find('/').with_context(wrong)?;
        let (authority, path) = rest.split_at(slash);
        Ok((method, authority, path))
    }

    /// The header lines, the minted token's among them.
    ///
    /// # Errors
    /// A line without a colon, or a token that can't be minted.
    pub fn header_lines(&self) -> Result<Vec<(String, String)>> {
        let mut lines = Vec::new();
        for line in &self.headers {
            let (name, value) = line.split_once(':').with_context(|| format!("`{line}` is no header"))?;
            lines.push((name.trim().to_owned(), value.trim().to_owned()));
        }
        if let Some(token) = &self.token {
            lines.push(("authorization".to_owned(), format!("Bearer {}", crate::tokens::mint(token)?)));
        }
        Ok(lines)
    }
}

//! Both sides for policies that are written down, in one Envoy: for tests that say what has to come of each request.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize as _;
use serde_json::Value;

use super::super::configuration::Configuration;
use super::super::policy::Policy as _;
use super::Authorization;
use super::pair::Pair;

/// A running Envoy with two listeners for each setup: one with our filters, and one with Envoy's own.
#[derive(Debug)]
pub struct Guards {
    pair: Pair,
    _kept: Authorization,
}

impl Guards {
    /// Starts it, with the modules of the folder `modules`. A setup is a name and resources in YAML, of which one may be of
    /// the kind `Proxy`: it says `role`, `trustedHops`, `pathNormalization` and `filters`.
    ///
    /// # Errors
    /// A setup that one of the sides does not take; Envoy does not start.
    pub fn start(modules: PathBuf, setups: &[(String, String)]) -> Result<Self> {
        let authorization = Authorization::new(modules)?;
        let mut configurations = Vec::new();
        for (name, yaml) in setups {
            let documents = yaml_serde::Deserializer::from_str(yaml).map(Value::deserialize);
            let resources: Result<Vec<Value>, _> = documents.collect();
            let resources = resources.with_context(|| format!("{name} is no YAML"))?;
            let configuration = Configuration { tag: name.clone(), resources };
            let refusal = authorization.refusal(&configuration)?;
            ensure!(refusal.is_none(), "{name}: {}", refusal.unwrap_or_default());
            configurations.push(configuration);
        }
        let pair = authorization.start(&configurations)?;
        Ok(Self { pair, _kept: authorization })
    }

    /// Where our filters and Envoy's own are for the setup of this name.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn addresses(&self, name: &str) -> Result<[SocketAddr; 2]> {
        self.pair.addresses(name).with_context(|| format!("no setup {name}"))
    }
}

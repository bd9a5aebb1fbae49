//! RequestAuthentications: our filter jwt-authn, and Envoy's own as istiod would set it up.

mod ask;
mod deviations;
pub(super) mod generate;
mod key_sets;
mod keys;
mod pair;
pub(super) mod reference;
pub(super) mod refusals;
mod words;

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use self::pair::{Asker, Pair, Setting};
use super::configuration::Configuration;
use super::policy::{Comparison, Policy};
use super::random::Random;
use super::request::Request;
use super::upstream;

/// RequestAuthentications and tokens.
#[derive(Debug)]
pub(super) struct Tokens {
    setting: Setting,
}

impl Tokens {
    /// With the filter in `modules`.
    pub(super) fn new(modules: PathBuf) -> Result<Self> {
        let (endpoints, _) = upstream::start()?;
        let setting = Setting {
            upstream: endpoints.into_iter().next().context("no upstream")?,
            module: modules.join("outrigger_jwt_authn.wasm"),
            folder: tempfile::tempdir()?,
        };
        Ok(Self { setting })
    }
}

impl Policy for Tokens {
    type Pair = Pair;
    type Asker = Asker;

    fn configuration(&self, seed: u64, number: usize) -> Configuration {
        generate::configuration(seed, number)
    }

    fn request(&self, random: &mut Random, configuration: &Configuration) -> Request {
        ask::request(random, configuration)
    }

    fn notes(&self, request: &Request) -> String {
        deviations::told(request)
    }

    fn refusal(&self, configuration: &Configuration) -> Result<Option<String>> {
        pair::refusal(configuration)
    }

    fn start(&self, configurations: &[Configuration]) -> Result<Pair> {
        Pair::start(configurations, &self.setting)
    }

    fn connect(&self, pair: &Pair) -> Asker {
        pair.connect()
    }

    fn compare(
        &self,
        configuration: &Configuration,
        request: &Request,
        asker: &mut Asker,
    ) -> Result<Comparison> {
        let [ours, native, again] = asker.ask(configuration, request)?;
        if ours != again {
            return Ok(Comparison::Differs { ours: again, native: ours });
        }
        if ours == native {
            return Ok(Comparison::Same);
        }
        Ok(match deviations::names(configuration, request, &ours, &native) {
            Some(names) => Comparison::Deviates(names),
            None => Comparison::Differs { ours, native },
        })
    }
}

//! AuthorizationPolicies: our filters, and Envoy's own RBAC filters as istiod would set them up.

mod ask;
mod deviations;
mod generate;
mod guards;
mod listener;
mod ours;
mod pair;
mod peers;
mod placed;
mod proxy;
mod reference;
mod token;
mod told;
mod words;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};

pub use self::guards::Guards;
use self::pair::{Asker, Pair, Setting};
use self::peers::Peers;
use super::configuration::Configuration;
use super::policy::{Comparison, Policy};
use super::random::Random;
use super::request::Request;
use super::{answer, configuration, connection, fields, jwt, random, request, upstream, wire};

/// AuthorizationPolicies, peers and tokens.
#[derive(Debug)]
pub(super) struct Authorization {
    setting: Setting,
}

impl Authorization {
    /// With the filters in `modules`.
    pub(super) fn new(modules: PathBuf) -> Result<Self> {
        let (endpoints, _) = upstream::start()?;
        let upstream = endpoints.into_iter().next().context("no upstream")?;
        let folder = tempfile::tempdir()?;
        let peers = Arc::new(Peers::new(folder.path())?);
        Ok(Self { setting: Setting { upstream, modules, peers, folder } })
    }
}

impl Policy for Authorization {
    type Pair = Pair;
    type Asker = Asker;

    fn configuration(&self, seed: u64, number: usize) -> Configuration {
        generate::configuration(seed, number)
    }

    fn request(&self, random: &mut Random, configuration: &Configuration) -> Request {
        ask::request(random, configuration)
    }

    fn refusal(&self, configuration: &Configuration) -> Result<Option<String>> {
        reference::filters(configuration)?;
        Ok(ours::refusal(configuration))
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
        let [mut ours, mut native] = asker.ask(configuration, request)?;
        told::rewrite(&mut ours, &mut native);
        if ours == native {
            return Ok(Comparison::Same);
        }
        Ok(match deviations::names(configuration, request) {
            Some(names) => Comparison::Deviates(names),
            None => Comparison::Differs { ours, native },
        })
    }
}

//! VirtualServices: the suite in a rendered gateway, and native Envoy routes.

mod ask;
mod generate;
mod pair;
mod reference;
mod words;

use std::path::PathBuf;

use anyhow::Result;

use self::pair::{Asker, Pair, Setting};
use super::configuration::Configuration;
use super::policy::{Comparison, Policy};
use super::random::Random;
use super::request::Request;
use super::{answer, configuration, connection, fields, random, request, upstream, wire};

/// How often a request is sent at most, where destinations are drawn.
const DRAWS: usize = 200;

/// Gateways and VirtualServices.
#[derive(Debug)]
pub(super) struct Routes {
    setting: Setting,
}

impl Routes {
    /// With the suite in `modules`.
    pub(super) fn new(modules: PathBuf) -> Result<Self> {
        let (endpoints, copies) = upstream::start()?;
        Ok(Self { setting: Setting { endpoints, copies, modules, folder: tempfile::tempdir()? } })
    }
}

impl Policy for Routes {
    type Pair = Pair;
    type Asker = Asker;

    fn configuration(&self, seed: u64, number: usize) -> Configuration {
        generate::configuration(seed, number)
    }

    fn request(&self, random: &mut Random, configuration: &Configuration) -> Request {
        ask::request(random, configuration)
    }

    fn refusal(&self, configuration: &Configuration) -> Result<Option<String>> {
        pair::refusal(configuration, &self.setting)
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
        let copies = reference::copies(configuration).then_some(&self.setting.copies);
        let (ours, native) = asker.ask(request, copies)?;
        if ours == native {
            return Ok(Comparison::Same);
        }
        if reference::draws(configuration) {
            // Each side may answer in several ways; what one has answered, the other has to be able to answer too.
            let (mut by_native, mut by_ours) = (false, false);
            for _ in 0..DRAWS {
                let (again, native_again) = asker.ask(request, copies)?;
                by_native |= native_again == ours;
                by_ours |= again == native;
                if by_native && by_ours {
                    return Ok(Comparison::Same);
                }
            }
        }
        Ok(Comparison::Differs { ours, native })
    }
}

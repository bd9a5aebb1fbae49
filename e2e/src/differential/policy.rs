//! What is tried: the part that differs from one kind of policy to another.

use anyhow::Result;

use super::answer::Answer;
use super::configuration::Configuration;
use super::random::Random;
use super::request::Request;

/// A kind of policy: how random configurations and requests of it are made, and how both sides are asked.
pub(super) trait Policy: Sync {
    /// A running Envoy with both sides.
    type Pair: Sync;
    /// Connections to both sides, for one thread.
    type Asker;

    /// The `number`th configuration of the run with `seed`.
    fn configuration(&self, seed: u64, number: usize) -> Configuration;

    /// A random request to `configuration`.
    fn request(&self, random: &mut Random, configuration: &Configuration) -> Request;

    /// What can't be seen in a request by looking at it, in lines.
    fn notes(&self, _request: &Request) -> String {
        String::new()
    }

    /// Why our side can't carry `configuration` out; `None` if it can.
    ///
    /// # Errors
    /// There is no reference for it.
    fn refusal(&self, configuration: &Configuration) -> Result<Option<String>>;

    /// Starts an Envoy with all of `configurations`.
    ///
    /// # Errors
    /// It does not come up with them.
    fn start(&self, configurations: &[Configuration]) -> Result<Self::Pair>;

    /// Connections for one thread.
    fn connect(&self, pair: &Self::Pair) -> Self::Asker;

    /// Asks both sides.
    ///
    /// # Errors
    /// One of them gives no answer.
    fn compare(
        &self,
        configuration: &Configuration,
        request: &Request,
        asker: &mut Self::Asker,
    ) -> Result<Comparison>;
}

/// What came of a request on both sides.
#[derive(Debug)]
pub(super) enum Comparison {
    /// The same.
    Same,
    /// Not the same, and that is meant to be so: the names of the deviations.
    Deviates(Vec<&'static str>),
    /// Not the same.
    Differs {
        /// On our side.
        ours: Answer,
        /// On the native side.
        native: Answer,
    },
}

//! Our own side of the comparison: what `outrigger render` writes, taken apart.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use envoy_config::modules::Module;
use envoy_config::render::{self, Filters, Options, Rendered};
use outrigger_api::Resource;
use serde_json::Value;

use crate::engine_judge::proxy;
use crate::scenario::Role;

/// A rendered gateway.
#[derive(Debug, Clone)]
pub(super) struct Ours {
    /// The HTTP connection manager with the suite.
    pub(super) manager: Value,
    /// Filters that stand before ours.
    pub(super) before: Vec<Value>,
    /// Filters between ours and the router: what the metrics need.
    after: Vec<Value>,
    /// The suite.
    pub(super) suite: Value,
    /// The stand-alone filters in order.
    pub(super) separate: Vec<(Module, Value)>,
    /// Envoy's router.
    pub(super) router: Value,
    /// Where requests go.
    pub(super) clusters: Vec<Value>,
    /// Feature flags.
    pub(super) runtime: Value,
    /// Names of statistics.
    pub(super) stats: Value,
}

impl Ours {
    /// Renders `resources` for a gateway whose modules are in `modules`.
    pub(super) fn render(resources: &[Resource], modules: &Path) -> Result<Self> {
        let rendered = rendered(resources, Filters::Suite, modules)?;
        let manager = manager(&rendered)?;
        let (mut before, mut after, mut suite, mut router) = (Vec::new(), Vec::new(), None, None);
        for filter in filters(&manager)? {
            match module(filter) {
                Some(Module::Suite) => suite = Some(filter.clone()),
                Some(other) => bail!("`{}` stands beside the suite", other.file_name()),
                None if filter["name"] == "envoy.filters.http.router" => router = Some(filter.clone()),
                None if suite.is_none() => before.push(filter.clone()),
                None => after.push(filter.clone()),
            }
        }
        let chain = self::manager(&self::rendered(resources, Filters::Separate, modules)?)?;
        let separate: Vec<_> =
            filters(&chain)?.iter().filter_map(|filter| Some((module(filter)?, filter.clone()))).collect();
        Ok(Self {
            before,
            after,
            suite: suite.context("no suite was rendered")?,
            separate,
            router: router.context("no router was rendered")?,
            clusters: serde_json::from_value(serde_json::to_value(&rendered.clusters)?)?,
            runtime: serde_json::to_value(&rendered.runtime)?,
            stats: serde_json::to_value(&rendered.stats)?,
            manager,
        })
    }

    /// `filters` in the place of the suite.
    pub(super) fn chain(&self, filters: impl IntoIterator<Item = Value>) -> Vec<Value> {
        self.before.iter().cloned().chain(filters).chain(self.after.iter().cloned()).collect()
    }

    /// The stand-alone filter of `module`, and what it needs beside it.
    pub(super) fn alone(&self, module: Module) -> Result<Vec<Value>> {
        let own = self.separate.iter().find(|(known, _)| *known == module);
        let filter = [own.context("no filter was rendered")?.1.clone()];
        match module {
            Module::Metrics => Ok(self.chain(filter)),
            _ => Ok(self.before.iter().cloned().chain(filter).collect()),
        }
    }

    /// The generic route's retry policy: Istio's default one.
    pub(super) fn retry_policy(&self) -> Result<&Value> {
        let routes = self.manager.pointer("/route_config/virtual_hosts/0/routes").and_then(Value::as_array);
        let default =
            routes.and_then(|routes| routes.iter().find(|route| route["name"] == "default-retries"));
        default
            .and_then(|route| route.pointer("/route/retry_policy"))
            .context("no route with default retries")
    }
}

/// The filter with its module replaced by the file `module`.
pub(super) fn with_module(filter: &Value, module: &Path) -> Result<Value> {
    let mut filter = filter.clone();
    let filename = filter.pointer_mut(FILENAME).context("not a WebAssembly filter")?;
    *filename = Value::from(module.display().to_string());
    Ok(filter)
}

const FILENAME: &str = "/typed_config/config/vm_config/code/local/filename";

fn rendered(resources: &[Resource], filters: Filters, modules: &Path) -> Result<Rendered> {
    let options = Options { filters, module_dir: modules.to_owned(), ..Options::default() };
    match render::render(resources, &proxy(Role::Gateway), &options) {
        Ok(rendered) => Ok(rendered),
        Err(problems) => bail!("the benchmark's resources can't be rendered: {problems:?}"),
    }
}

fn manager(rendered: &Rendered) -> Result<Value> {
    let [listener] = rendered.listeners.as_slice() else { bail!("one Gateway port makes one listener") };
    let listener = serde_json::to_value(listener)?;
    listener.pointer("/filter_chains/0/filters/0/typed_config").cloned().context("a listener without filters")
}

fn filters(manager: &Value) -> Result<&Vec<Value>> {
    manager["http_filters"].as_array().context("a connection manager without HTTP filters")
}

/// Which of our modules a filter is.
fn module(filter: &Value) -> Option<Module> {
    let file = Path::new(filter.pointer(FILENAME)?.as_str()?).file_name()?.to_str()?;
    std::iter::once(Module::Suite).chain(Module::SEPARATE).find(|module| module.file_name() == file)
}

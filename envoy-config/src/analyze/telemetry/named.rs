//! Providers that Telemetries name.

use outrigger_api::Resource;
use outrigger_api::types::provider_name::{Provider, ProviderUse};

use crate::analyze::codes;
use crate::analyze::finding::{Finding, Level};
use crate::analyze::registry::{closest, did_you_mean};
use crate::mesh_config::MeshConfig;
use crate::render::authz::reachable;
use crate::telemetry::providers;

/// What providers are looked up in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names<'n> {
    /// All resources.
    pub(super) resources: &'n [Resource],
    /// Ending of the names of services.
    pub(super) domain: &'n str,
    /// The mesh configuration.
    pub(super) mesh: &'n MeshConfig,
}

impl Names<'_> {
    /// What is wrong with a name.
    pub(super) fn check(
        self,
        name: &str,
        what: ProviderUse,
        resource: &Resource,
        path: &str,
    ) -> Option<Finding> {
        let warning = |code, message: String| {
            Finding::new(code, Level::Warning, resource, path, format!("{message}: {}", what.missed()))
        };
        let providers = providers::of(self.mesh);
        let Some(provider) = providers.find(name) else {
            let known = providers.names();
            let hint = did_you_mean(closest(name, known.iter().copied())).unwrap_or_else(|| {
                format!(
                    "there is `{}`; others come from `extensionProviders` by `--mesh-config`",
                    known.join("`, `")
                )
            });
            let message = format!("no extension provider is called `{name}`");
            return Some(warning(codes::UNKNOWN_TELEMETRY_PROVIDER, message).hint(hint));
        };
        if let Provider::Telemetry(kind) = &provider
            && what.suits(kind)
        {
            let collector = kind.collector()?;
            let why = reachable(self.resources, self.domain, &collector.service, collector.port).err()?;
            let message = format!("extension provider `{name}` can't be reached: {why}");
            let finding = warning(codes::COLLECTOR_NOT_FOUND, message);
            return Some(Finding { level: Level::Error, ..finding });
        }
        let message = format!("extension provider `{name}` is of kind `{}`", provider.fields());
        let hint = format!("for this there is {}", what.kinds());
        Some(warning(codes::UNSUITABLE_PROVIDER, message).hint(hint))
    }
}

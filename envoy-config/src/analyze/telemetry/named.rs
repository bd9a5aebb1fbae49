//! Providers that Telemetries name.

use outrigger_api::Resource;
use outrigger_api::types::telemetry_provider::TelemetryProviderKind as Kind;

use crate::analyze::codes;
use crate::analyze::finding::{Finding, Level};
use crate::analyze::registry::{closest, did_you_mean};
use crate::mesh_config::MeshConfig;
use crate::render::authz::reachable;
use crate::telemetry::providers::{Provider, find, names};

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

/// What a provider is named for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// `accessLogging`
    Logs,
    /// `tracing`
    Traces,
}

impl Use {
    fn suits(self, kind: &Kind) -> bool {
        match self {
            Self::Logs => kind.takes_logs(),
            Self::Traces => kind.takes_traces(),
        }
    }

    /// What is not done, and the kinds that could.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Logs => (
                "nothing is logged there",
                "envoyFileAccessLog`, `envoyOtelAls`, `envoyHttpAls`, `envoyTcpAls",
            ),
            Self::Traces => ("nothing is traced", "opentelemetry`, `zipkin"),
        }
    }
}

impl Names<'_> {
    /// What is wrong with a name.
    pub(super) fn check(self, name: &str, what: Use, resource: &Resource, path: &str) -> Option<Finding> {
        let (then, suitable) = what.words();
        let warning = |code, message: String| {
            Finding::new(code, Level::Warning, resource, path, format!("{message}: {then}"))
        };
        let Some(provider) = find(self.mesh, name) else {
            let known = names(self.mesh);
            let hint = did_you_mean(closest(name, known.iter().copied())).unwrap_or_else(|| {
                format!(
                    "there is `{}`; others come from `extensionProviders` by `--mesh-config`",
                    known.join("`, `")
                )
            });
            let message = format!("no extension provider is called `{name}`");
            return Some(warning(codes::UNKNOWN_TELEMETRY_PROVIDER, message).hint(hint));
        };
        let kind = match &provider {
            Provider::Telemetry(kind) if what.suits(kind) => {
                let collector = kind.collector()?;
                let why = reachable(self.resources, self.domain, &collector.service, collector.port).err()?;
                let message = format!("extension provider `{name}` can't be reached: {why}");
                let finding = warning(codes::COLLECTOR_NOT_FOUND, message);
                return Some(Finding { level: Level::Error, ..finding });
            }
            Provider::Telemetry(kind) => kind.field(),
            Provider::Authorizing => "envoyExtAuthzHttp` or `envoyExtAuthzGrpc",
        };
        let message = format!("extension provider `{name}` is of kind `{kind}`");
        let hint = format!("for this there is `{suitable}`");
        Some(warning(codes::UNSUITABLE_PROVIDER, message).hint(hint))
    }
}

//! What the names of providers stand for.

use std::borrow::Cow;

use super::{
    extension_provider::ExtensionProvider,
    telemetry_provider::{FileAccessLogProvider, TelemetryProvider, TelemetryProviderKind},
};

/// The provider that logs to standard output.
pub const ENVOY: &str = "envoy";

/// Providers that a mesh has without anybody's saying so, as in Istio.
const BUILT_IN: [&str; 3] = [ENVOY, "prometheus", "stackdriver"];

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provider<'p> {
    /// A place for logs, traces or metrics.
    Telemetry(Cow<'p, TelemetryProviderKind>),
    /// A server that authorizes requests.
    Authorizing,
}

/// All providers of a mesh.
#[derive(Debug, Clone, Copy)]
pub struct Providers<'p> {
    /// Those for logs, traces and metrics.
    pub telemetry: &'p [TelemetryProvider],
    /// Those that authorize requests.
    pub authorizing: &'p [ExtensionProvider],
}

impl<'p> Providers<'p> {
    /// The provider of that name, without regard to case.
    pub fn find(self, name: &str) -> Option<Provider<'p>> {
        let is_named = |other: &str| other.eq_ignore_ascii_case(name);
        if let Some(found) = self.telemetry.iter().find(|provider| is_named(&provider.name)) {
            return Some(Provider::Telemetry(Cow::Borrowed(&found.kind)));
        }
        if self.authorizing.iter().any(|provider| is_named(&provider.name)) {
            return Some(Provider::Authorizing);
        }
        let built_in = match BUILT_IN.into_iter().find(|built_in| is_named(built_in))? {
            ENVOY => TelemetryProviderKind::FileAccessLog(FileAccessLogProvider {
                path: FileAccessLogProvider::STDOUT.to_owned(),
                format: None,
                omit_empty_values: false,
            }),
            "prometheus" => TelemetryProviderKind::Prometheus,
            other => TelemetryProviderKind::Other(other),
        };
        Some(Provider::Telemetry(Cow::Owned(built_in)))
    }

    /// Every name there is.
    pub fn names(self) -> Vec<&'p str> {
        let telemetry = self.telemetry.iter().map(|provider| provider.name.as_str());
        let authorizing = self.authorizing.iter().map(|provider| provider.name.as_str());
        telemetry.chain(authorizing).chain(BUILT_IN).collect()
    }
}

impl Provider<'_> {
    /// The fields of MeshConfig that it can be: one, or two.
    pub fn fields(&self) -> &'static str {
        match self {
            Self::Telemetry(kind) => kind.field(),
            Self::Authorizing => "envoyExtAuthzHttp` or `envoyExtAuthzGrpc",
        }
    }
}

/// What a provider is named for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderUse {
    /// `accessLogging`
    Logs,
    /// `tracing`
    Traces,
    /// `metrics`
    Metrics,
}

impl ProviderUse {
    /// Whether a provider of this kind can do it.
    pub fn suits(self, kind: &TelemetryProviderKind) -> bool {
        match self {
            Self::Logs => kind.takes_logs(),
            Self::Traces => kind.takes_traces(),
            Self::Metrics => *kind == TelemetryProviderKind::Prometheus,
        }
    }

    /// What is not done where none can.
    pub fn missed(self) -> &'static str {
        match self {
            Self::Logs => "nothing is logged there",
            Self::Traces => "nothing is traced",
            Self::Metrics => "no metrics are sent there",
        }
    }

    /// The kinds that can, for a hint.
    pub fn kinds(self) -> &'static str {
        match self {
            Self::Logs => "`envoyFileAccessLog`, `envoyOtelAls`, `envoyHttpAls`, `envoyTcpAls`",
            Self::Traces => "`opentelemetry`, `zipkin`",
            Self::Metrics => "`prometheus`",
        }
    }
}

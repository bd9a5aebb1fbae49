//! Where a listener's requests and connections are logged.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use outrigger_api::types::telemetry::AccessLogging;
use outrigger_api::types::telemetry_provider::TelemetryProviderKind;

use super::{Scope, providers};

/// A log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Log<'s> {
    /// The provider's name.
    pub(crate) name: &'s str,
    /// The provider.
    pub(crate) provider: Cow<'s, TelemetryProviderKind>,
    /// Only requests for which this CEL expression holds.
    pub(crate) filter: Option<&'s str>,
}

/// What a provider is told by entries.
#[derive(Debug, Clone, Copy, Default)]
struct Told<'s> {
    disabled: bool,
    filter: Option<&'s str>,
}

/// The logs of a listener, by name. `None`: no Telemetry and no default says anything of it, and `accessLogFile` counts.
pub(crate) fn logs<'s>(scope: &Scope<'s>) -> Option<Vec<Log<'s>>> {
    let mesh = scope.mesh;
    let known: Vec<_> = merged(scope)
        .into_iter()
        .filter_map(|(name, told)| {
            let provider = providers::telemetry(mesh, name).filter(|kind| kind.takes_logs())?;
            Some((Log { name, provider, filter: told.filter }, told.disabled))
        })
        .collect();
    if known.is_empty() {
        return None;
    }
    Some(known.into_iter().filter(|(_, disabled)| !disabled).map(|(log, _)| log).collect())
}

/// What each provider is told.
fn merged<'s>(scope: &Scope<'s>) -> BTreeMap<&'s str, Told<'s>> {
    let defaults: Vec<&str> =
        scope.mesh.default_providers.access_logging.iter().map(String::as_str).collect();
    let levels: Vec<&[AccessLogging]> = scope
        .telemetries
        .iter()
        .map(|(_, telemetry)| &*telemetry.access_logging)
        .filter(|entries| !entries.is_empty())
        .collect();
    if levels.is_empty() {
        return defaults.into_iter().map(|name| (name, Told::default())).collect();
    }
    let (mut in_scope, mut filters) = (defaults.iter().copied().collect::<BTreeSet<_>>(), BTreeMap::new());
    for entries in &levels {
        let mut named = BTreeSet::new();
        for entry in entries.iter().filter(|entry| scope.is_meant(entry.mode)) {
            for name in names(entry) {
                named.insert(name);
                filters.insert(name, Told { disabled: false, filter: entry.filter.as_deref() });
            }
        }
        // A level that names providers replaces those of the levels above.
        if !named.is_empty() {
            in_scope = named;
        }
    }
    let (mut told, mut inherited) = (BTreeMap::new(), defaults);
    for entry in levels.into_iter().flatten() {
        let own = names(entry);
        if !own.is_empty() {
            inherited = own;
        }
        for name in inherited.iter().filter(|name| in_scope.contains(*name)) {
            if !scope.is_meant(entry.mode) {
                continue;
            }
            let of_provider = match entry.disabled {
                Some(true) => Told { disabled: true, filter: None },
                _ => filters.get(name).copied().unwrap_or_default(),
            };
            told.insert(*name, of_provider);
        }
    }
    told
}

fn names(entry: &AccessLogging) -> Vec<&str> {
    entry.providers.iter().map(String::as_str).collect()
}

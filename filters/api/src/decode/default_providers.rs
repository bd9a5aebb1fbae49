//! MeshConfig's `defaultProviders`.

use super::{
    cursor::{Cursor, shorten},
    object::Object,
};
use crate::types::{
    mesh_config::DefaultProviders,
    provider_name::{Provider, ProviderUse, Providers},
};

/// Istio takes any names, and does nothing with those that it does not know, or that are of an unsuitable kind.
pub(super) fn decode(field: &Cursor<'_>, providers: Providers<'_>) -> Option<DefaultProviders> {
    field.object(|fields| {
        let names = |field, what| names(fields, field, what, providers);
        Some(DefaultProviders {
            tracing: names("tracing", ProviderUse::Traces),
            metrics: names("metrics", ProviderUse::Metrics),
            access_logging: names("accessLogging", ProviderUse::Logs),
        })
    })
}

fn names(
    fields: &Object<'_>,
    field: &'static str,
    what: ProviderUse,
    providers: Providers<'_>,
) -> Vec<String> {
    fields.list(field, |at| {
        let name = at.non_empty()?;
        let shown = shorten(&name);
        match providers.find(&name) {
            Some(Provider::Telemetry(kind)) if what.suits(&kind) => {}
            Some(provider) => at.warn_hint(
                format_args!(
                    "extension provider `{shown}` is of kind `{}`: {}",
                    provider.fields(),
                    what.missed()
                ),
                format_args!("for this there is {}", what.kinds()),
            ),
            None => at.warn_hint(
                format_args!("no extension provider is called `{shown}`"),
                format_args!("there is `{}`", providers.names().join("`, `")),
            ),
        }
        Some(name)
    })
}

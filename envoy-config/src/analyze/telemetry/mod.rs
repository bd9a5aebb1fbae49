//! Telemetries that name what is not there, or say what has no effect.

mod asked;
mod expressions;
mod named;

use outrigger_api::types::provider_name::ProviderUse;
use outrigger_api::types::telemetry::{AccessLogging, Telemetry, WorkloadMode};
use outrigger_api::{Proxy, Resource, Spec};

use self::named::Names;
use super::codes;
use super::finding::{Finding, Level};
use crate::mesh_config::MeshConfig;

/// Looks at each Telemetry by itself.
pub(super) fn check(resources: &[Resource], proxy: &Proxy, mesh: &MeshConfig, findings: &mut Vec<Finding>) {
    let names = Names { resources, domain: &proxy.cluster_domain, mesh };
    for resource in resources {
        if let Spec::Telemetry(telemetry) = &resource.spec {
            providers(resource, telemetry, names, findings);
            expressions::check(resource, telemetry, findings);
            without_effect(resource, telemetry, (names, &proxy.root_namespace), findings);
        }
    }
}

/// Those of metrics the filters judge themselves.
fn providers(resource: &Resource, telemetry: &Telemetry, names: Names<'_>, findings: &mut Vec<Finding>) {
    let logs = telemetry.access_logging.iter().map(|entry| (ProviderUse::Logs, &entry.providers));
    let traces = telemetry.tracing.iter().map(|entry| (ProviderUse::Traces, &entry.providers));
    let lists = [("accessLogging", logs.collect::<Vec<_>>()), ("tracing", traces.collect())];
    for (list, entries) in lists {
        for (at, (what, providers)) in entries.into_iter().enumerate() {
            for (n, name) in providers.iter().enumerate() {
                let path = format!("spec.{list}[{at}].providers[{n}].name");
                findings.extend(names.check(name, what, resource, &path));
            }
        }
    }
}

/// What Istio takes and does nothing with.
fn without_effect(
    resource: &Resource,
    telemetry: &Telemetry,
    (Names { resources, mesh, .. }, root_namespace): (Names<'_>, &str),
    findings: &mut Vec<Finding>,
) {
    let mut push = |path: &str, message: &str, hint: &str| {
        let finding =
            Finding::new(codes::TELEMETRY_WITHOUT_EFFECT, Level::Warning, resource, path, message.to_owned());
        findings.push(finding.hint(hint.to_owned()));
    };
    for (at, entry) in
        telemetry.access_logging.iter().enumerate().filter(|(_, entry)| entry.providers.is_empty())
    {
        if entry.filter.is_some() {
            push(
                &format!("spec.accessLogging[{at}].filter"),
                "a filter belongs to the providers beside it, and there are none: it filters nothing",
                "name the providers in this entry",
            );
        }
    }
    let is_root = resource.meta.namespace == root_namespace;
    // Another one may name what this one goes by.
    let traced = resources.iter().any(|other| match &other.spec {
        Spec::Telemetry(other) => other.tracing.iter().any(|entry| !entry.providers.is_empty()),
        _ => false,
    });
    if is_root && !telemetry.tracing.is_empty() && !traced && mesh.default_providers.tracing.is_empty() {
        push(
            "spec.tracing",
            "nothing is traced: neither this entry nor `defaultProviders` of the mesh configuration names a provider",
            "name one in `providers`",
        );
    }
    let logs = !mesh.access_log_file.as_deref().unwrap_or_default().is_empty();
    if is_root
        && logs
        && mesh.default_providers.access_logging.is_empty()
        && let Some((path, side)) = silenced(&telemetry.access_logging)
    {
        push(
            &path,
            &format!(
                "there is no provider to switch off{side}: `accessLogFile` of the mesh configuration is still written"
            ),
            "name the providers, such as `envoy`, or take `accessLogFile` away",
        );
    }
}

/// Where entries switch off what is above, and name nothing to switch off: on both sides, or on one.
fn silenced(entries: &[AccessLogging]) -> Option<(String, &'static str)> {
    let silent = |entry: &AccessLogging| entry.disabled == Some(true) && entry.providers.is_empty();
    if !entries.is_empty() && entries.iter().all(silent) {
        return Some(("spec.accessLogging".to_owned(), ""));
    }
    let sides = [
        (WorkloadMode::Client, " for what a workload sends (`CLIENT`)"),
        (WorkloadMode::Server, " for what it receives (`SERVER`)"),
    ];
    sides.into_iter().find_map(|(side, called)| {
        let meant = |entry: &AccessLogging| entry.mode == WorkloadMode::ClientAndServer || entry.mode == side;
        let mut here = entries.iter().enumerate().filter(|(_, entry)| meant(entry));
        let (first, _) = here.clone().next()?;
        here.all(|(_, entry)| silent(entry)).then(|| (format!("spec.accessLogging[{first}]"), called))
    })
}

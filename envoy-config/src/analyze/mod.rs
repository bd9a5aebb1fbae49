//! Everything that can be said about the resources before a proxy runs with them.

mod broken;
pub mod codes;
mod compile;
mod conflicts;
mod delegates;
mod expression;
mod faults;
pub mod finding;
pub mod human;
mod kinds;
pub(crate) mod methods;
mod not_carried_out;
mod overlaps;
mod peers;
mod policies;
mod providers;
mod references;
mod registry;
pub mod sarif;
mod selectors;
mod series;
mod services;
mod suppress;
mod targets;
mod telemetry;
mod tokens;
mod unplaced;
mod waypoints;
mod workloads;

use std::collections::BTreeMap;

use outrigger_api::{Problem, Proxy};

pub(crate) use conflicts::place;
pub use finding::{Finding, Level};

use crate::load::Loaded;
use crate::mesh_config;
use crate::render::Options;
use registry::Registry;

/// Every finding about what was loaded, for this proxy, sorted by file and line.
pub fn analyze(loaded: &Loaded, proxy: &Proxy, mesh: &mesh_config::Parsed) -> Vec<Finding> {
    let options = Options { mesh: mesh.mesh.clone(), ..Options::default() };
    analyze_with(loaded, proxy, mesh, &options)
}

/// The same for a proxy that is to run with `options`.
pub fn analyze_with(
    loaded: &Loaded,
    proxy: &Proxy,
    mesh: &mesh_config::Parsed,
    options: &Options,
) -> Vec<Finding> {
    let resources = &loaded.resources;
    let mut findings: Vec<_> = loaded.problems.iter().chain(&mesh.problems).map(Finding::from).collect();
    let compiled = compile::compiled(resources, proxy, options);
    findings.extend(compiled.problems.iter().map(Finding::from));
    let registry = Registry::new(resources, &loaded.problems, proxy);
    references::check(resources, &registry, (proxy, &compiled.unserved), &mut findings);
    conflicts::check(resources, &registry, proxy, &mut findings);
    overlaps::check(resources, &mut findings);
    methods::check(resources, &mut findings);
    delegates::check(resources, &registry, proxy, &mut findings);
    selectors::check(resources, &mut findings);
    services::check(resources, proxy, &mut findings);
    faults::check(resources, proxy, &mut findings);
    peers::check(resources, proxy, &mut findings);
    tokens::check(resources, &mut findings);
    providers::check(resources, proxy, &mesh.mesh, &mut findings);
    telemetry::check(resources, proxy, &mesh.mesh, &mut findings);
    policies::check(resources, &registry, proxy, &mut findings);
    series::check(resources, options.metrics.max_series, &mut findings);
    not_carried_out::check(resources, proxy, &mut findings);
    waypoints::check(resources, &mut findings);
    workloads::check(resources, &loaded.ignored, &registry, proxy, &mut findings);
    // A provider that is wrong is not called absent.
    let of_providers = |problem: &Problem| problem.path.to_string().starts_with("extensionProviders");
    if mesh.problems.iter().any(|problem| problem.is_error() && of_providers(problem)) {
        let absent = [codes::UNKNOWN_PROVIDER, codes::UNKNOWN_TELEMETRY_PROVIDER];
        findings.retain(|finding| !absent.contains(&finding.code));
    }
    suppress::suppress(&mut findings, resources);
    ignored_kinds(loaded, &mut findings);
    empty_files(loaded, &mut findings);
    findings.sort_by(|one, other| sort_key(one).cmp(&sort_key(other)));
    findings.dedup();
    findings
}

/// Whether some finding is an error.
pub fn has_errors(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.level == Level::Error)
}

fn sort_key(finding: &Finding) -> impl Ord {
    let Finding { file, line, column, level, code, message, path, .. } = finding;
    (file, line, column, level, code, message, path)
}

/// A kind that is not ours is named once.
fn ignored_kinds(loaded: &Loaded, findings: &mut Vec<Finding>) {
    let mut kinds: BTreeMap<(&str, &str), Vec<_>> = BTreeMap::new();
    for ignored in &loaded.ignored {
        let kind = ignored.resource.kind.as_deref().unwrap_or_default();
        kinds.entry((kind, &ignored.api_version)).or_default().push(ignored);
    }
    for ((kind, api_version), all) in kinds {
        let Some(first) = all.first() else { continue };
        let more = match all.len() {
            1 => String::new(),
            many => format!(", {many} of them"),
        };
        findings.push(Finding {
            code: codes::IGNORED_KIND,
            level: Level::Info,
            message: format!("`{kind}` ({api_version}) is not a kind that Outrigger reads: ignored{more}"),
            hint: None,
            kind: first.resource.kind.clone(),
            namespace: first.resource.namespace.clone(),
            name: first.resource.name.clone(),
            file: first.file.clone(),
            line: first.position.map(|position| position.line),
            column: first.position.map(|position| position.column),
            path: String::new(),
        });
    }
}

/// A file without anything in it was hardly meant to be given.
fn empty_files(loaded: &Loaded, findings: &mut Vec<Finding>) {
    for file in loaded.empty_files() {
        findings.push(Finding {
            code: codes::EMPTY_FILE,
            level: Level::Warning,
            message: "there is no resource in this file".to_owned(),
            hint: None,
            kind: None,
            namespace: None,
            name: None,
            file: Some(file.name.clone()),
            line: None,
            column: None,
            path: String::new(),
        });
    }
}

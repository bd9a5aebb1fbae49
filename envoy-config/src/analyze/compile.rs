//! What the policy engine itself refuses: the same check that the filters make when they get their configuration.

use std::collections::BTreeSet;

use outrigger_api::problem::{Severity, code};
use outrigger_api::types::common::{GatewayRef, Labels, Target};
use outrigger_api::{Config, Direction, Problem, Proxy, Resource, Role, Spec};
use outrigger_core::Engine;
use outrigger_core::route::Destination;

use crate::render::authz::is_custom;
use crate::render::{Options, is_incomplete, label_names, render};

/// What comes of it.
#[derive(Debug, Default)]
pub(super) struct Compiled {
    pub(super) problems: Vec<Problem>,
    /// Destinations of this proxy's rules that are nowhere.
    pub(super) unserved: BTreeSet<Destination>,
}

/// Compiles the resources as the proxy would, and each policy for a workload that it is meant for.
pub(super) fn compiled(resources: &[Resource], proxy: &Proxy, options: &Options) -> Compiled {
    let (mut problems, mut unserved) = (Vec::new(), BTreeSet::new());
    for role in roles(resources, proxy) {
        let imagined = role.role != proxy.role;
        let mut found = Vec::new();
        compile(resources.to_vec(), role, &mut found);
        // A gateway is not to stop for what a sidecar alone would need; that is told as a warning.
        problems.extend(found.into_iter().filter(|problem| !(imagined && is_about_connections(problem))));
    }
    // What stands around the filters: clusters, listeners.
    match render(resources, proxy, options) {
        Ok(rendered) => {
            problems.extend(rendered.warnings);
            unserved = rendered.unserved;
        }
        Err(found) => problems.extend(found.into_iter().filter_map(of_resources)),
    }
    for resource in resources {
        if let Some(workload) = workload_of(resource, proxy) {
            compile(vec![resource.clone()], workload, &mut problems);
        }
        // Also those for other workloads.
        problems.extend(label_names::check_alone(resource));
    }
    Compiled { problems, unserved }
}

/// Whether it is about routes of a VirtualService that are not HTTP's.
fn is_about_connections(problem: &Problem) -> bool {
    problem.code == code::UNSUPPORTED && ["spec.tls", "spec.tcp"].contains(&&*problem.path.to_string())
}

/// What is missing to run this proxy may be in files that were not given: no more than a warning where a resource
/// names it, and nothing at all where none does.
fn of_resources(problem: Problem) -> Option<Problem> {
    match (is_incomplete(&problem), &problem.resource.name) {
        (false, _) => Some(problem),
        (true, Some(_)) => Some(Problem { severity: Severity::Warning, ..problem }),
        (true, None) => None,
    }
}

fn compile(mut resources: Vec<Resource>, proxy: Proxy, problems: &mut Vec<Problem>) {
    // Their servers are asked by filters of Envoy's own.
    resources.retain(|resource| !is_custom(resource));
    match Engine::compile(&Config { proxy, resources, ..Config::default() }) {
        Ok(engine) => problems.extend_from_slice(engine.warnings()),
        Err(mut found) => problems.append(&mut found),
    }
}

/// The proxy on each of its listeners, and a sidecar if there are routes for sidecars.
fn roles(resources: &[Resource], proxy: &Proxy) -> Vec<Proxy> {
    let sidecar = |direction| Proxy { role: Role::Sidecar, direction: Some(direction), ..proxy.clone() };
    match proxy.role {
        Role::Sidecar => vec![sidecar(Direction::Inbound), sidecar(Direction::Outbound)],
        Role::Gateway => {
            let mesh = resources.iter().any(|resource| match &resource.spec {
                Spec::VirtualService(service) => {
                    !service.is_delegate() && service.gateways.contains(&GatewayRef::Mesh)
                }
                _ => false,
            });
            let mut all = vec![proxy.clone()];
            all.extend(mesh.then(|| sidecar(Direction::Outbound)));
            all
        }
    }
}

fn target(resource: &Resource) -> Option<&Target> {
    match &resource.spec {
        Spec::AuthorizationPolicy(policy) => Some(&policy.target),
        Spec::RequestAuthentication(authentication) => Some(&authentication.target),
        _ => None,
    }
}

/// The sidecar of a workload that a policy is for. `None`: it is none, or chooses by reference.
pub(super) fn workload_of(resource: &Resource, proxy: &Proxy) -> Option<Proxy> {
    let labels = target(resource).and_then(chosen_labels)?;
    let (namespace, direction) = (resource.meta.namespace.clone(), Some(Direction::Inbound));
    Some(Proxy { role: Role::Sidecar, labels, namespace, direction, ..proxy.clone() })
}

/// Labels of a workload that a policy's target chooses; `None` if it chooses by reference.
fn chosen_labels(target: &Target) -> Option<Labels> {
    match target {
        Target::All => Some(Labels::new()),
        Target::Selector(selector) => Some(selector.0.clone()),
        Target::Refs(_) => None,
    }
}

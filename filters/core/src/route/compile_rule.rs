//! From one `http` rule of a VirtualService to a [`Rule`].

use std::sync::Arc;

use outrigger_api::delegate::EffectiveRoute;
use outrigger_api::types::common::HeaderOperations;
use outrigger_api::types::virtual_service::{AbortError, HttpRoute, RouteAction, RouteDestination};
use outrigger_api::{Problem, Resource};

use super::compile::Compiler;
use super::cors::Cors;
use super::destination::{Target, Targets};
use super::extras::Extras;
use super::mirror::Mirror;
use super::mutation::{self, Changes};
use super::profile::{self, Profile};
use super::redirect::Redirect;
use super::refusal::refusal;
use super::retries::Retries;
use super::rewrite::PathRewrite;
use super::rule::{Action, Forward, Rule};
use crate::RuleRef;
use crate::fault::Fault;
use crate::format::Template;
use crate::sticky::Sides;

/// Envoy answers with statuses below this one, though Istio lets 600 pass.
const STATUS_END: u16 = 600;

/// Compiles a rule; `port` is that of the Gateway's server. `None`: it is refused, and
/// the compiler knows why.
pub(super) fn rule(
    compiler: &mut Compiler<'_>,
    effective: &EffectiveRoute<'_>,
    extras: &Extras,
    port: Option<u16>,
) -> Option<Rule> {
    let EffectiveRoute { resource, index, route, root, .. } = effective;
    let path = &path_of(*index);
    let before = compiler.problems.len();
    compiler.problems.extend(unsupported(resource, route, path));
    let action = match &route.action {
        RouteAction::Route(destinations) => {
            forward(compiler, resource, route, extras, destinations, path, port)
        }
        RouteAction::Redirect(redirect) => {
            let response_changes = Changes::new(&[&[&route.headers.response]]);
            Some(Action::Redirect { redirect: Redirect::new(redirect), response_changes })
        }
        RouteAction::DirectResponse(direct) => {
            let response_changes = Changes::new(&[&[&route.headers.response]]);
            let body = direct.body.clone().unwrap_or_default();
            Some(Action::DirectResponse { status: direct.status, body, response_changes })
        }
        // It stands for other rules, and is none itself.
        RouteAction::Delegate(_) => None,
    }?;
    let rule = Rule {
        reference: RuleRef::new(resource, path, *index),
        root: root.map(|root| Box::new(RuleRef::new(root.resource, &path_of(root.index), root.index))),
        name: route.name.clone(),
        fault: route.fault.as_ref().map(Fault::new),
        guards: extras.guards.clone(),
        action,
    };
    (compiler.problems.len() == before).then_some(rule)
}

fn path_of(index: usize) -> String {
    format!("spec.http[{index}]")
}

fn forward(
    compiler: &mut Compiler<'_>,
    resource: &Resource,
    route: &HttpRoute,
    extras: &Extras,
    destinations: &[RouteDestination],
    path: &str,
    port: Option<u16>,
) -> Option<Action> {
    let rewrite = route.rewrite.as_ref();
    let path_rewrite = rewrite.and_then(|rewrite| rewrite.path.as_ref()).map(PathRewrite::new).transpose();
    let path_rewrite = path_rewrite.map_err(|message| {
        let field = format!("{path}.rewrite.uriRegexRewrite");
        compiler.problems.push(refusal(resource, &field, message, "use RE2's syntax, as Envoy does"));
    });
    let of_rewrite = rewrite.and_then(|rewrite| rewrite.authority.as_deref()).filter(|text| !text.is_empty());
    let authority = of_rewrite.or_else(|| mutation::authority(&route.headers.request));
    let targets: Vec<Target> = match destinations {
        [only] => vec![target(compiler, resource, route, only, true, port)],
        several => {
            // Istio drops what has no share.
            let shares = several.iter().filter(|destination| destination.weight > 0);
            shares.map(|destination| target(compiler, resource, route, destination, false, port)).collect()
        }
    };
    // Istio looks at a hash for retries only where there is nowhere else to go.
    let hashed = match (destinations, targets.as_slice()) {
        ([_], [only]) => compiler.hashed.contains(&only.destination),
        _ => false,
    };
    let Some(targets) = Targets::new(targets) else {
        let message = "the weights add up to more than 4294967295".to_owned();
        compiler.problems.push(refusal(resource, &format!("{path}.route"), message, "make them smaller"));
        return None;
    };
    let mirrors = route.copies().map(|(to, percentage)| Mirror {
        destination: compiler.destination(to, &resource.meta.namespace, port),
        percentage,
    });
    let retries = Retries::new(route.retries.as_ref(), hashed);
    // Of one among several destinations the router's route says nothing.
    let own = match destinations {
        [only] => &only.headers.request,
        _ => &route.headers.request,
    };
    let removes = profile::removed([&route.headers.request, own]);
    let profile = Profile::new(retries.profile, mirrors.collect(), removes);
    let cors = route.cors_policy.as_ref().map(Cors::new).transpose().map_err(|(index, error)| {
        let field = format!("{path}.corsPolicy.allowOrigins[{index}].regex");
        let hint = "use RE2's syntax, as Envoy does";
        compiler.problems.push(refusal(resource, &field, error.to_string(), hint));
    });
    let sides = || Sides::new(targets.iter().map(|target| (&*target.cluster, target.weight)));
    let sticky = extras.sticky.as_ref().filter(|_| targets.iter().count() > 1);
    Some(Action::Forward(Box::new(Forward {
        sticky: sticky.map(|keys| (Arc::clone(keys), sides())),
        targets,
        path: path_rewrite.ok()?,
        authority: authority.map(Into::into),
        timeout: route.timeout,
        retries,
        profile_op: profile.as_ref().map(Profile::op),
        profile,
        cors: cors.ok()?,
    })))
}

/// With one destination Istio makes one list of the rule's and the destination's header changes. With several Envoy
/// applies the destination's list first, and the rule's after it.
fn target(
    compiler: &Compiler<'_>,
    resource: &Resource,
    route: &HttpRoute,
    destination: &RouteDestination,
    only: bool,
    port: Option<u16>,
) -> Target {
    let changes = |rule: &HeaderOperations, own: &HeaderOperations| match only {
        true => Changes::new(&[&[rule, own]]),
        false => Changes::new(&[&[own], &[rule]]),
    };
    let to = compiler.destination(&destination.destination, &resource.meta.namespace, port);
    Target {
        weight: destination.weight,
        authority: mutation::authority(&destination.headers.request).map(Into::into),
        weighted: !only,
        request_changes: changes(&route.headers.request, &destination.headers.request),
        response_changes: changes(&route.headers.response, &destination.headers.response),
        ..Target::plain(to)
    }
}

/// Everything of a rule that is not carried out.
fn unsupported(resource: &Resource, route: &HttpRoute, path: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let statuses = [
        match &route.action {
            RouteAction::DirectResponse(direct) => Some((direct.status, "directResponse.status")),
            _ => None,
        },
        match route.fault.as_ref().and_then(|fault| fault.abort.as_ref()).map(|abort| abort.error) {
            Some(AbortError::Http(status)) => Some((status, "fault.abort.httpStatus")),
            _ => None,
        },
    ];
    for (status, field) in statuses.into_iter().flatten().filter(|(status, _)| *status >= STATUS_END) {
        let message = format!("Envoy can't answer with the status `{status}`");
        problems.push(refusal(resource, &format!("{path}.{field}"), message, "use a status from 200 to 599"));
    }
    problems.extend(format_operators(resource, &route.headers, &format!("{path}.headers")));
    if let RouteAction::Route(destinations) = &route.action {
        for (index, destination) in destinations.iter().enumerate() {
            let path = format!("{path}.route[{index}].headers");
            problems.extend(format_operators(resource, &destination.headers, &path));
        }
    }
    problems
}

fn format_operators(
    resource: &Resource,
    headers: &outrigger_api::types::common::Headers,
    path: &str,
) -> Vec<Problem> {
    let lists = [
        ("request.set", &headers.request.set),
        ("request.add", &headers.request.add),
        ("response.set", &headers.response.set),
        ("response.add", &headers.response.add),
    ];
    let mut problems = Vec::new();
    for (list, pairs) in lists {
        for (name, value) in pairs {
            // The authority is taken literally.
            let Some(error) = Template::parse(value).err().filter(|_| !mutation::is_authority(name)) else {
                continue;
            };
            let (operator, at) = (error.operator, error.position);
            let message = format!("the format operator `%{operator}%` at position {at} {}", error.reason);
            let hint =
                "`docs/routing.md` lists the operators that are carried out; a percent sign is written `%%`";
            problems.push(refusal(resource, &format!("{path}.{list}[\"{name}\"]"), message, hint));
        }
    }
    problems
}

//! What is not carried out is refused with its path.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use outrigger_api::types::common::Millionths;
use outrigger_api::types::virtual_service::{
    Abort, AbortError, DirectResponse, Fault, HttpRoute, RouteAction, TcpRoute,
};

use super::super::super::testing::*;
use super::*;

fn refused(rule: HttpRoute) -> Vec<(String, String)> {
    let resources = [gateway(80, &["*"]), virtual_service("vs", 0, &["a.com"], vec![says("ok"), rule])];
    let problems = Table::compile(&resources, &ingress()).err().unwrap_or_default();
    assert!(problems.iter().all(outrigger_api::Problem::is_error));
    problems.into_iter().map(|problem| (problem.path.to_string(), problem.message)).collect()
}

/// A fault that Istio takes and Envoy does not.
fn abort_with_600() -> Fault {
    Fault { delay: None, abort: Some(Abort { percentage: Millionths::ALL, error: AbortError::Http(600) }) }
}

#[test]
fn each_field_that_is_not_carried_out_is_named() {
    let with = |change: &dyn Fn(&mut HttpRoute)| {
        let mut rule = forward(&[("v1", 0)]);
        change(&mut rule);
        rule
    };
    let abort = abort_with_600();
    let direct = RouteAction::DirectResponse(DirectResponse { status: 600, body: None });
    for (refusal, path) in [
        (rule(direct), "spec.http[1].directResponse.status"),
        (with(&|rule| rule.fault = Some(abort.clone())), "spec.http[1].fault.abort.httpStatus"),
        (
            with(&|rule| rule.headers.response = set(&[("x-ip", "%HOSTNAME%")])),
            "spec.http[1].headers.response.set.x-ip",
        ),
    ] {
        let problems = refused(refusal);
        let paths: Vec<_> = problems.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, [path], "{problems:?}");
    }
}

#[test]
fn all_refusals_come_at_once_and_each_once() {
    let mut rule = forward(&[("v1", 0)]);
    rule.fault = Some(abort_with_600());
    rule.headers.request = set(&[("a", "%A%"), ("b", "%B%")]);
    let mut service = virtual_service("vs", 0, &["a.com", "b.com"], vec![rule]);
    spec_of(&mut service).tcp = vec![TcpRoute { matches: Vec::new(), route: Vec::new() }];
    let mut second = gateway(81, &["*"]);
    second.meta.name = "other".into();
    let resources = [gateway(80, &["*"]), gateway(82, &["a.com"]), second, service];
    let problems = Table::compile(&resources, &ingress()).unwrap_err();
    let messages: Vec<_> = problems.iter().map(|problem| problem.message.as_str()).collect();
    let in_the_mesh = Table::compile(&resources, &sidecar()).unwrap_err();
    assert_eq!(in_the_mesh[0].message, "`tcp` can't be carried out", "a gateway's is Envoy's own business");
    assert_eq!(
        messages,
        [
            "Envoy can't answer with the status `600`",
            "the format operator `%A%` at position 1 can't be carried out",
            "the format operator `%B%` at position 1 can't be carried out"
        ]
    );
}

#[test]
fn what_does_not_stand_on_this_proxy_is_not_its_concern() {
    let mut rule = forward(&[("v1", 0)]);
    rule.fault = Some(abort_with_600());
    let resources = [gateway(80, &["other.com"]), virtual_service("vs", 0, &["a.com"], vec![rule])];
    assert!(Table::compile(&resources, &ingress()).is_ok());
    assert!(Table::compile(&resources, &sidecar()).is_err());
}

#[test]
fn weights_too_large_for_envoy_are_refused() {
    let problems = refused(forward(&[("v1", u32::MAX), ("v2", 1)]));
    assert_eq!(problems[0].0, "spec.http[1].route");
}

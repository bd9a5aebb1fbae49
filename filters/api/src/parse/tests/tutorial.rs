//! The resources of a tutorial of Istio, unchanged.

use std::time::Duration;

use crate::{
    config::Config,
    parse_yaml,
    resource::{Parsed, Spec},
    types::{
        authorization_policy::{Action, Glob, ValuePattern, Values},
        common::{GatewayRef, Millionths, StringMatch},
        virtual_service::{AbortError, HeaderKey, HttpRoute, RewritePath, RouteAction, VirtualService},
    },
};

const TUTORIAL: &str = include_str!("tutorial.yaml");

fn tutorial() -> Parsed {
    let parsed = parse_yaml(TUTORIAL.as_bytes(), "tutorial.yaml", "default");
    assert_eq!(parsed.problems, [], "{:#?}", parsed.problems);
    parsed
}

fn virtual_service(name: &str) -> VirtualService {
    let parsed = tutorial();
    let found = parsed.resources.iter().find_map(|resource| match &resource.spec {
        Spec::VirtualService(service) if resource.meta.name == name => Some(service.clone()),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no VirtualService {name}"))
}

fn weights(route: &HttpRoute) -> Vec<(String, Option<String>, u32)> {
    let RouteAction::Route(destinations) = &route.action else { panic!("{route:?}") };
    destinations
        .iter()
        .map(|entry| (entry.destination.host.clone(), entry.destination.subset.clone(), entry.weight))
        .collect()
}

#[test]
fn all_of_it_is_read() {
    let parsed = tutorial();
    let ids: Vec<_> =
        parsed.resources.iter().map(|resource| format!("{} {}", resource.kind, resource.id())).collect();
    assert_eq!(
        ids,
        [
            "Gateway default/httpbin-gateway",
            "VirtualService default/httpbin",
            "VirtualService default/myapp",
            "DestinationRule default/myapp",
            "VirtualService default/reviews",
            "VirtualService default/ratings",
            "VirtualService default/slow",
            "DestinationRule default/limits",
            "AuthorizationPolicy demo-app/deny-all",
            "AuthorizationPolicy demo-app/allow-get",
        ]
    );
    assert!(parsed.ignored.is_empty());
}

#[test]
fn routes_of_the_gateway() {
    let httpbin = virtual_service("httpbin");
    let gateway = GatewayRef::Named { namespace: "default".to_owned(), name: "httpbin-gateway".to_owned() };
    assert_eq!(httpbin.gateways, [gateway]);
    let uris: Vec<_> =
        httpbin.http.iter().flat_map(|route| &route.matches).map(|entry| entry.uri.clone()).collect();
    assert_eq!(uris, ["/status", "/delay"].map(|path| Some(StringMatch::Prefix(path.to_owned()))));
    let myapp = virtual_service("myapp");
    assert_eq!(myapp.http[0].rewrite.as_ref().unwrap().path, Some(RewritePath::Uri("/".to_owned())));
    let subsets =
        [("myapp".to_owned(), Some("v1".to_owned()), 80), ("myapp".to_owned(), Some("v2".to_owned()), 20)];
    assert_eq!(weights(&myapp.http[0]), subsets);
}

#[test]
fn routes_of_the_mesh() {
    let reviews = virtual_service("reviews");
    assert_eq!(reviews.gateways, [GatewayRef::Mesh]);
    let key = (HeaderKey::Name("end-user".to_owned()), StringMatch::Exact("daniel-user".to_owned()));
    assert_eq!(reviews.http[0].matches[0].headers, [key]);
    assert_eq!(weights(&reviews.http[1]).iter().map(|entry| entry.2).collect::<Vec<_>>(), [75, 25]);
    let fault = virtual_service("ratings").http[0].fault.clone().unwrap();
    let (delay, abort) = (fault.delay.unwrap(), fault.abort.unwrap());
    assert_eq!((delay.fixed_delay, delay.percentage), (Duration::from_secs(5), Millionths::new(500_000)));
    assert_eq!((abort.error, abort.percentage), (AbortError::Http(400), Millionths::new(500_000)));
    let slow = virtual_service("slow");
    assert_eq!(slow.http[0].timeout, Some(Duration::from_secs(3)));
    let retries = slow.http[0].retries.clone().unwrap();
    assert_eq!((retries.attempts, retries.per_try_timeout), (3, Some(Duration::from_secs(2))));
}

#[test]
fn policies() {
    let policies: Vec<_> = tutorial()
        .resources
        .into_iter()
        .filter_map(|resource| match resource.spec {
            Spec::AuthorizationPolicy(policy) => Some(policy),
            _ => None,
        })
        .collect();
    assert_eq!((&policies[0].action, &policies[0].rules), (&Action::Allow, &None));
    let rule = &policies[1].rules.as_ref().unwrap()[0];
    let namespaces = Values { values: vec![Glob("demo-app".to_owned())], not_values: Vec::new() };
    assert_eq!(rule.from[0].namespaces, namespaces);
    assert_eq!(rule.to[0].methods.values, [ValuePattern::Exact("GET".to_owned())]);
}

/// What the command hands to the filters is what it has read.
#[test]
fn comes_back_from_a_filters_config() {
    let config = Config { resources: tutorial().resources, ..Config::default() };
    let back = Config::from_json(config.to_json().to_string().as_bytes()).unwrap();
    assert_eq!(back.proxy, config.proxy);
    assert_eq!(back.resources.len(), config.resources.len());
    for (one, other) in config.resources.iter().zip(&back.resources) {
        assert_eq!(
            (&one.meta, &one.api_version, one.kind, &one.spec),
            (&other.meta, &other.api_version, other.kind, &other.spec)
        );
    }
}

#[test]
fn fields_know_their_place() {
    let parsed = tutorial();
    let reviews = parsed.resources.iter().find(|resource| resource.meta.name == "reviews").unwrap();
    let (before, text) = TUTORIAL.split_once("name: reviews\n").unwrap();
    let line = |needle: &str| {
        let (between, _) = text.split_once(needle).unwrap();
        u32::try_from(before.lines().count() + between.lines().count() + usize::from(between.ends_with('\n')))
            .unwrap()
    };
    for (path, needle, column) in [
        ("spec.hosts[0]", "- reviews", 7),
        ("spec.http[0].match[0].headers.end-user", "end-user", 13),
        ("spec.http[1].route[1].weight", "weight: 25", 11),
        (
            "spec.http[1].route[1].nothing.here",
            "- destination:\n            host: reviews\n            subset: v2\n          weight: 25",
            11,
        ),
    ] {
        let position = reviews.position(path).unwrap();
        assert_eq!((position.line, position.column), (line(needle), column), "{path}");
    }
}

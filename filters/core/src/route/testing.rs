//! Resources and requests for tests, in few words.

use std::sync::Arc;

use outrigger_api::host::HostPattern;
use outrigger_api::node::Node;
use outrigger_api::resource::{Metadata, Source, Timestamp};
use outrigger_api::types::annotations::Annotations;
use outrigger_api::types::common::{
    Destination, ExportTo, GatewayRef, HeaderOperations, Headers, Port, Protocol, StringMatch,
    WorkloadSelector,
};
use outrigger_api::types::gateway::{Gateway, NamespaceScope, Server, ServerHost};
use outrigger_api::types::kubernetes::{Service, ServicePort};
use outrigger_api::types::virtual_service::{
    DirectResponse, HttpMatchRequest, HttpRoute, RouteAction, RouteDestination, VirtualService,
};
use outrigger_api::{Direction, Kind, Proxy, Resource, Role, Spec};

/// The namespace of everything.
pub(crate) const NAMESPACE: &str = "default";

pub(crate) fn resource(name: &str, kind: Kind, spec: Spec) -> Resource {
    Resource {
        meta: Metadata { name: name.into(), namespace: NAMESPACE.into(), ..Metadata::default() },
        api_version: "v1".into(),
        kind,
        spec,
        source: Source::default(),
        node: Arc::new(Node::null()),
    }
}

/// A Gateway `gw` that serves `hosts` on `port`.
pub(crate) fn gateway(port: u16, hosts: &[&str]) -> Resource {
    let hosts = hosts.iter().map(|host| match host.split_once('/') {
        Some((scope, host)) => (NamespaceScope::Namespace(scope.into()), host),
        None => (NamespaceScope::Any, *host),
    });
    let server = Server {
        port: Port { number: port, protocol: Protocol::Http, name: "http".into(), target_port: None },
        bind: None,
        hosts: hosts.map(|(scope, host)| ServerHost { scope, host: HostPattern::parse(host) }).collect(),
        tls: None,
        name: None,
    };
    let selector = WorkloadSelector([("istio".to_owned(), "ingressgateway".to_owned())].into());
    resource("gw", Kind::Gateway, Spec::Gateway(Gateway { selector, servers: vec![server] }))
}

/// A VirtualService on `mesh` and on the Gateway `gw`, made `age` seconds after 1970.
pub(crate) fn virtual_service(name: &str, age: i64, hosts: &[&str], http: Vec<HttpRoute>) -> Resource {
    let gw = GatewayRef::Named { namespace: NAMESPACE.into(), name: "gw".into() };
    let spec = VirtualService {
        hosts: hosts.iter().map(|host| HostPattern::parse(host)).collect(),
        gateways: vec![GatewayRef::Mesh, gw],
        http,
        tls: Vec::new(),
        tcp: Vec::new(),
        export_to: ExportTo::Default,
        annotations: Annotations::default(),
    };
    let mut resource = resource(name, Kind::VirtualService, Spec::VirtualService(spec));
    resource.meta.creation_timestamp = Some(Timestamp(age));
    resource
}

/// The `spec` of what [`virtual_service`] has made.
pub(crate) fn spec_of(resource: &mut Resource) -> &mut VirtualService {
    match &mut resource.spec {
        Spec::VirtualService(spec) => spec,
        other => panic!("{other:?}"),
    }
}

/// A Kubernetes Service.
pub(crate) fn service(name: &str, ports: &[u16]) -> Resource {
    let port = |port: &u16| ServicePort {
        name: format!("http-{port}"),
        port: *port,
        target_port: None,
        protocol: "TCP".into(),
        app_protocol: None,
    };
    let service = Service { ports: ports.iter().map(port).collect(), ..Service::default() };
    resource(name, Kind::Service, Spec::Service(service))
}

/// A rule that forwards by weight.
pub(crate) fn forward(destinations: &[(&str, u32)]) -> HttpRoute {
    let destinations = destinations.iter().map(|(host, weight)| RouteDestination {
        destination: Destination { host: (*host).to_owned(), subset: None, port: None },
        weight: *weight,
        headers: Headers::default(),
    });
    rule(RouteAction::Route(destinations.collect()))
}

/// A rule that answers with its name, so that a test sees which one matched.
pub(crate) fn says(name: &str) -> HttpRoute {
    rule(RouteAction::DirectResponse(DirectResponse { status: 200, body: Some(name.into()) }))
}

pub(crate) fn rule(action: RouteAction) -> HttpRoute {
    HttpRoute {
        name: None,
        matches: Vec::new(),
        action,
        rewrite: None,
        timeout: None,
        retries: None,
        fault: None,
        mirror: None,
        mirror_percentage: None,
        mirrors: Vec::new(),
        cors_policy: None,
        headers: Headers::default(),
    }
}

pub(crate) fn on(mut rule: HttpRoute, matches: &[HttpMatchRequest]) -> HttpRoute {
    rule.matches = matches.to_vec();
    rule
}

/// A `match` on the prefix of the path.
pub(crate) fn prefix(uri: &str) -> HttpMatchRequest {
    HttpMatchRequest { uri: Some(StringMatch::Prefix(uri.to_owned())), ..HttpMatchRequest::default() }
}

pub(crate) fn exact(uri: &str) -> HttpMatchRequest {
    HttpMatchRequest { uri: Some(StringMatch::Exact(uri.to_owned())), ..HttpMatchRequest::default() }
}

/// A regex; only the reader of resources makes one.
pub(crate) fn regex(source: &str) -> StringMatch {
    let service = format!(
        r#"{{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {{"name": "a"}},
            "spec": {{"hosts": ["a"], "http": [
                {{"match": [{{"method": {{"regex": "{source}"}}}}], "directResponse": {{"status": 200}}}}
            ]}}}}"#
    );
    let parsed = outrigger_api::parse_json(service.as_bytes(), NAMESPACE);
    match parsed.resources.into_iter().next().map(|resource| resource.spec) {
        Some(Spec::VirtualService(service)) => service.http[0].matches[0].method.clone().unwrap(),
        _ => panic!("{:?}", parsed.problems),
    }
}

pub(crate) fn set(pairs: &[(&str, &str)]) -> HeaderOperations {
    let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    HeaderOperations { set: pairs.collect(), ..HeaderOperations::default() }
}

pub(crate) fn ingress() -> Proxy {
    let labels = [("istio".to_owned(), "ingressgateway".to_owned())];
    Proxy { role: Role::Gateway, namespace: "istio-system".into(), labels: labels.into(), ..Proxy::default() }
}

pub(crate) fn sidecar() -> Proxy {
    let direction = Some(Direction::Outbound);
    Proxy { role: Role::Sidecar, namespace: NAMESPACE.into(), direction, ..Proxy::default() }
}

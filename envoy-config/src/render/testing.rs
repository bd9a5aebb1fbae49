//! What the tests of this crate render with.

use outrigger_api::{Problem, Proxy, Resource, Role};

use super::{Options, Rendered, render};

/// A Gateway `gw` with one server of plain HTTP, for every host.
pub(crate) const GATEWAY: &str = "
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]
";

/// Resources from YAML texts, which must be right.
pub(crate) fn resources(texts: &[&str]) -> Vec<Resource> {
    let parsed = outrigger_api::parse_yaml(texts.join("\n---\n").as_bytes(), "test.yaml", "default");
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    parsed.resources
}

/// Istio's ingress gateway.
pub(crate) fn gateway() -> Proxy {
    let labels = [("istio", "ingressgateway"), ("app", "istio-ingressgateway")];
    let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    Proxy { labels, workload: "istio-ingressgateway".to_owned(), ..Proxy::default() }
}

/// The sidecar of `reviews`.
pub(crate) fn sidecar() -> Proxy {
    let labels = [("app".to_owned(), "reviews".to_owned())].into();
    Proxy { role: Role::Sidecar, labels, workload: "reviews".to_owned(), ..Proxy::default() }
}

/// What a gateway gets.
pub(crate) fn rendered(texts: &[&str]) -> Result<Rendered, Vec<Problem>> {
    render(&resources(texts), &gateway(), &Options::default())
}

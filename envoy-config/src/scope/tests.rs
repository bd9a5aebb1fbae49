use std::collections::BTreeMap;

use outrigger_api::types::sidecar::Sidecar;
use outrigger_api::{Config, Direction, Role};
use outrigger_core::route::{Route, Table};
use outrigger_core::{Connection, Engine, Request};
use rstest::rstest;

use super::*;
use crate::render::testing::resources;

/// Two namespaces with a service each on ports 80 and 9080, one that spans both, and rules for them.
const MESH: &str = "
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: mine, namespace: ns}
spec:
  hosts: [mine.com, mine.org]
  resolution: DNS
  ports: [{number: 80, name: http, protocol: HTTP}, {number: 9080, name: api, protocol: HTTP}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: theirs, namespace: other}
spec:
  hosts: [theirs.com]
  resolution: DNS
  ports: [{number: 80, name: http, protocol: HTTP}, {number: 9080, name: api, protocol: HTTP}]
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: other}
spec:
  ports: [{port: 80, name: http}, {port: 9080, name: http-api}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: rule, namespace: other}
spec: {host: named.com}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: theirs, namespace: ns}
spec: {host: theirs.com}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: routed, namespace: other}
spec:
  hosts: [routed.com]
  http: [{route: [{destination: {host: theirs.com, port: {number: 80}}}]}]
";

fn proxy() -> Proxy {
    let direction = Some(Direction::Outbound);
    Proxy { role: Role::Sidecar, namespace: "ns".to_owned(), direction, ..Proxy::default() }
}

/// The resources, and the Sidecar's place among them.
fn with_sidecar(egress: &str) -> (Vec<Resource>, usize) {
    let sidecar = format!(
        "
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {{name: scope, namespace: ns}}
spec:
  egress: {egress}
"
    );
    let resources = resources(&[&sidecar, MESH]);
    let at = resources.iter().position(|resource| matches!(resource.spec, Spec::Sidecar(_))).unwrap();
    (resources, at)
}

fn sidecar(resource: &Resource) -> &Sidecar {
    let Spec::Sidecar(sidecar) = &resource.spec else { panic!("no Sidecar") };
    sidecar
}

/// Which of these authorities the filter knows, given the resources in the form that it gets.
fn known(resources: Vec<Resource>) -> String {
    let config = Config { proxy: proxy(), resources, ..Config::default() };
    let json = config.to_json().to_string();
    let native = Engine::compile(&config).unwrap();
    let in_filter = Engine::compile(&Config::from_json(json.as_bytes()).unwrap()).unwrap();
    let names = |table: &Table| {
        let hosts = [
            "mine.com",
            "mine.com:9080",
            "mine.org",
            "theirs.com",
            "theirs.com:9080",
            "shop.other",
            "shop.other:9080",
            "named.com",
            "routed.com",
        ];
        let known = hosts.into_iter().filter(|host| {
            let lines = [(&b":authority"[..], host.as_bytes()), (b":path", b"/"), (b":method", b"GET")];
            let request = Request::new(&lines, &Connection::UNKNOWN);
            !matches!(table.find(&request), Some(Route::Passthrough(_)) | None)
        });
        known.collect::<Vec<_>>().join(" ")
    };
    let found = names(native.routes().unwrap());
    assert_eq!(found, names(in_filter.routes().unwrap()), "the filter sees what rendering sees");
    found
}

const ALL: &str = "mine.com mine.com:9080 mine.org theirs.com theirs.com:9080 shop.other shop.other:9080 named.com \
                   routed.com";
const ALL_BUT_ONE: &str =
    "mine.org theirs.com theirs.com:9080 shop.other shop.other:9080 named.com routed.com";
const MINE: &str = "mine.com mine.com:9080 mine.org";

#[rstest]
#[case("[{hosts: ['*/*']}]", ALL)]
#[case("[{hosts: ['./*']}]", MINE)]
#[case("[{hosts: ['~/*']}]", "")]
#[case("[{hosts: ['./mine.com']}]", "mine.com mine.com:9080")]
#[case("[{hosts: ['*/mine.org']}]", "mine.org")]
#[case("[{hosts: ['*/*', '~other/*']}]", MINE)]
#[case("[{hosts: ['*/*', '~./mine.com']}]", ALL_BUT_ONE)]
#[case("[{hosts: ['other/shop.other.svc.cluster.local']}]", "shop.other shop.other:9080")]
#[case("[{hosts: ['other/named.com']}]", "named.com")]
#[case("[{hosts: ['ns/named.com']}]", "")]
// A VirtualService is known by its host; where it sends requests is known with it.
#[case("[{hosts: ['other/routed.com']}]", "theirs.com routed.com")]
// A port with a listener of its own is known for what that listener imports, the others for the last one. A name
// without a port stands for the only one that is known.
#[case(
    "[{port: {number: 9080, protocol: HTTP}, hosts: ['./*']}, {hosts: ['other/*']}]",
    "mine.com mine.com:9080 mine.org theirs.com shop.other named.com routed.com"
)]
#[case("[{port: {number: 9080, protocol: HTTP}, hosts: ['./*']}]", MINE)]
// Its requests come in on the port itself, and nowhere else.
#[case(
    "[{port: {number: 9080, protocol: HTTP}, captureMode: NONE, hosts: ['./*']}, {hosts: ['./*']}]",
    "mine.com mine.org"
)]
fn on_the_port_for_all(#[case] egress: &str, #[case] expected: &str) {
    let (resources, at) = with_sidecar(egress);
    let proxy = proxy();
    let scope = Scope::new(sidecar(&resources[at]), &proxy).unwrap();
    assert_eq!(known(scope.resources(&resources, &Listener::All)), expected, "{egress}");
}

#[rstest]
#[case("[{port: {number: 9080, protocol: HTTP}, hosts: ['./*']}]", "mine.com mine.com:9080 mine.org")]
#[case(
    "[{port: {number: 9080, protocol: HTTP}, hosts: ['*/shop.other.svc.cluster.local']}]",
    "shop.other shop.other:9080"
)]
#[case("[{port: {number: 9081, protocol: HTTP}, hosts: ['./*']}]", "")]
#[case("[{port: {number: 0, protocol: HTTP}, bind: 'unix:///tmp/x', hosts: ['./*']}]", MINE)]
fn on_a_port_of_its_own(#[case] egress: &str, #[case] expected: &str) {
    let (resources, at) = with_sidecar(egress);
    let (proxy, sidecar) = (proxy(), sidecar(&resources[at]));
    let scope = Scope::new(sidecar, &proxy).unwrap();
    // A name without a port means the listener's: the service has no other there.
    assert_eq!(known(scope.resources(&resources, &Listener::Port(&sidecar.egress[0]))), expected, "{egress}");
}

#[test]
fn other_resources_stay_as_they_are() {
    let (resources, at) = with_sidecar("[{hosts: ['~/*']}]");
    let proxy = proxy();
    let scope = Scope::new(sidecar(&resources[at]), &proxy).unwrap();
    let mut kinds = BTreeMap::new();
    for resource in scope.resources(&resources, &Listener::All) {
        *kinds.entry(resource.kind.as_str()).or_insert(0) += 1;
    }
    assert_eq!(kinds, [("Sidecar", 1)].into());
}

//! Modules beside each other in an Envoy of one's own, and the suite in their place: the same verdicts.

use serde_json::{Value, json};

use super::envoy::{OwnEnvoy, Setup, local, wasm};

/// A path and headers.
type Asked = (&'static str, &'static [(&'static str, &'static str)]);

/// Requests whose fate is with one of the two policies, and their status.
const REQUESTS: [(Asked, u16); 6] = [
    (("/get", &[]), 200),
    (("/get", &[("x-team", "chaos")]), 418),
    (("/get", &[("x-team", "calm")]), 200),
    (("/headers", &[]), 403),
    (("/headers", &[("x-team", "calm")]), 403),
    (("/status/404", &[]), 404),
];

/// What both policies say of `/headers` with a fault for the team: the one that is first answers.
const OF_BOTH: Asked = ("/headers", &[("x-team", "chaos")]);

fn configuration() -> Value {
    let port = json!({"number": 80, "name": "http", "protocol": "HTTP"});
    let to_httpbin =
        json!([{"destination": {"host": "httpbin.default.svc.cluster.local", "port": {"number": 8000}}}]);
    json!({
        "proxy": {"role": "gateway", "workload": "edge", "namespace": "default", "labels": {"istio": "ingressgateway"}},
        "resources": [
            {
                "apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": "edge"},
                "spec": {"selector": {"istio": "ingressgateway"}, "servers": [{"port": port, "hosts": ["*"]}]},
            },
            {
                "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "httpbin"},
                "spec": {"hosts": ["*"], "gateways": ["edge"], "http": [
                    {
                        "match": [{"headers": {"x-team": {"exact": "chaos"}}}],
                        "fault": {"abort": {"httpStatus": 418, "percentage": {"value": 100}}},
                        "route": to_httpbin,
                    },
                    {"route": to_httpbin},
                ]},
            },
            {
                "apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": {"name": "closed"},
                "spec": {"action": "DENY", "rules": [{"to": [{"operation": {"paths": ["/headers"]}}]}]},
            },
        ],
    })
}

/// The filter of one module, which reads of the resources those that are its own.
fn filter(name: &str) -> Value {
    wasm(name, local(&format!("{name}.wasm")), &configuration())
}

fn verdicts(envoy: &OwnEnvoy) -> Vec<Option<u16>> {
    REQUESTS.iter().map(|((path, headers), _)| envoy.status(path, headers)).collect()
}

#[test]
fn two_modules_and_the_suite_decide_alike() {
    let expected: Vec<_> = REQUESTS.iter().map(|(_, status)| Some(*status)).collect();
    let route = json!([{"match": {"prefix": "/"}, "route": {"cluster_header": "x-outrigger-cluster"}}]);
    for (filters, routes, of_both) in [
        (vec!["outrigger_authz", "outrigger_fault"], None, 403),
        (vec!["outrigger_fault", "outrigger_authz"], None, 418),
        (vec!["outrigger_authz", "outrigger_fault", "outrigger_router"], Some(route.clone()), 403),
        (vec!["outrigger"], Some(route), 403),
    ] {
        let setup = Setup { routes, ..Setup::new(filters.iter().map(|name| filter(name))) };
        let envoy = OwnEnvoy::serving(&setup);
        assert_eq!(verdicts(&envoy), expected, "{filters:?}: {}", envoy.log());
        assert_eq!(envoy.status(OF_BOTH.0, OF_BOTH.1), Some(of_both), "{filters:?}");
    }
}

/// Both have one VM, where a tick lets several requests go on at once, which then are all new to the second.
#[test]
fn requests_that_one_filter_has_held_are_known_to_another_of_the_same_module() {
    let rules = |name: &str, rule: Value| {
        let mut configuration = configuration();
        configuration["resources"][1]["spec"]["http"] = json!([rule]);
        let mut filter = wasm(name, local("outrigger_fault.wasm"), &configuration);
        filter["typed_config"]["config"]["vm_config"]["vm_id"] = "one".into();
        filter
    };
    let to =
        json!([{"destination": {"host": "httpbin.default.svc.cluster.local", "port": {"number": 8000}}}]);
    let always = json!({"value": 100});
    let holds = json!({"fault": {"delay": {"fixedDelay": "0.3s", "percentage": always}}, "route": to});
    let aborts = json!({"fault": {"abort": {"httpStatus": 418, "percentage": always}}, "route": to});
    let envoy = OwnEnvoy::serving(&Setup::new([rules("holds", holds), rules("aborts", aborts)]));
    let seen: Vec<_> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..24).map(|_| scope.spawn(|| envoy.status("/get", &[]))).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    assert_eq!(seen, [Some(418); 24], "{}", envoy.log());
}

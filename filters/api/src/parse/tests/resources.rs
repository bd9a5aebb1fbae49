//! Documents, lists, kinds and metadata.

use crate::{
    parse_yaml,
    problem::{Severity, code},
    resource::{Parsed, Spec, Timestamp},
    types::kubernetes::PortRef,
};

fn read(text: &str) -> Parsed {
    parse_yaml(text.as_bytes(), "x.yaml", "default")
}

#[test]
fn a_list_of_resources() {
    let parsed = read(
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: c}\n\
         - apiVersion: networking.istio.io/v1\n  kind: Gateway\n  metadata: {name: g}\n  spec: {servers: []}\n\
         - apiVersion: security.istio.io/v1\n  kind: PeerAuthentication\n  metadata: {name: p, namespace: n}\n",
    );
    assert_eq!(parsed.ignored[0].resource.kind.as_deref(), Some("ConfigMap"));
    assert_eq!(parsed.problems[0].path.to_string(), "items[1].spec");
    assert_eq!(parsed.resources[0].id(), "n/p");
}

#[test]
fn every_version_is_read() {
    for version in ["v1", "v1beta1", "v1alpha3", "v1alpha1"] {
        let text = format!(
            "apiVersion: networking.istio.io/{version}\nkind: WorkloadEntry\nmetadata: {{name: w}}\nspec: {{address: 10.0.0.1}}\n"
        );
        assert_eq!(read(&text).resources.len(), 1, "{version}");
    }
}

#[test]
fn kinds_without_effect_are_named() {
    let parsed =
        read("apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {name: e}\nspec: {}\n");
    let problem = &parsed.problems[0];
    assert_eq!((problem.severity, problem.code), (Severity::Warning, code::UNSUPPORTED));
    assert!(problem.message.contains("EnvoyFilter"));
}

#[test]
fn what_makes_a_resource() {
    for (text, said) in [
        ("- 1", "expected a mapping, found a list"),
        ("kind: Gateway", "missing `apiVersion`"),
        ("apiVersion: v1", "missing `kind`"),
        ("apiVersion: 1\nkind: Service", "expected a string"),
        ("apiVersion: security.istio.io/v1\nkind: PeerAuthentication", "missing `metadata`"),
        ("apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {}", "missing `name`"),
        (
            "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: A_b}",
            "not the name of a resource",
        ),
        (
            "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: a, lables: {}}",
            "did you mean `labels`?",
        ),
        (
            "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: a, annotations: {x: true}}",
            "put it in quotes",
        ),
        (
            "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: a}\nspecs: {}",
            "did you mean `spec`?",
        ),
    ] {
        let parsed = read(text);
        assert!(
            parsed.problems.len() == 1 && parsed.problems[0].to_string().contains(said),
            "{text}\n{:#?}",
            parsed.problems
        );
    }
}

#[test]
fn metadata() {
    let parsed = read(
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata:\n  name: a\n  uid: x\n  labels: {a: b}\n  \
         creationTimestamp: 2024-05-01T12:00:00Z\n  annotations: {istio.io/dry-run: 'true'}\nstatus: {x: 1}\n",
    );
    let resource = &parsed.resources[0];
    assert_eq!(resource.meta.creation_timestamp, Some(Timestamp(1_714_564_800)));
    assert!(
        matches!(&resource.spec, Spec::AuthorizationPolicy(policy) if policy.dry_run && policy.rules.is_none())
    );
    let json = resource.to_json();
    assert_eq!(json["metadata"]["creationTimestamp"], "2024-05-01T12:00:00Z");
    assert_eq!(json["metadata"]["namespace"], "default");
    assert!(json.get("status").is_none() && json["metadata"].get("uid").is_none());
}

#[test]
fn dry_run_is_for_two_actions_and_a_boolean() {
    for (action, value, good) in
        [("ALLOW", "false", true), ("DENY", "T", true), ("ALLOW", "yes", false), ("AUDIT", "true", false)]
    {
        let text = format!(
            "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata:\n  name: a\n  annotations: {{istio.io/dry-run: '{value}'}}\nspec: {{action: {action}, rules: [{{}}]}}\n"
        );
        assert_eq!(read(&text).problems.is_empty(), good, "{action} {value}");
    }
}

#[test]
fn kinds_of_kubernetes() {
    let parsed = read(
        "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec:\n  clusterIP: None\n  selector: {app: s}\n  ports:\n  - {port: 80, targetPort: http, appProtocol: http2, nodePort: 30000}\n  sessionAffinity: None\n---\n\
         apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s-1, labels: {kubernetes.io/service-name: s}}\naddressType: IPv4\nendpoints:\n- {addresses: [10.0.0.1], conditions: {ready: false}, targetRef: {kind: Pod, name: p}}\nports:\n- {name: '', port: 8080}\n---\n\
         apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n  replicas: 2\n  template:\n    metadata: {labels: {app: s}}\n    spec:\n      containers:\n      - {name: c, image: i, ports: [{containerPort: 8080, name: http}]}\n---\n\
         apiVersion: v1\nkind: Namespace\nmetadata: {name: n, labels: {istio-injection: enabled}}\n",
    );
    assert_eq!(parsed.problems, []);
    let [service, slice, deployment, namespace] = parsed.resources.as_slice() else { panic!("{parsed:#?}") };
    let Spec::Service(service) = &service.spec else { panic!() };
    assert!(service.headless && service.ports[0].target_port == Some(PortRef::Name("http".to_owned())));
    let Spec::EndpointSlice(slice) = &slice.spec else { panic!() };
    assert_eq!(
        (slice.service.as_deref(), slice.endpoints[0].ready, slice.ports[0].port),
        (Some("s"), Some(false), Some(8080))
    );
    let Spec::Workload(workload) = &deployment.spec else { panic!() };
    assert_eq!((workload.labels["app"].as_str(), workload.ports[0].port), ("s", 8080));
    assert_eq!((namespace.meta.namespace.as_str(), &namespace.spec), ("", &Spec::Namespace));
}

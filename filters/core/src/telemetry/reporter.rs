//! Names series on behalf of one proxy.

use outrigger_api::Proxy;

use super::labels::{LABELS, OVERFLOW, UNKNOWN, push, reports_as_destination};
use super::metric::Metric;
use super::overrides::{Overrides, Tag};
use super::series::{Protocol, Series};
use super::service::Service;
use super::workload::Workload;

/// What stands where an attribute of Envoy's is not there.
const NOTHING: &str = "";

/// Names series on behalf of one proxy.
#[derive(Debug)]
pub struct Reporter {
    local: Workload,
    is_destination: bool,
    /// The SPIFFE ID in this proxy's certificate; `None`: it has none, and no connection is by mutual TLS.
    principal: Option<String>,
    overrides: Overrides,
}

impl Reporter {
    /// The reporter of `proxy`, whose Telemetries say `overrides`.
    pub fn new(proxy: &Proxy, overrides: Overrides) -> Self {
        let principal =
            proxy.service_account.as_ref().map(|account| match account.starts_with("spiffe://") {
                true => account.clone(),
                false => format!("spiffe://{}/ns/{}/sa/{account}", proxy.trust_domain, proxy.namespace),
            });
        let (local, is_destination) = (Workload::local(proxy), reports_as_destination(proxy));
        Self { local, is_destination, principal, overrides }
    }

    /// Whether it reports for the destination of requests; otherwise for their source.
    pub fn is_destination(&self) -> bool {
        self.is_destination
    }

    /// The workload of this proxy.
    pub fn local(&self) -> &Workload {
        &self.local
    }

    /// What Telemetries make of the metrics.
    pub fn overrides(&self) -> &Overrides {
        &self.overrides
    }

    /// The attribute with the SPIFFE ID of the other end, if there can be one.
    pub fn peer_attribute(&self) -> Option<&'static [u8]> {
        self.principal.as_ref()?;
        Some(if self.is_destination {
            b"connection\0uri_san_peer_certificate"
        } else {
            b"upstream\0uri_san_peer_certificate"
        })
    }

    /// The stat name of `metric` for `series`, a request for `service`: the metric's name followed by every label.
    pub fn stat_name<S: AsRef<str>>(
        &self,
        metric: Metric,
        series: &Series<S>,
        service: &Service<'_>,
    ) -> String {
        let mut name = String::with_capacity(1024);
        name.push_str(metric.name());
        let text = |tag: &Tag, name: &mut String, label: &str| {
            let value = match tag {
                Tag::Removed => return,
                Tag::Literal(text) => Some(text.as_str()),
                Tag::Value(place) => series.values.get(*place).map(AsRef::as_ref),
            };
            push(name, label, value.filter(|value| !value.is_empty()).unwrap_or(UNKNOWN));
        };
        self.labels(series, service, |label, value| {
            if metric.has(label) {
                match self.overrides.tag_of(metric, label) {
                    Some(tag) => text(tag, &mut name, label),
                    None => push(&mut name, label, value),
                }
            }
        });
        for (label, tag) in self.added(metric) {
            text(tag, &mut name, label);
        }
        name
    }

    /// The stat name of `metric` for all that no series of its own is there for.
    pub fn overflow_name(&self, metric: Metric) -> String {
        let mut name = String::with_capacity(1024);
        name.push_str(metric.name());
        for label in LABELS {
            let reporter = (label == LABELS[0]).then(|| self.name());
            if metric.has(label) && self.overrides.tag_of(metric, label) != Some(&Tag::Removed) {
                push(&mut name, label, reporter.unwrap_or(OVERFLOW));
            }
        }
        for (label, tag) in self.added(metric) {
            if *tag != Tag::Removed {
                push(&mut name, label, OVERFLOW);
            }
        }
        name
    }

    /// Labels of `metric` besides Istio's, of which it gets none that it does not have anyway.
    fn added(&self, metric: Metric) -> impl Iterator<Item = (&str, &Tag)> {
        self.overrides.tags(metric).filter(|(label, _)| !LABELS.contains(label))
    }

    /// The value of the label `reporter`.
    fn name(&self) -> &'static str {
        if self.is_destination { "destination" } else { "source" }
    }

    /// Tells every label of `series`.
    fn labels<S: AsRef<str>>(
        &self,
        series: &Series<S>,
        service: &Service<'_>,
        mut tell: impl FnMut(&str, &str),
    ) {
        let principal = Some(series.peer_principal.as_ref()).filter(|principal| !principal.is_empty());
        let certified = principal.and_then(namespace_of);
        let certified = certified.filter(|namespace| *namespace != series.peer.namespace);
        // Who says to be elsewhere than its certificate does is not believed in anything else either.
        let other =
            certified.map(|namespace| Workload { namespace: namespace.to_owned(), ..Workload::default() });
        let peer = other.as_ref().unwrap_or(&series.peer);
        let (source, destination) =
            if self.is_destination { (peer, &self.local) } else { (&self.local, peer) };
        tell("reporter", self.name());
        for (side, workload) in [("source_", source), ("destination_", destination)] {
            let mut label = side.to_owned();
            for (of, value) in workload.labels() {
                label.truncate(side.len());
                label.push_str(of);
                tell(&label, value);
            }
        }
        // Both ends have shown a certificate, or none has.
        let own = self.principal.as_deref().filter(|_| principal.is_some()).unwrap_or(UNKNOWN);
        let others = principal.unwrap_or(UNKNOWN);
        let (of_source, of_destination) = if self.is_destination { (others, own) } else { (own, others) };
        tell("source_principal", of_source);
        tell("destination_principal", of_destination);
        for (label, value) in self.service(service, destination) {
            tell(label, if value.is_empty() { UNKNOWN } else { value });
        }
        let grpc = series.protocol == Protocol::Grpc;
        tell("request_protocol", if grpc { "grpc" } else { "http" });
        tell("response_code", &series.response_code.to_string());
        let status = series.grpc_status.filter(|_| grpc).map(|status| status.to_string());
        tell("grpc_response_status", status.as_deref().unwrap_or_default());
        tell("response_flags", &series.flags.names());
        tell("connection_security_policy", self.security_policy(principal));
    }

    /// The labels of the service. Of one that is not known the server tells its own, as Istio does.
    fn service<'a>(
        &self,
        service: &'a Service<'a>,
        destination: &'a Workload,
    ) -> [(&'static str, &'a str); 3] {
        let own = if self.is_destination { destination.canonical_service.as_str() } else { NOTHING };
        let or = |text: &'a str, otherwise| if text.is_empty() { otherwise } else { text };
        // A server's namespace is its own, and a client falls back to that of whom it has reached.
        let namespace = if self.is_destination { NOTHING } else { &*service.namespace };
        [
            ("destination_service", or(&service.host, own)),
            ("destination_service_name", or(&service.name, own)),
            ("destination_service_namespace", or(namespace, &destination.namespace)),
        ]
    }

    /// Known on the server's side only, as Istio reports it.
    fn security_policy(&self, peer: Option<&str>) -> &'static str {
        match (self.is_destination, peer) {
            (false, _) => UNKNOWN,
            (true, Some(_)) => "mutual_tls",
            (true, None) => "none",
        }
    }
}

/// The namespace in a SPIFFE ID: `…/ns/NAMESPACE/…`.
fn namespace_of(principal: &str) -> Option<&str> {
    let (_, rest) = principal.split_once("/ns/")?;
    rest.split('/').next()
}

#[cfg(test)]
mod tests {
    use super::super::labels::value_in as label;
    use super::super::{LABELS, ResponseFlags};
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn series(peer_principal: &str) -> Series<&str> {
        Series {
            cluster: "",
            peer_principal,
            peer: Default::default(),
            protocol: Protocol::Http,
            response_code: 200,
            grpc_status: None,
            flags: ResponseFlags::default(),
            values: Vec::new(),
        }
    }

    fn of(proxy: &Proxy) -> Reporter {
        Reporter::new(proxy, Overrides::default())
    }

    fn sidecar() -> Proxy {
        Proxy {
            role: outrigger_api::Role::Sidecar,
            workload: "b-1".to_owned(),
            service_account: Some("b".to_owned()),
            labels: [("app".to_owned(), "b".to_owned())].into(),
            ..Proxy::default()
        }
    }

    #[test]
    fn every_label_of_istio_is_in_every_name_of_a_finished_request() {
        let reporter = of(&Proxy::default());
        for metric in Metric::ALL {
            let name = reporter.stat_name(metric, &series(""), &Service::default());
            assert_eq!(name.split('\u{1e}').next(), Some(metric.name()));
            let labels: Vec<_> = LABELS.into_iter().filter(|label| metric.has(label)).collect();
            assert_eq!(labels.len(), if metric.counts_messages() { 20 } else { 25 });
            for wanted in &labels {
                assert!(label(&name, wanted).is_some(), "{wanted} is missing in {name}");
            }
            assert_eq!(name.matches('\u{1e}').count(), labels.len());
        }
    }

    #[test]
    fn this_end_is_named_by_its_account_or_by_the_whole_id() {
        for (account, principal) in [
            ("b", "spiffe://cluster.local/ns/default/sa/b"),
            ("spiffe://other/ns/x/sa/y", "spiffe://other/ns/x/sa/y"),
        ] {
            let proxy = Proxy { service_account: Some(account.to_owned()), ..sidecar() };
            let name =
                of(&proxy).stat_name(Metric::RequestCount, &series("spiffe://a/b"), &Service::default());
            assert_eq!(label(&name, "destination_principal").as_deref(), Some(principal));
        }
    }

    #[test]
    fn the_service_is_told_or_fallen_back_from() {
        let ours = Service { host: "a.ns.svc".into(), name: "a".into(), namespace: "ns".into() };
        let peer = "spiffe://cluster.local/ns/other/sa/x";
        let client = Proxy { role: outrigger_api::Role::Gateway, ..sidecar() };
        for (proxy, principal, service, expected) in [
            (&client, "", &ours, ["a.ns.svc", "a", "ns"]),
            (&client, "", &Service::default(), ["unknown"; 3]),
            (&client, peer, &Service::default(), ["unknown", "unknown", "other"]),
            (&sidecar(), "", &ours, ["a.ns.svc", "a", "default"]),
            (&sidecar(), peer, &Service::default(), ["b", "b", "default"]),
        ] {
            let name = of(proxy).stat_name(Metric::RequestCount, &series(principal), service);
            let labels = ["destination_service", "destination_service_name", "destination_service_namespace"];
            assert_eq!(labels.map(|wanted| label(&name, wanted).unwrap()), expected);
        }
    }

    #[test]
    fn both_principals_are_told_of_a_connection_by_mutual_tls() {
        let peer = "spiffe://cluster.local/ns/a/sa/x";
        let own = "spiffe://cluster.local/ns/default/sa/b";
        for (proxy, peer, expected) in [
            (sidecar(), peer, [peer, own, "mutual_tls", "a"]),
            (sidecar(), "", ["unknown", "unknown", "none", "unknown"]),
            (
                Proxy { role: outrigger_api::Role::Gateway, ..sidecar() },
                peer,
                [own, peer, "unknown", "default"],
            ),
        ] {
            let name = of(&proxy).stat_name(Metric::RequestCount, &series(peer), &Service::default());
            let labels = [
                "source_principal",
                "destination_principal",
                "connection_security_policy",
                "source_workload_namespace",
            ];
            assert_eq!(labels.map(|wanted| label(&name, wanted).unwrap()), expected);
        }
        assert_eq!(of(&Proxy::default()).peer_attribute(), None);
    }

    #[test]
    fn a_peer_is_believed_unless_its_certificate_says_otherwise() {
        let told = Workload {
            name: "a-1".to_owned(),
            namespace: "a".to_owned(),
            app: "a".to_owned(),
            ..Workload::default()
        };
        for (principal, workload, namespace) in [
            ("", "a-1", "a"),
            ("spiffe://cluster.local/ns/a/sa/x", "a-1", "a"),
            ("spiffe://cluster.local/ns/b/sa/x", "unknown", "b"),
            ("spiffe://elsewhere", "a-1", "a"),
        ] {
            let series = Series { peer: told.clone().into(), ..series(principal) };
            let name = of(&sidecar()).stat_name(Metric::RequestCount, &series, &Service::default());
            assert_eq!(label(&name, "source_workload").as_deref(), Some(workload));
            assert_eq!(label(&name, "source_workload_namespace").as_deref(), Some(namespace));
        }
    }

    #[test]
    fn telemetries_change_labels() {
        let config = br#"{
            "proxy": {"role": "gateway"},
            "resources": [
                {"apiVersion": "telemetry.istio.io/v1", "kind": "Telemetry",
                 "metadata": {"name": "mesh", "namespace": "istio-system"},
                 "spec": {"metrics": [{"overrides": [
                    {"tagOverrides": {"team": {"value": "'mesh'"}, "path": {"value": "request.url_path"}}},
                    {"match": {"metric": "RESPONSE_SIZE"}, "disabled": true},
                    {"match": {"mode": "SERVER"}, "tagOverrides": {"side": {"value": "'server'"}}}]}]}},
                {"apiVersion": "telemetry.istio.io/v1", "kind": "Telemetry",
                 "metadata": {"name": "own"},
                 "spec": {"tracing": [{"randomSamplingPercentage": 1}], "metrics": [{"overrides": [
                    {"tagOverrides": {"team": {"value": "'own'"}}},
                    {"match": {"metric": "REQUEST_COUNT"}, "tagOverrides": {
                        "source_app": {"operation": "REMOVE"}, "response_code": {"value": "request.url_path"}}},
                    {"match": {"metric": "GRPC_REQUEST_MESSAGES"}, "tagOverrides": {
                        "response_code": {"value": "'0'"}, "team": {"operation": "REMOVE"}}}]}]}}
            ]}"#;
        let config =
            outrigger_api::Config::read(config, &[outrigger_api::Decoder::TELEMETRY_METRICS]).unwrap();
        let overrides = Overrides::compile(&config.resources, &config.proxy).unwrap();
        let path = vec![super::super::Expression::Attribute(b"request\0url_path".to_vec())];
        assert_eq!(overrides.expressions(), path);
        assert!(overrides.measures(Metric::RequestCount) && !overrides.measures(Metric::ResponseSize));
        let mut added: Vec<_> = overrides.added_labels().collect();
        added.sort_unstable();
        added.dedup();
        assert_eq!(added, ["path", "response_code", "team"]);
        let reporter = Reporter::new(&config.proxy, overrides);
        let finished = Series { values: vec!["/a"], ..series("") };
        let labels = ["team", "path", "source_app", "response_code", "request_protocol"];
        for (metric, expected, overflown) in [
            (
                Metric::RequestCount,
                [Some("own"), Some("/a"), None, Some("/a"), Some("http")],
                [true, true, false, true, true],
            ),
            (
                Metric::RequestSize,
                [Some("own"), Some("/a"), Some("unknown"), Some("200"), Some("http")],
                [true; 5],
            ),
            (
                Metric::GrpcRequestMessages,
                // Those that it does not have it does not get.
                [None, Some("/a"), Some("unknown"), None, None],
                [false, true, true, false, false],
            ),
        ] {
            let name = reporter.stat_name(metric, &finished, &Service::default());
            assert_eq!(
                labels.map(|wanted| label(&name, wanted)),
                expected.map(|text| text.map(str::to_owned))
            );
            let name = reporter.overflow_name(metric);
            let told = overflown.map(|told| told.then(|| "overflow".to_owned()));
            assert_eq!(labels.map(|wanted| label(&name, wanted)), told);
            assert_eq!(label(&name, "reporter").as_deref(), Some("source"));
        }
        // Where an attribute is not there.
        let name = reporter.stat_name(Metric::RequestSize, &series(""), &Service::default());
        assert_eq!(label(&name, "path").as_deref(), Some("unknown"));
    }

    #[test]
    fn what_istio_does_not_have_is_refused() {
        let config = br#"{
            "proxy": {"role": "gateway"},
            "resources": [
                {"apiVersion": "telemetry.istio.io/v1", "kind": "Telemetry", "metadata": {"name": "t"},
                 "spec": {"metrics": [{"providers": [{"name": "stackdriver"}], "overrides": [
                    {"match": {"customMetric": "mine"}}]}]}}
            ]}"#;
        let config =
            outrigger_api::Config::read(config, &[outrigger_api::Decoder::TELEMETRY_METRICS]).unwrap();
        let problems = Overrides::compile(&config.resources, &config.proxy).unwrap_err();
        let paths: Vec<_> = problems.iter().map(|problem| problem.path.to_string()).collect();
        assert_eq!(
            paths,
            ["spec.metrics[0].providers[0].name", "spec.metrics[0].overrides[0].match.customMetric"]
        );
    }
}

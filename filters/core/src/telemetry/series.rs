//! A series: everything that tells one finished request from another in the metrics.

use outrigger_api::Proxy;

use super::flags::ResponseFlags;
use super::labels::{UNKNOWN, Workload, push, reports_as_destination};

/// Value of the label `request_protocol`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Plain HTTP.
    Http,
    /// gRPC, by the request's content type.
    Grpc,
}

/// What the labels of one request depend on. Small and hashable, so that the host finds the metric of a repeated
/// series without building its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Series<S> {
    /// Envoy's cluster name (`outbound|8000|v1|httpbin.default.svc.cluster.local`); empty if no cluster was chosen.
    pub cluster: S,
    /// The peer's SPIFFE ID with its scheme; empty if it has none.
    pub peer_principal: S,
    /// The protocol.
    pub protocol: Protocol,
    /// Response status; 0 if there was no response.
    pub response_code: u16,
    /// gRPC status of a gRPC response.
    pub grpc_status: Option<u32>,
    /// Response flags.
    pub flags: ResponseFlags,
}

/// Names series on behalf of one proxy.
#[derive(Debug)]
pub struct Reporter {
    local: Workload,
    is_destination: bool,
    /// The SPIFFE ID in this proxy's certificate; `None`: it has none, and no connection is by mutual TLS.
    principal: Option<String>,
}

impl Reporter {
    /// The reporter of `proxy`.
    pub fn new(proxy: &Proxy) -> Self {
        let principal = proxy
            .service_account
            .as_ref()
            .map(|account| format!("spiffe://{}/ns/{}/sa/{account}", proxy.trust_domain, proxy.namespace));
        Self { local: Workload::local(proxy), is_destination: reports_as_destination(proxy), principal }
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

    /// The stat name of `metric` for `series`: the metric's name followed by every label.
    pub fn stat_name<S: AsRef<str>>(&self, metric: &str, series: &Series<S>) -> String {
        let mut name = String::with_capacity(1024);
        name.push_str(metric);
        let peer = Workload::unknown();
        let (source, destination) =
            if self.is_destination { (&peer, &self.local) } else { (&self.local, &peer) };
        push(&mut name, "reporter", if self.is_destination { "destination" } else { "source" });
        source.push(&mut name, "source");
        destination.push(&mut name, "destination");
        let principal = Some(series.peer_principal.as_ref()).filter(|p| !p.is_empty());
        // Both ends have shown a certificate, or none has.
        let own = self.principal.as_deref().filter(|_| principal.is_some()).unwrap_or(UNKNOWN);
        let others = principal.unwrap_or(UNKNOWN);
        let (of_source, of_destination) = if self.is_destination { (others, own) } else { (own, others) };
        push(&mut name, "source_principal", of_source);
        push(&mut name, "destination_principal", of_destination);
        let service = service_of(series.cluster.as_ref());
        push(&mut name, "destination_service", service.host);
        push(&mut name, "destination_service_name", service.name);
        push(&mut name, "destination_service_namespace", service.namespace);
        let grpc = series.protocol == Protocol::Grpc;
        push(&mut name, "request_protocol", if grpc { "grpc" } else { "http" });
        push(&mut name, "response_code", &series.response_code.to_string());
        let grpc_status = series.grpc_status.filter(|_| grpc).map(|status| status.to_string());
        push(&mut name, "grpc_response_status", grpc_status.as_deref().unwrap_or_default());
        push(&mut name, "response_flags", &series.flags.names());
        push(&mut name, "connection_security_policy", self.security_policy(principal));
        name
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

struct Service<'a> {
    host: &'a str,
    name: &'a str,
    namespace: &'a str,
}

/// The service behind a cluster. Kubernetes hosts name their namespace in the host; of any other host the name is the
/// host itself, as Istio has it for ServiceEntries.
fn service_of(cluster: &str) -> Service<'_> {
    let unknown = Service { host: UNKNOWN, name: UNKNOWN, namespace: UNKNOWN };
    if cluster == "PassthroughCluster" || cluster == "BlackHoleCluster" {
        return Service { host: UNKNOWN, name: cluster, namespace: UNKNOWN };
    }
    let mut parts = cluster.splitn(4, '|').skip(3);
    let Some(host) = parts.next().filter(|host| !host.is_empty()) else { return unknown };
    let mut labels = host.splitn(4, '.');
    match (labels.next(), labels.next(), labels.next()) {
        (Some(name), Some(namespace), Some("svc")) => Service { host, name, namespace },
        _ => Service { host, name: host, namespace: UNKNOWN },
    }
}

#[cfg(test)]
mod tests {
    use super::super::LABELS;
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn series(cluster: &str) -> Series<&str> {
        Series {
            cluster,
            peer_principal: "",
            protocol: Protocol::Http,
            response_code: 200,
            grpc_status: None,
            flags: ResponseFlags::default(),
        }
    }

    fn label(name: &str, label: &str) -> Option<String> {
        let (_, rest) = name.split_once(&format!("{label}=.="))?;
        Some(rest.split_once(";.;")?.0.to_owned())
    }

    #[test]
    fn every_label_of_istio_is_in_every_name() {
        let name = Reporter::new(&Proxy::default()).stat_name("istio_requests_total", &series(""));
        assert!(name.starts_with("istio_requests_totalreporter=.="));
        for wanted in LABELS {
            assert!(label(&name, wanted).is_some(), "{wanted} is missing in {name}");
        }
        assert_eq!(name.matches(";.;").count(), LABELS.len());
    }

    #[test]
    fn the_service_is_read_from_the_cluster() {
        let reporter = Reporter::new(&Proxy::default());
        for (cluster, host, service, namespace) in [
            ("outbound|80|v1|a.ns.svc.cluster.local", "a.ns.svc.cluster.local", "a", "ns"),
            ("outbound|443||example.org", "example.org", "example.org", "unknown"),
            ("PassthroughCluster", "unknown", "PassthroughCluster", "unknown"),
            ("", "unknown", "unknown", "unknown"),
            ("outbound|80", "unknown", "unknown", "unknown"),
        ] {
            let name = reporter.stat_name("m", &series(cluster));
            assert_eq!(label(&name, "destination_service").as_deref(), Some(host));
            assert_eq!(label(&name, "destination_service_name").as_deref(), Some(service));
            assert_eq!(label(&name, "destination_service_namespace").as_deref(), Some(namespace));
        }
    }

    #[test]
    fn both_principals_are_told_of_a_connection_by_mutual_tls() {
        let peer = "spiffe://cluster.local/ns/a/sa/x";
        let sidecar = Proxy {
            role: outrigger_api::Role::Sidecar,
            service_account: Some("b".to_owned()),
            ..Proxy::default()
        };
        let own = "spiffe://cluster.local/ns/default/sa/b";
        for (proxy, peer, expected) in [
            (sidecar.clone(), peer, [peer, own, "mutual_tls"]),
            (sidecar.clone(), "", ["unknown", "unknown", "none"]),
            (Proxy { role: outrigger_api::Role::Gateway, ..sidecar }, peer, [own, peer, "unknown"]),
        ] {
            let name = Reporter::new(&proxy).stat_name("m", &Series { peer_principal: peer, ..series("") });
            let labels = ["source_principal", "destination_principal", "connection_security_policy"];
            assert_eq!(labels.map(|wanted| label(&name, wanted)), expected.map(|text| Some(text.to_owned())));
        }
        assert_eq!(Reporter::new(&Proxy::default()).peer_attribute(), None);
    }

    #[test]
    fn a_value_cannot_break_out_of_its_label() {
        let mut hostile = series("");
        hostile.peer_principal = "spiffe://x;.;response_code=.=200;.;";
        let name = Reporter::new(&Proxy::default()).stat_name("m", &hostile);
        assert_eq!(name.matches(";.;").count(), LABELS.len());
    }
}

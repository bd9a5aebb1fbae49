//! The labels of Istio's standard metrics and how a stat's name carries them.

use outrigger_api::{Direction, Proxy, Role};

/// Every label of `istio_requests_total`, in Istio's order. All are always present: Kiali drops a series that
/// lacks one.
pub const LABELS: [&str; 25] = [
    "reporter",
    "source_workload",
    "source_canonical_service",
    "source_canonical_revision",
    "source_workload_namespace",
    "source_principal",
    "source_app",
    "source_version",
    "source_cluster",
    "destination_workload",
    "destination_workload_namespace",
    "destination_principal",
    "destination_app",
    "destination_version",
    "destination_service",
    "destination_service_name",
    "destination_service_namespace",
    "destination_canonical_service",
    "destination_canonical_revision",
    "destination_cluster",
    "request_protocol",
    "response_code",
    "grpc_response_status",
    "response_flags",
    "connection_security_policy",
];

/// The value of a label whose truth is not known, as Istio writes it.
pub const UNKNOWN: &str = "unknown";

/// Appends one label to a stat name: `LABEL=.=VALUE;.;`, the form that Istio's `stats_tags` take apart again. The
/// separators are safe for dots in values; a value that holds a separator itself has it cut.
pub(super) fn push(name: &mut String, label: &str, value: &str) {
    name.push_str(label);
    name.push_str("=.=");
    if value.contains(";.;") {
        name.push_str(&value.replace(";.;", "_"));
    } else {
        name.push_str(value);
    }
    name.push_str(";.;");
}

/// The `stats_tags` regex that takes `label` out of a stat name: group 1 is removed, group 2 is the value.
pub fn tag_regex(label: &str) -> String {
    format!(r"({label}=\.=(.*?);\.;)")
}

/// One end of a request, as its labels describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Workload {
    workload: String,
    namespace: String,
    canonical_service: String,
    canonical_revision: String,
    app: String,
    version: String,
    cluster: String,
}

impl Workload {
    /// The workload of this proxy, from its name, namespace and labels.
    pub(super) fn local(proxy: &Proxy) -> Self {
        let label = |key: &str| proxy.labels.get(key).filter(|v| !v.is_empty()).cloned();
        let or_unknown = |value: Option<String>| value.unwrap_or_else(|| UNKNOWN.to_owned());
        let workload = Some(proxy.workload.clone()).filter(|name| !name.is_empty());
        Self {
            canonical_service: or_unknown(
                label("service.istio.io/canonical-name")
                    .or_else(|| label("app"))
                    .or_else(|| workload.clone()),
            ),
            canonical_revision: label("service.istio.io/canonical-revision")
                .or_else(|| label("version"))
                .unwrap_or_else(|| "latest".to_owned()),
            workload: or_unknown(workload),
            namespace: proxy.namespace.clone(),
            app: or_unknown(label("app")),
            version: or_unknown(label("version")),
            cluster: UNKNOWN.to_owned(),
        }
    }

    /// The other end, of which nothing is known without metadata exchange.
    pub(super) fn unknown() -> Self {
        let unknown = || UNKNOWN.to_owned();
        Self {
            workload: unknown(),
            namespace: unknown(),
            canonical_service: unknown(),
            canonical_revision: unknown(),
            app: unknown(),
            version: unknown(),
            cluster: unknown(),
        }
    }

    /// Appends the labels of this end; `side` is `source` or `destination`.
    pub(super) fn push(&self, name: &mut String, side: &str) {
        for (suffix, value) in [
            ("workload", &self.workload),
            ("workload_namespace", &self.namespace),
            ("canonical_service", &self.canonical_service),
            ("canonical_revision", &self.canonical_revision),
            ("app", &self.app),
            ("version", &self.version),
            ("cluster", &self.cluster),
        ] {
            push(name, &format!("{side}_{suffix}"), value);
        }
    }
}

/// Which end of the request this proxy reports for: the destination at a sidecar's inbound listener, else the source
/// (a gateway reports as the source, as Istio's does).
pub(super) fn reports_as_destination(proxy: &Proxy) -> bool {
    proxy.role == Role::Sidecar && proxy.direction != Some(Direction::Outbound)
}

//! What the two ends of a request tell each other of their workloads: Istio's metadata exchange.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::protobuf::{entry, push_structure, push_text, structure, text};
use super::workload::Workload;

/// The header with a workload's metadata: a `google.protobuf.Struct` in base64.
pub const METADATA: &str = "x-envoy-peer-metadata";
/// The header with a name for it, by which Istio's proxies remember what they have decoded.
pub const METADATA_ID: &str = "x-envoy-peer-metadata-id";

/// What Istio's proxies call the fields.
const WORKLOAD_NAME: &str = "WORKLOAD_NAME";
const NAMESPACE: &str = "NAMESPACE";
const CLUSTER_ID: &str = "CLUSTER_ID";
const LABELS: &str = "LABELS";
const CANONICAL_NAME: &str = "service.istio.io/canonical-name";
const CANONICAL_REVISION: &str = "service.istio.io/canonical-revision";

/// More than a peer has to say. A header may be larger than any metadata.
const MOST: usize = 16 * 1024;

impl Workload {
    /// The values of [`METADATA`] and [`METADATA_ID`]. The latter is another one for other metadata.
    pub fn to_headers(&self) -> (String, String) {
        let mut labels = Vec::new();
        for (label, value) in [
            ("app", &self.app),
            ("version", &self.version),
            (CANONICAL_NAME, &self.canonical_service),
            (CANONICAL_REVISION, &self.canonical_revision),
        ] {
            if !value.is_empty() {
                push_text(&mut labels, label, value);
            }
        }
        let mut metadata = Vec::new();
        for (field, value) in [
            (CLUSTER_ID, &self.cluster),
            ("NAME", &self.name),
            (NAMESPACE, &self.namespace),
            (WORKLOAD_NAME, &self.name),
        ] {
            if !value.is_empty() {
                push_text(&mut metadata, field, value);
            }
        }
        push_structure(&mut metadata, LABELS, &labels);
        let metadata = STANDARD.encode(metadata);
        let id = [&self.name, &self.app, &self.version, &self.canonical_service, &self.canonical_revision];
        let id = format!("outrigger~{}~{}", id.map(String::as_str).join("~"), self.namespace);
        (metadata, id)
    }

    /// The workload that the value of a header [`METADATA`] describes.
    pub fn from_header(value: &[u8]) -> Option<Self> {
        let metadata = Some(value).filter(|value| value.len() <= MOST)?;
        let metadata = STANDARD.decode(metadata).ok()?;
        let told = |message, key| entry(message, key).and_then(text).unwrap_or_default().to_owned();
        let labels = entry(&metadata, LABELS).and_then(structure).unwrap_or_default();
        let or = |one: String, other: &str| if one.is_empty() { other.to_owned() } else { one };
        let (name, app, version) =
            (told(&metadata, WORKLOAD_NAME), told(labels, "app"), told(labels, "version"));
        Some(Self {
            namespace: told(&metadata, NAMESPACE),
            canonical_service: or(or(told(labels, CANONICAL_NAME), &app), &name),
            canonical_revision: or(told(labels, CANONICAL_REVISION), &version),
            cluster: told(&metadata, CLUSTER_ID),
            name,
            app,
            version,
        })
    }

    /// The workload that the metadata of an endpoint describes (`istio.workload`):
    /// `NAME;NAMESPACE;CANONICAL-SERVICE;CANONICAL-REVISION;CLUSTER`.
    pub fn from_endpoint(value: &str) -> Option<Self> {
        let mut parts = value.split(';').map(str::to_owned);
        let mut next = || parts.next().unwrap_or_default();
        let (name, namespace, canonical_service, canonical_revision, cluster) =
            (next(), next(), next(), next(), next());
        Some(Self { name, namespace, canonical_service, canonical_revision, cluster, ..Self::default() })
            .filter(|workload| *workload != Self::default())
    }

    /// What [`Self::from_endpoint`] reads.
    pub fn to_endpoint(&self) -> String {
        let parts =
            [&self.name, &self.namespace, &self.canonical_service, &self.canonical_revision, &self.cluster];
        parts.map(String::as_str).join(";")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn workload() -> Workload {
        Workload {
            name: "reviews-v1".to_owned(),
            namespace: "shop".to_owned(),
            canonical_service: "reviews".to_owned(),
            canonical_revision: "v1".to_owned(),
            app: "reviews".to_owned(),
            version: "v1".to_owned(),
            cluster: String::new(),
        }
    }

    #[test]
    fn what_is_told_is_understood() {
        for workload in [workload(), Workload::default()] {
            let (metadata, _) = workload.to_headers();
            assert_eq!(Workload::from_header(metadata.as_bytes()), Some(workload));
        }
        let other = Workload { version: "v2".to_owned(), ..workload() };
        assert_ne!(workload().to_headers().1, other.to_headers().1);
        let mut of_endpoint = workload();
        (of_endpoint.app, of_endpoint.version) = (String::new(), String::new());
        assert_eq!(Workload::from_endpoint(&workload().to_endpoint()), Some(of_endpoint));
        assert_eq!(Workload::from_endpoint(";;;;"), None);
    }

    #[test]
    fn canonical_names_are_derived_if_none_are_told() {
        let bare =
            Workload { canonical_service: String::new(), canonical_revision: String::new(), ..workload() };
        assert_eq!(Workload::from_header(bare.to_headers().0.as_bytes()), Some(workload()));
        let nameless = Workload { app: String::new(), ..bare };
        let read = Workload::from_header(nameless.to_headers().0.as_bytes()).unwrap();
        assert_eq!(read.canonical_service, "reviews-v1");
    }

    #[test]
    fn garbage_is_nothing() {
        for value in [&b"%"[..], b"\xff", &[b'A'; MOST + 4]] {
            assert_eq!(Workload::from_header(value), None);
        }
        assert_eq!(Workload::from_header(b"AAAA"), Some(Workload::default()));
    }
}

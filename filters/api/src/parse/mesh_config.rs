//! The mesh configuration's file.

use std::sync::Arc;

use crate::{
    decode::{Context, Cursor, Sink, mesh_config},
    parse::Reader,
    problem::{Problem, code},
    types::mesh_config::MeshConfig,
};

/// Reads Istio's MeshConfig as YAML. What is wrong with it is reported, and its default taken in its place.
pub fn parse_mesh_config(text: &[u8], file: &str) -> (MeshConfig, Vec<Problem>) {
    let file: Arc<str> = file.into();
    let mut reader = Reader::new(Some(Arc::clone(&file)), "", &[]);
    let mut mesh = MeshConfig::default();
    let bytes = text;
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            reader.unreadable(code::SYNTAX, super::not_utf8(bytes, error), None);
            return (mesh, reader.parsed.problems);
        }
    };
    let mut documents = 0;
    for document in crate::yaml::parse(text) {
        match document {
            Ok(node) if node.is_null() => {}
            Ok(node) => {
                documents += 1;
                if documents > 1 {
                    let message = "a mesh configuration is a single document".to_owned();
                    reader.unreadable(code::SYNTAX, message, node.position);
                }
                let sink = Sink::new(Context { file: Some(Arc::clone(&file)), ..Context::default() });
                mesh = mesh_config::decode(&Cursor::root(&node, &sink)).unwrap_or_default();
                reader.parsed.problems.extend(sink.into_problems());
            }
            Err(error) => reader.unreadable(code::SYNTAX, error.message, Some(error.position)),
        }
    }
    (mesh, reader.parsed.problems)
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::types::mesh_config::{AccessLogEncoding, OutboundTraffic, PathNormalization, ServiceName};

    fn problems(text: &str) -> Vec<String> {
        let (_, problems) = parse_mesh_config(text.as_bytes(), "mesh.yaml");
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_matters_to_a_proxy_is_read() {
        let text = b"
trustDomain: mesh.test
rootNamespace: istio-config
pathNormalization: {normalization: DECODE_AND_MERGE_SLASHES}
outboundTrafficPolicy: {mode: REGISTRY_ONLY}
defaultHttpRetryPolicy: {attempts: 5, retryOn: '503'}
accessLogFile: /dev/stdout
accessLogEncoding: JSON
defaultConfig: {gatewayTopology: {numTrustedProxies: 2}}
";
        let (mesh, problems) = parse_mesh_config(text, "mesh.yaml");
        assert_eq!(problems, []);
        assert_eq!(mesh.trust_domain.as_deref(), Some("mesh.test"));
        assert_eq!(mesh.root_namespace.as_deref(), Some("istio-config"));
        assert_eq!(mesh.path_normalization, PathNormalization::DecodeAndMergeSlashes);
        assert_eq!(mesh.outbound_traffic, OutboundTraffic::RegistryOnly);
        assert_eq!(mesh.default_retries.map(|retries| retries.attempts), Some(5));
        assert_eq!(mesh.access_log_file.as_deref(), Some("/dev/stdout"));
        assert_eq!((mesh.access_log_format, mesh.access_log_encoding), (None, AccessLogEncoding::Json));
        assert_eq!(mesh.trusted_proxies, 2);
        assert_eq!(parse_mesh_config(b"", "mesh.yaml"), (MeshConfig::default(), Vec::new()));
    }

    #[test]
    fn what_is_not_carried_out_is_named() {
        assert_eq!(
            problems("enableAutoMtls: true\ndefaultConfig:\n  concurrency: 2\n"),
            [
                "mesh.yaml:1:17: warning: `enableAutoMtls` of the mesh configuration is not carried out yet \
                 (enableAutoMtls)",
                "mesh.yaml:3:16: warning: `concurrency` of the mesh configuration is not carried out yet \
                 (defaultConfig.concurrency)",
            ]
        );
    }

    #[test]
    fn a_proxy_is_called_as_one_of_two_fields_says() {
        for (fields, name) in [
            ("", ServiceName::AppAndNamespace),
            ("serviceCluster: shop", ServiceName::Literal("shop".to_owned())),
            ("serviceCluster: istio-proxy", ServiceName::AppAndNamespace),
            ("tracingServiceName: APP_LABEL_AND_NAMESPACE", ServiceName::AppAndNamespace),
            ("tracingServiceName: CANONICAL_NAME_ONLY", ServiceName::Canonical),
            ("tracingServiceName: CANONICAL_NAME_AND_NAMESPACE", ServiceName::CanonicalAndNamespace),
        ] {
            let text = format!("defaultConfig: {{{fields}}}");
            let (mesh, problems) = parse_mesh_config(text.as_bytes(), "mesh.yaml");
            assert_eq!((mesh.service_name, problems), (name, vec![]), "{fields}");
        }
        let both = problems("defaultConfig: {serviceCluster: a, tracingServiceName: CANONICAL_NAME_ONLY}");
        assert!(both.len() == 1 && both[0].contains("only one of `serviceCluster` and"), "{both:?}");
        assert_eq!(problems("defaultConfig: {tracingServiceName: APP}").len(), 1);
    }

    #[test]
    fn what_istio_does_not_have_is_an_error() {
        let found = problems("trustDomian: x\npathNormalization: {normalization: SOME}\naccessLogFile: 3\n");
        assert_eq!(found.len(), 3, "{found:#?}");
        assert!(found.iter().all(|problem| problem.contains("error")), "{found:#?}");
        assert!(found[0].contains("did you mean `trustDomain`"), "{found:#?}");
        assert_eq!(problems("a: [").len(), 1);
        assert_eq!(problems("a\n---\nb").len(), 3);
    }
}

//! Which `apiVersion` and `kind` is what.

use crate::{decode::suggest_nearest, resource::Kind};

const ISTIO_VERSIONS: [&str; 4] = ["v1", "v1beta1", "v1alpha3", "v1alpha1"];

/// Kinds by their group. Of Istio's groups every known version is read, of the others only the one given.
const KINDS: [(&str, Kind); 17] = [
    ("networking.istio.io", Kind::DestinationRule),
    ("networking.istio.io", Kind::Gateway),
    ("networking.istio.io", Kind::ServiceEntry),
    ("networking.istio.io", Kind::Sidecar),
    ("networking.istio.io", Kind::VirtualService),
    ("networking.istio.io", Kind::WorkloadEntry),
    ("networking.istio.io", Kind::WorkloadGroup),
    ("security.istio.io", Kind::AuthorizationPolicy),
    ("security.istio.io", Kind::PeerAuthentication),
    ("security.istio.io", Kind::RequestAuthentication),
    ("telemetry.istio.io", Kind::Telemetry),
    ("", Kind::Namespace),
    ("", Kind::Pod),
    ("", Kind::Secret),
    ("", Kind::Service),
    ("apps", Kind::Deployment),
    ("discovery.k8s.io", Kind::EndpointSlice),
];

/// Istio's kinds which are not carried out, with their group.
const UNSUPPORTED: [(&str, &str); 6] = [
    ("networking.istio.io", "EnvoyFilter"),
    ("networking.istio.io", "ProxyConfig"),
    ("extensions.istio.io", "WasmPlugin"),
    ("extensions.istio.io", "TrafficExtension"),
    ("install.istio.io", "IstioOperator"),
    ("authentication.istio.io", "MeshPolicy"),
];

/// What an `apiVersion` with a `kind` is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It is read.
    Kind(Kind),
    /// It is Istio's, and not carried out.
    Unsupported,
    /// It is none of ours.
    Other,
    /// It looks like one of Istio's and is none.
    Wrong {
        /// What is wrong.
        message: String,
        /// What was probably meant.
        hint: Option<String>,
    },
}

pub(super) fn known(api_version: &str, kind: &str) -> Known {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    // A filter refuses all that it does not read; elsewhere other kinds are passed by.
    if cfg!(feature = "yaml")
        && group.is_empty()
        && let Some((home, _)) = KINDS.iter().find(|(_, known)| known.as_str() == kind && is_istio(*known))
    {
        return Known::Wrong {
            message: format!("`{api_version}` has no kind `{kind}`"),
            hint: Some(format!("write `apiVersion: {home}/v1`")),
        };
    }
    if !group.contains("istio") {
        return other(group, version, kind);
    }
    if UNSUPPORTED.contains(&(group, kind)) {
        return Known::Unsupported;
    }
    let found = KINDS.iter().find(|(_, candidate)| candidate.as_str() == kind && is_istio(*candidate));
    match found {
        Some((home, found)) if *home == group && ISTIO_VERSIONS.contains(&version) => Known::Kind(*found),
        Some((home, _)) if *home == group => Known::Wrong {
            message: format!("unknown version `{version}` of `{group}`"),
            hint: Some(format!("one of {}", ISTIO_VERSIONS.join(", "))),
        },
        Some((home, _)) => Known::Wrong {
            message: format!("`{group}` has no kind `{kind}`"),
            hint: Some(format!("write `apiVersion: {home}/v1`")),
        },
        None => {
            let names: Vec<_> = KINDS
                .iter()
                .filter(|(_, kind)| is_istio(*kind))
                .map(|(_, kind)| kind.as_str())
                .chain(UNSUPPORTED.map(|(_, kind)| kind))
                .collect();
            let meant = suggest_nearest(kind, &names);
            Known::Wrong {
                message: format!("`{group}` has no kind `{kind}`"),
                hint: meant.map(|meant| format!("did you mean `{meant}`?")),
            }
        }
    }
}

fn other(group: &str, version: &str, kind: &str) -> Known {
    let found = KINDS.iter().find(|(home, candidate)| candidate.as_str() == kind && *home == group);
    if let Some((_, found)) = found.filter(|_| version == "v1") {
        return Known::Kind(*found);
    }
    // A slip in `istio` must not make the resource vanish.
    let groups = ["networking.istio.io", "security.istio.io", "telemetry.istio.io"];
    match suggest_nearest(group, &groups) {
        Some(meant) => Known::Wrong {
            message: format!("unknown group `{group}`"),
            hint: Some(format!("did you mean `{meant}`?")),
        },
        None => Known::Other,
    }
}

pub(super) fn is_istio(kind: Kind) -> bool {
    KINDS.iter().any(|(group, candidate)| *candidate == kind && group.contains("istio"))
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn hint(api_version: &str, kind: &str) -> Option<String> {
        match known(api_version, kind) {
            Known::Wrong { hint, .. } => hint,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn tells_kinds() {
        for version in ISTIO_VERSIONS {
            let api_version = format!("networking.istio.io/{version}");
            assert_eq!(known(&api_version, "VirtualService"), Known::Kind(Kind::VirtualService));
        }
        assert_eq!(known("v1", "Service"), Known::Kind(Kind::Service));
        assert_eq!(known("apps/v1", "Deployment"), Known::Kind(Kind::Deployment));
        assert_eq!(known("serving.knative.dev/v1", "Service"), Known::Other);
        assert_eq!(known("gateway.networking.k8s.io/v1", "Gateway"), Known::Other);
        assert_eq!(known("v1", "ConfigMap"), Known::Other);
        assert_eq!(known("networking.istio.io/v1alpha3", "EnvoyFilter"), Known::Unsupported);
    }

    #[cfg(feature = "yaml")]
    #[test]
    fn tells_kinds_without_their_group() {
        for api_version in ["v1", "security.istio.io"] {
            let expected = Some("write `apiVersion: security.istio.io/v1`".to_owned());
            assert_eq!(hint(api_version, "AuthorizationPolicy"), expected);
        }
    }

    #[test]
    fn tells_slips() {
        for (api_version, kind, expected) in [
            ("networking.istio.io/v1", "VirtualServce", "did you mean `VirtualService`?"),
            ("networking.istio.io/v1", "AuthorizationPolicy", "write `apiVersion: security.istio.io/v1`"),
            ("networking.istio.io/v2", "Gateway", "one of v1, v1beta1, v1alpha3, v1alpha1"),
            ("networking.isto.io/v1", "Gateway", "did you mean `networking.istio.io`?"),
        ] {
            assert_eq!(hint(api_version, kind).as_deref(), Some(expected), "{api_version} {kind}");
        }
    }
}

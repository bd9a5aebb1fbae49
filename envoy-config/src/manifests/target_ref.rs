//! Objects of the Kubernetes Gateway API that a policy is attached to.

use serde::Serialize;

use super::names::Name;

/// The group of the Gateway API.
const GROUP: &str = "gateway.networking.k8s.io";

/// `targetRefs[]`: an object in the namespace of the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetRef {
    group: &'static str,
    /// Which kind.
    pub kind: TargetKind,
    /// Its name.
    pub name: Name,
    /// A listener of a Gateway, or a rule of a route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section_name: Option<Name>,
}

/// The kinds that HTTP filters can be attached to, in Istio or in Envoy Gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the Gateway API's own names")]
pub enum TargetKind {
    Gateway,
    ListenerSet,
    #[serde(rename = "HTTPRoute")]
    HttpRoute,
    #[serde(rename = "GRPCRoute")]
    GrpcRoute,
}

impl TargetRef {
    /// Reads `KIND/NAME` or `KIND/NAME/SECTION`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, '/');
        let (Some(kind), Some(name)) = (parts.next(), parts.next()) else {
            return Err(format!("`{text}` is not KIND/NAME, such as `Gateway/edge`"));
        };
        let kind = match kind {
            "Gateway" => TargetKind::Gateway,
            "ListenerSet" => TargetKind::ListenerSet,
            "HTTPRoute" => TargetKind::HttpRoute,
            "GRPCRoute" => TargetKind::GrpcRoute,
            "Service" | "ServiceEntry" => {
                return Err(format!(
                    "`{kind}` is for a waypoint, where a filter can't see who the client is: policies on \
                     `principals` would not hold there; leave those to istiod"
                ));
            }
            "TCPRoute" | "TLSRoute" | "UDPRoute" => {
                return Err(format!("`{kind}` has no HTTP requests, which is what our filters look at"));
            }
            other => return Err(format!("`{other}` is none of Gateway, ListenerSet, HTTPRoute, GRPCRoute")),
        };
        let section_name = parts.next().map(Name::parse).transpose()?;
        Ok(Self { group: GROUP, kind, name: Name::parse(name)?, section_name })
    }
}

impl TargetRef {
    /// Whether it is a Gateway, or one of its listeners.
    pub fn is_gateway(&self) -> bool {
        self.kind == TargetKind::Gateway
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_names() {
        let read = TargetRef::parse("HTTPRoute/shop/rule-1").unwrap();
        assert_eq!(
            serde_json::to_string(&read).unwrap(),
            r#"{"group":"gateway.networking.k8s.io","kind":"HTTPRoute","name":"shop","sectionName":"rule-1"}"#
        );
        for bad in ["Gateway", "gateway/a", "Gateway/A", "Service/a", "TCPRoute/a", "Gateway/a/"] {
            assert!(TargetRef::parse(bad).is_err(), "{bad}");
        }
    }
}

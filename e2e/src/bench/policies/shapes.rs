//! AuthorizationPolicies of one shape and any number, on our side and on Envoy's. What the last one allows is asked for,
//! or what none does.

use serde_json::{Value, json};

use super::super::load::Request;
use super::super::{resources, setting};

/// By what the policies differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Each allows its path.
    Exact,
    /// Each allows what is below its path.
    Prefix,
    /// Each allows its peer.
    Principal,
    /// Each allows its addresses.
    Cidr,
    /// Each allows its value of one header.
    Header,
    /// Each allows what fits its template.
    Template,
}

impl Shape {
    /// All of them.
    pub(super) const ALL: [Self; 6] =
        [Self::Exact, Self::Prefix, Self::Principal, Self::Cidr, Self::Header, Self::Template];

    /// As rows are called.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact path",
            Self::Prefix => "path prefix",
            Self::Principal => "principal",
            Self::Cidr => "CIDR",
            Self::Header => "header",
            Self::Template => "template",
        }
    }

    /// Whether the peer has to have a certificate.
    pub(super) fn needs_certificate(self) -> bool {
        self == Self::Principal
    }

    /// Whether a request can be sent that no policy allows: all come from one peer and one address.
    pub(super) fn can_miss(self) -> bool {
        !matches!(self, Self::Principal | Self::Cidr)
    }

    /// How many policies Envoy's own filter can take: with 10,000 templates it needs more than a second for a request.
    pub(super) fn most_native(self) -> usize {
        if self == Self::Template { 1_000 } else { usize::MAX }
    }

    /// `count` policies, and what a gateway needs besides.
    pub(super) fn yaml(self, count: usize) -> String {
        let mut yaml = resources::gateway()
            + &resources::virtual_service("orders", resources::HOST)
            + "  - route: [{destination: {host: orders}}]\n";
        for index in 0..count {
            yaml += &format!(
                "---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: {}}}
spec: {{rules: [{{{}}}]}}
",
                name(index),
                self.rule(index, count)
            );
        }
        yaml
    }

    fn rule(self, index: usize, count: usize) -> String {
        let path = |path: String| format!("to: [{{operation: {{paths: ['{path}']}}}}]");
        match self {
            Self::Exact => path(item(index)),
            Self::Prefix => path(folder(index) + "/*"),
            Self::Template => path(folder(index) + "/{*}"),
            Self::Principal => {
                format!("from: [{{source: {{principals: ['cluster.local/{}']}}}}]", peer(index, count))
            }
            Self::Cidr => format!("from: [{{source: {{ipBlocks: ['{}/32']}}}}]", address(index, count)),
            Self::Header => {
                format!("when: [{{key: 'request.headers[x-tenant]', values: [{}]}}]", tenant(index))
            }
        }
    }

    /// Envoy's filter with the same policies, as istiod writes it.
    pub(super) fn native(self, count: usize) -> Value {
        let policy = |index| {
            let (permission, principal) = self.native_rule(index, count);
            let all_permissions = json!({"and_rules": {"rules": permission}});
            let all_principals = json!({"and_ids": {"ids": principal}});
            let policy = json!({"permissions": [all_permissions], "principals": [all_principals]});
            (format!("ns[default]-policy[{}]-rule[0]", name(index)), policy)
        };
        let policies: serde_json::Map<_, _> = (0..count).map(policy).collect();
        json!({
            "name": "envoy.filters.http.rbac",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
                "rules": {"action": "ALLOW", "policies": policies},
            },
        })
    }

    fn native_rule(self, index: usize, count: usize) -> (Value, Value) {
        let any = json!([{"any": true}]);
        let to = |permission: Value| (json!([{"or_rules": {"rules": [permission]}}]), any.clone());
        let from = |principal: Value| (any.clone(), json!([{"or_ids": {"ids": [principal]}}]));
        match self {
            Self::Exact => to(json!({"url_path": {"path": {"exact": item(index)}}})),
            Self::Prefix => to(json!({"url_path": {"path": {"prefix": folder(index) + "/"}}})),
            Self::Template => to(json!({"uri_template": {
                "name": "uri-template",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
                    "path_template": folder(index) + "/*",
                },
            }})),
            Self::Principal => {
                let name = format!("spiffe://cluster.local/{}", peer(index, count));
                from(json!({"authenticated": {"principal_name": {"exact": name}}}))
            }
            Self::Cidr => {
                from(json!({"direct_remote_ip": {"address_prefix": address(index, count), "prefix_len": 32}}))
            }
            Self::Header => {
                from(json!({"header": {"name": "x-tenant", "string_match": {"exact": tenant(index)}}}))
            }
        }
    }

    /// A request that the policy at `index` allows; if there is none, that none does.
    pub(super) fn request(self, index: usize) -> Request {
        let mut request = setting::request(item(index));
        if self == Self::Header {
            let tenants = request.headers.iter_mut().filter(|(name, _)| name == "x-tenant");
            tenants.for_each(|(_, value)| *value = tenant(index));
        }
        request
    }
}

/// In the order in which Envoy tries them.
fn name(index: usize) -> String {
    format!("generated-{index:05}")
}

fn folder(index: usize) -> String {
    format!("/generated/{index}")
}

fn item(index: usize) -> String {
    folder(index) + "/item-17"
}

fn tenant(index: usize) -> String {
    format!("tenant-{index}")
}

/// The account that all requests come from, which the last policy allows.
pub(super) const CLIENT: (&str, &str) = ("bench", "client");

fn peer(index: usize, count: usize) -> String {
    let (namespace, account) = CLIENT;
    let number = if index + 1 == count { String::new() } else { format!("-{index}") };
    format!("ns/{namespace}/sa/{account}{number}")
}

/// Requests come from the loopback interface, which the last policy allows.
fn address(index: usize, count: usize) -> String {
    if index + 1 == count { "127.0.0.1".to_owned() } else { format!("10.0.{}.{}", index / 256, index % 256) }
}

#[cfg(test)]
mod tests {
    use outrigger_api::Kind;

    use super::*;

    #[test]
    fn every_policy_has_a_counterpart() {
        for shape in Shape::ALL {
            let resources = resources::load(&shape.yaml(3), [1001, 1002]).unwrap();
            let policies =
                resources.iter().filter(|resource| resource.kind == Kind::AuthorizationPolicy).count();
            let native = &shape.native(3)["typed_config"]["rules"]["policies"];
            assert_eq!((policies, native.as_object().unwrap().len()), (3, 3), "{shape:?}");
            if shape.can_miss() {
                assert_ne!(shape.request(2), shape.request(3));
            }
        }
    }
}

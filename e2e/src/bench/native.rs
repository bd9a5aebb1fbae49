//! Envoy's own filters with the same policies.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::resources::generated_path;

/// HTTP filters before the router, and routes.
#[derive(Debug, Clone)]
pub(super) struct Native {
    /// The filters in order.
    pub(super) filters: Vec<Value>,
    /// The routes in order.
    pub(super) routes: Vec<Value>,
}

/// The cluster that the generated rules lead to.
pub(super) const ORDERS: &str = "outbound|8080||orders.default.svc.cluster.local";
/// The one that most of the measured requests go to in the shop.
pub(super) const ORDERS_V1: &str = "outbound|8080|v1|orders.default.svc.cluster.local";

/// The shop.
pub(super) fn shop() -> Result<Native> {
    let mut native: Value = yaml_serde::from_str(include_str!("../../bench/native.yaml"))?;
    let keys = native
        .pointer_mut("/http_filters/0/typed_config/providers/shop/local_jwks/inline_string")
        .context("native.yaml has no place for the keys")?;
    *keys = include_str!("../../keys/jwks.json").into();
    Ok(Native { filters: list(&native, "http_filters")?, routes: list(&native, "routes")? })
}

/// The shop, with jwt_authn's cache of verified tokens, which is off by default.
pub(super) fn shop_with_token_cache() -> Result<Native> {
    let mut native = shop()?;
    let provider =
        native.filters.first_mut().and_then(|filter| filter.pointer_mut("/typed_config/providers/shop"));
    provider.context("native.yaml has no provider")?["jwt_cache_config"] = json!({"jwt_cache_size": 100});
    Ok(native)
}

/// The counterpart of [`super::resources::routes`].
pub(super) fn routes(count: usize) -> Native {
    let route =
        |path: String| json!({"match": {"path": path}, "route": {"cluster": ORDERS, "timeout": "0s"}});
    Native { filters: Vec::new(), routes: (0..count).map(|index| route(generated_path(index))).collect() }
}

/// The counterpart of [`super::resources::rules`]: a policy for each rule, as istiod writes them.
pub(super) fn rules(count: usize) -> Native {
    let policy = |index| {
        let permission = json!({"url_path": {"path": {"exact": generated_path(index)}}});
        let policy = json!({"permissions": [permission], "principals": [{"any": true}]});
        (format!("ns[default]-policy[generated]-rule[{index}]"), policy)
    };
    let policies: serde_json::Map<_, _> = (0..count).map(policy).collect();
    let filter = json!({
        "name": "envoy.filters.http.rbac",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": {"action": "ALLOW", "policies": policies},
        },
    });
    Native { filters: vec![filter], routes: vec![super::listener::route_to(ORDERS)] }
}

fn list(value: &Value, key: &str) -> Result<Vec<Value>> {
    value[key].as_array().cloned().with_context(|| format!("native.yaml has no list `{key}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_filled_in() {
        let native = shop().unwrap();
        assert!(!serde_json::to_string(&native.filters).unwrap().contains("${"));
        assert_eq!(native.filters.len(), 4);
        assert_eq!(native.routes.len(), 11);
    }

    #[test]
    fn every_rule_has_a_counterpart() {
        assert_eq!(routes(10).routes.len(), 10);
        let policies = &rules(10).filters[0]["typed_config"]["rules"]["policies"];
        assert_eq!(policies.as_object().unwrap().len(), 10);
    }
}

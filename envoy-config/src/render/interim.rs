//! Until core has them.
use outrigger_core::route::{Destination, Table};
pub(super) fn destinations(_: &Table) -> Vec<Destination> {
    Vec::new()
}
pub(super) fn cluster_name(d: &Destination) -> String {
    format!("outbound|{}|{}|{}", d.port, d.subset.as_deref().unwrap_or_default(), d.host)
}
pub(super) fn to_json_pretty(c: &outrigger_api::Config) -> String {
    use outrigger_api::node::{Node, Number, Value as V};
    use serde_json::Value as J;
    fn json(n: &Node) -> J {
        match &n.value {
            V::Null => J::Null,
            V::Bool(b) => (*b).into(),
            V::String(s) => s.clone().into(),
            V::Number(Number::Integer(i)) => (*i).into(),
            V::Number(Number::Float(f)) => (*f).into(),
            V::Sequence(s) => s.iter().map(json).collect(),
            V::Mapping(m) => J::Object(m.iter().map(|(k, v)| (k.name.clone(), json(v))).collect()),
        }
    }
    let r: Vec<J> = c.resources.iter().map(|r| json(&r.node)).collect();
    serde_json::to_string_pretty(
        &serde_json::json!({"proxy": {"namespace": c.proxy.namespace, "port": c.proxy.port}, "resources": r}),
    )
    .unwrap_or_default()
}

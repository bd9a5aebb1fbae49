//! The clusters of listeners without filters of ours: those that are rendered tell a service who sends it requests, which
//! is a part of what our filters cost.

use serde_json::Value;

/// What the names of these clusters begin with.
const PLAIN: &str = "plain|";

/// The same cluster without filters behind the router.
pub(super) fn cluster(rendered: &Value) -> Value {
    let mut cluster = rendered.clone();
    for place in ["/name", "/load_assignment/cluster_name"] {
        if let Some(name) = cluster.pointer_mut(place) {
            *name = format!("{PLAIN}{}", name.as_str().unwrap_or_default()).into();
        }
    }
    let options = cluster.get_mut("typed_extension_protocol_options").and_then(Value::as_object_mut);
    for options in options.into_iter().flat_map(|all| all.values_mut()).filter_map(Value::as_object_mut) {
        options.remove("http_filters");
    }
    cluster
}

/// Sends the requests of these routes to clusters of this kind.
pub(super) fn route(routes: &mut Value) {
    match routes {
        Value::Object(fields) => {
            for (field, value) in fields {
                match value {
                    Value::String(cluster) if field == "cluster" => *cluster = format!("{PLAIN}{cluster}"),
                    // Those of `weighted_clusters`.
                    Value::Array(clusters) if field == "clusters" => {
                        for name in clusters.iter_mut().filter_map(|cluster| cluster.get_mut("name")) {
                            *name = format!("{PLAIN}{}", name.as_str().unwrap_or_default()).into();
                        }
                    }
                    _ => route(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(route),
        _ => {}
    }
}

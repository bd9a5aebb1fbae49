//! Conditions on what is asked for, as permissions.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::source::range;
use super::text::{header, string};

/// `hosts`: the port counts, letter case does not.
pub(super) fn host(value: &str) -> Value {
    json!({"header": header(":authority", value, true)})
}

/// `methods`
pub(super) fn method(value: &str) -> Value {
    json!({"header": header(":method", value, false)})
}

/// `paths`, among which are templates.
pub(super) fn path(value: &str) -> Value {
    if value.contains("{*}") || value.contains("{**}") {
        let config = json!({
            "@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
            "path_template": value.replace("{*}", "*").replace("{**}", "**"),
        });
        return json!({"uri_template": {"name": "uri-template", "typed_config": config}});
    }
    json!({"url_path": {"path": string(value, "")}})
}

/// `ports` and `destination.port`
///
/// # Errors
/// No port.
pub(super) fn port(value: &str) -> Result<Value> {
    Ok(json!({"destination_port": value.parse::<u16>().context("a port")?}))
}

/// `destination.ip`
///
/// # Errors
/// No address.
pub(super) fn destination_ip(value: &str) -> Result<Value> {
    Ok(json!({"destination_ip": range(value)?}))
}

/// `connection.sni`
pub(super) fn server_name(value: &str) -> Value {
    json!({"requested_server_name": string(value, "")})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_texts_or_templates() {
        assert_eq!(path("/a*"), json!({"url_path": {"path": {"prefix": "/a"}}}));
        let template = path("/a/{*}/{**}")["uri_template"]["typed_config"]["path_template"].clone();
        assert_eq!(template, "/a/*/**");
    }
}

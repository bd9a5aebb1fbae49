//! Our filters for a configuration.

use std::path::Path;

use anyhow::Result;
use envoy_config::render::SOURCE_IP_KEY;
use outrigger_api::{Config, Problem};
use outrigger_core::{PolicyEngine, PolicySet};
use serde_json::{Value, json};

use super::configuration::Configuration;
use super::proxy::Proxy;

/// The suite or two filters, with what goes before them in a rendered listener.
pub(super) fn filters(configuration: &Configuration, modules: &Path) -> Vec<Value> {
    let proxy = Proxy::of(configuration);
    let names: &[&str] =
        if proxy.is_separate { &["outrigger_jwt_authn", "outrigger_authz"] } else { &["outrigger"] };
    let plugin = proxy.plugin(configuration).to_string();
    let wasm = names.iter().map(|name| wasm(name, &configuration.tag, &plugin, modules));
    let kept = (!proxy.client_is_peer()).then(source_ip);
    kept.into_iter().chain(wasm).collect()
}

fn source_ip() -> Value {
    json!({
        "name": "envoy.filters.http.set_filter_state",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.set_filter_state.v3.Config",
            "on_request_headers": [{
                "object_key": SOURCE_IP_KEY,
                "factory_key": "envoy.string",
                "format_string": {"text_format_source": {"inline_string": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%"}},
            }],
        },
    })
}

fn wasm(name: &str, tag: &str, plugin: &str, modules: &Path) -> Value {
    json!({
        "name": name,
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": format!("{name}-{tag}"),
                "failure_policy": "FAIL_CLOSED",
                "vm_config": {
                    "vm_id": name,
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": {"local": {"filename": modules.join(format!("{name}.wasm"))}},
                },
                "configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": plugin},
            },
        },
    })
}

/// Why they can't carry `configuration` out; `None` if they can.
pub(super) fn refusal(configuration: &Configuration) -> Option<String> {
    type Both = PolicyEngine<{ PolicySet::JWT.bits() | PolicySet::AUTHZ.bits() }>;
    let plugin = Proxy::of(configuration).plugin(configuration).to_string();
    let compiled: Result<Both, Vec<Problem>> =
        Config::read(plugin.as_bytes(), &Both::decoders()).and_then(|config| Both::compile(&config));
    let problems = compiled.err()?;
    Some(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

//! The same token before our suite and before Envoy's own `jwt_authn`, in one Envoy.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use crate::bench::envoy::{Envoy, answering, free_ports};

/// An Envoy with two listeners, which answer what got through with 200.
pub struct BesideJwt {
    ours: u16,
    native: u16,
    agent: ureq::Agent,
    _envoy: Envoy,
    _folder: tempfile::TempDir,
}

/// What a client got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
    /// The header `www-authenticate`, without the port of its listener.
    pub challenge: Option<String>,
}

impl BesideJwt {
    /// Both take tokens of `issuer` with these keys (a JWKS); `module` is one of ours that verifies tokens.
    ///
    /// # Errors
    /// Envoy does not start.
    pub fn start(module: &Path, issuer: &str, jwks: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let [ours, native] = free_ports()?;
        let bootstrap = json!({
            "node": {"id": "beside", "cluster": "beside"},
            "static_resources": {"listeners": [
                answering(ours, "tokens", &suite(module, &configuration(issuer, jwks))),
                answering(native, "tokens", &jwt_authn(issuer, jwks)),
            ]},
        });
        let envoy = Envoy::start("tokens", &bootstrap, folder.path(), None)?;
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(20)));
        Ok(Self { ours, native, agent: config.build().into(), _envoy: envoy, _folder: folder })
    }

    /// What ours and Envoy answer to a request with this token.
    ///
    /// # Errors
    /// No HTTP answer.
    pub fn ask(&self, token: &str) -> Result<(Answered, Answered)> {
        let ask = |port: u16| -> Result<Answered> {
            let request = self.agent.get(format!("http://127.0.0.1:{port}/a?b=c"));
            let mut answer = request.header("authorization", format!("Bearer {token}")).call()?;
            let challenge =
                answer.headers().get("www-authenticate").map(|value| value.to_str()).transpose()?;
            Ok(Answered {
                status: answer.status().as_u16(),
                challenge: challenge.map(|text| text.replace(&format!(":{port}"), "")),
                body: answer.body_mut().read_to_string()?,
            })
        };
        Ok((ask(self.ours)?, ask(self.native)?))
    }
}

/// What our filter is given.
pub fn configuration(issuer: &str, jwks: &str) -> Value {
    let resource = json!({
        "apiVersion": "security.istio.io/v1", "kind": "RequestAuthentication", "metadata": {"name": "tokens"},
        "spec": {"jwtRules": [{"issuer": issuer, "jwks": jwks}]},
    });
    json!({"proxy": {"role": "gateway"}, "resources": [resource]})
}

fn suite(module: &Path, configuration: &Value) -> Value {
    json!({
        "name": "outrigger",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": "outrigger",
                "failure_policy": "FAIL_CLOSED",
                "vm_config": {
                    "vm_id": "outrigger", "runtime": "envoy.wasm.runtime.v8",
                    "code": {"local": {"filename": module}},
                },
                "configuration": {
                    "@type": "type.googleapis.com/google.protobuf.StringValue",
                    "value": configuration.to_string(),
                },
            },
        },
    })
}

/// As istiod writes it for the same rule.
fn jwt_authn(issuer: &str, jwks: &str) -> Value {
    let any = json!([{"provider_name": "origins-0"}, {"allow_missing": {}}]);
    json!({
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": {"origins-0": {
                "issuer": issuer, "local_jwks": {"inline_string": jwks}, "payload_in_metadata": "payload",
            }},
            "rules": [{"match": {"prefix": "/"}, "requires": {"requires_any": {"requirements": any}}}],
            "bypass_cors_preflight": true,
        },
    })
}

//! Envoy's own fault filter, as what ours is held against.

use anyhow::Result;
use serde_json::{Value, json};

use crate::bench::envoy::{Envoy, answering, free_ports};

/// An Envoy that injects faults by itself and answers every request.
pub struct NativeFault {
    /// Where it listens.
    pub address: String,
    _envoy: Envoy,
    _folder: tempfile::TempDir,
}

impl NativeFault {
    /// Starts one; `fault` is an `envoy.extensions.filters.http.fault.v3.HTTPFault` without its type.
    ///
    /// # Errors
    /// It does not come up.
    pub fn start(fault: &Value) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let [port] = free_ports()?;
        let bootstrap = json!({
            "node": {"id": "native", "cluster": "native"},
            "static_resources": {"listeners": [listener(port, fault)]},
        });
        let envoy = Envoy::start("native fault", &bootstrap, folder.path(), None)?;
        Ok(Self { address: format!("127.0.0.1:{port}"), _envoy: envoy, _folder: folder })
    }
}

fn listener(port: u16, fault: &Value) -> Value {
    let mut fault = fault.clone();
    fault["@type"] = "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault".into();
    answering(port, "native", &json!({"name": "envoy.filters.http.fault", "typed_config": fault}))
}

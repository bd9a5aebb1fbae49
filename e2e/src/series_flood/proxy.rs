//! The gateway that is flooded.

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use super::options::Options;
use super::{WORKERS, memory};
use crate::client::Client;
use crate::launch::{Gateway, outrigger};
use crate::ports::free_port;

/// What a request is answered with.
pub(super) const BODY: &str = "through";

const RESOURCES: &str = "apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: all}
spec:
  hosts: ['*']
  gateways: [edge]
  http: [{directResponse: {status: 200, body: {string: through}}}]
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: free}
spec:
  metrics:
  - overrides:
    - tagOverrides:
        path: {value: request.url_path}
        host: {value: request.host}
        agent: {value: request.useragent}
        team: {value: \"request.headers['x-team']\"}
";

/// A running gateway; it ends with this value.
pub(super) struct Proxy {
    pub(super) address: String,
    pub(super) admin: Client,
    gateway: Gateway,
    _folder: TempDir,
}

impl Proxy {
    pub(super) fn start(options: &Options) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("resources.yaml");
        std::fs::write(&file, RESOURCES)?;
        let (port, admin) = (free_port()?, format!("127.0.0.1:{}", free_port()?));
        let flags = [
            "-f".to_owned(),
            file.display().to_string(),
            format!("--port=80={port}"),
            format!("--admin={admin}"),
            "--bind=127.0.0.1".to_owned(),
            format!("--concurrency={WORKERS}"),
            format!("--max-series={}", options.most),
        ];
        let (gateway, lines) = Gateway::start(&outrigger()?, &flags)?;
        // Nobody reads on, and nothing is kept.
        drop(lines);
        let address = format!("127.0.0.1:{port}");
        Ok(Self { address, admin: Client::new(admin), gateway, _folder: folder })
    }

    /// Memory that Envoy has in use, in bytes.
    pub(super) fn memory(&self) -> Result<u64> {
        let envoy = memory::child_of(self.gateway.id()).context("Envoy is no child of `outrigger run`")?;
        memory::resident(envoy)
    }
}

//! The services of `e2e/mesh`, a gateway, A and B, with mutual TLS between them: in containers, with the sidecars that
//! `outrigger compose inject` puts beside them, or as processes with the certificates of `outrigger certs`.

mod containers;
mod processes;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

pub use containers::MeshContainers;
pub use processes::MeshProcesses;

use crate::client::Client;
use crate::tally::Seen;

/// By this path the gateway asks A, and A asks B for `/`.
pub const THROUGH_A: &str = "/via/b.demo-b:9090";

/// The host of the gateway.
const HOST: &str = "mesh.demo";

/// The mesh, wherever it runs; it ends with the value.
pub trait Mesh {
    /// What the gateway answers.
    ///
    /// # Errors
    /// No answer.
    fn ask(&self, method: &str, path: &str) -> Result<Seen>;

    /// A client without a certificate of B's sidecar.
    ///
    /// # Errors
    /// It can't be found.
    fn stranger(&self) -> Result<Client>;
}

/// Copies the mesh's Istio resources to a folder `istio` below `folder`, where others come to them.
fn resources(folder: &Path) -> Result<PathBuf> {
    let resources = folder.join("istio");
    fs::create_dir(&resources)?;
    for file in ["gateway.yaml", "security.yaml"] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("mesh/istio").join(file);
        fs::copy(from, resources.join(file))?;
    }
    Ok(resources)
}

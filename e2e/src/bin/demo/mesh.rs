//! The second part: two services behind a gateway that know each other by certificate.

use std::time::Instant;

use anyhow::Result;
use outrigger_e2e::launch::{Mesh, MeshContainers, MeshProcesses, THROUGH_A, docker_answers};
use outrigger_e2e::tally::Seen;

use crate::Walk;

const GATEWAY: &str = "spiffe://cluster.local/ns/istio-system/sa/gateway";
const A: &str = "spiffe://cluster.local/ns/demo-app/sa/a";

/// Starts the mesh and walks through it.
pub fn walk(walk: &mut Walk) -> Result<()> {
    let started = Instant::now();
    let mesh: Box<dyn Mesh> = if docker_answers() {
        eprintln!("\nStarting e2e/mesh/compose.yaml with the sidecars of `outrigger compose inject`.");
        Box::new(MeshContainers::start()?)
    } else {
        eprintln!("\nStarting a mesh of local processes with the certificates of `outrigger certs`.");
        Box::new(MeshProcesses::start()?)
    };
    eprintln!(
        "Gateway, A and B serve after {:.1} s; mutual TLS is STRICT.\n",
        started.elapsed().as_secs_f64()
    );

    let b_from_a = format!("{THROUGH_A}/headers");
    let seen = mesh.ask("GET", "/headers")?;
    walk.line("who asks A, by certificate (GET /headers)", GATEWAY, &peer(&seen), peer(&seen) == GATEWAY);
    let seen = mesh.ask("GET", &b_from_a)?;
    walk.line("who asks B when A does, by certificate", A, &peer(&seen), peer(&seen) == A);
    for (title, method, path) in [
        ("A may only GET from B (POST)", "POST", format!("{THROUGH_A}/anything")),
        ("the gateway may not ask B itself (GET)", "GET", "/b/headers".to_owned()),
    ] {
        let status = mesh.ask(method, &path)?.status;
        let text = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        walk.line(title, "403", &text, status == Some(403));
    }
    let plain = mesh.stranger()?.request("GET", "b.demo-b", "/headers", &[]);
    let status = plain.ok().and_then(|seen| seen.status);
    let text = status.map_or_else(|| "connection closed".to_owned(), |status| status.to_string());
    walk.line("a client without a certificate asks B", "connection closed", &text, status.is_none());
    Ok(())
}

/// The last element of the header by which a sidecar tells its application who has asked.
fn peer(seen: &Seen) -> String {
    let headers = seen.request_headers.as_ref();
    let told = headers.and_then(|headers| headers.get("x-forwarded-client-cert"));
    let last = told.and_then(|told| told.rsplit("URI=").next());
    last.map_or_else(|| format!("nobody ({:?})", seen.status), str::to_owned)
}

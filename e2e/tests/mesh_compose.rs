//! Gateway, A and B in containers, with the sidecars of `outrigger compose inject`: mutual TLS all the way, and whole again
//! after restarts in any order.

use outrigger_e2e::launch::{Mesh, MeshContainers, MeshProcesses, THROUGH_A, docker_answers};

const GATEWAY: &str = "spiffe://cluster.local/ns/istio-system/sa/gateway";
const A: &str = "spiffe://cluster.local/ns/demo-app/sa/a";
const B: &str = "spiffe://cluster.local/ns/demo-b/sa/b";

/// The header by which a service knows who has asked, and who it is itself.
fn told(mesh: &dyn Mesh, path: &str) -> String {
    let seen = mesh.ask("GET", path).unwrap();
    assert_eq!(seen.status, Some(200), "{seen:?}");
    let headers = seen.request_headers.unwrap();
    headers.get("x-forwarded-client-cert").unwrap().clone()
}

/// Whoever asks has to be who they say they are, and to be allowed.
fn only_those_who_may(mesh: &dyn Mesh) {
    // Each service is told by which certificate it was asked, and by which it has answered.
    let at_a = told(mesh, "/headers");
    assert!(at_a.contains(&format!("By={A};")) && at_a.ends_with(&format!("URI={GATEWAY}")), "{at_a}");
    let at_b = told(mesh, &format!("{THROUGH_A}/headers"));
    assert!(at_b.contains(&format!("By={B};")) && at_b.ends_with(&format!("URI={A}")), "{at_b}");

    // B lets A's namespace in, and only for GET.
    assert_eq!(mesh.ask("POST", &format!("{THROUGH_A}/anything")).unwrap().status, Some(403));
    assert_eq!(mesh.ask("GET", "/b/headers").unwrap().status, Some(403), "the gateway asks B itself");

    // Without a certificate nobody gets in.
    let seen = mesh.stranger().unwrap().request("GET", "b", "/headers", &[]);
    assert!(seen.as_ref().map_or(true, |seen| seen.status.is_none()), "{seen:?}");
}

#[test]
fn a_mesh_of_processes() {
    only_those_who_may(&MeshProcesses::start().unwrap());
}

#[test]
fn a_mesh_of_containers() {
    if !docker_answers() {
        eprintln!("\n!!! NO DOCKER ENGINE ANSWERS HERE: nothing of the mesh in containers was tested.\n");
        return;
    }
    let mesh = MeshContainers::start().unwrap();
    only_those_who_may(&mesh);

    // Whoever is started anew, and in whichever order: it is whole again by itself.
    let orders: [&[&str]; 3] =
        [&["b"], &["outrigger-certs", "a-sidecar", "gateway"], &["b-sidecar", "a", "b"]];
    for services in orders {
        for service in services {
            mesh.compose(&["restart", "-t", "1", service]).unwrap();
        }
        mesh.wait_until_whole().unwrap();
    }
    only_those_who_may(&mesh);
}

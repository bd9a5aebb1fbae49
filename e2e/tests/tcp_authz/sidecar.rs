//! An application beside a sidecar that speaks something else than HTTP.

use outrigger_e2e::launch::{Gateway, outrigger};
use outrigger_e2e::ports::free_port;

use super::identity::Authority;
use super::policy;
use super::proxy::{backend, connect, passes};

#[test]
fn peers_reach_it_by_mutual_tls_and_rules() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    authority.workload("spiffe://cluster.local/ns/default/sa/db", "db.test", folder.path());
    let (application, opened, outbound, admin) =
        (backend(), free_port().unwrap(), free_port().unwrap(), free_port().unwrap());
    let resources = format!(
        "apiVersion: v1
kind: Service
metadata: {{name: db}}
spec: {{selector: {{app: db}}, ports: [{{port: 5432, targetPort: {application}, name: tcp-db}}]}}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {{name: strict}}
spec: {{mtls: {{mode: STRICT}}}}
"
    );
    let rule = format!(
        "{{rules: [{{from: [{{source: {{serviceAccounts: [shop/ann]}}}}], to: [{{operation: {{ports: ['{application}']}}}}]}}]}}"
    );
    let file = folder.path().join("db.yaml");
    std::fs::write(&file, resources + &policy("ann", &rule)).unwrap();
    let flags = [
        format!("-f={}", file.display()),
        "--role=sidecar".to_owned(),
        "--label=app=db".to_owned(),
        "--bind=127.0.0.1".to_owned(),
        format!("--certs={}", folder.path().display()),
        format!("--app-port={application}"),
        format!("--port=15006={opened}"),
        format!("--port=15001={outbound}"),
        format!("--admin=127.0.0.1:{admin}"),
    ];
    let (_gateway, _lines) = Gateway::start(&outrigger().unwrap(), &flags).unwrap();
    for (id, expected) in [
        ("spiffe://cluster.local/ns/shop/sa/ann", true),
        ("spiffe://cluster.local/ns/shop/sa/eve", false),
        ("spiffe://foreign.test/ns/shop/sa/ann", false),
    ] {
        let client = authority.client(Some(id));
        let mut stream = client.connect(opened, "db.test");
        // A client whose trust domain is foreign is told so by the end of the handshake.
        let shaken = stream.conn.complete_io(&mut stream.sock).is_ok();
        assert_eq!(shaken && super::proxy::passes_or_alerts(stream), expected, "{id}");
    }
    assert!(!passes(connect(opened)), "plain text");
}

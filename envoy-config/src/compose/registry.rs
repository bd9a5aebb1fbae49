//! Where the applications are for each other: a ServiceEntry for each, whose endpoint is its sidecar.

use super::emit;
use super::generate::{Settings, sidecar};
use super::model::{Model, Role};

/// Over the file.
const HEADER: &str = "\
# Written by `outrigger compose inject`, which writes it anew: where the services with a sidecar are. The label
# `security.istio.io/tlsMode: istio` lets other sidecars speak mutual TLS with them.
";

/// The file of ServiceEntries.
pub(super) fn service_entries(model: &Model<'_>, settings: &Settings) -> String {
    let mut text = HEADER.to_owned();
    for service in model.injected() {
        let Role::Application { ports, .. } = &service.role else { continue };
        let namespace = service.namespace().unwrap_or(&settings.namespace);
        let name = service.name;
        text += &format!(
            "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata:\n  name: {}\n  namespace: {}\nspec:\n",
            emit::text(name),
            emit::text(namespace)
        );
        text += &format!("  hosts:\n  - {name}.{namespace}.svc.cluster.local\n");
        text += "  location: MESH_INTERNAL\n  resolution: DNS\n  ports:\n";
        for port in ports {
            text += &format!("  - number: {port}\n    name: http-{port}\n    protocol: HTTP\n");
        }
        text += &format!("  endpoints:\n  - address: {}\n    labels:\n", sidecar(name));
        for (key, value) in service.workload_labels() {
            text += &format!("      {}: {}\n", emit::text(key), emit::text(value));
        }
        text += "      security.istio.io/tlsMode: istio\n";
        text += &format!("    serviceAccount: {}\n", emit::text(service.service_account()));
    }
    text
}

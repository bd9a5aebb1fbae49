//! The Istio resources of the benchmark.

use anyhow::{Result, bail};
use envoy_config::Inputs;
use outrigger_api::Resource;

/// The path that the N-th generated rule is about. The last one is asked for.
pub(super) fn generated_path(index: usize) -> String {
    format!("/generated/{index}/item")
}

pub(super) const HOST: &str = "shop.example.com";

/// The shop, with its services at `upstreams`: version v1 and v2.
pub(super) fn shop(upstreams: [u16; 2]) -> Result<Vec<Resource>> {
    load(include_str!("../../bench/resources.yaml"), upstreams)
}

/// A VirtualService with `count` routes, each for one path.
pub(super) fn routes(count: usize, upstreams: [u16; 2]) -> Result<Vec<Resource>> {
    let mut yaml = gateway() + &virtual_service("generated", HOST);
    for index in 0..count {
        yaml += &format!(
            "  - match: [{{uri: {{exact: {}}}}}]\n    route: [{{destination: {{host: orders}}}}]\n",
            generated_path(index)
        );
    }
    load(&yaml, upstreams)
}

/// An AuthorizationPolicy with `count` rules, each for one path, and a VirtualService with one route.
pub(super) fn rules(count: usize, upstreams: [u16; 2]) -> Result<Vec<Resource>> {
    let mut yaml =
        gateway() + &virtual_service("generated", HOST) + "  - route: [{destination: {host: orders}}]\n";
    yaml += "---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: generated}
spec:
  action: ALLOW
  rules:
";
    for index in 0..count {
        yaml += &format!("  - to: [{{operation: {{paths: [{}]}}}}]\n", generated_path(index));
    }
    load(&yaml, upstreams)
}

/// Serves every host on port 80.
pub(super) fn gateway() -> String {
    "apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gateway}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]
"
    .to_owned()
}

/// A VirtualService up to its rules.
pub(super) fn virtual_service(name: &str, host: &str) -> String {
    format!(
        "---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {name}}}
spec:
  hosts: ['{host}']
  gateways: [gateway]
  http:
"
    )
}

/// Where the services are.
fn services([v1, v2]: [u16; 2]) -> String {
    let services = include_str!("../../bench/services.yaml");
    services.replace("http: 9001", &format!("http: {v1}")).replace("http: 9002", &format!("http: {v2}"))
}

/// `yaml` with the services at `upstreams`.
pub(super) fn load(yaml: &str, upstreams: [u16; 2]) -> Result<Vec<Resource>> {
    let folder = tempfile::tempdir()?;
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).map(|()| path)
    };
    let files = vec![write("resources.yaml", yaml)?, write("services.yaml", &services(upstreams))?];
    let loaded = match Inputs::new(files, "default".to_owned()).load() {
        Ok(loaded) => loaded,
        Err(unreadable) => bail!("{unreadable:?}"),
    };
    if let Some(first) = loaded.problems.iter().find(|problem| problem.is_error()) {
        bail!("the benchmark's resources: {first}");
    }
    Ok(loaded.resources)
}

#[cfg(test)]
mod tests {
    use outrigger_api::Kind;

    use super::*;

    #[test]
    fn the_resources_are_right() {
        let count =
            |resources: &[Resource], kind| resources.iter().filter(|found| found.kind == kind).count();
        let shop = shop([1001, 1002]).unwrap();
        assert_eq!(count(&shop, Kind::ServiceEntry), 2);
        assert_eq!(count(&shop, Kind::AuthorizationPolicy), 2);
        assert_eq!(count(&shop, Kind::RequestAuthentication), 1);
        assert_eq!(count(&routes(3, [1001, 1002]).unwrap(), Kind::VirtualService), 1);
        assert_eq!(count(&rules(3, [1001, 1002]).unwrap(), Kind::AuthorizationPolicy), 1);
    }
}

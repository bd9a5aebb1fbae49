//! Random configurations: Istio resources that use the whole of what a gateway matches and does.

mod action;
mod claims;
mod cors;
mod delegate;
mod destination;
mod headers;
mod matches;

use serde_json::{Value, json};

pub(super) use self::claims::{ISSUER, KEYS, tokens};
use super::configuration::{Configuration, tag};
use super::random::Random;
use super::upstream::{EMPTY_SUBSET, Endpoint, SERVICES};

/// The ports that every Gateway may have servers on.
pub(super) const PORTS: [u16; 2] = [80, 8080];

/// The `index`th configuration of the run with `seed`.
pub(super) fn configuration(seed: u64, index: usize) -> Configuration {
    let mut random = Random::new(seed, index as u64);
    let tag = tag(index);
    let mut resources = vec![gateway(&mut random, &tag)];
    for number in 0..*random.one(&[1, 1, 1, 2, 3]) {
        resources.push(virtual_service(&mut random, &tag, number));
    }
    if random.chance(15) {
        delegate::add(&mut random, &mut resources, &tag);
    }
    Configuration { tag, resources }
}

/// What all configurations share: the services, and a Gateway that opens both ports.
pub(super) fn common(endpoints: &[Endpoint]) -> Vec<Value> {
    let mut common = vec![resource("Gateway", "shared", "default", gateway_spec(&PORTS, &["shared.test"]))];
    common.push(claims::authentication());
    for service in SERVICES {
        let here: Vec<_> = endpoints.iter().filter(|endpoint| endpoint.host == service.host).collect();
        let name = |port: u16| format!("http-{port}");
        let ports: Vec<_> = service
            .ports
            .iter()
            .map(|port| json!({"number": port, "name": name(*port), "protocol": "HTTP"}))
            .collect();
        let reached = service.versions.iter().map(|version| {
            let mut ports = serde_json::Map::new();
            for endpoint in here.iter().filter(|endpoint| endpoint.version == *version) {
                ports.insert(name(endpoint.port), endpoint.real.into());
            }
            json!({"address": "127.0.0.1", "ports": ports, "labels": {"version": version}})
        });
        let spec = json!({
            "hosts": [service.host], "resolution": "STATIC", "location": "MESH_EXTERNAL",
            "ports": ports, "endpoints": reached.collect::<Vec<_>>(),
        });
        let namespace = if service.host.contains(".other.") { "other" } else { "default" };
        common.push(resource("ServiceEntry", &service.host.replace('.', "-"), namespace, spec));
        if service.versions.len() > 1 {
            let subset = |name: &&str| json!({"name": name, "labels": {"version": name}});
            let mut subsets: Vec<_> = service.versions.iter().map(subset).collect();
            subsets.push(subset(&EMPTY_SUBSET));
            let mut spec = json!({"host": service.host, "subsets": subsets});
            if let Some(header) = service.hash {
                spec["trafficPolicy"] =
                    json!({"loadBalancer": {"consistentHash": {"httpHeaderName": header}}});
            }
            common.push(resource("DestinationRule", &service.host.replace('.', "-"), namespace, spec));
        }
    }
    common
}

fn resource(kind: &str, name: &str, namespace: &str, spec: Value) -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1", "kind": kind,
        "metadata": {"name": name, "namespace": namespace}, "spec": spec,
    })
}

fn gateway_spec(ports: &[u16], hosts: &[&str]) -> Value {
    let server = |port: &u16| {
        let port = json!({"number": port, "name": format!("http-{port}"), "protocol": "HTTP"});
        json!({"port": port, "hosts": hosts})
    };
    json!({"selector": {"istio": "ingressgateway"}, "servers": ports.iter().map(server).collect::<Vec<_>>()})
}

fn gateway(random: &mut Random, tag: &str) -> Value {
    let ports = [&PORTS[..], &PORTS[..1], &PORTS[1..], &PORTS[..]];
    let ports = random.pick(&ports);
    let wide = format!("*.{tag}.test");
    let (narrow, scoped) = (format!("a.{tag}.test"), format!("default/*.{tag}.test"));
    let hosts: &[&[&str]] = &[&[&wide], &[&wide], &[&narrow], &[&scoped], &[&wide, &narrow]];
    resource("Gateway", &format!("{tag}-gateway"), "default", gateway_spec(ports, random.pick(hosts)))
}

fn virtual_service(random: &mut Random, tag: &str, number: usize) -> Value {
    let (a, b) = (format!("a.{tag}.test"), format!("b.{tag}.test"));
    let (all, below) = (format!("*.{tag}.test"), format!("*.a.{tag}.test"));
    let upper = format!("A.{tag}.TEST");
    let hosts: &[&[&str]] = &[&[&a], &[&a], &[&a, &b], &[&all], &[&b], &[&below], &[&a, &below], &[&upper]];
    let namespace = if random.chance(15) { "other" } else { "default" };
    let rules: Vec<_> = (0..random.between(1, 5)).map(|index| rule(random, tag, namespace, index)).collect();
    let gateway = format!("default/{tag}-gateway");
    let mut spec = json!({"hosts": random.pick(hosts), "gateways": [gateway], "http": rules});
    if random.chance(10) {
        spec["exportTo"] = json!([random.pick(&["*", ".", "default"])]);
    }
    let mut service = resource("VirtualService", &format!("{tag}-{}", 9 - number), namespace, spec);
    if random.chance(50) {
        let time = random.pick(&["2024-01-01T00:00:00Z", "2024-01-01T00:00:01Z", "2025-06-01T12:00:00Z"]);
        service["metadata"]["creationTimestamp"] = time.into();
    }
    service
}

fn rule(random: &mut Random, tag: &str, namespace: &str, index: usize) -> Value {
    let mut rule = json!({});
    if random.chance(20) {
        rule["name"] = format!("rule-{index}").into();
    }
    // The last rule often takes what is left, and sometimes one in the middle does.
    if !random.chance(if index > 2 { 40 } else { 12 }) {
        let matches: Vec<_> =
            (0..*random.one(&[1, 1, 1, 2, 3])).map(|_| matches::entry(random, tag)).collect();
        rule["match"] = matches.into();
    }
    action::fill(random, &mut rule, namespace);
    rule
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_configurations() {
        assert_eq!(configuration(1, 5), configuration(1, 5));
        assert_ne!(configuration(1, 5).resources, configuration(2, 5).resources);
    }

    #[test]
    fn the_tag_can_be_exchanged() {
        let renamed = configuration(1, 5).renamed(&tag(77));
        assert!(!renamed.resources.iter().any(|resource| resource.to_string().contains("c000005")));
        assert_eq!(renamed.renamed(&tag(5)), configuration(1, 5));
    }
}

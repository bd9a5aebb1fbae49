//! Configurations for a listener at hand: policies speak of ports and addresses before anybody knows which are free.

use std::net::Ipv4Addr;

use serde_json::Value;

use super::configuration::Configuration;
use super::words::{OWN_ADDRESS, PORTS};

/// Where a listener is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Its first address, and its second.
    pub(super) addresses: [Ipv4Addr; 2],
    /// What stands for each of [`PORTS`].
    pub(super) ports: [u16; 2],
}

impl Place {
    /// `configuration` with this listener's ports and address.
    pub(super) fn put_into(&self, configuration: &Configuration) -> Configuration {
        let mut placed = configuration.clone();
        for resource in placed.resources.iter_mut().filter(|one| one["kind"] == "AuthorizationPolicy") {
            for rule in entries(resource.pointer_mut("/spec/rules")) {
                for entry in entries(rule.get_mut("to")) {
                    for field in ["ports", "notPorts"] {
                        self.ports(entry.pointer_mut(&format!("/operation/{field}")));
                    }
                }
                for entry in entries(rule.get_mut("when")) {
                    let key = entry["key"].as_str().unwrap_or_default().to_owned();
                    for list in ["values", "notValues"] {
                        match key.as_str() {
                            "destination.port" => self.ports(entry.get_mut(list)),
                            "destination.ip" => self.address(entry.get_mut(list)),
                            _ => {}
                        }
                    }
                }
            }
        }
        placed
    }

    fn ports(&self, list: Option<&mut Value>) {
        for value in entries(list) {
            let known = PORTS
                .iter()
                .position(|port| value.as_str().and_then(|text| text.parse().ok()) == Some(*port));
            if let Some(index) = known {
                *value = self.ports[index].to_string().into();
            }
        }
    }

    fn address(&self, list: Option<&mut Value>) {
        for value in entries(list) {
            if let Some(text) = value.as_str() {
                *value = text.replacen(OWN_ADDRESS, &self.addresses[0].to_string(), 1).into();
            }
        }
    }
}

fn entries(list: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    list.and_then(Value::as_array_mut).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ports_and_the_own_address_are_put_in() {
        let resources = vec![json!({"kind": "AuthorizationPolicy", "spec": {"rules": [{
            "to": [{"operation": {"ports": ["8080", "80"], "notPorts": ["08443"], "hosts": ["a:8080"]}}],
            "when": [
                {"key": "destination.port", "values": ["8443"]},
                {"key": "destination.ip", "notValues": ["127.9.9.9/24", "10.0.0.1"]},
                {"key": "source.ip", "values": ["127.9.9.9"]},
            ],
        }]}})];
        let place =
            Place { addresses: [Ipv4Addr::new(127, 1, 0, 7), Ipv4Addr::new(127, 2, 0, 7)], ports: [11, 12] };
        let placed = place.put_into(&Configuration { tag: String::new(), resources });
        assert_eq!(
            placed.resources[0]["spec"]["rules"][0],
            json!({
                "to": [{"operation": {"ports": ["11", "80"], "notPorts": ["12"], "hosts": ["a:8080"]}}],
                "when": [
                    {"key": "destination.port", "values": ["12"]},
                    {"key": "destination.ip", "notValues": ["127.1.0.7/24", "10.0.0.1"]},
                    {"key": "source.ip", "values": ["127.9.9.9"]},
                ],
            })
        );
    }
}

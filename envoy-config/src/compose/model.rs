//! What a compose file says that matters to sidecars.

use std::collections::BTreeMap;

use outrigger_api::node::{Node, Position, Value};
use outrigger_api::{label_key, label_value};

use super::values::{container_port, is_datagram, items, labels, names, scalar, switch};
use super::{APP_PORT, ComposeError, DIRECT, GATEWAY, INJECT, NAMESPACE, SERVICE_ACCOUNT};
use crate::names;

/// Labels that are not about the workload.
const FOREIGN: [&str; 3] = ["outrigger.io/", "sidecar.istio.io/", "com.docker."];

/// The services of a compose file.
#[derive(Debug)]
pub(super) struct Model<'n> {
    /// The whole file.
    pub(super) root: &'n Node,
    /// The services in the order written.
    pub(super) services: Vec<Service<'n>>,
}

/// A service.
#[derive(Debug)]
pub(super) struct Service<'n> {
    /// Its name.
    pub(super) name: &'n str,
    /// Where its name stands.
    pub(super) position: Option<Position>,
    /// What stands under its name.
    pub(super) node: &'n Node,
    /// Its labels.
    labels: BTreeMap<String, String>,
    /// What it is to the mesh.
    pub(super) role: Role,
}

/// What a service is to the mesh.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing.
    Outside,
    /// It runs a proxy of its own and needs a certificate.
    Gateway,
    /// It gets a sidecar.
    Application {
        /// The ports where it listens.
        ports: Vec<u16>,
        /// The services that it speaks to past its sidecar.
        direct: Vec<String>,
    },
}

impl<'n> Model<'n> {
    /// Reads a file.
    pub(super) fn read(root: &'n Node) -> Result<Self, Vec<ComposeError>> {
        let Some((key, services)) = root.entry("services") else {
            return Err(vec![ComposeError::new("there are no `services`: this is not a compose file", None)]);
        };
        let Value::Mapping(entries) = &services.value else {
            return Err(vec![ComposeError::new("`services` is not a mapping", key.position)]);
        };
        let mut problems = Vec::new();
        let mut read = Vec::new();
        let all = inject_all(root).unwrap_or_else(|problem| {
            problems.push(problem);
            false
        });
        for (key, node) in entries {
            match labels(node) {
                Ok(labels) => read.push(Service {
                    name: &key.name,
                    position: key.position,
                    node,
                    labels,
                    role: Role::Outside,
                }),
                Err(problem) => problems.push(problem),
            }
        }
        let wants = |service: &Service<'_>| {
            service.wants(all).unwrap_or_else(|problem| {
                problems.push(problem);
                Wants::Nothing
            })
        };
        let wanted: Vec<_> = read.iter().map(wants).collect();
        let outside: Vec<String> = read
            .iter()
            .zip(&wanted)
            .filter(|(_, wants)| **wants == Wants::Nothing)
            .map(|(it, _)| it.name.to_owned())
            .collect();
        for (service, wants) in read.iter_mut().zip(wanted) {
            let role = match wants {
                Wants::Nothing => Ok(Role::Outside),
                Wants::Certificate => service.is_named().map(|()| Role::Gateway),
                Wants::Sidecar => service.is_named().and_then(|()| service.application(&outside)),
            };
            match role {
                Ok(role) => service.role = role,
                Err(problem) => problems.push(problem),
            }
        }
        let model = Self { root, services: read };
        problems.extend(model.services.iter().filter_map(|service| model.inherits_a_sidecar(service)));
        if problems.is_empty() { Ok(model) } else { Err(problems) }
    }

    /// A service that takes over the networks of an application would be taken for it by its sidecar.
    fn inherits_a_sidecar(&self, service: &Service<'_>) -> Option<ComposeError> {
        let (key, from) = service.node.entry("extends")?;
        let name = from.as_str().or_else(|| from.get("service").and_then(Node::as_str))?;
        let here = from.get("file").is_none();
        let injected = self.injected().any(|other| other.name == name) && here;
        (injected && service.role == Role::Outside).then(|| {
            let message = format!("service `{}` extends `{name}`, which gets a sidecar", service.name);
            ComposeError::new(message, key.position)
                .hint("take over what both have in common by an anchor (`<<: *common`)")
        })
    }

    /// The services that get a sidecar.
    pub(super) fn injected(&self) -> impl Iterator<Item = &Service<'n>> {
        self.services.iter().filter(|service| matches!(service.role, Role::Application { .. }))
    }

    /// The services that are known by a certificate.
    pub(super) fn with_certificate(&self) -> impl Iterator<Item = &Service<'n>> {
        self.services.iter().filter(|service| service.role != Role::Outside)
    }

    /// What the user should know.
    pub(super) fn warnings(&self) -> Vec<ComposeError> {
        let mut warnings = Vec::new();
        for service in self.injected() {
            if let Some((key, ports)) = service.node.entry("ports")
                && !matches!(&ports.value, Value::Sequence(items) if items.is_empty())
            {
                let message = format!(
                    "service `{}` publishes ports: whoever reaches them comes to it past its sidecar",
                    service.name
                );
                warnings
                    .push(ComposeError::new(message, key.position).hint("publish a gateway's ports instead"));
            }
        }
        for service in self.injected() {
            let no_labels: Vec<_> = service
                .own_labels()
                .filter(|(key, value)| !is_label(key, value))
                .map(|(key, _)| key)
                .collect();
            if !no_labels.is_empty() {
                let message = format!(
                    "nothing can choose service `{}` by `{}`: no workload has such labels",
                    service.name,
                    no_labels.join("`, `")
                );
                let at = service.node.entry("labels").and_then(|(key, _)| key.position);
                warnings.push(ComposeError::new(message, at));
            }
        }
        if self.with_certificate().next().is_none() {
            warnings.push(
                ComposeError::new("no service asks for a sidecar", None)
                    .hint(format!("give it the label `{INJECT}: \"true\"`")),
            );
        }
        warnings
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wants {
    Nothing,
    Certificate,
    Sidecar,
}

impl Service<'_> {
    fn wants(&self, all: bool) -> Result<Wants, ComposeError> {
        Ok(match (self.says(GATEWAY)?, self.says(INJECT)?) {
            (Some(true), _) => Wants::Certificate,
            (_, Some(true)) => Wants::Sidecar,
            (_, None) if all => Wants::Sidecar,
            _ => Wants::Nothing,
        })
    }

    /// What a label that is a switch says.
    fn says(&self, label: &str) -> Result<Option<bool>, ComposeError> {
        switch(self.labels.get(label).map_or("", String::as_str)).map_err(|why| {
            let at = self.node.entry("labels").and_then(|(key, _)| key.position);
            ComposeError::new(format!("label `{label}` of service `{}`: {why}", self.name), at)
        })
    }

    fn application(&self, outside: &[String]) -> Result<Role, ComposeError> {
        if let Some((key, _)) = self.node.entry("network_mode") {
            let message = format!(
                "service `{}` has a `network_mode`, and can't move to a network with its sidecar",
                self.name
            );
            return Err(
                ComposeError::new(message, key.position).hint("let it have `networks`, or none of both")
            );
        }
        if let Some((key, _)) = self.node.entry("extends") {
            let message = format!(
                "service `{}` extends another: the networks it takes over would lead past its sidecar",
                self.name
            );
            let hint = "take over what both have in common by an anchor (`<<: *common`), or write it out";
            return Err(ComposeError::new(message, key.position).hint(hint));
        }
        // Others find it, and its sidecar, by name.
        let as_host =
            names::service_account(self.name).is_ok() && outrigger_api::host_name(&self.sidecar()).is_ok();
        if !as_host {
            let message =
                format!("`{}` is not the name of a host, by which its sidecar could be found", self.name);
            let hint = "use lower-case letters, digits and inner hyphens; an alias on its networks can keep the old name";
            return Err(ComposeError::new(message, self.position).hint(hint));
        }
        Ok(Role::Application { ports: self.ports()?, direct: self.direct(outside)? })
    }

    /// What certificates call it can be said.
    fn is_named(&self) -> Result<(), ComposeError> {
        type Check = fn(&str) -> Result<String, String>;
        let checks: [(&str, Check); 2] =
            [(NAMESPACE, names::namespace), (SERVICE_ACCOUNT, names::service_account)];
        for (label, check) in checks {
            let Some(value) = self.labels.get(label) else { continue };
            if let Err(why) = check(value) {
                let at = self.node.entry("labels").and_then(|(key, _)| key.position);
                return Err(ComposeError::new(
                    format!("label `{label}` of service `{}`: {why}", self.name),
                    at,
                ));
            }
        }
        Ok(())
    }

    fn sidecar(&self) -> String {
        super::generate::sidecar(self.name)
    }

    /// Its namespace, if it says one.
    pub(super) fn namespace(&self) -> Option<&str> {
        self.labels.get(NAMESPACE).map(String::as_str)
    }

    /// Its service account: its name unless it says another.
    pub(super) fn service_account(&self) -> &str {
        self.labels.get(SERVICE_ACCOUNT).map_or(self.name, String::as_str)
    }

    /// Its labels as policies see them; `app` is its name unless it says otherwise.
    pub(super) fn workload_labels(&self) -> BTreeMap<&str, &str> {
        let own = self.own_labels().filter(|(key, value)| is_label(key, value));
        std::iter::once(("app", self.name)).chain(own).collect()
    }

    /// What it says of its workload, right or wrong.
    fn own_labels(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = self.labels.iter().filter(|(key, _)| !FOREIGN.iter().any(|prefix| key.starts_with(prefix)));
        own.map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The networks where it is, each with what it says of it.
    pub(super) fn networks(&self) -> Vec<(String, Option<&Node>)> {
        match self.node.get("networks").map(|node| &node.value) {
            Some(Value::Mapping(entries)) if !entries.is_empty() => {
                entries.iter().map(|(key, node)| (key.name.clone(), Some(node))).collect()
            }
            Some(Value::Sequence(items)) if !items.is_empty() => {
                items.iter().filter_map(|item| Some((item.as_str()?.to_owned(), None))).collect()
            }
            _ => vec![("default".to_owned(), None)],
        }
    }

    /// The ports where it listens.
    fn ports(&self) -> Result<Vec<u16>, ComposeError> {
        let hint = format!("say the port by a label: `{APP_PORT}: \"8080\"`");
        let fail = |what: String| ComposeError::new(what, self.position).hint(hint.clone());
        let mut ports = Vec::new();
        if let Some(list) = self.labels.get(APP_PORT) {
            for port in list.split(',') {
                let port = port.trim().parse::<u16>().ok().filter(|port| *port != 0);
                ports.push(port.ok_or_else(|| {
                    fail(format!("label `{APP_PORT}` of service `{}` is not a port", self.name))
                })?);
            }
        } else {
            for key in ["expose", "ports"] {
                for item in self.node.get(key).into_iter().flat_map(items) {
                    if is_datagram(item) {
                        continue;
                    }
                    let port = container_port(item);
                    ports.push(port.ok_or_else(|| {
                        fail(format!("an entry of `{key}` of service `{}` names no single port", self.name))
                    })?);
                }
            }
        }
        ports.sort_unstable();
        ports.dedup();
        if ports.is_empty() {
            return Err(fail(format!("nothing says on which port service `{}` listens", self.name)));
        }
        Ok(ports)
    }

    /// The services without a sidecar that it depends on or names.
    fn direct(&self, outside: &[String]) -> Result<Vec<String>, ComposeError> {
        let mut direct = Vec::new();
        for key in ["depends_on", "links"] {
            for name in self.node.get(key).into_iter().flat_map(names) {
                let (name, alias) = name.split_once(':').unwrap_or((name, name));
                let is_outside = outside.iter().any(|service| service == name);
                // The name that a link gives a service holds where both are on one network; a sidecar does not know it.
                if !is_outside && alias != name {
                    let message = format!(
                        "service `{}` knows `{name}` as `{alias}`, but its sidecar does not",
                        self.name
                    );
                    let at = self.node.entry(key).and_then(|(key, _)| key.position);
                    return Err(ComposeError::new(message, at)
                        .hint(format!("link to `{name}` alone, and ask for it by this name")));
                }
                if is_outside {
                    direct.push(name.to_owned());
                }
            }
        }
        for name in self.labels.get(DIRECT).into_iter().flat_map(|list| list.split(',')) {
            let name = name.trim();
            if !outside.iter().any(|service| service == name) {
                let message = format!(
                    "label `{DIRECT}` of service `{}` names `{name}`, which is no service without a sidecar",
                    self.name
                );
                return Err(ComposeError::new(message, self.position));
            }
            direct.push(name.to_owned());
        }
        direct.sort_unstable();
        direct.dedup();
        Ok(direct)
    }
}

/// Whether the file asks for sidecars for all services.
fn inject_all(root: &Node) -> Result<bool, ComposeError> {
    let Some((key, node)) = root.get("x-outrigger").and_then(|own| own.entry("inject")) else {
        return Ok(false);
    };
    let said = match scalar(node) {
        Some(text) => switch(&text),
        None if node.is_null() => Ok(None),
        None => Err("is neither `true` nor `false`".to_owned()),
    };
    said.map(|said| said == Some(true))
        .map_err(|why| ComposeError::new(format!("`x-outrigger.inject`: {why}"), key.position))
}

/// Whether a workload can have this label: a compose file's can be of any form, and are about other things too.
fn is_label(key: &str, value: &str) -> bool {
    label_key(key).is_ok() && label_value(value).is_ok()
}

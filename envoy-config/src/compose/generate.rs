//! What is added to a compose file: a sidecar for each application, a network for the two, and the one service that
//! holds the authority's key.

use std::time::Duration;

use outrigger_api::node::{Node, Value};

use super::model::{Model, Role, Service};
use super::{ComposeError, emit};

/// The service that keeps certificates fresh.
pub(super) const CERTS: &str = "outrigger-certs";
/// The application's name on the network with its sidecar.
pub(super) const APPLICATION: &str = "outrigger-app";
/// The sidecar's.
pub(super) const SIDECAR: &str = "outrigger-sidecar";
/// Where a proxy finds its certificate.
pub(super) const CERTS_AT: &str = "/etc/outrigger/certs";
/// Where a proxy finds the resources.
const RESOURCES_AT: &str = "/etc/outrigger/resources";
/// What a sidecar has as its application has it: when it is there, and how it finds the hosts that its application asks
/// for.
const ALIKE: [&str; 5] = ["dns", "dns_opt", "dns_search", "extra_hosts", "profiles"];
/// How long a sidecar may take to stop: it drains its connections for up to 30 seconds.
const GRACE: Duration = Duration::from_secs(40);
/// The volume with the authority.
const CA: &str = "outrigger-ca";

/// What the user decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The image with `outrigger` and Envoy.
    pub image: String,
    /// The folder of Istio resources, as compose is to find it.
    pub resources: String,
    /// The folder of an authority of the user's own. `None`: one is made, in a volume.
    pub ca: Option<String>,
    /// The namespace of services that name none.
    pub namespace: String,
    /// The trust domain.
    pub trust_domain: String,
}

/// What is added, in lines.
#[derive(Debug)]
pub(super) struct Generated {
    /// Services.
    pub(super) services: Vec<String>,
    /// Networks.
    pub(super) networks: Vec<String>,
    /// Volumes.
    pub(super) volumes: Vec<String>,
}

/// The network of an application and its sidecar.
pub(super) fn network(service: &str) -> String {
    format!("outrigger-{service}")
}

/// The volume with a workload's certificate.
pub(super) fn volume(service: &str) -> String {
    format!("outrigger-certs-{service}")
}

/// The sidecar of an application.
pub(super) fn sidecar(service: &str) -> String {
    format!("{service}-sidecar")
}

/// Makes it.
pub(super) fn generate(model: &Model<'_>, settings: &Settings) -> Result<Generated, Vec<ComposeError>> {
    let mut problems = Vec::new();
    let (mut services, mut networks, mut volumes) = (Vec::new(), Vec::new(), Vec::new());
    for service in model.injected() {
        match of_application(service, settings) {
            Ok(lines) => {
                services.push(String::new());
                services.extend(lines);
            }
            Err(problem) => problems.push(problem),
        }
        networks.push(format!("{}:", network(service.name)));
    }
    if model.with_certificate().next().is_some() {
        services.extend(certs(model, settings));
        if settings.ca.is_none() {
            volumes.push(format!("{CA}:"));
        }
        volumes.extend(model.with_certificate().map(|service| format!("{}:", volume(service.name))));
    }
    for (parent, lines) in [("services", &services), ("networks", &networks), ("volumes", &volumes)] {
        problems.extend(taken(model, parent, lines));
    }
    if problems.is_empty() { Ok(Generated { services, networks, volumes }) } else { Err(problems) }
}

/// Names that the user has given to something else.
fn taken(model: &Model<'_>, parent: &str, lines: &[String]) -> Vec<ComposeError> {
    let Some(Value::Mapping(entries)) = model.root.get(parent).map(|node| &node.value) else {
        return Vec::new();
    };
    let names =
        lines.iter().filter(|line| !line.starts_with([' ', '#'])).filter_map(|line| line.strip_suffix(':'));
    let names: Vec<_> = names.collect();
    let taken = entries.iter().filter(|(key, _)| names.contains(&key.name.as_str()));
    taken
        .map(|(key, _)| {
            ComposeError::new(format!("`{parent}.{}` is a name that is needed here", key.name), key.position)
                .hint("give it another one")
        })
        .collect()
}

fn of_application(service: &Service<'_>, settings: &Settings) -> Result<Vec<String>, ComposeError> {
    let Role::Application { ports, .. } = &service.role else { return Ok(Vec::new()) };
    let name = service.name;
    let mut lines = vec![
        format!("# Takes the place of `{name}`, and lets in and out what the resources say."),
        format!("{}:", sidecar(name)),
        format!("  image: {}", emit::text(&settings.image)),
        "  command:".to_owned(),
        "  - run".to_owned(),
    ];
    let mut flag =
        |name: &str, value: &str| lines.push(format!("  - {}", emit::text(&format!("{name}={value}"))));
    flag("--role", "sidecar");
    flag("--workload", name);
    flag("--namespace", service.namespace().unwrap_or(&settings.namespace));
    flag("--service-account", service.service_account());
    flag("--trust-domain", &settings.trust_domain);
    for (key, value) in service.workload_labels() {
        flag("--label", &format!("{key}={value}"));
    }
    flag("--app-host", APPLICATION);
    for port in ports {
        flag("--app-port", &format!("{port}={port}"));
    }
    flag("--outbound-bind", SIDECAR);
    flag("--certs", CERTS_AT);
    flag("--file", RESOURCES_AT);
    lines.push("  restart: unless-stopped".to_owned());
    lines.push(format!("  stop_grace_period: {}", grace(service)?));
    for key in ALIKE {
        let Some(node) = service.node.get(key) else { continue };
        let entry = emit::entry(key, node).ok_or_else(|| super::application::number(key, node))?;
        lines.extend(entry.into_iter().map(|line| format!("  {line}")));
    }
    lines.push("  networks:".to_owned());
    lines.push(format!("    {}:", network(name)));
    lines.push(format!("      aliases: [{SIDECAR}]"));
    for (network, own) in service.networks() {
        lines.extend(place_of(service, &network, own)?.into_iter().map(|line| format!("    {line}")));
    }
    lines.push("  volumes:".to_owned());
    lines.push(mount(&settings.resources, RESOURCES_AT, ":ro"));
    lines.push(mount(&volume(name), CERTS_AT, ":ro"));
    Ok(lines)
}

/// A sidecar is there for as long as its application may take to stop, and for as long as it needs itself.
fn grace(service: &Service<'_>) -> Result<String, ComposeError> {
    let own = format!("{}s", GRACE.as_secs());
    let Some((key, node)) = service.node.entry("stop_grace_period").filter(|(_, node)| !node.is_null())
    else {
        return Ok(own);
    };
    let written = super::values::scalar(node).unwrap_or_default();
    match outrigger_api::parse_duration(&written) {
        Ok(longer) if longer > GRACE => Ok(emit::text(&written)),
        Ok(_) => Ok(own),
        Err(why) => Err(ComposeError::new(
            format!("`stop_grace_period` of service `{}`: `{written}` {why}", service.name),
            key.position,
        )
        .hint("write it out: its sidecar has to stop no sooner")),
    }
}

fn mount(what: &str, to: &str, how: &str) -> String {
    format!("  - {}", emit::text(&format!("{what}:{to}{how}")))
}

/// A network of the application's, where its sidecar answers to its names now.
fn place_of(service: &Service<'_>, network: &str, own: Option<&Node>) -> Result<Vec<String>, ComposeError> {
    let mut aliases = vec![service.name.to_owned()];
    aliases.extend(service.node.get("container_name").and_then(Node::as_str).map(str::to_owned));
    let mut lines = Vec::new();
    if let Some(Value::Mapping(entries)) = own.map(|node| &node.value) {
        for (key, node) in entries {
            match (&node.value, key.name.as_str()) {
                (Value::Sequence(items), "aliases") => {
                    aliases.extend(items.iter().filter_map(Node::as_str).map(str::to_owned));
                }
                _ => match emit::entry(&key.name, node) {
                    Some(entry) => lines.extend(entry.into_iter().map(|line| format!("  {line}"))),
                    None => return Err(super::application::number(&key.name, node)),
                },
            }
        }
    }
    aliases.dedup();
    let aliases: Vec<_> = aliases.iter().map(|alias| emit::text(alias)).collect();
    let mut all = vec![format!("{}:", emit::text(network)), format!("  aliases: [{}]", aliases.join(", "))];
    all.append(&mut lines);
    Ok(all)
}

/// Alone holds the key of the authority.
fn certs(model: &Model<'_>, settings: &Settings) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        "# Keeps the certificate of each workload fresh. It alone has the key of the authority.".to_owned(),
        format!("{CERTS}:"),
        format!("  image: {}", emit::text(&settings.image)),
        "  command:".to_owned(),
        "  - certs".to_owned(),
        "  - serve".to_owned(),
        "  - \"--dir=/ca\"".to_owned(),
    ];
    if settings.ca.is_none() {
        lines.push("  - \"--init\"".to_owned());
    }
    for service in model.with_certificate() {
        let id = format!(
            "spiffe://{}/ns/{}/sa/{}",
            settings.trust_domain,
            service.namespace().unwrap_or(&settings.namespace),
            service.service_account()
        );
        lines.push(format!("  - {}", emit::text(&format!("--out={id}=/certs/{}", service.name))));
    }
    lines.extend([
        "  restart: unless-stopped".to_owned(),
        "  network_mode: none".to_owned(),
        "  volumes:".to_owned(),
    ]);
    lines.push(mount(settings.ca.as_deref().unwrap_or(CA), "/ca", ""));
    lines.extend(
        model
            .with_certificate()
            .map(|service| mount(&volume(service.name), &format!("/certs/{}", service.name), "")),
    );
    lines
}

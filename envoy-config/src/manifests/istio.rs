//! From resources to `WasmPlugin`s, and the `EnvoyFilter` that goes with them.

use std::path::Path;

use outrigger_api::{Direction, Proxy, Role};

use super::checksum::{Checksum, Checksums};
use super::code::{Code, Found, image_checksum};
use super::document::{Document, Manifests};
use super::envoy_filter::{self, EnvoyFilterSpec, envoy_filter};
use super::error::Error;
use super::metadata::Metadata;
use super::modules::{Choice, Chosen, Platform, reason};
use super::names::Name;
use super::target_ref::{TargetKind, TargetRef};
use super::wasm_plugin::{
    Attached, FailStrategy, ImagePullPolicy, Mode, Phase, Port, Selector, TrafficSelector, WasmPluginSpec,
    wasm_plugin,
};
use super::{Input, bootstrap_override, gateways, left_out, ports, refusals, size};
use crate::modules::Module;
use crate::render::Options;
use crate::render::around::all;
use crate::render::part::{Part, counts, part, routes};

/// How the manifests are to be.
#[derive(Debug, Clone)]
pub struct Istio<'i> {
    /// How their names begin.
    pub name: Name,
    /// Where they are.
    pub namespace: Name,
    /// Objects of the Gateway API that they are for; empty: the workloads with the proxy's labels.
    pub targets: Vec<TargetRef>,
    /// Labels of the workloads, some of the proxy's; empty: all workloads of the namespace.
    pub selector: Vec<(String, String)>,
    /// Which modules.
    pub modules: Choice,
    /// Where they are.
    pub code: Code,
    /// Of the modules, or of the manifests of their images.
    pub checksums: Checksums,
    /// When images are pulled.
    pub image_pull_policy: Option<ImagePullPolicy>,
    /// The Secret to pull them with.
    pub image_pull_secret: Option<Name>,
    /// What becomes of requests when a filter has crashed.
    pub fail_strategy: FailStrategy,
    /// Among plugins of one phase: higher ones come first.
    pub priority: i32,
    /// Names of metrics are to become labels, also if no module has Istio's metrics.
    pub stats_tags: bool,
    /// Where proxies keep the authorities that they trust.
    pub authorities: &'i Path,
    /// For ports of Gateways whose proxies listen on others.
    pub options: &'i Options,
}

/// Where a module stands: on all listeners, or on some.
struct Spot {
    suffix: String,
    proxy: Proxy,
    mode: Option<Mode>,
    port: Option<u16>,
}

/// The manifests.
///
/// # Errors
/// What can't be carried out by filters, or can't be said.
pub fn render(input: Input<'_>, how: &Istio<'_>) -> Result<Manifests, Error> {
    gateways::alike(input, &how.targets, (&how.modules, Platform::Istio))?;
    let Chosen { modules, mut notes } = how.modules.choose(Platform::Istio, input.resources, input.proxy)?;
    if let Some(unused) = how.checksums.unused(&modules) {
        return Err(Error::Asked(format!("`--sha256 {unused}=…` is for a module that is not rendered")));
    }
    notes.extend(left_out::notes(input, &modules, Platform::Istio));
    notes.extend(ports::mapped(input.resources, input.proxy, how.options)?);
    let attached = attached(how)?;
    let settings = input.settings(true);
    let (mut parts, mut spots) = (Vec::new(), Vec::new());
    for module in &modules {
        for spot in spots_of(*module, input, how) {
            parts.push(part(*module, input.resources, &spot.proxy, &settings)?);
            spots.push(spot);
        }
    }
    refusals::tokens_are_verified(&parts)?;
    refusals::servers_can_be_asked(&parts)?;
    let mut documents = Vec::new();
    for (part, spot) in parts.iter().zip(spots) {
        documents.push(plugin(part, &spot, (how, modules.len()), attached.as_ref(), &mut notes)?);
    }
    let needs = all(&parts);
    if let Some((spec, reasons)) =
        envoy_filter::beside(&needs, input.proxy.role, how.authorities, attached.as_ref())
    {
        // First: a plugin must not be there without it.
        documents.insert(0, change(how.name.clone(), how, spec, &reasons, &mut notes)?);
    }
    if input.proxy.role == Role::Gateway && modules.iter().any(|module| routes(*module)) {
        let of_router = parts.iter().filter(|part| routes(part.module));
        let ports: Vec<u16> = of_router.filter_map(|part| part.config.proxy.port).collect();
        let (spec, reasons) = envoy_filter::routes(&needs, input.mesh, &ports, attached.as_ref());
        let name = how.name.with("routes").map_err(Error::Asked)?;
        documents.push(change(name, how, spec, &reasons, &mut notes)?);
    }
    if how.stats_tags || modules.iter().any(|module| counts(*module)) {
        documents.push(bootstrap_override::of_labels(&how.name, &how.namespace, &needs.labels)?);
    }
    for provider in &needs.providers {
        let check = provider.check();
        notes.push(format!(
            "`{}` is asked through istiod's cluster of {}:{}: a Service or ServiceEntry of the cluster must have it",
            provider.name, check.service.host, check.port
        ));
    }
    if attached.is_none() {
        notes.push(format!(
            "the plugins are for every workload of namespace `{}`; choose some with `--selector`",
            how.namespace.as_str()
        ));
    }
    Ok(Manifests { documents, notes, modules })
}

fn change(
    name: Name,
    how: &Istio<'_>,
    spec: EnvoyFilterSpec,
    reasons: &[String],
    notes: &mut Vec<String>,
) -> Result<Document, Error> {
    let object = envoy_filter(Metadata::new(name.clone(), how.namespace.clone()), spec);
    notes.extend(size::check(name.as_str(), &object)?);
    Document::new(format!("envoyfilter-{}", name.as_str()), reasons, &object)
}

fn attached(how: &Istio<'_>) -> Result<Option<Attached>, Error> {
    for target in &how.targets {
        if target.kind != TargetKind::Gateway || target.section_name.is_some() {
            return Err(Error::Asked(
                "Istio attaches a WasmPlugin to a whole `Gateway/NAME`, not to its routes or listeners"
                    .to_owned(),
            ));
        }
    }
    Ok(match (how.targets.as_slice(), how.selector.as_slice()) {
        ([], []) => None,
        ([], labels) => Some(Attached::Selector(Selector { match_labels: labels.iter().cloned().collect() })),
        (targets, _) => Some(Attached::TargetRefs(targets.to_vec())),
    })
}

/// Istio authenticates and authorizes what comes to a workload, and injects faults into what it sends. A gateway does all
/// of it, but has to know which of its Gateways' ports a request has come by if there are several.
fn spots_of(module: Module, input: Input<'_>, how: &Istio<'_>) -> Vec<Spot> {
    let spot = |suffix: &str, mode, direction| {
        let proxy = Proxy { direction, ..input.proxy.clone() };
        Spot { suffix: suffix.to_owned(), proxy, mode, port: None }
    };
    let inbound = |suffix| spot(suffix, Some(Mode::Server), Some(Direction::Inbound));
    let outbound = |suffix| spot(suffix, Some(Mode::Client), Some(Direction::Outbound));
    match (input.proxy.role, module) {
        (Role::Sidecar, Module::Fault | Module::Router) => vec![outbound("")],
        (Role::Sidecar, Module::Metrics) => vec![inbound("inbound"), outbound("outbound")],
        (Role::Sidecar, Module::JwtAuthn | Module::Authz | Module::Suite) => vec![inbound("")],
        (Role::Gateway, Module::JwtAuthn | Module::Authz | Module::Metrics) => vec![spot("", None, None)],
        (Role::Gateway, Module::Fault | Module::Router | Module::Suite) => {
            let ports = ports::of_gateways(input.resources, input.proxy);
            if ports.len() < 2 {
                return vec![spot("", None, None)];
            }
            let by_port = |port: u16| Spot {
                suffix: port.to_string(),
                proxy: Proxy { port: Some(port), ..input.proxy.clone() },
                mode: None,
                port: Some(how.options.mapped(port)),
            };
            ports.into_iter().map(by_port).collect()
        }
    }
}

fn plugin(
    part: &Part,
    spot: &Spot,
    (how, many): (&Istio<'_>, usize),
    attached: Option<&Attached>,
    notes: &mut Vec<String>,
) -> Result<Document, Error> {
    let mut name = how.name.with(part.module.name()).map_err(Error::Asked)?;
    if !spot.suffix.is_empty() {
        name = name.with(&spot.suffix).map_err(Error::Asked)?;
    }
    let (url, sha256) = place(part.module, how, many, notes)?;
    let (phase, priority) = position(part.module, how.priority);
    let ports: Vec<_> = spot.port.map(|number| Port { number }).into_iter().collect();
    let somewhere = spot.mode.is_some() || spot.port.is_some();
    let spec = WasmPluginSpec {
        attached: attached.cloned(),
        url,
        sha256,
        image_pull_policy: how.image_pull_policy,
        image_pull_secret: how.image_pull_secret.clone(),
        plugin_name: name.clone(),
        phase,
        priority,
        fail_strategy: how.fail_strategy,
        matches: somewhere.then_some(TrafficSelector { mode: spot.mode, ports }).into_iter().collect(),
        plugin_config: part.config.to_json(),
    };
    let mut comments = vec![reason(part.module, Platform::Istio).to_owned()];
    if let Some(port) = spot.port {
        comments.push(format!(
            "Port {port} is that of the proxy's listener. Where a Service maps a Gateway's port to another, say so with \
             `--port GATEWAY=LISTENER`, such as `--port 80=8080`."
        ));
    }
    let object = wasm_plugin(Metadata::new(name.clone(), how.namespace.clone()), spec);
    notes.extend(size::check(name.as_str(), &object)?);
    Document::new(format!("wasmplugin-{}", name.as_str()), &comments, &object)
}

/// The module's `url` and `sha256`.
fn place(
    module: Module,
    how: &Istio<'_>,
    many: usize,
    notes: &mut Vec<String>,
) -> Result<(String, Option<Checksum>), Error> {
    match how.code.of(module, many)? {
        Found::Image(image) => {
            let sha256 = image_checksum(&image, &how.checksums, (module, many), notes)?;
            Ok((format!("oci://{image}"), sha256))
        }
        Found::Url(url) if url.file().is_some() => {
            if !how.checksums.is_empty() {
                let message =
                    "Istio checks no checksum of a file on the proxy's own machine; leave `--sha256` out";
                return Err(Error::Asked(message.to_owned()));
            }
            Ok((url.as_str().to_owned(), None))
        }
        Found::Url(url) => Ok((url.as_str().to_owned(), Some(how.checksums.of(module, many)?))),
    }
}

/// Istio's order: AUTHN, AUTHZ, STATS, and then plugins without a phase, before its own faults and its router.
fn position(module: Module, priority: i32) -> (Option<Phase>, i32) {
    match module {
        Module::Suite | Module::JwtAuthn => (Some(Phase::Authn), priority),
        Module::Authz => (Some(Phase::Authz), priority),
        Module::Metrics => (Some(Phase::Stats), priority),
        Module::Fault => (None, priority),
        // Faults come first.
        Module::Router => (None, priority.saturating_sub(1)),
    }
}

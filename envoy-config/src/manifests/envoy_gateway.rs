//! From resources to an `EnvoyExtensionPolicy`.

use outrigger_api::Proxy;

use super::checksum::Checksums;
use super::code::{Code, Found, image_checksum};
use super::document::{Document, Manifests};
use super::envoy_extension_policy::{
    CodePlace, EnvoyExtensionPolicySpec, FailOpen, HttpCode, ImageCode, SecretRef, Wasm, WasmCodeSource,
    envoy_extension_policy,
};
use super::error::Error;
use super::metadata::Metadata;
use super::modules::{Choice, Chosen, Platform, module_name, reason};
use super::names::Name;
use super::target_ref::TargetRef;
use super::wasm_plugin::ImagePullPolicy;
use super::{Input, ports, refusals, size};
use crate::modules::Module;
use crate::render::part::{Part, part};

/// How the manifest is to be.
#[derive(Debug, Clone)]
pub struct EnvoyGateway {
    /// Its name.
    pub name: Name,
    /// Where it and its targets are.
    pub namespace: Name,
    /// What it is attached to; at least one.
    pub targets: Vec<TargetRef>,
    /// Which modules.
    pub modules: Choice,
    /// Where they are.
    pub code: Code,
    /// Of the modules, or of the manifests of their images.
    pub checksums: Checksums,
    /// When images and files are fetched.
    pub pull_policy: Option<ImagePullPolicy>,
    /// The Secret to pull images with.
    pub pull_secret: Option<Name>,
    /// The port of the Istio Gateways by which requests come; needed where they have several.
    pub gateway_port: Option<u16>,
}

/// The manifest.
///
/// # Errors
/// What can't be carried out by filters there, or can't be said.
pub fn render(input: Input<'_>, how: &EnvoyGateway) -> Result<Manifests, Error> {
    let Chosen { modules, mut notes } =
        how.modules.choose(Platform::EnvoyGateway, input.resources, input.proxy)?;
    if let Some(unused) = how.checksums.unused(&modules) {
        return Err(Error::Asked(format!("`--sha256 {unused}=…` is for a module that is not rendered")));
    }
    if how.targets.is_empty() {
        return Err(Error::Asked(
            "an EnvoyExtensionPolicy is attached to something: add `--target-ref Gateway/NAME` or `HTTPRoute/NAME`"
                .to_owned(),
        ));
    }
    let port = single_port(&modules, input, how.gateway_port)?;
    let proxy = Proxy { port, ..input.proxy.clone() };
    let settings = input.settings(true);
    let parts: Vec<Part> = modules
        .iter()
        .map(|module| {
            // Only rules by VirtualServices have Gateways' ports: those of policies are the listener's own.
            let proxy = if *module == Module::Fault { &proxy } else { input.proxy };
            part(*module, input.resources, proxy, &settings)
        })
        .collect::<Result<_, _>>()?;
    refusals::tokens_are_verified(&parts)?;
    refusals::nothing_beside(&parts, input.proxy)?;
    let wasm: Vec<_> =
        parts.iter().map(|part| entry(part, how, modules.len(), &mut notes)).collect::<Result<_, _>>()?;
    let spec = EnvoyExtensionPolicySpec { target_refs: how.targets.clone(), wasm };
    let object = envoy_extension_policy(Metadata::new(how.name.clone(), how.namespace.clone()), spec);
    notes.extend(size::check(how.name.as_str(), &object)?);
    let mut comments = vec![
        "Envoy Gateway loads these before its router, in this order, and refuses requests while one can't be had."
            .to_owned(),
    ];
    comments.extend(
        modules
            .iter()
            .map(|module| format!("{}: {}", module_name(*module), reason(*module, Platform::EnvoyGateway))),
    );
    let name = format!("envoyextensionpolicy-{}", how.name.as_str());
    let documents = vec![Document::new(name, &comments, &object)?];
    Ok(Manifests { documents, notes, modules })
}

/// Envoy Gateway's listeners have other ports than a Gateway says, so a filter can't tell several apart.
fn single_port(modules: &[Module], input: Input<'_>, asked: Option<u16>) -> Result<Option<u16>, Error> {
    if asked.is_some() || !modules.contains(&Module::Fault) {
        return Ok(asked);
    }
    let ports = ports::of_gateways(input.resources, input.proxy);
    if ports.len() > 1 {
        let all: Vec<_> = ports.iter().map(u16::to_string).collect();
        return Err(Error::Asked(format!(
            "the Gateways have the ports {}, which a filter can't tell apart there\n\
             hint: render one policy for each, with `--gateway-port PORT`, a `--name` of its own and the listener as \
             `--target-ref Gateway/NAME/LISTENER`",
            all.join(", ")
        )));
    }
    Ok(None)
}

fn entry(part: &Part, how: &EnvoyGateway, many: usize, notes: &mut Vec<String>) -> Result<Wasm, Error> {
    let name = how.name.with(module_name(part.module)).map_err(Error::Asked)?;
    let place = match how.code.of(part.module, many)? {
        Found::Image(image) => {
            let sha256 = image_checksum(&image, &how.checksums, (part.module, many), notes)?;
            let pull_secret_ref = how.pull_secret.clone().map(SecretRef::new);
            CodePlace::Image { image: ImageCode { url: image.reference(), sha256, pull_secret_ref } }
        }
        Found::Url(url) if url.file().is_some() => {
            return Err(Error::Asked(
                "Envoy Gateway fetches modules itself, by `--image` or an `http` or `https` URL; it reads no files"
                    .to_owned(),
            ));
        }
        Found::Url(url) => {
            let sha256 = how.checksums.of(part.module, many)?;
            CodePlace::Http { http: HttpCode { url: url.as_str().to_owned(), sha256 } }
        }
    };
    Ok(Wasm {
        name: name.clone(),
        root_id: name,
        code: WasmCodeSource { place, pull_policy: how.pull_policy },
        config: part.config.to_json(),
        fail_open: FailOpen,
    })
}

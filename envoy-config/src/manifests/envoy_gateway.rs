//! From resources to an `EnvoyExtensionPolicy`.

use outrigger_api::Proxy;
use outrigger_core::Attributes;

use super::checksum::Checksums;
use super::code::{Code, Found, image_checksum};
use super::document::{Document, Manifests};
use super::envoy_extension_policy::{
    CodePlace, EnvoyExtensionPolicySpec, FailOpen, HttpCode, ImageCode, SecretRef, Wasm, WasmCodeSource,
    envoy_extension_policy,
};
use super::error::Error;
use super::metadata::Metadata;
use super::modules::{Choice, Chosen, Platform, reason};
use super::names::Name;
use super::target_ref::TargetRef;
use super::wasm_plugin::ImagePullPolicy;
use super::{Input, gateways, left_out, refusals, size};
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
    /// The port by which requests come, as resources speak of it; needed where rules depend on it.
    pub gateway_port: Option<u16>,
}

/// The manifest.
///
/// # Errors
/// What can't be carried out by filters there, or can't be said.
pub fn render(input: Input<'_>, how: &EnvoyGateway) -> Result<Manifests, Error> {
    gateways::alike(input, &how.targets, (&how.modules, Platform::EnvoyGateway))?;
    let Chosen { modules, mut notes } =
        how.modules.choose(Platform::EnvoyGateway, input.resources, input.proxy)?;
    if let Some(unused) = how.checksums.unused(&modules) {
        return Err(Error::Asked(format!("`--sha256 {unused}=…` is for a module that is not rendered")));
    }
    notes.extend(left_out::notes(input, &modules, Platform::EnvoyGateway));
    if how.targets.is_empty() {
        return Err(Error::Asked(
            "an EnvoyExtensionPolicy is attached to something: add `--target-ref Gateway/NAME` or `HTTPRoute/NAME`"
                .to_owned(),
        ));
    }
    let proxy = Proxy { port: how.gateway_port, ..input.proxy.clone() };
    let settings = input.settings(true);
    let parts: Vec<Part> = modules
        .iter()
        .map(|module| part(*module, input.resources, &proxy, &settings))
        .collect::<Result<_, _>>()?;
    refusals::tokens_are_verified(&parts)?;
    refusals::nothing_beside(&parts, &proxy)?;
    port_is_known(&parts)?;
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
            .map(|module| format!("{}: {}", module.name(), reason(*module, Platform::EnvoyGateway))),
    );
    let name = format!("envoyextensionpolicy-{}", how.name.as_str());
    let documents = vec![Document::new(name, &comments, &object)?];
    Ok(Manifests { documents, notes, modules })
}

/// Envoy Gateway's proxies listen on other ports than a Gateway says, 10080 for 80: a rule about 80 would never match.
fn port_is_known(parts: &[Part]) -> Result<(), Error> {
    let asks = |part: &&Part| {
        part.config.proxy.port.is_none() && part.needs.attributes.contains(Attributes::DESTINATION_PORT)
    };
    let Some(part) = parts.iter().find(asks) else { return Ok(()) };
    Err(Error::Asked(format!(
        "rules of `{}` depend on the port by which a request comes, which a filter can't tell there: Envoy Gateway's \
         proxies listen on others than their Gateway says\n\
         hint: say which one it is with `--gateway-port PORT`; for several render one policy for each, with a `--name` \
         of its own and the listener as `--target-ref Gateway/NAME/LISTENER`",
        part.module.name()
    )))
}

fn entry(part: &Part, how: &EnvoyGateway, many: usize, notes: &mut Vec<String>) -> Result<Wasm, Error> {
    let name = how.name.with(part.module.name()).map_err(Error::Asked)?;
    let place = match how.code.of(part.module, many)? {
        Found::Image(image) => {
            let sha256 = image_checksum(&image, &how.checksums, (part.module, many), notes)?;
            let pull_secret_ref = how.pull_secret.clone().map(SecretRef::new);
            CodePlace::Image { image: ImageCode { url: image.to_string(), sha256, pull_secret_ref } }
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

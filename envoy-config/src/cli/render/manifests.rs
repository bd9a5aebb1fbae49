//! Manifests for clusters, and the filters for an Envoy of one's own.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use outrigger_api::DecisionRecord;

use super::output::{Output, write};
use super::{Render, Target};
use crate::Exit;
use crate::analyze::{Finding, Level, has_errors, human};
use crate::load::Loaded;
use crate::manifests::{
    self, Checksums, Choice, Code, EnvoyGateway, Error, FailStrategy, GATEWAY_NAME, ImagePullPolicy, Input,
    Istio, Manifests, Name, Place, Snippet, TargetRef,
};
use crate::mesh_config;
use crate::proxy_options::{ProxyOptions, parse_label};

/// Flags of manifests and snippets.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Manifests and snippets")]
pub(super) struct ManifestFlags {
    /// Print the entries of `http_filters` for an Envoy of your own, and what they need of the rest of it
    #[arg(long)]
    pub(super) snippet: bool,

    /// Which filters: `suite` (all five policies in one), `separate` (one for each), or names with commas between:
    /// jwt-authn, authz, fault, router, metrics [default: in a cluster those of the first three that have something to
    /// do, for an Envoy of your own the suite]
    #[arg(long, value_name = "NAMES", value_parser = Choice::parse)]
    modules: Option<Choice>,

    /// The OCI image of the module; `{module}` stands for its name where there are several
    #[arg(long, value_name = "REF", conflicts_with = "url")]
    image: Option<String>,

    /// Where the module's file is: http, https or file; `{file}` stands for its name where there are several
    #[arg(long, value_name = "URL")]
    url: Option<String>,

    /// SHA-256 of the file, or of the image's manifest; for several modules `MODULE=HEX` each [default for --url: that of
    /// the module in this build]
    #[arg(long, value_name = "[MODULE=]HEX")]
    sha256: Vec<String>,

    /// How the names of the objects begin [default: outrigger]
    #[arg(long, value_name = "NAME", value_parser = Name::parse)]
    name: Option<Name>,

    /// A label of the workloads that a WasmPlugin is for; repeatable [default: each label of the proxy]
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_label, conflicts_with = "target_refs")]
    selector: Vec<(String, String)>,

    /// What of the Gateway API they are for: Gateway/NAME, in Envoy Gateway also Gateway/NAME/LISTENER, HTTPRoute/NAME and
    /// others; repeatable
    #[arg(long = "target-ref", value_name = "KIND/NAME", value_parser = TargetRef::parse)]
    target_refs: Vec<TargetRef>,

    /// When the module is fetched again
    #[arg(long, value_enum, value_name = "POLICY", ignore_case = true)]
    image_pull_policy: Option<PullPolicy>,

    /// The Secret to pull the image with, in the same namespace
    #[arg(long, value_name = "NAME", value_parser = Name::parse, requires = "image")]
    image_pull_secret: Option<Name>,

    /// What becomes of requests when a filter has crashed [default: fail-close]
    #[arg(long, value_enum, value_name = "STRATEGY", ignore_case = true)]
    fail_strategy: Option<Strategy>,

    /// Among plugins of one phase, higher ones come first [default: 10]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    priority: Option<i32>,

    /// Also a ConfigMap that makes Prometheus labels of the names of the filters' own metrics
    #[arg(long)]
    stats_tags: bool,

    /// The port by which requests come, as your resources speak of it: that of a Gateway, or of rules about ports
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    gateway_port: Option<u16>,

    /// Where the proxy's machine keeps the authorities that it trusts, to verify who gives keys of tokens and modules
    #[arg(long, value_name = "PATH", default_value = "/etc/ssl/certs/ca-certificates.crt")]
    authorities: PathBuf,

    /// The folder where your Envoy finds the modules [default: the folder of -o, else /etc/envoy]
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    module_path: Option<PathBuf>,

    /// Name of the cluster by which your Envoy fetches the modules from --url [default: outrigger-modules]
    #[arg(long, value_name = "NAME", requires = "url")]
    fetch_cluster: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PullPolicy {
    /// Only what is not there
    #[value(name = "IfNotPresent")]
    IfNotPresent,
    /// Whenever the manifest changes
    #[value(name = "Always")]
    Always,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Strategy {
    /// 503 until the configuration changes
    #[value(alias = "FAIL_CLOSE")]
    FailClose,
    /// 503 until a new VM is up, about a second later
    #[value(alias = "FAIL_RELOAD")]
    FailReload,
}

impl ManifestFlags {
    /// Why a flag does not go with the target.
    pub(super) fn wrong_for(&self, to: Target) -> Option<String> {
        use Target::{Envoy, EnvoyGateway, WasmPlugin};
        let cluster: &[Target] = &[WasmPlugin, EnvoyGateway];
        let own: &[Target] = &[Envoy];
        let istio: &[Target] = &[WasmPlugin];
        let one_port: &[Target] = &[Envoy, EnvoyGateway];
        let flags = [
            ("--snippet", self.snippet, own),
            ("--image", self.image.is_some(), cluster),
            ("--name", self.name.is_some(), cluster),
            ("--selector", !self.selector.is_empty(), istio),
            ("--target-ref", !self.target_refs.is_empty(), cluster),
            ("--image-pull-policy", self.image_pull_policy.is_some(), cluster),
            ("--image-pull-secret", self.image_pull_secret.is_some(), cluster),
            ("--fail-strategy", self.fail_strategy.is_some(), istio),
            ("--priority", self.priority.is_some(), istio),
            ("--stats-tags", self.stats_tags, istio),
            ("--gateway-port", self.gateway_port.is_some(), one_port),
            ("--module-path", self.module_path.is_some(), own),
            ("--fetch-cluster", self.fetch_cluster.is_some(), own),
        ];
        if let Some((flag, ..)) =
            flags.into_iter().find(|(_, given, targets)| *given && !targets.contains(&to))
        {
            return Some(format!("`{flag}` has no effect with `--to {}`", to.name()));
        }
        let of_snippets = [
            ("--modules", self.modules.is_some()),
            ("--url", self.url.is_some()),
            ("--sha256", !self.sha256.is_empty()),
            ("--gateway-port", self.gateway_port.is_some()),
            ("--module-path", self.module_path.is_some()),
            ("--fetch-cluster", self.fetch_cluster.is_some()),
        ];
        let given = of_snippets.into_iter().find(|(_, given)| *given && to == Envoy && !self.snippet);
        given.map(|(flag, _)| {
            format!("`{flag}` is for `--snippet`, or for `--to wasmplugin` and `envoy-gateway`")
        })
    }

    fn code(&self) -> Result<Code, Error> {
        match (&self.image, &self.url) {
            (Some(image), _) => Ok(Code::Image(image.clone())),
            (None, Some(url)) => Ok(Code::Url(url.clone())),
            (None, None) => Err(Error::Asked(
                "say where the modules are, with `--image oci://REGISTRY/NAME:TAG` or `--url https://HOST/{file}`".to_owned(),
            )),
        }
    }
}

impl Render {
    /// Renders documents.
    pub(super) fn documents(&self) -> Exit {
        let Some((loaded, mesh)) = self.input.read() else { return Exit::Usage };
        if let Err(exit) = checked(&loaded, &mesh) {
            return exit;
        }
        let rendered = self.render(&loaded, &mesh);
        let target = match self.manifests.snippet {
            true => "envoy --snippet",
            false => self.to.name(),
        };
        match rendered {
            Ok(rendered) => {
                rendered.notes.iter().for_each(|note| crate::cli::note(note));
                let modules = self.modules_beside();
                let output =
                    Output { path: self.output.as_deref(), target, resources: &loaded.resources, modules };
                match write(&rendered, output) {
                    Ok(exit) => exit,
                    Err(error) => {
                        crate::cli::complain(&error);
                        Exit::Environment
                    }
                }
            }
            Err(error) => {
                if let Error::Resources(problems) = &error {
                    let findings: Vec<_> = problems.iter().map(Finding::from).collect();
                    let files: Vec<_> = loaded.files.iter().chain(&mesh.file).collect();
                    crate::cli::complain_about(&findings, &files);
                } else {
                    crate::cli::complain(&error);
                }
                error.exit()
            }
        }
    }

    fn render(&self, loaded: &Loaded, mesh: &mesh_config::Parsed) -> Result<Manifests, Error> {
        let flags = &self.manifests;
        let asked = |error: String| Error::Asked(error);
        let options = self.envoy.options(&self.proxy, &mesh.mesh, Path::new("."), None);
        let (proxy, selector) = who(&self.proxy, flags, self.to)?;
        let proxy = proxy.proxy(&mesh.mesh);
        let selector = match selector {
            Some(selector) => selector,
            None => proxy.labels.clone().into_iter().collect(),
        };
        // Access logs are somebody else's here, and may well print it.
        let record = DecisionRecord { filter_state: true, response_header: options.decision_header.clone() };
        let input = Input {
            resources: &loaded.resources,
            proxy: &proxy,
            mesh: &mesh.mesh,
            record: &record,
            metrics: options.metrics,
        };
        let checksums = Checksums::parse(&flags.sha256).map_err(asked)?;
        let (name, modules) =
            (flags.name.clone().unwrap_or_default(), flags.modules.clone().unwrap_or_default());
        let namespace = Name::parse(&proxy.namespace).map_err(asked)?;
        match self.to {
            Target::WasmPlugin => manifests::istio(
                input,
                &Istio {
                    name,
                    namespace,
                    targets: flags.target_refs.clone(),
                    selector,
                    modules,
                    code: flags.code()?,
                    checksums,
                    image_pull_policy: flags.image_pull_policy.map(Into::into),
                    image_pull_secret: flags.image_pull_secret.clone(),
                    fail_strategy: flags.fail_strategy.map(Into::into).unwrap_or_default(),
                    priority: flags.priority.unwrap_or(10),
                    stats_tags: flags.stats_tags,
                    authorities: &flags.authorities,
                    options: &options,
                },
            ),
            Target::EnvoyGateway => manifests::envoy_gateway(
                input,
                &EnvoyGateway {
                    name,
                    namespace,
                    targets: flags.target_refs.clone(),
                    modules,
                    code: flags.code()?,
                    checksums,
                    pull_policy: flags.image_pull_policy.map(Into::into),
                    pull_secret: flags.image_pull_secret.clone(),
                    gateway_port: flags.gateway_port,
                },
            ),
            Target::Envoy => {
                let place = self.place()?;
                if matches!(place, Place::Folder(_)) && !checksums.is_empty() {
                    return Err(Error::Asked(
                        "Envoy checks no checksum of a file; leave `--sha256` out".to_owned(),
                    ));
                }
                let gateway_port = flags.gateway_port;
                let authorities = &flags.authorities;
                let options = &options;
                manifests::snippet(
                    input,
                    &Snippet { modules, place, checksums, gateway_port, authorities, options },
                )
            }
        }
    }

    fn place(&self) -> Result<Place, Error> {
        let flags = &self.manifests;
        if let Some(url) = &flags.url {
            let cluster = flags.fetch_cluster.clone().unwrap_or_else(|| "outrigger-modules".to_owned());
            return Ok(Place::Web(Code::Url(url.clone()), cluster));
        }
        let folder = match (&flags.module_path, self.modules_beside()) {
            (Some(folder), _) => folder.clone(),
            (None, true) => {
                let output = self.output.as_deref().unwrap_or(Path::new("."));
                self.seen_by_envoy(output).map_err(|error| Error::Asked(error.to_string()))?
            }
            (None, false) => self.at.clone().unwrap_or_else(|| PathBuf::from("/etc/envoy")),
        };
        Ok(Place::Folder(folder))
    }

    /// Whether the modules are written into the folder of the snippet.
    fn modules_beside(&self) -> bool {
        let flags = &self.manifests;
        let folder = self.output.as_deref().is_some_and(|path| !super::output::is_file(path));
        flags.snippet && flags.url.is_none() && flags.module_path.is_none() && folder
    }
}

/// Tells what is wrong with files; findings about an Envoy around the resources are `analyze`'s.
fn checked(loaded: &Loaded, mesh: &mesh_config::Parsed) -> Result<(), Exit> {
    let mut findings: Vec<_> = loaded.problems.iter().chain(&mesh.problems).map(Finding::from).collect();
    findings.retain(|finding| finding.level != Level::Info);
    if !findings.is_empty() {
        let files: Vec<_> = loaded.files.iter().chain(&mesh.file).collect();
        let _ = anstream::stderr().write_all(human::report(&findings, &files).as_bytes());
    }
    if has_errors(&findings) { Err(Exit::Refused) } else { Ok(()) }
}

type Who = (ProxyOptions, Option<Vec<(String, String)>>);

/// The proxy's labels and those that workloads are chosen by: what is said of one holds for the other. `None`: by all of
/// the proxy's.
fn who(proxy: &ProxyOptions, flags: &ManifestFlags, to: Target) -> Result<Who, Error> {
    let mut proxy = proxy.clone();
    if !flags.target_refs.is_empty() {
        // Policies that name this Gateway are for the proxy. In Envoy Gateway it is the one gateway that there is.
        if to == Target::EnvoyGateway && proxy.labels.is_empty() {
            proxy.labels = proxy.proxy(&Default::default()).labels.into_iter().collect();
        }
        if let Some(gateway) = flags.target_refs.iter().find(|target| target.is_gateway()) {
            proxy.labels.push((GATEWAY_NAME.to_owned(), gateway.name.as_str().to_owned()));
        }
        return Ok((proxy, Some(Vec::new())));
    }
    if flags.selector.is_empty() {
        return Ok((proxy, None));
    }
    if proxy.labels.is_empty() {
        proxy.labels.clone_from(&flags.selector);
    }
    if let Some((key, value)) = flags.selector.iter().find(|label| !proxy.labels.contains(label)) {
        return Err(Error::Asked(format!(
            "`--selector {key}={value}` chooses workloads that the proxy is none of; add `--label {key}={value}`"
        )));
    }
    Ok((proxy, Some(flags.selector.clone())))
}

impl From<PullPolicy> for ImagePullPolicy {
    fn from(policy: PullPolicy) -> Self {
        match policy {
            PullPolicy::IfNotPresent => Self::IfNotPresent,
            PullPolicy::Always => Self::Always,
        }
    }
}

impl From<Strategy> for FailStrategy {
    fn from(strategy: Strategy) -> Self {
        match strategy {
            Strategy::FailClose => Self::FailClose,
            Strategy::FailReload => Self::FailReload,
        }
    }
}

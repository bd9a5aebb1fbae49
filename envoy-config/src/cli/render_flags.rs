//! Flags of `render` and `run` that shape the Envoy configuration, and the way from files to it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use outrigger_api::{MetricLimits, Proxy};

use crate::Exit;
use crate::analyze::{Finding, Level, analyze_with, has_errors, human};
use crate::identity::{Identity, IdentityError};
use crate::load::Loaded;
use crate::mesh_config::{self, MeshConfig};
use crate::proxy_options::ProxyOptions;
use crate::render::{AppProbe, Filters, Options, Rendered, render};

/// Flags that shape the Envoy configuration.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Envoy")]
pub struct RenderFlags {
    /// Listen elsewhere than on a Gateway's port, or than on 15001 and 15006 of a sidecar; repeatable
    #[arg(long = "port", value_name = "PORT=OPENED", value_parser = parse_port)]
    ports: Vec<(u16, u16)>,

    /// Address to listen on [default: 0.0.0.0, for a sidecar's outbound listener 127.0.0.1]
    #[arg(long, value_name = "IP")]
    bind: Option<IpAddr>,

    /// Where a sidecar takes its application's requests, if not on the address of `--bind`: an IP address, or a name of
    /// this machine, such as one that only the network with its application knows
    #[arg(long, value_name = "HOST", value_parser = parse_host)]
    outbound_bind: Option<IpAddr>,

    /// Where a sidecar's application is, if not on this machine: an IP address or a name, such as another container's
    #[arg(long, value_name = "HOST", value_parser = parse_app_host)]
    app_host: Option<String>,

    /// Where Envoy's admin interface listens
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:15000", value_parser = parse_admin)]
    admin: SocketAddr,

    /// The workload's certificate for mutual TLS: a folder with cert-chain.pem, key.pem and root-cert.pem, as
    /// `outrigger certs issue` makes it
    #[arg(long, value_name = "DIR")]
    pub certs: Option<PathBuf>,

    /// Certificates that a Gateway or DestinationRule names by `credentialName` and no Secret among the files holds:
    /// DIR/NAME/tls.crt, tls.key and ca.crt
    #[arg(long, value_name = "DIR")]
    credentials: Option<PathBuf>,

    /// Answer `GET /healthz/ready` without TLS on this port (Istio's is 15021): 200 while the proxy serves
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    probe_port: Option<u16>,

    /// A health check of the application, which answers it on PORT; whoever has no certificate asks
    /// for `/app-health` and PATH on the probe port; repeatable
    #[arg(long = "app-probe", value_name = "PATH=PORT", value_parser = parse_probe, requires = "probe_port")]
    app_probes: Vec<(String, u16)>,

    /// Tell clients in this response header which AuthorizationPolicy and rule has decided, such as
    /// x-outrigger-decision: for tests and trials, not for strangers
    #[arg(long, value_name = "NAME", value_parser = parse_header_name)]
    decision_header: Option<String>,

    /// How many series each of Istio's metrics may have; what goes beyond is counted in one more, with
    /// labels `overflow`
    #[arg(long, value_name = "N", default_value_t = MetricLimits::default().max_series)]
    max_series: u32,

    /// One filter for all policies, or one for each
    #[arg(long, value_enum, default_value_t = FiltersOption::Suite)]
    filters: FiltersOption,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FiltersOption {
    /// All five policies in one crossing from Envoy into WebAssembly
    Suite,
    /// Five filters
    Separate,
}

impl RenderFlags {
    /// Files and folders that the outcome depends on.
    pub fn watched(&self) -> impl Iterator<Item = PathBuf> {
        self.certs.iter().chain(&self.credentials).cloned()
    }

    /// The workload's certificate. `own_certs`: where it is if no flag says.
    ///
    /// # Errors
    /// It can't be used.
    pub fn identity(&self, own_certs: Option<&Path>) -> Result<Option<Identity>, IdentityError> {
        self.certs.as_deref().or(own_certs).map(Identity::read_settled).transpose()
    }

    /// What they ask for; Envoy finds the modules in `module_dir`.
    pub fn options(
        &self,
        proxy: &ProxyOptions,
        mesh: &MeshConfig,
        module_dir: &Path,
        identity: Option<Identity>,
    ) -> Options {
        Options {
            ports: self.ports.iter().copied().collect::<BTreeMap<_, _>>(),
            bind: self.bind,
            outbound_bind: self.outbound_bind,
            app_host: self.app_host.clone(),
            admin: self.admin,
            filters: match self.filters {
                FiltersOption::Suite => Filters::Suite,
                FiltersOption::Separate => Filters::Separate,
            },
            app_ports: proxy.app_ports.clone(),
            probe_port: self.probe_port,
            app_probes: self.probes(),
            module_dir: module_dir.to_owned(),
            identity,
            credentials: self.credentials.clone(),
            locality: proxy.locality.clone().unwrap_or_default(),
            decision_header: self.decision_header.clone(),
            metrics: MetricLimits { max_series: self.max_series },
            mesh: mesh.clone(),
        }
    }
}

impl RenderFlags {
    /// A flag that shapes a whole Envoy, and was given. `--port`, `--decision-header` and `--max-series` shape filters.
    pub fn of_a_whole_envoy(&self) -> Option<&'static str> {
        let default_admin = "127.0.0.1:15000".parse() == Ok(self.admin);
        let given = [
            ("--bind", self.bind.is_some()),
            ("--outbound-bind", self.outbound_bind.is_some()),
            ("--app-host", self.app_host.is_some()),
            ("--admin", !default_admin),
            ("--certs", self.certs.is_some()),
            ("--credentials", self.credentials.is_some()),
            ("--probe-port", self.probe_port.is_some()),
            ("--app-probe", !self.app_probes.is_empty()),
            ("--filters", self.filters != FiltersOption::Suite),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag)
    }

    /// Whether ports are mapped.
    pub fn maps_ports(&self) -> bool {
        !self.ports.is_empty()
    }

    fn probes(&self) -> Vec<AppProbe> {
        let host = self.app_host.clone().unwrap_or_else(|| "127.0.0.1".to_owned());
        let probe =
            |(path, port): &(String, u16)| AppProbe { path: path.clone(), host: host.clone(), port: *port };
        self.app_probes.iter().map(probe).collect()
    }
}

/// Checks what was read, tells the user on standard error about errors and warnings, and renders it.
///
/// # Errors
/// The resources have errors.
pub fn check_and_render(
    loaded: &Loaded,
    mesh: &mesh_config::Parsed,
    proxy: &Proxy,
    options: &Options,
) -> Result<Rendered, Exit> {
    let mut findings = analyze_with(loaded, proxy, mesh, options);
    findings.retain(|finding| finding.level != Level::Info);
    let rendered = if has_errors(&findings) {
        Err(Exit::Refused)
    } else {
        render(&loaded.resources, proxy, options).map_err(|problems| {
            for error in problems.iter().map(Finding::from) {
                // What was a warning without this proxy in mind is an error for it.
                findings.retain(|finding| Finding { level: error.level, ..finding.clone() } != error);
                findings.push(error);
            }
            Exit::Refused
        })
    };
    if !findings.is_empty() {
        let files: Vec<_> = loaded.files.iter().chain(&mesh.file).collect();
        let _ = anstream::stderr().write_all(human::report(&findings, &files).as_bytes());
    }
    rendered
}

fn parse_admin(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text
        .parse()
        .map_err(|_| format!("`{text}` is not an IP address and a port, such as `127.0.0.1:15000`"))?;
    match address.port() {
        0 => Err("port 0 is none: nobody would know where Envoy listens".to_owned()),
        _ => Ok(address),
    }
}

fn parse_probe(text: &str) -> Result<(String, u16), String> {
    text.rsplit_once('=')
        .filter(|(path, _)| path.starts_with('/') && !path.contains(['?', '#']))
        .and_then(|(path, port)| {
            let port = port.parse().ok().filter(|port| *port != 0)?;
            Some((path.to_owned(), port))
        })
        .ok_or_else(|| format!("`{text}` is not a path and a port, such as `/healthz=8080`"))
}

fn parse_header_name(text: &str) -> Result<String, String> {
    let valid = outrigger_api::is_token(text);
    valid.then(|| text.to_ascii_lowercase()).ok_or_else(|| format!("`{text}` is not the name of a header"))
}

fn parse_port(text: &str) -> Result<(u16, u16), String> {
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port != 0);
    text.split_once('=')
        .and_then(|(named, opened)| Some((port(named)?, port(opened)?)))
        .ok_or_else(|| format!("`{text}` is not two ports, such as `80=8080`"))
}

/// An address or a name, which may have none yet. Its port is said elsewhere.
fn parse_app_host(text: &str) -> Result<String, String> {
    let strange = |letter: char| letter.is_whitespace() || letter.is_control() || "/:[]".contains(letter);
    if text.parse::<IpAddr>().is_ok() || !text.is_empty() && !text.contains(strange) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{}` is not an IP address or a host name; ports are for `--app-port`",
            text.escape_debug()
        ))
    }
}

/// An address, or the first that a name stands for.
fn parse_host(text: &str) -> Result<IpAddr, String> {
    if let Ok(ip) = text.parse() {
        return Ok(ip);
    }
    let found = (text, 0).to_socket_addrs().map_err(|error| format!("`{text}` has no address: {error}"))?;
    let mut all: Vec<IpAddr> = found.map(|address| address.ip()).collect();
    all.sort_by_key(IpAddr::is_ipv6);
    all.first().copied().ok_or_else(|| format!("`{text}` has no address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_is_at_an_address_or_a_name() {
        for host in ["127.0.0.1", "::1", "app", "my_app", "app.example."] {
            assert_eq!(parse_app_host(host).as_deref(), Ok(host));
        }
        for host in ["", "a b", "127.0.0.1:8080", "app:8080", "[::1]", "http://app", "a\nb"] {
            assert!(parse_app_host(host).is_err(), "{host}");
        }
    }

    #[test]
    fn the_admin_interface_has_a_port() {
        assert_eq!(parse_admin("[::1]:15000"), Ok(SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 15000))));
        assert!(parse_admin("127.0.0.1:0").unwrap_err().contains("port 0"));
        assert!(parse_admin("localhost").is_err());
    }
}

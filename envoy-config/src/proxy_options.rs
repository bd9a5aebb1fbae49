//! Who the proxy is: the flags of every command.

use clap::{Args, ValueEnum};
use outrigger_api::config::{Proxy, Role};
use outrigger_api::types::common::Labels;
use outrigger_api::{label_key, label_value};

use crate::envoy::cluster::Locality;
use crate::mesh_config::MeshConfig;
use crate::names;
use crate::render::{AppPort, INBOUND_PORT};

/// Flags that say who the proxy is.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Who this proxy is")]
pub struct ProxyOptions {
    /// Its role: at the edge, or beside one workload
    #[arg(long, value_enum, default_value_t = RoleOption::Gateway)]
    pub role: RoleOption,

    /// Name of its workload, for metrics [default: istio-ingressgateway for a gateway, else `unknown`]
    #[arg(long, value_name = "NAME", value_parser = parse_workload)]
    pub workload: Option<String>,

    /// Its namespace
    #[arg(long, value_name = "NS", default_value = "default", value_parser = names::namespace)]
    pub namespace: String,

    /// A label of its workload; repeatable [default for a gateway: istio=ingressgateway and
    /// app=istio-ingressgateway]
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = parse_label)]
    pub labels: Vec<(String, String)>,

    /// Its service account
    #[arg(long, value_name = "SA", value_parser = names::service_account)]
    pub service_account: Option<String>,

    /// Its trust domain [default: the mesh configuration's, else cluster.local]
    #[arg(long, value_name = "DOMAIN", value_parser = names::trust_domain)]
    pub trust_domain: Option<String>,

    /// The namespace whose policies hold for the whole mesh [default: the mesh configuration's, else istio-system]
    #[arg(long, value_name = "NS", value_parser = names::namespace)]
    pub root_namespace: Option<String>,

    /// Where it runs, for endpoints that are near or far: region/zone/subzone
    #[arg(long, value_name = "LOCALITY", value_parser = crate::locality::parse_flag)]
    pub locality: Option<Locality>,

    /// Where a sidecar's application listens on 127.0.0.1, and where the sidecar takes requests for it; without it
    /// nothing comes in through the sidecar; repeatable, each with a port of its own [default for OPENED: 15006]
    #[arg(long = "app-port", value_name = "PORT[=OPENED]", value_parser = parse_app_port)]
    pub app_ports: Vec<AppPort>,
}

/// Values of `--role`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RoleOption {
    /// At the edge of the mesh
    Gateway,
    /// Beside one workload
    Sidecar,
}

impl ProxyOptions {
    /// The proxy they describe. A flag wins over the mesh configuration.
    pub fn proxy(&self, mesh: &MeshConfig) -> Proxy {
        let gateway = self.role == RoleOption::Gateway;
        let workload = if gateway { "istio-ingressgateway" } else { "unknown" };
        let or = |flag: &Option<String>, mesh: &Option<String>, default: &str| {
            flag.as_ref().or(mesh.as_ref()).map_or_else(|| default.to_owned(), Clone::clone)
        };
        Proxy {
            role: if gateway { Role::Gateway } else { Role::Sidecar },
            workload: self.workload.clone().unwrap_or_else(|| workload.to_owned()),
            namespace: self.namespace.clone(),
            labels: self.labels(),
            service_account: self.service_account.clone(),
            trust_domain: or(&self.trust_domain, &mesh.trust_domain, "cluster.local"),
            trust_domain_aliases: mesh.trust_domain_aliases.clone(),
            root_namespace: or(&self.root_namespace, &mesh.root_namespace, "istio-system"),
            cluster_domain: "cluster.local".to_owned(),
            direction: None,
            port: None,
            client_is_peer: false,
        }
    }

    /// The labels given; those of Istio's ingress gateway for a gateway without any.
    fn labels(&self) -> Labels {
        let given = self.labels.iter().cloned();
        if self.labels.is_empty() && self.role == RoleOption::Gateway {
            let default = [("istio", "ingressgateway"), ("app", "istio-ingressgateway")];
            default.map(|(key, value)| (key.to_owned(), value.to_owned())).into_iter().collect()
        } else {
            given.collect()
        }
    }
}

fn parse_app_port(text: &str) -> Result<AppPort, String> {
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port != 0);
    let (named, opened) = match text.split_once('=') {
        Some((named, opened)) => (port(named), port(opened)),
        None => (port(text), Some(INBOUND_PORT)),
    };
    match (named, opened) {
        (Some(port), Some(opened)) => Ok(AppPort { port, opened }),
        _ => Err(format!("`{text}` is not a port, such as `8080`, or two, such as `8080=15007`")),
    }
}

/// Headers carry it to other proxies.
fn parse_workload(text: &str) -> Result<String, String> {
    match text.is_empty() || text.contains(char::is_control) {
        true => Err(format!("`{}` is not the name of a workload", text.escape_debug())),
        false => Ok(text.to_owned()),
    }
}

pub(crate) fn parse_label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not `key=value`"))?;
    label_key(key).map_err(|why| format!("`{key}` {why}"))?;
    label_value(value).map_err(|why| format!("`{value}` {why}"))?;
    Ok((key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        options: ProxyOptions,
    }

    fn proxy(arguments: &[&str], mesh: &MeshConfig) -> Proxy {
        Command::try_parse_from([&["x"], arguments].concat()).unwrap().options.proxy(mesh)
    }

    #[test]
    fn names_that_no_workload_has_are_refused() {
        for arguments in [
            ["--workload", ""],
            ["--workload", "a\nb"],
            ["--label", "app"],
            ["--label", "=a"],
            ["--label", "app=;.;"],
            ["--label", "a b=c"],
            ["--namespace", "A B"],
            ["--namespace", ""],
            ["--root-namespace", "a/b"],
            ["--service-account", "A B/"],
            ["--trust-domain", "A B/"],
        ] {
            assert!(Command::try_parse_from(["x", arguments[0], arguments[1]]).is_err(), "{arguments:?}");
        }
        assert_eq!(proxy(&["--workload", "ä.b"], &MeshConfig::default()).workload, "ä.b");
    }

    #[test]
    fn a_gateway_has_the_labels_of_istios_unless_told_otherwise() {
        let mesh = MeshConfig::default();
        let labels = |arguments: &[&str]| {
            let labels = proxy(arguments, &mesh).labels;
            labels.into_iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
        };
        assert_eq!(labels(&[]), "app=istio-ingressgateway,istio=ingressgateway");
        assert_eq!(labels(&["--label", "a=b-c", "--label", "d="]), "a=b-c,d=");
        assert_eq!(labels(&["--role", "sidecar"]), "");
    }

    #[test]
    fn a_flag_wins_over_the_mesh_configuration() {
        let mesh = MeshConfig { trust_domain: Some("mesh.test".to_owned()), ..MeshConfig::default() };
        assert_eq!(proxy(&[], &MeshConfig::default()).trust_domain, "cluster.local");
        assert_eq!(proxy(&[], &mesh).trust_domain, "mesh.test");
        assert_eq!(proxy(&["--trust-domain", "flag.test"], &mesh).trust_domain, "flag.test");
        assert_eq!(proxy(&[], &mesh).root_namespace, "istio-system");
    }

    #[test]
    fn a_label_needs_a_key() {
        assert!(parse_label("=x").is_err());
        assert!(parse_label("x").is_err());
    }
}

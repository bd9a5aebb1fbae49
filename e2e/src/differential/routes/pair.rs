//! One Envoy with both sides: the rendered gateway with the suite, and native routes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, bail};
use envoy_config::render::{self, Options, Rendered};
use outrigger_api::{Proxy, Resource, parse_yaml};
use serde_json::{Value, json};

use super::answer::Answer;
use super::configuration::Configuration;
use super::connection::Connection;
use super::generate::{self, PORTS};
use super::reference;
use super::request::Request;
use super::upstream::{Copies, Endpoint, NUMBER};
use crate::bench::envoy::{Envoy, free_ports};
use crate::engine_judge::proxy;
use crate::scenario::Role;

/// What every Envoy needs.
#[derive(Debug)]
pub(super) struct Setting {
    /// Where requests go.
    pub(super) endpoints: Vec<Endpoint>,
    /// The copies that come in there.
    pub(super) copies: Copies,
    /// Where the suite is.
    pub(super) modules: PathBuf,
    /// For Envoy's files.
    pub(super) folder: tempfile::TempDir,
}

/// A running Envoy.
#[derive(Debug)]
pub(in crate::differential) struct Pair {
    ours: [u16; 2],
    native: [u16; 2],
    _envoy: Envoy,
}

impl Pair {
    /// Starts one with all of `configurations`.
    pub(super) fn start(configurations: &[Configuration], setting: &Setting) -> Result<Self> {
        let [a, b, c, d] = free_ports()?;
        let (ours, native) = ([a, b], [c, d]);
        let all = configurations.iter().flat_map(|configuration| &configuration.resources);
        let rendered = match render(all, ours, setting) {
            Ok(rendered) => rendered,
            Err(refused) => bail!("each can be rendered, but not all together: {refused}"),
        };
        let mut listeners: Vec<Value> = serde_json::from_value(serde_json::to_value(&rendered.listeners)?)?;
        for (port, real) in PORTS.into_iter().zip(native) {
            let mut hosts = Vec::new();
            for configuration in configurations {
                hosts.extend(reference::virtual_hosts(configuration, port)?);
            }
            listeners.push(reference::listener(port, real, hosts));
        }
        let mut clusters: Vec<Value> = serde_json::from_value(serde_json::to_value(&rendered.clusters)?)?;
        clusters.extend(reference::clusters(&setting.endpoints));
        let bootstrap = json!({
            "node": {"id": "differential", "cluster": "differential"},
            "layered_runtime": rendered.runtime,
            "static_resources": {"listeners": listeners, "clusters": clusters},
        });
        let envoy = Envoy::start("differential", &bootstrap, setting.folder.path(), None)?;
        Ok(Self { ours, native, _envoy: envoy })
    }

    /// Connections for one thread.
    pub(super) fn connect(&self) -> Asker {
        let connection = |port: u16| Connection::new(SocketAddr::from(([127, 0, 0, 1], port)));
        let connections = |ports: [u16; 2]| ports.map(connection);
        Asker { ours: connections(self.ours), native: connections(self.native) }
    }
}

/// Connections to both sides.
#[derive(Debug)]
pub(in crate::differential) struct Asker {
    ours: [Connection; 2],
    native: [Connection; 2],
}

impl Asker {
    /// What came of `request` on our side and on the native one. `copies`: and of the copies that may be sent.
    pub(super) fn ask(&mut self, request: &Request, copies: Option<&Copies>) -> Result<(Answer, Answer)> {
        let which = usize::from(request.port == PORTS[1]);
        let Some(copies) = copies else {
            let bytes = request.to_bytes();
            let ours = self.ours[which].send(&request.method, &bytes)?;
            return Ok((ours, self.native[which].send(&request.method, &bytes)?));
        };
        let numbers = [(); 2].map(|()| format!("{:012}", NUMBERS.fetch_add(1, Ordering::Relaxed)));
        let [mut ours, mut native] = [
            self.ours[which].send(&request.method, &request.with(NUMBER, &numbers[0]).to_bytes())?,
            self.native[which].send(&request.method, &request.with(NUMBER, &numbers[1]).to_bytes())?,
        ];
        // A copy may come in after the answer.
        let (mut of_ours, mut of_native) = (Vec::new(), Vec::new());
        for _ in 0..40 {
            std::thread::sleep(Duration::from_millis(8));
            [of_ours, of_native] =
                [&numbers[0], &numbers[1]].map(|number| Answer::copies(&copies.of(number)));
            if of_ours == of_native {
                break;
            }
        }
        ours.add_copies(of_ours);
        native.add_copies(of_native);
        Ok((ours, native))
    }
}

/// Numbers of requests.
static NUMBERS: AtomicUsize = AtomicUsize::new(0);

/// Why our side can't carry `configuration` out; `None` if it can. On the other side that is an error.
pub(super) fn refusal(configuration: &Configuration, setting: &Setting) -> Result<Option<String>> {
    if configuration.kind("VirtualService").next().is_none() {
        return Ok(Some("there is no VirtualService".to_owned()));
    }
    for port in PORTS {
        reference::virtual_hosts(configuration, port)?;
    }
    Ok(render(configuration.resources.iter(), PORTS, setting).err())
}

fn render<'v>(
    resources: impl Iterator<Item = &'v Value>,
    ports: [u16; 2],
    setting: &Setting,
) -> Result<Rendered, String> {
    let mut parsed: Vec<Resource> = Vec::new();
    for resource in resources.cloned().chain(generate::common(&setting.endpoints)) {
        let read = parse_yaml(resource.to_string().as_bytes(), "generated", reference::NAMESPACE);
        if let Some(problem) = read.problems.iter().find(|problem| problem.is_error()) {
            return Err(format!("{problem:?}"));
        }
        parsed.extend(read.resources);
    }
    let options = Options {
        ports: PORTS.into_iter().zip(ports).collect(),
        bind: Some([127, 0, 0, 1].into()),
        module_dir: setting.modules.clone(),
        ..Options::default()
    };
    let proxy = Proxy { port: None, ..proxy(Role::Gateway) };
    render::render(&parsed, &proxy, &options).map_err(|problems| {
        problems.iter().map(|problem| format!("{problem:?}")).collect::<Vec<_>>().join("\n")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine_judge::proxy;

    #[test]
    fn both_sides_take_the_gateway_for_the_same() {
        let ours = proxy(Role::Gateway);
        assert_eq!(ours.namespace, reference::NAMESPACE);
        let labels: std::collections::BTreeMap<_, _> =
            reference::LABELS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(ours.labels, labels);
    }
}

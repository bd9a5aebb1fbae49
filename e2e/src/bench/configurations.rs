//! What is measured: listeners, and rows of the table that send requests to them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use envoy_config::modules::Module;
use serde_json::{Value, json};

use super::calls::Calls;
use super::listener::{Listener, Policies, Routes, listener, route_to};
use super::load::Request;
use super::native;
use super::options::Options;
use super::ours::with_module;
use super::setting::{Setting, with_token};
use super::{envoy, modules};

/// Ends the names of rows whose requests carry a token.
pub(super) const TOKEN: &str = "+jwt";
/// Sizes that `--scale` compares.
const SCALES: [usize; 2] = [10, 10_000];
/// The most listeners that there can be.
const MOST: usize = 64;

/// Everything that can be measured.
#[derive(Debug)]
pub(super) struct Bench {
    /// The shop.
    pub(super) shop: Setting,
    /// Every listener.
    pub(super) listeners: Vec<Listener>,
    /// Every row of the table.
    pub(super) rows: Vec<Row>,
    /// The modules by the name of their row.
    pub(super) modules: BTreeMap<String, PathBuf>,
    /// Where all listeners' requests go, by name.
    clusters: BTreeMap<String, Value>,
    /// Ports that no listener has yet.
    ports: Vec<u16>,
}

/// One row of the table.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// Unique.
    pub(super) name: String,
    /// What it is.
    pub(super) about: String,
    /// Where the requests go.
    pub(super) port: u16,
    /// What is sent.
    pub(super) request: Request,
    /// The row without any filter.
    pub(super) bare: String,
    /// The row of Envoy's own filters.
    pub(super) native: String,
}

impl Bench {
    /// Everything that `options` ask for, with the upstream at these two ports. `own` is for modules of its own.
    pub(super) fn new(options: &Options, upstreams: [u16; 2], own: &Path) -> Result<Self> {
        let folder = modules()?;
        let mut bench = Self {
            shop: Setting::shop(upstreams, &folder)?,
            listeners: Vec::new(),
            rows: Vec::new(),
            modules: BTreeMap::new(),
            clusters: BTreeMap::new(),
            ports: envoy::free_ports::<MOST>()?.to_vec(),
        };
        bench.modules.insert("empty".to_owned(), options.empty.clone());
        bench.modules.insert("suite".to_owned(), folder.join(Module::Suite.file_name()));
        for module in Module::SEPARATE {
            bench.modules.insert(short(module).to_owned(), folder.join(module.file_name()));
        }
        bench.add_shop(options, own)?;
        // Requests with a token after those without.
        bench.rows.sort_by_key(|row| row.name.ends_with(TOKEN));
        if options.scale {
            for count in SCALES {
                bench.add_scale(&format!("routes-{count}"), Setting::routes(count, upstreams, &folder)?)?;
                bench.add_scale(&format!("rules-{count}"), Setting::rules(count, upstreams, &folder)?)?;
            }
        }
        Ok(bench)
    }

    /// The rows that `only` names, all if it names none, and those they are compared with.
    pub(super) fn selected(&self, only: &[String]) -> Result<Vec<Row>> {
        if let Some(unknown) = only.iter().find(|name| !self.rows.iter().any(|row| row.name == **name)) {
            let names: Vec<_> = self.rows.iter().map(|row| row.name.as_str()).collect();
            bail!("there is no configuration `{unknown}`; there are {}", names.join(", "));
        }
        let named = |row: &&Row| only.is_empty() || only.contains(&row.name);
        let wanted: Vec<_> = self.rows.iter().filter(named).collect();
        let needed =
            |row: &&Row| wanted.iter().any(|one| [&one.name, &one.bare, &one.native].contains(&&row.name));
        Ok(self.rows.iter().filter(needed).cloned().collect())
    }

    /// Where the listeners' requests go.
    pub(super) fn clusters(&self) -> Vec<&Value> {
        self.clusters.values().collect()
    }

    fn add_clusters(&mut self, clusters: &[Value]) {
        let named = clusters.iter().map(|cluster| (cluster["name"].to_string(), cluster.clone()));
        self.clusters.extend(named);
    }

    fn add_shop(&mut self, options: &Options, own: &Path) -> Result<()> {
        let (ours, native) = (self.shop.ours.clone(), self.shop.native.clone());
        self.add_clusters(&ours.clusters);
        let none = Policies::default();
        let to_orders = || Routes::Native(vec![route_to(native::ORDERS_V1)]);

        self.add("bare", "no filter but Envoy's router", none, Vec::new(), to_orders(), true)?;
        self.add("empty", "a filter that does nothing", none, vec![empty(options)], to_orders(), false)?;
        let routes = Routes::Native(native.routes);
        let about = "jwt_authn, rbac twice, fault, routes; no metrics";
        self.add("native", about, Policies::NATIVE, native.filters, routes, true)?;
        let cached = native::shop_with_token_cache()?;
        let (about, routes) = ("native, with its cache of tokens", Routes::Native(cached.routes));
        self.add("native-cached", about, Policies::NATIVE, cached.filters, routes, true)?;

        for (module, _) in &ours.separate {
            let (name, policies) = (short(*module), alone(*module));
            let routes = if policies.route { Routes::Generic } else { to_orders() };
            let filters = ours.alone(*module)?;
            self.add(name, &format!("{name} alone"), policies, filters, routes, *module == Module::JwtAuthn)?;
        }
        let filters = ours.chain(ours.separate.iter().map(|(_, filter)| filter.clone()));
        self.add("separate", "our five filters in one chain", Policies::ALL, filters, Routes::Generic, true)?;
        let suite = ours.chain([ours.suite.clone()]);
        self.add("suite", "all five in one filter", Policies::ALL, suite, Routes::Generic, true)?;
        let calls = ours.chain([Calls::suite().filter(options, own, "calls")?]);
        let about = "what the suite asks the host, and nothing else";
        self.add("calls", about, none, calls, Routes::Generic, false)?;
        for compared in &options.compare {
            let name = format!("suite-{}", compared.name);
            let filters = ours.chain([with_module(&ours.suite, &compared.module)?]);
            let about = format!("the suite of {}", compared.module.display());
            self.modules.insert(name.clone(), compared.module.clone());
            self.add(&name, &about, Policies::ALL, filters, Routes::Generic, true)?;
        }
        Ok(())
    }

    /// A listener of the shop with its row, and another row for requests with a token if `with_tokens`.
    fn add(
        &mut self,
        name: &str,
        about: &str,
        policies: Policies,
        filters: Vec<Value>,
        routes: Routes,
        with_tokens: bool,
    ) -> Result<()> {
        let port = self.ports.pop().context("more listeners than ports")?;
        self.listeners.push(listener(name, port, policies, &self.shop.ours, filters, routes)?);
        let row = |ending: &str, about: String, request| Row {
            name: format!("{name}{ending}"),
            about,
            port,
            request,
            bare: format!("bare{ending}"),
            native: format!("native{ending}"),
        };
        let request = self.shop.request.clone();
        if with_tokens {
            let request = with_token(&request)?;
            self.rows.push(row(TOKEN, format!("{about}; a token in each request"), request));
        }
        self.rows.push(row("", about.to_owned(), request));
        Ok(())
    }

    fn add_scale(&mut self, name: &str, setting: Setting) -> Result<()> {
        self.add_clusters(&setting.ours.clusters);
        let what = name
            .split_once('-')
            .map_or(String::new(), |(of, count)| format!("{count} {of}; the last applies"));
        let suite = setting.ours.chain([setting.ours.suite.clone()]);
        let sides = [
            ("native", setting.native.filters.clone(), Routes::Native(setting.native.routes.clone())),
            ("suite", suite, Routes::Generic),
        ];
        for (side, filters, routes) in sides {
            let port = self.ports.pop().context("more listeners than ports")?;
            let full = format!("{side}-{name}");
            self.listeners.push(listener(&full, port, Policies::default(), &setting.ours, filters, routes)?);
            self.rows.push(Row {
                name: full,
                about: what.clone(),
                port,
                request: setting.request.clone(),
                bare: "bare".to_owned(),
                native: format!("native-{name}"),
            });
        }
        Ok(())
    }
}

/// The name of a stand-alone filter's row.
fn short(module: Module) -> &'static str {
    match module {
        Module::Suite => "suite",
        Module::JwtAuthn => "jwt-authn",
        Module::Authz => "authz",
        Module::Fault => "fault",
        Module::Router => "router",
        Module::Metrics => "metrics",
    }
}

/// What a filter carries out when it stands alone.
fn alone(module: Module) -> Policies {
    let none = Policies::default();
    match module {
        Module::Suite => Policies::ALL,
        Module::JwtAuthn => Policies { jwt: true, ..none },
        Module::Authz => Policies { authz: true, ..none },
        Module::Fault => Policies { fault: true, ..none },
        Module::Router => Policies { route: true, ..none },
        Module::Metrics => Policies { metrics: true, ..none },
    }
}

pub(super) fn empty(options: &Options) -> Value {
    json!({
        "name": "empty",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": "empty",
                "vm_config": {
                    "vm_id": "empty",
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": {"local": {"filename": options.empty}},
                },
            },
        },
    })
}

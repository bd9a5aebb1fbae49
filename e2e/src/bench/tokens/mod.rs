//! What tokens cost: our filter beside Envoy's `jwt_authn`, with and without its cache, in the same rounds.

mod cases;
mod report;

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use envoy_config::modules::Module;
use serde_json::{Value, json};

use self::cases::{Alg, Case, ISSUER};
use self::report::Report;
use super::calls::{self, Calls};
use super::configurations::{Row, empty};
use super::envoy::{self, Envoy};
use super::listener::{Listener, Policies, Routes, listener, route_to};
use super::load::Generator;
use super::machine::{Cores, Machine};
use super::native::ORDERS;
use super::options::Options;
use super::ours::Ours;
use super::{bootstrap, probes, resources, rounds};

/// Who verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Nobody.
    Bare,
    /// A WebAssembly filter that does nothing.
    Empty,
    /// Envoy's own filter.
    Native,
    /// The same with its cache of tokens, which is off by default.
    NativeCached,
    /// Ours, alone.
    Ours,
    /// Ours without its cache.
    OursUncached,
    /// Ours, with ten issuers of twenty keys each.
    OursMany,
    /// Envoy's own with as many.
    NativeMany,
    /// What ours asks the host about a new token, and nothing else.
    Calls(Alg),
}

impl Side {
    const ALL: [Self; 10] = [
        Self::Bare,
        Self::Empty,
        Self::Native,
        Self::NativeCached,
        Self::Ours,
        Self::OursUncached,
        Self::OursMany,
        Self::NativeMany,
        Self::Calls(Alg::Rs256),
        Self::Calls(Alg::Es256),
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Empty => "empty",
            Self::Native => "native",
            Self::NativeCached => "native-cached",
            Self::Ours => "ours",
            Self::OursUncached => "ours-uncached",
            Self::OursMany => "ours-10x20",
            Self::NativeMany => "native-10x20",
            Self::Calls(_) => "calls",
        }
    }

    fn verifies(self) -> bool {
        !matches!(self, Self::Bare | Self::Empty | Self::Calls(_))
    }

    /// How many issuers, and keys of each.
    fn size(self) -> (usize, usize) {
        if matches!(self, Self::OursMany | Self::NativeMany) { (10, 20) } else { (1, 4) }
    }

    /// What is asked of it.
    fn cases(self) -> Vec<Case> {
        let all = Case::all();
        match self {
            Self::Bare | Self::Native | Self::Ours => all,
            Self::Empty => vec![Case::None],
            Self::Calls(alg) => vec![Case::Cold(alg)],
            Self::NativeCached | Self::OursUncached => {
                all.into_iter().filter(|case| matches!(case, Case::Warm(_))).collect()
            }
            Self::OursMany | Self::NativeMany => {
                all.into_iter().filter(|case| matches!(case, Case::Cold(_) | Case::None)).collect()
            }
        }
    }

    fn row(self, case: Case) -> String {
        format!("{} {}", self.name(), case.name())
    }
}

/// Measures, prints the table and adds it to the report.
///
/// # Errors
/// As [`super::run`].
pub(super) fn run(options: &Options) -> Result<()> {
    let cores = Cores::find();
    let folder = tempfile::tempdir()?;
    let ports = envoy::free_ports::<2>()?;
    let upstream =
        Envoy::start("upstream", &bootstrap::upstream(ports), &folder.path().join("upstream"), cores.load)?;
    let generator = Generator::new(cores.load, options.connections)?;
    let before = Machine::read();
    before.warn_if_busy();
    let (listeners, ours) = listeners(options, ports, folder.path())?;
    let bootstrap =
        bootstrap::measured(listeners.iter().map(|(_, listener)| listener), &ours.clusters, &ours);
    eprintln!("bench: minting tokens ...");
    let rows = rows(&listeners, folder.path())?;
    let measured = Envoy::start("measured", &bootstrap, &folder.path().join("measured"), cores.envoy)?;
    check(&rows)?;
    let measured_rows: Vec<_> = rows.iter().map(|(_, _, row)| row.clone()).collect();
    for alg in [Alg::Rs256, Alg::Es256] {
        let case = Case::Cold(alg);
        calls::check(&measured, &measured_rows, &Side::Ours.row(case), &Side::Calls(alg).row(case))?;
    }
    let samples = rounds::measure(&measured_rows, &measured, &generator, options)?;
    drop((measured, upstream));
    let report = Report::new(&samples, options, before.after())?;
    print!("{}", report.table());
    super::report::add(&options.output, "tokens", serde_json::to_value(&report)?)?;
    eprintln!("bench: {} written", options.output.display());
    Ok(())
}

type Listeners = Vec<(Side, Listener)>;

fn listeners(options: &Options, upstreams: [u16; 2], folder: &Path) -> Result<(Listeners, Ours)> {
    let modules = super::modules()?;
    let mut free = envoy::free_ports::<{ Side::ALL.len() }>()?.into_iter();
    let render = |side| Ours::render(&resources::load(&policies(side)?, upstreams)?, &modules);
    let first = render(Side::Ours)?;
    let mut listeners = Vec::new();
    for side in Side::ALL {
        let filters = match side {
            Side::Bare => Vec::new(),
            Side::Empty => vec![empty(options)],
            Side::Calls(alg) => {
                vec![Calls::verifying(&cases::mint(alg, 0)?)?.filter(options, folder, alg.name())?]
            }
            Side::Native | Side::NativeCached | Side::NativeMany => vec![native(side)?],
            Side::Ours | Side::OursUncached | Side::OursMany => render(side)?.alone(Module::JwtAuthn)?,
        };
        let port = free.next().context("more listeners than ports")?;
        let routes = Routes::Native(vec![route_to(ORDERS)]);
        let name = format!("{}-{port}", side.name());
        listeners.push((side, listener(&name, port, Policies::default(), &first, filters, routes)?));
    }
    Ok((listeners, first))
}

/// Issuers of one side. The tokens are of the last.
fn issuers(side: Side) -> Vec<String> {
    let (count, _) = side.size();
    (10 - count..10).map(|number| format!("https://issuer-{number:02}.example.com")).collect()
}

fn policies(side: Side) -> Result<String> {
    let (_, keys) = side.size();
    let jwks = cases::keys(keys.saturating_sub(4))?.to_string();
    let rules =
        issuers(side).iter().map(|issuer| json!({"issuer": issuer, "jwks": jwks})).collect::<Vec<_>>();
    let cache = if side == Side::OursUncached { "false" } else { "true" };
    let authentication = json!({
        "apiVersion": "security.istio.io/v1",
        "kind": "RequestAuthentication",
        "metadata": {"name": "tokens", "annotations": {"outrigger.io/token-cache": cache}},
        "spec": {"jwtRules": rules},
    });
    let route = "  - route: [{destination: {host: orders}}]\n";
    let service = resources::virtual_service("orders", resources::HOST);
    Ok(format!("{}{service}{route}---\n{authentication}\n", resources::gateway()))
}

/// As istiod configures it.
fn native(side: Side) -> Result<Value> {
    let (_, keys) = side.size();
    let jwks = cases::keys(keys.saturating_sub(4))?.to_string();
    let mut providers = serde_json::Map::new();
    let mut any = Vec::new();
    for (number, issuer) in issuers(side).into_iter().enumerate() {
        let name = format!("origins-{number}");
        let mut provider = json!({
            "issuer": issuer,
            "local_jwks": {"inline_string": jwks},
            "payload_in_metadata": "payload",
            "normalize_payload_in_metadata": {"space_delimited_claims": ["scope", "permission"]},
        });
        if side == Side::NativeCached {
            provider["jwt_cache_config"] = json!({"jwt_cache_size": 1000});
        }
        providers.insert(name.clone(), provider);
        any.push(json!({"provider_name": name}));
    }
    any.push(json!({"allow_missing": {}}));
    Ok(json!({
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": providers,
            "rules": [{
                "match": {"prefix": "/"},
                "requires": {"requires_any": {"requirements": any}},
            }],
            "bypass_cors_preflight": true,
        },
    }))
}

fn rows(listeners: &Listeners, folder: &Path) -> Result<Vec<(Side, Case, Row)>> {
    let mut rows = Vec::new();
    for (side, listener) in listeners {
        for case in side.cases() {
            let mut request = case.request(folder)?;
            request.refused = side.verifies() && case.is_refused();
            let (about, bare, native) = (String::new(), Side::Bare.row(case), Side::Native.row(case));
            let row = Row { name: side.row(case), about, port: listener.port, request, bare, native };
            rows.push((*side, case, row));
        }
    }
    Ok(rows)
}

/// Whether each side decides as it should; what measures a refusal measures no verification.
fn check(rows: &[(Side, Case, Row)]) -> Result<()> {
    for (side, case, row) in rows {
        let seen = probes::send(row.port, "GET", &row.request.nth(0)?)?;
        let expected = if side.verifies() && case.is_refused() { 401 } else { 200 };
        ensure!(
            seen.status == Some(expected),
            "`{}` answers {:?} ({}) to a token of {ISSUER}",
            row.name,
            seen.status,
            seen.body
        );
    }
    Ok(())
}

//! One request, offline, through the same engine as in the proxy.

pub mod answer;
pub mod authz;
mod client_address;
mod customs;
pub mod guards;
pub mod human;
mod joined;
mod known;
mod normalize;
mod passed_by;
mod peer;
pub mod question;
pub mod request_line;
mod sanitized;
pub mod shadow;
pub mod tokens;

use outrigger_api::select::sidecar::sidecar;
use outrigger_api::types::annotations::Inherited;
use outrigger_api::types::request_authentication::KeySource;
use outrigger_api::{Config, Direction, Problem, Proxy, Resource, Role, Spec};
use outrigger_core::engine::after;
use outrigger_core::fault::{Moment, NoneActive};
use outrigger_core::jwt::{Means, RustCrypto};
use outrigger_core::route::{self, Choice, Route};
use outrigger_core::{Connection, Engine, Now, Request};

pub use answer::Answer;
pub use question::Question;

use crate::mesh_config::MeshConfig;
use crate::render::authz::is_custom;
use crate::render::{self, Accepted, AppPort, Entrance, How, Options, Reached};
use crate::scope::{Listener, Scope, Unknown, outbound_policy};
use answer::{FaultChances, HeaderChanges, Outcome, PassedOver};
use customs::Asking;
use guards::FaultGuards;

/// What would happen to the request that `question` asks about.
///
/// # Errors
/// What the engine can't carry out: the proxy would refuse this configuration.
pub fn explain(
    resources: Vec<Resource>,
    proxy: &Proxy,
    options: &Options,
    question: &Question,
) -> Result<Answer, Vec<Problem>> {
    let (asked, mesh) = (question.proxy(proxy), &options.mesh);
    let mtls = peer::mtls(&resources, &asked, question);
    if let Some(reason) = mtls.as_ref().and_then(|mtls| peer::refused(mtls, &asked, question)) {
        return Ok(Answer { mtls, ..Answer::reset(reason) });
    }
    if let Some(Accepted { gateway, how: How::ReadOfCertified }) = accepted(&resources, &asked, question)
        && question.peer.is_none()
    {
        let reason = format!("Gateway {gateway} asks for a client certificate, and there is none (`--peer`)");
        return Ok(Answer::reset(&reason));
    }
    let (known, unknown) = known_to(resources.clone(), &asked, mesh);
    let mut answer = decide(known, unknown, &asked, mesh, question)?;
    let destination = answer.route.as_ref().and_then(|route| route.destination.as_ref());
    if let (Outcome::Forward, Some(destination)) = (answer.outcome, destination)
        && render::is_nowhere(&destination.place(), &resources, proxy)
    {
        answer = Answer { headers: HeaderChanges::default(), ..answer.replied(503, "cluster_not_found") };
    }
    let answer = Answer { mtls, ..answer };
    // What Envoy can't read as HTTP it answers before it knows what it is.
    let is_read = !answer.details.as_deref().is_some_and(|details| details.starts_with("http1."));
    Ok(if question.is_grpc() && is_read { answer.into_grpc() } else { answer })
}

/// What of the resources the proxy knows, and what becomes of a sidecar's requests for the rest.
fn known_to(resources: Vec<Resource>, proxy: &Proxy, mesh: &MeshConfig) -> (Vec<Resource>, Unknown) {
    let chosen = sidecar(&resources, proxy);
    let unknown = outbound_policy(chosen, proxy, mesh);
    let scope = chosen.filter(|_| proxy.direction == Some(Direction::Outbound));
    let scope = scope.and_then(|(_, sidecar)| Scope::new(sidecar, proxy));
    let known = scope.map(|scope| scope.resources(&resources, &Listener::All));
    (known.unwrap_or(resources), unknown)
}

/// Whether a request that passes would come back to where it came from.
fn to_itself(question: &Question) -> bool {
    question.line.port == render::OUTBOUND_PORT
}

/// What the engine makes of a request that is read.
fn decide(
    resources: Vec<Resource>,
    unknown: Unknown,
    proxy: &Proxy,
    mesh: &MeshConfig,
    question: &Question,
) -> Result<Answer, Vec<Problem>> {
    let (resources, to_https) = match reached(resources, proxy, mesh, question) {
        Reached::Filters(resources) => (resources, false),
        Reached::ToHttps(resources) => (resources, true),
        Reached::Nobody(why) => return Ok(Answer::reset(&why)),
    };
    let ours = resources.iter().filter(|resource| !is_custom(resource)).cloned().collect();
    let config = Config { proxy: proxy.clone(), resources: ours, ..Config::default() };
    let engine = Engine::compile(&config)?;
    let lines = match question.lines(proxy, mesh) {
        Ok(lines) => lines,
        Err(refused) => return Ok(Answer::reply(refused.status, refused.details)),
    };
    let path = lines.path().to_owned();
    let lines = lines.borrowed();
    let connection = question.connection(proxy, mesh);
    let known = question.known(&connection);
    let connection = Connection { lookup: Some(&known), ..connection };
    let request = Request::new(&lines, &connection);
    let asked = match customs::asked(&resources, proxy, mesh, &request)? {
        Asking::Nobody => None,
        Asking::Server(asked) => Some(asked),
        Asking::Refused { asked, details } => {
            return Ok(Answer { asked: Some(asked), ..Answer::reply(403, &details) });
        }
    };
    let moment = Moment { now: question.now, active: &NoneActive };
    let verdict = engine.request(&request, None, &mut question.draws(), moment, &Means::offline(&RustCrypto));
    let jwt_rules = tokens::rules(&config.resources, &request, question.now, proxy)?;
    // What comes after the rules about tokens sees the request as they have left it: without the token, and with headers
    // of its claims.
    let changes = verdict.jwt.as_ref().map(|jwt| jwt.ops.as_slice()).unwrap_or_default();
    let lines = after(request.headers(), changes);
    let identity = verdict.jwt.as_ref().and_then(|jwt| jwt.identity.as_deref());
    let request = request.seen_with(&lines, identity);
    let mut answer = Answer { asked, jwt_rules, ..Answer::new(&verdict, &request) };
    // The engine leaves the mesh's own policy to Envoy, which has it on the route.
    let by_mesh = verdict.route.as_ref().and_then(Choice::retries).filter(|retries| !retries.profile.own);
    if let (Some(found), Some(policy), Some(route)) = (by_mesh, &mesh.default_retries, &mut answer.route) {
        let retries = route::Retries::new(Some(policy), !found.profile.other_hosts);
        route.retries = Some(answer::Retries::of(&retries));
    }
    answer.nearest = authz::nearest(answer.authz.as_ref(), &config.resources, proxy, &request);
    let Some(table) = engine.routes() else { return Ok(answer) };
    if verdict.fault.is_none() && verdict.route.is_none() && answer.outcome == answer::Outcome::Reply {
        // Refused before any route was looked for.
        return Ok(answer);
    }
    answer.fault_chances = fault_chances(&config.resources, answer.route.as_ref());
    answer.fault_guards = fault_guards(&config.resources, answer.route.as_ref(), question.now);
    answer.passed_over = table.explain(&request).into_iter().map(PassedOver::from).collect();
    let unrouted = match (table.find(&request), proxy.role) {
        _ if to_https => Some((301, "direct_response")),
        (None, _) => Some((404, "route_not_found")),
        (Some(Route::Passthrough(_)), Role::Sidecar)
            if unknown == Unknown::Refuse || unknown == Unknown::PassThrough && to_itself(question) =>
        {
            Some((502, "direct_response"))
        }
        (Some(_), _) => None,
    };
    if let (Some(Route::Passthrough(_)), Unknown::Proxy(egress), Some(route)) =
        (table.find(&request), &unknown, &mut answer.route)
    {
        route.destination = Some(answer::Destination::of(egress));
    }
    if let Some((status, details)) = unrouted {
        let Answer { asked, jwt, jwt_rules, jwt_shadow, authz, nearest, shadow, audit, passed_over, .. } =
            answer;
        let reply = Answer::reply(status, details);
        let reply = Answer { asked, jwt, jwt_rules, jwt_shadow, ..reply };
        answer = Answer { authz, nearest, shadow, audit, passed_over, ..reply };
    }
    if to_https {
        let location = format!("https://{}{path}", question.authority());
        answer.headers.set.insert("location".to_owned(), location);
        answer.passed_over.clear();
    }
    Ok(answer)
}

/// What a gateway does with the connection that the request comes by.
fn accepted(resources: &[Resource], proxy: &Proxy, question: &Question) -> Option<Accepted> {
    let host = question.host();
    let at_gateway = proxy.role == Role::Gateway;
    at_gateway.then(|| render::accepted(resources, proxy, question.line.port, question.server_name(&host)))?
}

/// What takes the request: at a gateway the filters of one chain.
fn reached(resources: Vec<Resource>, proxy: &Proxy, mesh: &MeshConfig, question: &Question) -> Reached {
    if proxy.role == Role::Sidecar {
        return Reached::Filters(resources);
    }
    let host = question.host();
    let sni = question.server_name(&host);
    let forwarded_https = mesh.trusted_proxies > 0 && question.forwarded_proto() == Some("https");
    let port = question.line.port;
    render::reached(&resources, proxy, Entrance { port, sni, host: &host, forwarded_https })
}

/// The same question with the port that the request comes in by, of the Gateway or, inbound, of the application
/// (`--app-port`): where there is only one a URL's may be that of its host alone.
///
/// # Errors
/// The application has several ports, and the URL's is none of them; what comes there is not read; or a peer's certificate is
/// told of that nobody asks for.
pub fn entering(
    mut question: Question,
    resources: &[Resource],
    proxy: &Proxy,
    app_ports: &[AppPort],
) -> Result<Question, String> {
    let port = question.line.port;
    match (proxy.role, question.direction) {
        (Role::Gateway, _) => {
            let tls = question.line.scheme == "https";
            question.line.port = render::entered(resources, proxy, port, tls);
            match accepted(resources, proxy, &question) {
                Some(Accepted { gateway, how: How::PassedOn }) => {
                    return Err(format!(
                        "what comes there is passed on unread by Gateway {gateway}: there are no requests to explain"
                    ));
                }
                Some(Accepted { gateway, how: How::Read }) if question.peer.is_some() => {
                    return Err(format!(
                        "Gateway {gateway} asks nobody for a certificate there, so that no `--peer` is known to it"
                    ));
                }
                _ => {}
            }
        }
        // A Sidecar opens others besides.
        (Role::Sidecar, Direction::Inbound) if !opens_ports(resources) => match app_ports {
            [only] => question.line.port = only.port,
            [_, _, ..] if app_ports.iter().all(|known| known.port != port) => {
                let known: Vec<_> = app_ports.iter().map(|known| known.port.to_string()).collect();
                return Err(format!(
                    "the application has no port {port}: write {} as the URL's, which `--app-port` names",
                    known.join(" or ")
                ));
            }
            _ => {}
        },
        (Role::Sidecar, _) => {}
    }
    let (role, port) = (proxy.role, question.line.port);
    if (role, question.direction) == (Role::Sidecar, Direction::Inbound)
        && render::passes_on(resources, &question.proxy(proxy), port)
    {
        return Err(format!(
            "what comes to port {port} of the application is no HTTP, as its Service or Sidecar says, and is passed on \
             unread: there are no requests to explain there"
        ));
    }
    Ok(question)
}

fn opens_ports(resources: &[Resource]) -> bool {
    resources
        .iter()
        .any(|resource| matches!(&resource.spec, Spec::Sidecar(sidecar) if !sidecar.ingress.is_empty()))
}

/// The faults of the rule taken, as they are written.
fn fault_chances(resources: &[Resource], route: Option<&answer::Route>) -> Option<FaultChances> {
    let route = route?;
    let written = |name: &str, rule: usize| {
        resources.iter().filter(|resource| resource.id() == name).find_map(|resource| match &resource.spec {
            Spec::VirtualService(service) => service.http.get(rule)?.fault.as_ref().map(FaultChances::of),
            _ => None,
        })
    };
    let inherited = || route.delegated_by.as_ref().and_then(|root| written(&root.virtual_service, root.rule));
    written(route.virtual_service.as_deref()?, route.rule?).or_else(inherited)
}

/// What keeps the faults of the rule taken within bounds: what a delegate does not say, it inherits.
fn fault_guards(resources: &[Resource], route: Option<&answer::Route>, now: Now) -> Option<FaultGuards> {
    let route = route?;
    let of = |name: &str| {
        resources.iter().filter(|resource| resource.id() == name).find_map(|resource| match &resource.spec {
            Spec::VirtualService(service) => Some(&service.annotations.fault),
            _ => None,
        })
    };
    let own = of(route.virtual_service.as_deref()?)?;
    let root = route.delegated_by.as_ref().and_then(|root| of(&root.virtual_service));
    FaultGuards::of(Inherited::new(own, root.unwrap_or(own)), now)
}

/// Puts a key set in place of where the keys of `issuer` come from. `false`: no rule has this issuer.
pub fn use_keys(resources: &mut [Resource], issuer: &str, keys: &str) -> bool {
    let mut found = false;
    for resource in resources {
        let Spec::RequestAuthentication(authentication) = &mut resource.spec else { continue };
        for rule in authentication.jwt_rules.iter_mut().filter(|rule| rule.issuer == issuer) {
            rule.keys = KeySource::Inline(keys.to_owned());
            found = true;
        }
    }
    found
}

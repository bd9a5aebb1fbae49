//! The five policies behind one call, in Istio's order.

use outrigger_api::{Config, Decoder, Problem};

use crate::fault::Moment;
use crate::jwt::{Identity, Means};
use crate::request::HeaderLine;
use crate::telemetry::Overrides;
use crate::verdict::{HeaderOp, Outcome, Reply, Verdict};
use crate::{Attributes, Draws, PolicySet, Request, authz, fault, header_names, jwt, route};

/// Every policy of one proxy, compiled.
pub type Engine = PolicyEngine<{ PolicySet::ALL.bits() }>;

/// Compiled policies of one proxy. `POLICIES`, the [`PolicySet::bits`] of those carried out, is part of the type: a
/// stand-alone filter's module holds the code of its own policy only.
#[derive(Debug)]
pub struct PolicyEngine<const POLICIES: u8> {
    jwt: Option<jwt::Rules>,
    authz: Option<authz::Policies>,
    routes: Option<route::Table>,
    overrides: Overrides,
    attributes: Attributes,
}

impl<const POLICIES: u8> PolicyEngine<POLICIES> {
    const JWT: bool = PolicySet::contains_bits(POLICIES, PolicySet::JWT);
    const AUTHZ: bool = PolicySet::contains_bits(POLICIES, PolicySet::AUTHZ);
    const FAULT: bool = PolicySet::contains_bits(POLICIES, PolicySet::FAULT);
    const ROUTE: bool = PolicySet::contains_bits(POLICIES, PolicySet::ROUTE);
    const METRICS: bool = PolicySet::contains_bits(POLICIES, PolicySet::METRICS);

    /// How the kinds that these policies are made of are read, for [`Config::read`].
    pub fn decoders() -> Vec<Decoder> {
        let mut decoders = Vec::new();
        if Self::JWT {
            decoders.push(Decoder::REQUEST_AUTHENTICATION);
        }
        if Self::AUTHZ {
            decoders.push(Decoder::AUTHORIZATION_POLICY);
        }
        if Self::FAULT || Self::ROUTE {
            decoders.extend([
                Decoder::DESTINATION_RULE_HASHES,
                Decoder::GATEWAY_HOSTS,
                Decoder::SERVICE_PORTS,
                Decoder::SERVICE_ENTRY_NAMES,
                Decoder::VIRTUAL_SERVICE_HTTP,
            ]);
        }
        if Self::METRICS {
            decoders.push(Decoder::TELEMETRY_METRICS);
        }
        decoders
    }

    /// Compiles the resources of `config` that belong to these policies and apply to its proxy.
    ///
    /// # Errors
    /// Every resource or field that can't be carried out, with its path. Nothing is dropped.
    pub fn compile(config: &Config) -> Result<Self, Vec<Problem>> {
        let (resources, proxy) = (&config.resources, &config.proxy);
        let mut problems = Vec::new();
        // Istio puts authentication and authorization on inbound listeners and gateways, VirtualServices on
        // outbound listeners and gateways.
        let jwt = if Self::JWT && proxy.receives() {
            keep(jwt::Rules::compile(resources, proxy), &mut problems).filter(|rules| !rules.is_empty())
        } else {
            None
        };
        let authz = if Self::AUTHZ && proxy.receives() {
            keep(authz::Policies::compile(resources, proxy, &config.extension_providers), &mut problems)
        } else {
            None
        };
        let routes = if (Self::ROUTE || Self::FAULT) && proxy.routes() {
            keep(route::Table::compile(resources, proxy), &mut problems)
        } else {
            None
        };
        let overrides = if Self::METRICS {
            keep(Overrides::compile(resources, proxy), &mut problems).unwrap_or_default()
        } else {
            Overrides::default()
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut attributes = Attributes::none();
        attributes |= authz.as_ref().map(authz::Policies::attributes).unwrap_or_default();
        attributes |= routes.as_ref().map(route::Table::attributes).unwrap_or_default();
        if POLICIES != PolicySet::AUTHZ.bits() {
            // Every other policy changes headers by what it finds, or tells requests apart by more than rules say.
            attributes |= Attributes::HEADERS;
        }
        Ok(Self { jwt, authz, routes, overrides, attributes })
    }

    // A policy that is not of the set has no rules here, which no compiler can know: by these its code falls away.

    fn jwt(&self) -> Option<&jwt::Rules> {
        self.jwt.as_ref().filter(|_| Self::JWT)
    }

    fn authz(&self) -> Option<&authz::Policies> {
        self.authz.as_ref().filter(|_| Self::AUTHZ)
    }

    /// The compiled routes, if this proxy routes.
    pub fn routes(&self) -> Option<&route::Table> {
        self.routes.as_ref().filter(|_| Self::ROUTE || Self::FAULT)
    }

    /// What the rules ask of a request.
    pub fn attributes(&self) -> Attributes {
        self.attributes
    }

    /// The namespace of the ServiceEntry that declares a service; `None`: none does.
    pub fn entry_namespace(&self, host: &str) -> Option<&str> {
        self.routes()?.entry_namespace(host)
    }

    /// What Telemetries make of the metrics.
    pub fn overrides(&self) -> &Overrides {
        &self.overrides
    }

    /// Whether a decision depends on the time; otherwise any will do.
    pub fn needs_time(&self) -> bool {
        self.jwt().is_some() || self.routes().is_some_and(route::Table::needs_time)
    }

    /// Whether there are rules about tokens.
    pub fn verifies_tokens(&self) -> bool {
        self.jwt().is_some()
    }

    /// Where keys of tokens have to be fetched from.
    pub fn key_sources(&self) -> &[jwt::fetch::Source] {
        self.jwt().map(jwt::Rules::sources).unwrap_or_default()
    }

    /// What is odd about the resources and yet can be carried out.
    pub fn warnings(&self) -> &[Problem] {
        self.jwt().map(jwt::Rules::warnings).unwrap_or_default()
    }

    /// The servers that requests may have to be asked about, before they are decided: [`Self::request`] takes no notice of
    /// them.
    pub fn customs(&self) -> &[authz::Custom] {
        self.authz().map(authz::Policies::customs).unwrap_or_default()
    }

    /// Whether no request can be changed or refused, so that none has to be looked at.
    pub fn is_idle(&self) -> bool {
        self.jwt().is_none() && self.authz().is_none() && self.routes().is_none()
    }

    /// What the authorization policies decide, where no other policies have a say; `None`: there is none.
    pub fn authorize(&self, request: &Request<'_>) -> Option<authz::Decision<'_>> {
        Some(self.authz()?.decide(request))
    }

    /// Decides one request. `received` is the verified token's identity when another filter has verified it already.
    pub fn request<'e>(
        &'e self,
        request: &Request<'_>,
        received: Option<Identity>,
        draws: &mut Draws,
        moment: Moment<'_>,
        means: &Means<'_>,
    ) -> Verdict<'e> {
        let mut ops = self.strip_internal(request);
        let verified = self.jwt().map(|rules| rules.verify(request, moment.now, means));
        let changes = verified.as_ref().map(|outcome| outcome.ops.as_slice()).unwrap_or_default();
        let verdict = if let Some(wait) = verified.as_ref().and_then(|outcome| outcome.waits) {
            Verdict { hold: wait, outcome: Outcome::Wait, ..Verdict::nothing() }
        } else if let Some(reply) = verified.as_ref().and_then(|outcome| outcome.reply(request)) {
            self.refusal(reply, request, draws)
        } else {
            // As in a chain of Envoy filters, what comes next sees the request without the token, without the client's
            // copies of claim headers and with those of the token, and knows whom the token speaks for.
            let identity =
                verified.as_ref().and_then(|outcome| outcome.identity.as_deref()).or(received.as_ref());
            ops.extend(changes.iter().cloned());
            // Nobody who comes next is here.
            let is_last = self.authz().is_none() && self.routes().is_none();
            match (changes.is_empty() || is_last, identity) {
                (true, None) => self.after_jwt(request, draws, moment, ops),
                (true, _) => {
                    let request = request.seen_with(request.headers(), identity);
                    self.after_jwt(&request, draws, moment, ops)
                }
                (false, _) => {
                    let lines = after(request.headers(), changes);
                    self.after_jwt(&request.seen_with(&lines, identity), draws, moment, ops)
                }
            }
        };
        Verdict { jwt: verified, ..verdict }
    }

    /// Authorization, faults and routes.
    fn after_jwt<'e>(
        &'e self,
        request: &Request<'_>,
        draws: &mut Draws,
        moment: Moment<'_>,
        ops: Vec<HeaderOp<'e>>,
    ) -> Verdict<'e> {
        let decision = self.authz().map(|policies| policies.decide(request));
        let verdict = match (decision.as_ref().and_then(authz::Decision::reply), self.routes()) {
            (Some(reply), _) => self.refusal(reply, request, draws),
            (None, Some(table)) => Self::routed(table, request, draws, moment, ops),
            (None, None) => {
                let mut verdict = Verdict::nothing();
                verdict.outcome = Outcome::Forward(ops);
                verdict
            }
        };
        Verdict { authz: decision, ..verdict }
    }

    /// Faults and routes.
    fn routed<'e>(
        table: &'e route::Table,
        request: &Request<'_>,
        draws: &mut Draws,
        moment: Moment<'_>,
        mut ops: Vec<HeaderOp<'e>>,
    ) -> Verdict<'e> {
        let mut verdict = Verdict::nothing();
        let Some(route) = table.find(request) else {
            if Self::ROUTE && table.lets_pass() {
                ops.push(HeaderOp::Set(header_names::NO_ROUTE.into(), b"1"[..].into()));
            }
            verdict.outcome = Outcome::Forward(ops);
            return verdict;
        };
        // The destination comes first: its response header changes apply to an abort too, those of a rule that answers do not.
        let mut choice = route.choose(request, draws);
        let rule = route.rule().filter(|_| Self::FAULT);
        let injection = rule.and_then(|rule| fault::draw(rule, request, draws, moment));
        if !Self::ROUTE
            && let Some(rule) = rule
        {
            ops.extend(fault::asking(rule, request).map(|name| HeaderOp::Remove(name.into())));
        }
        verdict.hold = injection.map(|injection| injection.hold()).unwrap_or_default();
        verdict.fault = injection;
        choice.injected = injection.map(|injection| injection.flags()).unwrap_or_default();
        verdict.outcome = match injection.and_then(|injection| injection.reply(request)) {
            Some(reply) => Outcome::Reply(choice.finish_of_filter(reply, request, &ops)),
            None if Self::ROUTE => choice.outcome(request, ops),
            None => Outcome::Forward(ops),
        };
        if Self::ROUTE
            && let Outcome::Forward(ops) = &verdict.outcome
        {
            verdict.response = choice.response(request, ops);
        }
        verdict.route = Self::ROUTE.then_some(choice);
        verdict
    }

    /// A request that is refused with this answer. Envoy has found a route before any filter runs: its service is told by
    /// metrics, and the response header changes of one that forwards apply to a filter's answer too.
    fn refusal<'e>(&'e self, reply: Reply<'e>, request: &Request<'_>, draws: &mut Draws) -> Verdict<'e> {
        let table = self.routes().filter(|table| {
            Self::ROUTE && (Self::METRICS && self.overrides.measures_any() || table.changes_responses())
        });
        let route = table.and_then(|table| table.find(request));
        let choice = route.map(|route| route.choose(request, draws));
        let missed = choice.as_ref().and_then(route::Choice::shared_cluster);
        let reply = match choice {
            Some(choice) => choice.finish_of_filter(reply, request, &[]),
            None => reply,
        };
        Verdict { outcome: Outcome::Reply(reply), missed, ..Verdict::nothing() }
    }

    /// Removes what a client may have sent to steer Envoy's router. Only the router filter does this: the ones
    /// before it leave the headers to it.
    fn strip_internal<'e>(&self, request: &Request<'_>) -> Vec<HeaderOp<'e>> {
        if !Self::ROUTE {
            return Vec::new();
        }
        let sent = request.headers().iter().filter_map(|(name, _)| header_names::internal(name));
        sent.map(|name| HeaderOp::Remove(name.into())).collect()
    }
}

/// The header lines once `changes` are made.
pub fn after<'v>(lines: &[HeaderLine<'v>], changes: &'v [HeaderOp<'_>]) -> Vec<HeaderLine<'v>> {
    let mut lines = lines.to_vec();
    for change in changes {
        match change {
            HeaderOp::Remove(name) | HeaderOp::Set(name, _) => {
                lines.retain(|(sent, _)| *sent != name.as_bytes());
            }
            HeaderOp::Add(..) => {}
        }
        if let HeaderOp::Set(name, value) | HeaderOp::Add(name, value) = change {
            lines.push((name.as_bytes(), value));
        }
    }
    lines
}

fn keep<T>(result: Result<T, Vec<Problem>>, problems: &mut Vec<Problem>) -> Option<T> {
    result.map_err(|mut found| problems.append(&mut found)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn later_policies_see_the_changes_of_earlier_ones() {
        let lines: [HeaderLine<'_>; 4] =
            [(b":path", b"/?access_token=t"), (b"x-sub", b"eve"), (b"x-sub", b"mallory"), (b"a", b"b")];
        let changes = [
            HeaderOp::Remove("x-sub".into()),
            HeaderOp::Add("x-sub".into(), b"ann"[..].into()),
            HeaderOp::Set(":path".into(), b"/"[..].into()),
        ];
        let expected: [HeaderLine<'_>; 3] = [(b"a", b"b"), (b"x-sub", b"ann"), (b":path", b"/")];
        assert_eq!(after(&lines, &changes), expected);
    }

    #[test]
    fn a_refusal_bears_the_response_headers_of_its_route() {
        let config = br#"{
            "proxy": {"role": "gateway", "namespace": "default", "labels": {"istio": "ingressgateway"}},
            "resources": [
                {"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": "g"},
                 "spec": {"selector": {"istio": "ingressgateway"},
                          "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]}},
                {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "v"},
                 "spec": {"hosts": ["a.example"], "gateways": ["g"], "http": [
                    {"match": [{"headers": {"@request.auth.claims.group": {"exact": "ops"}}}],
                     "headers": {"response": {"set": {"x-by": "ops"}}}, "route": [{"destination": {"host": "a"}}]},
                    {"match": [{"uri": {"exact": "/moved"}}], "headers": {"response": {"set": {"x-by": "v"}}},
                     "redirect": {"uri": "/"}},
                    {"headers": {"response": {"set": {"x-by": "v"}}}, "route": [{"destination": {"host": "a"}}]}]}},
                {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": {"name": "none"},
                 "spec": {}}]}"#;
        let config = Config::read(config, &Engine::decoders()).unwrap();
        let engine = Engine::compile(&config).unwrap();
        for (host, path, group, header) in [
            (&b"a.example"[..], &b"/"[..], None, Some(&b"v"[..])),
            (b"a.example", b"/", Some("ops"), Some(&b"ops"[..])),
            (b"a.example", b"/moved", Some("dev"), None),
            (b"b.example", b"/", Some("ops"), None),
        ] {
            let claims = |group: &str| serde_json::json!({"group": group}).as_object().cloned().unwrap();
            let identity = group.map(|group| Identity::from(claims(group)));
            let lines: [HeaderLine<'_>; 3] = [(b":method", b"GET"), (b":path", path), (b":authority", host)];
            let request = Request::new(&lines, &crate::Connection::UNKNOWN);
            let moment = Moment { now: crate::Now(std::time::Duration::ZERO), active: &fault::NoneActive };
            let verdict = engine.request(
                &request,
                identity,
                &mut Draws::default(),
                moment,
                &Means::offline(&jwt::RustCrypto),
            );
            let Outcome::Reply(reply) = verdict.outcome else { panic!("{verdict:?}") };
            assert_eq!(reply.status, 403);
            let found = reply.headers.iter().find(|(name, _)| name == "x-by").map(|(_, value)| &**value);
            assert_eq!(found, header);
            assert!(verdict.route.is_none());
        }
    }
}

//! Random requests: such as some rule is met by, and then changed by little.

mod client;
mod meet;
mod near_miss;
mod sample;

use serde_json::{Map, Value};

use super::configuration::Configuration;
use super::fields::items;
use super::proxy::Proxy;
use super::random::Random;
use super::request::Request;
use super::wire::{Tls, Wire};
use super::{peers, words};

/// A request that some rule of `configuration` matches, or just misses.
pub(super) fn request(random: &mut Random, configuration: &Configuration) -> Request {
    let mut draft = Draft::new(random);
    let policies: Vec<&Value> = configuration.kind("AuthorizationPolicy").collect();
    // A second rule, since one of DENY and one of ALLOW may have to be met by the same request.
    for _ in 0..*random.one(&[0, 1, 1, 1, 1, 2]) {
        let Some(policy) = policies.get(random.below(policies.len())) else { break };
        let rules = items(&policy["spec"], "rules");
        if let Some(rule) = rules.get(random.below(rules.len())) {
            meet::rule(random, &mut draft, rule);
        }
    }
    let proxy = Proxy::of(configuration);
    client::addresses(random, &mut draft, &proxy);
    client::token(random, &mut draft, configuration);
    for _ in 0..*random.one(&[0, 0, 1, 1, 2, 3]) {
        near_miss::change(random, &mut draft.request);
    }
    draft.request.target.retain(|byte| *byte != b' ' && *byte != b'\n');
    draft.request
}

/// A request in the making.
#[derive(Debug)]
struct Draft {
    request: Request,
    /// What its token has to say.
    claims: Map<String, Value>,
    /// The client's address, if a rule asks for one.
    remote: Option<String>,
}

impl Draft {
    fn new(random: &mut Random) -> Self {
        let tls = random.chance(60).then(|| Tls {
            server_name: random.chance(60).then(|| random.pick(client::SERVER_NAMES).to_owned()),
            peer: random.chance(85).then(|| random.one(peers::IDENTITIES).name),
        });
        let source = random.chance(40).then(|| *random.one(client::SOURCES));
        let request = Request {
            port: *random.one(&words::PORTS),
            method: random.pick(&["GET", "GET", "POST"]).to_owned(),
            target: sample::path(random, random.clone().pick(words::PATHS)),
            host: random.pick(&["shop.test", "www.shop.test", "other.test"]).into(),
            headers: Vec::new(),
            wire: Wire { source, second_address: random.chance(25), tls },
        };
        Self { request, claims: Map::new(), remote: None }
    }

    /// The handshake; from now on there is one.
    fn tls(&mut self) -> &mut Tls {
        self.request.wire.tls.get_or_insert_default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::generate::configuration;
    use super::*;

    #[test]
    fn requests_are_well_formed_and_repeat() {
        let mut peers = BTreeSet::new();
        for index in 0..300 {
            let configuration = configuration(3, index);
            let request = |number| request(&mut Random::new(9, number), &configuration);
            let one = request(index as u64);
            assert_eq!(one.headers.len(), request(index as u64).headers.len());
            peers.insert(one.wire.tls.as_ref().and_then(|tls| tls.peer));
            let bytes = one.to_bytes();
            let line = bytes.split(|byte| *byte == b'\r').next().unwrap();
            assert_eq!(line.iter().filter(|byte| **byte == b' ').count(), 2, "{}", line.escape_ascii());
        }
        assert!(peers.len() > peers::IDENTITIES.len() / 2, "{peers:?}");
    }
}

//! Random entries of `when`.

use serde_json::{Map, Value};

use super::{Random, lists, words};

/// One entry with values, with others, or with both.
pub(super) fn random(random: &mut Random) -> Value {
    let header;
    let (key, values) = match random.below(17) {
        0..4 => {
            header = format!("request.headers[{}]", random.pick(words::HEADERS));
            (header.as_str(), words::VALUES)
        }
        4..8 => (random.pick(words::CLAIMS), words::CLAIM_VALUES),
        8 => ("source.ip", words::ADDRESSES),
        9 => ("remote.ip", words::ADDRESSES),
        10 => ("source.namespace", words::NAMESPACES),
        11 => ("source.serviceAccount", words::ACCOUNTS),
        12 => ("source.trustDomain", words::TRUST_DOMAINS),
        13 => ("source.principal", words::PRINCIPALS),
        14 => ("request.auth.principal", words::REQUEST_PRINCIPALS),
        15 => *random
            .one(&[("destination.ip", words::DESTINATIONS), ("destination.port", words::DESTINATION_PORTS)]),
        _ => ("connection.sni", words::SERVER_NAMES),
    };
    let mut condition = Map::from_iter([("key".to_owned(), key.into())]);
    lists(random, &mut condition, ["values", "notValues"], values);
    condition.into()
}

//! Random sources.

use serde_json::{Map, Value};

use super::{Random, lists, words};

/// One to three fields of a source.
pub(super) fn random(random: &mut Random) -> Value {
    let mut source = Map::new();
    for _ in 0..*random.one(&[1, 1, 1, 2, 3]) {
        match random.below(7) {
            0 => lists(
                random,
                &mut source,
                ["requestPrincipals", "notRequestPrincipals"],
                words::REQUEST_PRINCIPALS,
            ),
            1 => lists(random, &mut source, ["trustDomains", "notTrustDomains"], words::TRUST_DOMAINS),
            2 => lists(random, &mut source, ["ipBlocks", "notIpBlocks"], words::ADDRESSES),
            3 => lists(random, &mut source, ["remoteIpBlocks", "notRemoteIpBlocks"], words::ADDRESSES),
            // These two can't be given with the third.
            4 if !is_by_account(&source) => {
                lists(random, &mut source, ["principals", "notPrincipals"], words::PRINCIPALS);
            }
            5 if !is_by_account(&source) => {
                lists(random, &mut source, ["namespaces", "notNamespaces"], words::NAMESPACES);
            }
            6 if !is_by_name(&source) => {
                lists(random, &mut source, ["serviceAccounts", "notServiceAccounts"], words::ACCOUNTS);
            }
            _ => {}
        }
    }
    if source.is_empty() {
        lists(random, &mut source, ["principals", "notPrincipals"], words::PRINCIPALS);
    }
    source.into()
}

fn is_by_account(source: &Map<String, Value>) -> bool {
    ["serviceAccounts", "notServiceAccounts"].iter().any(|field| source.contains_key(*field))
}

fn is_by_name(source: &Map<String, Value>) -> bool {
    ["principals", "notPrincipals", "namespaces", "notNamespaces"]
        .iter()
        .any(|field| source.contains_key(*field))
}

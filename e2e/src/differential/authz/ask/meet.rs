//! Makes a request one that a rule matches, as far as that is possible.

use serde_json::{Map, Value, json};

use super::super::fields::{items, text};
use super::super::peers::IDENTITIES;
use super::super::words;
use super::{Draft, Random, client, sample};

/// One alternative of each part, and all of `when`.
pub(super) fn rule(random: &mut Random, draft: &mut Draft, rule: &Value) {
    for (list, inner) in [("from", "source"), ("to", "operation")] {
        let entries = items(rule, list);
        if let Some(entry) = entries.get(random.below(entries.len())) {
            for (field, values) in entry[inner].as_object().into_iter().flatten() {
                if let Some(value) = one(random, values) {
                    meet(random, draft, field, value);
                }
            }
        }
    }
    for condition in items(rule, "when") {
        let key = text(condition, "key");
        for (list, percent) in [("values", 92), ("notValues", 30)] {
            if let Some(value) = one(random, &condition[list])
                && random.chance(percent)
            {
                meet(random, draft, key, value);
            }
        }
    }
}

fn one<'v>(random: &mut Random, values: &'v Value) -> Option<&'v str> {
    let values = values.as_array()?;
    values.get(random.below(values.len()))?.as_str()
}

fn meet(random: &mut Random, draft: &mut Draft, field: &str, value: &str) {
    // Mostly not, which is what such a field asks for.
    let field = match field.strip_prefix("not") {
        Some(_) if random.chance(65) => return,
        Some(rest) => rest,
        None => field,
    };
    match field {
        "principals" | "Principals" | "source.principal" => peer(random, draft, value),
        "namespaces" | "Namespaces" | "source.namespace" => peer(random, draft, value),
        "serviceAccounts" | "ServiceAccounts" | "source.serviceAccount" => peer(random, draft, value),
        "trustDomains" | "TrustDomains" | "source.trustDomain" => peer(random, draft, value),
        "requestPrincipals" | "RequestPrincipals" | "request.auth.principal" => {
            principal(random, draft, value)
        }
        "ipBlocks" | "IpBlocks" | "source.ip" => {
            if let Ok(address) = sample::address(random, value).parse::<std::net::Ipv4Addr>()
                && address.is_loopback()
            {
                draft.request.wire.source = Some(address);
            }
        }
        "remoteIpBlocks" | "RemoteIpBlocks" | "remote.ip" => {
            draft.remote = Some(sample::address(random, value));
        }
        "hosts" | "Hosts" => {
            let host = sample::text(random, value, &["shop.test", "shop.test:8080"]);
            draft.request.host = sample::bytes(random, &host);
        }
        "methods" | "Methods" => {
            draft.request.method = method(&sample::text(random, value, &["GET", "POST", "PUT"]));
        }
        "paths" | "Paths" => draft.request.target = sample::path(random, value),
        "ports" | "Ports" | "destination.port" => {
            let known = words::PORTS.iter().find(|port| value.parse() == Ok(**port));
            draft.request.port = known.copied().unwrap_or(draft.request.port);
        }
        "destination.ip" => draft.request.wire.second_address = random.chance(30),
        "connection.sni" => {
            let name = sample::text(random, value, client::SERVER_NAMES).replace('/', "");
            draft.tls().server_name = Some(name).filter(|name| client::is_name(name));
        }
        "request.auth.audiences" => claim(random, draft, &["aud"], value),
        "request.auth.presenter" => claim(random, draft, &["azp"], value),
        _ => bracketed(random, draft, field, value),
    }
}

fn bracketed(random: &mut Random, draft: &mut Draft, key: &str, value: &str) {
    if let Some(names) = key.strip_prefix("request.auth.claims[").and_then(|rest| rest.strip_suffix(']')) {
        claim(random, draft, &names.split("][").collect::<Vec<_>>(), value);
    } else if let Some(name) = key.strip_prefix("request.headers[").and_then(|rest| rest.strip_suffix(']')) {
        let text = sample::text(random, value, words::VALUES);
        header(random, draft, name, &text);
    }
}

fn header(random: &mut Random, draft: &mut Draft, name: &str, text: &str) {
    let value = sample::bytes(random, text);
    match name.to_ascii_lowercase().as_str() {
        ":method" => draft.request.method = method(text),
        ":path" if value.starts_with(b"/") && value.is_ascii() => draft.request.target = value,
        ":authority" | "host" => draft.request.host = value,
        ":path" | ":scheme" => {}
        _ => draft.request.headers.push((name.to_owned(), value)),
    }
}

/// A method that is one.
fn method(text: &str) -> String {
    let letters: String = text.chars().filter(char::is_ascii_alphabetic).collect();
    if letters.is_empty() { "GET".to_owned() } else { letters.to_ascii_uppercase() }
}

/// Somebody whose name has what the value names, or anybody.
fn peer(random: &mut Random, draft: &mut Draft, value: &str) {
    let part = value.trim_matches('*').split('*').next().unwrap_or_default();
    let part = part.replacen("cluster.local/", "", 1);
    let fitting: Vec<_> =
        IDENTITIES.iter().filter(|identity| identity.uris.iter().any(|uri| uri.contains(&*part))).collect();
    let identity = match fitting.as_slice() {
        [] => random.one(IDENTITIES),
        some => some[random.below(some.len())],
    };
    draft.tls().peer = Some(identity.name);
}

fn principal(random: &mut Random, draft: &mut Draft, value: &str) {
    let (issuer, subject) = value.rsplit_once('/').unwrap_or((value, "ann"));
    let issuer = match issuer {
        "*" | "" => random.pick(words::ISSUERS).to_owned(),
        _ => {
            let bare = issuer.trim_matches('*');
            let fitting: Vec<_> = words::ISSUERS.iter().filter(|known| known.contains(bare)).collect();
            fitting.get(random.below(fitting.len())).map_or(bare, |known| **known).to_owned()
        }
    };
    draft.claims.insert("iss".to_owned(), issuer.into());
    let subject = sample::text(random, subject, &["ann", "bob", "*"]);
    draft.claims.insert("sub".to_owned(), subject.into());
}

/// Sets the claim at `path`: as a text, as one of a list, or as what is no text.
fn claim(random: &mut Random, draft: &mut Draft, path: &[&str], value: &str) {
    let text = sample::text(random, value, words::CLAIM_VALUES);
    let mut value = match random.below(12) {
        0..6 => json!(text),
        6 => json!([text]),
        7 => json!(["other", text, 5]),
        8 => json!([[text]]),
        9 => json!({"x": text}),
        10 => json!(format!("{text} more")),
        _ => text.parse::<i64>().map_or_else(|_| json!(text == "true"), |number| json!(number)),
    };
    let [first, inner @ ..] = path else { return };
    for name in inner.iter().rev() {
        value = json!({*name: value});
    }
    merge(&mut draft.claims, first, value);
}

fn merge(claims: &mut Map<String, Value>, name: &str, value: Value) {
    match (claims.get_mut(name), value) {
        (Some(Value::Object(known)), Value::Object(new)) => known.extend(new),
        (_, value) => drop(claims.insert(name.to_owned(), value)),
    }
}

//! Where a request comes from, and whose token it has.

use std::net::Ipv4Addr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::super::token::signed;
use super::{Configuration, Draft, Proxy, Random};

/// Addresses of clients.
pub(super) const SOURCES: &[Ipv4Addr] = &[
    Ipv4Addr::new(127, 0, 0, 1),
    Ipv4Addr::new(127, 0, 0, 2),
    Ipv4Addr::new(127, 0, 0, 3),
    Ipv4Addr::new(127, 0, 0, 4),
    Ipv4Addr::new(127, 0, 0, 5),
    Ipv4Addr::new(127, 0, 0, 77),
    Ipv4Addr::new(127, 7, 7, 7),
];

/// Names of servers that clients ask for.
pub(super) const SERVER_NAMES: &[&str] =
    &["shop.test", "www.shop.test", "Shop.Test", "shop.test.evil", "a_b.test", "x", "xshop.test"];

/// Whether a client can ask for a server of this name.
pub(super) fn is_name(text: &str) -> bool {
    rustls::pki_types::DnsName::try_from(text).is_ok()
}

/// Further addresses in `x-forwarded-for`, and what is none.
const FORWARDED: &[&str] = &[
    "10.1.2.3",
    "10.200.0.1",
    "192.168.7.7",
    "8.8.8.8",
    "::1",
    "2001:db8::1",
    "2001:db8::99",
    "::ffff:10.1.2.3",
    "10.1.2.3:80",
    "[2001:db8::1]",
    "unknown",
    "",
    "010.1.2.3",
    "10.1.2.256",
    "127.0.0.5",
];

/// `x-forwarded-for`, in which the address that a rule asks for stands where it counts, or nearly there.
pub(super) fn addresses(random: &mut Random, draft: &mut Draft, proxy: &Proxy) {
    if draft.remote.is_none() && random.chance(70) {
        return;
    }
    let wanted = draft.remote.clone().unwrap_or_else(|| random.pick(FORWARDED).to_owned());
    let hops = usize::try_from(proxy.trusted_hops).unwrap_or(0);
    let mut list: Vec<String> = vec![wanted];
    let behind = if random.chance(75) { hops.saturating_sub(1) } else { random.below(3) };
    for _ in 0..behind {
        list.push(random.pick(FORWARDED).to_owned());
    }
    for _ in 0..*random.one(&[0, 0, 1, 2]) {
        list.insert(0, random.pick(FORWARDED).to_owned());
    }
    let name = random.pick(&["x-forwarded-for", "X-Forwarded-For"]);
    let headers = &mut draft.request.headers;
    if list.len() > 1 && random.chance(15) {
        // Several lines.
        headers.extend(list.into_iter().map(|one| (name.to_owned(), one.into_bytes())));
    } else {
        headers.push((name.to_owned(), list.join(random.pick(&[",", ", ", " , "])).into_bytes()));
    }
}

/// A token, if there is a rule for any; with the claims that a rule of a policy asks for, and others.
pub(super) fn token(random: &mut Random, draft: &mut Draft, configuration: &Configuration) {
    let issuers: Vec<&Value> = configuration
        .kind("RequestAuthentication")
        .flat_map(|policy| super::items(&policy["spec"], "jwtRules"))
        .map(|rule| &rule["issuer"])
        .collect();
    let Some(issuer) = issuers.get(random.below(issuers.len())) else { return };
    if draft.claims.is_empty() && random.chance(60) || random.chance(8) {
        return;
    }
    let claims = &mut draft.claims;
    // Mostly one that is taken: a token of anybody else ends the request with 401.
    if !issuers.iter().any(|issuer| claims.get("iss") == Some(issuer)) && random.chance(90) {
        claims.insert("iss".to_owned(), (*issuer).clone());
    }
    if random.chance(60) {
        claims.entry("sub").or_insert_with(|| json!(random.pick(&["ann", "bob", ""])));
    }
    for _ in 0..*random.one(&[0, 1, 2, 4]) {
        let (name, value) = random.one(&others()).clone();
        claims.entry(name).or_insert(value);
    }
    if random.chance(30) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        claims.insert("exp".to_owned(), json!(if random.chance(92) { now + 7200 } else { now - 7200 }));
    }
    let token = signed(&Value::Object(claims.clone()));
    if random.chance(85) {
        draft.request.headers.push(("authorization".to_owned(), format!("Bearer {token}").into_bytes()));
    } else {
        let separator = if draft.request.target.contains(&b'?') { '&' } else { '?' };
        draft.request.target.extend(format!("{separator}access_token={token}").into_bytes());
    }
}

fn others() -> Vec<(&'static str, Value)> {
    vec![
        ("group", json!("admin")),
        ("group", json!(["a", "admin"])),
        ("Group", json!("user")),
        ("scope", json!("read write")),
        ("scope", json!("read")),
        ("scope", json!(["read", "write"])),
        ("permission", json!("  a  b ")),
        ("roles", json!("admin user")),
        ("text", json!("")),
        ("text", json!("a\nb")),
        ("text", json!("caf\u{e9}")),
        ("nested", json!({"id": "v1", "deep": {"x": 7}, "list": ["a", "b"]})),
        ("nested", json!({"id": ["v1", "v2"], "deep": {"x": "7"}})),
        ("nested", json!(["id"])),
        ("nested", json!({"id": null, "deep": []})),
        ("list", json!([])),
        ("list", json!(["", "a"])),
        ("list", json!([["a"], {"a": "a"}])),
        ("number", json!(7)),
        ("flag", json!(true)),
        ("a.b", json!("a")),
        ("a", json!({"b": "b"})),
        ("aud", json!(["shop", "https://shop"])),
        ("aud", json!("shop")),
        ("azp", json!("ann")),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::super::words;
    use super::*;

    #[test]
    fn server_names_can_be_asked_for() {
        assert!(SERVER_NAMES.iter().all(|name| is_name(name)));
        assert!(words::SERVER_NAMES.iter().any(|name| is_name(name)));
        assert!(!is_name("*"));
    }
}

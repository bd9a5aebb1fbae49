//! Random VirtualServices, and requests made of their values.

use outrigger_api::types::virtual_service::{Delegate, HeaderKey, HttpMatchRequest, RouteAction};

use super::*;

fn string_match(rng: &mut Rng, pool: &[&str], regex: &dyn Fn(&str) -> StringMatch) -> StringMatch {
    match rng.below(8) {
        0..4 => StringMatch::Exact(rng.text(pool)),
        4 | 5 => StringMatch::Prefix(rng.text(pool)),
        6 => regex(&rng.text(&REGEXES)),
        _ => StringMatch::Present,
    }
}

/// Regex sources are made by the decoder alone.
pub(super) fn regex_source(source: &str) -> StringMatch {
    let text = format!(
        r#"{{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{{"name":"r"}},"spec":{{
        "hosts":["a.com"],"http":[{{"match":[{{"uri":{{"regex":"{source}"}}}}],"route":[{{"destination":{{"host":"a"}}}}]}}]}}}}"#
    );
    let mut parsed = outrigger_api::parse_json(text.as_bytes(), "default");
    spec_of(&mut parsed.resources[0]).http[0].matches[0].uri.clone().unwrap()
}

fn entry(rng: &mut Rng, regex: &dyn Fn(&str) -> StringMatch) -> HttpMatchRequest {
    let mut entry = HttpMatchRequest::default();
    if !rng.one_in(4) {
        entry.uri = Some(string_match(rng, &PATHS, regex));
        entry.ignore_uri_case = rng.one_in(4);
    }
    let header = |rng: &mut Rng| (HeaderKey::Name(rng.text(&NAMES)), string_match(rng, &VALUES, regex));
    for _ in 0..rng.below(3) {
        let new = header(rng);
        if !entry.headers.iter().any(|(key, _)| *key == new.0) {
            entry.headers.push(new);
        }
    }
    if rng.one_in(4) {
        entry.without_headers.push(header(rng));
    }
    if rng.one_in(5) {
        entry.query_params.push((rng.text(&["q", "r"]), string_match(rng, &VALUES, regex)));
    }
    if rng.one_in(6) {
        entry.method = Some(string_match(rng, &["GET", "PUT"], regex));
    }
    if rng.one_in(8) {
        entry.authority = Some(string_match(rng, &["a.com", "a.com:80"], regex));
    }
    if rng.one_in(10) {
        entry.port = Some(if rng.one_in(2) { PORT } else { 81 });
    }
    entry
}

pub(super) fn resources(rng: &mut Rng, regex: &dyn Fn(&str) -> StringMatch) -> Vec<Resource> {
    let entries = |rng: &mut Rng| {
        let entries = if rng.one_in(8) { 0 } else { 1 + rng.below(3) };
        (0..entries).map(|_| entry(rng, regex)).collect::<Vec<_>>()
    };
    let service = |number: usize, rng: &mut Rng| {
        let rules = (0..1 + rng.below(8)).map(|at| {
            let entries = entries(rng);
            match rng.one_in(5) {
                false => on(says(&format!("{number}/{at}")), &entries),
                true => {
                    // One of them is never there.
                    let name = format!("leaf-{}", rng.below(3));
                    let delegate = Delegate { name, namespace: NAMESPACE.into(), direct_response: None };
                    on(crate::route::testing::rule(RouteAction::Delegate(delegate)), &entries)
                }
            }
        });
        let rules = rules.collect();
        let mut hosts = vec![rng.text(&HOSTS)];
        hosts.extend(rng.one_in(3).then(|| rng.text(&HOSTS)));
        hosts.dedup();
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        virtual_service(&format!("vs-{number}"), rng.below(3) as i64, &hosts, rules)
    };
    let services = 1 + rng.below(4);
    let mut all = vec![gateway(PORT, &["*"])];
    all.extend((0..services).map(|number| service(number, rng)));
    for leaf in 0..2 {
        let rules = (0..1 + rng.below(4)).map(|rule| on(says(&format!("leaf-{leaf}/{rule}")), &entries(rng)));
        all.push(virtual_service(&format!("leaf-{leaf}"), 0, &[], rules.collect()));
    }
    all
}

/// The same text, or a near miss of it.
fn nearly(text: &str, rng: &mut Rng) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    match rng.below(8) {
        0 => bytes.push(*[b'a', b'/', b'x', 0xE9].get(rng.below(4)).unwrap()),
        1 => drop(bytes.pop()),
        2 => bytes = bytes.to_ascii_uppercase(),
        3 => bytes.insert(0, b'x'),
        _ => {}
    }
    bytes
}

/// What a demand is about, for a request that may fulfil it.
fn value_of(spec: &StringMatch, rng: &mut Rng) -> Vec<u8> {
    match spec {
        StringMatch::Exact(text) | StringMatch::Prefix(text) => nearly(text, rng),
        StringMatch::Regex(_) => nearly(&rng.text(&PATHS), rng),
        StringMatch::Present => nearly(&rng.text(&VALUES), rng),
    }
}

pub(super) type Lines = Vec<(Vec<u8>, Vec<u8>)>;

/// A request made of the values of one entry, more or less.
pub(super) fn request(resources: &mut [Resource], rng: &mut Rng) -> Lines {
    let at = 1 + rng.below(resources.len() - 1);
    let service = spec_of(&mut resources[at]);
    let host = match service.hosts.len() {
        0 => rng.text(&HOSTS).replace('*', "w"),
        some => service.hosts[rng.below(some)].to_string().replace('*', "w"),
    };
    let rule = &service.http[rng.below(service.http.len())];
    let none = HttpMatchRequest::default();
    let entry = rule.matches.get(rng.below(rule.matches.len().max(1))).unwrap_or(&none);
    let mut path = match &entry.uri {
        Some(uri) => value_of(uri, rng),
        None => nearly(&rng.text(&PATHS), rng),
    };
    if path.first() != Some(&b'/') {
        path.insert(0, b'/');
    }
    path.retain(|byte| !matches!(byte, b'?' | b'#'));
    let mut separator = b'?';
    for (name, spec) in &entry.query_params {
        path.push(separator);
        separator = b'&';
        path.extend_from_slice(name.as_bytes());
        path.push(b'=');
        path.extend(value_of(spec, rng).iter().filter(|byte| !matches!(byte, b'&' | b'#')));
    }
    let mut authority = if rng.one_in(6) { nearly(&host, rng) } else { host.into_bytes() };
    if rng.one_in(4) {
        authority.extend_from_slice(b":80");
    }
    let method = entry.method.as_ref().map_or(b"GET".to_vec(), |spec| value_of(spec, rng));
    let pseudo: [(&[u8], Vec<u8>); 4] =
        [(b":method", method), (b":scheme", b"http".to_vec()), (b":authority", authority), (b":path", path)];
    let mut lines: Lines = pseudo.into_iter().map(|(name, value)| (name.to_vec(), value)).collect();
    let demands = entry.headers.iter().chain(entry.without_headers.iter());
    for (key, spec) in demands {
        let HeaderKey::Name(name) = key else { continue };
        if !name.starts_with(':') && name != "host" && !rng.one_in(6) {
            lines.push((name.as_bytes().to_vec(), value_of(spec, rng)));
        }
    }
    if rng.one_in(3) {
        let name = rng.text(&["h1", "h2"]).into_bytes();
        lines.push((name, nearly(&rng.text(&VALUES), rng)));
    }
    lines
}

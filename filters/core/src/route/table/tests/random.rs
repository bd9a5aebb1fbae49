//! Random VirtualServices and requests made of their own values: what the compiled table finds must be what a reading of
//! the resources in order finds. The reading shares no code with the table but the views of a request.

use outrigger_api::host::HostPattern;
use outrigger_api::types::common::StringMatch;
use outrigger_api::types::virtual_service::{HeaderKey, HttpMatchRequest};

use super::super::super::testing::*;
use super::*;

/// The port of the Gateway's server.
const PORT: u16 = 80;
const HOSTS: [&str; 6] = ["a.com", "b.a.com", "*.a.com", "*.com", "*", "c.org"];
const PATHS: [&str; 9] = ["/", "", "/a", "/a/", "/ab", "/a/b", "/B", "/a/b/c", "/b"];
const VALUES: [&str; 6] = ["x", "y", "xy", "", "X", "x,y"];
const REGEXES: [&str; 7] = ["/a.*", ".*", "/[ab]+", "/(a|b)/?.*", ".+", "x*", "[^x]*"];
const NAMES: [&str; 4] = ["h1", "h2", ":path", "host"];
/// So many requests meet each set of resources.
const REQUESTS: u64 = 50;

/// SplitMix64.
struct Rng(u64);

impl Rng {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn text(&mut self, pool: &[&str]) -> String {
        pool[self.below(pool.len())].to_owned()
    }
}

/// Regexes as the judge runs them.
struct Regexes(Vec<(&'static str, regex::bytes::Regex)>);

impl Regexes {
    fn new() -> Self {
        let compiled = |source: &'static str| {
            (source, regex::bytes::Regex::new(&format!(r"\A(?-u:{source})\z")).unwrap())
        };
        Self(REGEXES.into_iter().map(compiled).collect())
    }

    fn matches(&self, spec: &StringMatch, value: &[u8], fold: bool) -> bool {
        let lower = |text: &[u8]| if fold { text.to_ascii_lowercase() } else { text.to_vec() };
        match spec {
            StringMatch::Present => true,
            StringMatch::Exact(text) => lower(text.as_bytes()) == lower(value),
            StringMatch::Prefix(text) => lower(value).starts_with(&lower(text.as_bytes())),
            StringMatch::Regex(source) => {
                self.0.iter().find(|(known, _)| *known == source.as_str()).unwrap().1.is_match(value)
            }
        }
    }
}

fn string_match(rng: &mut Rng, pool: &[&str], regex: &dyn Fn(&str) -> StringMatch) -> StringMatch {
    match rng.below(8) {
        0..4 => StringMatch::Exact(rng.text(pool)),
        4 | 5 => StringMatch::Prefix(rng.text(pool)),
        6 => regex(&rng.text(&REGEXES)),
        _ => StringMatch::Present,
    }
}

/// Regex sources are made by the decoder alone.
fn regex_source(source: &str) -> StringMatch {
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
        entry.headers.push(header(rng));
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

fn resources(rng: &mut Rng, regex: &dyn Fn(&str) -> StringMatch) -> Vec<Resource> {
    let services = 1 + rng.below(4);
    let service = |number: usize, rng: &mut Rng| {
        let rules = (0..1 + rng.below(8)).map(|rule| {
            let entries = if rng.one_in(8) { 0 } else { 1 + rng.below(3) };
            let entries: Vec<_> = (0..entries).map(|_| entry(rng, regex)).collect();
            on(says(&format!("{number}/{rule}")), &entries)
        });
        let rules = rules.collect();
        let mut hosts = vec![rng.text(&HOSTS)];
        hosts.extend(rng.one_in(3).then(|| rng.text(&HOSTS)));
        hosts.dedup();
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        virtual_service(&format!("vs-{number}"), rng.below(3) as i64, &hosts, rules)
    };
    let mut all = vec![gateway(PORT, &["*"])];
    all.extend((0..services).map(|number| service(number, rng)));
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

type Lines = Vec<(Vec<u8>, Vec<u8>)>;

/// A request made of the values of one entry, more or less.
fn request(resources: &mut [Resource], rng: &mut Rng) -> Lines {
    let at = 1 + rng.below(resources.len() - 1);
    let service = spec_of(&mut resources[at]);
    let host = service.hosts[rng.below(service.hosts.len())].to_string().replace('*', "w");
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

/// Whether a request meets all demands of an entry, by Istio's words.
fn fits(entry: &HttpMatchRequest, request: &Request<'_>, regexes: &Regexes) -> bool {
    let lines = |key: &HeaderKey| -> Vec<Vec<u8>> {
        let HeaderKey::Name(name) = key else { return Vec::new() };
        let name = if name == "host" { ":authority" } else { name };
        request
            .headers()
            .iter()
            .filter(|(known, _)| *known == name.as_bytes())
            .map(|(_, v)| v.to_vec())
            .collect()
    };
    let path = match &entry.uri {
        None | Some(StringMatch::Present) => request.path().starts_with(b"/"),
        Some(uri) => {
            let fold = entry.ignore_uri_case && !matches!(uri, StringMatch::Regex(_));
            regexes.matches(uri, request.path(), fold)
        }
    };
    let pseudo = |value: &[u8], spec: &Option<StringMatch>| {
        spec.as_ref().is_none_or(|spec| regexes.matches(spec, value, false))
    };
    path && pseudo(request.method(), &entry.method)
        && pseudo(request.authority(), &entry.authority)
        && pseudo(request.scheme(), &entry.scheme)
        && entry
            .headers
            .iter()
            .all(|(key, spec)| lines(key).iter().any(|line| regexes.matches(spec, line, false)))
        && entry.without_headers.iter().all(|(key, spec)| match (spec, lines(key).as_slice()) {
            (StringMatch::Present, lines) => lines.is_empty(),
            (spec, []) => !regexes.matches(spec, b"", false),
            (spec, lines) => !lines.iter().any(|line| regexes.matches(spec, line, false)),
        })
        && entry.query_params.iter().all(|(name, spec)| {
            request.query_parameter(name.as_bytes()).is_some_and(|value| regexes.matches(spec, value, false))
        })
}

fn is_catch_all(entry: &HttpMatchRequest) -> bool {
    let every_path = match &entry.uri {
        None | Some(StringMatch::Present) => true,
        Some(StringMatch::Prefix(prefix)) => prefix == "/",
        Some(StringMatch::Regex(source)) => source.as_str() == ".*",
        Some(StringMatch::Exact(_)) => false,
    };
    let HttpMatchRequest { headers, without_headers, query_params, method, authority, scheme, .. } = entry;
    every_path
        && headers.is_empty()
        && without_headers.is_empty()
        && query_params.is_empty()
        && method.is_none()
        && authority.is_none()
        && scheme.is_none()
}

/// The rule (`vs/rule`) and the match that a reading in order finds.
fn read(resources: &[Resource], request: &Request<'_>, regexes: &Regexes) -> Option<(String, Option<usize>)> {
    let mut services: Vec<_> = resources
        .iter()
        .filter_map(|resource| match &resource.spec {
            outrigger_api::Spec::VirtualService(service) => Some((resource, service)),
            _ => None,
        })
        .collect();
    services.sort_by_key(|(resource, _)| (resource.meta.creation_timestamp, resource.meta.name.clone()));
    let any = HttpMatchRequest::default();
    // The routes of each VirtualService, up to its first catch-all.
    let routes = services.iter().map(|(resource, service)| {
        let mut routes = Vec::new();
        'rules: for (rule, route) in service.http.iter().enumerate() {
            let name = format!("{}/{rule}", resource.id());
            let own = route.matches.iter().enumerate().map(|(index, entry)| (Some(index), entry));
            let entries: Vec<_> = if route.matches.is_empty() { vec![(None, &any)] } else { own.collect() };
            for (index, entry) in entries {
                if entry.port.is_none_or(|port| port == PORT) {
                    routes.push((name.clone(), index, entry));
                    if is_catch_all(entry) {
                        break 'rules;
                    }
                }
            }
        }
        (&service.hosts, routes)
    });
    let routes: Vec<_> = routes.filter(|(_, routes)| !routes.is_empty()).collect();
    let host = String::from_utf8_lossy(request.host()).to_ascii_lowercase();
    let covering = routes.iter().flat_map(|(hosts, _)| hosts.iter()).filter(|pattern| pattern.covers(&host));
    let best: &HostPattern = covering.min_by(|one, other| one.by_specificity(other))?;
    let of_host = routes.iter().filter(|(hosts, _)| hosts.contains(best));
    let mut of_host: Vec<_> = of_host.flat_map(|(_, routes)| routes).collect();
    of_host.sort_by_key(|(_, _, entry)| is_catch_all(entry));
    let found = of_host.iter().find(|(_, _, entry)| fits(entry, request, regexes))?;
    Some((found.0.clone(), found.1))
}

/// `OUTRIGGER_CASES=N` compares N requests in place of 5,000, and `OUTRIGGER_SEED` chooses others.
#[test]
fn random_virtual_services_route_as_they_read() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let cases = number("OUTRIGGER_CASES").unwrap_or(5_000);
    let mut rng = Rng(number("OUTRIGGER_SEED").unwrap_or(0x0072_1662));
    let regexes = Regexes::new();
    let sources = REGEXES.map(|source| (source, regex_source(source)));
    let regex = |source: &str| sources.iter().find(|(known, _)| *known == source).unwrap().1.clone();
    let mut routed = 0;
    for _ in 0..cases.div_ceil(REQUESTS) {
        let mut resources = resources(&mut rng, &regex);
        let table = table(&resources, &ingress());
        for _ in 0..REQUESTS {
            let owned = request(&mut resources, &mut rng);
            let lines: Vec<HeaderLine<'_>> =
                owned.iter().map(|(name, value)| (&name[..], &value[..])).collect();
            let request = Request::new(&lines, Connection::default());
            let found = table.find(&request).map(|route| {
                let Route::Rule { rule, entry, .. } = route else { panic!("{route:?}") };
                (format!("{}/{}", rule.reference.resource, rule.reference.rule), entry.match_index)
            });
            let expected = read(&resources, &request, &regexes);
            routed += usize::from(found.is_some());
            assert_eq!(found, expected, "{owned:?}\n{resources:#?}");
        }
    }
    assert!(routed as u64 > cases / 4, "{routed} of {cases}");
}

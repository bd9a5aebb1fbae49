//! Random requests: built from the values of a rule, and then changed by little.

mod cross;
mod near_miss;

use serde_json::Value;

use super::configuration::Configuration;
use super::generate::PORTS;
use super::random::Random;
use super::request::Request;
use super::wire::Wire;
use super::words;

/// A request that meets some rule of `configuration`, or just misses it.
pub(super) fn request(random: &mut Random, configuration: &Configuration) -> Request {
    let services: Vec<&Value> = configuration.kind("VirtualService").collect();
    let service = services[random.below(services.len())];
    // A delegate has no hosts: its rules stand under those of others.
    let hosts = services.iter().find(|other| other["spec"].get("hosts").is_some()).unwrap_or(&service);
    let named = if service["spec"].get("hosts").is_some() { service } else { hosts };
    let mut request = Request {
        port: PORTS[usize::from(random.chance(35))],
        method: "GET".to_owned(),
        target: b"/".to_vec(),
        host: host(random, &named["spec"]),
        headers: Vec::new(),
        wire: Wire::default(),
    };
    let rules = service["spec"]["http"].as_array().map_or(&[][..], Vec::as_slice);
    if let Some(rule) = rules.get(random.below(rules.len())) {
        let entries = rule["match"].as_array().map_or(&[][..], Vec::as_slice);
        match entries.get(random.below(entries.len())) {
            Some(entry) => meet(random, &mut request, entry),
            None => request.target = random.pick(words::PATHS).into(),
        }
        cross::origin(random, &mut request, rule);
    }
    cross::token(random, &mut request, configuration);
    for _ in 0..*random.one(&[0, 1, 1, 2, 3]) {
        near_miss::change(random, &mut request);
    }
    if random.chance(3) {
        let answer = random.pick(&["503", "503 1", "503 2", "500 1", "409 1", "404", "204", "304"]);
        request.headers.push(("x-answer".to_owned(), answer.into()));
    }
    request
}

fn host(random: &mut Random, spec: &Value) -> Vec<u8> {
    let hosts = spec["hosts"].as_array().map_or(&[][..], Vec::as_slice);
    let host = hosts.get(random.below(hosts.len())).and_then(Value::as_str).unwrap_or_default();
    let host = host.replace('*', random.pick(&["a", "b", "w", "x.y"]));
    if random.chance(95) { host.to_ascii_lowercase().into() } else { host.into() }
}

/// Makes `request` one that `entry` takes, as far as that is possible.
fn meet(random: &mut Random, request: &mut Request, entry: &Value) {
    request.target = match entry.get("uri") {
        Some(uri) => {
            let path = sample(random, uri, words::PATHS);
            bytes(random, &path)
        }
        None => random.pick(words::PATHS).into(),
    };
    if !request.target.starts_with(b"/") {
        request.target.insert(0, b'/');
    }
    if entry["ignoreUriCase"] == true && random.chance(50) {
        request.target.make_ascii_uppercase();
    }
    for (index, (name, value)) in entries(entry, "queryParams").enumerate() {
        let value = sample(random, value, words::VALUES).replace(' ', random.pick(&["%20", "+"]));
        let separator = if index == 0 { "?" } else { "&" };
        request.target.extend(format!("{separator}{name}").into_bytes());
        if random.chance(90) {
            request.target.push(b'=');
            let value = bytes(random, &value);
            request.target.extend(value);
        }
    }
    for (name, value) in entries(entry, "headers") {
        // A claim: the token has it, or has it not.
        if name.starts_with('@') {
            continue;
        }
        let value = sample(random, value, words::VALUES);
        header(random, request, name, &value);
    }
    for (name, value) in entries(entry, "withoutHeaders") {
        // Mostly absent, which is what the rule asks for.
        if !name.starts_with('@') && random.chance(35) {
            let value = sample(random, value, words::VALUES);
            header(random, request, name, &value);
        }
    }
    if let Some(method) = entry.get("method") {
        request.method = sample(random, method, words::METHODS);
        if request.method.contains('|') || request.method.len() < 2 {
            request.method = random.pick(&["POST", "PUT", "GET", "HEAD"]).to_owned();
        }
    }
    if let Some(authority) = entry["authority"]["exact"].as_str() {
        request.host = authority.into();
    }
    if let Some(port) = entry["port"].as_u64().filter(|_| random.chance(80)) {
        request.port = PORTS.into_iter().find(|known| u64::from(*known) == port).unwrap_or(request.port);
    }
}

fn header(random: &mut Random, request: &mut Request, name: &str, value: &str) {
    let value = bytes(random, value);
    match name {
        ":method" => {
            request.method =
                String::from_utf8(value).unwrap_or_default().replace(|c: char| !c.is_ascii_alphabetic(), "")
        }
        ":authority" | "host" => request.host = value,
        ":path" if value.starts_with(b"/") => request.target = value,
        _ if name.starts_with(':') => {}
        _ => request.headers.push((name.to_owned(), value)),
    }
    if request.method.is_empty() {
        request.method = "GET".to_owned();
    }
    request.target.retain(|byte| *byte != b' ');
}

fn entries<'v>(entry: &'v Value, field: &str) -> impl Iterator<Item = (&'v String, &'v Value)> {
    entry.get(field).and_then(Value::as_object).into_iter().flatten()
}

/// A text that a StringMatch takes, or nearly.
fn sample(random: &mut Random, matched: &Value, any: &[&str]) -> String {
    if let Some(exact) = matched["exact"].as_str() {
        return exact.to_owned();
    }
    if let Some(prefix) = matched["prefix"].as_str() {
        return format!("{prefix}{}", random.pick(&["", "", "x", "/x", "b", "s/1", "age"]));
    }
    let regexes = || words::PATH_REGEXES.iter().chain(words::VALUE_REGEXES);
    let known = matched["regex"].as_str().and_then(|source| regexes().find(|regex| regex.source == source));
    random.pick(known.map_or(any, |regex| regex.samples)).to_owned()
}

/// `text` in UTF-8 or, where that is possible, in Latin-1.
fn bytes(random: &mut Random, text: &str) -> Vec<u8> {
    let latin: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    latin.filter(|_| random.chance(50)).unwrap_or_else(|| text.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::super::generate::configuration;
    use super::*;

    #[test]
    fn requests_are_well_formed_and_repeat() {
        for index in 0..300 {
            let configuration = configuration(3, index);
            let request = |number| request(&mut Random::new(9, number), &configuration);
            assert_eq!(request(index as u64), request(index as u64));
            let bytes = request(index as u64).to_bytes();
            let line = bytes.split(|byte| *byte == b'\r').next().unwrap();
            assert_eq!(line.iter().filter(|byte| **byte == b' ').count(), 2, "{}", line.escape_ascii());
        }
    }
}

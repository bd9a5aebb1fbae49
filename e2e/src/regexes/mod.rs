//! Regular expressions before two judges: RE2 in a real Envoy, and the engine's own. Each is a route of Envoy's own
//! with a header matcher; values are sent in that header.

mod grammar;
pub mod rng;

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use outrigger_core::matching::regex::{Regex, compile};
use serde_json::{Value, json};

use crate::bench::envoy::{Envoy, free_ports};
use rng::Rng;

/// The constructs that the engine's own test goes through: expression, and what RE2 says.
const TABLE: &str = include_str!("../../../filters/core/src/matching/regex/re2.tsv");

/// What came of a comparison.
#[derive(Debug, Default)]
pub struct Compared {
    /// Expressions.
    pub expressions: usize,
    /// Requests.
    pub requests: usize,
    /// Requests that matched.
    pub matched: usize,
    /// Where the two judges differ.
    pub differences: Vec<String>,
}

/// Compares the expressions of the table, and `random` ones from a grammar, `values` values each.
///
/// # Errors
/// Envoy does not start, which is also the case if it refuses an expression that the engine takes.
pub fn compare(seed: u64, random: usize, values: usize) -> Result<Compared> {
    let mut rng = Rng::new(seed);
    let mut compared = Compared::default();
    let mut cases: Vec<(String, Regex, Vec<Vec<u8>>)> = Vec::new();
    let every_byte: Vec<Vec<u8>> = (0..=u8::MAX).map(|byte| vec![byte]).collect();
    let rows = TABLE.lines().filter(|line| !line.starts_with('#')).skip(1);
    for pattern in rows.filter_map(|row| row.split_once('\t')).filter(|(_, said)| said.contains('\t')) {
        let regex = compile(pattern.0).with_context(|| pattern.0.to_owned())?;
        cases.push((pattern.0.to_owned(), regex, every_byte.clone()));
    }
    for _ in 0..random {
        let expression = grammar::expression(&mut rng, 4);
        let pattern = expression.to_string();
        // Envoy takes no empty one.
        if pattern.is_empty() {
            continue;
        }
        match compile(&pattern) {
            Ok(regex) => {
                let values = (0..values).map(|_| grammar::value(&expression, &mut rng)).collect();
                cases.push((pattern, regex, values));
            }
            Err(error) => compared.differences.push(format!("`{pattern}` is refused: {error}")),
        }
    }
    compared.expressions = cases.len();
    let folder = tempfile::tempdir()?;
    let [port] = free_ports()?;
    let patterns: Vec<&str> = cases.iter().map(|(pattern, ..)| pattern.as_str()).collect();
    let _envoy = Envoy::start("native", &bootstrap(port, &patterns), folder.path(), None)?;
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    for (number, (pattern, regex, values)) in cases.iter().enumerate() {
        let values: BTreeSet<&Vec<u8>> = values.iter().filter(|value| is_header_value(value)).collect();
        for value in values {
            let matched = send(&mut stream, number, value)? == 200;
            compared.requests += 1;
            compared.matched += usize::from(matched);
            if matched != regex.is_match(value) {
                let said = if matched { "matches" } else { "does not match" };
                let value = value.escape_ascii();
                compared
                    .differences
                    .push(format!("`{pattern}` on `{value}`: RE2 in Envoy {said}, the engine differs"));
            }
        }
    }
    Ok(compared)
}

/// What HTTP/1 carries unchanged.
fn is_header_value(value: &[u8]) -> bool {
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    !blank(value.first())
        && !blank(value.last())
        && value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..))
}

/// One request at a time: Envoy closes a connection on which more than two answers wait.
fn send(stream: &mut TcpStream, route: usize, value: &[u8]) -> Result<u16> {
    let mut request = format!("GET /{route} HTTP/1.1\r\nhost: a\r\nx-v: ").into_bytes();
    request.extend_from_slice(value);
    request.extend_from_slice(b"\r\n\r\n");
    stream.write_all(&request)?;
    let (mut answer, mut buffer) = (Vec::new(), [0u8; 4096]);
    // No answer has a body.
    while !answer.ends_with(b"\r\n\r\n") {
        let read = stream.read(&mut buffer)?;
        ensure!(read > 0, "Envoy closed the connection on `{}`", value.escape_ascii());
        answer.extend_from_slice(buffer.get(..read).unwrap_or_default());
    }
    let line = String::from_utf8_lossy(&answer).into_owned();
    line.split(' ').nth(1).and_then(|status| status.parse().ok()).context("an answer without a status")
}

fn bootstrap(port: u16, patterns: &[&str]) -> Value {
    let route = |(number, pattern): (usize, &&str)| {
        json!({
            "match": {
                "path": format!("/{number}"),
                "headers": [{"name": "x-v", "string_match": {"safe_regex": {"regex": pattern}}}]
            },
            "direct_response": {"status": 200}
        })
    };
    let routes: Vec<Value> = patterns.iter().enumerate().map(route).collect();
    let router = json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"});
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "regexes",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}]
    });
    let filter = json!({"name": "envoy.filters.network.http_connection_manager", "typed_config": manager});
    let address = json!({"socket_address": {"address": "127.0.0.1", "port_value": port}});
    json!({
        "static_resources": {
            "listeners": [{"name": "all", "address": address, "filter_chains": [{"filters": [filter]}]}]
        },
        // As under Istio.
        "layered_runtime": {"layers": [{"name": "istio", "static_layer": {"re2.max_program_size.error_level": 32768}}]}
    })
}

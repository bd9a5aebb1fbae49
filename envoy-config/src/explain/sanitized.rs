//! What Envoy does to the headers of a request before any filter sees them, besides what it tells of the client. Found by
//! asking Envoy 1.40.

use super::question::Refused;

/// Headers about a single connection.
const OF_CONNECTION: [&str; 4] = ["keep-alive", "proxy-connection", "transfer-encoding", "x-envoy-internal"];

/// Headers for Envoy itself that it takes of nobody, since it holds nobody for internal.
const INTERNAL: [&str; 15] = [
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-force-trace",
    "x-envoy-hedge-on-per-try-timeout",
    "x-envoy-ip-tags",
    "x-envoy-max-retries",
    "x-envoy-original-url",
    "x-envoy-retriable-header-names",
    "x-envoy-retriable-status-codes",
    "x-envoy-retry-grpc-on",
    "x-envoy-retry-on",
    "x-envoy-upstream-alt-stat-name",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-upstream-rq-timeout-alt-response",
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-stream-duration-ms",
];

/// Those that a gateway takes of nobody, and a sidecar of everybody.
const AT_THE_EDGE: [&str; 5] = [
    "x-envoy-decorator-operation",
    "x-envoy-downstream-service-cluster",
    "x-envoy-downstream-service-node",
    "x-envoy-original-host",
    "x-envoy-original-path",
];

/// What a client may not have taken away by `connection`.
const FORWARDED: [&str; 3] = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];
/// As many names in `connection` are too many.
const TOO_MANY: usize = 10;

/// Takes away what no filter sees. Names are in lower case.
///
/// # Errors
/// Envoy answers before any filter is asked.
pub(super) fn sanitize(lines: &mut Vec<(String, String)>, gateway: bool) -> Result<(), Refused> {
    let all = |name: &str| {
        let values = lines.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str());
        values.collect::<Vec<_>>().join(",")
    };
    let (connection, upgrade) = (all("connection"), all("upgrade"));
    let named = tokens(&connection);
    // Envoy ignores an offer to go on by HTTP/2.
    let upgrades = named.iter().any(|name| name == "upgrade")
        && !upgrade.is_empty()
        && !upgrade.eq_ignore_ascii_case("h2c");
    if upgrades {
        if !upgrade.eq_ignore_ascii_case("websocket") {
            return Err(Refused { status: 403, details: "upgrade_failed" });
        }
    } else {
        let refused = named.iter().any(|name| FORWARDED.contains(&name.as_str()) || name.starts_with(':'));
        if refused || named.len() >= TOO_MANY {
            return Err(Refused { status: 400, details: "http1.connection_header_rejected" });
        }
        let trailers = all("te").split(',').any(|value| value.trim() == "trailers");
        lines.retain(|(name, _)| {
            !matches!(name.as_str(), "connection" | "upgrade" | "te") && !named.contains(name)
        });
        lines.extend(trailers.then(|| ("te".to_owned(), "trailers".to_owned())));
    }
    lines.retain(|(name, _)| {
        let name = name.as_str();
        let edge = gateway && AT_THE_EDGE.contains(&name);
        !(edge || OF_CONNECTION.contains(&name) || INTERNAL.contains(&name))
    });
    Ok(())
}

/// The names in a list.
fn tokens(list: &str) -> Vec<String> {
    list.split(',').map(|token| token.trim().to_ascii_lowercase()).filter(|token| !token.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of `lines`, each `name: value`.
    fn left(lines: &str, gateway: bool) -> Result<String, u16> {
        let split =
            |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut lines: Vec<_> = lines.split(" | ").filter_map(split).collect();
        sanitize(&mut lines, gateway).map_err(|refused| refused.status)?;
        let lines: Vec<_> = lines.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        Ok(lines.join(" | "))
    }

    #[test]
    fn what_is_about_a_connection_ends_there() {
        for (lines, expected) in [
            ("connection: close | keep-alive: 5 | proxy-connection: x | a: b", Ok("a: b")),
            ("transfer-encoding: chunked | x-envoy-internal: true", Ok("")),
            ("connection: close, x-a | x-a: 1 | x-b: 2", Ok("x-b: 2")),
            ("connection: x-forwarded-for | x-forwarded-for: 1", Err(400)),
            ("connection: a,b,c,d,e,f,g,h,i,j", Err(400)),
            ("te: gzip, trailers", Ok("te: trailers")),
            ("te: trailers | te: gzip", Ok("te: trailers")),
            ("connection: te | te: trailers", Ok("te: trailers")),
            ("te: Trailers", Ok("")),
            ("te: trailers;q=1", Ok("")),
            ("upgrade: websocket", Ok("")),
            ("connection: close | upgrade: websocket", Ok("")),
            ("connection: upgrade, http2-settings | upgrade: h2c | http2-settings: AA", Ok("")),
            ("connection: Upgrade, x-a | upgrade: WebSocket | x-a: 1 | te: trailers, gzip", Ok(SAME)),
            ("connection: upgrade | upgrade: foo", Err(403)),
            ("expect: 100-continue", Ok(SAME)),
        ] {
            let expected = expected.map(|left| if left == SAME { lines } else { left }.to_owned());
            assert_eq!(left(lines, false), expected, "{lines}");
        }
    }

    const SAME: &str = "the same";

    #[test]
    fn what_is_for_envoy_is_taken_of_nobody() {
        for name in INTERNAL {
            for gateway in [true, false] {
                assert_eq!(left(&format!("{name}: 1"), gateway).as_deref(), Ok(""), "{name}");
            }
        }
        for name in AT_THE_EDGE {
            let line = format!("{name}: 1");
            assert_eq!((left(&line, true), left(&line, false)), (Ok(String::new()), Ok(line)), "{name}");
        }
        assert_eq!(left("x-envoy-attempt-count: 1", true).as_deref(), Ok("x-envoy-attempt-count: 1"));
    }
}

use std::collections::BTreeMap;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::property::{EARLY, LATE};
use super::*;
use crate::request::HeaderLine;
use crate::telemetry::ResponseFlags;
use crate::verdict::HeaderOp;
use crate::{Attributes, Connection, Request};

/// Attributes by their paths, with `.` for NUL, and a response's headers.
#[derive(Debug, Default)]
struct Known(BTreeMap<String, Vec<u8>>);

impl Known {
    fn new(pairs: &[(&str, &[u8])]) -> Self {
        Self(pairs.iter().map(|(path, value)| ((*path).to_owned(), value.to_vec())).collect())
    }
}

impl Lookup for Known {
    fn attribute(&self, path: &[u8]) -> Option<Vec<u8>> {
        self.0.get(&String::from_utf8_lossy(path).replace('\0', ".")).cloned()
    }

    fn response_header(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.0.get(&format!("header {}", String::from_utf8_lossy(name))).cloned()
    }
}

/// The value in a request's header and in the response's. The same request as the one that Envoy 1.40 was asked about.
fn values(format: &str) -> (String, String) {
    let seconds = 1_795_632_800_098_000_000i64.to_le_bytes();
    let (code, attempts) = (200i64.to_le_bytes(), 1i64.to_le_bytes());
    let request = Known::new(&[
        ("source.address", b"127.0.0.1:42330"),
        ("destination.address", b"127.0.0.1:49991"),
        ("request.protocol", b"HTTP/1.1"),
        ("request.time", &seconds),
    ]);
    let response = Known::new(&[
        ("response.code", &code),
        ("response.code_details", b"via_upstream"),
        ("upstream.address", b"127.0.0.1:44443"),
        ("upstream.request_attempt_count", &attempts),
        ("header x-up", b"one"),
        ("header :status", b"200"),
    ]);
    let lines: Vec<HeaderLine<'_>> = vec![
        (b":path", b"/up/p?k=a%20b&e=&k=2&%41=hex"),
        (b":authority", b"a.com"),
        (b":method", b"GET"),
        (b"x-a", b"hello"),
        (b"x-rep", b"r1"),
        (b"x-rep", b"r2"),
        (b"x-empty", b""),
    ];
    let connection = Connection { lookup: Some(&request), ..Connection::UNKNOWN };
    let ask = Request::new(&lines, &connection);
    let ops = [HeaderOp::Set("x-set".into(), b"SET"[..].into())];
    let scene = Scene { request: &ask, ops: &ops, cluster: Some("up"), injected: ResponseFlags::default() };
    let template = Template::parse(format).unwrap().unwrap();
    let early = template.of_request(&scene);
    let late = join(&template.fill(&scene), &response, &[]);
    (early.escape_ascii().to_string(), late.escape_ascii().to_string())
}

/// Printed by Envoy 1.40 in `request_headers_to_add` and `response_headers_to_add` of the same route; nothing: the
/// header was not there.
#[test]
fn every_value_is_envoys() {
    for (format, early, late) in [
        ("%DOWNSTREAM_REMOTE_ADDRESS%", "127.0.0.1:42330", "127.0.0.1:42330"),
        ("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "127.0.0.1", "127.0.0.1"),
        ("%DOWNSTREAM_REMOTE_PORT%", "42330", "42330"),
        ("%DOWNSTREAM_LOCAL_PORT%", "49991", "49991"),
        ("%DOWNSTREAM_TLS_VERSION%", "", ""),
        ("%REQUESTED_SERVER_NAME%", "", ""),
        ("%REQUESTED_SERVER_NAME(SNI_ONLY)%", "", ""),
        ("%PROTOCOL%", "HTTP/1.1", "HTTP/1.1"),
        ("%PROTOCOL()%", "HTTP/1.1", "HTTP/1.1"),
        ("%PROTOCOL%%PROTOCOL%", "HTTP/1.1HTTP/1.1", "HTTP/1.1HTTP/1.1"),
        ("%%%PROTOCOL%%%", "%HTTP/1.1%", "%HTTP/1.1%"),
        ("lit %REQ(x-none)% end", "lit  end", "lit  end"),
        ("%REQ(x-a)%", "hello", "hello"),
        ("%REQ(X-A)%", "hello", "hello"),
        ("%REQ(x-none)%", "", ""),
        ("%REQ(x-none?x-a)%", "hello", "hello"),
        ("%REQ(?x-a)%", "hello", "hello"),
        ("%REQ(x-empty?x-a)%", "", ""),
        ("%REQ(x-a?)%", "hello", "hello"),
        ("%REQ(x-a):2%", "he", "he"),
        ("%REQ(x-a):0%", "", ""),
        ("%REQ(x-a):99999%", "hello", "hello"),
        ("%REQ(X-A?:AUTHORITY):3%", "hel", "hel"),
        ("%REQUEST_HEADER(x-a)%", "hello", "hello"),
        ("%REQ(:authority)%", "a.com", "a.com"),
        ("%REQ(host)%", "a.com", "a.com"),
        ("%REQ(:METHOD)%", "GET", "GET"),
        ("%REQ(x-rep)%", "r1", "r1"),
        ("%REQ(x-set)%", "SET", "SET"),
        ("%RESP(x-up)%", "", "one"),
        ("%RESP(x-none?x-up):2%", "", "on"),
        ("%RESP(:status)%", "", "200"),
        ("%RESPONSE_HEADER(x-up)%", "", "one"),
        ("%QUERY_PARAM(k)%", "a b", "a b"),
        ("%QUERY_PARAM(k):2%", "a ", "a "),
        ("%QUERY_PARAM(e)%", "", ""),
        ("%QUERY_PARAM(none)%", "", ""),
        ("%QUERY_PARAM(A)%", "hex", "hex"),
        ("%QUERY_PARAM(%41)%", "", ""),
        ("%QUERY_PARAMS%", "k=a%20b&e=&k=2&%41=hex", "k=a%20b&e=&k=2&%41=hex"),
        ("%PATH(NQ)%", "/up/p", "/up/p"),
        ("%PATH(NQ:PATH)%", "/up/p", "/up/p"),
        ("%PATH(WQ:ORIG)%", "", ""),
        ("%PATH:3%", "/up", "/up"),
        ("%START_TIME%", "2026-11-25T18:53:20.098Z", "2026-11-25T18:53:20.098Z"),
        ("%START_TIME(%s.%3f)%", "1795632800.098", "1795632800.098"),
        ("%UPSTREAM_CLUSTER%", "up", "up"),
        ("%RESPONSE_CODE%", "0", "200"),
        ("%RESPONSE_CODE_DETAILS%", "", "via_upstream"),
        ("%UPSTREAM_HOST%", "", "127.0.0.1:44443"),
        ("%UPSTREAM_REQUEST_ATTEMPT_COUNT%", "1", "1"),
        ("%UPSTREAM_TRANSPORT_FAILURE_REASON%", "", ""),
    ] {
        assert_eq!(values(format), (early.to_owned(), late.to_owned()), "{format}");
    }
}

#[test]
fn text_alone_is_no_template() {
    for text in ["", "plain", "100%%", "%%REQ(a)%%", "%%%%"] {
        assert_eq!(Template::parse(text), Ok(None), "{text}");
    }
}

#[test]
fn what_envoy_or_a_filter_does_not_know_is_refused_by_name_and_place() {
    for (value, operator, position, reason) in [
        ("%FOO%", "FOO", 1, "can't be carried out"),
        ("ab%%c %HOSTNAME% %FOO%", "HOSTNAME", 7, "can't be carried out"),
        ("%ENVIRONMENT(HOME)%", "ENVIRONMENT(HOME)", 1, "can't be carried out"),
        ("%req(x-a)%", "req(x-a)", 1, "is not of the form `%COMMAND(arguments):length%`"),
        ("% PROTOCOL%", " PROTOCOL", 1, "is not of the form `%COMMAND(arguments):length%`"),
        ("%REQ(x-a) %", "REQ(x-a) ", 1, "is not of the form `%COMMAND(arguments):length%`"),
        ("%REQ(x-a):%", "REQ(x-a):", 1, "is not of the form `%COMMAND(arguments):length%`"),
        ("%REQ(x-a):+2%", "REQ(x-a):+2", 1, "is not of the form `%COMMAND(arguments):length%`"),
        ("50% off", " off", 3, "is not of the form `%COMMAND(arguments):length%`"),
        ("%REQ%", "REQ", 1, "needs an argument in parentheses"),
        ("%REQ()%", "REQ()", 1, "needs an argument in parentheses"),
        ("%REQ(a?b?c)%", "REQ(a?b?c)", 1, "has more than one `?`"),
        ("%REQ( a )%", "REQ( a )", 1, "names no header"),
        ("%PROTOCOL(x)%", "PROTOCOL(x)", 1, "takes no argument here"),
        ("%PROTOCOL:3%", "PROTOCOL:3", 1, "takes no length"),
        ("%START_TIME(%Y):2%", "START_TIME(%Y):2", 1, "takes no length"),
        ("%PATH(X)%", "PATH(X)", 1, "knows only `WQ` and `NQ`"),
        ("%PATH(NQ:X)%", "PATH(NQ:X)", 1, "knows only `PATH`, `ORIG` and `ORIG_OR_PATH`"),
        (
            "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(24)%",
            "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(24)",
            1,
            "takes no argument here",
        ),
        (
            "%REQUESTED_SERVER_NAME(HOST_FIRST)%",
            "REQUESTED_SERVER_NAME(HOST_FIRST)",
            1,
            "can't be carried out but for `SNI_ONLY`",
        ),
    ] {
        let error = Template::parse(value).unwrap_err();
        assert_eq!(
            (&*error.operator, error.position, &*error.reason),
            (operator, position, reason),
            "{value}"
        );
    }
    let error = Template::parse("%START_TIME(%Q)%").unwrap_err();
    assert!(error.reason.contains("`%Q`"), "{error:?}");
}

#[test]
fn every_property_parses_by_its_name() {
    for name in EARLY.iter().map(|property| property.name).chain(LATE.iter().map(|late| late.property.name)) {
        assert!(Template::parse(&format!("%{name}%")).unwrap().is_some(), "{name}");
    }
}

#[test]
fn the_peers_own_address_is_kept_only_if_it_is_asked_for() {
    let asks = |format: &str| Template::parse(format).unwrap().unwrap().attributes();
    assert_eq!(asks("%DOWNSTREAM_REMOTE_ADDRESS%"), Attributes::none());
    assert_eq!(asks("a %DOWNSTREAM_DIRECT_REMOTE_PORT%"), Attributes::DIRECT_PEER);
}

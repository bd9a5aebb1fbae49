//! Hosts as clients may write them.

use crate::{check, start};

fn host(host: impl AsRef<[u8]>) -> Vec<u8> {
    [b"GET / HTTP/1.1\r\nhost: ", host.as_ref(), b"\r\nconnection: close\r\n\r\n"].concat()
}

const P: &str = "200";
const D: &str = "403 deny[0]";
const B: &str = "400";

#[test]
fn letter_case_does_not_count_and_the_port_does() {
    let guards = start(&[
        ("name", "", &[("deny", "DENY", "[{to: [{operation: {hosts: [Admin.test]}}]}]")]),
        ("both", "", &[("deny", "DENY", "[{to: [{operation: {hosts: [admin.test, 'admin.test:*']}}]}]")]),
        ("below", "", &[("deny", "DENY", "[{to: [{operation: {hosts: ['*.test', '*.test:80']}}]}]")]),
        (
            "header",
            "",
            &[("deny", "DENY", "[{when: [{key: 'request.headers[Host]', values: [admin.test]}]}]")],
        ),
        ("any", "", &[("deny", "DENY", "[{to: [{operation: {hosts: ['*']}}]}]")]),
    ]);
    // Columns: the name alone, the name with any port, a name below it, the name as the header `Host`.
    for (sent, expected) in [
        ("admin.test", [D, D, D, D]),
        ("ADMIN.TEST", [D, D, D, P]),
        ("admin.test:80", [P, D, D, P]),
        ("Admin.Test:8080", [P, D, P, P]),
        ("admin.test:", [P, D, P, P]),
        ("admin.test.", [P, P, P, P]),
        ("admin.test.:80", [P, P, P, P]),
        ("  admin.test  ", [D, D, D, D]),
        ("\tadmin.test", [D, D, D, D]),
        ("xadmin.test", [P, P, D, P]),
        ("x.admin.test", [P, P, D, P]),
        ("admin.test.evil", [P, P, P, P]),
        ("admin%2etest", [P, P, P, P]),
    ] {
        for (setup, expected) in ["name", "both", "below", "header"].into_iter().zip(expected) {
            check(&guards, setup, [(host(sent), expected)]);
        }
    }
    check(
        &guards,
        "any",
        [
            (host("x"), D),
            (host(b"\xff"), B),
            (host("admin.test\0"), B),
            (host("user@admin.test"), B),
            (host("admin.test/x"), B),
            (host("a b"), B),
            (host("a\r\nhost: b"), B),
            (host(""), B),
        ],
    );
}

#[test]
fn a_target_with_a_host_beats_the_header() {
    let guards = start(&[(
        "deny",
        "",
        &[("deny", "DENY", "[{to: [{operation: {hosts: [admin.test], paths: ['/x*']}}]}]")],
    )]);
    let absolute = |target: &str, host: &str| {
        format!("GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").into_bytes()
    };
    check(
        &guards,
        "deny",
        [
            (absolute("http://admin.test/x", "other.test"), D),
            (absolute("http://ADMIN.test/x", "other.test"), D),
            (absolute("http://other.test/x", "admin.test"), P),
            (absolute("http://admin.test:80/x", "admin.test"), P),
            (absolute("https://admin.test/x", "other.test"), D),
            (absolute("http://admin.test", "other.test"), P),
            (absolute("http://admin.test?/x", "other.test"), P),
            (absolute("ftp://admin.test/x", "other.test"), B),
            (absolute("//admin.test/x", "other.test"), P),
        ],
    );
}

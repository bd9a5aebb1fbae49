//! Hosts as clients may write them.

use super::{check, start, table};

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
    let rows = [
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
        ("user@admin.test", [P, P, D, P]),
        // Two lines are one host to Envoy, which is no name of anybody's.
        ("admin.test\r\nhost: other.test", [P, P, D, P]),
        ("other.test\r\nhost: admin.test", [P, P, D, P]),
    ];
    let rows = rows.map(|(sent, expected)| (host(sent), expected));
    check(&guards, table(["name", "both", "below", "header"], rows));
    let rows: [(&[u8], _); 8] = [
        (b"x", D),
        (b"\xff", B),
        (b"admin.test\0", B),
        (b"user@admin.test", D),
        (b"admin.test/x", B),
        (b"a b", B),
        (b"a\r\nhost: b", D),
        (b"", D),
    ];
    check(&guards, rows.map(|(sent, expected)| ("any", host(sent), expected)));
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
    let rows = [
        (absolute("http://admin.test/x", "other.test"), D),
        (absolute("http://ADMIN.test/x", "other.test"), D),
        (absolute("http://other.test/x", "admin.test"), P),
        (absolute("http://admin.test:80/x", "admin.test"), P),
        (absolute("https://admin.test/x", "other.test"), D),
        (absolute("http://admin.test", "other.test"), P),
        (absolute("http://admin.test?/x", "other.test"), "404"),
        (absolute("ftp://admin.test/x", "other.test"), B),
        (absolute("//admin.test/x", "other.test"), P),
    ];
    check(&guards, rows.map(|(request, expected)| ("deny", request, expected)));
}

//! Requests that are larger than Envoy takes, and such as are nearly so.

use super::{check, get, get_with, start};

#[test]
fn nothing_passes_for_being_long() {
    let guards = start(&[
        ("path", "", &[("deny", "DENY", "[{to: [{operation: {paths: ['/admin/*', '*/end']}}]}]")]),
        (
            "header",
            "",
            &[("deny", "DENY", "[{when: [{key: 'request.headers[x-role]', values: ['admin*', '*end']}]}]")],
        ),
        (
            "unless",
            "",
            &[("deny", "DENY", "[{when: [{key: 'request.headers[x-role]', notValues: ['user*']}]}]")],
        ),
    ]);
    let (long, too_long) = ("a".repeat(50_000), "a".repeat(70_000));
    let path = [
        (get(format!("/admin/{long}")), "403 deny[0]"),
        (get(format!("/{long}/end")), "403 deny[0]"),
        (get(format!("/{long}/end?{}", "q".repeat(5_000))), "403 deny[0]"),
        (get(format!("/{long}")), "200"),
        (get(format!("/{}/end", "a/".repeat(20_000))), "403 deny[0]"),
        (get(format!("/admin/{too_long}")), "431"),
    ];
    let header = [
        (get_with(format!("x-role: admin{long}")), "403 deny[0]"),
        (get_with(format!("x-role: {long}end")), "403 deny[0]"),
        (get_with(format!("x-role: {long}")), "200"),
        (get_with(format!("x-role: admin{too_long}")), "431"),
        // A hundred headers are the most.
        (get_with(format!("{}x-role: admin", "x-a: b\r\n".repeat(90))), "403 deny[0]"),
        (get_with(format!("{}x-role: admin", "x-a: b\r\n".repeat(100))), "431"),
    ];
    let unless = [
        (get_with(format!("x-role: user{long}")), "200"),
        (get_with(format!("x-role: {long}")), "403 deny[0]"),
    ];
    let cases = path.map(|(request, expected)| ("path", request, expected)).into_iter();
    let cases = cases.chain(header.map(|(request, expected)| ("header", request, expected)));
    check(&guards, cases.chain(unless.map(|(request, expected)| ("unless", request, expected))));
}

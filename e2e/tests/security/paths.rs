//! Paths that mean the same to some server, under each of the mesh's ways of normalising them.

use super::{check, get, start, table};

/// Istio's names, in the order of the tables' columns.
const NORMALIZATIONS: [&str; 4] = ["NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"];

/// Passes.
const P: &str = "200";
/// Refused by the DENY rule.
const D: &str = "403 deny[0]";
/// Refused since no ALLOW rule matches.
const N: &str = "403 none";
/// Refused by Envoy before any filter.
const B: &str = "400";

/// Paths before a policy that denies `/admin` and what is below it.
const DENIED: &[(&str, [&str; 4])] = &[
    ("/admin", [D, D, D, D]),
    ("/admin/x", [D, D, D, D]),
    ("/admin/x?y", [D, D, D, D]),
    ("/administrator", [P, P, P, P]),
    ("/x?/admin/", [P, P, P, P]),
    // More slashes.
    ("//admin/x", [P, P, D, D]),
    // Dots are resolved before slashes are merged.
    ("/x//../admin/x", [P, P, P, P]),
    ("/admin//x", [D, D, D, D]),
    ("///admin", [P, P, D, D]),
    // Dots.
    ("/./admin/x", [P, D, D, D]),
    ("/x/../admin/x", [P, D, D, D]),
    ("/../admin/x", [P, D, D, D]),
    ("/.../admin/x", [P, P, P, P]),
    ("/admin/../x", [D, P, P, P]),
    ("/%2e/admin/x", [P, D, D, D]),
    ("/x/%2e%2E/admin/x", [P, D, D, D]),
    ("/x/.%2e/admin/x", [P, D, D, D]),
    ("/x/..%2fadmin/x", [P, P, P, D]),
    // What follows a semicolon is a parameter of the two dots, to Envoy as to some servers.
    ("/x/..;/admin/x", [P, D, D, D]),
    // Escapes.
    ("/%61dmin/x", [P, D, D, D]),
    ("/%41dmin/x", [P, P, P, P]),
    ("/%2fadmin/x", [P, P, P, D]),
    ("/admin%2Fx", [P, P, P, D]),
    ("/admin%5cx", [P, P, P, D]),
    ("/admin%5Cx", [P, P, P, D]),
    ("/admin%252fx", [P, P, P, P]),
    ("/admin%00/x", [P, B, B, B]),
    ("/admin%20/x", [P, P, P, P]),
    ("/admin%", [P, P, P, P]),
    ("/admin%3f", [P, P, P, P]),
    ("/admin/%c0%af", [D, D, D, D]),
    // Backslashes, other case, parameters, fragments.
    ("/admin\\x", [P, D, D, D]),
    ("\\admin\\x", [B, B, B, B]),
    ("/x\\..\\admin\\x", [P, D, D, D]),
    ("/ADMIN/x", [P, P, P, P]),
    ("/admin;v=1/x", [P, P, P, P]),
    ("/admin;v=1", [P, P, P, P]),
    ("/admin/;v=1", [D, D, D, D]),
    ("/admin#x", [B, B, B, B]),
    ("/admin/#x", [B, B, B, B]),
];

/// Paths before a policy that allows `/public` and what is below it.
const ALLOWED: &[(&str, [&str; 4])] = &[
    ("/public", [P, P, P, P]),
    ("/public/x", [P, P, P, P]),
    ("/publicx", [N, N, N, N]),
    ("/x", [N, N, N, N]),
    ("/x?/public/", [N, N, N, N]),
    ("//public/x", [N, N, P, P]),
    ("/./public/x", [N, P, P, P]),
    // The traps: what the service makes of the path is not what the policy has seen.
    ("/public/../admin", [P, N, N, N]),
    ("/public/%2e%2e/admin", [P, N, N, N]),
    ("/public/..%2fadmin", [P, P, P, N]),
    ("/public/..%5cadmin", [P, P, P, N]),
    ("/public/..\\admin", [P, N, N, N]),
    ("/public/..;/admin", [P, N, N, N]),
    ("/public/../../../admin", [P, N, N, N]),
    ("/public//../admin", [P, P, P, P]),
    ("/public%2fx", [N, N, N, P]),
    ("/public;v=1", [N, N, N, N]),
    ("/PUBLIC", [N, N, N, N]),
    ("/public#/admin", [B, B, B, B]),
];

#[test]
fn paths_are_what_normalisation_makes_of_them() {
    let deny = [("deny", "DENY", "[{to: [{operation: {paths: [/admin, '/admin/*']}}]}]")];
    let allow = [("allow", "ALLOW", "[{to: [{operation: {paths: [/public, '/public/*']}}]}]")];
    let mut setups = Vec::new();
    for normalization in NORMALIZATIONS {
        let proxy = format!("pathNormalization: {normalization}");
        setups.push((format!("deny-{normalization}"), proxy.clone(), &deny[..]));
        setups.push((format!("allow-{normalization}"), proxy, &allow[..]));
    }
    let setups: Vec<_> =
        setups.iter().map(|(name, proxy, policies)| (name.as_str(), proxy.as_str(), *policies)).collect();
    let guards = start(&setups);
    for (action, rows) in [("deny", DENIED), ("allow", ALLOWED)] {
        let names = NORMALIZATIONS.map(|normalization| format!("{action}-{normalization}"));
        let rows = rows.iter().map(|(path, expected)| (get(path), *expected));
        check(&guards, table(names.each_ref().map(String::as_str), rows));
    }
}

#[test]
fn bytes_beyond_ascii_are_refused_and_their_escapes_are_no_letters() {
    let guards = start(&[
        (
            "deny",
            "pathNormalization: NONE",
            &[("deny", "DENY", "[{to: [{operation: {paths: ['/caf\u{e9}', '/a/{*}/c']}}]}]")],
        ),
        ("any", "pathNormalization: NONE", &[("deny", "DENY", "[{to: [{operation: {paths: ['*']}}]}]")]),
    ]);
    let rows = [
        (get("/caf\u{e9}"), [B, B]),
        (get(b"/caf\xe9"), [B, B]),
        (get("/caf%C3%A9"), [P, D]),
        (get("/a/b/c"), [D, D]),
        (get(b"/a/\xff/c"), [B, B]),
        (get("/a/%ff/c"), [D, D]),
        (get("/a//c"), [P, D]),
        (get(b"/\xff\xfe"), [B, B]),
        (get("/?"), [P, D]),
        (get("*"), [B, B]),
    ];
    check(&guards, table(["deny", "any"], rows));
}

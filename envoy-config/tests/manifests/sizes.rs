//! What is too large for a cluster.

use std::fmt::Write as _;
use std::fs;

use super::{modules, outrigger};

/// An AuthorizationPolicy with so many paths of about a hundred bytes each.
fn policy(paths: usize) -> String {
    let mut text =
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: paths}\nspec:\n  \
                    rules:\n  - to:\n    - operation:\n        paths:\n"
            .to_owned();
    for number in 0..paths {
        let _ = writeln!(text, "        - /{number:0>95}");
    }
    text
}

#[test]
fn a_large_configuration_is_refused_with_advice() {
    let (modules, folder) = (modules(), tempfile::tempdir().unwrap());
    let targets = [
        ["--to", "wasmplugin", "--image", "oci://r.example/o:1", "--priority", "1"],
        ["--to", "envoy-gateway", "--image", "oci://r.example/o:1", "--target-ref", "Gateway/a"],
    ];
    for (paths, code, said) in [
        (1_000, 0, None),
        (4_000, 0, Some("kubectl apply --server-side")),
        (20_000, 1, Some("more than the 1507328 that a cluster can store")),
    ] {
        fs::write(folder.path().join("a.yaml"), policy(paths)).unwrap();
        for target in &targets {
            let arguments = [&["-f", "a.yaml"][..], target].concat();
            let outcome = outrigger(folder.path(), &arguments, modules.path());
            assert_eq!(outcome.code, code, "{paths}: {}", outcome.stderr);
            let hinted = outcome.stderr.contains("--server-side");
            assert_eq!(hinted, said.is_some() && code == 0, "{}", outcome.stderr);
            assert!(said.is_none_or(|said| outcome.stderr.contains(said)), "{}", outcome.stderr);
        }
    }
    // An Envoy of one's own takes it.
    let arguments = ["-f", "a.yaml", "--to", "envoy", "--snippet", "--modules", "authz"];
    assert_eq!(outrigger(folder.path(), &arguments, modules.path()).code, 0);
}

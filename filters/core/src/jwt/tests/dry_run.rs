//! Rules with `outrigger.io/dry-run`: what they would refuse is told, and nothing else comes of them.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

fn rules(enforced: Vec<JwtRule>, tried: Vec<JwtRule>) -> Rules {
    let dry_run = JwtAnnotations { dry_run: true, ..JwtAnnotations::default() };
    let resources =
        [resource("default", "enforced", enforced), annotated("default", "tried", tried, dry_run)];
    Rules::compile(&resources, &Proxy::default()).unwrap()
}

/// What is seen of a request with this token in `authorization`, and what the dry run would have refused it for.
fn seen(rules: &Rules, token: &str) -> (Seen, Option<(Failure, String)>) {
    let value = format!("Bearer {token}");
    let headers: [(&[u8], &[u8]); 2] = [(b":path", b"/"), (b"authorization", value.as_bytes())];
    let outcome = verify(rules, &Request::new(&headers, &Connection::UNKNOWN));
    let shadow = outcome.shadow.map(|(failure, rule)| (failure, rule.resource.to_string()));
    (bearer(rules, token), shadow)
}

#[test]
fn nothing_comes_of_a_rule_that_is_tried_out() {
    let untouched = || Seen { principal: None, failure: None, rule: None, ops: vec![] };
    let output = JwtRule { output_claim_to_headers: vec![claim_to_header("x-sub", "sub")], ..rule("i") };
    let rules = rules(vec![], vec![output]);
    let tried = || "default/tried".to_owned();
    for (token, shadow) in [
        (mint::token_of("i"), None),
        (mint::token_of("j"), Some((Failure::JwtUnknownIssuer, tried()))),
        ("a.b.c".to_owned(), Some((Failure::JwtHeaderParseErrorBadBase64, tried()))),
    ] {
        let (seen, told) = seen(&rules, &token);
        assert_eq!((seen, told), (untouched(), shadow), "{token}");
    }
    assert_eq!(send(&rules, &[("x-sub", "from the client")]).ops, [""; 0]);
}

#[test]
fn rules_that_are_enforced_decide_and_a_dry_run_adds_what_it_would() {
    let rules = rules(vec![rule("i")], vec![rule_at("j", "x-token"), rule("j")]);
    let (taken, shadow) = seen(&rules, &mint::token_of("i"));
    assert_eq!((taken.principal.as_deref(), shadow), (Some("i/ann"), None));
    // A token that is refused anyway is not counted a second time.
    let (refused, shadow) = seen(&rules, &mint::token_of("k"));
    assert_eq!((refused.failure, shadow), (Some(Failure::JwtUnknownIssuer), None));
}

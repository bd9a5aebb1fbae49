//! What access logs get of tokens.

use std::rc::Rc;

use super::super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn a_record_says_whose_the_token_was_or_what_was_wrong() {
    let rule = RuleRef { resource: "shop/cart".into(), rule: 0, file: None, line: None };
    let identity = |sub: &str| {
        let claims = serde_json::json!({"iss": "i", "sub": sub}).as_object().cloned().unwrap();
        Some(Rc::new(Identity::from(claims)))
    };
    for (outcome, record) in [
        (Outcome::default(), None),
        (
            Outcome { identity: identity("s"), rule: Some(&rule), ..Outcome::default() },
            Some("verified i/s shop/cart[0]"),
        ),
        (
            Outcome { identity: Some(Rc::default()), rule: Some(&rule), ..Outcome::default() },
            Some("verified - shop/cart[0]"),
        ),
        (
            Outcome { identity: identity("s\"\n200 \"x"), rule: Some(&rule), ..Outcome::default() },
            Some("verified i/s__200 _x shop/cart[0]"),
        ),
        (
            Outcome { failure: Some(Failure::JwtExpired), rule: Some(&rule), ..Outcome::default() },
            Some("refused Jwt is expired shop/cart[0]"),
        ),
        (
            Outcome { shadow: Some((Failure::JwtExpired, &rule)), ..Outcome::default() },
            Some("dry-run refused Jwt is expired shop/cart[0]"),
        ),
    ] {
        assert_eq!(outcome.record().as_deref(), record);
    }
}

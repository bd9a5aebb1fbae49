//! Places, several rules, time, audience, and what becomes of the request.

use serde_json::json;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

const PASSES: Option<Failure> = None;

#[test]
fn no_token_passes_without_an_identity() {
    let none = Seen { principal: None, failure: None, rule: None, ops: vec![] };
    let rules = rules(vec![rule("i")]);
    assert_eq!(send(&rules, &[]), none);
    assert_eq!(send(&rules, &[("authorization", "Basic eDp5")]), none);
    assert_eq!(send(&rules, &[(":path", "/?token=garbage"), ("cookie", "access_token=garbage")]), none);
}

#[test]
fn a_good_token_gives_an_identity_and_is_taken_out() {
    let good = mint::token_of("i");
    let seen = bearer(&rules(vec![rule("other"), rule("i")]), &good);
    let expected = Seen {
        principal: Some("i/ann".to_owned()),
        failure: None,
        rule: Some(1),
        ops: vec!["-authorization".to_owned()],
    };
    assert_eq!(seen, expected);
    let path = format!("/a?x=1&access_token={good}&y=%20");
    assert_eq!(send(&rules(vec![rule("i")]), &[(":path", &path)]).ops, [":path=/a?x=1&y=%20"]);
    let keep = JwtRule { forward_original_token: true, ..rule("i") };
    assert_eq!(bearer(&rules(vec![keep]), &good).ops, [""; 0]);
}

#[test]
fn time_is_checked_with_a_minutes_grace() {
    let rules = rules(vec![rule("i")]);
    for (claim, value, expected) in [
        ("exp", json!(NOW - 60), PASSES),
        ("exp", json!(NOW - 61), Some(Failure::JwtExpired)),
        ("exp", json!(0), PASSES),
        ("exp", json!(1e19), PASSES),
        ("nbf", json!(NOW + 60), PASSES),
        ("nbf", json!(NOW + 61), Some(Failure::JwtNotYetValid)),
        ("nbf", json!(1e19), Some(Failure::JwtNotYetValid)),
        ("iat", json!(NOW + 9999), PASSES),
    ] {
        let token = mint::token(&json!({"iss": "i", claim: value}));
        assert_eq!(bearer(&rules, &token).failure, expected, "{claim} {value}");
    }
}

#[test]
fn the_order_of_checks_is_issuer_time_audience_key_signature() {
    let rules = rules(vec![JwtRule { audiences: vec!["a".to_owned()], ..rule("i") }]);
    let header = |kid: &str| format!(r#"{{"alg":"RS256","kid":"{kid}"}}"#);
    let everything_wrong = [
        (json!({"iss": "x", "exp": 1, "aud": "b"}), "x", Failure::JwtUnknownIssuer),
        (json!({"exp": 1, "aud": "b"}), "x", Failure::JwtUnknownIssuer),
        (json!({"iss": "i", "nbf": 1e12, "exp": 1, "aud": "b"}), "x", Failure::JwtNotYetValid),
        (json!({"iss": "i", "exp": 1, "aud": "b"}), "x", Failure::JwtExpired),
        (json!({"iss": "i", "aud": "b"}), "x", Failure::JwtAudienceNotAllowed),
        (json!({"iss": "i"}), "x", Failure::JwtAudienceNotAllowed),
        (json!({"iss": "i", "aud": ["b", "https://a/"]}), "x", Failure::JwksKidAlgMismatch),
        (json!({"iss": "i", "aud": "a"}), "rsa", Failure::JwtVerificationFail),
    ];
    for (claims, kid, expected) in everything_wrong {
        let token = mint::signed("RS256-other", &header(kid), &claims.to_string());
        assert_eq!(bearer(&rules, &token).failure, Some(expected), "{claims}");
    }
}

#[test]
fn every_token_at_a_rules_places_must_be_good() {
    let rules = rules(vec![rule("i")]);
    let good = mint::token_of("i");
    let header = format!("Bearer {good}");
    let with_param = |param: &str| send(&rules, &[("authorization", &header), (":path", param)]);
    assert_eq!(with_param("/?access_token=zz").failure, Some(Failure::JwtBadFormat));
    let both = with_param(&format!("/?access_token={good}"));
    assert_eq!((both.failure, both.ops), (None, vec!["-authorization".to_owned(), ":path=/".to_owned()]));
    let path = format!("/?access_token={good}");
    let bad_header = send(&rules, &[("authorization", "Bearer zz"), (":path", &path)]);
    assert_eq!(bad_header.failure, Some(Failure::JwtBadFormat));
}

#[test]
fn any_of_several_rules_will_do() {
    let audiences = vec!["z".to_owned()];
    let rules =
        rules(vec![rule_at("a", "x-a"), JwtRule { audiences, ..rule_at("b", "x-b") }, rule_at("c", "x-c")]);
    let [a, b, c] = ["a", "b", "c"].map(mint::token_of);
    let other = mint::token_of("other");
    let expired = mint::token(&json!({"iss": "c", "exp": 1}));
    let (no_audience, expired_failure) = (Failure::JwtAudienceNotAllowed, Failure::JwtExpired);
    for (lines, expected) in [
        (vec![("x-a", &a), ("x-b", &b)], None),
        (vec![("x-b", &b), ("x-c", &c)], None),
        (vec![("x-a", &b)], Some(Failure::JwtUnknownIssuer)),
        (vec![("x-a", &other), ("x-b", &b)], Some(no_audience.clone())),
        (vec![("x-a", &other), ("x-b", &b), ("x-c", &expired)], Some(expired_failure.clone())),
        (vec![("x-b", &b), ("x-c", &expired)], Some(no_audience)),
        (vec![("x-b", &other), ("x-c", &expired)], Some(expired_failure)),
        (vec![("x-a", &other), ("x-c", &other)], Some(Failure::JwtUnknownIssuer)),
    ] {
        let lines: Vec<_> = lines.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(send(&rules, &lines).failure, expected, "{lines:?}");
    }
}

#[test]
fn payload_and_claims_go_into_headers() {
    let rules = rules(vec![JwtRule {
        output_payload_to_header: Some("x-payload".to_owned()),
        output_claim_to_headers: vec![
            claim_to_header("x-sub", "sub"),
            claim_to_header("x-deep", "a.b"),
            claim_to_header("x-none", "none"),
        ],
        ..rule("i")
    }]);
    let token = mint::token(&json!({"iss": "i", "sub": "ann", "a": {"b": 7}}));
    let payload = token.split('.').nth(1).unwrap();
    let authorization = format!("Bearer {token}");
    let lines = [("authorization", authorization.as_str()), ("x-sub", "eve"), ("x-none", "eve")];
    assert_eq!(
        send(&rules, &lines).ops,
        ["-x-none", "-x-sub", &format!("x-payload+{payload}"), "x-sub+ann", "x-deep+7", "-authorization",]
    );
    // Neither without a token nor in a preflight do the client's own get through.
    assert_eq!(send(&rules, &lines[1..]).ops, ["-x-none", "-x-sub"]);
    let preflight =
        [(":method", "OPTIONS"), ("origin", "o"), ("access-control-request-method", "GET"), ("x-sub", "eve")];
    assert_eq!(send(&rules, &preflight).ops, ["-x-sub"]);

    let token = mint::token(&json!({"iss": "i", "sub": "a\r\nx-admin: yes"}));
    assert_eq!(bearer(&rules, &token).failure, Some(Failure::InvalidHeaderValue("x-sub".to_owned())));
}

#[test]
fn a_claim_that_no_header_can_have_counts_once_the_rule_has_taken_every_token() {
    let writer = JwtRule { output_claim_to_headers: vec![claim_to_header("x-sub", "sub")], ..rule("b") };
    let rules = rules(vec![rule("a"), writer, rule_at("c", "x-c")]);
    let token = mint::token(&json!({"iss": "b", "sub": "a\nb"}));
    let authorization = format!("Bearer {token}");
    let unusable = Failure::InvalidHeaderValue("x-sub".to_owned());
    for (name, value, expected) in [
        ("x-other", "y", unusable.clone()),
        // The other rule is not asked any more.
        ("x-c", "garbage", unusable),
        // A second token of the same rule.
        (":path", "/?access_token=garbage", Failure::JwtBadFormat),
    ] {
        let seen = send(&rules, &[("authorization", &authorization), (name, value)]);
        assert_eq!(seen.failure, Some(expected), "{name}");
    }
}

#[test]
fn a_header_that_rules_write_is_no_place() {
    let writer = JwtRule { output_payload_to_header: Some("x-t".to_owned()), ..rule_at("b", "x-u") };
    let rules = rules(vec![rule_at("a", "x-t"), writer]);
    let seen = send(&rules, &[("x-t", &mint::token_of("a"))]);
    assert_eq!((seen.principal, seen.failure, seen.ops), (None, None, vec!["-x-t".to_owned()]));
}

#[test]
fn preflights_pass_whatever_token_they_have() {
    let rules = rules(vec![rule("i")]);
    for (method, origin, asks, passes) in [
        ("OPTIONS", "o", "GET", true),
        ("GET", "o", "GET", false),
        ("OPTIONS", "", "GET", false),
        ("OPTIONS", "o", "", false),
    ] {
        let lines = [
            (":method", method),
            ("origin", origin),
            ("access-control-request-method", asks),
            ("authorization", "Bearer zz"),
        ];
        assert_eq!(send(&rules, &lines).failure.is_none(), passes, "{lines:?}");
    }
}

#[test]
fn rules_of_the_root_namespace_come_first_and_others_not_at_all() {
    let of = |namespace, issuer| resource(namespace, "jwt", vec![rule(issuer)]);
    let resources = [of("default", "i"), of("istio-system", "i"), of("other", "j")];
    let rules = Rules::compile(&resources, &Proxy::default()).unwrap();
    let token = format!("Bearer {}", mint::token_of("i"));
    let headers = [(&b"authorization"[..], token.as_bytes())];
    let request = Request::new(&headers, &Connection::UNKNOWN);
    let outcome = verify(&rules, &request);
    assert_eq!(outcome.rule.map(|rule| &*rule.resource), Some("istio-system/jwt"));
    assert_eq!(bearer(&rules, &mint::token_of("j")).failure, Some(Failure::JwtUnknownIssuer));
}

#[test]
fn configured_claims_are_split_at_spaces() {
    let rules = rules(vec![JwtRule { space_delimited_claims: vec!["roles".to_owned()], ..rule("i") }]);
    let token = mint::token(&json!({"iss": "i", "scope": "a b", "roles": "c  d", "name": "Ann Lee"}));
    let value = format!("Bearer {token}");
    let headers = [(&b"authorization"[..], value.as_bytes())];
    let request = Request::new(&headers, &Connection::UNKNOWN);
    let outcome = verify(&rules, &request);
    let claims = serde_json::from_slice::<serde_json::Value>(outcome.identity.unwrap().to_json()).unwrap();
    assert_eq!(claims, json!({"iss": "i", "scope": ["a", "b"], "roles": ["c", "d"], "name": "Ann Lee"}));
}

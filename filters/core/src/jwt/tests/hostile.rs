//! Whatever stands where a token should: an answer, and no panic.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

fn everywhere() -> Rules {
    rules(vec![
        rule("i"),
        JwtRule {
            from_params: vec!["p".to_owned()],
            from_cookies: vec!["c".to_owned()],
            ..rule_at("i", "x-t")
        },
    ])
}

fn failures(rules: &Rules, lines: &[(&[u8], &[u8])]) -> Option<Failure> {
    let request = Request::new(lines, &Connection::UNKNOWN);
    let outcome = verify(rules, &request);
    assert!(outcome.identity.is_none());
    let reply = outcome.reply(&request);
    assert_eq!(reply.map(|reply| reply.status), outcome.failure.as_ref().map(Failure::status));
    outcome.failure
}

#[test]
fn huge_odd_and_deep_tokens_are_refused() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let encoded = |text: &[u8]| URL_SAFE_NO_PAD.encode(text);
    let deep = [&br#"{"alg":"#[..], &[b'['; 30_000]].concat();
    let header = encoded(br#"{"alg":"RS256"}"#);
    let tokens: [Vec<u8>; 9] = [
        vec![b'.'; 60_000],
        vec![b'a'; 60_000],
        b"a.".repeat(30_000),
        vec![0xff; 60_000],
        [&b"\xff.\xfe.\xfd"[..]].concat(),
        format!("{}.e30.AA", encoded(&deep)).into_bytes(),
        format!("{header}.{}.AA", encoded(&deep)).into_bytes(),
        format!("{header}.e30.{}", "A".repeat(60_000)).into_bytes(),
        format!("{header}.{}.AA", encoded(b"\xc3\x28")).into_bytes(),
    ];
    let rules = everywhere();
    for token in tokens {
        let bearer = [&b"Bearer "[..], &token].concat();
        let path = [&b"/?p="[..], &token].concat();
        let cookie = [&b"c="[..], &token].concat();
        for line in
            [(&b"authorization"[..], &bearer), (b"x-t", &token), (b":path", &path), (b"cookie", &cookie)]
        {
            assert!(failures(&rules, &[(line.0, line.1)]).is_some(), "{:?}", line.0);
        }
    }
}

/// Each byte of good tokens changed, left out, doubled: whatever passes has the signed text of the good one.
#[test]
fn no_token_that_was_changed_anywhere_passes() {
    let rules = rules_with_keys(include_str!("keys/jwks-all.json"));
    for algorithm in ["HS256", "EdDSA", "ES256"] {
        let header = format!(r#"{{"alg":"{algorithm}"}}"#);
        let good = mint::signed(algorithm, &header, r#"{"iss":"i","sub":"ann"}"#).into_bytes();
        for at in 0..good.len() {
            let [mut flipped, mut shorter, mut longer] = [(); 3].map(|()| good.clone());
            flipped[at] ^= 1;
            shorter.remove(at);
            longer.insert(at, good[at]);
            for token in [flipped, shorter, longer] {
                let value = [&b"Bearer "[..], &token].concat();
                let lines = [(&b"authorization"[..], value.as_slice())];
                let request = Request::new(&lines, &Connection::UNKNOWN);
                let outcome = verify(&rules, &request);
                assert_ne!(outcome.identity.is_some(), outcome.failure.is_some());
                if outcome.identity.is_some() {
                    let (passed, known) = (token::Token::parse(&token), token::Token::parse(&good));
                    assert_eq!(passed, known, "{}", token.escape_ascii());
                }
            }
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod properties {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_panic(value in vec(any::<u8>(), 0..200), path in vec(any::<u8>(), 0..100)) {
            let bearer = [&b"Bearer "[..], &value].concat();
            let path = [&b"/?access_token"[..], &path].concat();
            let rules = everywhere();
            let lines: [(&[u8], &[u8]); 5] = [
                (b":path", &path),
                (b"authorization", &bearer),
                (b"x-t", &value),
                (b"cookie", &value),
                (b"x-envoy-original-path", &value),
            ];
            failures(&rules, &lines);
        }

        #[test]
        fn no_damaged_token_passes(
            at in 0_usize..350, byte in any::<u8>(), cut in 0_usize..350,
        ) {
            let rules = everywhere();
            let good = mint::token_of("i").into_bytes();
            let mut token = good.clone();
            if let Some(place) = token.get_mut(at) {
                *place = byte;
            }
            token.truncate(good.len() - cut % 40);
            let header = [&b"Bearer "[..], &token].concat();
            let request_lines = [(&b"authorization"[..], header.as_slice())];
            let request = Request::new(&request_lines, &Connection::UNKNOWN);
            let outcome = verify(&rules, &request);
            // Unused bits at the end and skipped characters may leave the meaning as it was.
            if let Some(identity) = outcome.identity {
                prop_assert_eq!(identity.principal(), Some("i/ann".to_owned()));
                prop_assert_eq!(token::Token::parse(&token), token::Token::parse(&good));
            }
        }
    }
}

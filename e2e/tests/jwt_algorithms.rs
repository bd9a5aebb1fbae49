//! Every algorithm of tokens: signed by a library that is not ours, verified by RustCrypto as in the native command, by
//! the suite in Envoy (through Envoy's BoringSSL where it can be asked) and by Envoy's own `jwt_authn`.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;
use jsonwebtoken::crypto::sign;
use outrigger_api::Config;
use outrigger_core::fault::{Moment, NoneActive};
use outrigger_core::jwt::{Means, RustCrypto};
use outrigger_core::{Connection, Draws, Engine, Now, Outcome, Request};
use outrigger_e2e::beside_jwt::{Answered, BesideJwt, configuration};
use serde::Deserialize;
use serde_json::Value;

const ISSUER: &str = "https://issuer.example";
const JWKS: &str = include_str!("../keys/algorithms/jwks.json");

#[derive(Debug, Deserialize)]
struct Minted {
    alg: String,
    kid: String,
    token: String,
}

fn minted() -> Vec<Minted> {
    serde_json::from_str(include_str!("../keys/algorithms/tokens.json")).unwrap()
}

/// Three who decide about the same token.
struct Judges {
    engine: Engine,
    beside: BesideJwt,
}

impl Judges {
    fn start(module: &str) -> Self {
        let modules = PathBuf::from(std::env::var_os("OUTRIGGER_MODULES").expect("run through ./makew"));
        let config = Config::from_json(configuration(ISSUER, JWKS).to_string().as_bytes()).unwrap();
        let engine = Engine::compile(&config).unwrap();
        Self { engine, beside: BesideJwt::start(&modules.join(module), ISSUER, JWKS).unwrap() }
    }

    /// What all three answer; they must agree.
    fn ask(&self, token: &str) -> (u16, String) {
        let (ours, native) = self.beside.ask(token).unwrap();
        assert_eq!(ours, native, "{token}");
        assert_eq!(self.offline(token), (ours.status, ours.body.clone()), "{token}");
        assert_eq!(ours.challenge.is_some(), ours.status == 401, "{token}");
        (ours.status, ours.body)
    }

    /// What RustCrypto answers.
    fn offline(&self, token: &str) -> (u16, String) {
        let value = format!("Bearer {token}");
        let lines = [(&b"authorization"[..], value.as_bytes())];
        let request = Request::new(&lines, &Connection::UNKNOWN);
        let now = Now(SystemTime::now().duration_since(UNIX_EPOCH).unwrap());
        let moment = Moment { now, active: &NoneActive };
        let verdict =
            self.engine.request(&request, None, &mut Draws::default(), moment, &Means::offline(&RustCrypto));
        match verdict.outcome {
            Outcome::Reply(reply) => (reply.status, String::from_utf8(reply.body.to_vec()).unwrap()),
            _ => (200, String::new()),
        }
    }
}

/// The token with its signature changed.
fn changed(token: &str, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    change(&mut signature);
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The token with another header.
fn with_header(token: &str, header: &Value) -> String {
    let (_, rest) = token.split_once('.').unwrap();
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()))
}

#[test]
fn tokens_of_every_algorithm_verify_and_no_changed_one() {
    for module in ["outrigger.wasm", "outrigger_jwt_authn.wasm"] {
        let judges = Judges::start(module);
        let (passes, fails) = ((200, String::new()), (401, "Jwt verification fails".to_owned()));
        let minted = minted();
        let mut algorithms: Vec<_> = minted.iter().map(|minted| minted.alg.as_str()).collect();
        algorithms.sort_unstable();
        algorithms.dedup();
        assert_eq!(algorithms.len(), 13, "{algorithms:?}");
        for Minted { alg, kid, token } in &minted {
            assert_eq!(judges.ask(token), passes, "{module}: {alg} by {kid}");
            let length = changed_length(token);
            for place in [0, length / 2 - 1, length / 2, length - 1] {
                let bad = changed(token, |signature| signature[place] ^= 1);
                assert_eq!(judges.ask(&bad), fails, "{module}: {alg} by {kid}, byte {place}");
            }
            // A bit of the payload.
            let (header, rest) = token.split_once('.').unwrap();
            let (payload, signature) = rest.split_once('.').unwrap();
            let other = URL_SAFE_NO_PAD.encode(
                String::from_utf8(URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap().replace("ann", "ano"),
            );
            assert_eq!(
                judges.ask(&format!("{header}.{other}.{signature}")),
                fails,
                "{module}: {alg} by {kid}"
            );
        }
    }
}

fn changed_length(token: &str) -> usize {
    let mut length = 0;
    changed(token, |signature| length = signature.len());
    length
}

#[test]
fn odd_signatures_headers_and_keys_fare_as_in_envoy() {
    let judges = Judges::start("outrigger.wasm");
    let minted = minted();
    for Minted { alg, kid, token } in &minted {
        for odd in [
            changed(token, |signature| signature.fill(0)),
            changed(token, |signature| signature.fill(0xff)),
            changed(token, |signature| signature.truncate(1)),
            // Two bytes: Envoy halves an ECDSA signature of whatever length, which is another test's.
            changed(token, |signature| signature.extend([7, 7])),
            changed(token, |signature| {
                let half = signature.len() / 2;
                signature.rotate_left(half);
            }),
            changed(token, |signature| signature.reverse()),
            format!("{token}AAAA"),
            token.rsplit_once('.').unwrap().0.to_owned(),
        ] {
            assert_eq!(judges.ask(&odd).0, 401, "{alg} by {kid}: {odd}");
        }
        // One of padding, which is right for some lengths.
        judges.ask(&format!("{token}="));
        // Another key, no key, another algorithm.
        for other in &minted {
            for header in [
                serde_json::json!({"alg": alg, "kid": other.kid}),
                serde_json::json!({"alg": other.alg, "kid": kid}),
                serde_json::json!({"alg": other.alg}),
                serde_json::json!({"alg": alg, "kid": "nobody's"}),
                serde_json::json!({"alg": "none", "kid": kid}),
            ] {
                let odd = with_header(token, &header);
                if odd != *token {
                    assert_eq!(judges.ask(&odd).0, 401, "{alg} by {kid}: {header}");
                }
            }
        }
    }
}

#[test]
fn where_envoy_takes_a_token_that_we_refuse() {
    let judges = Judges::start("outrigger.wasm");
    let refused = |token: &str, why: &str| {
        let (ours, native) = judges.beside.ask(token).unwrap();
        let expected = (401, "Jwt verification fails".to_owned());
        assert_eq!(native.status, 200, "{why}");
        assert_eq!((ours.status, ours.body), expected, "{why}");
        assert_eq!(judges.offline(token), expected, "{why}");
    };
    // The secret of RFC 7515 appendix A.1, and headers that its owner signs.
    let keys: Value = serde_json::from_str(JWKS).unwrap();
    let kid = "RFC 7515 A.1";
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid).unwrap();
    let secret = EncodingKey::from_secret(&URL_SAFE_NO_PAD.decode(key["k"].as_str().unwrap()).unwrap());
    let signed = |header: Value| {
        let claims = serde_json::json!({"iss": ISSUER, "sub": "ann"});
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let signature = sign(message.as_bytes(), &secret, jsonwebtoken::Algorithm::HS256).unwrap();
        format!("{message}.{signature}")
    };
    let good = signed(serde_json::json!({"alg": "HS256", "kid": kid}));
    assert_eq!(judges.ask(&good).0, 200);
    for (header, why) in [
        (serde_json::json!({"alg": "HS256", "kid": kid, "crit": ["exp"], "exp": 1}), "`crit`"),
        (serde_json::json!({"alg": "HS256", "kid": kid, "b64": false}), "`b64`"),
        (serde_json::json!({"alg": "RS256", "kid": kid}), "a secret under the name of RS256"),
        (serde_json::json!({"alg": "EdDSA", "kid": kid}), "a secret under the name of EdDSA"),
    ] {
        refused(&signed(header), why);
    }
    // Zeros before both halves of an ECDSA signature, and a byte behind it.
    for Minted { alg, token, .. } in minted().iter().filter(|minted| minted.alg.starts_with("ES")) {
        let padded = changed(token, |signature| {
            let half = signature.len() / 2;
            signature.insert(half, 0);
            signature.insert(0, 0);
        });
        refused(&padded, alg);
        refused(&changed(token, |signature| signature.push(7)), alg);
    }
}

#[test]
fn both_answer_a_refused_token_with_the_same_header_lines() {
    let judges = Judges::start("outrigger.wasm");
    let token = changed(&minted()[0].token, |signature| signature[0] ^= 1);
    let (ours, native) = judges.beside.ask(&token).unwrap();
    let expected = Answered {
        status: 401,
        body: "Jwt verification fails".to_owned(),
        challenge: Some("Bearer realm=\"http://127.0.0.1/a?b=c\", error=\"invalid_token\"".to_owned()),
    };
    assert_eq!((&ours, &native), (&expected, &expected));
}

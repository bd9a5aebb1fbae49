//! Signatures that careless verifiers have taken: numbers out of range, other lengths, encodings that are not the one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

const PAYLOAD: &str = r#"{"iss":"i","sub":"ann"}"#;

/// The order of each group: RFC 8032 section 5.1 (little-endian) and SEC 2 section 2.
const ED25519_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];
const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const P384_ORDER: &str =
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973";
const P521_ORDER: &str = "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409";

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// `one + other` or `one - other`, big-endian and cut off to the length of `one`.
fn sum(one: &[u8], other: &[u8], subtract: bool) -> Vec<u8> {
    let mut carry = 0;
    let mut digits: Vec<u8> = one
        .iter()
        .rev()
        .zip(other.iter().rev())
        .map(|(one, other)| {
            let (one, other) = (i32::from(*one), i32::from(*other));
            let digit = if subtract { one - other } else { one + other } + carry;
            carry = digit.div_euclid(256);
            u8::try_from(digit.rem_euclid(256)).unwrap()
        })
        .collect();
    digits.reverse();
    digits
}

/// What comes of a token of `algorithm` whose signature is replaced by what `change` makes of the right one.
fn changed(algorithm: &str, kid: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Option<Failure> {
    let token = mint::signed(algorithm, &format!(r#"{{"alg":"{algorithm}","kid":"{kid}"}}"#), PAYLOAD);
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature = change(URL_SAFE_NO_PAD.decode(signature).unwrap());
    bearer(&rules_with_keys(ALL_KEYS), &format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))).failure
}

#[test]
fn ecdsa() {
    let fails = Some(Failure::JwtVerificationFail);
    for (algorithm, kid, order) in
        [("ES256", "p256", P256_ORDER), ("ES384", "p384", P384_ORDER), ("ES512", "p521", P521_ORDER)]
    {
        let order = bytes(order);
        let half = order.len();
        let halves = |signature: &[u8]| (signature[..half].to_vec(), signature[half..].to_vec());
        let of = |change: &dyn Fn(Vec<u8>, Vec<u8>) -> Vec<u8>| {
            changed(algorithm, kid, |signature| {
                let (r, s) = halves(&signature);
                change(r, s)
            })
        };
        let zero = vec![0; half];
        assert_eq!(of(&|r, s| [r, s].concat()), None, "{algorithm}");
        // The other of the two signatures that every ECDSA signature comes with: JWS forbids neither.
        assert_eq!(of(&|r, s| [r, sum(&order, &s, true)].concat()), None, "{algorithm}");
        assert_eq!(of(&|r, _| [r, zero.clone()].concat()), fails, "{algorithm}: s = 0");
        assert_eq!(of(&|_, s| [zero.clone(), s].concat()), fails, "{algorithm}: r = 0");
        assert_eq!(of(&|_, _| [zero.clone(), zero.clone()].concat()), fails, "{algorithm}: both 0");
        assert_eq!(of(&|r, _| [r, order.clone()].concat()), fails, "{algorithm}: s = n");
        assert_eq!(of(&|_, s| [order.clone(), s].concat()), fails, "{algorithm}: r = n");
        assert_eq!(of(&|r, s| [r, sum(&s, &order, false)].concat()), fails, "{algorithm}: s + n");
        assert_eq!(of(&|r, s| [sum(&r, &order, false), s].concat()), fails, "{algorithm}: r + n");
        assert_eq!(of(&|r, s| [s, r].concat()), fails, "{algorithm}: exchanged");
        assert_eq!(of(&|r, s| [r, s, vec![0]].concat()), fails, "{algorithm}: a byte more");
        assert_eq!(of(&|r, s| [r, s, vec![0, 0]].concat()), fails, "{algorithm}: two bytes more");
        assert_eq!(of(&|r, s| [vec![0], r, vec![0], s].concat()), fails, "{algorithm}: padded");
        assert_eq!(of(&|r, s| ecdsa_der(&[r, s].concat()).unwrap()), fails, "{algorithm}: DER");
    }
}

#[test]
fn ed25519() {
    let fails = Some(Failure::JwtVerificationFail);
    let wrong_length = Some(Failure::JwtEd25519SignatureWrongLength);
    let of = |change: &dyn Fn(Vec<u8>, Vec<u8>) -> Vec<u8>| {
        changed("EdDSA", "ed25519", |signature| change(signature[..32].to_vec(), signature[32..].to_vec()))
    };
    let reversed = |bytes: &[u8]| bytes.iter().rev().copied().collect::<Vec<_>>();
    let plus_order = |s: &[u8]| reversed(&sum(&reversed(s), &reversed(&ED25519_ORDER), false));
    assert_eq!(of(&|r, s| [r, s].concat()), None);
    assert_eq!(of(&|r, s| [r, plus_order(&s)].concat()), fails, "S + L (RFC 8032 section 8.4)");
    assert_eq!(of(&|r, _| [r, ED25519_ORDER.to_vec()].concat()), fails, "S = L");
    assert_eq!(of(&|r, _| [r, vec![0; 32]].concat()), fails, "S = 0");
    assert_eq!(of(&|_, s| [vec![0; 32], s].concat()), fails, "R of order 4");
    assert_eq!(of(&|_, _| [[1].as_slice(), &[0; 63]].concat()), fails, "the neutral element, and 0");
    assert_eq!(
        of(&|mut r, s| {
            r[31] ^= 0x80;
            [r, s].concat()
        }),
        fails,
        "the other sign of R"
    );
    assert_eq!(of(&|r, s| [r, s, vec![0]].concat()), wrong_length, "a byte more");
    assert_eq!(of(&|r, _| r), wrong_length, "half of it");
}

#[test]
fn rsa_and_hmac() {
    let fails = Some(Failure::JwtVerificationFail);
    for (algorithm, kid) in [("RS256", "rsa"), ("HS256", "secret"), ("HS384", "secret"), ("HS512", "secret")]
    {
        for (change, why) in [
            (
                &(|signature: Vec<u8>| [vec![0], signature].concat()) as &dyn Fn(Vec<u8>) -> Vec<u8>,
                "zero before",
            ),
            (&|signature| [signature, vec![0]].concat(), "zero behind"),
            (&|signature| signature[1..].to_vec(), "the first cut off"),
            (&|signature| signature[..signature.len() - 1].to_vec(), "the last cut off"),
            (&|_| vec![0], "one byte"),
            (&|signature| vec![0; signature.len()], "all zero"),
            (&|signature| vec![0xff; signature.len()], "all ones"),
        ] {
            assert_eq!(changed(algorithm, kid, change), fails, "{algorithm}: {why}");
        }
    }
}

#[test]
fn the_secret_of_a_token_is_never_somebody_elses_public_key() {
    // The oldest trick: the public key, in whatever form, taken as the secret.
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let set: serde_json::Value = serde_json::from_str(ALL_KEYS).unwrap();
    let rules = rules_with_keys(ALL_KEYS);
    let n = base64url::decode(set["keys"][0]["n"].as_str().unwrap().as_bytes()).unwrap();
    let spki = VerificationKey::rsa(&n, &[1, 0, 1]).unwrap().spki().unwrap().to_vec();
    for secret in [n, spki, set["keys"][0].to_string().into_bytes(), Vec::new()] {
        for kid in ["rsa", "p256", "secret"] {
            let header = format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#);
            let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(PAYLOAD));
            let mac =
                Hmac::<sha2::Sha256>::new_from_slice(&secret).unwrap().chain_update(&message).finalize();
            let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.into_bytes()));
            assert_eq!(bearer(&rules, &token).failure, Some(Failure::JwtVerificationFail), "{kid}");
        }
    }
}

//! A token for each failure.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::super::keys::{self, Key, Kind};

/// The issuer of the rule.
pub(super) const ISSUER: &str = "https://idp.example";

/// The keys of the rule: `kid` and kind.
pub(super) const KEYS: [(&str, Kind); 4] =
    [("rsa", Kind::Rsa), ("p256", Kind::P256), ("ed25519", Kind::Ed25519), ("secret", Kind::Secret)];

/// Beyond what any clock says: 2100-01-01 and 2000-01-01.
const FUTURE: u64 = 4_102_444_800;
const PAST: u64 = 946_684_800;

/// A request.
#[derive(Debug)]
pub(super) struct Case {
    /// What is special about it, in Markdown.
    pub(super) name: &'static str,
    /// What stands after `Bearer`.
    pub(super) token: Option<String>,
    /// Whether the client speaks gRPC.
    pub(super) is_grpc: bool,
}

fn case(name: &'static str, token: String) -> Case {
    Case { name, token: Some(token), is_grpc: false }
}

/// One that is refused by its time.
pub(super) fn expired() -> Case {
    case("`exp` more than 60 s ago", with("exp", json!(PAST)))
}

/// Those that are refused before anyone looks at the time, or by another time.
pub(super) fn refused() -> Vec<Case> {
    vec![
        case("not three parts", "x.y".to_owned()),
        case("header that is no base64url", "a*.e30.AA".to_owned()),
        case("header that is no JSON", by("rsa", "RS256", "{", &good())),
        case("header without `alg`", by("rsa", "RS256", "{}", &good())),
        case("`alg: none`", by("rsa", "RS256", r#"{"alg":"none"}"#, &good())),
        case("`kid` that is no text", by("rsa", "RS256", r#"{"alg":"RS256","kid":1}"#, &good())),
        case(
            "payload that is no base64url",
            format!("{}.*.AA", URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#)),
        ),
        case("payload that is no JSON", signed("{")),
        case("a name twice in the payload", signed(r#"{"a":1,"a":2}"#)),
        case("`iss` that is no text", with("iss", json!(1))),
        case("`sub` that is no text", with("sub", json!(null))),
        case("`iat` that is no number", with("iat", json!("1"))),
        case("`iat` below 0", with("iat", json!(-1))),
        case("`nbf` that is no number", with("nbf", json!(true))),
        case("`nbf` of 2^64 and more", with("nbf", json!(1e20))),
        case("`exp` that is no number", with("exp", json!(null))),
        case("`exp` below 0", with("exp", json!(-1))),
        case("`jti` that is no text", with("jti", json!([]))),
        case("`aud` that is no text nor a list of texts", with("aud", json!(["shop", 1]))),
        case("signature that is no base64url", format!("{}*", signed(&good()))),
        case("another issuer", with("iss", json!("https://other.example"))),
        case("`nbf` more than 60 s ahead", with("nbf", json!(FUTURE))),
    ]
}

/// Those that are refused later, and what is no refusal of a token.
pub(super) fn refused_late() -> Vec<Case> {
    let grpc = |case: Case| Case { name: "the same from a gRPC client", is_grpc: true, ..case };
    let audience = || case("another audience", with("aud", json!("other")));
    vec![
        grpc(expired()),
        audience(),
        grpc(audience()),
        case("a `kid` that no key has", by("rsa", "RS256", r#"{"alg":"RS256","kid":"other"}"#, &good())),
        case(
            "a signature by another key",
            by_key(other_rsa(), "RS256", r#"{"alg":"RS256","kid":"rsa"}"#, &good()),
        ),
        case(
            "an Ed25519 signature of another length",
            format!("{}AAAA", by("ed25519", "EdDSA", r#"{"alg":"EdDSA","kid":"ed25519"}"#, &good())),
        ),
        case("a line break in a claim that goes into a header", with("group", json!("a\nb"))),
        Case { name: "no token", token: None, is_grpc: false },
        case("a good token", signed(&good())),
    ]
}

/// Those that Envoy takes.
pub(super) fn deviations() -> Vec<Case> {
    let by_ec = |header: &str, alg: &str| by("p256", alg, header, &good());
    let padded = {
        let token = by_ec(r#"{"alg":"ES256","kid":"p256"}"#, "ES256");
        let (message, signature) = token.rsplit_once('.').unwrap_or_default();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        let (r, s) = signature.split_at(signature.len() / 2);
        format!("{message}.{}", URL_SAFE_NO_PAD.encode([&[0], r, &[0], s].concat()))
    };
    vec![
        case("a comma after the last member", signed(&good().replace('}', ",}"))),
        case(
            "`crit` in the header",
            by("rsa", "RS256", r#"{"alg":"RS256","kid":"rsa","crit":["exp"]}"#, &good()),
        ),
        case(
            "`b64: false` in the header",
            by("rsa", "RS256", r#"{"alg":"RS256","kid":"rsa","b64":false}"#, &good()),
        ),
        case("`alg: RS256`, signed by an EC key", by_ec(r#"{"alg":"RS256","kid":"p256"}"#, "RS256")),
        case(
            "`alg: RS256`, signed by a shared secret",
            by("secret", "RS256", r#"{"alg":"RS256","kid":"secret"}"#, &good()),
        ),
        case("`alg: ES384`, signed by a key on P-256", by_ec(r#"{"alg":"ES384","kid":"p256"}"#, "ES384")),
        case("zeros before both halves of an ES256 signature", padded),
    ]
}

/// A payload that the rule takes.
fn good() -> String {
    json!({"iss": ISSUER, "sub": "ann", "aud": "shop", "exp": FUTURE}).to_string()
}

/// A good payload with one claim more or another, signed well.
fn with(name: &str, value: Value) -> String {
    let mut claims: Value = serde_json::from_str(&good()).unwrap_or_default();
    claims[name] = value;
    signed(&claims.to_string())
}

fn signed(payload: &str) -> String {
    by("rsa", "RS256", r#"{"alg":"RS256","kid":"rsa"}"#, payload)
}

fn by(kid: &str, alg: &str, header: &str, payload: &str) -> String {
    let kind = KEYS.iter().find(|(name, _)| *name == kid).map(|(_, kind)| kind);
    by_key(keys::all().iter().find(|key| Some(&key.kind) == kind), alg, header, payload)
}

fn other_rsa() -> Option<&'static Key> {
    keys::all().iter().filter(|key| key.kind == Kind::Rsa).nth(1)
}

fn by_key(key: Option<&Key>, alg: &str, header: &str, payload: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = key.map(|key| key.sign(alg, message.as_bytes())).unwrap_or_default();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

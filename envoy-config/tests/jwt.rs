//! `outrigger jwt` from outside: what a token says, which rule takes it, and tokens that are made for tests.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may"
)]

mod common;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use common::{json, outcome};
use serde_json::{Value, json};

const AT: [&str; 2] = ["--now", "2030-01-01T00:00:00Z"];
const RULES: [&str; 2] = ["-f", "explain/security.yaml"];

fn token() -> String {
    std::fs::read_to_string(common::fixture("explain/token.txt")).unwrap().trim().to_owned()
}

/// The header and payload of a token that says this; the signature is nobody's.
fn unsigned(header: &Value, claims: &Value) -> String {
    use base64::Engine as _;
    let encoded = |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.AAAA", encoded(header), encoded(claims))
}

#[test]
fn without_rules_a_token_is_taken_apart_and_never_called_verified() {
    let (code, told) = json(&[&["jwt", "inspect", &token(), "-o", "json"], &AT[..]].concat(), "");
    assert_eq!((code, &told["accepted"], &told["rules"]), (0, &Value::Null, &json!([])));
    assert_eq!((&told["header"]["alg"], &told["malformed"]), (&json!("ES256"), &Value::Null));

    let (code, text, _) = outcome(&[&["jwt", "inspect", &token()], &AT[..]].concat(), "");
    assert_eq!(code, 0);
    assert!(text.contains("alg: ES256") && text.contains("64 bytes, not verified"), "{text}");
    assert!(text.ends_with("\nnot verified: without rules (-f) and keys nobody can\n"), "{text}");

    let lasting = json!({"iss": "i", "nbf": 1_893_456_000, "exp": 1_893_456_000 + 5_400});
    let bearer = format!("Bearer {}\n", unsigned(&json!({"alg": "ES512"}), &lasting));
    let (code, text, _) = outcome(&[&["jwt", "inspect", "-"], &AT[..]].concat(), &bearer);
    assert_eq!(code, 0);
    assert!(text.contains("exp: 1893461400  (2030-01-01T01:30:00Z, expires in 1 h 30 min)"), "{text}");
    assert!(text.contains("nbf: 1893456000  (2030-01-01T00:00:00Z, valid since 0 s)"), "{text}");
}

#[test]
fn what_no_proxy_takes_is_refused_without_rules_too() {
    for (token, expected) in [
        (unsigned(&json!({"alg": "none"}), &json!({})), "Jwt header [alg] is not supported"),
        (
            "a.b.c.d.e".to_owned(),
            "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections",
        ),
        (
            unsigned(&json!({"alg": "ES256"}), &json!({"aud": 1})),
            "Jwt payload [aud] field is not a string or string list",
        ),
    ] {
        let (code, text, _) = outcome(&["jwt", "inspect", &token], "");
        assert_eq!(code, 1, "{text}");
        assert!(text.ends_with(&format!("\nrefused by every proxy: {expected}\n")), "{text}");
    }
}

#[test]
fn the_terminal_is_safe_from_what_a_token_says() {
    let token =
        unsigned(&json!({"alg": "ES256", "\u{1b}[2J": "x"}), &json!({"sub": "a\u{1b}[31m\nverified"}));
    let (code, text, _) = outcome(&["jwt", "inspect", &token], "");
    assert_eq!(code, 0);
    assert!(!text.contains('\u{1b}') && !text.contains("\nverified"), "{text}");
}

#[test]
fn a_rule_takes_it_or_says_what_it_wants() {
    let inspect = |token: &str, more: &[&str]| {
        json(&[&["jwt", "inspect", token, "-o", "json"], &RULES[..], more].concat(), "")
    };
    let (code, told) = inspect(&token(), &AT);
    assert_eq!((code, &told["accepted"]), (0, &json!(true)), "{told}");
    let rule = &told["rules"][0];
    assert_eq!(
        (&rule["failure"], &rule["wanted"], &rule["dryRun"]),
        (&Value::Null, &Value::Null, &json!(false))
    );
    assert!(rule["principal"].is_string() && rule["line"].is_u64(), "{rule}");
    assert!(rule["file"].as_str().unwrap().ends_with("security.yaml"), "{rule}");

    let (code, told) = inspect(&token(), &["--now", "2999-01-01T00:00:00Z"]);
    let rule = &told["rules"][0];
    assert_eq!((code, &told["accepted"], &rule["failure"]), (1, &json!(false), &json!("Jwt is expired")));
    assert_eq!(rule["wanted"], "`exp` may be 60 s past at most");
    assert_eq!(rule["principal"], Value::Null);

    let (message, _) = token().rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let (code, told) = inspect(&format!("{message}.AAAA"), &AT);
    assert_eq!((code, &told["rules"][0]["failure"]), (1, &json!("Jwt verification fails")));

    let (code, text, _) =
        outcome(&[&["jwt", "inspect", &format!("{message}.AAAA")], &RULES[..], &AT[..]].concat(), "");
    assert_eq!(code, 1);
    assert!(
        text.contains("3 bytes, not verified") && text.ends_with("\nrefused: no rule takes it\n"),
        "{text}"
    );
}

#[test]
fn rules_for_others_are_none_and_nobody_is_verified() {
    let resources = "{apiVersion: security.istio.io/v1, kind: RequestAuthentication, metadata: {name: a},
        spec: {selector: {matchLabels: {app: other}}, jwtRules: [{issuer: i, jwks: '{\"keys\":[]}'}]}}";
    let (code, text, stderr) = outcome(&["jwt", "inspect", &token(), "-f", "-"], resources);
    assert_eq!(code, 1, "{stderr}");
    assert!(text.ends_with("\nnot verified: no RequestAuthentication is for this proxy\n"), "{text}");
}

#[test]
fn keys_can_be_given_for_a_rule_without_an_issuer() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (_, token, _) = mint(&["--new-key", &at("dev.pem"), "--issuer", "https://any", "--subject", "ann"]);
    std::fs::write(at("keys.json"), outcome(&["jwt", "jwks", "--key", &at("dev.pem")], "").1).unwrap();
    let resources = "{apiVersion: security.istio.io/v1, kind: RequestAuthentication, metadata: {name: a},
        spec: {jwtRules: [{jwksUri: 'https://i/keys'}]}}";
    let inspect =
        |more: &[&str]| outcome(&[&["jwt", "inspect", token.trim(), "-f", "-"], more].concat(), resources);
    let (code, text, _) = inspect(&[]);
    assert!(code == 1 && text.contains("--jwks '=FILE'"), "{text}");
    let (code, text, stderr) = inspect(&["--jwks", &format!("={}", at("keys.json"))]);
    assert!(code == 0 && text.contains("accepted as https://any/ann"), "{text}{stderr}");
}

#[test]
fn a_key_set_that_is_of_no_use_is_named_itself() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json").to_str().unwrap().to_owned();
    for (set, reason) in [
        (r#"{"keys":[]}"#, "Jwks doesn't have any valid public key"),
        (r#"{"keys":[{"kty":"X"}]}"#, "Jwks doesn't have any valid public key"),
        (r#"{"keys":1}"#, "[keys] in Jwks is not an array"),
        ("{}", "Jwks does not have [keys] field"),
    ] {
        std::fs::write(&file, set).unwrap();
        let keys = format!("https://issuer.example={file}");
        let token = token();
        let arguments = [&["jwt", "inspect", &token, "--jwks", &keys], &RULES[..]].concat();
        let (code, _, stderr) = outcome(&arguments, "");
        let told = format!("error: `{file}` is not a JSON Web Key Set that can be used: {reason}\n");
        assert_eq!((code, stderr), (2, told), "{set}");
    }
}

#[test]
fn a_header_that_a_rule_writes_keeps_it_from_no_token() {
    for header in ["x-token", "authorization", "cookie"] {
        let jwks = std::fs::read_to_string(common::fixture("explain/jwks.json")).unwrap();
        let rule = json!({"issuer": "https://issuer.example", "jwks": jwks, "outputPayloadToHeader": header});
        let resource = json!({"apiVersion": "security.istio.io/v1", "kind": "RequestAuthentication",
            "metadata": {"name": "a"}, "spec": {"jwtRules": [rule]}});
        let token = token();
        let arguments = [&["jwt", "inspect", &token, "-f", "-", "-o", "json"], &AT[..]].concat();
        let (code, told) = json(&arguments, &resource.to_string());
        assert_eq!((code, &told["rules"][0]["failure"]), (0, &Value::Null), "{header}");
    }
}

#[test]
fn keys_that_are_fetched_have_to_be_given() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (code, token, _) =
        mint(&["--new-key", &at("dev.pem"), "--issuer", "https://i?a=b", "--subject", "ann"]);
    assert_eq!(code, 0);
    let resources = "{apiVersion: security.istio.io/v1, kind: RequestAuthentication, metadata: {name: a},
        spec: {jwtRules: [{issuer: 'https://i?a=b', jwksUri: 'https://i/keys'}]}}";
    std::fs::write(at("rules.yaml"), resources).unwrap();
    let (code, text, _) = outcome(&["jwt", "inspect", token.trim(), "-f", &at("rules.yaml")], "");
    assert_eq!(code, 1);
    let wanted = "its keys are at https://i/keys; fetch and give them: --jwks 'https://i?a=b=FILE'";
    assert!(text.contains("Jwks remote fetch is failed") && text.contains(wanted), "{text}");

    std::fs::write(at("keys.json"), outcome(&["jwt", "jwks", "--key", &at("dev.pem")], "").1).unwrap();
    let jwks = format!("https://i?a=b={}", at("keys.json"));
    let given = ["jwt", "inspect", token.trim(), "-f", &at("rules.yaml"), "--jwks", &jwks];
    let (code, text, stderr) = outcome(&given, "");
    assert_eq!(code, 0, "{text}{stderr}");
    assert!(text.ends_with("\naccepted by default/a[0]\n"), "{text}");
}

fn mint(flags: &[&str]) -> (i32, String, String) {
    outcome(&[&["jwt", "mint"], flags].concat(), "")
}

/// A RequestAuthentication with the public half of a key.
fn rules(folder: &Path, key: &Path) -> std::path::PathBuf {
    let (code, jwks, stderr) = outcome(&["jwt", "jwks", "--key", key.to_str().unwrap()], "");
    assert_eq!(code, 0, "{stderr}");
    assert!(!jwks.contains("\"d\""), "{jwks}");
    let resource = json!({
        "apiVersion": "security.istio.io/v1", "kind": "RequestAuthentication", "metadata": {"name": "dev"},
        "spec": {"jwtRules": [{"issuer": "https://dev.example", "audiences": ["shop"], "jwks": jwks}]},
    });
    let path = folder.join("rules.json");
    std::fs::write(&path, resource.to_string()).unwrap();
    path
}

#[test]
fn minted_tokens_are_taken_by_rules_with_the_minting_key() {
    for (alg, more) in [("RS256", &["PS256", "RS512"][..]), ("ES256", &[]), ("ES384", &[]), ("EdDSA", &[])] {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("dev.pem");
        let path = key.to_str().unwrap();
        let usual = ["--issuer", "https://dev.example", "--subject", "ann", "--audience", "shop"];
        let (code, first, stderr) = mint(&[&usual[..], &["--new-key", path, "--alg", alg]].concat());
        assert_eq!(code, 0, "{alg}: {stderr}");
        assert!(stderr.contains("for demos and tests only") && stderr.contains(path), "{stderr}");
        assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);

        let rules = rules(folder.path(), &key);
        let rules = rules.to_str().unwrap();
        let mut tokens = vec![first];
        for alg in more {
            tokens.push(mint(&[&usual[..], &["--key", path, "--alg", alg]].concat()).1);
        }
        for token in &tokens {
            let (code, told) = json(&["jwt", "inspect", token.trim(), "-f", rules, "-o", "json"], "");
            assert_eq!(
                (code, &told["rules"][0]["principal"]),
                (0, &json!("https://dev.example/ann")),
                "{told}"
            );
            assert_eq!(told["claims"]["outrigger.io/development"], "demos and tests");
            assert!(told["header"]["kid"].as_str().unwrap().starts_with("development-"));
        }
        // Another key of the same kind is no signer.
        let other = folder.path().join("other.pem");
        let other = other.to_str().unwrap();
        let (_, foreign, _) = mint(&[&usual[..], &["--new-key", other, "--alg", alg]].concat());
        assert_eq!(outcome(&["jwt", "inspect", foreign.trim(), "-f", rules], "").0, 1, "{alg}");
        // The first key is still there, and is never replaced.
        let (code, _, stderr) = mint(&[&usual[..], &["--new-key", path, "--alg", alg]].concat());
        assert_eq!(code, 2, "{stderr}");
    }
}

#[test]
fn a_minted_token_says_what_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("dev.pem");
    let flags = [
        "--new-key",
        key.to_str().unwrap(),
        "--issuer",
        "i",
        "--subject",
        "s",
        "--audience",
        "a",
        "--audience",
        "b",
        "--claim",
        "groups=[\"x\",\"y\"]",
        "--claim",
        "name=Ann Lee",
        "--claim",
        "admin=true",
        "--expires-in",
        "5m",
        "--kid",
        "k",
        "--now",
        "2030-01-01T00:00:00Z",
    ];
    let (code, token, stderr) = mint(&flags);
    assert_eq!(code, 0, "{stderr}");
    let (_, told) = json(&["jwt", "inspect", token.trim(), "-o", "json"], "");
    assert_eq!(told["header"], json!({"alg": "ES256", "typ": "JWT", "kid": "k"}));
    let expected = json!({
        "iss": "i", "sub": "s", "aud": ["a", "b"], "iat": 1_893_456_000, "exp": 1_893_456_300,
        "groups": ["x", "y"], "name": "Ann Lee", "admin": true, "outrigger.io/development": "demos and tests",
    });
    assert_eq!(told["claims"], expected);
}

#[test]
fn wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(at("no.pem"), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").unwrap();
    std::fs::write(at("key.der"), [0x30, 0x82, 0xff, 0xfe]).unwrap();
    let who = ["--issuer", "i", "--subject", "s"];
    assert_eq!(mint(&[&who[..], &["--new-key", "/proc/x/y.pem"]].concat()).0, 3);
    let (code, _, stderr) = mint(&[&who[..], &["--new-key", &at("es.pem")]].concat());
    assert_eq!(code, 0, "{stderr}");
    for (flags, expected) in [
        (vec![], "--key"),
        (vec!["--key", "/no/such/key"], "No such file"),
        (vec!["--key", &at("no.pem")], "holds no private key"),
        (vec!["--key", &at("key.der")], "-inform DER"),
        (vec!["--new-key", &at("es.pem")], "no key is ever replaced"),
        (vec!["--key", &at("es.pem"), "--claim", "outrigger.io/development=no"], "every token has it"),
        (vec!["--key", &at("es.pem"), "--claim", "iss=x"], "`--claim iss` and `--issuer`"),
        (vec!["--key", &at("es.pem"), "--claim", "a=1", "--claim", "a=2"], "`--claim a` is given twice"),
        (vec!["--key", &at("es.pem"), "--claim", "exp=1", "--expires-in", "5m"], "`--expires-in`"),
        (vec!["--key", &at("es.pem"), "--alg", "RS256"], "a key of this kind signs by ES256 only"),
        (vec!["--new-key", &at("hs.pem"), "--alg", "HS256"], "is none of RS256"),
        (vec!["--key", &at("es.pem"), "--new-key", &at("x.pem")], "cannot be used with"),
        (vec!["--key", &at("es.pem"), "--claim", "x"], "is not `name=value`"),
        (vec!["--key", &at("es.pem"), "--expires-in", "soon"], "`soon`"),
    ] {
        let (code, stdout, stderr) = mint(&[&who[..], &flags].concat());
        assert_eq!((code, stdout.as_str()), (2, ""), "{flags:?}: {stderr}");
        assert!(stderr.contains(expected), "{flags:?}: {stderr}");
    }
    for (flags, input, expected) in [
        (vec!["-"], " \n", "the token is empty"),
        (vec!["-", "-f", "-"], "", "standard input is either"),
        (vec!["a.b.c", "--jwks", "i=x"], "", "only by the rules of resources"),
        (vec!["a.b.c", "-f", "/no/such"], "", "/no/such"),
        (vec!["a.b.c", "-f", "-"], "{kind: Nonsense", "error"),
    ] {
        let (code, stdout, stderr) = outcome(&[&["jwt", "inspect"], &flags[..]].concat(), input);
        assert_eq!((code, stdout.as_str()), (2, ""), "{flags:?}: {stderr}");
        assert!(stderr.contains(expected), "{flags:?}: {stderr}");
    }
}

#[test]
fn the_policy_of_the_documentation_refuses_marked_tokens() {
    let text = include_str!("../../docs/jwt.md");
    let policy = text.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("dev.pem");
    let flags = ["--new-key", key.to_str().unwrap(), "--issuer", "https://dev.example", "--subject", "ann"];
    let token = mint(&[&flags[..], &["--audience", "shop"]].concat()).1;
    let header = format!("Authorization: Bearer {}", token.trim());
    let rules = rules(folder.path(), &key);
    let ask = ["explain", "GET http://a/", "-o", "json", "-H", &header, "-f", rules.to_str().unwrap()];
    let (_, told) = json(&ask, "");
    assert_eq!(
        (&told["jwt"]["principal"], &told["status"]),
        (&json!("https://dev.example/ann"), &json!(404))
    );
    let (_, told) = json(&[&ask[..], &["-f", "-"]].concat(), policy);
    assert_eq!(
        (&told["authz"]["policy"], &told["status"]),
        (&json!("default/no-development-tokens"), &json!(403))
    );
}

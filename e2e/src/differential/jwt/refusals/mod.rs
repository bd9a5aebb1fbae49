//! What a client is told, by our filter and by Envoy's own: the text of `docs/jwt-refusals.md`.

mod cases;

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use self::cases::Case;
use super::super::answer::Answer;
use super::super::configuration::{Configuration, tag};
use super::super::policy::Policy as _;
use super::super::request::Request;
use super::super::wire::Wire;
use super::generate::NAMESPACE;
use super::{Tokens, keys};

/// What every request asks for.
const HOST: &str = "shop.example";
const PATH: &str = "/cart?id=7";

/// The document.
///
/// # Errors
/// One of the sides gives no answer.
pub(in super::super) fn document(tokens: &Tokens) -> Result<String> {
    let configuration = configuration();
    let pair = tokens.start(std::slice::from_ref(&configuration))?;
    let mut asker = tokens.connect(&pair);
    let mut ask = |case: &Case| -> Result<(Answer, Answer)> {
        let [ours, native, _] = asker.ask(&configuration, &request(case))?;
        Ok((ours, native))
    };
    let mut document = BEGINNING.to_owned();
    let captured = cases::expired();
    let (ours, native) = ask(&captured)?;
    write!(
        document,
        "\nOutrigger:\n\n```text\n{}```\n\nEnvoy:\n\n```text\n{}```\n",
        raw(&ours),
        raw(&native)
    )?;
    document.push_str(TABLE);
    let challenge = ours.header("www-authenticate").context("an expired token has no challenge")?.to_vec();
    for case in cases::refused().iter().chain([&captured]).chain(&cases::refused_late()) {
        let (ours, native) = ask(case)?;
        row(&mut document, case, &ours, &native, &challenge)?;
    }
    document.push_str(DEVIATIONS);
    for case in cases::deviations() {
        let (ours, native) = ask(&case)?;
        row(&mut document, &case, &ours, &native, &challenge)?;
    }
    document.push_str(END);
    Ok(document)
}

const BEGINNING: &str = "\
# What a client is told when its token is refused

Captured from the filter jwt-authn and from Envoy's own `jwt_authn`, set up as istiod would, in one Envoy. `./makew e2e refusals`
checks that every line is what both answer now; with `OUTRIGGER_WRITE_DOCS=1` it writes this file anew.

The whole answer to a token that is expired:
";

const TABLE: &str = "
Status, body and response code details (`%RESPONSE_CODE_DETAILS%`) of each failure, in the order of the checks. The challenge
(`www-authenticate`) is the one above, where nothing else is said.

| sent | Outrigger | Envoy |
|---|---|---|
";

const DEVIATIONS: &str = "
## Where Outrigger refuses and Envoy does not

On purpose; [the reasons](../filters/core/src/jwt/mod.rs) stand with the code.

| sent | Outrigger | Envoy |
|---|---|---|
";

const END: &str = "
Keys that have to be fetched add `Jwks remote fetch is failed` to this, on both sides.
";

/// One rule, with a key of each kind.
fn configuration() -> Configuration {
    let keys = cases::KEYS.iter().filter_map(|(kid, kind)| {
        let mut jwk = keys::all().iter().find(|key| key.kind == *kind)?.public.clone();
        jwk["kid"] = (*kid).into();
        Some(jwk)
    });
    let set = json!({"keys": keys.collect::<Vec<Value>>()});
    let rule = json!({
        "issuer": cases::ISSUER, "audiences": ["shop"], "jwks": set.to_string(),
        "outputClaimToHeaders": [{"header": "x-group", "claim": "group"}],
    });
    let policy = json!({
        "apiVersion": "security.istio.io/v1", "kind": "RequestAuthentication",
        "metadata": {"name": "refusals", "namespace": NAMESPACE}, "spec": {"jwtRules": [rule]},
    });
    Configuration { tag: tag(0), resources: vec![policy] }
}

fn request(case: &Case) -> Request {
    let mut headers = Vec::new();
    if let Some(token) = &case.token {
        headers.push(("authorization".to_owned(), format!("Bearer {token}").into_bytes()));
    }
    if case.is_grpc {
        headers.push(("content-type".to_owned(), b"application/grpc".to_vec()));
    }
    Request {
        port: 80,
        method: "GET".to_owned(),
        target: PATH.into(),
        host: HOST.into(),
        headers,
        wire: Wire::default(),
    }
}

fn row(
    document: &mut String,
    case: &Case,
    ours: &Answer,
    native: &Answer,
    challenge: &[u8],
) -> std::fmt::Result {
    writeln!(document, "| {} | {} | {} |", case.name, cell(ours, challenge), cell(native, challenge))
}

/// An answer in a cell of a table.
fn cell(answer: &Answer, challenge: &[u8]) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace('|', "\\|");
    let header = |name: &str| answer.header(name).map(text);
    if answer.is_forwarded() {
        return "forwarded".to_owned();
    }
    let mut parts = vec![answer.status.to_string()];
    if let Some(status) = header("grpc-status") {
        parts.push(format!(
            "`grpc-status: {status}`, `grpc-message: {}`",
            header("grpc-message").unwrap_or_default()
        ));
    } else {
        let body = answer.body.iter().map(|line| text(line)).collect::<String>();
        parts.push(format!("`{body}`"));
    }
    match answer.header("www-authenticate") {
        None => parts.push("no challenge".to_owned()),
        Some(own) if own != challenge => parts.push(format!("`www-authenticate: {}`", text(own))),
        Some(_) => {}
    }
    parts
        .push(header(super::pair::DETAILS).map_or("no details".to_owned(), |details| format!("`{details}`")));
    parts.join("<br>")
}

/// An answer as it came, as far as it is the filter's.
fn raw(answer: &Answer) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut raw = format!("HTTP/1.1 {}\n", answer.status);
    for name in ["content-length", "content-type", "www-authenticate"] {
        if let Some(value) = answer.header(name) {
            raw += &format!("{name}: {}\n", text(value));
        }
    }
    let body: String = answer.body.iter().map(|line| text(line)).collect();
    raw + "\n" + &body + "\n"
}

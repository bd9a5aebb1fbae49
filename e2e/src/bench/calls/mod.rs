//! Filters that ask the host what ours ask, and do nothing with the answers: what a filter with these questions costs at
//! least, whatever its own code is like.

mod crossings;
mod module;

use std::path::Path;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use outrigger_core::header_names::CLUSTER;
use outrigger_core::jwt::VerificationKey;
use outrigger_core::telemetry::METADATA;
use serde_json::Value;

pub(super) use crossings::check;

use super::configurations::empty;
use super::native::ORDERS_V1;
use super::options::Options;
use super::ours::with_module;

/// Which headers, as the ABI numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Map {
    Request = 0,
    Response = 2,
}

/// A call of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Call {
    /// All lines of the request's headers.
    Headers,
    /// One header.
    Header(Map, &'static str),
    /// Sets a header of the request.
    SetHeader(&'static str, String),
    /// Removes a header of the request.
    RemoveHeader(&'static str),
    /// An attribute.
    Property(&'static str),
    /// Leaves a text in filter state.
    SetProperty(&'static str, String),
    /// The wall clock.
    Time,
    /// Evaluates an expression.
    Evaluate(&'static str),
    /// Counts the request.
    Count,
    /// Records a value in a histogram of its own.
    Record,
    /// Verifies a signature: Envoy's `VerifySignatureArguments`.
    Verify(Vec<u8>),
}

/// The calls of a filter for each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Calls {
    request: Vec<Call>,
    /// `None`: the filter does not have this callback, so that Envoy does not enter the VM for it.
    response: Option<Vec<Call>>,
    log: Option<Vec<Call>>,
    /// How many sets of labels there are, of which each request counts for the next.
    sets: usize,
}

/// As `filters/host` asks for how a request ended that came to an endpoint.
const FORWARDED: &str = "[response.code, response.flags, request.total_size, response.total_size, request.duration, \
                         xds.cluster_name, upstream.address]";
/// Likewise of one that it has sent there itself.
const ANSWERED: &str =
    "[response.code, response.flags, request.total_size, response.total_size, request.duration]";

impl Calls {
    /// Those of an authorization filter whose rules are about paths.
    pub(super) fn path() -> Self {
        Self::on_request(vec![Call::Header(Map::Request, ":path")])
    }

    fn on_request(request: Vec<Call>) -> Self {
        Self { request, response: None, log: None, sets: 1 }
    }

    /// Those of the metrics filter alone, at a gateway.
    pub(super) fn metrics() -> Self {
        let request = vec![Call::Header(Map::Request, "content-type")];
        // Nobody has asked for the time before.
        let mut log = counting(FORWARDED);
        log.insert(0, Call::Time);
        Self { log: Some(log), ..Self::on_request(request) }
    }

    /// Those of the metrics filter alone with a label of the header `x-team`, which has so many values.
    pub(super) fn metrics_by_team(sets: usize) -> Self {
        let mut calls = Self { sets, ..Self::metrics() };
        calls.log.iter_mut().for_each(|log| log.insert(2, Call::Property("request\0headers\0x-team")));
        calls
    }

    /// Those of the suite at a gateway, for a request without a token that is forwarded.
    pub(super) fn suite() -> Self {
        let response = Some(vec![Call::Header(Map::Response, METADATA)]);
        Self { response, log: Some(counting(ANSWERED)), ..Self::on_request(routing()) }
    }

    /// The same with every metric switched off.
    pub(super) fn suite_without_metrics() -> Self {
        Self { log: Some(Vec::new()), ..Self::suite() }
    }

    /// Those of the token filter for a token that it has not seen before.
    pub(super) fn verifying(token: &str) -> Result<Self> {
        let claims = token.split('.').nth(1).context("a token without claims")?;
        let request = vec![
            Call::Headers,
            Call::Time,
            Call::Verify(arguments(token)?),
            Call::Count,
            Call::SetProperty("outrigger.claims", String::from_utf8(BASE64URL.decode(claims)?)?),
            Call::RemoveHeader("authorization"),
        ];
        Ok(Self::on_request(request))
    }

    /// A filter that makes them. Its module is written into `folder` as `name`.
    pub(super) fn filter(&self, options: &Options, folder: &Path, name: &str) -> Result<Value> {
        let file = folder.join(format!("{name}.wasm"));
        std::fs::write(&file, module::module(self)?).with_context(|| file.display().to_string())?;
        with_module(&empty(options), &file)
    }
}

fn routing() -> Vec<Call> {
    vec![Call::Headers, Call::Time, Call::SetHeader(CLUSTER, ORDERS_V1.to_owned())]
}

fn counting(ending: &'static str) -> Vec<Call> {
    vec![Call::Evaluate(ending), Call::Count, Call::Record, Call::Record, Call::Record]
}

/// What the host is given to verify `token` by the key of the tests' that goes with it.
fn arguments(token: &str) -> Result<Vec<u8>> {
    let (signed, signature) = token.rsplit_once('.').context("a token without dots")?;
    let bytes = |text: &str| BASE64URL.decode(text).with_context(|| format!("`{text}`"));
    let header: Value = serde_json::from_slice(&bytes(signed.split('.').next().unwrap_or_default())?)?;
    let set: Value = serde_json::from_str(include_str!("../../../keys/jwks.json"))?;
    let key = set["keys"].as_array().into_iter().flatten().find(|key| key["alg"] == header["alg"]);
    let key = key.with_context(|| format!("no key for {}", header["alg"]))?;
    let part = |name: &str| bytes(key[name].as_str().unwrap_or_default());
    let signature = bytes(signature)?;
    let (key, signature) = match header["alg"].as_str() {
        Some("RS256") => (VerificationKey::rsa(&part("n")?, &part("e")?), Some(signature)),
        Some("ES256") => {
            let curve = &jsonwebtoken::jwk::EllipticCurve::P256;
            (VerificationKey::ec(curve, &part("x")?, &part("y")?), outrigger_core::jwt::ecdsa_der(&signature))
        }
        _ => (None, None),
    };
    let key = key.context("no key")?;
    let fields = (key.spki(), signature);
    let (Some(spki), Some(signature)) = fields else { anyhow::bail!("nothing that the host verifies") };
    let arguments = VerifySignatureArguments {
        hash_function: "sha256".to_owned(),
        public_key: spki.to_vec(),
        signature,
        text: signed.as_bytes().to_vec(),
    };
    Ok(prost::Message::encode_to_vec(&arguments))
}

/// `envoy.source.extensions.common.wasm.VerifySignatureArguments`
#[derive(Clone, PartialEq, prost::Message)]
struct VerifySignatureArguments {
    #[prost(string, tag = "1")]
    hash_function: String,
    #[prost(bytes = "vec", tag = "2")]
    public_key: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    signature: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    text: Vec<u8>,
}

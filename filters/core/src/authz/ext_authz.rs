//! What a server is asked by HTTP, and what its answer means: as Envoy's filter `ext_authz` does it.

use std::borrow::Cow;

use outrigger_api::types::authorization_policy::ValuePattern;
use outrigger_api::types::extension_provider::{ExtAuthzHttp, ExtensionProvider, ProviderKind};

use crate::Request;
use crate::request::HeaderLine;
use crate::route::Destination;
use crate::verdict::{HeaderOp, Reply};

/// Headers of a refusal that reach the client whatever `headersToDownstreamOnDeny` says.
const ALWAYS_DOWNSTREAM: [&[u8]; 2] = [b"location", b"www-authenticate"];
/// Headers that are about the body or the connection of one message.
const OF_MESSAGE: [&[u8]; 4] = [b"content-length", b"transfer-encoding", b"connection", b"host"];
/// The header in which an answer names those that the request loses. It goes nowhere itself.
const REMOVED: &[u8] = b"x-envoy-auth-headers-to-remove";

/// A header line of a question.
pub type Line<'q> = (Cow<'q, [u8]>, Cow<'q, [u8]>);

/// What becomes of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It goes on.
    Allowed {
        /// Changes to its headers.
        upstream: Vec<HeaderOp<'static>>,
        /// Changes to the headers of its response.
        downstream: Vec<HeaderOp<'static>>,
    },
    /// It is answered here.
    Denied(Reply<'static>),
}

/// Why a filter can't ask `provider`; `None` if it can. `responds`: the filter sees responses too.
pub fn unaskable(provider: &ExtensionProvider, responds: bool) -> Option<&'static str> {
    let ProviderKind::ExtAuthzHttp(http) = &provider.kind else {
        return Some("a filter asks by HTTP; Envoy's own ext_authz asks by gRPC");
    };
    if http.check.request_body.is_some() {
        return Some("a filter sends no body (`includeRequestBodyInCheck`)");
    }
    if http.additional_headers.iter().any(|(_, value)| value.contains('%')) {
        return Some("a filter fills in no operators (`includeAdditionalHeadersInCheck`)");
    }
    if !responds && !http.to_downstream_on_allow.is_empty() {
        return Some("only the suite changes responses (`headersToDownstreamOnAllow`)");
    }
    None
}

/// The answer where nobody can be asked, which [`unaskable`] rules out.
pub fn no_way() -> Answer {
    Answer::Denied(error(403))
}

/// The cluster of the server.
pub fn cluster(http: &ExtAuthzHttp) -> String {
    let check = &http.check;
    Destination { host: check.service.host.clone(), subset: None, port: check.port }.cluster_name()
}

/// The header lines of the question about `request`.
pub fn question<'q, 'r: 'q>(http: &'q ExtAuthzHttp, request: &Request<'r>) -> Vec<Line<'q>> {
    let line =
        |name: &'static [u8], value: &'r [u8]| -> Line<'q> { (Cow::Borrowed(name), Cow::Borrowed(value)) };
    let path = [http.path_prefix.as_bytes(), request.path_and_query()].concat();
    let mut lines = vec![
        line(b":method", request.method()),
        (Cow::Borrowed(&b":path"[..]), Cow::Owned(path)),
        line(b":authority", request.authority()),
        line(b":scheme", b"http"),
        line(b"content-length", b"0"),
    ];
    let added = |name: &[u8]| http.additional_headers.iter().any(|(added, _)| same(added, name));
    for (name, value) in request.headers() {
        let sent = *name == b"authorization" || fits(&http.request_headers, name);
        if sent && !name.starts_with(b":") && !OF_MESSAGE.contains(name) && !added(name) {
            // What a request repeats is one line of the question, cookies too.
            match lines.iter_mut().find(|(known, _)| known == name) {
                Some((_, values)) => *values = Cow::Owned([values, &b","[..], value].concat()),
                None => lines.push((Cow::Borrowed(*name), Cow::Borrowed(*value))),
            }
        }
    }
    for (name, value) in &http.additional_headers {
        lines.push((Cow::Owned(name.to_ascii_lowercase().into_bytes()), Cow::Borrowed(value.as_bytes())));
    }
    lines
}

/// What an answer with these header lines means; without any there is no answer.
pub fn answer(http: &ExtAuthzHttp, lines: &[HeaderLine<'_>], body: &[u8]) -> Answer {
    let status = lines.iter().find(|(name, _)| *name == b":status");
    let status = status.and_then(|(_, status)| std::str::from_utf8(status).ok()?.parse::<u16>().ok());
    match status {
        Some(200) => {
            let (mut upstream, mut downstream, mut removed) = (Vec::new(), Vec::new(), Vec::new());
            for line in lines {
                if line.0 == REMOVED {
                    for name in line.1.split(|byte| *byte == b',') {
                        let name = String::from_utf8_lossy(name.trim_ascii()).to_ascii_lowercase();
                        // Without these a request is none.
                        if !name.starts_with(':') && name != "host" {
                            removed.push(HeaderOp::Remove(name.into()));
                        }
                    }
                }
                if is_passed_on(line.0, &http.to_upstream_on_allow) {
                    let (name, value) = owned(line);
                    upstream.push(HeaderOp::Set(name, value));
                }
                if is_passed_on(line.0, &http.to_downstream_on_allow) {
                    let (name, value) = owned(line);
                    downstream.push(HeaderOp::Add(name, value));
                }
            }
            // The last word: what is named there goes, even if the answer gives it anew.
            upstream.append(&mut removed);
            Answer::Allowed { upstream, downstream }
        }
        None | Some(500..=599) if http.check.fail_open => {
            Answer::Allowed { upstream: Vec::new(), downstream: Vec::new() }
        }
        None | Some(500..=599) => Answer::Denied(error(http.check.status_on_error)),
        Some(status) => {
            let listed = &http.to_downstream_on_deny;
            let patterns = if listed.is_empty() { &[ValuePattern::Any] } else { &**listed };
            let mut headers = Vec::new();
            for line in lines
                .iter()
                .filter(|(name, _)| ALWAYS_DOWNSTREAM.contains(name) || is_passed_on(name, patterns))
            {
                headers.push(owned(line));
            }
            Answer::Denied(Reply {
                // What is no final status can't be given to a client.
                status: if status < 200 { 403 } else { status },
                headers,
                body: body.to_vec().into(),
                details: "ext_authz_denied".into(),
                grpc_status: None,
            })
        }
    }
}

/// Whether a header of an answer goes further.
#[inline(never)]
fn is_passed_on(name: &[u8], patterns: &[ValuePattern]) -> bool {
    !name.starts_with(b":") && !OF_MESSAGE.contains(&name) && name != REMOVED && fits(patterns, name)
}

#[inline(never)]
fn owned((name, value): &HeaderLine<'_>) -> (Cow<'static, str>, Cow<'static, [u8]>) {
    (String::from_utf8_lossy(name).into_owned().into(), Cow::Owned(value.to_vec()))
}

fn error(status: u16) -> Reply<'static> {
    let (body, details) = (b""[..].into(), "ext_authz_error".into());
    Reply { status, headers: Vec::new(), body, details, grpc_status: None }
}

fn same(pattern: &str, name: &[u8]) -> bool {
    pattern.as_bytes().eq_ignore_ascii_case(name)
}

/// Whether one of `patterns` fits the header `name`.
fn fits(patterns: &[ValuePattern], name: &[u8]) -> bool {
    patterns.iter().any(|pattern| match pattern {
        ValuePattern::Any => true,
        ValuePattern::Exact(text) => same(text, name),
        ValuePattern::Prefix(text) => name.get(..text.len()).is_some_and(|begin| same(text, begin)),
        ValuePattern::Suffix(text) => {
            let end = name.len().checked_sub(text.len()).and_then(|at| name.get(at..));
            end.is_some_and(|end| same(text, end))
        }
    })
}

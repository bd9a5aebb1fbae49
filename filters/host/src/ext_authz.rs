//! Asks a server about a request (`action: CUSTOM`), by HTTP.

use std::sync::Arc;
use std::time::Duration;

use outrigger_api::types::extension_provider::{ExtAuthzHttp, ExtensionProvider, ProviderKind};
use outrigger_core::authz::ext_authz::{self, Answer};
use outrigger_core::{Request, RuleRef};

use crate::abi::{self, Map};
use crate::headers;

/// So much of the body of a refusal is passed on.
const MAX_BODY: usize = 64 * 1024;

/// A question that is under way. Envoy gives the answer to the root context, even if the stream is gone by then.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Who waits for the answer.
    pub(crate) stream: u32,
    /// Who answers.
    pub(crate) provider: Arc<ExtensionProvider>,
    /// Why it is asked.
    pub(crate) rule: RuleRef,
    /// Nobody waits.
    pub(crate) dry_run: bool,
}

/// Asks, and returns the number of the call. An error is the answer if there is none.
pub(crate) fn ask(provider: &ExtensionProvider, request: &Request<'_>) -> Result<u32, Answer> {
    let Some(http) = by_http(provider) else { return Err(ext_authz::no_way()) };
    let lines = ext_authz::question(http, request);
    let lines: Vec<_> = lines.iter().map(|(name, value)| (&**name, &**value)).collect();
    let (cluster, timeout) = (ext_authz::cluster(http), milliseconds(http.check.timeout));
    abi::http_call(&cluster, &headers::serialise(lines.into_iter()), timeout).map_err(|status| {
        log::error!("`{}` can't be asked: {status:?}; has Envoy the cluster `{cluster}`?", provider.name);
        ext_authz::answer(http, &[], &[])
    })
}

/// The answer that has just come, of so many bytes.
pub(crate) fn answer(provider: &ExtensionProvider, size: usize) -> Answer {
    let Some(http) = by_http(provider) else { return ext_authz::no_way() };
    let pairs = abi::header_pairs(Map::CallResponse).unwrap_or_default();
    let body = match size.min(MAX_BODY) {
        0 => Vec::new(),
        size => abi::call_response_body(size).unwrap_or_default(),
    };
    ext_authz::answer(http, &headers::parse(&pairs), &body)
}

fn by_http(provider: &ExtensionProvider) -> Option<&ExtAuthzHttp> {
    match &provider.kind {
        ProviderKind::ExtAuthzHttp(http) => Some(http),
        ProviderKind::ExtAuthzGrpc(_) => None,
    }
}

fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX).max(1)
}

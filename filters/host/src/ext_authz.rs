//! Asks a server about a request (`action: CUSTOM`), by HTTP.

use std::time::Duration;

use outrigger_api::types::extension_provider::{ExtAuthzHttp, ExtensionProvider, ProviderKind};
use outrigger_core::authz::Ask;
use outrigger_core::authz::ext_authz::{self, Answer};
use outrigger_core::{Request, RuleRef};

use crate::abi::{self, Map};
use crate::headers;

/// So much of the body of a refusal is passed on.
const MAX_BODY: usize = 64 * 1024;

/// A question that is under way.
#[derive(Debug)]
pub(crate) struct Asked {
    call: u32,
    /// Why.
    pub(crate) rule: RuleRef,
    /// The request does not wait for the answer.
    pub(crate) dry_run: bool,
}

/// Asks. An error is the answer if there is none.
pub(crate) fn ask(ask: &Ask<'_>, request: &Request<'_>) -> Result<Asked, Answer> {
    let Some(http) = by_http(ask.provider) else { return Err(ext_authz::no_way()) };
    let lines = ext_authz::question(http, request);
    let lines: Vec<_> = lines.iter().map(|(name, value)| (&**name, &**value)).collect();
    let (cluster, timeout) = (ext_authz::cluster(http), milliseconds(http.check.timeout));
    match abi::http_call(&cluster, &headers::serialise(lines.into_iter()), timeout) {
        Ok(call) => Ok(Asked { call, rule: ask.rule.clone(), dry_run: ask.dry_run }),
        Err(status) => {
            log::error!(
                "`{}` can't be asked: {status:?}; has Envoy the cluster `{cluster}`?",
                ask.provider.name
            );
            Err(ext_authz::answer(http, &[], &[]))
        }
    }
}

impl Asked {
    /// The answer, if it is this one's: of so many bytes.
    pub(crate) fn answer(
        &self,
        call: u32,
        size: usize,
        provider: Option<&ExtensionProvider>,
    ) -> Option<Answer> {
        if call != self.call {
            return None;
        }
        let Some(http) = provider.and_then(by_http) else { return Some(ext_authz::no_way()) };
        let pairs = abi::header_pairs(Map::CallResponse).unwrap_or_default();
        let body = match size.min(MAX_BODY) {
            0 => Vec::new(),
            size => abi::call_response_body(size).unwrap_or_default(),
        };
        Some(ext_authz::answer(http, &headers::parse(&pairs), &body))
    }
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

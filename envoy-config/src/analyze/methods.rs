//! Methods that no request has, or none over HTTP/1: Envoy answers such requests itself.

use outrigger_api::types::common::StringMatch;
use outrigger_api::{Resource, Spec, is_token};

use super::codes;
use super::finding::{Finding, Level};

/// What is wrong about a method.
pub(super) struct Slip {
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// Whether no client can send it.
    pub(super) is_certain: bool,
}

/// The methods that Envoy takes from HTTP/1; it answers all others with 400. Over HTTP/2 and HTTP/3 it takes any token.
pub(crate) const OF_HTTP_1: [&str; 34] = [
    "ACL",
    "BIND",
    "CHECKOUT",
    "CONNECT",
    "COPY",
    "DELETE",
    "GET",
    "HEAD",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MOVE",
    "MSEARCH",
    "NOTIFY",
    "OPTIONS",
    "PATCH",
    "POST",
    "PROPFIND",
    "PROPPATCH",
    "PURGE",
    "PUT",
    "REBIND",
    "REPORT",
    "SEARCH",
    "SOURCE",
    "SUBSCRIBE",
    "TRACE",
    "UNBIND",
    "UNLINK",
    "UNLOCK",
    "UNSUBSCRIBE",
];

/// Looks at a method that a rule asks for. It is compared with its case.
pub(super) fn slip(method: &str) -> Option<Slip> {
    if OF_HTTP_1.contains(&method) {
        return None;
    }
    if !is_token(method) {
        let message = format!("no request has `{}`: that is not a method", method.escape_debug());
        return Some(Slip { message, hint: None, is_certain: true });
    }
    if let Some(meant) = OF_HTTP_1.iter().find(|known| method.eq_ignore_ascii_case(known)) {
        let message = format!("`{method}` fits no {meant} request: methods are compared with their case");
        return Some(Slip { message, hint: Some(format!("write `{meant}`")), is_certain: false });
    }
    let message = format!(
        "`{method}` comes over HTTP/2 and HTTP/3 alone: over HTTP/1 Envoy answers such requests with 400"
    );
    Some(Slip { message, hint: None, is_certain: false })
}

/// Looks at the matches of VirtualServices.
pub(super) fn check(resources: &[Resource], findings: &mut Vec<Finding>) {
    for resource in resources {
        let Spec::VirtualService(service) = &resource.spec else { continue };
        for (at, rule) in service.http.iter().enumerate() {
            for (entry, asked) in rule.matches.iter().enumerate() {
                let Some(StringMatch::Exact(method)) = &asked.method else { continue };
                let path = format!("spec.http[{at}].match[{entry}].method.exact");
                findings.extend(slip(method).map(|slip| {
                    let code = codes::VALUE_OF_NO_REQUEST;
                    Finding::new(code, Level::Warning, resource, &path, slip.message).hint(slip.hint)
                }));
            }
        }
    }
}

//! Extension providers: of MeshConfig, and of a filter's configuration.

use super::{
    cursor::{Cursor, shorten},
    object::Object,
};
use crate::{
    check,
    problem::{Severity, code},
    types::{
        authorization_policy::ValuePattern,
        extension_provider::{
            Check, ExtAuthzHttp, ExtensionProvider, ProviderKind, RequestBody, ServiceName,
        },
    },
};

/// The kinds that authorize requests.
const AUTHORIZING: [&str; 2] = ["envoyExtAuthzHttp", "envoyExtAuthzGrpc"];

/// The other kinds, of which filters have no use.
pub(super) const OTHERS: [&str; 13] = [
    "datadog",
    "envoyFileAccessLog",
    "envoyHttpAls",
    "envoyOtelAls",
    "envoyTcpAls",
    "lightstep",
    "opencensus",
    "opentelemetry",
    "prometheus",
    "sds",
    "skywalking",
    "stackdriver",
    "zipkin",
];

/// Statuses that Envoy knows by name; Istio takes no others.
const STATUSES: [u16; 56] = [
    100, 200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 307, 308, 400, 401,
    402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 423, 424, 426,
    428, 429, 431, 500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511,
];

/// The field `extensionProviders` of `fields`. Of a provider that something is wrong with nothing is kept: policies that
/// name it refuse.
pub(crate) fn decode(fields: &Object<'_>) -> Vec<ExtensionProvider> {
    let all = each(fields, |fields| {
        OTHERS.iter().for_each(|kind| not_carried_out(fields, kind));
        None::<()>
    });
    all.into_iter().filter_map(authorizing).collect()
}

/// A provider by its name: of a kind that authorizes, or of another one.
pub(super) type Named<T> = (Option<String>, Option<ProviderKind>, Option<T>);

/// The provider, if it is one that authorizes.
pub(super) fn authorizing<T>((name, kind, _): Named<T>) -> Option<ExtensionProvider> {
    Some(ExtensionProvider { name: name?, kind: kind? })
}

/// All providers; `other` reads those of a kind that does not authorize.
pub(super) fn each<T>(fields: &Object<'_>, other: impl Fn(&Object<'_>) -> Option<T>) -> Vec<Named<T>> {
    let all = fields.list("extensionProviders", |provider| Some(self::provider(provider, &other)));
    let names: Vec<_> = all.iter().map(|(name, ..)| name.as_deref().unwrap_or_default()).collect();
    fields.repeated("extensionProviders", "extension provider", &names);
    all
}

/// Says that providers of a kind do nothing.
pub(super) fn not_carried_out(fields: &Object<'_>, kind: &'static str) {
    fields.get(kind, |field| {
        let message = format!("extension providers of kind `{kind}` are not carried out");
        field.tell(Severity::Warning, code::UNSUPPORTED, &message, None);
        Some(())
    });
}

fn provider<T>(provider: &Cursor<'_>, other: &impl Fn(&Object<'_>) -> Option<T>) -> Named<T> {
    let decoded = provider.object(|fields| {
        let given = |names: &[&'static str]| names.iter().any(|name| fields.has(name));
        let authorizes = given(&AUTHORIZING);
        let name = fields.required("name", |name| match authorizes {
            true => name.checked(self::name),
            false => name.non_empty(),
        });
        let kinds: Vec<_> = AUTHORIZING.into_iter().chain(OTHERS).collect();
        fields.at_most_one(&kinds);
        if !authorizes && !given(&OTHERS) {
            let hint = "`envoyExtAuthzHttp` and `envoyExtAuthzGrpc` are carried out";
            fields.cursor.error_hint("an extension provider without a kind", hint);
        }
        let other = other(fields);
        let http = fields.get("envoyExtAuthzHttp", |kind| kind.object(http));
        let grpc = fields.get("envoyExtAuthzGrpc", |kind| kind.object(check));
        let kind = http
            .map(|http| ProviderKind::ExtAuthzHttp(Box::new(http)))
            .or(grpc.map(ProviderKind::ExtAuthzGrpc));
        Some((name, kind, other))
    });
    decoded.unwrap_or_default()
}

/// It becomes a part of the policies' names.
fn name(text: &str) -> Result<(), String> {
    let edge = |letter: Option<&u8>| letter.is_some_and(|letter| *letter != b'-');
    let good = |letter: &u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || *letter == b'-';
    let bytes = text.as_bytes();
    if edge(bytes.first()) && edge(bytes.last()) && bytes.len() <= 63 && bytes.iter().all(good) {
        Ok(())
    } else {
        Err("is not the name of a provider (lower-case letters, digits, inner `-`, at most 63)".to_owned())
    }
}

fn http(fields: &Object<'_>) -> Option<ExtAuthzHttp> {
    let check = check(fields);
    let patterns = |name| fields.list(name, pattern);
    let mut request_headers = patterns("includeRequestHeadersInCheck");
    let old = patterns("includeHeadersInCheck");
    fields.get("includeHeadersInCheck", |field| {
        field.deprecated("includeHeadersInCheck", "`includeRequestHeadersInCheck`");
        Some(())
    });
    if request_headers.is_empty() {
        request_headers = old;
    }
    let path_prefix = fields.get("pathPrefix", |prefix| prefix.checked(path_prefix));
    let additional_headers = fields.get("includeAdditionalHeadersInCheck", |at| {
        Some(at.map(|name, value| {
            if let Err(reason) = check::headers::name(name) {
                value.key_error(name, &reason);
            } else if cfg!(feature = "yaml") && name.contains('*') {
                value.warn(format!("`{name}` is sent by just that name: it is no pattern"));
            }
            Some(value.checked(check::headers::value).unwrap_or_default())
        }))
    });
    // A module only has to refuse; people are told of all the rest, too.
    if !cfg!(feature = "yaml") {
        check.as_ref()?;
    }
    Some(ExtAuthzHttp {
        path_prefix: path_prefix.unwrap_or_default(),
        request_headers,
        additional_headers: additional_headers.unwrap_or_default(),
        to_upstream_on_allow: patterns("headersToUpstreamOnAllow"),
        to_downstream_on_deny: patterns("headersToDownstreamOnDeny"),
        to_downstream_on_allow: patterns("headersToDownstreamOnAllow"),
        // Last: what was not asked for before counts as unknown.
        check: check?,
    })
}

fn check(fields: &Object<'_>) -> Option<Check> {
    let service = fields.required("service", |service| service.parsed(self::service));
    let port = fields.required("port", |port| port.port());
    let timeout = fields.get("timeout", |timeout| timeout.duration());
    let status = fields.get("statusOnError", |status| status.parsed(self::status));
    let (fail_open, clear_route_cache) = (fields.flag("failOpen"), fields.flag("clearRouteCache"));
    let request_body = fields.get("includeRequestBodyInCheck", |body| body.object(request_body));
    Some(Check {
        service: service?,
        port: port?,
        timeout: timeout.unwrap_or(Check::DEFAULT_TIMEOUT),
        fail_open,
        clear_route_cache,
        status_on_error: status.flatten().unwrap_or(Check::DEFAULT_STATUS),
        request_body,
    })
}

/// Istio takes stars too, and then finds no such service.
pub(super) fn service(text: &str) -> Result<ServiceName, String> {
    let (namespace, host) = text.split_once('/').map_or((None, text), |(one, other)| (Some(one), other));
    if let Some(namespace) = namespace {
        check::names::dns_label(namespace)
            .map_err(|_| format!("is not `[namespace/]host`: `{}` is not a namespace", shorten(namespace)))?;
    }
    check::names::host_or_ip(host)?;
    Ok(ServiceName { namespace: namespace.map(str::to_owned), host: host.to_owned() })
}

/// `None`: an empty text is as if left out.
fn status(text: &str) -> Result<Option<u16>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse().ok().filter(|status| STATUSES.contains(status)) {
        Some(status) => Ok(Some(status)),
        None => Err("is not an HTTP status that Envoy knows".to_owned()),
    }
}

fn request_body(fields: &Object<'_>) -> Option<RequestBody> {
    // Envoy refuses a limit of zero.
    let max_bytes = fields.required("maxRequestBytes", |limit| limit.within(1, i64::from(u32::MAX)));
    Some(RequestBody {
        max_bytes: max_bytes.unwrap_or(1),
        allow_partial: fields.flag("allowPartialMessage"),
        pack_as_bytes: fields.flag("packAsBytes"),
    })
}

fn path_prefix(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    if !text.starts_with('/') {
        return Err("does not begin with `/`".to_owned());
    }
    if text.bytes().any(|letter| letter.is_ascii_control() || letter == b' ') {
        return Err("contains a space or a control character".to_owned());
    }
    let escape = |at: usize| {
        text.get(at + 1..at + 3).is_some_and(|hex| hex.bytes().all(|letter| letter.is_ascii_hexdigit()))
    };
    match text.match_indices('%').all(|(at, _)| escape(at)) {
        true => Ok(()),
        false => Err("has a `%` that two hexadecimal digits don't follow".to_owned()),
    }
}

/// The name of a header, with a star at one end or none.
fn pattern(header: &Cursor<'_>) -> Option<ValuePattern> {
    let text = header.non_empty()?;
    let pattern = ValuePattern::parse(&text);
    if pattern == ValuePattern::Any {
        header.error_hint("`*` alone is no name of a header", "write `prefix*` or `*suffix`");
    }
    // Only for people: a filter is given what has been looked at.
    if cfg!(feature = "yaml")
        && let ValuePattern::Exact(rest) | ValuePattern::Prefix(rest) | ValuePattern::Suffix(rest) = &pattern
        && rest.contains('*')
    {
        header.warn(format!(
            "only one `*`, at one end, stands for any text: `{text}` fits names with a `*` in them"
        ));
    }
    Some(pattern)
}

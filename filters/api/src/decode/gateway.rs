//! Gateway.

use super::{
    certificates,
    cursor::{Cursor, shorten},
    object::Object,
    shared::PortNeeds,
    workload_entry::unix_path,
};
use crate::{
    check,
    host::HostPattern,
    types::{
        common::Protocol,
        gateway::{Gateway, NamespaceScope, Server, ServerHost, ServerTls, ServerTlsMode},
    },
};

pub(crate) fn decode(fields: &Object<'_>) -> Option<Gateway> {
    decode_with::<true>(fields)
}

/// Of TLS settings only the mode: certificates are of no concern to a filter.
pub(crate) fn decode_hosts(fields: &Object<'_>) -> Option<Gateway> {
    decode_with::<false>(fields)
}

fn decode_with<const TLS: bool>(fields: &Object<'_>) -> Option<Gateway> {
    let selector = fields.get("selector", |at| at.selector_labels()).unwrap_or_default();
    let servers = fields.list("servers", server::<TLS>);
    if !fields.is_set("servers") {
        fields.cursor.error("missing `servers`: a Gateway needs one at least");
    }
    let names: Vec<_> = servers.iter().map(|server| server.port.name.as_str()).collect();
    fields.repeated("servers", "port name", &names);
    Some(Gateway { selector, servers })
}

fn server<const TLS: bool>(server: &Cursor<'_>) -> Option<Server> {
    server.object(|fields| {
        let bind = fields.get("bind", bind);
        let on_socket = bind.as_ref().is_some_and(|bind| bind.starts_with("unix://"));
        let needs = PortNeeds { number: !on_socket, name: true, protocol: true, target_port: false };
        let port = fields.required("port", |port| port.object(|fields| fields.port(needs)));
        if on_socket && port.as_ref().is_some_and(|port| port.number != 0) {
            server.error("a server on a unix socket has port number 0");
        }
        let hosts = fields.list("hosts", host);
        if !fields.is_set("hosts") {
            server.error("missing `hosts`: a server needs one at least");
        }
        let tls = fields.get("tls", if TLS { certificates::server } else { certificates::server_mode });
        let name = fields.text("name");
        fields.skip("defaultEndpoint");
        if TLS && let Some(port) = &port {
            tls_fits(server, port.protocol, fields.has("tls"), tls.as_ref());
        }
        Some(Server { port: port?, bind, hosts, tls, name })
    })
}

fn bind(bind: &Cursor<'_>) -> Option<String> {
    bind.checked(|text| match text.strip_prefix("unix://") {
        Some(path) => unix_path(path),
        None if text.is_empty() => Ok(()),
        None => check::ip::address(text),
    })
    .filter(|bind| !bind.is_empty())
}

fn tls_fits(server: &Cursor<'_>, protocol: Protocol, given: bool, tls: Option<&ServerTls>) {
    let terminates = matches!(protocol, Protocol::Https | Protocol::Tls);
    if terminates && !given {
        server.error("missing `tls`: a server of protocol HTTPS or TLS needs it");
    }
    let Some(tls) = tls else {
        return;
    };
    let uses_files = !tls.certificates.is_empty() || tls.ca_certificates.is_some();
    let passes = matches!(tls.mode, ServerTlsMode::Passthrough | ServerTlsMode::AutoPassthrough);
    let redirects_only = protocol.is_http() && passes && !uses_files;
    if !terminates && !redirects_only {
        server.error_hint(
            "a server which is neither HTTPS nor TLS can't have `tls`, but for `httpsRedirect` on HTTP",
            "set `port.protocol` to HTTPS",
        );
    }
    if !protocol.is_http() && protocol != Protocol::Https && tls.https_redirect {
        server.warn("`httpsRedirect` has an effect on HTTP servers only");
    }
}

fn host(host: &Cursor<'_>) -> Option<ServerHost> {
    let text = host.string()?;
    let (scope, name) = match text.split_once('/') {
        None | Some(("*", _)) => {
            (NamespaceScope::Any, text.split_once('/').map_or(text.as_str(), |(_, name)| name))
        }
        Some((".", name)) => (NamespaceScope::Namespace(host.namespace().to_owned()), name),
        Some((namespace, name)) => {
            if let Err(reason) = check::names::dns_label(namespace) {
                host.error(format_args!("namespace `{}` {reason}", shorten(namespace)));
            }
            (NamespaceScope::Namespace(namespace.to_owned()), name)
        }
    };
    let pattern = full_host(host, name)?;
    Some(ServerHost { scope, host: pattern })
}

/// A host which is not a short name, and has no star for a part of a label.
pub(crate) fn full_host(cursor: &Cursor<'_>, name: &str) -> Option<HostPattern> {
    let is_address = check::ip::address(name).is_ok();
    if let Err(reason) = check::names::wildcard_host_or_ip(name) {
        cursor.bad(name, &reason);
        return None;
    }
    if !is_address && name != "*" && !name.contains('.') {
        cursor.error_hint(
            format_args!("`{name}` is a short name, which is not allowed here"),
            "write a host name with a dot, or `*`",
        );
    }
    if check::names::is_partial_wildcard(name) {
        cursor.error_hint(format_args!("`{name}` covers a part of a label"), "begin it with `*.`");
    }
    Some(HostPattern::parse(name))
}

//! Sidecar.

use super::{
    certificates, connection_pool, cursor::Cursor, cursor::shorten, gateway::full_host, object::Object,
    shared::PortNeeds, workload_entry::unix_path,
};
use crate::{
    check,
    types::{
        common::Protocol,
        gateway::{CertificateSource, ServerTls, ServerTlsMode},
        sidecar::{
            CaptureMode, EgressHost, EgressListener, EgressNamespace, EgressScope, IngressListener,
            OutboundTrafficPolicy, Sidecar,
        },
    },
};

pub(crate) fn decode(fields: &Object<'_>) -> Option<Sidecar> {
    let parts = ["ingress", "egress", "outboundTrafficPolicy", "inboundConnectionPool"];
    if !parts.iter().any(|name| fields.has(name)) {
        fields
            .cursor
            .error(format_args!("a Sidecar must not be empty: give it one of `{}`", parts.join("`, `")));
    }
    let egress = fields.list("egress", egress);
    let unported = egress.iter().rev().skip(1).any(|listener| listener.port.is_none());
    if unported {
        fields.cursor.error("only the last of `egress` can be without a `port`");
    }
    let ingress = fields.list("ingress", ingress);
    let ports: Vec<_> = ingress.iter().map(|listener| listener.port.number.to_string()).collect();
    fields.repeated("ingress", "port", &ports.iter().map(String::as_str).collect::<Vec<_>>());
    let places: Vec<_> = egress.iter().enumerate().map(|(at, listener)| place(at, listener)).collect();
    fields.repeated("egress", "port", &places.iter().map(String::as_str).collect::<Vec<_>>());
    Some(Sidecar {
        workload_selector: fields.get("workloadSelector", |selector| selector.selector("labels")),
        ingress,
        egress,
        inbound_connection_pool: fields.get("inboundConnectionPool", connection_pool::decode),
        outbound_traffic_policy: fields.get("outboundTrafficPolicy", outbound),
    })
}

/// What no two egress listeners share: a port, or the path of a unix socket.
fn place(at: usize, listener: &EgressListener) -> String {
    match &listener.port {
        Some(port) if port.number == 0 => listener.bind.clone().unwrap_or_default(),
        Some(port) => port.number.to_string(),
        None => format!("#{at}"),
    }
}

fn ingress(listener: &Cursor<'_>) -> Option<IngressListener> {
    listener.object(|fields| {
        let port = fields.required("port", |port| {
            port.object(|fields| fields.port(PortNeeds { number: true, ..PortNeeds::default() }))
        });
        let protocol = port.as_ref().map(|port| port.protocol);
        Some(IngressListener {
            bind: fields.get("bind", |bind| bind.checked(check::ip::address)),
            capture_mode: capture_mode(fields),
            default_endpoint: fields.get("defaultEndpoint", |endpoint| endpoint.checked(local_endpoint)),
            tls: fields.get("tls", |tls| ingress_tls(tls, protocol)),
            connection_pool: fields.get("connectionPool", connection_pool::decode),
            port: port?,
        })
    })
}

/// Certificates come from files alone, and Istio carries out only a part of what a Gateway's server can have.
fn ingress_tls(tls: &Cursor<'_>, protocol: Option<Protocol>) -> Option<ServerTls> {
    if protocol.is_some_and(|protocol| !matches!(protocol, Protocol::Https | Protocol::Tls)) {
        tls.error_hint(
            "a listener which is neither HTTPS nor TLS can't have `tls`",
            "set `port.protocol` to HTTPS",
        );
    }
    let settings = certificates::server(tls)?;
    if !settings.subject_alt_names.is_empty() {
        tls.error("`subjectAltNames` is not possible here");
    }
    if settings.https_redirect {
        tls.error("`httpsRedirect` is not possible here");
    }
    if settings.certificates.iter().any(|source| matches!(source, CertificateSource::Credential(_)))
        || settings.ca_cert_credential_name.is_some()
    {
        tls.error_hint(
            "certificates can't come from a secret here",
            "give `serverCertificate` and `privateKey`",
        );
    }
    if matches!(settings.mode, ServerTlsMode::IstioMutual | ServerTlsMode::AutoPassthrough) {
        tls.error("the modes ISTIO_MUTUAL and AUTO_PASSTHROUGH are not possible here");
    }
    Some(settings)
}

fn egress(listener: &Cursor<'_>) -> Option<EgressListener> {
    listener.object(|fields| {
        let hosts = fields.list("hosts", egress_host);
        if !fields.is_set("hosts") {
            listener.error("missing `hosts`: a listener needs one at least");
        }
        let port = fields.get("port", |port| port.object(|fields| fields.port(PortNeeds::default())));
        let on_socket = port.as_ref().is_some_and(|port| port.number == 0);
        let bind = fields.get("bind", |bind| {
            bind.checked(|text| match text.strip_prefix("unix://") {
                Some(path) if on_socket => unix_path(path),
                Some(_) => Err("is a unix socket, which has port number 0".to_owned()),
                None if text.is_empty() => Ok(()),
                None => check::ip::address(text),
            })
        });
        if on_socket && !bind.as_ref().is_some_and(|bind| bind.starts_with("unix://")) {
            listener.error_hint("port number 0 is for unix sockets", "write `bind: unix:///path`");
        }
        let capture_mode = capture_mode(fields);
        if on_socket && capture_mode == CaptureMode::Iptables {
            listener.error("a unix socket can't have `captureMode: IPTABLES`");
        }
        Some(EgressListener { port, bind: bind.filter(|bind| !bind.is_empty()), capture_mode, hosts })
    })
}

fn capture_mode(fields: &Object<'_>) -> CaptureMode {
    let modes =
        [("DEFAULT", CaptureMode::Default), ("IPTABLES", CaptureMode::Iptables), ("NONE", CaptureMode::None)];
    fields.get("captureMode", |mode| mode.one_of(&modes)).unwrap_or_default()
}

fn egress_host(host: &Cursor<'_>) -> Option<EgressHost> {
    let text = host.string()?;
    let Some((namespace, name)) = text.split_once('/') else {
        host.error_hint(
            format_args!("`{}` has no namespace", shorten(&text)),
            format!("write `*/{}` for every namespace", shorten(&text)),
        );
        return None;
    };
    let of = |namespace: &str| match namespace {
        "." => EgressNamespace::Own,
        "*" => EgressNamespace::Any,
        other => {
            if let Err(reason) = check::names::dns_label(other) {
                host.error(format_args!("namespace `{}` {reason}", shorten(other)));
            }
            EgressNamespace::Named(other.to_owned())
        }
    };
    let scope = match namespace.strip_prefix('~') {
        Some("") => EgressScope::Except(EgressNamespace::Any),
        Some(excluded) => EgressScope::Except(of(excluded)),
        None => EgressScope::Of(of(namespace)),
    };
    Some(EgressHost { scope, host: full_host(host, name)? })
}

fn local_endpoint(text: &str) -> Result<(), String> {
    if let Some(path) = text.strip_prefix("unix://") {
        return unix_path(path);
    }
    let local = ["127.0.0.1", "0.0.0.0", "[::1]", "[::]", ""];
    let port = text
        .rsplit_once(':')
        .filter(|(host, _)| local.contains(host))
        .and_then(|(_, port)| port.parse::<u16>().ok());
    if port.is_some_and(|port| port > 0) {
        Ok(())
    } else {
        Err("is not an endpoint like `127.0.0.1:8080` or `unix:///path`".to_owned())
    }
}

fn outbound(policy: &Cursor<'_>) -> Option<OutboundTrafficPolicy> {
    policy.object(|fields| {
        let allow_any =
            fields.get("mode", |mode| mode.one_of(&[("REGISTRY_ONLY", false), ("ALLOW_ANY", true)]));
        let egress_proxy = fields.get("egressProxy", |proxy| {
            proxy.deprecated("egressProxy", "a ServiceEntry");
            let destination = proxy.destination()?;
            if destination.port.is_none() {
                proxy.error("missing `port`: `egressProxy` needs it");
            }
            Some(destination)
        });
        if allow_any.unwrap_or_default() {
            return Some(OutboundTrafficPolicy::AllowAny { egress_proxy });
        }
        if fields.has("egressProxy") {
            policy.error("`egressProxy` needs `mode: ALLOW_ANY`");
        }
        Some(OutboundTrafficPolicy::RegistryOnly)
    })
}

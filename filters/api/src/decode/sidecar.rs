//! Sidecar.

use super::{
    certificates, connection_pool, cursor::Cursor, cursor::shorten, gateway::full_host, object::Object,
    shared::PortNeeds, workload_entry::unix_path,
};
use crate::{
    check,
    types::sidecar::{
        CaptureMode, EgressHost, EgressListener, EgressScope, IngressListener, OutboundTrafficPolicy, Sidecar,
    },
};

pub(crate) fn decode(fields: &Object<'_>) -> Option<Sidecar> {
    let parts = ["ingress", "egress", "outboundTrafficPolicy", "inboundConnectionPool"];
    if !parts.iter().any(|name| fields.has(name)) {
        fields.cursor.error(format!("a Sidecar must not be empty: give it one of `{}`", parts.join("`, `")));
    }
    let egress = fields.list("egress", egress);
    let unported = egress.iter().rev().skip(1).any(|listener| listener.port.is_none());
    if unported {
        fields.cursor.error("only the last of `egress` can be without a `port`");
    }
    Some(Sidecar {
        workload_selector: fields.get("workloadSelector", |selector| selector.selector("labels")),
        ingress: fields.list("ingress", ingress),
        egress,
        inbound_connection_pool: fields.get("inboundConnectionPool", connection_pool::decode),
        outbound_traffic_policy: fields.get("outboundTrafficPolicy", outbound),
    })
}

fn ingress(listener: &Cursor<'_>) -> Option<IngressListener> {
    listener.object(|fields| {
        let port = fields.required("port", |port| {
            port.object(|fields| fields.port(PortNeeds { number: true, ..PortNeeds::default() }))
        });
        Some(IngressListener {
            port: port?,
            bind: fields.get("bind", |bind| bind.checked(check::ip::address)),
            capture_mode: capture_mode(fields),
            default_endpoint: fields.get("defaultEndpoint", |endpoint| endpoint.checked(local_endpoint)),
            tls: fields.get("tls", certificates::server),
            connection_pool: fields.get("connectionPool", connection_pool::decode),
        })
    })
}

fn egress(listener: &Cursor<'_>) -> Option<EgressListener> {
    listener.object(|fields| {
        let hosts = fields.list("hosts", egress_host);
        if !fields.has("hosts") {
            listener.error("missing `hosts`");
        }
        Some(EgressListener {
            port: fields.get("port", |port| port.object(|fields| fields.port(PortNeeds::default()))),
            bind: fields.text("bind"),
            capture_mode: capture_mode(fields),
            hosts,
        })
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
            format!("`{}` has no namespace", shorten(&text)),
            format!("write `*/{}` for every namespace", shorten(&text)),
        );
        return None;
    };
    let own = |namespace: &str| match namespace {
        "." => host.namespace().to_owned(),
        other => {
            if let Err(reason) = check::names::dns_label(other) {
                host.error(format!("namespace `{}` {reason}", shorten(other)));
            }
            other.to_owned()
        }
    };
    let scope = match (namespace, namespace.strip_prefix('~')) {
        ("*", _) => EgressScope::Any,
        ("~", _) => EgressScope::None,
        (_, Some(excluded)) => EgressScope::Except(own(excluded)),
        (namespace, None) => EgressScope::Namespace(own(namespace)),
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
            proxy.destination()
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

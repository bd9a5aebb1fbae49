//! WorkloadGroup: what workloads that register themselves have in common. Nobody takes registrations here, so that it is
//! checked, and nothing is kept.

use super::{cursor::Cursor, object::Object};
use crate::check;

pub(crate) fn decode(fields: &Object<'_>) -> Option<()> {
    fields.get("metadata", |metadata| {
        metadata.object(|fields| {
            fields.get("labels", |at| at.labels());
            fields.get("annotations", |map| Some(map.map(|_, value| value.string())));
            Some(())
        })
    });
    fields.required("template", |template| template.object(entry));
    fields.get("probe", probe);
    Some(())
}

/// A WorkloadEntry whose address comes later.
fn entry(fields: &Object<'_>) -> Option<()> {
    fields.get("address", |at| at.string());
    fields.get("ports", |ports| {
        Some(ports.map(|name, port| {
            if let Err(reason) = check::names::dns_label(name) {
                port.error(format_args!("`{}` {reason}", super::shorten(name)));
            }
            port.port()
        }))
    });
    fields.get("labels", |at| at.labels());
    fields.get("weight", |at| at.unsigned());
    for name in ["network", "locality", "serviceAccount"] {
        fields.text(name);
    }
    Some(())
}

fn probe(probe: &Cursor<'_>) -> Option<()> {
    const WAYS: [&str; 4] = ["httpGet", "tcpSocket", "exec", "grpc"];
    probe.object(|fields| {
        let times = [
            "initialDelaySeconds",
            "timeoutSeconds",
            "periodSeconds",
            "successThreshold",
            "failureThreshold",
        ];
        for name in times {
            fields.get(name, |at| at.count());
        }
        fields.at_most_one(&WAYS);
        if !WAYS.iter().any(|name| fields.has(name)) {
            probe.error(format_args!("missing one of `{}`", WAYS.join("`, `")));
        }
        let port = |fields: &Object<'_>| fields.required("port", |at| at.port());
        fields.get("httpGet", |way| {
            way.object(|fields| {
                fields.text("host");
                fields.get("path", |at| at.non_empty());
                fields.get("scheme", |at| at.one_of(&[("HTTP", ()), ("HTTPS", ())]));
                fields.list("httpHeaders", |header| {
                    header.object(|fields| {
                        let name = fields.required("name", |name| name.checked(check::headers::name));
                        name.and(fields.text("value"))
                    })
                });
                port(fields)
            })
        });
        fields.get("tcpSocket", |way| {
            way.object(|fields| {
                fields.text("host");
                port(fields)
            })
        });
        fields.get("grpc", |way| {
            way.object(|fields| {
                fields.text("service");
                port(fields)
            })
        });
        fields.get("exec", |way| way.object(|fields| Some(fields.list("command", |at| at.string()))));
        Some(())
    })
}

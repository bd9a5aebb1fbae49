//! PeerAuthentication.

use super::{cursor::Cursor, cursor::shorten, object::Object};
use crate::{
    node::Value,
    ordered,
    types::peer_authentication::{MtlsMode, PeerAuthentication},
};

pub(crate) fn decode(fields: &Object<'_>) -> Option<PeerAuthentication> {
    let selector = fields.get("selector", |selector| selector.selector("matchLabels"));
    let selects_some = selector.as_ref().is_some_and(|selector| !selector.0.is_empty());
    let port_level = fields.get("portLevelMtls", |ports| {
        if matches!(&ports.node.value, Value::Mapping(entries) if entries.is_empty()) {
            ports.error("must not be empty: leave it out instead");
        } else if !selects_some {
            ports.error("ports can only be given together with a `selector`");
        }
        Some(ports.map(|port, mtls| {
            let number: Option<u16> = port.parse().ok().filter(|number| *number > 0);
            if number.is_none() {
                mtls.error(format_args!("port `{}` is not within 1 and 65535", shorten(port)));
            }
            Some((number?, mode(mtls)?))
        }))
    });
    Some(PeerAuthentication {
        selector,
        mode: fields.get("mtls", mode).unwrap_or_default(),
        port_level: ordered::map(port_level.unwrap_or_default().into_iter().map(|(_, entry)| entry)),
    })
}

fn mode(mtls: &Cursor<'_>) -> Option<MtlsMode> {
    mtls.object(|fields| {
        let mode = fields.get("mode", |mode| {
            mode.one_of(&[
                ("UNSET", MtlsMode::Unset),
                ("DISABLE", MtlsMode::Disable),
                ("PERMISSIVE", MtlsMode::Permissive),
                ("STRICT", MtlsMode::Strict),
            ])
        });
        Some(mode.unwrap_or_default())
    })
}

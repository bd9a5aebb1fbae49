//! Whom a policy is for: `selector`, `targetRef`, `targetRefs`.

use super::{cursor::Cursor, cursor::shorten, object::Object};
use crate::types::common::{Target, TargetKind, TargetRef};

/// How many `targetRefs` Istio takes.
const MOST: usize = 16;

/// Reads the three fields, of which one may be there.
pub(crate) fn target(fields: &Object<'_>) -> Target {
    fields.at_most_one(&["selector", "targetRef", "targetRefs"]);
    let selector = fields.get("selector", |selector| selector.selector("matchLabels"));
    let single = fields.get("targetRef", target_ref);
    let several = fields.get("targetRefs", |field| {
        let refs = field.list(target_ref);
        if refs.len() > MOST {
            field.error(format_args!("more than {MOST} targets"));
        }
        Some(refs)
    });
    let refs: Vec<_> = single.into_iter().chain(several.unwrap_or_default()).collect();
    match selector {
        Some(selector) => Target::Selector(selector),
        None if refs.is_empty() => Target::All,
        None => Target::Refs(refs),
    }
}

fn target_ref(target: &Cursor<'_>) -> Option<TargetRef> {
    target.object(|fields| {
        let group = fields.text("group").unwrap_or_default();
        let kind = fields.required("kind", |at| at.non_empty());
        let name = fields.required("name", |at| at.non_empty());
        fields.get("namespace", |namespace| {
            if !namespace.string()?.is_empty() {
                namespace.error("a target is in the namespace of its policy: leave `namespace` out");
            }
            Some(())
        });
        let kind = kind?;
        let target_kind = match (group.as_str(), kind.as_str()) {
            ("gateway.networking.k8s.io", "Gateway") => TargetKind::Gateway,
            ("gateway.networking.k8s.io", "GatewayClass") => TargetKind::GatewayClass,
            ("" | "core", "Service") => TargetKind::Service,
            ("networking.istio.io", "ServiceEntry") => TargetKind::ServiceEntry,
            _ => {
                target.error_hint(
                    format_args!("`{}` of group `{}` can't be a target", shorten(&kind), shorten(&group)),
                    "one of gateway.networking.k8s.io Gateway and GatewayClass, networking.istio.io ServiceEntry, \
                     and Service without a group",
                );
                return None;
            }
        };
        Some(TargetRef { group, kind: target_kind, name: name? })
    })
}

//! What is done: `to`, and the conditions on the connection's end here.

use outrigger_api::types::authorization_policy::{
    Condition, MetadataPattern, Operation, PathPattern, Rule, TemplateSegment,
};

use super::clause::{Parts, alternatives};
use super::{Mapping, text};
use crate::envoy::Any;
use crate::envoy::any::Extension;
use crate::envoy::matcher::{ListMatcher, MetadataMatcher, PathMatcher, ValueMatcher};
use crate::envoy::rbac::{Clause as _, Permission, SourcedMetadata};
use crate::envoy::route::HeaderMatcher;

/// One for each entry of `to`, and whether something about HTTP had to be left out.
pub(super) fn permissions(rule: &Rule, mapping: Mapping<'_>) -> (Vec<Permission>, bool) {
    alternatives(&rule.to, |to: &Operation| {
        let mut parts = Parts::new(mapping.layer);
        parts.add_http(&to.hosts, |host| header(":authority", text::host(host)));
        parts.add_http(&to.methods, |method| header(":method", text::header(method)));
        parts.add_http(&to.paths, path);
        parts.add(&to.ports, |number| port(*number, mapping));
        rule.when.iter().for_each(|entry| condition(entry, &mut parts, mapping));
        parts.finish()
    })
}

/// Those about the client are principals.
fn condition(condition: &Condition, parts: &mut Parts<Permission>, mapping: Mapping<'_>) {
    match condition {
        Condition::DestinationIp(lists) => {
            parts.add(lists, |block| Permission::DestinationIp((*block).into()));
        }
        Condition::DestinationPort(lists) => parts.add(lists, |number| port(*number, mapping)),
        Condition::ConnectionSni(lists) => {
            parts.add(lists, |name| Permission::RequestedServerName(text::matcher(name)));
        }
        Condition::EnvoyMetadata { filter, key, values } => {
            parts.add(values, |value| metadata(filter, key, value));
        }
        _ => {}
    }
}

/// Where the port is known, the rule is about nothing else: the listener may be opened on another one.
fn port(number: u16, mapping: Mapping<'_>) -> Permission {
    match mapping.proxy.port {
        None => Permission::DestinationPort(number),
        Some(port) if port == number => Permission::any(),
        Some(_) => Permission::any().negated(),
    }
}

fn header(name: &'static str, matches: crate::envoy::route::HeaderMatch) -> Permission {
    Permission::Header(HeaderMatcher::new(name, matches))
}

fn path(pattern: &PathPattern) -> Permission {
    match pattern {
        PathPattern::Value(value) => Permission::UrlPath(PathMatcher { path: text::matcher(value) }),
        PathPattern::Template(segments) => {
            let segments = segments.iter().map(|segment| match segment {
                TemplateSegment::Literal(literal) => format!("/{literal}"),
                TemplateSegment::One => "/*".to_owned(),
                TemplateSegment::Many => "/**".to_owned(),
            });
            let template = Any::UriTemplate { path_template: segments.collect() };
            Permission::UriTemplate(Box::new(Extension::new("uri-template", template)))
        }
    }
}

fn metadata(filter: &str, key: &str, pattern: &MetadataPattern) -> Permission {
    let string = |value| ValueMatcher::StringMatch(text::matcher(value));
    let value = match pattern {
        MetadataPattern::Value(value) => string(value),
        MetadataPattern::ListContains(value) => {
            ValueMatcher::ListMatch(ListMatcher { one_of: Box::new(string(value)) })
        }
    };
    Permission::SourcedMetadata(SourcedMetadata {
        metadata_matcher: MetadataMatcher::of(filter, key, value),
        metadata_source: "DYNAMIC",
    })
}

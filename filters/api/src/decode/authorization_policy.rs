//! AuthorizationPolicy.

use super::{
    authorization_values::{
        condition, glob, path, pattern, port, request_principal, service_accounts, trust_domain,
    },
    cursor::Cursor,
    object::Object,
    target,
};
use crate::{
    node::{Node, Value},
    types::authorization_policy::{
        Action, AuthorizationPolicy, Condition, Operation, PathPattern, Rule, Source, TemplateSegment, Values,
    },
};

pub(crate) const DRY_RUN: &str = "istio.io/dry-run";

pub(crate) fn decode(fields: &Object<'_>) -> Option<AuthorizationPolicy> {
    let action = action(fields);
    let rules = fields.get("rules", |rules| Some(rules.list(|rule| self::rule(rule, &action))));
    let target = target::target(fields);
    match action {
        Action::Deny => needs_rules(fields, "DENY"),
        Action::Custom { .. } => needs_rules(fields, "CUSTOM"),
        Action::Allow | Action::Audit => {}
    }
    Some(AuthorizationPolicy { target, action, rules, dry_run: false })
}

/// In Istio's messages a list without entries and one left out are the same.
#[inline(never)]
fn needs_rules(fields: &Object<'_>, action: &str) {
    let is_empty = |rules: &Cursor<'_>| matches!(&rules.node.value, Value::Sequence(all) if all.is_empty());
    if fields.get("rules", |rules| (!is_empty(rules)).then_some(())).is_none() {
        fields.cursor.error_hint(
            format_args!("`action: {action}` without `rules` does nothing"),
            "write `rules: [{}]` to match every request",
        );
    }
}

fn action(fields: &Object<'_>) -> Action {
    let provider = fields
        .get("provider", |provider| provider.object(|fields| Some(fields.text("name").unwrap_or_default())));
    let name = fields.get("action", |action| {
        action.one_of(&[("ALLOW", "ALLOW"), ("DENY", "DENY"), ("AUDIT", "AUDIT"), ("CUSTOM", "CUSTOM")])
    });
    if name != Some("CUSTOM") {
        fields.get("provider", |provider| {
            provider.error("`provider` can only be given with `action: CUSTOM`");
            Some(())
        });
    }
    match name {
        Some("DENY") => Action::Deny,
        Some("AUDIT") => Action::Audit,
        Some("CUSTOM") => {
            let provider = provider.unwrap_or_default();
            if provider.is_empty() {
                fields.cursor.error("`action: CUSTOM` needs `provider.name`");
            }
            Action::Custom { provider }
        }
        _ => Action::Allow,
    }
}

/// Whether a policy is tried out by Istio's annotation, given the whole resource. The texts are those which Go takes for a
/// boolean.
pub(crate) fn dry_run(root: &Object<'_>, action: &Action) -> bool {
    let read = |at: &Cursor<'_>| {
        if !matches!(action, Action::Allow | Action::Deny) {
            at.error(format_args!("annotation `{DRY_RUN}` is only supported with actions ALLOW and DENY"));
        }
        at.parsed(|text| match text {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
            "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
            _ => Err(format!("is not a boolean, which annotation `{DRY_RUN}` takes")),
        })
    };
    let found = root.get("metadata", |metadata| {
        let (key, node) = metadata.node.entry("annotations")?;
        let annotations = metadata.field("annotations", key.position, node);
        let (key, node) = annotations.node.entry(DRY_RUN)?;
        read(&annotations.field(DRY_RUN, key.position, node))
    });
    found.unwrap_or_default()
}

fn rule(rule: &Cursor<'_>, action: &Action) -> Option<Rule> {
    if rule.node.is_null() {
        rule.error_hint("a rule must not be null", "write `{}` for a rule that matches everything");
        return None;
    }
    rule.object(|fields| {
        let from = parts(fields, "from", "source", source);
        let to = parts(fields, "to", "operation", operation);
        let when = fields.list("when", condition);
        for name in ["from", "to"] {
            fields.get(name, |field| {
                if matches!(&field.node.value, Value::Sequence(items) if items.is_empty()) {
                    field.error(format_args!("`{name}` must not be empty: leave it out to match everything"));
                }
                Some(())
            });
        }
        match action {
            Action::Custom { .. } => {
                refuse_identities(rule, &from, &when);
                refuse_long_templates(rule, &to);
            }
            Action::Deny => warn_of_tcp(rule, &from, &to),
            Action::Allow | Action::Audit => {}
        }
        Some(Rule { from, to, when })
    })
}

/// The entries of `from` or `to`, each with one field of its own in which something is asked.
fn parts<T>(
    fields: &Object<'_>,
    list: &'static str,
    inner: &'static str,
    decode: fn(&Object<'_>) -> Option<T>,
) -> Vec<T> {
    fields.list(list, |entry| {
        entry.object(|fields| {
            fields.required(inner, |part| {
                if asks_nothing(part.node) {
                    part.error(format_args!("`{inner}` must not be empty"));
                }
                part.object(decode)
            })
        })
    })
}

fn asks_nothing(part: &Node) -> bool {
    let is_empty = |node: &Node| match &node.value {
        Value::Null => true,
        Value::Sequence(items) => items.is_empty(),
        _ => false,
    };
    matches!(&part.value, Value::Mapping(entries) if entries.iter().all(|(_, node)| is_empty(node)))
}

fn source(fields: &Object<'_>) -> Option<Source> {
    let source = Source {
        principals: values(fields, "principals", "notPrincipals", pattern),
        request_principals: values(fields, "requestPrincipals", "notRequestPrincipals", request_principal),
        namespaces: values(fields, "namespaces", "notNamespaces", glob),
        service_accounts: Values {
            values: service_accounts(fields, "serviceAccounts"),
            not_values: service_accounts(fields, "notServiceAccounts"),
        },
        trust_domains: values(fields, "trustDomains", "notTrustDomains", trust_domain),
        ip_blocks: values(fields, "ipBlocks", "notIpBlocks", |at| at.ip_block()),
        remote_ip_blocks: values(fields, "remoteIpBlocks", "notRemoteIpBlocks", |at| at.ip_block()),
    };
    let by_identity = !source.principals.is_empty() || !source.namespaces.is_empty();
    if by_identity && !source.service_accounts.is_empty() {
        fields.cursor.error("`serviceAccounts` can't be given with `principals` or `namespaces`");
    }
    Some(source)
}

fn operation(fields: &Object<'_>) -> Option<Operation> {
    Some(Operation {
        hosts: values(fields, "hosts", "notHosts", pattern),
        ports: values(fields, "ports", "notPorts", port),
        methods: values(fields, "methods", "notMethods", pattern),
        paths: values(fields, "paths", "notPaths", path),
    })
}

fn values<T>(
    fields: &Object<'_>,
    name: &'static str,
    not_name: &'static str,
    decode: fn(&Cursor<'_>) -> Option<T>,
) -> Values<T> {
    Values { values: fields.list(name, decode), not_values: fields.list(not_name, decode) }
}

/// An external server is asked before tokens and peers are known.
fn refuse_identities(rule: &Cursor<'_>, from: &[Source], when: &[Condition]) {
    let named = from.iter().any(|source| {
        !(source.principals.is_empty()
            && source.request_principals.is_empty()
            && source.namespaces.is_empty()
            && source.service_accounts.is_empty()
            && source.trust_domains.is_empty())
    });
    let asked = when.iter().any(|condition| {
        matches!(
            condition,
            Condition::SourceNamespace(_)
                | Condition::SourceServiceAccount(_)
                | Condition::SourceTrustDomain(_)
                | Condition::SourcePrincipal(_)
                | Condition::RequestPrincipal(_)
                | Condition::RequestAudiences(_)
                | Condition::RequestPresenter(_)
                | Condition::RequestClaim(..)
        )
    });
    if named || asked {
        rule.error("`action: CUSTOM` can't ask for the identity of a peer or for parts of a token");
    }
}

/// Envoy's own filter compares them, and takes none that is longer.
fn refuse_long_templates(rule: &Cursor<'_>, to: &[Operation]) {
    const LONGEST: usize = 256;
    let length = |segment: &TemplateSegment| match segment {
        TemplateSegment::Literal(text) => text.len() + 1,
        TemplateSegment::One => "/{*}".len(),
        TemplateSegment::Many => "/{**}".len(),
    };
    let is_long = |path: &PathPattern| match path {
        PathPattern::Template(segments) => segments.iter().map(length).sum::<usize>() > LONGEST,
        PathPattern::Value(_) => false,
    };
    if to.iter().any(|to| to.paths.values.iter().chain(&to.paths.not_values).any(is_long)) {
        rule.error(format_args!("a path template with `action: CUSTOM` has at most {LONGEST} characters"));
    }
}

/// A DENY rule is widened on a TCP port by what it asks of HTTP, up to everything.
fn warn_of_tcp(rule: &Cursor<'_>, from: &[Source], to: &[Operation]) {
    let on_tcp = |source: &Source| {
        !(source.principals.is_empty()
            && source.namespaces.is_empty()
            && source.service_accounts.is_empty()
            && source.trust_domains.is_empty()
            && source.ip_blocks.is_empty()
            && source.remote_ip_blocks.is_empty())
    };
    let from_only = !from.is_empty() && to.is_empty() && !from.iter().any(on_tcp);
    let to_without_ports = !to.is_empty() && to.iter().all(|operation| operation.ports.is_empty());
    // Ports that are wrong are told of as such.
    if cfg!(feature = "yaml") && (from_only || to_without_ports) && !names_ports(rule) {
        rule.warn_hint(
            "this rule asks for parts of HTTP, which are left out on TCP ports: there it denies more",
            "name the ports it is for under `to[].operation.ports`",
        );
    }
}

/// Whether some operation of the rule has `ports`, be they right or wrong.
fn names_ports(rule: &Cursor<'_>) -> bool {
    let Some(Value::Sequence(to)) = rule.node.get("to").map(|to| &to.value) else { return false };
    let ports = |entry: &Node| entry.get("operation").and_then(|operation| operation.get("ports")).is_some();
    to.iter().any(ports)
}

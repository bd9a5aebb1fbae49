//! Which expressions have values without end: those that hand an attribute on that callers choose.

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators};

use crate::analyze::expression::take_apart;

/// Attributes of Envoy's that callers, or the moment, choose.
const FREE: &[&str] = &[
    "request.path",
    "request.url_path",
    "request.host",
    "request.headers",
    "request.referer",
    "request.useragent",
    "request.id",
    "request.query",
    "request.time",
    "request.duration",
    "request.size",
    "request.total_size",
    "response.headers",
    "response.trailers",
    "response.size",
    "response.total_size",
    "response.backend_latency",
    "source.address",
    "source.port",
    "connection.id",
    "upstream.local_address",
    "connection.requested_server_name",
    "connection.subject_peer_certificate",
];

/// What has two values, whatever it is asked of.
const TESTS: [&str; 13] = [
    operators::EQUALS,
    operators::NOT_EQUALS,
    operators::LESS,
    operators::LESS_EQUALS,
    operators::GREATER,
    operators::GREATER_EQUALS,
    operators::LOGICAL_NOT,
    operators::IN,
    operators::NOT_STRICTLY_FALSE,
    "startsWith",
    "endsWith",
    "contains",
    "matches",
];

/// The first attribute without bound that the value of `expression` can hold. What is only compared has no part in the
/// value; nor has anything in what is not CEL, which is told elsewhere.
pub(super) fn attribute_in(expression: &str) -> Option<String> {
    take_apart(expression, held).ok()?
}

fn held(expression: &IdedExpr) -> Option<String> {
    if let Some(attribute) = attribute(expression) {
        return Some(attribute);
    }
    match &expression.expr {
        Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => None,
        // A test for presence has two values.
        Expr::Select(select) => (!select.test).then(|| held(&select.operand)).flatten(),
        Expr::Call(call) => held_by_call(call),
        Expr::List(list) => list.elements.iter().find_map(held),
        Expr::Map(map) => map.entries.iter().find_map(|entry| held_by_entry(&entry.expr)),
        Expr::Struct(made) => made.entries.iter().find_map(|entry| held_by_entry(&entry.expr)),
        Expr::Comprehension(looping) => match &looping.accu_init.expr {
            // `exists` and `all` begin with a boolean, `exists_one` with a count.
            Expr::Literal(_) => None,
            _ => held(&looping.iter_range).or_else(|| held(&looping.loop_step)),
        },
    }
}

fn held_by_call(call: &CallExpr) -> Option<String> {
    match (call.func_name.as_str(), call.args.as_slice()) {
        (operators::CONDITIONAL, [_, one, other]) => held(one).or_else(|| held(other)),
        // `a && b` is one of two, and so is what Envoy makes of it.
        (operators::LOGICAL_AND | operators::LOGICAL_OR, _) => None,
        (name, _) if TESTS.contains(&name) => None,
        (_, arguments) => call.target.iter().map(Box::as_ref).chain(arguments).find_map(held),
    }
}

fn held_by_entry(entry: &EntryExpr) -> Option<String> {
    match entry {
        EntryExpr::StructField(field) => held(&field.value),
        EntryExpr::MapEntry(entry) => held(&entry.key).or_else(|| held(&entry.value)),
    }
}

/// The attribute without bound that this is, or a part of one: with its key if it has one.
fn attribute(expression: &IdedExpr) -> Option<String> {
    match &expression.expr {
        Expr::Select(select) if !select.test => {
            let name = format!("{}.{}", name(&select.operand)?, select.field);
            FREE.contains(&name.as_str()).then_some(name)
        }
        Expr::Call(call) if call.func_name == operators::INDEX => {
            let [map, key] = call.args.as_slice() else { return None };
            let map = attribute(map)?;
            Some(match &key.expr {
                Expr::Literal(LiteralValue::String(key)) => {
                    format!("{map}[{:?}]", key.inner()).replace('"', "'")
                }
                _ => map,
            })
        }
        _ => None,
    }
}

/// `a.b.c`
fn name(expression: &IdedExpr) -> Option<String> {
    match &expression.expr {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) if !select.test => Some(format!("{}.{}", name(&select.operand)?, select.field)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_without_bound_are_found() {
        for (expression, found) in [
            ("request.path", Some("request.path")),
            (" request.url_path ", Some("request.url_path")),
            ("request.headers['x-team']", Some("request.headers['x-team']")),
            ("source.address", Some("source.address")),
            ("'v' + request.host", Some("request.host")),
            ("string(request.size)", Some("request.size")),
            ("(request.query)", Some("request.query")),
            ("request.method == 'GET' ? request.path : 'other'", Some("request.path")),
            ("request.path == '/a' ? 'a' : (request.path == '/b' ? 'b' : request.id)", Some("request.id")),
            ("'a' in request.headers ? request.headers['a'] : 'none'", Some("request.headers['a']")),
            ("[1].map(x, request.path)[0]", Some("request.path")),
            ("request.headers[request.method]", Some("request.headers")),
            ("request.headers.map(x, x)", Some("request.headers")),
            ("{'a': request.id}", Some("request.id")),
            ("size(request.path)", Some("request.path")),
            ("(request.host) + (request.path)", Some("request.host")),
            ("request.headers['é'] + ''", Some("request.headers['é']")),
        ] {
            assert_eq!(attribute_in(expression).as_deref(), found, "{expression}");
        }
    }

    #[test]
    fn values_that_can_be_counted_are_left_in_peace() {
        for expression in [
            "'request.path'",
            "\"it's request.path\"",
            "request.method",
            "response.code",
            "request.protocol",
            "xds.route_name",
            "destination.port",
            "request.path == '/a'",
            "request.path.startsWith('/a')",
            "has(request.path)",
            "string(request.size > 10 ? 1 : 0)",
            "string(request.path == '/a')",
            "request.headers.exists(x, x == 'a') ? 'a' : 'b'",
            "request.headers.all(x, x.startsWith('a'))",
            "!request.path.startsWith('/a')",
            "request.headers['x'] in ['a', 'b']",
            "request.path.startsWith('/a') ? 'a' : 'other'",
            "request.path == '/a' ? 'a' : request.path == '/b' ? 'b' : 'other'",
            "(request.host == 'a' && request.path == '/b') ? 'both' : 'not'",
            "filter_state.request.path_of",
            "my.request.path",
            "request.path_template",
            "",
            "'",
            "((",
            "?",
        ] {
            assert_eq!(attribute_in(expression), None, "{expression}");
        }
    }
}

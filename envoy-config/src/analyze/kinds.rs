//! Of which kind the value of a CEL expression is, as far as that can be told: Envoy hands values over without it.

use cel::common::ast::{CallExpr, Expr, LiteralValue, SelectExpr, operators};

/// A kind of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// A whole one.
    Number,
    Boolean,
    Double,
    Duration,
    Moment,
    List,
    Map,
    /// `null`, and names of types: no value.
    Nothing,
}

/// Envoy's attributes that are no texts.
const ATTRIBUTES: [(&str, Kind); 24] = [
    ("connection.id", Kind::Number),
    ("connection.mtls", Kind::Boolean),
    ("destination.port", Kind::Number),
    ("request.duration", Kind::Duration),
    ("request.headers", Kind::Map),
    ("request.size", Kind::Number),
    ("request.time", Kind::Moment),
    ("request.total_size", Kind::Number),
    ("response.backend_latency", Kind::Duration),
    ("response.code", Kind::Number),
    ("response.flags", Kind::Number),
    ("response.grpc_status", Kind::Number),
    ("response.headers", Kind::Map),
    ("response.size", Kind::Number),
    ("response.total_size", Kind::Number),
    ("response.trailers", Kind::Map),
    ("source.port", Kind::Number),
    ("upstream.port", Kind::Number),
    ("upstream.request_attempt_count", Kind::Number),
    ("connection", Kind::Map),
    ("filter_state", Kind::Map),
    ("metadata", Kind::Map),
    ("request", Kind::Map),
    ("response", Kind::Map),
];

/// Methods and functions by what they give.
const FUNCTIONS: [(&str, Kind); 23] = [
    ("string", Kind::Text),
    ("int", Kind::Number),
    ("uint", Kind::Number),
    ("size", Kind::Number),
    ("getDate", Kind::Number),
    ("getDayOfMonth", Kind::Number),
    ("getDayOfWeek", Kind::Number),
    ("getDayOfYear", Kind::Number),
    ("getFullYear", Kind::Number),
    ("getHours", Kind::Number),
    ("getMilliseconds", Kind::Number),
    ("getMinutes", Kind::Number),
    ("getMonth", Kind::Number),
    ("getSeconds", Kind::Number),
    ("bool", Kind::Boolean),
    ("contains", Kind::Boolean),
    ("startsWith", Kind::Boolean),
    ("endsWith", Kind::Boolean),
    ("matches", Kind::Boolean),
    ("double", Kind::Double),
    ("duration", Kind::Duration),
    ("timestamp", Kind::Moment),
    ("type", Kind::Nothing),
];

/// What has a boolean, whatever it is asked of.
const TESTS: [&str; 10] = [
    operators::EQUALS,
    operators::NOT_EQUALS,
    operators::LESS,
    operators::LESS_EQUALS,
    operators::GREATER,
    operators::GREATER_EQUALS,
    operators::LOGICAL_NOT,
    operators::LOGICAL_AND,
    operators::LOGICAL_OR,
    operators::IN,
];

/// That of an expression; `None`: it can't be told.
pub(super) fn kind(expression: &Expr) -> Option<Kind> {
    match expression {
        Expr::Literal(literal) => Some(match literal {
            LiteralValue::Boolean(_) => Kind::Boolean,
            LiteralValue::Bytes(_) | LiteralValue::String(_) => Kind::Text,
            LiteralValue::Double(_) => Kind::Double,
            LiteralValue::Int(_) | LiteralValue::UInt(_) => Kind::Number,
            LiteralValue::Null => Kind::Nothing,
        }),
        Expr::Ident(name) => of_attribute(name),
        Expr::List(_) => Some(Kind::List),
        Expr::Map(_) => Some(Kind::Map),
        Expr::Select(select) => of_field(select),
        Expr::Call(call) => of_call(call),
        Expr::Struct(_) | Expr::Comprehension(_) | Expr::Unspecified => None,
    }
}

/// That of an attribute of Envoy's that is no text.
pub(super) fn of_attribute(name: &str) -> Option<Kind> {
    ATTRIBUTES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
}

fn of_field(select: &SelectExpr) -> Option<Kind> {
    if select.test {
        return Some(Kind::Boolean);
    }
    match &select.operand.expr {
        Expr::Ident(root) => of_attribute(&format!("{root}.{}", select.field)),
        _ => None,
    }
}

fn of_call(call: &CallExpr) -> Option<Kind> {
    let name = call.func_name.as_str();
    if TESTS.contains(&name) {
        return Some(Kind::Boolean);
    }
    match (name, call.args.as_slice()) {
        (operators::CONDITIONAL, [_, one, other]) => {
            kind(&one.expr).filter(|one| kind(&other.expr) == Some(*one))
        }
        (operators::NEGATE, [one]) => kind(&one.expr),
        (
            operators::ADD
            | operators::SUBSTRACT
            | operators::MULTIPLY
            | operators::DIVIDE
            | operators::MODULO,
            [one, other],
        ) => {
            let same = kind(&one.expr).filter(|one| kind(&other.expr) == Some(*one))?;
            // What is between two moments is a duration.
            if same == Kind::Moment { Some(Kind::Duration) } else { Some(same) }
        }
        _ => FUNCTIONS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind),
    }
}

#[cfg(test)]
mod tests {
    use cel::Program;

    use super::*;

    #[test]
    fn kinds_are_told_where_they_are_known() {
        for (text, expected) in [
            ("1.5", Some(Kind::Double)),
            ("double(request.size) / 3.0", Some(Kind::Double)),
            ("-1.5", Some(Kind::Double)),
            ("true ? 1.5 : 2.5", Some(Kind::Double)),
            ("true ? 1.5 : 'a'", None),
            ("string(1.5)", Some(Kind::Text)),
            ("[1]", Some(Kind::List)),
            ("[1] + [2]", Some(Kind::List)),
            ("{'a': 1}", Some(Kind::Map)),
            ("request.headers", Some(Kind::Map)),
            ("request.headers['a']", None),
            ("request", Some(Kind::Map)),
            ("has(request.headers)", Some(Kind::Boolean)),
            ("request.duration", Some(Kind::Duration)),
            ("request.duration > duration('1s')", Some(Kind::Boolean)),
            ("request.time - request.time", Some(Kind::Duration)),
            ("request.size * 2", Some(Kind::Number)),
            ("request.duration.getSeconds()", Some(Kind::Number)),
            ("null", Some(Kind::Nothing)),
            ("type(1)", Some(Kind::Nothing)),
            ("request.host", None),
        ] {
            assert_eq!(kind(&Program::compile(text).unwrap().expression().expr), expected, "{text}");
        }
    }
}

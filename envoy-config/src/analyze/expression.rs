//! CEL, taken apart.

use std::thread;

use cel::parser::Parser;
use cel::{IdedExpr, ParseError, ParseErrors};

/// How deep an expression may be nested: Envoy's parser goes no deeper.
const LEVELS: u16 = 32;
/// How many bytes are looked at. Each operator of a chain is a level of what the parser makes of it.
const LONGEST: usize = 10_000;
/// Enough for the parser, and for all that look into what it makes, at the longest expression: they call themselves for each
/// level, and an overflow would be the end of the process.
const STACK: usize = 64 << 20;

/// Text that can't be taken for CEL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// It is not CEL.
    Wrong {
        /// Where it stops being CEL, from 1.
        line: isize,
        /// Likewise.
        column: isize,
        /// What is wrong there.
        reason: String,
    },
    /// It is more than anybody looks at.
    TooMuch(String),
}

/// What `look` finds in an expression.
///
/// # Errors
/// Why it can't be taken apart.
pub(super) fn take_apart<T: Send>(
    expression: &str,
    look: impl FnOnce(&IdedExpr) -> T + Send,
) -> Result<T, NotTaken> {
    if expression.len() > LONGEST {
        let length = expression.len();
        return Err(NotTaken::TooMuch(format!("it has {length} bytes, and at most {LONGEST} are looked at")));
    }
    let parse = || {
        let parsed = Parser::new().max_recursion_depth(LEVELS).parse(expression);
        parsed.map(|parsed| look(&parsed)).map_err(|errors| not_taken(&errors))
    };
    let failed = |reason: &str| Err(NotTaken::TooMuch(reason.to_owned()));
    thread::scope(|scope| match thread::Builder::new().stack_size(STACK).spawn_scoped(scope, parse) {
        Ok(parsing) => parsing.join().unwrap_or_else(|_| failed("its parser fails")),
        Err(error) => failed(&format!("there is no room to look at it: {error}")),
    })
}

/// Where it goes wrong first: what else is said follows from that.
fn not_taken(errors: &ParseErrors) -> NotTaken {
    let all = &errors.errors;
    if all.iter().any(|error| error.msg.contains("Recursion limit")) {
        return NotTaken::TooMuch(format!(
            "it is nested more than {LEVELS} levels deep, which Envoy refuses"
        ));
    }
    let syntax = |error: &&ParseError| error.msg.starts_with("Syntax error");
    let first = all.iter().find(syntax).or(all.first());
    let (line, column) = first.map_or((1, 1), |error| error.pos);
    let reason = first.map_or_else(|| "it can't be read".to_owned(), |error| reason(&error.msg));
    NotTaken::Wrong { line, column, reason }
}

/// The parser's words, without the list of all that could have stood there.
fn reason(message: &str) -> String {
    let message = message.trim_start_matches("Syntax error: ");
    let (what, _) = message.split_once(" expecting ").unwrap_or((message, ""));
    match what.strip_suffix(" '<EOF>'") {
        Some("mismatched input") => "something is missing at its end".to_owned(),
        _ => what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(expression: &str) -> bool {
        match take_apart(expression, |_| ()) {
            Ok(()) => true,
            Err(NotTaken::TooMuch(_)) => false,
            Err(wrong) => panic!("{wrong:?}"),
        }
    }

    #[test]
    fn no_expression_overflows_the_stack() {
        let nested = |levels| format!("{}1{}", "(".repeat(levels), ")".repeat(levels));
        let lists = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!([nested(32), nested(33), nested(4_000)].map(|text| taken(&text)), [true, false, false]);
        assert_eq!([lists(30), lists(4_000)].map(|text| taken(&text)), [true, false]);
        for (one, times) in [("+1", 4_999), (".a", 4_999), ("[0]", 3_333), (".f()", 2_499), ("&&a", 3_333)] {
            assert!(taken(&format!("a{}", one.repeat(times))), "{one}");
            assert!(!taken(&format!("a{}", one.repeat(times * 10))), "{one}");
        }
        assert!(taken(&format!("{}a", "!".repeat(9_999))) && taken(&format!("{}1", "-".repeat(9_998))));
        assert!(!taken(&format!("{}1", "a ? 1 : ".repeat(1_000))));
    }
}

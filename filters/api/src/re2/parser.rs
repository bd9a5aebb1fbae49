//! From a text to an [`Expression`], without recursion.

use super::repeat::Repeat;
use super::{Assertion, ByteClass, Expression, Input, RegexError, Repetition, class, escape, property};

/// How deep groups may stand in one another: as deep as they can within the 1024 bytes that Istio takes.
const DEEPEST: usize = 512;

/// Reads all of `pattern`.
pub(super) fn parse(pattern: &str) -> Result<Expression, RegexError> {
    let mut parser = Parser { input: Input(pattern.as_bytes()), ..Parser::default() };
    parser.run()?;
    Ok(parser.level.finish())
}

/// What holds from some place to the end of its group.
#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    /// `i`: both cases of a letter match.
    fold: bool,
    /// `m`: `^` and `$` stand for lines.
    lines: bool,
    /// `s`: `.` holds a line feed.
    dot_all: bool,
    /// `U`: repetitions are lazy, and those with `?` are greedy.
    swap_greed: bool,
}

/// The contents of a group, or the whole.
#[derive(Debug, Default)]
struct Level {
    choices: Vec<Expression>,
    /// What the choice is made of that is being read.
    sequence: Vec<Expression>,
    /// How often its contents are repeated at most.
    times: u32,
    flags: Flags,
    /// Its number, if it keeps what it matches.
    group: Option<u32>,
}

impl Level {
    fn next_choice(&mut self) {
        self.choices.push(Expression::sequence(std::mem::take(&mut self.sequence)));
    }

    fn finish(mut self) -> Expression {
        self.next_choice();
        let choice = Expression::choice(self.choices);
        match self.group {
            Some(number) => Expression::Group(number, Box::new(choice)),
            None => choice,
        }
    }
}

#[derive(Default)]
struct Parser<'p> {
    input: Input<'p>,
    /// The groups that are open around the innermost one.
    open: Vec<Level>,
    level: Level,
    groups: u32,
    /// How often what a repetition would apply to, the last of the sequence, is repeated within itself at most; `None`
    /// where there is nothing to repeat.
    atom: Option<u32>,
}

impl Parser<'_> {
    fn run(&mut self) -> Result<(), RegexError> {
        self.level.times = 1;
        while let Some(byte) = self.input.next() {
            let flags = self.level.flags;
            match byte {
                b'(' => self.open_group()?,
                b')' => self.close_group()?,
                b'|' => {
                    self.level.next_choice();
                    self.atom = None;
                }
                b'.' if flags.dot_all => self.class(ByteClass::ALL),
                b'.' => self.class(ByteClass::of(b"\n\n").negated()),
                b'^' => self.assertion(if flags.lines { Assertion::LineStart } else { Assertion::Start }),
                b'$' => self.assertion(if flags.lines { Assertion::LineEnd } else { Assertion::End }),
                b'[' => {
                    let class = class::parse(&mut self.input, flags.fold)?;
                    self.class(class);
                }
                b'\\' => self.escape()?,
                b'*' | b'+' | b'?' => self.repeat(Repeat::of_sign(byte))?,
                b'{' => match Repeat::counted(&mut self.input)? {
                    Some(repeat) => self.repeat(repeat)?,
                    None => self.literal(b'{'),
                },
                byte => self.literal(byte),
            }
        }
        if !self.open.is_empty() {
            return Err(RegexError::new("a group is not closed: `)` is missing"));
        }
        Ok(())
    }

    fn push(&mut self, expression: Expression) {
        self.level.sequence.push(expression);
        self.atom = Some(1);
    }

    fn assertion(&mut self, assertion: Assertion) {
        self.push(Expression::Assertion(assertion));
    }

    fn class(&mut self, set: ByteClass) {
        self.push(Expression::one_of(set));
    }

    /// One literal holds all bytes in a row, but for the last if it is repeated.
    fn literal(&mut self, byte: u8) {
        if self.level.flags.fold && byte.is_ascii_alphabetic() {
            return self.class(ByteClass::of(&[byte, byte]).folded());
        }
        match self.level.sequence.last_mut() {
            Some(Expression::Literal(bytes)) => bytes.push(byte),
            _ => self.level.sequence.push(Expression::Literal(vec![byte])),
        }
        self.atom = Some(1);
    }

    fn escape(&mut self) -> Result<(), RegexError> {
        match self.input.peek() {
            Some(sign @ (b'A' | b'z' | b'b' | b'B')) => {
                self.input.next();
                self.assertion(match sign {
                    b'A' => Assertion::Start,
                    b'z' => Assertion::End,
                    b'b' => Assertion::WordBoundary,
                    _ => Assertion::NoWordBoundary,
                });
            }
            // One byte, also a line feed.
            Some(b'C') => {
                self.input.next();
                self.class(ByteClass::ALL);
            }
            Some(b'Q') => {
                self.input.next();
                let rest = self.input.0;
                let quoted = self.input.take_until(br"\E").unwrap_or_else(|| {
                    self.input.0 = &[];
                    rest
                });
                quoted.iter().for_each(|byte| self.literal(*byte));
            }
            Some(b'p' | b'P') => {
                let class = property::parse(&mut self.input, self.level.flags.fold)?;
                self.class(class);
            }
            _ => match escape::perl_class(&mut self.input) {
                Some(class) => self.class(class),
                None => {
                    let byte = escape::character(&mut self.input)?;
                    self.literal(byte);
                }
            },
        }
        Ok(())
    }

    fn open_group(&mut self) -> Result<(), RegexError> {
        if !self.input.take(b"?") {
            return self.enter_numbered();
        }
        if [&b"="[..], b"!", b"<=", b"<!"].iter().any(|sign| self.input.0.starts_with(sign)) {
            return Err(RegexError::new("lookarounds (`(?=`, `(?!`, `(?<=`, `(?<!`) are not RE2"));
        }
        if self.input.take(b"P<") || self.input.take(b"<") {
            let name = self.input.take_until(b">").unwrap_or_default();
            if !is_group_name(name) {
                return Err(RegexError::new("a group's name is made of letters, digits and `_`"));
            }
            // Nothing asks for a name, and RE2 takes one twice.
            return self.enter_numbered();
        }
        self.flags()
    }

    /// What follows `(?`: `i)` for the rest of the group, or `i:` for a group of its own. Of a flag given twice the last
    /// counts.
    fn flags(&mut self) -> Result<(), RegexError> {
        let mut flags = self.level.flags;
        let (mut on, mut complete, mut any) = (true, true, false);
        let end = loop {
            let sign = self.input.next();
            let flag = match sign {
                Some(b'i') => &mut flags.fold,
                Some(b'm') => &mut flags.lines,
                Some(b's') => &mut flags.dot_all,
                Some(b'U') => &mut flags.swap_greed,
                Some(b'-') if on => {
                    (on, complete) = (false, false);
                    continue;
                }
                Some(end @ (b':' | b')')) if complete => break end,
                _ => {
                    return Err(RegexError::new("after `(?` RE2 knows the flags `i`, `m`, `s` and `U` only"));
                }
            };
            *flag = on;
            (complete, any) = (true, true);
        };
        if end == b':' {
            return self.enter(None, flags);
        }
        self.level.flags = flags;
        if any {
            self.atom = None;
        }
        // Otherwise it is as if it was not there: what stood before can still be repeated.
        Ok(())
    }

    fn enter_numbered(&mut self) -> Result<(), RegexError> {
        self.groups = self.groups.saturating_add(1);
        self.enter(Some(self.groups), self.level.flags)
    }

    fn enter(&mut self, group: Option<u32>, flags: Flags) -> Result<(), RegexError> {
        if self.open.len() >= DEEPEST {
            return Err(RegexError::new(format!("groups stand more than {DEEPEST} deep in one another")));
        }
        let inner = Level { times: 1, flags, group, ..Level::default() };
        self.open.push(std::mem::replace(&mut self.level, inner));
        self.atom = None;
        Ok(())
    }

    fn close_group(&mut self) -> Result<(), RegexError> {
        let Some(outer) = self.open.pop() else {
            return Err(RegexError::new("`)` without `(`"));
        };
        let inner = std::mem::replace(&mut self.level, outer);
        let times = inner.times;
        self.push(match inner.finish() {
            // Or else a repetition would take it apart.
            literal @ Expression::Literal(_) => Expression::Sequence(vec![literal]),
            other => other,
        });
        self.atom = Some(times);
        self.level.times = self.level.times.max(times);
        Ok(())
    }

    fn repeat(&mut self, repeat: Repeat) -> Result<(), RegexError> {
        let nothing = || RegexError::new(format!("there is nothing for `{repeat}` to repeat"));
        let inner = self.atom.ok_or_else(nothing)?;
        let times = repeat.within(inner)?;
        let lazy = self.input.take(b"?");
        let mut ahead = self.input;
        let another = match ahead.next() {
            Some(b'*' | b'+' | b'?') => true,
            Some(b'{') => Repeat::counted(&mut ahead)?.is_some(),
            _ => false,
        };
        if another {
            return Err(RegexError::new(format!(
                "RE2 does not stack repetitions: put `(?:…)` around the `{repeat}` part"
            )));
        }
        let (least, most) = repeat.bounds();
        let what = self.last().ok_or_else(nothing)?;
        let greedy = lazy == self.level.flags.swap_greed;
        self.push(Expression::Repetition(Box::new(Repetition { least, most, greedy, what })));
        self.level.times = self.level.times.max(times);
        self.atom = Some(times);
        Ok(())
    }

    /// Takes the last of the sequence; of a literal the last byte.
    fn last(&mut self) -> Option<Expression> {
        match self.level.sequence.last_mut() {
            Some(Expression::Literal(bytes)) if bytes.len() > 1 => {
                bytes.pop().map(|byte| Expression::Literal(vec![byte]))
            }
            _ => self.level.sequence.pop(),
        }
    }
}

fn is_group_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn text(bytes: &str) -> Expression {
        Expression::Literal(bytes.into())
    }

    fn any_number(what: Expression) -> Expression {
        Expression::Repetition(Box::new(Repetition { least: 0, most: None, greedy: true, what }))
    }

    #[test]
    fn a_repetition_takes_one_byte_or_a_group() {
        for (pattern, expected) in [
            ("ab*", vec![text("a"), any_number(text("b"))]),
            ("a[b]*", vec![text("a"), any_number(text("b"))]),
            (r"\Qab\E*c", vec![text("a"), any_number(text("b")), text("c")]),
            ("a(?:bc)*", vec![text("a"), any_number(Expression::Sequence(vec![text("bc")]))]),
            ("a(bc)*", vec![text("a"), any_number(Expression::Group(1, Box::new(text("bc"))))]),
            ("a(?:)b*", vec![text("a"), Expression::Sequence(vec![text("")]), any_number(text("b"))]),
        ] {
            assert_eq!(parse(pattern), Ok(Expression::Sequence(expected)), "{pattern}");
        }
    }

    #[test]
    fn choices_of_single_bytes_are_a_class() {
        let class = |ranges: &[u8]| Ok(Expression::Class(Box::new(ByteClass::of(ranges))));
        assert_eq!(parse("a|[c-d]|b"), class(b"ad"));
        assert_eq!(parse("(?i)x|y"), class(b"xyXY"));
        assert_eq!(parse("a|bc"), Ok(Expression::Choice(vec![text("a"), text("bc")])));
        assert_eq!(parse("a|"), Ok(Expression::Choice(vec![text("a"), text("")])));
        assert_eq!(parse("a|a"), Ok(text("a")));
    }
}

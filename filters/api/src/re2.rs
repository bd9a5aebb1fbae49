//! RE2's syntax, read as RE2 reads it in Latin-1 mode and written as the `regex` crate reads it.
//!
//! The two differ in small ways that would change which values match: `\<`, `[a&&b]`, `a**` and `{,3}` mean one
//! thing here and another, or nothing, there; `\s` holds a vertical tab in one only; `é` is one character or two
//! bytes. Rather than to look for each difference, every token is read by RE2's rules and written anew, bytes that
//! stand for themselves as `\xHH`.

mod class;
mod escape;
mod property;
mod repeat;

use std::fmt;

use repeat::Repeat;

/// Why an expression is refused: a sentence in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegexError(String);

impl RegexError {
    /// With this sentence.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for RegexError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for RegexError {}

/// `pattern` in the syntax of `regex::bytes` with `unicode(false)`. Groups keep their numbers and lose their names.
///
/// # Errors
/// What RE2 refuses too, and scripts in `\p{…}` that have no byte.
pub fn translate(pattern: &str) -> Result<String, RegexError> {
    let mut translator = Translator { input: Input(pattern.as_bytes()), ..Translator::default() };
    translator.run()?;
    Ok(translator.out)
}

/// What is left to read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Input<'p>(pub(super) &'p [u8]);

impl<'p> Input<'p> {
    pub(super) fn peek(self) -> Option<u8> {
        self.0.first().copied()
    }

    pub(super) fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// Takes `prefix` if it comes next.
    pub(super) fn take(&mut self, prefix: &[u8]) -> bool {
        self.0.strip_prefix(prefix).map(|rest| self.0 = rest).is_some()
    }

    /// Takes one byte, or none at the end.
    pub(super) fn take_one(&mut self) -> &'p [u8] {
        let (one, rest) = self.0.split_at_checked(1).unwrap_or((self.0, &[]));
        self.0 = rest;
        one
    }

    /// Takes everything before `end`, and `end` with it.
    pub(super) fn take_until(&mut self, end: &[u8]) -> Option<&'p [u8]> {
        let at = self.0.windows(end.len()).position(|window| window == end)?;
        let (before, rest) = self.0.split_at_checked(at)?;
        self.0 = rest.get(end.len()..)?;
        Some(before)
    }
}

#[derive(Default)]
struct Translator<'p> {
    input: Input<'p>,
    out: String,
    /// How often the open groups' contents may be repeated at most, innermost last.
    open: Vec<u32>,
    /// The same of the innermost level.
    level: u32,
    /// The same of what a repetition would apply to; `None` where there is nothing to repeat.
    atom: Option<u32>,
}

impl Translator<'_> {
    fn run(&mut self) -> Result<(), RegexError> {
        self.level = 1;
        while let Some(byte) = self.input.next() {
            match byte {
                b'(' => self.open_group()?,
                b')' => self.close_group()?,
                b'|' => self.write("|", None),
                b'.' => self.write(".", Some(1)),
                b'^' => self.write("^", Some(1)),
                b'$' => self.write("$", Some(1)),
                b'[' => {
                    class::translate(&mut self.input, &mut self.out)?;
                    self.atom = Some(1);
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

    fn write(&mut self, text: &str, atom: Option<u32>) {
        self.out.push_str(text);
        self.atom = atom;
    }

    fn literal(&mut self, byte: u8) {
        escape::push_literal(&mut self.out, byte);
        self.atom = Some(1);
    }

    fn escape(&mut self) -> Result<(), RegexError> {
        match self.input.peek() {
            Some(sign @ (b'A' | b'z' | b'b' | b'B')) => {
                self.input.next();
                self.out.push('\\');
                self.out.push(char::from(sign));
                self.atom = Some(1);
            }
            // One byte, also a line feed.
            Some(b'C') => {
                self.input.next();
                self.write("(?s:.)", Some(1));
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
                property::translate(&mut self.input, &mut self.out)?;
                self.atom = Some(1);
            }
            _ => match escape::perl_class(&mut self.input) {
                Some(class) => self.write(class, Some(1)),
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
            self.out.push('(');
            return self.enter();
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
            self.out.push('(');
            return self.enter();
        }
        self.flags()
    }

    /// What follows `(?`: `i)` for the rest of the group, or `i:` for a group of its own. Of a flag given twice the last
    /// counts.
    fn flags(&mut self) -> Result<(), RegexError> {
        let mut flags: Vec<(u8, bool)> = Vec::new();
        let (mut on, mut complete) = (true, true);
        let end = loop {
            match self.input.next() {
                Some(flag @ (b'i' | b'm' | b's' | b'U')) => {
                    flags.retain(|(other, _)| *other != flag);
                    flags.push((flag, on));
                    complete = true;
                }
                Some(b'-') if on => (on, complete) = (false, false),
                Some(end @ (b':' | b')')) if complete => break end,
                _ => {
                    return Err(RegexError::new("after `(?` RE2 knows the flags `i`, `m`, `s` and `U` only"));
                }
            }
        };
        if flags.is_empty() && end == b')' {
            // As if it was not there: what stood before can still be repeated.
            return Ok(());
        }
        self.out.push_str("(?");
        for (wanted, sign) in [(true, ""), (false, "-")] {
            let mut chosen = flags.iter().filter(|(_, on)| *on == wanted).peekable();
            if chosen.peek().is_some() {
                self.out.push_str(sign);
                self.out.extend(chosen.map(|(flag, _)| char::from(*flag)));
            }
        }
        self.out.push(char::from(end));
        if end == b':' {
            return self.enter();
        }
        self.atom = None;
        Ok(())
    }

    fn enter(&mut self) -> Result<(), RegexError> {
        self.open.push(self.level);
        self.level = 1;
        self.atom = None;
        Ok(())
    }

    fn close_group(&mut self) -> Result<(), RegexError> {
        let Some(outer) = self.open.pop() else {
            return Err(RegexError::new("`)` without `(`"));
        };
        self.out.push(')');
        self.atom = Some(self.level);
        self.level = self.level.max(outer);
        Ok(())
    }

    fn repeat(&mut self, repeat: Repeat) -> Result<(), RegexError> {
        let Some(inner) = self.atom else {
            return Err(RegexError::new(format!("there is nothing for `{repeat}` to repeat")));
        };
        let times = repeat.within(inner)?;
        self.out.push_str(&repeat.to_string());
        if self.input.take(b"?") {
            self.out.push('?');
        }
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
        self.level = self.level.max(times);
        self.atom = Some(times);
        Ok(())
    }
}

fn is_group_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

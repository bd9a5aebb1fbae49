//! RE2's syntax, read as RE2 reads it in Latin-1 mode and written as the `regex` crate reads it.
//!
//! The two differ in small ways that would change which values match: `\<`, `[a&&b]`, `a**` and `{,3}` mean one
//! thing here and another, or nothing, there; `\s` holds a vertical tab in one only; `é` is one character or two
//! bytes. Rather than to look for each difference, every token is read by RE2's rules and written anew, bytes that
//! stand for themselves as `\xHH`.

use super::repeat::Repeat;
use super::{RegexError, class, escape};

/// `pattern` in the syntax of `regex::bytes` with `unicode(false)`.
pub(super) fn translate(pattern: &str) -> Result<String, RegexError> {
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
    folds_case: bool,
    beyond_ascii: bool,
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
                    self.beyond_ascii |= class::translate(&mut self.input, &mut self.out)?;
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
        if self.folds_case && self.beyond_ascii {
            // RE2 folds é and É here, the `regex` crate without Unicode tables would not.
            return Err(RegexError::new("`(?i)` together with characters beyond ASCII is not supported"));
        }
        Ok(())
    }

    fn write(&mut self, text: &str, atom: Option<u32>) {
        self.out.push_str(text);
        self.atom = atom;
    }

    fn literal(&mut self, byte: u8) {
        self.beyond_ascii |= !byte.is_ascii();
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
            let Some(name) = std::str::from_utf8(name).ok().filter(|name| is_group_name(name)) else {
                return Err(RegexError::new("a group's name is made of letters, digits and `_`"));
            };
            self.out.push_str("(?P<");
            self.out.push_str(name);
            self.out.push('>');
            return self.enter();
        }
        self.flags()
    }

    /// What follows `(?`: `i)` for the rest of the group, or `i:` for a group of its own.
    fn flags(&mut self) -> Result<(), RegexError> {
        self.out.push_str("(?");
        let (mut negated, mut complete) = (false, true);
        loop {
            match self.input.next() {
                Some(flag @ (b'i' | b'm' | b's' | b'U')) => {
                    self.folds_case |= flag == b'i' && !negated;
                    self.out.push(char::from(flag));
                    complete = true;
                }
                Some(b'-') if !negated => {
                    negated = true;
                    complete = false;
                    self.out.push('-');
                }
                Some(b':') if complete => {
                    self.out.push(':');
                    return self.enter();
                }
                Some(b')') if complete => {
                    self.write(")", None);
                    return Ok(());
                }
                _ => {
                    return Err(RegexError::new("after `(?` RE2 knows the flags `i`, `m`, `s` and `U` only"));
                }
            }
        }
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

fn is_group_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

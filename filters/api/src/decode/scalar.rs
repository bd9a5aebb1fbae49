//! Single values.

use std::time::Duration;

use ipnet::IpNet;

use super::cursor::{Cursor, shorten};
use crate::{
    check,
    node::{Number, Value},
    types::common::{Millionths, RegexSource},
};

impl Cursor<'_> {
    #[inline(never)]
    pub(crate) fn string(&self) -> Option<String> {
        match &self.node.value {
            Value::String(text) => Some(text.clone()),
            _ => self.wrong_kind("a string"),
        }
    }

    /// A text that is not empty.
    #[inline(never)]
    pub(crate) fn non_empty(&self) -> Option<String> {
        self.checked(|text| if text.is_empty() { Err(String::new()) } else { Ok(()) })
    }

    /// A DNS label; an empty text is as if left out.
    #[inline(never)]
    pub(crate) fn dns_label_or_empty(&self) -> Option<String> {
        self.checked(|text| if text.is_empty() { Ok(()) } else { check::names::dns_label(text) })
            .filter(|text| !text.is_empty())
    }

    /// A text which a check accepts. The check's message follows after the value.
    pub(crate) fn checked(&self, check: impl FnOnce(&str) -> Result<(), String>) -> Option<String> {
        self.parsed(|text| check(text).map(|()| text.to_owned()))
    }

    /// A text which can be read as something else.
    pub(crate) fn parsed<T>(&self, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let text = self.string()?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(reason) => {
                self.bad(&text, &reason);
                None
            }
        }
    }

    /// Reports that a check refused this text.
    #[inline(never)]
    pub(crate) fn bad(&self, text: &str, reason: &str) {
        match text {
            "" => self.error("must not be empty"),
            _ => self.error(format_args!("`{}` {reason}", shorten(text))),
        }
    }

    #[inline(never)]
    pub(crate) fn bool(&self) -> Option<bool> {
        match self.node.value {
            Value::Bool(value) => Some(value),
            _ => self.wrong_kind("a boolean"),
        }
    }

    /// Any whole number.
    #[inline(never)]
    pub(crate) fn integer(&self) -> Option<i64> {
        match self.node.value {
            Value::Number(Number::Integer(number)) => Some(number),
            _ => self.wrong_kind("a whole number"),
        }
    }

    /// A whole number between two others.
    pub(crate) fn within<T: TryFrom<i64>>(&self, lowest: i64, highest: i64) -> Option<T> {
        let number = self.integer()?;
        let value = T::try_from(number).ok().filter(|_| (lowest..=highest).contains(&number));
        if value.is_none() {
            self.not_within(number, lowest, highest);
        }
        value
    }

    #[inline(never)]
    fn not_within(&self, number: i64, lowest: i64, highest: i64) {
        match number {
            ..0 if lowest == 0 => self.error(format_args!("`{number}` is negative")),
            _ => self.error(format_args!("`{number}` is not within {lowest} and {highest}")),
        }
    }

    /// A number with or without a fraction.
    #[inline(never)]
    pub(crate) fn number(&self) -> Option<f64> {
        match self.node.value {
            #[allow(clippy::cast_precision_loss, reason = "limits are far below 2^53")]
            Value::Number(Number::Integer(number)) => Some(number as f64),
            Value::Number(Number::Float(number)) => Some(number),
            _ => self.wrong_kind("a number"),
        }
    }

    /// A number from 0 to 100. Any other is an error and taken for all that.
    #[inline(never)]
    pub(crate) fn percentage(&self) -> Option<f64> {
        let percent = self.number()?;
        if !(0.0..=100.0).contains(&percent) {
            self.error(format_args!("percentage `{}` is not within 0 and 100", Number::Float(percent)));
        }
        Some(percent)
    }

    /// The number of a port.
    #[inline(never)]
    pub(crate) fn port(&self) -> Option<u16> {
        let number = self.integer()?;
        let port = u16::try_from(number).ok().filter(|port| *port > 0);
        if port.is_none() {
            self.error(format_args!("port `{number}` is not within 1 and 65535"));
        }
        port
    }

    /// A count which Istio's 32-bit signed field can hold.
    #[inline(never)]
    pub(crate) fn count(&self) -> Option<u32> {
        self.within(0, i64::from(i32::MAX))
    }

    /// A count which a 32-bit unsigned field can hold.
    #[inline(never)]
    pub(crate) fn unsigned(&self) -> Option<u32> {
        self.within(0, i64::from(u32::MAX))
    }

    /// A duration of at least a millisecond and of whole milliseconds, as Istio demands nearly everywhere.
    #[inline(never)]
    pub(crate) fn duration(&self) -> Option<Duration> {
        self.duration_with(check::duration::at_least_a_millisecond)
    }

    /// The same, or zero.
    #[inline(never)]
    pub(crate) fn duration_or_zero(&self) -> Option<Duration> {
        self.duration_with(|duration| {
            if duration.is_zero() { Ok(()) } else { check::duration::at_least_a_millisecond(duration) }
        })
    }

    pub(crate) fn duration_with(
        &self,
        check: impl FnOnce(Duration) -> Result<(), String>,
    ) -> Option<Duration> {
        // Those who write a configuration of a filter are told what it expects.
        #[cfg(feature = "yaml")]
        self.without_unit()?;
        self.parsed(|text| {
            let duration = check::duration::parse(text)?;
            check(duration).map(|()| duration)
        })
    }

    /// `None`: it is a number, which has been told.
    #[cfg(feature = "yaml")]
    fn without_unit(&self) -> Option<()> {
        match &self.node.value {
            Value::Number(number) => {
                self.tell_wrong_kind("a duration", Some(format!("write it like `{number}s`")));
                None
            }
            _ => Some(()),
        }
    }

    /// Istio's `Percent` message: 0, or within 0.0001 and 100.
    #[inline(never)]
    pub(crate) fn percent(&self) -> Option<Millionths> {
        self.object_like("{value: …}", |percent| {
            Some(percent.get("value", |at| at.share()).unwrap_or(Millionths::NONE))
        })
    }

    #[inline(never)]
    fn share(&self) -> Option<Millionths> {
        let percent = self.number()?;
        let share = Millionths::from_percent(percent);
        if share.is_none() {
            let percent = Number::Float(percent);
            self.error(format_args!("percentage `{percent}` is neither 0 nor within 0.0001 and 100"));
        }
        share
    }

    /// A regular expression in RE2's syntax.
    #[inline(never)]
    pub(crate) fn regex(&self) -> Option<RegexSource> {
        self.parsed(check::regex::compiles)
    }

    /// An address, or a block of them.
    #[inline(never)]
    pub(crate) fn ip_block(&self) -> Option<IpNet> {
        self.parsed(check::ip::block)
    }

    /// One of Istio's names for something.
    pub(crate) fn one_of<T: Copy>(&self, names: &[(&'static str, T)]) -> Option<T> {
        let text = self.string()?;
        let found = names.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        if found.is_none() {
            self.unknown_value(&text, names.iter().map(|(name, _)| *name).collect());
        }
        found
    }

    #[inline(never)]
    fn unknown_value(&self, text: &str, known: Vec<&'static str>) {
        let hint = super::suggest::nearest(text, &known)
            .map_or_else(|| format!("one of {}", list(&known)), |meant| format!("did you mean `{meant}`?"));
        self.error_hint(format_args!("unknown value `{}`", shorten(text)), hint);
    }
}

/// Values for a hint; an empty one is a way of leaving the field out.
fn list(known: &[&str]) -> String {
    known.iter().copied().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(", ")
}

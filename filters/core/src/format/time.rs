//! `%START_TIME(…)%`: a point in time in UTC, by the letters of `strftime` and Envoy's own `%3f`.

use std::time::Duration;

/// Envoy's format without an argument.
const DEFAULT: &str = "%Y-%m-%dT%H:%M:%E3SZ";

/// A compiled time format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TimeFormat(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(char),
    Field(char),
    /// So many digits of the fraction of a second.
    Fraction(usize),
    /// `+00:00` in place of `+0000`.
    ZoneWithColon,
}

impl TimeFormat {
    /// Reads a format; an empty one is Envoy's default.
    ///
    /// # Errors
    /// The letter that is not carried out.
    pub(super) fn new(format: &str) -> Result<Self, char> {
        let mut parts = Vec::new();
        read(if format.is_empty() { DEFAULT } else { format }, &mut parts)?;
        Ok(Self(parts))
    }

    /// The text for `time`, which counts from the Unix epoch.
    pub(super) fn format(&self, time: Duration) -> String {
        let moment = Moment::new(time);
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(letter) => text.push(*letter),
                Part::Field(letter) => moment.field(*letter, &mut text),
                Part::Fraction(digits) => text.extend(format!("{:09}", moment.nanos).chars().take(*digits)),
                Part::ZoneWithColon => text.push_str("+00:00"),
            }
        }
        text
    }
}

fn read(format: &str, parts: &mut Vec<Part>) -> Result<(), char> {
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            parts.push(Part::Text(letter));
            continue;
        }
        let letter = letters.next().ok_or('%')?;
        let digits = |letter: char| letter.to_digit(10).and_then(|digits| usize::try_from(digits).ok());
        match letter {
            '%' => parts.push(Part::Text('%')),
            'f' => parts.push(Part::Fraction(9)),
            '1'..='9' if letters.next() == Some('f') => {
                parts.push(Part::Fraction(digits(letter).unwrap_or(9)));
            }
            'E' => match letters.next().ok_or('E')? {
                'z' => parts.push(Part::ZoneWithColon),
                count @ '0'..='9' if letters.next() == Some('S') => {
                    parts.push(Part::Field('S'));
                    if let Some(digits) = digits(count).filter(|digits| *digits > 0) {
                        parts.extend([Part::Text('.'), Part::Fraction(digits)]);
                    }
                }
                _ => return Err('E'),
            },
            'D' | 'x' => read("%m/%d/%y", parts)?,
            'F' => read("%Y-%m-%d", parts)?,
            'R' => read("%H:%M", parts)?,
            'T' | 'X' => read("%H:%M:%S", parts)?,
            'r' => read("%I:%M:%S %p", parts)?,
            'c' => read("%a %b %e %H:%M:%S %Y", parts)?,
            'a' | 'A' | 'b' | 'B' | 'C' | 'd' | 'e' | 'h' | 'H' | 'I' | 'j' | 'm' | 'M' | 'p' | 's' | 'S'
            | 'u' | 'w' | 'y' | 'Y' | 'z' | 'Z' => parts.push(Part::Field(letter)),
            other => return Err(other),
        }
    }
    Ok(())
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A point in time, taken apart. Times before 1970 do not occur.
struct Moment {
    seconds: u64,
    nanos: u32,
    year: u64,
    /// 1 to 12.
    month: u64,
    day: u64,
    /// 1 to 366.
    day_of_year: u64,
    /// 0 is Sunday.
    weekday: u64,
}

impl Moment {
    fn new(time: Duration) -> Self {
        let days = time.as_secs() / 86_400;
        // Years begin in March here, so that a leap day is the last; 719,468 days lie between 0000-03-01 and 1970.
        let shifted = days + 719_468;
        let era = shifted / 146_097;
        let of_era = shifted % 146_097;
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        let leap = (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
        let day_of_year = if month <= 2 { of_year - 305 } else { of_year + 60 + u64::from(leap) };
        let weekday = (days + 4) % 7;
        Self { seconds: time.as_secs(), nanos: time.subsec_nanos(), year, month, day, day_of_year, weekday }
    }

    fn field(&self, letter: char, text: &mut String) {
        let name = |names: &[&'static str], index: u64| {
            usize::try_from(index).ok().and_then(|index| names.get(index).copied()).unwrap_or_default()
        };
        let of_day = self.seconds % 86_400;
        let hour = of_day / 3600;
        let twelve = if hour.is_multiple_of(12) { 12 } else { hour % 12 };
        let words = match letter {
            'a' => name(&DAYS, self.weekday).get(..3),
            'A' => Some(name(&DAYS, self.weekday)),
            'b' | 'h' => name(&MONTHS, self.month - 1).get(..3),
            'B' => Some(name(&MONTHS, self.month - 1)),
            'p' => Some(if hour < 12 { "AM" } else { "PM" }),
            'z' => Some("+0000"),
            'Z' => Some("UTC"),
            _ => None,
        };
        let (number, width) = match letter {
            'C' => (self.year / 100, 2),
            'd' => (self.day, 2),
            'e' => return text.push_str(&format!("{:2}", self.day)),
            'H' => (hour, 2),
            'I' => (twelve, 2),
            'j' => (self.day_of_year, 3),
            'm' => (self.month, 2),
            'M' => (of_day / 60 % 60, 2),
            's' => (self.seconds, 1),
            'S' => (of_day % 60, 2),
            'u' => (if self.weekday == 0 { 7 } else { self.weekday }, 1),
            'w' => (self.weekday, 1),
            'y' => (self.year % 100, 2),
            'Y' => (self.year, 1),
            _ => return text.push_str(words.unwrap_or_default()),
        };
        text.push_str(&format!("{number:0width$}"));
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn formatted(format: &str, seconds: u64, nanos: u32) -> String {
        TimeFormat::new(format).unwrap().format(Duration::new(seconds, nanos))
    }

    /// What Envoy 1.40 printed for the same moment.
    #[test]
    fn every_letter() {
        for (format, expected) in [
            ("", "2026-11-25T18:56:29.318Z"),
            ("%a", "Wed"),
            ("%A", "Wednesday"),
            ("%b", "Nov"),
            ("%B", "November"),
            ("%h", "Nov"),
            ("%c", "Wed Nov 25 18:56:29 2026"),
            ("%C", "20"),
            ("%d", "25"),
            ("%D", "11/25/26"),
            ("%e", "25"),
            ("%f", "318547000"),
            ("%1f", "3"),
            ("%3f", "318"),
            ("%6f", "318547"),
            ("%F", "2026-11-25"),
            ("%H", "18"),
            ("%I", "06"),
            ("%j", "329"),
            ("%m", "11"),
            ("%M", "56"),
            ("%p", "PM"),
            ("%r", "06:56:29 PM"),
            ("%R", "18:56"),
            ("%s", "1795632989"),
            ("%s.%3f", "1795632989.318"),
            ("%S", "29"),
            ("%E0S", "29"),
            ("%E3S", "29.318"),
            ("%E6S", "29.318547"),
            ("%T", "18:56:29"),
            ("%u", "3"),
            ("%w", "3"),
            ("%x", "11/25/26"),
            ("%X", "18:56:29"),
            ("%y", "26"),
            ("%Y", "2026"),
            ("%z", "+0000"),
            ("%Ez", "+00:00"),
            ("%Z", "UTC"),
            ("%%", "%"),
            (" %Y ", " 2026 "),
            ("x%3fy%sz", "x318y1795632989z"),
        ] {
            assert_eq!(formatted(format, 1_795_632_989, 318_547_000), expected, "{format}");
        }
    }

    #[test]
    fn days_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01 001 Thu"),
            (951_782_400, "2000-02-29 060 Tue"),
            (951_868_800, "2000-03-01 061 Wed"),
            (1_709_164_800, "2024-02-29 060 Thu"),
            (1_735_603_200, "2024-12-31 366 Tue"),
            (1_735_689_599, "2024-12-31 366 Tue"),
            (1_735_689_600, "2025-01-01 001 Wed"),
            (4_107_542_400, "2100-03-01 060 Mon"),
        ] {
            assert_eq!(formatted("%F %j %a", seconds, 0), expected);
        }
        assert_eq!(formatted("%e %I %p", 86_400 * 4, 0), " 5 12 AM");
    }

    #[test]
    fn other_letters_are_refused() {
        for (format, letter) in
            [("%k", 'k'), ("%Q", 'Q'), ("%E*S", 'E'), ("%3d", '3'), ("%", '%'), ("%n", 'n')]
        {
            assert_eq!(TimeFormat::new(format), Err(letter), "{format}");
        }
    }
}

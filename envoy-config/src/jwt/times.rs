//! Moments and spans of time in words.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The moment so many seconds after 1970, as RFC 3339 writes it; `None` beyond the year 9999.
pub(super) fn moment(seconds: f64) -> Option<String> {
    #[allow(clippy::cast_possible_truncation, reason = "what is out of range is none")]
    let whole = seconds as i64;
    OffsetDateTime::from_unix_timestamp(whole).ok()?.format(&Rfc3339).ok()
}

/// So many seconds, in the two greatest units that matter.
pub(super) fn span(seconds: u64) -> String {
    const UNITS: [(u64, &str); 5] =
        [(365 * 86_400, "years"), (86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (length, unit) in UNITS {
        let count = rest / length;
        rest %= length;
        match (count, parts.is_empty()) {
            (0, true) => {}
            (0, false) => break,
            (count, _) => parts.push(format!("{count} {unit}")),
        }
        if parts.len() == 2 {
            break;
        }
    }
    if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        for (seconds, words) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (61, "1 min 1 s"),
            (3_600, "1 h"),
            (3_601, "1 h"),
            (90_000, "1 d 1 h"),
            (86_460, "1 d"),
            (400 * 86_400, "1 years 35 d"),
        ] {
            assert_eq!(span(seconds), words, "{seconds}");
        }
    }

    #[test]
    fn moments() {
        for (seconds, words) in [
            (0.0, Some("1970-01-01T00:00:00Z")),
            (1_767_225_600.9, Some("2026-01-01T00:00:00Z")),
            (1e19, None),
            (-1.0, Some("1969-12-31T23:59:59Z")),
        ] {
            assert_eq!(moment(seconds).as_deref(), words, "{seconds}");
        }
    }
}

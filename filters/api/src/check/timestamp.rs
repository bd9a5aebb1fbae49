//! Points in time.

use crate::resource::Timestamp;

/// A point in time of RFC 3339, such as Kubernetes' `2024-05-01T12:00:00Z`; fractions of a second are cut off.
pub(crate) fn parse(text: &str) -> Result<Timestamp, String> {
    read(text).map(Timestamp).ok_or_else(|| "is not a point in time like `2024-05-01T12:00:00Z`".to_owned())
}

fn read(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once(['T', 't'])?;
    let (time, offset) = match rest.strip_suffix(['Z', 'z']) {
        Some(time) => (time, 0),
        None => {
            let at = rest.rfind(['+', '-'])?;
            let (time, zone) = rest.split_at_checked(at)?;
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            let seconds = number(hours, 2, 23)? * 3600 + number(minutes, 2, 59)? * 60;
            (time, if zone.starts_with('-') { -seconds } else { seconds })
        }
    };
    let mut date = date.split('-');
    let (year, month, day) =
        (number(date.next()?, 4, 9999)?, number(date.next()?, 2, 12)?, number(date.next()?, 2, 31)?);
    let mut time = time.split_once('.').map_or(time, |(time, _)| time).split(':');
    let (hour, minute, second) =
        (number(time.next()?, 2, 23)?, number(time.next()?, 2, 59)?, number(time.next()?, 2, 60)?);
    if date.next().is_some() || time.next().is_some() || month == 0 || day == 0 {
        return None;
    }
    Some(days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset)
}

fn number(text: &str, length: usize, highest: i64) -> Option<i64> {
    let good = text.len() == length && text.bytes().all(|letter| letter.is_ascii_digit());
    text.parse().ok().filter(|number| good && *number <= highest)
}

/// Days since 1970-01-01, in years which begin in March so that a leap day is the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn reads_rfc_3339() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T12:00:00Z", Some(951_825_600)),
            ("2024-05-01T12:00:00.123Z", Some(1_714_564_800)),
            ("2024-05-01T14:00:00+02:00", Some(1_714_564_800)),
            ("1969-12-31T23:59:59Z", Some(-1)),
            ("2024-05-01", None),
            ("2024-05-01T12:00:00", None),
            ("2024-13-01T12:00:00Z", None),
            ("2024-00-01T12:00:00Z", None),
            ("24-05-01T12:00:00Z", None),
            ("", None),
            ("TZ", None),
            ("é-+T:", None),
        ] {
            assert_eq!(read(text), seconds, "{text}");
        }
    }
}

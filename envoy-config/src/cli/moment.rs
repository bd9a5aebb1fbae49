//! `--now`

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use outrigger_core::Now;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// This moment.
pub(super) fn now() -> Now {
    Now(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO))
}

/// A moment as RFC 3339 writes it.
pub(super) fn parse(text: &str) -> Result<Now, String> {
    let time = OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|error| format!("`{text}` is no moment such as `2030-01-02T03:04:05Z`: {error}"))?;
    let seconds = u64::try_from(time.unix_timestamp()).map_err(|_| "the time is before 1970".to_owned())?;
    Ok(Now(Duration::new(seconds, time.nanosecond())))
}

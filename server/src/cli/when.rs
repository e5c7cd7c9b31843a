//! Moments on the command line: RFC 3339, a date, or how long ago.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::clock;

/// `2026-11-21T12:00:00Z`, `2026-11-21` (its beginning in UTC), or `2h` (ago).
pub(super) fn parse(text: &str) -> Result<SystemTime, String> {
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Ok(time.into());
    }
    if let Ok(date) = text.parse::<jiff::civil::Date>() {
        let midnight = date.at(0, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC);
        return midnight.map(|zoned| zoned.timestamp().into()).map_err(|error| error.to_string());
    }
    let ago = humantime::parse_duration(text).map_err(
        |_| "must be a moment (2026-11-21T12:00:00Z), a date (2026-11-21), or how long ago (2h)",
    )?;
    now().checked_sub(ago).ok_or_else(|| "is too long ago".to_owned())
}

/// The present moment.
pub(super) fn now() -> SystemTime {
    let micros = u64::try_from(clock::now().as_micros()).unwrap_or_default();
    UNIX_EPOCH + Duration::from_micros(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_understood() {
        let noon = UNIX_EPOCH + Duration::from_secs(1_795_262_400);
        assert_eq!(parse("2026-11-21T12:00:00Z"), Ok(noon));
        assert_eq!(parse("2026-11-21T14:00:00+02:00"), Ok(noon));
        assert_eq!(parse("2026-11-21"), Ok(noon - Duration::from_secs(12 * 3600)));
        let ago = now().duration_since(parse("2h").expect("a duration")).expect("before now");
        assert!(ago.abs_diff(Duration::from_secs(7200)) < Duration::from_secs(60), "{ago:?}");
        for text in ["", "yesterday", "2026-13-01", "12:00"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}

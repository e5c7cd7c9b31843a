//! What signatures have in common: headers that stand once, and a signed time.

use super::{Rejected, Request};

/// The value of a header that must stand once: of two, nobody can say which was signed. `name` is
/// in lower case, `place` is how the provider writes it.
pub(super) fn only<'a>(
    request: &Request<'a>,
    name: &'static str,
    place: &'static str,
) -> Result<&'a str, Rejected> {
    let mut values = request.header(name);
    match (values.next(), values.next()) {
        (None, _) => Err(Rejected::Missing { place }),
        (Some(value), None) => Ok(value),
        (Some(_), Some(_)) => Err(Rejected::Malformed { place }),
    }
}

/// A time as a whole number, as it is signed: no sign, no spaces, no needless zeros.
pub(super) fn whole_number(text: &str) -> Option<i64> {
    let is_plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    if is_plain { text.parse().ok() } else { None }
}

/// Refuses a signed time that is further off than allowed, on either side.
pub(super) fn check_window(seconds_off: i64, seconds_max: i64) -> Result<(), Rejected> {
    let seconds_max = seconds_max.max(0);
    if seconds_off.unsigned_abs() > seconds_max.unsigned_abs() {
        return Err(Rejected::OutsideWindow { seconds_off, seconds_max });
    }
    Ok(())
}

//! What signatures have in common: headers that stand once, an HMAC, a window of time.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{AccountSettings, Rejected, Request};
use crate::domain::time::Time;

/// The value of a header that must stand once: of two, nobody can say which was signed.
pub(super) fn only<'a>(request: &Request<'a>, name: &'static str) -> Result<&'a str, Rejected> {
    only_at(request, name, name)
}

/// The same; `name` is in lower case, `place` is how the provider writes it.
pub(super) fn only_at<'a>(
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

/// 32 bytes in lower-case hex, as providers that compare texts write them.
pub(super) fn lower_hex(text: &str) -> Option<[u8; 32]> {
    let lower_case = !text.bytes().any(|b| b.is_ascii_uppercase());
    let mut bytes = [0; 32];
    (lower_case && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

/// True if the tag is the HMAC-SHA256 of these parts, one after another, with that key. In
/// constant time.
pub(super) fn is_hmac_sha256(key: &[u8], parts: &[&[u8]], tag: &[u8]) -> bool {
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
    parts.iter().fold(mac, |mac, part| mac.chain_update(part)).verify_slice(tag).is_ok()
}

/// A time as a whole number, as it is signed: no sign, no spaces, no needless zeros.
pub(super) fn whole_number(text: &str) -> Option<i64> {
    let is_plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    if is_plain { text.parse().ok() } else { None }
}

/// How far a signed time is off, in whole seconds; positive for the future.
pub(super) fn seconds_off(signed: Time, now: Time) -> i64 {
    signed.as_seconds().saturating_sub(now.as_seconds())
}

/// Refuses a signed time that is off by more than the account's tolerance, either way.
pub(super) fn check_time(
    signed: Time,
    settings: &AccountSettings,
    now: Time,
) -> Result<(), Rejected> {
    check_window(seconds_off(signed, now), settings.tolerance_seconds)
}

/// Refuses a signed time that is further off than allowed, on either side.
pub(super) fn check_window(seconds_off: i64, seconds_max: i64) -> Result<(), Rejected> {
    let seconds_max = seconds_max.max(0);
    if seconds_off.unsigned_abs() > seconds_max.unsigned_abs() {
        return Err(Rejected::OutsideWindow { seconds_off, seconds_max });
    }
    Ok(())
}

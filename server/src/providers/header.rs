//! What several adapters check alike: a header that stands once, an HMAC, a window of time.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{AccountSettings, Rejected, Request};
use crate::domain::time::Time;

/// The value of a header that must stand once: of two, nobody can say which was signed.
pub(super) fn only<'a>(request: &Request<'a>, name: &'static str) -> Result<&'a str, Rejected> {
    let mut values = request.header(name);
    match (values.next(), values.next()) {
        (None, _) => Err(Rejected::Missing { place: name }),
        (Some(value), None) => Ok(value),
        (Some(_), Some(_)) => Err(Rejected::Malformed { place: name }),
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

/// Refuses a signed time that is off by more than the account's tolerance, either way.
pub(super) fn check_window(
    signed: Time,
    settings: &AccountSettings,
    now: Time,
) -> Result<(), Rejected> {
    let seconds_off = signed.as_seconds().saturating_sub(now.as_seconds());
    let seconds_max = settings.tolerance_seconds.max(0);
    if seconds_off.unsigned_abs() > seconds_max.unsigned_abs() {
        return Err(Rejected::OutsideWindow { seconds_off, seconds_max });
    }
    Ok(())
}

//! The signature of Gr4vy's webhooks: `{timestamp}.{raw body}` with HMAC-SHA256, as lower-case hex,
//! one for each active secret.
//!
//! Decided here: spaces around a signature do not matter, and several headers of the name count
//! as one list, as HTTP has it; what cannot be a signature is skipped as long as one can be; the
//! time is checked last, so that the operator hears of a wrong clock only where the secret is right.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{
    domain::time::Time,
    providers::{AccountSettings, Rejected, Request, signed},
};

/// Signatures that one request may carry.
pub(super) const SIGNATURES_MAX: usize = 16;

/// The header with the signatures, in lower case and as it is documented.
const SIGNATURES: &str = "x-gr4vy-webhook-signatures";
const SIGNATURES_PLACE: &str = "X-Gr4vy-Webhook-Signatures";
/// The header with the time, likewise.
const TIMESTAMP: &str = "x-gr4vy-webhook-timestamp";
const TIMESTAMP_PLACE: &str = "X-Gr4vy-Webhook-Timestamp";

/// Checks the headers of a request against the account's secrets.
pub(super) fn verify(
    request: &Request<'_>,
    settings: &AccountSettings,
    now: Time,
) -> Result<(), Rejected> {
    if settings.active_secrets(now).next().is_none() {
        return Err(Rejected::NoSecret);
    }
    let signatures = signatures(request)?;
    let timestamp = signed::only(request, TIMESTAMP, TIMESTAMP_PLACE)?;
    let seconds =
        signed::whole_number(timestamp).ok_or(Rejected::Malformed { place: TIMESTAMP_PLACE })?;
    // All secrets and signatures are tried, whichever fit: the time taken tells nothing.
    let mut is_signed = false;
    for secret in settings.active_secrets(now) {
        for signature in &signatures {
            is_signed |= is_signed_with(secret, timestamp, request.body, signature);
        }
    }
    if !is_signed {
        return Err(Rejected::Mismatch);
    }
    signed::check_window(seconds.saturating_sub(now.as_seconds()), settings.tolerance_seconds)
}

fn signatures(request: &Request<'_>) -> Result<Vec<[u8; 32]>, Rejected> {
    let all = || request.header(SIGNATURES).flat_map(|value| value.split(',')).map(str::trim);
    let count = all().filter(|text| !text.is_empty()).take(SIGNATURES_MAX + 1).count();
    if count == 0 {
        return Err(Rejected::Missing { place: SIGNATURES_PLACE });
    }
    let signatures: Vec<_> = all().take(SIGNATURES_MAX + 1).filter_map(parse).collect();
    if count > SIGNATURES_MAX || signatures.is_empty() {
        return Err(Rejected::Malformed { place: SIGNATURES_PLACE });
    }
    Ok(signatures)
}

fn parse(text: &str) -> Option<[u8; 32]> {
    let lower_case = !text.bytes().any(|b| b.is_ascii_uppercase());
    let mut bytes = [0; 32];
    (lower_case && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

fn is_signed_with(secret: &str, timestamp: &str, body: &[u8], signature: &[u8]) -> bool {
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
    let mac = mac.chain_update(timestamp).chain_update(b".").chain_update(body);
    mac.verify_slice(signature).is_ok()
}

//! The signature of Gr4vy's webhooks: `{timestamp}.{raw body}` with HMAC-SHA256, as lower-case hex,
//! one for each active secret.
//!
//! Decided here: spaces around a signature do not matter, and several headers of the name count
//! as one list, as HTTP has it; what cannot be a signature is skipped as long as one can be; the
//! time is checked last, so that the operator hears of a wrong clock only where the secret is right.

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
    let timestamp = signed::only_at(request, TIMESTAMP, TIMESTAMP_PLACE)?;
    let seconds =
        signed::whole_number(timestamp).ok_or(Rejected::Malformed { place: TIMESTAMP_PLACE })?;
    // All secrets and signatures are tried, whichever fit: the time taken tells nothing.
    let signed = [timestamp.as_bytes(), b".", request.body];
    let mut is_signed = false;
    for secret in settings.active_secrets(now) {
        for signature in &signatures {
            is_signed |= signed::is_hmac_sha256(secret.as_bytes(), &signed, signature);
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
    let signatures: Vec<_> = all().take(SIGNATURES_MAX + 1).filter_map(signed::lower_hex).collect();
    if count > SIGNATURES_MAX || signatures.is_empty() {
        return Err(Rejected::Malformed { place: SIGNATURES_PLACE });
    }
    Ok(signatures)
}

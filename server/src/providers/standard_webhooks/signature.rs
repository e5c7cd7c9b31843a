//! The signature of Standard Webhooks, specification v1.0.0: `{id}.{timestamp}.{body}` signed
//! with HMAC-SHA256 (`v1`, secrets `whsec_…`) or ed25519 (`v1a`, public keys `whpk_…`).
//!
//! The specification leaves some things open, and its libraries differ. Decided here:
//! - the body is signed as raw bytes, also where it is not UTF-8 (reading refuses it later);
//! - base64 may come without its padding, in secrets and signatures; it is compared as bytes;
//! - a secret without a prefix is taken for `whsec_`, as the libraries do; one of less than the
//!   specification's 24 bytes is not usable, nor is a private key (`whsk_`);
//! - signatures of an unknown version are skipped, and of a known version that cannot be one;
//! - the signed time may be off on both sides by the tolerance, as in the libraries, and is
//!   checked last, so that the operator hears of a wrong clock only where the secret is right.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode::Indifferent, GeneralPurpose, GeneralPurposeConfig},
};
use ed25519_dalek::{Signature, VerifyingKey};

use super::ID;
use crate::{
    domain::time::Time,
    providers::{AccountSettings, Rejected, Request, signed},
};

/// Signatures that one request may carry: one for each of a sender's active secrets.
pub(super) const SIGNATURES_MAX: usize = 16;
/// Bytes of a symmetric secret, at least: 192 bits.
pub(super) const SECRET_BYTES_MIN: usize = 24;

const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(Indifferent),
);

/// Checks the headers of a request against the account's secrets.
pub(super) fn verify(
    request: &Request<'_>,
    settings: &AccountSettings,
    now: Time,
) -> Result<(), Rejected> {
    let keys: Vec<Key> = settings.active_secrets(now).filter_map(Key::parse).collect();
    if keys.is_empty() {
        return Err(Rejected::NoSecret);
    }
    let id = signed::only(request, ID)?;
    let timestamp = signed::only(request, TIMESTAMP)?;
    if id.is_empty() || id.contains('.') {
        return Err(Rejected::Malformed { place: ID });
    }
    let seconds = whole_seconds(timestamp).ok_or(Rejected::Malformed { place: TIMESTAMP })?;
    let signed = [id.as_bytes(), b".", timestamp.as_bytes(), b".", request.body].concat();
    let mut is_signed = false;
    for proof in proofs(request)? {
        for key in &keys {
            is_signed |= key.accepts(&signed, &proof);
        }
    }
    if !is_signed {
        return Err(Rejected::Mismatch);
    }
    signed::check_window(seconds.saturating_sub(now.as_seconds()), settings.tolerance_seconds)
}

/// What can check a proof.
enum Key {
    Shared(Vec<u8>),
    Public(VerifyingKey),
}

impl Key {
    fn parse(text: &str) -> Option<Self> {
        if let Some(public) = text.strip_prefix("whpk_") {
            let bytes: [u8; 32] = BASE64.decode(public).ok()?.try_into().ok()?;
            return VerifyingKey::from_bytes(&bytes).ok().map(Self::Public);
        }
        let secret = BASE64.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok()?;
        (secret.len() >= SECRET_BYTES_MIN).then_some(Self::Shared(secret))
    }

    /// In constant time where a secret is used; for a public key there is nothing to hide.
    fn accepts(&self, signed: &[u8], proof: &Proof) -> bool {
        match (self, proof) {
            (Self::Shared(secret), Proof::Hmac(tag)) => {
                signed::is_hmac_sha256(secret, &[signed], tag)
            }
            (Self::Public(key), Proof::Ed25519(signature)) => {
                key.verify_strict(signed, signature).is_ok()
            }
            _ => false,
        }
    }
}

/// A signature of a version that we know.
enum Proof {
    Hmac([u8; 32]),
    Ed25519(Signature),
}

impl Proof {
    fn parse(version: &str, text: &str) -> Option<Self> {
        let bytes = BASE64.decode(text).ok()?;
        match version {
            "v1" => bytes.try_into().ok().map(Self::Hmac),
            _ => Signature::from_slice(&bytes).ok().map(Self::Ed25519),
        }
    }
}

fn proofs(request: &Request<'_>) -> Result<Vec<Proof>, Rejected> {
    let known = |text: &&str| text.starts_with("v1,") || text.starts_with("v1a,");
    let all = || request.header(SIGNATURE).flat_map(|value| value.split(' '));
    let count = all().filter(known).take(SIGNATURES_MAX + 1).count();
    if count == 0 {
        return Err(Rejected::Missing { place: SIGNATURE });
    }
    let parsed = |text: &str| text.split_once(',').and_then(|(v, text)| Proof::parse(v, text));
    let proofs: Vec<Proof> = all().filter(known).filter_map(parsed).take(count).collect();
    if count > SIGNATURES_MAX || proofs.is_empty() {
        return Err(Rejected::Malformed { place: SIGNATURE });
    }
    Ok(proofs)
}

fn whole_seconds(text: &str) -> Option<i64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

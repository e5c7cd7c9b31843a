//! The three signatures of BlockATM, and the sorted text that two of them sign.
//!
//! The sorted text has each name and value as `name=value`, names in ASCII order, joined by `&`; `null` is
//! left out. Numbers keep their own digits. What stands in inner objects and lists would be laid flat
//! as well \[S\], so that the text does not tell at which depth a value stood: a field could be hidden
//! from the reading under the signature that it had outside. A payment's body is flat, so a body
//! with an object or a list is refused.
//!
//! That text has no structure, so several bodies could have the same one. Refused, because nobody
//! could say which was signed: a name that stands twice, a name or a text with `&`, a name with
//! `=`. What is left can be split into names and values in one way only.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde_json::value::RawValue;

use super::{SIGNATURE, TIME_WINDOW};
use crate::{
    domain::time::Time,
    providers::{AccountSettings, Rejected, Request, json::Object, signed},
};

const TIME: &str = "blockatm-request-time";
const TIME_PLACE: &str = "BlockATM-Request-Time";
const V1: &str = "blockatm-signature-v1";
const V1_PLACE: &str = "BlockATM-Signature-V1";
const V2: &str = "blockatm-signature-v2";
const V2_PLACE: &str = "BlockATM-Signature-V2";
/// Where the sorted text comes from, for errors.
const BODY_PLACE: &str = "the body, whose names and values cannot be sorted in one way,";

/// What stands before the point in the DER of a P-256 public key (RFC 5480).
const P256_SPKI: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Checks the headers of a request against the account's secrets.
pub(super) fn verify(
    request: &Request<'_>,
    settings: &AccountSettings,
    now: Time,
) -> Result<(), Rejected> {
    match settings.option(SIGNATURE) {
        Some("ecdsa") => verify_v1(request, settings, now)?,
        scheme => verify_v2(request, settings, now, scheme == Some("sorted"))?,
    }
    if settings.option(TIME_WINDOW) != Some("on") {
        return Ok(());
    }
    let millis = signed::whole_number(signed::only_at(request, TIME, TIME_PLACE)?)
        .ok_or(Rejected::Malformed { place: TIME_PLACE })?;
    // In milliseconds, so that a part of a second too much is too much.
    let millis_off = millis.saturating_sub(now.as_micros() / 1000);
    let seconds_off = millis_off.saturating_add(999 * millis_off.signum()) / 1000;
    signed::check_window(seconds_off, settings.tolerance_seconds)
}

fn verify_v2(
    request: &Request<'_>,
    settings: &AccountSettings,
    now: Time,
    is_sorted: bool,
) -> Result<(), Rejected> {
    if settings.active_secrets(now).next().is_none() {
        return Err(Rejected::NoSecret);
    }
    let malformed = Rejected::Malformed { place: V2_PLACE };
    let mut signature = [0; 32];
    hex::decode_to_slice(signed::only_at(request, V2, V2_PLACE)?, &mut signature)
        .map_err(|_| malformed)?;
    let time = signed_time(request)?;
    let sorted = if is_sorted { Some(sorted(request.body)?) } else { None };
    let text = sorted.as_deref().map_or(request.body, str::as_bytes);
    // All secrets are tried, whichever fits: the time taken tells nothing.
    let parts = [text, b"&time=", time.as_bytes()];
    let fits = |secret: &&str| signed::is_hmac_sha256(secret.as_bytes(), &parts, &signature);
    let matches = settings.active_secrets(now).filter(fits).count();
    if matches == 0 { Err(Rejected::Mismatch) } else { Ok(()) }
}

/// There is nothing to hide here: the key is public.
fn verify_v1(request: &Request<'_>, settings: &AccountSettings, now: Time) -> Result<(), Rejected> {
    let keys: Vec<_> = settings.active_secrets(now).filter_map(public_key).collect();
    if keys.is_empty() {
        return Err(Rejected::NoSecret);
    }
    let signature = BASE64
        .decode(signed::only_at(request, V1, V1_PLACE)?)
        .map_err(|_| Rejected::Malformed { place: V1_PLACE })?;
    let text = format!("{}&time={}", sorted(request.body)?, signed_time(request)?);
    let fits = |point: &Vec<u8>| {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point);
        key.verify(text.as_bytes(), &signature).is_ok()
    };
    if keys.iter().any(fits) { Ok(()) } else { Err(Rejected::Mismatch) }
}

/// The point of a public key, which is given as base64 of its DER, also between PEM's lines.
fn public_key(text: &str) -> Option<Vec<u8>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("-----"));
    let der = BASE64.decode(lines.collect::<String>()).ok()?;
    let point = der.strip_prefix(P256_SPKI)?;
    (point.len() == 65).then(|| point.to_vec())
}

fn signed_time<'a>(request: &Request<'a>) -> Result<&'a str, Rejected> {
    let time = signed::only_at(request, TIME, TIME_PLACE)?;
    signed::whole_number(time).ok_or(Rejected::Malformed { place: TIME_PLACE })?;
    Ok(time)
}

/// The names and values of a body, sorted.
fn sorted(body: &[u8]) -> Result<String, Rejected> {
    let object = Object::of_body(body).ok();
    let text = object.and_then(|object| in_order(&object));
    text.ok_or(Rejected::Malformed { place: BODY_PLACE })
}

fn in_order(object: &Object<'_>) -> Option<String> {
    let mut members: Vec<_> = object.members().collect();
    members.sort_by_key(|(name, _)| *name);
    if members.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return None;
    }
    let mut text = String::new();
    for (name, value) in members.into_iter().filter(|(_, value)| value.get() != "null") {
        let value = plain_text(value)?;
        if name.contains(['&', '=']) || value.contains('&') {
            return None;
        }
        let point = if text.is_empty() { "" } else { "&" };
        text.extend([point, name, "=", &value]);
    }
    Some(text)
}

/// A text, or a number or truth value as it is written. `None` for an object or a list.
fn plain_text(value: &RawValue) -> Option<Cow<'_, str>> {
    match value.get().as_bytes().first()? {
        b'{' | b'[' => None,
        b'"' => serde_json::from_str(value.get()).ok().map(Cow::Owned),
        _ => Some(Cow::Borrowed(value.get())),
    }
}

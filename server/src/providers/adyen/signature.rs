//! The signature of one item.
//!
//! Signed is `pspReference:originalReference:merchantAccountCode:merchantReference:value:currency:
//! eventCode:success`, each as it stands in the item, what is missing as nothing, and nothing
//! escaped (older guides escape `\` and `:`; the official vectors hold both as they are).
//!
//! Because nothing is escaped, a `:` could shift the fields into one another: the text of payment
//! `P` with the reference `x:y` would also be that of an account `M:x` with the reference `y`. Only a
//! merchant's reference can hold a `:`, so an item that has one in another field is refused. Then
//! three fields stand before the reference and four after it, and the text can be cut in one way
//! only: what is read is what was signed, and a reference with a `:` can be believed.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::truth;
use crate::{
    domain::time::Time,
    providers::{AccountSettings, Rejected, Unreadable, json::Object, signed},
};

/// Where the signature stands, for errors.
pub(super) const PLACE: &str = "additionalData.hmacSignature";

/// Bytes of an HMAC-SHA256.
const MAC_BYTES: usize = 32;

/// The keys that count. One that is not hex can be none of Adyen's.
pub(super) fn keys(settings: &AccountSettings, now: Time) -> Vec<Vec<u8>> {
    settings.active_secrets(now).filter_map(|key| hex::decode(key).ok()).collect()
}

/// Checks one item.
pub(super) fn verify(item: &Object<'_>, keys: &[Vec<u8>]) -> Result<(), Rejected> {
    let malformed = |_| Rejected::Malformed { place: PLACE };
    let missing = Rejected::Missing { place: PLACE };
    let data = item.maybe_object("additionalData").map_err(malformed)?.ok_or(missing.clone())?;
    let given = data.text("hmacSignature").map_err(malformed)?.ok_or(missing)?;
    let given = BASE64.decode(given).ok().filter(|mac| mac.len() == MAC_BYTES);
    let given = given.ok_or(Rejected::Malformed { place: PLACE })?;
    let text = signed_text(item).map_err(malformed)?;
    let text = text.ok_or(Rejected::Malformed { place: "a field other than the reference" })?;
    // All keys are tried, whichever fits: the time taken tells nothing.
    let matches =
        keys.iter().filter(|key| signed::is_hmac_sha256(key, &[text.as_bytes()], &given)).count();
    if matches == 0 { Err(Rejected::Mismatch) } else { Ok(()) }
}

/// What the signature covers; `None` if the fields could be shifted into one another.
fn signed_text(item: &Object<'_>) -> Result<Option<String>, Unreadable> {
    let text = |name: &str| item.text(name).map(Option::unwrap_or_default);
    let (value, currency) = match item.maybe_object("amount")? {
        None => (String::new(), String::new()),
        Some(amount) => (written(&amount, "value")?, written(&amount, "currency")?),
    };
    let success = truth(item, "success")?.map(|success| success.to_string());
    let before = [text("pspReference")?, text("originalReference")?, text("merchantAccountCode")?];
    let after = [value, currency, text("eventCode")?, success.unwrap_or_default()];
    if before.iter().chain(&after).any(|field| field.contains(':')) {
        return Ok(None);
    }
    let reference = text("merchantReference")?;
    Ok(Some(format!("{}:{reference}:{}", before.join(":"), after.join(":"))))
}

/// A number's own text, or that of a string.
fn written(object: &Object<'_>, name: &str) -> Result<String, Unreadable> {
    match object.value(name)?.map(serde_json::value::RawValue::get) {
        Some(number) if !number.starts_with('"') => Ok(number.to_owned()),
        _ => object.text(name).map(Option::unwrap_or_default),
    }
}

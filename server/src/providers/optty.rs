//! Optty: payments through many methods, one webhook format.
//!
//! Sources, named in brackets where a fact stands:
//! - \[N\] docs.optty.com, "Notification Handling": the four events, their statuses, fields and
//!   examples; an older copy of the page names `ORDER_STATUS_UPDATE` too.
//! - \[E\] docs.optty.com, "Exception Handling": PENDING is not the end.
//! - \[H\] docs.optty.com, "Handle payment response": the hash of the browser redirect.
//! - \[W\] Optty's own WooCommerce plugin 1.0.0: how it makes the hash, the status `failed`.
//!
//! **The hash.** `data.hash` is the HMAC-SHA512 of `{status}|{reference}`, keyed with the payment
//! secret as UTF-8 text, in lower-case hex. \[H\] and \[W\] say so of the redirect; for webhooks
//! nothing is documented, and the examples of \[N\] fit it in length where they are not cut short.
//! `status` is `data.status` as received, also for a void; `reference` is `data.reference`, or
//! `data.orderReference` where there is none. It binds neither the event's kind, nor the amount,
//! nor a time, so what it proves is [`Basis::WeakWebhook`]: whoever saw the redirect holds a hash
//! that stays valid for that status and reference for ever. A status with a `|` is refused, so
//! the two signed parts cannot be shifted into one another, whatever the event makes of them.
//!
//! Not documented at all: headers, what answer is expected (any 2xx is assumed), how often and
//! how long Optty retries, and a time of the event, so statements carry none.

mod reading;
mod status;
#[cfg(test)]
mod tests;

use std::ops::Range;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha512;

use super::{
    AccountSettings, Acknowledgement, OptionSpec, Provider, Reading, Rejected, Request, StatusApi,
    Unreadable,
    json::{self, Object},
};
use crate::domain::{statement::Basis, time::Time};

/// Card tokens, and repeats of one, that are told apart in a raw response; beyond, all of it is
/// sensitive.
const TOKEN_REPEATS_MAX: usize = 16;

/// Bytes of all tokens together that are looked for in a raw response; beyond, all of it is
/// sensitive. It bounds the work: every place is compared with every token.
const TOKEN_BYTES_MAX: usize = 256;

/// Where the hash stands, for errors.
const HASH: &str = "data.hash";

/// The adapter.
#[derive(Clone, Copy, Debug)]
pub struct Optty;

impl Provider for Optty {
    fn options(&self) -> &'static [OptionSpec] {
        &[status::REFUND_ID]
    }

    fn verify(
        &self,
        request: &Request<'_>,
        settings: &AccountSettings,
        now: Time,
    ) -> Result<(), Rejected> {
        let secrets = || settings.active_secrets(now);
        if secrets().next().is_none() {
            return Err(Rejected::NoSecret);
        }
        let malformed = |_| Rejected::Malformed { place: HASH };
        let body = Object::of_body(request.body).map_err(malformed)?;
        let data = body.object("data").map_err(malformed)?;
        let hash = data.text("hash").map_err(malformed)?;
        let hash = hash_bytes(&hash.ok_or(Rejected::Missing { place: HASH })?)
            .ok_or(Rejected::Malformed { place: HASH })?;
        let status = data.text("status").map_err(malformed)?;
        let reference = signed_reference(&data).map_err(malformed)?;
        let (Some(status), Some(reference)) = (status, reference) else {
            let place = "data.hash, of a status and a reference that are not there,";
            return Err(Rejected::Malformed { place });
        };
        // The reference may hold one: with a status that may not, the text is cut in one way only.
        if status.contains('|') {
            return Err(Rejected::Malformed { place: "data.status" });
        }
        let signed = format!("{status}|{reference}");
        // All secrets are tried, whichever fits: the time taken tells nothing.
        let matches = secrets().filter(|secret| is_signed_with(secret, &signed, &hash)).count();
        if matches == 0 { Err(Rejected::Mismatch) } else { Ok(()) }
    }

    fn read(&self, request: &Request<'_>, _: &AccountSettings) -> Result<Vec<Reading>, Unreadable> {
        json::check_depth(request.body)?;
        let body = Object::of_body(request.body)?;
        reading::read(&body, request.body).map(|reading| vec![reading])
    }

    /// What answer Optty expects is not documented; 200 is the plainest.
    fn acknowledge(&self) -> Acknowledgement {
        Acknowledgement { status: 200, body: "" }
    }

    fn basis(&self, settings: &AccountSettings) -> Basis {
        if settings.confirm_payments { Basis::DoubtfulWebhook } else { Basis::WeakWebhook }
    }

    fn status_api(&self) -> Option<&'static dyn StatusApi> {
        Some(&status::Status)
    }

    /// Optty wants an `orderReference` that is unique for the merchant.
    fn reference_identifies_attempt(&self) -> bool {
        true
    }

    /// The text of `data.token`, without its quotes, and its repeats in the raw response of the
    /// payment method, which merchants can have forwarded \[N\].
    fn sensitive(&self, body: &[u8]) -> Vec<Range<usize>> {
        let Ok(data) = Object::of_body(body).and_then(|body| body.object("data")) else {
            return Vec::new();
        };
        let tokens = spelled(&data, &["token", "cardtoken"]);
        let mut ranges: Vec<_> =
            tokens.filter_map(|value| json::string_range(body, value)).collect();
        let texts: Vec<&[u8]> = ranges.iter().map(|range| &body[range.clone()]).collect();
        let raw_ranges = self.raw_response(body);
        let repeats = raw_ranges.into_iter().flat_map(|raw| repeats(body, &raw, &texts));
        ranges.extend(repeats.collect::<Vec<_>>());
        joined(ranges)
    }

    /// `data.rawBNPLResponse`, in any of its spellings \[N\].
    fn raw_response(&self, body: &[u8]) -> Vec<Range<usize>> {
        let Ok(data) = Object::of_body(body).and_then(|body| body.object("data")) else {
            return Vec::new();
        };
        let values = spelled(&data, &["rawbnplresponse"]);
        values.filter_map(|value| json::value_range(body, value)).collect()
    }
}

/// The values of these names, whatever their case and with or without underscores.
fn spelled<'a>(
    data: &Object<'a>,
    names: &'static [&str],
) -> impl Iterator<Item = &'a serde_json::value::RawValue> {
    let is_meant = |name: &str| names.contains(&&*name.replace('_', "").to_ascii_lowercase());
    data.members().filter(move |(name, _)| is_meant(name)).map(|(_, value)| value)
}

/// The reference that the hash covers: the order's, by the name that the event gives it.
fn signed_reference(data: &Object<'_>) -> Result<Option<String>, Unreadable> {
    data.text_spelled(&["reference", "orderReference"])
}

fn hash_bytes(text: &str) -> Option<[u8; 64]> {
    let lower_case = !text.bytes().any(|b| b.is_ascii_uppercase());
    let mut bytes = [0; 64];
    (lower_case && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

fn is_signed_with(secret: &str, signed: &str, hash: &[u8]) -> bool {
    let Ok(mac) = Hmac::<Sha512>::new_from_slice(secret.as_bytes()) else { return false };
    mac.chain_update(signed).verify_slice(hash).is_ok()
}

/// Where any of the texts stands within a range of the body.
fn repeats(body: &[u8], within: &Range<usize>, texts: &[&[u8]]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let bytes: usize = texts.iter().map(|text| text.len()).sum();
    if texts.len() > TOKEN_REPEATS_MAX || bytes > TOKEN_BYTES_MAX {
        return vec![within.clone()];
    }
    for text in texts {
        let windows = body[within.clone()].windows(text.len()).enumerate();
        let starts = windows.filter(|(_, window)| window == text).map(|(at, _)| within.start + at);
        found.extend(starts.take(TOKEN_REPEATS_MAX + 1).map(|start| start..start + text.len()));
    }
    if found.len() > TOKEN_REPEATS_MAX { vec![within.clone()] } else { found }
}

/// Sorted, and without overlaps.
fn joined(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

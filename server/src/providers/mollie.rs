//! Mollie: classic webhooks that name a payment and no more, or signed next-gen webhooks.
//!
//! Sources, named in brackets where a fact stands:
//! - \[D\] docs.mollie.com: webhooks (classic and next-gen), the webhook pages of the Payments,
//!   Refunds and Captures APIs, payment statuses, placing a hold, releasing an authorisation.
//! - \[S\] mollie-api-php: its signature validator, and the two webhook bodies among its fixtures.
//!
//! **Classic** webhooks come to the `webhookUrl` of a payment: a form with one field, `id=tr_…`,
//! which nobody signs \[D\]. So they prove nothing, and say nothing but that the payment should be
//! looked at; that is all we do with them. Anything but one such field is refused.
//!
//! **Next-gen** webhooks are signed: `X-Mollie-Signature` is `sha256=` and the hex HMAC-SHA256 of the
//! raw body, keyed with the secret as text. While a secret is being changed there are two such
//! headers; any that fits is enough. Mollie's own validator takes a request without the header for
//! a classic one: here that is a rejection, because it is an account of the other kind. The signature
//! binds no time, so a replay is told by the event's id alone.
//!
//! The body is documented in two ways. An *event* (`"resource": "event"`) has an id, a type and an
//! `entityId`; with a full payload, `_embedded` holds the entity under the name of its resource
//! (`payment`) \[S\], or under `entity`, as the Events API answers \[D\]. Elsewhere the payload is said
//! to be "always simply a snapshot of the entity" \[D\]. All three are read; an event without the
//! entity makes us look at the payment.
//!
//! **Statuses** `paid`, `canceled`, `expired` and `failed` are definitive \[D\]. What was authorised and
//! is released becomes `canceled` if nothing was captured, and `paid` otherwise \[D\]: so `paid` with
//! less captured than authorised is no sale of the whole, and its captures tell how much. That a
//! refund `failed` is said after it was processed \[D\], possibly after it was `refunded`: a correction.
//! Reported, but not by Mollie: no classic webhook says that a refund in processing was refunded.
//!
//! Where the merchant's own reference stands is up to the merchant: a value of `metadata`, which
//! Mollie keeps as it was given, an object or a text that holds one.

mod entity;
mod reading;
mod status;
#[cfg(test)]
mod tests;

use std::ops::Range;

use super::{
    AccountSettings, Acknowledgement, OptionSpec, Provider, Reading, Rejected, Request, StatusApi,
    Unreadable,
    json::{self, Object},
    signed,
};
use crate::domain::{statement::Basis, time::Time};

/// Where next-gen webhooks are signed.
const SIGNATURE: &str = "x-mollie-signature";
/// The form of a classic webhook, for errors.
const FORM: &str = "the form";
/// Bytes of that form. Mollie's has about 30.
const FORM_BYTES_MAX: usize = 128;
/// Headers with a signature that are tried; Mollie sends at most two.
const SIGNATURES_MAX: usize = 8;

/// The adapter.
#[derive(Clone, Copy, Debug)]
pub struct Mollie;

impl Provider for Mollie {
    fn options(&self) -> &'static [OptionSpec] {
        &[
            OptionSpec {
                name: "webhooks",
                values: &["classic", "next-gen"],
                // What the `webhookUrl` of every payment gets; it needs no secret, and cannot do
                // harm. Next-gen webhooks must be set up on their own.
                default: Some("classic"),
                help: "classic: a payment's id, unsigned; next-gen: signed events",
            },
            OptionSpec {
                name: "reference_metadata_key",
                values: &[],
                default: Some("order_id"),
                help: "the name in a payment's metadata under which its reference stands",
            },
            OptionSpec {
                name: "operation_metadata_key",
                values: &[],
                default: None,
                help: "the name in a refund's or capture's metadata under which its own reference \
                       stands, different for each",
            },
        ]
    }

    fn signs_webhooks(&self, settings: &AccountSettings) -> bool {
        is_next_gen(settings)
    }

    fn verify(
        &self,
        request: &Request<'_>,
        settings: &AccountSettings,
        now: Time,
    ) -> Result<(), Rejected> {
        if is_next_gen(settings) {
            return verify_signature(request, settings, now);
        }
        classic_id(request.body).map(drop).ok_or(Rejected::Malformed { place: FORM })
    }

    fn read(
        &self,
        request: &Request<'_>,
        settings: &AccountSettings,
    ) -> Result<Vec<Reading>, Unreadable> {
        if is_next_gen(settings) {
            json::check_depth(request.body)?;
            return reading::read(&Object::of_body(request.body)?, settings);
        }
        let id = classic_id(request.body);
        let id = id.ok_or_else(|| json::unreadable(FORM, "must hold one id"))?;
        reading::of_classic(&id).map(|reading| vec![reading])
    }

    /// 200, also for an id that is not known.
    fn acknowledge(&self) -> Acknowledgement {
        Acknowledgement { status: 200, body: "" }
    }

    /// Of next-gen webhooks; a classic one says nothing that could be trusted.
    fn basis(&self, _: &AccountSettings) -> Basis {
        Basis::Webhook
    }

    /// Metadata are the merchant's own, and Mollie does not look at them.
    fn reference_identifies_attempt(&self) -> bool {
        false
    }

    fn sensitive(&self, body: &[u8]) -> Vec<Range<usize>> {
        Object::of_body(body)
            .map(|body_read| entity::sensitive(&body_read, body))
            .unwrap_or_default()
    }

    fn status_api(&self) -> Option<&'static dyn StatusApi> {
        Some(&status::Api)
    }
}

fn is_next_gen(settings: &AccountSettings) -> bool {
    settings.option("webhooks") == Some("next-gen")
}

/// The one id of a classic webhook: two to five letters, `_`, and up to 64 letters and digits.
fn classic_id(body: &[u8]) -> Option<String> {
    if body.len() > FORM_BYTES_MAX {
        return None;
    }
    let mut fields = form_urlencoded::parse(body);
    let (name, id) = fields.next()?;
    if name != "id" || fields.next().is_some() {
        return None;
    }
    let (prefix, rest) = id.split_once('_')?;
    let is_prefix =
        (2..=5).contains(&prefix.len()) && prefix.bytes().all(|b| b.is_ascii_lowercase());
    let is_rest = (1..=64).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric());
    (is_prefix && is_rest).then(|| id.into_owned())
}

fn verify_signature(
    request: &Request<'_>,
    settings: &AccountSettings,
    now: Time,
) -> Result<(), Rejected> {
    let secrets: Vec<&str> = settings.active_secrets(now).collect();
    if secrets.is_empty() {
        return Err(Rejected::NoSecret);
    }
    let mut headers = request.header(SIGNATURE).take(SIGNATURES_MAX).peekable();
    if headers.peek().is_none() {
        return Err(Rejected::Missing { place: SIGNATURE });
    }
    let signatures: Vec<[u8; 32]> = headers.filter_map(signature_bytes).collect();
    if signatures.is_empty() {
        return Err(Rejected::Malformed { place: SIGNATURE });
    }
    // All are tried, whichever fits: the time taken tells nothing.
    let fits = |secret: &&&str| {
        signatures
            .iter()
            .filter(|mac| signed::is_hmac_sha256(secret.as_bytes(), &[request.body], *mac))
            .count()
            > 0
    };
    let matches = secrets.iter().filter(fits).count();
    if matches == 0 { Err(Rejected::Mismatch) } else { Ok(()) }
}

/// Mollie's validator takes the hex without its prefix as well \[S\].
fn signature_bytes(header: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let hex = header.strip_prefix("sha256=").unwrap_or(header);
    hex::decode_to_slice(hex, &mut bytes).is_ok().then_some(bytes)
}

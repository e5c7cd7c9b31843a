//! Square: payments and refunds, each webhook with the whole object.
//!
//! Sources, named in brackets where a fact stands:
//! - \[D\] developer.squareup.com: webhooks (subscribing, troubleshooting, `payment.*`, `refund.*`),
//!   the objects Payment, CardPaymentDetails, CardPaymentTimeline and PaymentRefund, delayed
//!   capture, updating payments, retrieving payments and refunds.
//! - \[L\] square-python-sdk: how a webhook is verified, with a vector.
//! - \[M\] Mobile Payments SDK reference: what CANCELED means.
//!
//! **The signature** is `x-square-hmacsha256-signature`: base64 of the HMAC-SHA256 of the notification
//! URL followed by the raw body, keyed with the signature key as text \[L\]. The URL is the one that
//! the subscription was made with: behind a proxy the request shows another, and whoever sends a
//! request chooses what it shows, so the URL is a setting. Several can be given while a domain
//! changes. No time is signed; a replay is told by `event_id` alone. Which environment a webhook is
//! of stands nowhere in it: sandbox and live have different signature keys.
//!
//! **Statuses.** APPROVED is authorised, COMPLETED is captured, once and for all. CANCELED is said of
//! what was approved and is released \[M\], by the merchant or, at `delayed_until`, by Square
//! (`delay_action` CANCEL) \[D\]: expired if it was voided at that time or later.
//!
//! **Amounts.** What the buyer pays is `total_money`: `amount_money` and `tip_money` \[D\]. That is
//! what is stated, because that is what can be refunded; where a tip can be added, the account
//! should accept `at_least`. A payment may be changed before it is completed \[D\], so one that is
//! completed for less than `approved_money`, the amount approved at first \[D\], is no sale of the
//! whole but a capture of a part. Square's currencies have the digits of ISO 4217.
//!
//! Not documented, so decided: whether a refund can fail after it was COMPLETED (a conflict).

mod object;
mod reading;
mod status;
#[cfg(test)]
mod tests;

use std::ops::Range;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::{
    AccountSettings, Acknowledgement, InvalidOption, OptionSpec, Provider, Reading, Rejected,
    Request, StatusApi, Unreadable,
    json::{self, Object},
    signed,
};
use crate::domain::{statement::Basis, time::Time};

/// Where the signature stands.
const SIGNATURE: &str = "x-square-hmacsha256-signature";
/// Headers with a signature that are tried; Square sends one.
const SIGNATURES_MAX: usize = 4;
/// The setting that the signature needs.
const URL: &str = "notification_url";
/// Bytes of an HMAC-SHA256.
const MAC_BYTES: usize = 32;

/// The adapter.
#[derive(Clone, Copy, Debug)]
pub struct Square;

impl Provider for Square {
    fn options(&self) -> &'static [OptionSpec] {
        &[OptionSpec {
            name: URL,
            values: &[],
            default: None,
            help: "the URL of the webhook subscription, letter for letter; several, with spaces \
                   between them, while it changes",
        }]
    }

    fn check_options(&self, settings: &AccountSettings) -> Result<(), InvalidOption> {
        let is_url = |url: &str| {
            let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
            rest.is_some_and(|rest| !rest.is_empty())
        };
        if urls(settings).next().is_some() && urls(settings).all(is_url) {
            return Ok(());
        }
        let problem = "must be the URL of the webhook subscription, which Square signs";
        Err(InvalidOption { name: URL, problem })
    }

    fn verify(
        &self,
        request: &Request<'_>,
        settings: &AccountSettings,
        now: Time,
    ) -> Result<(), Rejected> {
        let keys: Vec<&str> = settings.active_secrets(now).collect();
        if keys.is_empty() {
            return Err(Rejected::NoSecret);
        }
        if urls(settings).next().is_none() {
            return Err(Rejected::NoUrl);
        }
        let mut headers = request.header(SIGNATURE).take(SIGNATURES_MAX).peekable();
        if headers.peek().is_none() {
            return Err(Rejected::Missing { place: SIGNATURE });
        }
        let decoded = headers.filter_map(|header| BASE64.decode(header).ok());
        let signatures: Vec<_> = decoded.filter(|mac| mac.len() == MAC_BYTES).collect();
        if signatures.is_empty() {
            return Err(Rejected::Malformed { place: SIGNATURE });
        }
        // All are tried, whichever fits: the time taken tells nothing.
        let mut matches = 0;
        for key in &keys {
            for url in urls(settings) {
                let fits = |mac: &&Vec<u8>| {
                    signed::is_hmac_sha256(key.as_bytes(), &[url.as_bytes(), request.body], mac)
                };
                matches += signatures.iter().filter(fits).count();
            }
        }
        if matches == 0 { Err(Rejected::Mismatch) } else { Ok(()) }
    }

    fn read(
        &self,
        request: &Request<'_>,
        settings: &AccountSettings,
    ) -> Result<Vec<Reading>, Unreadable> {
        json::check_depth(request.body)?;
        reading::read(&Object::of_body(request.body)?, settings)
    }

    /// Any 2xx.
    fn acknowledge(&self) -> Acknowledgement {
        Acknowledgement { status: 200, body: "" }
    }

    fn basis(&self, _: &AccountSettings) -> Basis {
        Basis::Webhook
    }

    /// Square looks at `idempotency_key`, and takes any number of payments with one `reference_id`.
    fn reference_identifies_attempt(&self) -> bool {
        false
    }

    fn sensitive(&self, body: &[u8]) -> Vec<Range<usize>> {
        let object = Object::of_body(body)
            .and_then(|body| body.object("data"))
            .and_then(|data| data.object("object"));
        let Ok(object) = object else { return Vec::new() };
        let shown = ["payment", "refund"].into_iter().filter_map(|name| object.object(name).ok());
        let mut ranges: Vec<_> = shown.flat_map(|shown| object::sensitive(&shown, body)).collect();
        ranges.sort_by_key(|range| range.start);
        ranges
    }

    fn status_api(&self) -> Option<&'static dyn StatusApi> {
        Some(&status::Api)
    }
}

fn urls(settings: &AccountSettings) -> impl Iterator<Item = &str> {
    settings.option(URL).unwrap_or_default().split_whitespace()
}

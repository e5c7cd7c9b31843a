//! Stripe: PaymentIntents, their charges and refunds.
//!
//! Sources, named in brackets where a fact stands:
//! - \[S\] stripe-python 16.1.0 (`stripe/_webhook.py`, `_payment_intent.py`, `_charge.py`,
//!   `_refund.py`, `_event.py`): the signature, the objects and their words.
//! - \[L\] docs.stripe.com, "The Payment Intents API", life cycle.
//! - \[C\] docs.stripe.com/currencies: digits of each currency, and the special cases.
//! - \[V\] docs.stripe.com/changelog, 2025-03-31.basil, "Partially capturing or cancelling payments no
//!   longer creates a Refund".
//! - \[E\] docs.stripe.com/expand and docs.stripe.com/search: expanded objects, search.
//!
//! **The signature** \[S\]. `Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>]`: HMAC-SHA256 of
//! `{t}.{body}`, keyed with the endpoint's secret as text, its `whsec_` included. Other schemes
//! (`v0`) do not count; any `v1` that fits is enough, since a rolled secret signs beside the new
//! one. Stripe's own libraries refuse only times too far in the past; here the same window counts
//! for the future, because a signature from the future is a wrong clock or a replay prepared.
//!
//! **Attempts.** A PaymentIntent is the attempt, its charges are tries: a failed one does not end
//! it. Only `succeeded` and `canceled` are ends \[L\]. A charge belongs to one payment, so its id
//! names the payment too. Charges without a PaymentIntent (the older API) are attempts of
//! their own.
//!
//! **What is captured.** Captured on its own, a payment is a sale of its whole amount. Where the
//! merchant captures (`capture_method` `manual`, or less than the whole), it is an authorisation
//! of the whole and a capture that the charge's id names: `amount_captured` and
//! `amount_received` only grow, so the same capture told twice counts once, at its largest.
//!
//! **What is given back.** Before the API version 2025-03-31, what is authorised and not captured is
//! let go as a Refund object: whole by a cancellation, in part by a smaller capture, which then has
//! two balance transactions \[V\]. From that version on there are no such refunds, in lists, objects
//! or events. So polls ask with that version, and have the charge of each refund shown: of one that
//! was captured in part, a refund without a balance transaction stays pending. An event of an older
//! version shows no charge: its refund stays pending until a poll tells. An endpoint whose events
//! have that version, or a newer one, needs no poll for it.
//!
//! **The reference** of the payment is not a thing that Stripe has: it is read from the metadata,
//! under the key that `reference_metadata_key` names, and that of a refund under
//! `refund_reference_metadata_key`. A value that can be no reference is taken for none.
//!
//! Not documented, so left out or decided here: retry intervals; how long a rolled secret still
//! signs; whether a cancelled PaymentIntent was authorised (a `latest_charge` tells that it may
//! have been: then the authorisation is over, which says as much of one that never was, and
//! Stripe lets nothing follow). A void is said only where the charge is shown as held.

mod charge;
mod currency;
mod objects;
mod reading;
mod status;
#[cfg(test)]
mod tests;

use std::ops::Range;

use super::{
    AccountSettings, Acknowledgement, OptionSpec, Provider, Reading, Rejected, Request, StatusApi,
    Unreadable,
    json::{self, Object},
    signed, text,
};
use crate::domain::{statement::Basis, time::Time};

/// Signatures that one request may carry: one for each secret that Stripe signs with.
const SIGNATURES_MAX: usize = 16;

/// From this version of the API on, nothing but what was given back is a refund \[V\].
const WITHOUT_RELEASES: &str = "2025-03-31";

const SIGNATURE: &str = "stripe-signature";

const REFERENCE_KEY: &str = "reference_metadata_key";
const REFUND_KEY: &str = "refund_reference_metadata_key";
const CONNECTED: &str = "connected_account";

const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: REFERENCE_KEY,
        values: &[],
        default: Some("order_id"),
        help: "key of the metadata under which a payment's reference stands",
    },
    OptionSpec {
        name: REFUND_KEY,
        values: &[],
        default: Some("refund_id"),
        help: "key of the metadata under which a refund's reference stands",
    },
    OptionSpec {
        name: CONNECTED,
        values: &["no", "yes"],
        default: Some("no"),
        help: "yes: provider_merchant is a connected account of a platform (Connect)",
    },
];

/// Texts that let somebody pay, or say who pays.
const SENSITIVE: &[&str] = &[
    "client_secret",
    "customer",
    "email",
    "fingerprint",
    "payment_method",
    "phone",
    "receipt_email",
    "receipt_url",
];

/// Objects whose ids are what stands under their name where they are not expanded.
const SENSITIVE_IDS: &[&str] = &["customer", "payment_method"];

/// The adapter.
#[derive(Clone, Copy, Debug)]
pub struct Stripe;

impl Provider for Stripe {
    fn options(&self) -> &'static [OptionSpec] {
        OPTIONS
    }

    fn verify(
        &self,
        request: &Request<'_>,
        settings: &AccountSettings,
        now: Time,
    ) -> Result<(), Rejected> {
        let secrets: Vec<&str> = settings.active_secrets(now).collect();
        if secrets.is_empty() {
            return Err(Rejected::NoSecret);
        }
        let signature = Signature::parse(signed::only(request, SIGNATURE)?)?;
        let signed = [signature.time.as_bytes(), b".", request.body];
        let mut is_signed = false;
        for tag in &signature.tags {
            for secret in &secrets {
                is_signed |= signed::is_hmac_sha256(secret.as_bytes(), &signed, tag);
            }
        }
        if !is_signed {
            return Err(Rejected::Mismatch);
        }
        signed::check_time(Time::from_seconds(signature.seconds), settings, now)
    }

    fn read(
        &self,
        request: &Request<'_>,
        settings: &AccountSettings,
    ) -> Result<Vec<Reading>, Unreadable> {
        json::check_depth(request.body)?;
        let body = Object::of_body(request.body)?;
        reading::read(&body, settings)
    }

    /// Every 2xx counts as success.
    fn acknowledge(&self) -> Acknowledgement {
        Acknowledgement { status: 200, body: "" }
    }

    fn basis(&self, _: &AccountSettings) -> Basis {
        Basis::Webhook
    }

    /// Metadata are the merchant's own: Stripe does not look at them.
    fn reference_identifies_attempt(&self) -> bool {
        false
    }

    fn sensitive(&self, body: &[u8]) -> Vec<Range<usize>> {
        text::named(body, SENSITIVE, SENSITIVE_IDS)
    }

    fn status_api(&self) -> Option<&'static dyn StatusApi> {
        Some(&status::Api)
    }
}

/// What the header says.
struct Signature<'a> {
    /// As it was signed.
    time: &'a str,
    seconds: i64,
    tags: Vec<[u8; 32]>,
}

impl<'a> Signature<'a> {
    fn parse(header: &'a str) -> Result<Self, Rejected> {
        let malformed = || Rejected::Malformed { place: SIGNATURE };
        let items = || header.split(',').filter_map(|item| item.split_once('='));
        let of = |scheme: &'static str| {
            items().filter(move |(name, _)| *name == scheme).map(|(_, text)| text)
        };
        let mut times = of("t");
        let time = times.next().filter(|time| time.bytes().all(|b| b.is_ascii_digit()));
        let (Some(time), None) = (time, times.next()) else { return Err(malformed()) };
        let seconds = time.parse().map_err(|_| malformed())?;
        let count = of("v1").take(SIGNATURES_MAX + 1).count();
        if count == 0 {
            return Err(Rejected::Missing { place: "stripe-signature, as v1" });
        }
        let tags: Vec<_> = of("v1").take(SIGNATURES_MAX).filter_map(signed::lower_hex).collect();
        if count > SIGNATURES_MAX || tags.is_empty() {
            return Err(malformed());
        }
        Ok(Self { time, seconds, tags })
    }
}

//! Checkout.com: payments and their actions.
//!
//! Sources, named in brackets where a fact stands:
//! - \[W\] www.checkout.com/docs, "Receive webhooks", "Configure your webhook server", and the page
//!   of each event type, with its example.
//! - \[A\] www.checkout.com/docs, "Format the amount value": digits of each currency.
//! - \[P\] www.checkout.com/docs, "Get payment details", "Get payment actions", "Get a list of
//!   payments".
//! - \[C\] hookdeck/webhook-skills, `checkout-com-webhooks`: the signature, step by step.
//!
//! **The signature** \[W\]\[C\]. `Cko-Signature` is the HMAC-SHA256 of the raw body in hex, keyed
//! with the webhook's key as text. It binds the body and no time, so a replay verifies for ever;
//! the event's id makes it a repeat. The `Authorization` header that a webhook can be given
//! beside it is not looked at: it is a second secret that proves less than the signature.
//!
//! **Attempts.** A payment may be declined and then approved under the same id (retries), so a
//! declined one can still succeed. Captures, refunds and voids are actions with ids of their own.
//! What expires or is cancelled may or may not have been authorised: `balances` tells where it
//! stands there; without it the authorisation is over, which says as much of one that never was.
//!
//! Not documented, so left out or decided here: whether `reference` of a capture's, refund's or
//! void's event is the payment's or its own. Read as the wrong one, it would take the operation to
//! another order, or make one of two operations; so it is not read unless the option
//! `operation_reference` says whose it is. The payment's id finds the payment in any case. What is
//! to be made of `payment_returned`; the environment of an event (each has its own key).

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

const SIGNATURE: &str = "cko-signature";

const OPERATION_REFERENCE: &str = "operation_reference";
const PREFIX: &str = "api_prefix";

const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: OPERATION_REFERENCE,
        values: &["unknown", "payment", "operation"],
        default: Some("unknown"),
        help: "whose reference the events and actions of captures, refunds and voids carry; \
               unknown: it is not read",
    },
    OptionSpec {
        name: PREFIX,
        values: &[],
        default: None,
        help: "the account's own part of the API's host, if it has one",
    },
];

/// Who pays, and what stored payment methods are called.
const SENSITIVE: &[&str] = &["cryptogram", "email", "fingerprint", "number", "phone", "token"];

/// The adapter.
#[derive(Clone, Copy, Debug)]
pub struct CheckoutCom;

impl Provider for CheckoutCom {
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
        let mut tag = [0; 32];
        hex::decode_to_slice(signed::only(request, SIGNATURE)?, &mut tag)
            .map_err(|_| Rejected::Malformed { place: SIGNATURE })?;
        // All secrets are tried, whichever fits: the time taken tells nothing.
        let fits =
            |secret: &&&str| signed::is_hmac_sha256(secret.as_bytes(), &[request.body], &tag);
        if secrets.iter().filter(fits).count() == 0 { Err(Rejected::Mismatch) } else { Ok(()) }
    }

    fn read(
        &self,
        request: &Request<'_>,
        settings: &AccountSettings,
    ) -> Result<Vec<Reading>, Unreadable> {
        json::check_depth(request.body)?;
        let body = Object::of_body(request.body)?;
        reading::read(&body, settings).map(|reading| vec![reading])
    }

    /// Every 2xx counts as success.
    fn acknowledge(&self) -> Acknowledgement {
        Acknowledgement { status: 200, body: "" }
    }

    fn basis(&self, _: &AccountSettings) -> Basis {
        Basis::Webhook
    }

    /// Several payments may have one reference.
    fn reference_identifies_attempt(&self) -> bool {
        false
    }

    /// The ids of stored payment methods and customers have the same name as everywhere.
    fn sensitive(&self, body: &[u8]) -> Vec<Range<usize>> {
        text::named(body, SENSITIVE, &["source", "customer"])
    }

    fn status_api(&self) -> Option<&'static dyn StatusApi> {
        Some(&status::Api)
    }
}

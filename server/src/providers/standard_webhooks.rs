//! Standard Webhooks, with a JSON body of our own: for any team that can send a webhook.
//!
//! The signature is that of the specification v1.0.0 (github.com/standard-webhooks/
//! standard-webhooks, `spec/standard-webhooks.md`), in `signature.rs`. The specification leaves
//! the body to the sender, but for the advice to have `type`, `timestamp` and `data`. Ours:
//!
//! ```json
//! {
//!   "type": "payment.authorized",
//!   "timestamp": "2026-11-21T12:00:00Z",
//!   "data": {
//!     "payment_id": "pay_1",
//!     "reference": "order-1",
//!     "amount": "146.24",
//!     "currency": "AUD"
//!   }
//! }
//! ```
//!
//! - `type` (required): what it is about and a word for it, see below.
//! - `timestamp` (required): when it happened, RFC 3339; the same in every retry.
//! - `data.payment_id` (required): the sender's id of the payment.
//! - `data.reference` (recommended): the reference that the merchant gave; it finds a payment
//!   that was recorded before its id was known.
//! - `data.amount` (recommended): a decimal string, or number, in major units; an operation's own.
//! - `data.currency` (required with an amount): ISO 4217 code, or a token symbol.
//! - `data.reason` (optional): the provider's words; 256 characters are kept.
//! - `data.final` (optional, negatives): `true` if no success can follow, so that one is a
//!   conflict. Default `false`. Of what was authorised it says nothing.
//! - `data.ended` (optional, payment negatives): `"try"` (default) before any authorisation,
//!   `"authorization"` if what was authorised is over.
//! - `data.operation_id`, `data.operation_reference` (operations, at least one of them): the
//!   sender's id of the capture, refund or void; the reference that the merchant gave it.
//! - `data.takes_back_captured` (optional, voids): `true` if it also takes back captured money
//!   once nothing uncaptured is left. Default `false`.
//!
//! The types, negatives last:
//! - `payment.` + `pending`, `authorized`, `paid` (authorised and captured in one), `corrected`
//!   (what was paid failed after all), `declined`, `canceled`, `expired`, `error`;
//! - `capture.`, `refund.`, `void.` + `pending`, `succeeded`, `corrected` (it failed after it had
//!   succeeded), `declined`, `canceled`, `error`.
//!
//! A type that is not listed is kept and ignored; unknown fields are ignored, `null` and an empty
//! text count as absent. A required field that is missing, or a field of another form, makes
//! the event unreadable: it is kept, and an operator sees it. Card tokens have no place here.
//! `README.md` in the folder above says the same for senders, with examples that are tested.

mod reading;
mod signature;
#[cfg(test)]
mod tests;

use super::{
    AccountSettings, Acknowledgement, Provider, Reading, Rejected, Request, Unreadable,
    json::{self, Object},
};
use crate::domain::{statement::Basis, time::Time};

/// The header that names the message; the same in every retry.
const ID: &str = "webhook-id";

/// The adapter.
#[derive(Clone, Copy, Debug)]
pub struct StandardWebhooks;

impl Provider for StandardWebhooks {
    fn verify(
        &self,
        request: &Request<'_>,
        settings: &AccountSettings,
        now: Time,
    ) -> Result<(), Rejected> {
        signature::verify(request, settings, now)
    }

    fn read(&self, request: &Request<'_>, _: &AccountSettings) -> Result<Vec<Reading>, Unreadable> {
        let id = request.header(ID).next();
        let id = id.ok_or_else(|| json::unreadable(ID, "is missing"))?;
        json::check_depth(request.body)?;
        reading::read(&Object::of_body(request.body)?, id).map(|reading| vec![reading])
    }

    /// The specification counts every 2xx as success.
    fn acknowledge(&self) -> Acknowledgement {
        Acknowledgement { status: 204, body: "" }
    }

    fn basis(&self, _: &AccountSettings) -> Basis {
        Basis::Webhook
    }

    fn reading_headers(&self) -> &'static [&'static str] {
        &["webhook-id"]
    }

    fn reference_identifies_attempt(&self) -> bool {
        false
    }
}

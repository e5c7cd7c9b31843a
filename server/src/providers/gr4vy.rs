//! Gr4vy, an orchestrator of payment services.
//!
//! Sources: `docs.gr4vy.com/guides/features/webhooks/{overview,events,payload,signatures,
//! technical-considerations}` and `…/guides/api/statuses/transactions` \[D\]; the SDK `gr4vy` 2.4.27
//! on PyPI, its `webhooks.py`, `auth.py` and models \[S\]; Gr4vy's page on time-outs \[T\].
//!
//! - **Headers** on the wire: `X-Gr4vy-Webhook-Signatures` (a list with commas, one for each
//!   active secret), `X-Gr4vy-Webhook-Timestamp` (seconds), `X-Gr4vy-Webhook-ID` \[D\]. The READMEs of
//!   the SDKs name others, which are wrong: nothing signed that way is accepted.
//! - **Signature**: HMAC-SHA256 of `{timestamp}.{raw body}`, lower-case hex, the secret as text \[S\].
//!   The SDK checks no time ahead of its clock; here both sides have the account's tolerance.
//! - **Body**: the kind of event is its `name`; `target` is the resource as the API returns it \[D\],
//!   with amounts as whole smallest units. What it says is read of the resource's `status`, so that
//!   a webhook and a poll say the same in the same words; the name adds what a status cannot say
//!   (a void that failed). The events and statuses: `README.md` in the folder above.
//! - **The event's id** is the body's `id`. The header's id would do as well, but is not signed:
//!   whoever repeats a request could change it. It stands in where the body has none.
//! - **Attempt**: the transaction. `external_identifier` is the merchant's reference and may stand in
//!   several transactions \[T\], so it identifies none of them; `payment_service_transaction_id` is
//!   left out, because it is unique within one payment service at best. For pairing, as \[T\] asks,
//!   a payment's statements carry its `external_identifier`, `amount` and, as the provider's time,
//!   `created_at`: it never moves, so a status that is told again is a repeat.
//! - **Captures**: a transaction tells the sum of them, `capture.*` events tell each. A transaction
//!   captured in full is a sale; of one captured in part only the authorisation is taken, and the
//!   captures themselves from `capture.*` events and from the API, with their own ids: so none
//!   counts twice. Whether every subscription has `capture.*` events is not documented, so an
//!   option, `captures`, reads the sum instead: as one operation whose amount grows.
//! - **Voids** have no id and no reference of their own: a transaction has one void, named by the
//!   transaction's id, which counts as its reference too, so that a void recorded with the
//!   transaction's id as its reference is found (\[T\]: match by `transaction_id` and the name).
//! - **Successions**: a void that was declined or failed may be tried again. Everything else that
//!   the status page calls final is taken as final: a success after it is a conflict. No success
//!   is documented to fail later.
//! - **Another environment**: `environment` is `sandbox` or `production`; `merchant_account_id` is what
//!   the account's `provider_merchant` names, `gr4vy_id` what its option names.
//! - **API**: `https://api.{gr4vy_id}.gr4vy.app`, with `sandbox.` before the id in the sandbox; a JWT
//!   signed with ES512 by the private key of the dashboard \[S\]. See `token.rs` and `status.rs`.
//!
//! Not documented, so not used: what a cancelled transaction's status is, how long a retry's
//! timestamp is valid (see the account's tolerance), retry intervals.

mod reading;
mod resource;
mod signature;
mod status;
#[cfg(test)]
mod tests;
mod token;

use std::ops::Range;

use super::{
    AccountSettings, Acknowledgement, OptionSpec, Provider, Reading, Rejected, Request, StatusApi,
    Unreadable,
    json::{self, Object},
};
use crate::domain::{statement::Basis, time::Time};

/// The header that names the delivery; the same in every retry.
const ID: &str = "x-gr4vy-webhook-id";
/// The option that names the instance.
const GR4VY_ID: &str = "gr4vy_id";
/// The option that says where captures are read.
const CAPTURES: &str = "captures";

/// Texts of a transaction that are of the buyer, or with which money could be moved: the id and
/// fingerprint of a stored payment method, addresses with a token in them.
const SENSITIVE: &[(&[&str], &[&str])] = &[
    (&[], &["session_token"]),
    (&["payment_method"], &["id", "label", "fingerprint", "approval_url", "expiration_date"]),
    (&["buyer"], &["display_name"]),
    (&["buyer", "billing_details"], CONTACT),
    (&["shipping_details"], CONTACT),
];
const CONTACT: &[&str] = &["first_name", "last_name", "email_address", "phone_number"];

/// The adapter.
#[derive(Clone, Copy, Debug)]
pub struct Gr4vy;

impl Provider for Gr4vy {
    fn options(&self) -> &'static [OptionSpec] {
        &[
            OptionSpec {
                name: GR4VY_ID,
                values: &[],
                default: None,
                help: "the id of the instance at Gr4vy: events of another are ignored, and it is \
                       part of the status API's address",
            },
            OptionSpec {
                name: CAPTURES,
                values: &["resources", "transactions"],
                default: Some("resources"),
                help: "where partial captures are read: of capture.* events and the API's list of \
                       captures, or of the sum that a transaction tells",
            },
        ]
    }

    fn verify(
        &self,
        request: &Request<'_>,
        settings: &AccountSettings,
        now: Time,
    ) -> Result<(), Rejected> {
        signature::verify(request, settings, now)
    }

    fn read(
        &self,
        request: &Request<'_>,
        settings: &AccountSettings,
    ) -> Result<Vec<Reading>, Unreadable> {
        json::check_depth(request.body)?;
        let body = Object::of_body(request.body)?;
        let delivery = request.header(ID).next();
        reading::read(&body, delivery, settings).map(|reading| vec![reading])
    }

    /// Any 2xx within 5 s.
    fn acknowledge(&self) -> Acknowledgement {
        Acknowledgement { status: 200, body: "" }
    }

    fn basis(&self, _: &AccountSettings) -> Basis {
        Basis::Webhook
    }

    /// Several transactions may have one `external_identifier`.
    fn reference_identifies_attempt(&self) -> bool {
        false
    }

    fn reading_headers(&self) -> &'static [&'static str] {
        &["x-gr4vy-webhook-id"]
    }

    fn sensitive(&self, body: &[u8]) -> Vec<Range<usize>> {
        let Ok(target) = Object::of_body(body).and_then(|body| body.object("target")) else {
            return Vec::new();
        };
        let mut ranges: Vec<_> =
            SENSITIVE.iter().flat_map(|(path, names)| texts(body, &target, path, names)).collect();
        ranges.sort_by_key(|range| range.start);
        ranges
    }

    fn status_api(&self) -> Option<&'static dyn StatusApi> {
        Some(&status::Api)
    }
}

/// Where the texts of these names stand in the object at the end of a path; all of them, should
/// one stand twice.
fn texts(body: &[u8], object: &Object<'_>, path: &[&str], names: &[&str]) -> Vec<Range<usize>> {
    if let [first, rest @ ..] = path {
        let inner = object.object(first);
        return inner.map(|inner| texts(body, &inner, rest, names)).unwrap_or_default();
    }
    let named = object.members().filter(|(name, _)| names.contains(name));
    named.filter_map(|(_, value)| json::string_range(body, value)).collect()
}

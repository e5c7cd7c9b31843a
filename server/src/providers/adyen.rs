//! Adyen: standard webhooks for payments and their modifications.
//!
//! Sources, named in brackets where a fact stands:
//! - \[O\] Adyen's OpenAPI file `Webhooks-v1.json` (github.com/Adyen/adyen-openapi): every event,
//!   its fields, an example of each.
//! - \[L\] Adyen's own libraries (adyen-python-api-library, adyen-node-api-library): the signature,
//!   with vectors.
//! - \[D\] docs.adyen.com: webhooks, currency codes, reasons of failed captures and refunds.
//!
//! **The signature** stands in each item, in `additionalData.hmacSignature`: base64 of the
//! HMAC-SHA256 of eight fields joined by `:`, keyed with the hex-decoded key \[L\]. `signature.rs`
//! has the details. It binds what happened, to what, and how much; it binds no time, and neither
//! `live`, `eventDate`, `reason`, `paymentMethod` nor `additionalData`. So a webhook can be replayed
//! (it is then a repeat), and the `modification.action` of a CANCEL_OR_REFUND is believed unsigned.
//! Every item is verified, and one that fails refuses the request: Adyen's own helpers look at the
//! first only.
//!
//! **Names.** `pspReference` is the payment for AUTHORISATION, PENDING, EXPIRE and OFFER_CLOSED; for
//! a modification it is the operation, and `originalReference` is the payment \[O\].
//! `merchantReference` is the payment's reference in payment events. In modifications it is the
//! payment's or the modification's \[O\]: two refunds under the payment's would become one, so it is
//! read as the operation's only where the account says that modifications have their own.
//!
//! **Corrections.** CAPTURE_FAILED, REFUND_FAILED and REFUNDED_REVERSED come after the success, with
//! `success` "true" \[O\]. That their `pspReference` is that of the capture or refund that failed is
//! assumed: nothing that we could read says so. Adyen may capture again what failed for a technical
//! reason, and says so by a CAPTURE whose `reason` is `Transaction Recaptured` or `Transaction
//! Auto-recaptured` \[D\]. The reason is not signed, so it decides nothing: a capture is named by its
//! `pspReference` alone. Under a new one, the second capture is another operation, which can succeed
//! and fail for itself. Whether Adyen could use the failed one's again is not documented; then the
//! correction would stand, and a person has to complete the order.
//!
//! **What is left out.** `eventDate` and `reason` are not signed, so whoever holds one signed webhook
//! could write others into it, each of which would be a statement of its own until the order is
//! full. So statements carry neither a time nor a reason; the kept webhook shows both.
//!
//! Not documented, so decided: whether AUTHORISATION can be true after it was false for one
//! `pspReference` (a conflict), and which payment methods capture at once (a setting of the whole
//! account: the field `operations` must not be relied on \[O\]). Adyen has no request for the status
//! of a payment, so it cannot be asked.

mod reading;
mod signature;
#[cfg(test)]
mod tests;

use std::ops::Range;

use super::{
    AccountSettings, Acknowledgement, OptionSpec, Provider, Reading, Rejected, Request, Unreadable,
    json::{self, Object},
};
use crate::domain::{statement::Basis, time::Time};

/// Items that one request may hold. Adyen sends one \[D\]; its older format had up to six.
const ITEMS_MAX: usize = 32;

/// Where the items stand, for errors.
const ITEMS: &str = "notificationItems";

/// What of `additionalData` can pay again, or names the payer; compared in lower case.
const SENSITIVE: &[&str] = &[
    "alias",
    "bankaccount.iban",
    "cardholdername",
    "iban",
    "ownername",
    "recurring.recurringdetailreference",
    "recurringdetailreference",
    "shopperemail",
    "tokenization.storedpaymentmethodreference",
];

/// The adapter.
#[derive(Clone, Copy, Debug)]
pub struct Adyen;

impl Provider for Adyen {
    fn options(&self) -> &'static [OptionSpec] {
        &[
            OptionSpec {
                name: "capture",
                values: &["manual", "automatic"],
                default: Some("manual"),
                help: "how the merchant account captures, which its webhooks do not say; \
                       automatic: an authorisation is a sale",
            },
            OptionSpec {
                name: "modification_reference",
                values: &["unknown", "own"],
                default: Some("unknown"),
                help: "own: captures, refunds and cancels are always given a reference of their own",
            },
        ]
    }

    fn verify(
        &self,
        request: &Request<'_>,
        settings: &AccountSettings,
        now: Time,
    ) -> Result<(), Rejected> {
        let keys = signature::keys(settings, now);
        if keys.is_empty() {
            return Err(Rejected::NoSecret);
        }
        let body = Object::of_body(request.body);
        let items = body.and_then(|body| items(&body));
        let items = items.map_err(|_| Rejected::Malformed { place: ITEMS })?;
        if items.is_empty() {
            return Err(Rejected::Missing { place: ITEMS });
        }
        items.iter().try_for_each(|item| signature::verify(item, &keys))
    }

    fn read(
        &self,
        request: &Request<'_>,
        settings: &AccountSettings,
    ) -> Result<Vec<Reading>, Unreadable> {
        json::check_depth(request.body)?;
        let body = Object::of_body(request.body)?;
        let is_live = truth(&body, "live")?;
        let is_live = is_live.ok_or_else(|| json::unreadable("live", "is missing"))?;
        items(&body)?.iter().map(|item| reading::read(item, is_live, settings)).collect()
    }

    /// Any 2xx counts since 2024; the body is what was wanted before.
    fn acknowledge(&self) -> Acknowledgement {
        Acknowledgement { status: 202, body: "[accepted]" }
    }

    fn basis(&self, _: &AccountSettings) -> Basis {
        Basis::Webhook
    }

    /// Adyen takes any number of payments under one reference.
    fn reference_identifies_attempt(&self) -> bool {
        false
    }

    /// Tokens of stored cards, and what names the payer. The `pspReference` of a
    /// RECURRING_CONTRACT is the token itself \[O\].
    fn sensitive(&self, body: &[u8]) -> Vec<Range<usize>> {
        let Ok(items) = Object::of_body(body).and_then(|body| items(&body)) else {
            return Vec::new();
        };
        let mut ranges = Vec::new();
        for item in items {
            if let Ok(data) = item.object("additionalData") {
                let of_name =
                    |(name, _): &(&str, _)| SENSITIVE.contains(&name.to_ascii_lowercase().as_str());
                let values = data.members().filter(of_name);
                ranges.extend(values.filter_map(|(_, value)| json::string_range(body, value)));
            }
            let code = item.text("eventCode").ok().flatten();
            if code.as_deref() == Some("RECURRING_CONTRACT") {
                let tokens = item.members().filter(|(name, _)| *name == "pspReference");
                ranges.extend(tokens.filter_map(|(_, value)| json::string_range(body, value)));
            }
        }
        ranges.sort_by_key(|range| range.start);
        ranges
    }
}

/// The items of a body, each in its wrapper.
fn items<'a>(body: &Object<'a>) -> Result<Vec<Object<'a>>, Unreadable> {
    let wrapped = body.objects(ITEMS, ITEMS_MAX)?;
    wrapped.iter().map(|item| item.object("NotificationRequestItem")).collect()
}

/// `"true"` and `"false"`, as Adyen writes them. True JSON booleans are taken as well.
fn truth(object: &Object<'_>, name: &str) -> Result<Option<bool>, Unreadable> {
    if let Ok(flag) = object.flag(name) {
        return Ok(flag);
    }
    match object.text(name)?.as_deref() {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(json::unreadable(&object.place_of(name), "must be \"true\" or \"false\"")),
    }
}

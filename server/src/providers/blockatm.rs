//! BlockATM, payments in tokens (USDT, USDC …) on several chains.
//!
//! Sources: `docs.blockatm.net/webhook/{webhooks,payment-webhook,verification}` and
//! `…/open-api/{authentication,payment-api,request-format,error-codes}`, read in the docs' own
//! repository `github.com/BlockATMOnLine/docs` \[D\]; `github.com/BlockATMOnLine/sign-demo`, whose newest
//! `SignatureUtils.java` shows how nested bodies are sorted \[S\]; the older pages
//! `docs-cn.blockatm.net/overview/signing` and `blockatm.readme.io` \[O\]; BlockATM's page on exceptions \[E\].
//!
//! - **Signature**: the documents contradict each other, so the account says which holds, in the option
//!   `signature`; nothing is tried in turn. `raw` (default, the current page): HMAC-SHA256 of
//!   `{raw body}&time={ms}` in hex, in `BlockATM-Signature-V2`. `sorted` \[O\]: the same of the body's names
//!   and values, sorted. `ecdsa` \[O, S\]: that sorted text signed with ECDSA P-256, DER in base64, in
//!   `BlockATM-Signature-V1`; the secret is the public key. See `signature.rs`.
//! - **Window**: `BlockATM-Request-Time` is signed. The page advises 5 min, and retries come after up to
//!   24 h; nobody says whether a retry has a fresh time. Were it the old one, a window would refuse
//!   every later retry, and with it the last news of a payment. So none is heeded, unless the option
//!   `time_window` is `on`. A replay can only repeat what BlockATM once said: events are told
//!   apart by content, and a status comes from all that was said, not from what came last.
//! - **Event**: the header `BlockATM-Event`, `payment` or `payout` in any case, once `QR-Payment` and
//!   `QR-Payout` \[O\]. It is not signed, so a body with a field that only payouts have is a payout
//!   whatever it says. A payout is no payment, and carries no link to one.
//! - **Words**: PENDING, SUCCESS, EXPIRED, CANCELLED \[D\]. Older samples have numbers, whose meaning is
//!   not documented for webhooks: kept and ignored.
//! - **Successions**: an operator may complete an order by hand within 72 h, also one that is cancelled
//!   or expired \[E\]: a success after either is legal. Nothing undoes a success.
//! - **Attempt**: the order. Its id is `id`, a number or a text; its reference is `orderNo`, the
//!   merchant's number of the order. Older merchants give only `custNo`, the payer's: the option
//!   `reference_field` takes that instead. `orderNo` is also an id of kind `order_no`: BlockATM finds
//!   one order by it, and its answer names nothing else. It is only «recommended unique» \[D\], so it does not
//!   identify an attempt before BlockATM has named it; give each order a number of its own.
//! - **Amount**: what the payer actually paid, in whole tokens, with as many digits as are written.
//!   It is read of PENDING and SUCCESS, and a SUCCESS must have it; an order that ended otherwise has
//!   none. The amount of the status API's answer is that of the order: see `status.rs`.
//! - **The event's id** is made of what identifies an event: event, id, reference, word, amount and
//!   chain transaction. BlockATM gives none.
//! - **Time**: `blockTime`, when the chain took the transaction.
//! - **Merchant**: `cashierId` is what the account's `provider_merchant` names.
//! - **Acknowledgement**: HTTP 200.
//!
//! Not documented, so not used: a word for a failed order in webhooks, which scheme a given account
//! has, an output vector for V2 (those of the tests were computed with openssl).

mod reading;
mod signature;
mod status;
#[cfg(test)]
mod tests;

use super::{
    AccountSettings, Acknowledgement, OptionSpec, Provider, Reading, Rejected, Request, StatusApi,
    Unreadable,
    json::{self, Object},
};
use crate::domain::{statement::Basis, time::Time};

/// The option that says how webhooks are signed.
const SIGNATURE: &str = "signature";
/// The option that says whether the signed time is heeded.
const TIME_WINDOW: &str = "time_window";
/// The option that says which field is the merchant's reference.
const REFERENCE_FIELD: &str = "reference_field";
/// The header that names the event.
const EVENT: &str = "blockatm-event";

/// The adapter.
#[derive(Clone, Copy, Debug)]
pub struct BlockAtm;

impl Provider for BlockAtm {
    fn options(&self) -> &'static [OptionSpec] {
        &[
            OptionSpec {
                name: SIGNATURE,
                values: &["raw", "sorted", "ecdsa"],
                default: Some("raw"),
                help: "what is signed: the raw body, its names and values sorted, or the latter \
                       with ECDSA (V1)",
            },
            OptionSpec {
                name: TIME_WINDOW,
                values: &["off", "on"],
                default: Some("off"),
                help: "whether a webhook whose signed time is off by more than the tolerance is \
                       refused; late retries may be",
            },
            OptionSpec {
                name: REFERENCE_FIELD,
                values: &["order_no", "cust_no"],
                default: Some("order_no"),
                help: "which field holds the merchant's reference: orderNo, or custNo",
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
        let mut events = request.header(EVENT);
        let (Some(event), None) = (events.next(), events.next()) else {
            return Err(json::unreadable("BlockATM-Event", "must stand once"));
        };
        let body = Object::of_body(request.body)?;
        reading::read(event, &body, request.body, settings).map(|reading| vec![reading])
    }

    /// Anything but 200 counts as a failure.
    fn acknowledge(&self) -> Acknowledgement {
        Acknowledgement { status: 200, body: "OK" }
    }

    fn basis(&self, _: &AccountSettings) -> Basis {
        Basis::Webhook
    }

    /// «Recommended unique» is no promise that a second order is refused.
    fn reference_identifies_attempt(&self) -> bool {
        false
    }

    fn reading_headers(&self) -> &'static [&'static str] {
        &["blockatm-event"]
    }

    fn status_api(&self) -> Option<&'static dyn StatusApi> {
        Some(&status::Api)
    }
}

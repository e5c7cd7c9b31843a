//! What BlockATM's events say, as statements. The table of `README.md` is this file in words.

use serde_json::value::RawValue;

use super::REFERENCE_FIELD;
use crate::{
    domain::{
        digest::Digest,
        ids::{ProviderId, Reference},
        statement::{Ended, Negative, PaymentClaim, Said, Statement},
        time::Time,
    },
    providers::{
        AccountSettings, Content, Reading, Unreadable, amount,
        json::{Object, event_name, unreadable},
    },
};

/// Fields that only payouts have.
const OF_PAYOUTS: &[&str] = &["bizOrderNo", "toAddress", "contractId", "gasAmount", "detailList"];
/// The field of the merchant's number of an order.
pub(super) const ORDER_NO: &str = "orderNo";
/// Digits of a number that is an id.
const ID_DIGITS_MAX: usize = 40;

/// Reads a body under the event that its header names.
pub(super) fn read(
    event: &str,
    body: &Object<'_>,
    bytes: &[u8],
    settings: &AccountSettings,
) -> Result<Reading, Unreadable> {
    let event = event.to_ascii_lowercase();
    let is_payout = || body.members().any(|(name, _)| OF_PAYOUTS.contains(&name));
    let ignored = match event.as_str() {
        "payment" | "qr-payment" if is_payout() => Some("it has the fields of a payout"),
        "payment" | "qr-payment" => None,
        "payout" | "qr-payout" => Some("a payout is no payment"),
        _ => Some("the event's name is not known"),
    };
    if let Some(reason) = ignored {
        return Ok(ignored_whole(&event, bytes, reason));
    }
    let order = Order::read(body, settings)?;
    let content = if order.is_of_another_cashier(settings) {
        Content::Ignored { reason: "it is of another cashier".to_owned() }
    } else {
        let claim = order.claim();
        claim.map_or_else(unknown_word, |claim| Content::Statements(vec![order.statement(claim)]))
    };
    Ok(Reading { event_id: order.event_id(), event_name: event_name(&event), content })
}

fn unknown_word() -> Content {
    Content::Ignored { reason: "its status word is not known".to_owned() }
}

/// An order, its fields read, of a webhook or of an answer.
pub(super) struct Order<'a> {
    id: Option<ProviderId>,
    /// The merchant's number of the order, by which BlockATM finds it: what webhooks and answers
    /// have in common.
    order_no: Option<ProviderId>,
    reference: Option<Reference>,
    /// The word; of a number, its digits.
    status: String,
    amount: Option<crate::domain::statement::StatedAmount>,
    amount_text: Option<&'a RawValue>,
    transaction: Option<String>,
    cashier: Option<String>,
    time: Option<Time>,
}

impl<'a> Order<'a> {
    /// An order of a webhook, which must have an id.
    fn read(body: &Object<'a>, settings: &AccountSettings) -> Result<Self, Unreadable> {
        let field = match settings.option(REFERENCE_FIELD) {
            Some("cust_no") => "custNo",
            _ => ORDER_NO,
        };
        let order = Self::read_with(body, field, "blockTime")?;
        if order.id.is_none() {
            return Err(unreadable(&body.place_of("id"), "is missing"));
        }
        // Without it, less could have been paid than was asked for.
        if order.claim() == Some(PaymentClaim::Sold) && order.amount.is_none() {
            return Err(unreadable(&body.place_of("amount"), "is missing"));
        }
        Ok(order)
    }

    /// An order whose reference and time stand in these fields.
    pub(super) fn read_with(
        body: &Object<'a>,
        reference: &str,
        time: &str,
    ) -> Result<Self, Unreadable> {
        let id = number_or_text(body, "id")?;
        let id = id.map(|id| ProviderId::parse("order", &id)).transpose();
        let status = number_or_text(body, "status")?;
        let status = status.ok_or_else(|| unreadable(&body.place_of("status"), "is missing"))?;
        let (amount, amount_text) = match status.as_str() {
            "PENDING" | "SUCCESS" => {
                (amount::in_tokens(body, "amount", "symbol")?, body.value("amount")?)
            }
            _ => (None, None),
        };
        let stated = body.reference(reference)?;
        // What a payer is known by names no order.
        let order_no = stated.as_ref().filter(|_| reference == ORDER_NO);
        let order_no = order_no.map(|number| ProviderId::parse("order_no", number.as_str()));
        Ok(Self {
            order_no: order_no
                .transpose()
                .map_err(|err| unreadable(&body.place_of(ORDER_NO), err))?,
            id: id.map_err(|err| unreadable(&body.place_of("id"), err))?,
            reference: stated,
            status,
            amount,
            amount_text,
            transaction: body.text("txId")?,
            cashier: number_or_text(body, "cashierId")?,
            time: millis(body, time)?,
        })
    }

    pub(super) fn reference(&self) -> Option<&Reference> {
        self.reference.as_ref()
    }

    pub(super) fn is_of_another_cashier(&self, settings: &AccountSettings) -> bool {
        let both = self.cashier.as_ref().zip(settings.provider_merchant.as_ref());
        both.is_some_and(|(theirs, ours)| theirs != ours)
    }

    /// The four words. An order that ended may still be completed by hand.
    pub(super) fn claim(&self) -> Option<PaymentClaim> {
        let may_succeed = Ended::Try { conclusive: false };
        match self.status.as_str() {
            "PENDING" => Some(PaymentClaim::Pending),
            "SUCCESS" => Some(PaymentClaim::Sold),
            "EXPIRED" => Some(PaymentClaim::Failed(Negative::Expired, may_succeed)),
            "CANCELLED" => Some(PaymentClaim::Failed(Negative::Canceled, may_succeed)),
            _ => None,
        }
    }

    pub(super) fn statement(&self, claim: PaymentClaim) -> Statement {
        let mut ids: Vec<_> = self.id.iter().chain(&self.order_no).cloned().collect();
        ids.sort();
        Statement {
            ids,
            reference: self.reference.clone(),
            attempt: None,
            said: Said::Payment(claim),
            amount: self.amount,
            provider_time: self.time,
            reason: None,
        }
    }

    /// Not made of the addresses, the network or the time, so a redelivery that differs there
    /// is a repeat.
    fn event_id(&self) -> String {
        let digest = Digest::new("blockatm event")
            .maybe(self.id.as_ref().map(|id| id.value.as_str()))
            .maybe(self.reference.as_ref().map(Reference::as_str))
            .text(&self.status)
            .maybe(self.amount_text.map(RawValue::get))
            .maybe(self.transaction.as_deref());
        hex::encode(digest.finish())
    }
}

/// A value that samples write as a number or as a text: the number's own digits, or the text.
fn number_or_text(body: &Object<'_>, name: &str) -> Result<Option<String>, Unreadable> {
    let Some(value) = body.value(name)? else { return Ok(None) };
    let digits = value.get();
    if digits.starts_with('"') {
        return body.text(name);
    }
    let unsigned = digits.strip_prefix('-').unwrap_or(digits);
    let is_number = digits.len() <= ID_DIGITS_MAX && unsigned.bytes().all(|b| b.is_ascii_digit());
    if !is_number {
        return Err(unreadable(&body.place_of(name), "must be a whole number or a text"));
    }
    Ok(Some(digits.to_owned()))
}

fn millis(body: &Object<'_>, name: &str) -> Result<Option<Time>, Unreadable> {
    let Some(digits) = number_or_text(body, name)? else { return Ok(None) };
    let millis = digits.parse::<i64>().ok().and_then(|millis| millis.checked_mul(1000));
    let time = millis.map(Time::from_micros);
    time.map(Some).ok_or_else(|| unreadable(&body.place_of(name), "must be milliseconds"))
}

/// An event that is kept unread, under an id made of its whole body.
fn ignored_whole(event: &str, body: &[u8], reason: &str) -> Reading {
    let digest = Digest::new("blockatm event unread").text(event);
    Reading {
        event_id: hex::encode(digest.text(&String::from_utf8_lossy(body)).finish()),
        event_name: event_name(event),
        content: Content::Ignored { reason: reason.to_owned() },
    }
}

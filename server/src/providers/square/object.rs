//! A payment or refund as Square shows it, in webhooks and in answers alike.

use std::ops::Range;

use crate::{
    domain::{
        ids::ProviderId,
        statement::{
            Ended, Negative, OperationClaim, OperationClaimed, OperationKind, PaymentClaim, Said,
            StatedAmount, Statement, clip_reason,
        },
        time::Time,
    },
    providers::{
        Unreadable, amount,
        json::{self, Object, unreadable},
    },
};

/// Kind of a payment's id.
pub(super) const PAYMENT: &str = "payment";
/// Kind of a refund's id.
pub(super) const REFUND: &str = "refund";

/// Reasons of a card's refusal that one payment may list.
const REASONS_MAX: usize = 16;

/// When a card payment came to its states. Square shows no such times of other payments, and
/// `updated_at` moves with whatever happens to the payment later.
struct Timeline {
    authorized: Option<Time>,
    captured: Option<Time>,
    voided: Option<Time>,
    reason: Option<String>,
}

impl Timeline {
    fn of(payment: &Object<'_>) -> Result<Self, Unreadable> {
        let mut all = Self { authorized: None, captured: None, voided: None, reason: None };
        let Some(card) = payment.maybe_object("card_details")? else { return Ok(all) };
        if let Some(timeline) = card.maybe_object("card_payment_timeline")? {
            all.authorized = timeline.time("authorized_at")?;
            all.captured = timeline.time("captured_at")?;
            all.voided = timeline.time("voided_at")?;
        }
        let reasons = card.objects("errors", REASONS_MAX)?;
        let reason = reasons.first().map(|first| first.text_spelled(&["detail", "code"]));
        all.reason = reason.transpose()?.flatten();
        Ok(all)
    }
}

/// What a payment says of itself; `None` if its status word is not known.
pub(super) fn payment(payment: &Object<'_>) -> Result<Option<Vec<Statement>>, Unreadable> {
    let id = required_id(payment, "id", PAYMENT)?;
    let timeline = Timeline::of(payment)?;
    let total = total(payment)?;
    let approved = money(payment, "approved_money")?;
    let status = payment.required_text("status")?;
    let Some((claim, time)) = claim(payment, &status, &timeline)? else { return Ok(None) };
    let is_negative = matches!(claim, PaymentClaim::Failed(..));
    let of_payment = |said, amount, provider_time| Statement {
        ids: vec![id.clone()],
        reference: None,
        attempt: None,
        said,
        amount,
        provider_time,
        reason: timeline.reason.as_deref().filter(|_| is_negative).and_then(clip_reason),
    };
    let mut statements = match (claim, part(total, approved)) {
        (PaymentClaim::Sold, Some(whole)) => {
            let said = Said::Payment(PaymentClaim::Authorized);
            let capture =
                operation(OperationKind::Capture, capture_id(&id)?, OperationClaim::Successful);
            vec![
                of_payment(said, Some(whole), timeline.authorized),
                of_payment(capture, total, timeline.captured),
            ]
        }
        _ => vec![of_payment(Said::Payment(claim), total, time)],
    };
    let reference = payment.reference("reference_id")?;
    for statement in &mut statements {
        statement.reference.clone_from(&reference);
    }
    Ok(Some(statements))
}

/// A payment's word, and when it came to it.
fn claim(
    payment: &Object<'_>,
    status: &str,
    timeline: &Timeline,
) -> Result<Option<(PaymentClaim, Option<Time>)>, Unreadable> {
    let failed = |negative, ended| PaymentClaim::Failed(negative, ended);
    Ok(Some(match status {
        "PENDING" => (PaymentClaim::Pending, payment.time("created_at")?),
        "APPROVED" => (PaymentClaim::Authorized, timeline.authorized),
        "COMPLETED" => (PaymentClaim::Sold, timeline.captured),
        "CANCELED" => {
            let until = payment.time("delayed_until")?;
            let is_due = until.zip(timeline.voided).is_some_and(|(until, voided)| voided >= until);
            let negative = if is_due { Negative::Expired } else { Negative::Canceled };
            (failed(negative, Ended::Authorization), timeline.voided)
        }
        "FAILED" if timeline.authorized.is_some() => {
            (failed(Negative::Declined, Ended::Authorization), None)
        }
        "FAILED" => (failed(Negative::Declined, Ended::Try { conclusive: true }), None),
        _ => return Ok(None),
    }))
}

/// The amount that was approved, if less was captured in the end.
fn part(total: Option<StatedAmount>, approved: Option<StatedAmount>) -> Option<StatedAmount> {
    let less = |(total, approved): &(StatedAmount, StatedAmount)| {
        total.money.compare(&approved.money).is_some_and(std::cmp::Ordering::is_lt)
    };
    total.zip(approved).filter(less).map(|(_, approved)| approved)
}

/// What a refund says of itself; `None` if its status word is not known.
pub(super) fn refund(refund: &Object<'_>) -> Result<Option<Statement>, Unreadable> {
    let payment = required_id(refund, "payment_id", PAYMENT)?;
    let id = required_id(refund, "id", REFUND)?;
    let claim = match refund.required_text("status")?.as_str() {
        "PENDING" => OperationClaim::Pending,
        "COMPLETED" => OperationClaim::Successful,
        "REJECTED" => OperationClaim::Failed(Negative::Declined, true),
        "FAILED" => OperationClaim::Failed(Negative::Error, true),
        _ => return Ok(None),
    };
    Ok(Some(Statement {
        ids: vec![payment],
        reference: None,
        attempt: None,
        said: operation(OperationKind::Refund, id, claim),
        amount: money(refund, "amount_money")?,
        // `updated_at` moves with the fees of a refund, too.
        provider_time: None,
        // `reason` says why money is given back, not why it is not.
        reason: None,
    }))
}

/// True if a refund says that it belongs to no payment.
pub(super) fn is_unlinked(refund: &Object<'_>) -> Result<bool, Unreadable> {
    Ok(refund.flag("unlinked")? == Some(true) && refund.text("payment_id")?.is_none())
}

fn operation(kind: OperationKind, id: ProviderId, claim: OperationClaim) -> Said {
    Said::Operation(OperationClaimed {
        kind,
        ids: vec![id],
        reference: None,
        operation: None,
        takes_back_captured: false,
        claim,
    })
}

/// A payment is captured once, so its own id names the capture.
fn capture_id(payment: &ProviderId) -> Result<ProviderId, Unreadable> {
    ProviderId::parse("capture", payment.value.as_str()).map_err(|err| unreadable("id", err))
}

/// What the buyer pays: with the tip. Square leaves the total out where it is the amount.
fn total(payment: &Object<'_>) -> Result<Option<StatedAmount>, Unreadable> {
    match money(payment, "total_money")? {
        Some(total) => Ok(Some(total)),
        None => money(payment, "amount_money"),
    }
}

/// An amount: an integer of the currency's smallest unit.
fn money(object: &Object<'_>, name: &str) -> Result<Option<StatedAmount>, Unreadable> {
    let Some(money) = object.maybe_object(name)? else { return Ok(None) };
    if money.value("amount")?.is_none() {
        return Ok(None);
    }
    let currency = money.required_text("currency")?;
    amount::in_minor_units(&money, "amount", &currency, amount::digits)
}

fn required_id(object: &Object<'_>, name: &str, kind: &str) -> Result<ProviderId, Unreadable> {
    let id = object.id(name, kind)?;
    id.ok_or_else(|| unreadable(&object.place_of(name), "is missing"))
}

/// Stored cards and accounts, and what names the payer, of a payment or a refund.
pub(super) fn sensitive(shown: &Object<'_>, body: &[u8]) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut collect = |object: &Object<'_>, names: Option<&[&str]>| {
        let wanted = |(name, _): &(&str, _)| names.is_none_or(|names| names.contains(name));
        let values = object.members().filter(wanted);
        ranges.extend(values.filter_map(|(_, value)| json::string_range(body, value)));
    };
    collect(shown, Some(&["buyer_email_address", "customer_id"]));
    for name in ["billing_address", "shipping_address"] {
        if let Ok(address) = shown.object(name) {
            collect(&address, None);
        }
    }
    // Of a refund, they say where the money goes.
    let destination = shown.object("destination_details").ok();
    for place in [Some(shown), destination.as_ref()].into_iter().flatten() {
        if let Ok(card) = place.object("card_details").and_then(|details| details.object("card")) {
            collect(&card, Some(&["id", "fingerprint", "cardholder_name", "customer_id"]));
        }
        for name in ["square_account_details", "bank_account_details"] {
            if let Ok(account) = place.object(name) {
                collect(&account, Some(&["payment_source_token", "fingerprint"]));
            }
        }
    }
    ranges.sort_by_key(|range: &Range<usize>| range.start);
    ranges
}

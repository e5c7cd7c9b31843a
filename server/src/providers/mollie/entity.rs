//! A payment, refund or capture as Mollie shows it, in webhooks and in answers alike.

use std::ops::Range;

use crate::{
    domain::{
        ids::{ProviderId, Reference},
        statement::{
            Ended, Negative, OperationClaim, OperationClaimed, OperationKind, PaymentClaim, Said,
            StatedAmount, Statement, clip_reason,
        },
        time::Time,
    },
    providers::{
        AccountSettings, Environment, Unreadable, amount,
        json::{self, Object, unreadable},
    },
};

/// Kind of a payment's id.
pub(super) const PAYMENT: &str = "payment";
/// Operations of one sort that an answer may embed.
const OPERATIONS_MAX: usize = 250;

/// Where operations are embedded, and what they are.
const EMBEDDED: &[(&str, OperationKind)] =
    &[("captures", OperationKind::Capture), ("refunds", OperationKind::Refund)];

/// Why an entity is not ours, if it is not.
pub(super) fn not_ours(
    entity: &Object<'_>,
    settings: &AccountSettings,
) -> Result<Option<&'static str>, Unreadable> {
    let is_live = match entity.text("mode")?.as_deref() {
        Some("live") => Some(true),
        Some("test") => Some(false),
        _ => None,
    };
    if is_live.is_some_and(|live| live != (settings.environment == Environment::Live)) {
        return Ok(Some("it is of the other environment"));
    }
    let profile = entity.text("profileId")?;
    let is_other = profile.is_some()
        && settings.provider_merchant.is_some()
        && profile != settings.provider_merchant;
    Ok(is_other.then_some("it is of another profile"))
}

/// What a payment says of itself and of the operations embedded in it; `None` if none of their
/// status words is known.
pub(super) fn payment(
    payment: &Object<'_>,
    settings: &AccountSettings,
) -> Result<Option<Vec<Statement>>, Unreadable> {
    let id = required_id(payment, "id", PAYMENT)?;
    let embedded = payment.maybe_object("_embedded")?;
    let mut operations = Vec::new();
    for (name, kind) in EMBEDDED {
        let Some(embedded) = &embedded else { continue };
        for one in embedded.objects(name, OPERATIONS_MAX)? {
            operations.extend(operation_of(&one, *kind, id.clone(), settings)?);
        }
    }
    let Some((claim, time)) = claim(payment)? else {
        return Ok(Some(operations).filter(|operations| !operations.is_empty()));
    };
    let reason = match payment.maybe_object("statusReason")? {
        Some(reason) => reason.text("message")?,
        None => None,
    };
    let is_negative = matches!(claim, PaymentClaim::Failed(..));
    let mut statements = vec![Statement {
        ids: vec![id],
        reference: reference(payment, settings.option("reference_metadata_key")),
        attempt: None,
        said: Said::Payment(claim),
        amount: stated(payment, "amount")?,
        provider_time: time,
        reason: reason.as_deref().filter(|_| is_negative).and_then(clip_reason),
    }];
    statements.extend(operations);
    Ok(Some(statements))
}

/// True if a payment was captured in part, and does not show by which captures.
pub(super) fn hides_captures(payment: &Object<'_>) -> Result<bool, Unreadable> {
    let is_paid = payment.text("status")?.as_deref() == Some("paid");
    let shows = match payment.maybe_object("_embedded")? {
        Some(embedded) => embedded.value("captures")?.is_some(),
        None => false,
    };
    Ok(is_paid && !shows && !is_captured_whole(payment)?)
}

/// What a refund or capture says of itself; `None` if its status word is not known.
pub(super) fn operation(
    entity: &Object<'_>,
    kind: OperationKind,
    settings: &AccountSettings,
) -> Result<Option<Statement>, Unreadable> {
    let payment = required_id(entity, "paymentId", PAYMENT)?;
    operation_of(entity, kind, payment, settings)
}

fn operation_of(
    entity: &Object<'_>,
    kind: OperationKind,
    payment: ProviderId,
    settings: &AccountSettings,
) -> Result<Option<Statement>, Unreadable> {
    let id_kind = if kind == OperationKind::Capture { "capture" } else { "refund" };
    let id = required_id(entity, "id", id_kind)?;
    let status = entity.required_text("status")?;
    let Some(claim) = operation_claim(kind, &status) else { return Ok(None) };
    let said = Said::Operation(OperationClaimed {
        kind,
        ids: vec![id],
        reference: reference(entity, settings.option("operation_metadata_key")),
        operation: None,
        takes_back_captured: false,
        claim,
    });
    // Mollie shows when it was made, and not when it came to its status.
    let (provider_time, reason) = (None, None);
    let amount = stated(entity, "amount")?;
    let (reference, attempt) = (None, None);
    Ok(Some(Statement {
        ids: vec![payment],
        reference,
        attempt,
        said,
        amount,
        provider_time,
        reason,
    }))
}

/// A payment's word, and when it came to it.
fn claim(payment: &Object<'_>) -> Result<Option<(PaymentClaim, Option<Time>)>, Unreadable> {
    let status = payment.required_text("status")?;
    // What was held, or could only be held, is released; else it was a try of the customer's,
    // and Mollie calls the end of it definitive.
    let is_held = payment.value("authorizedAt")?.is_some()
        || payment.text("captureMode")?.as_deref() == Some("manual");
    let ended = if is_held { Ended::Authorization } else { Ended::Try { conclusive: true } };
    let failed = |negative| PaymentClaim::Failed(negative, ended);
    let (claim, at) = match status.as_str() {
        "open" | "pending" => (PaymentClaim::Pending, "createdAt"),
        "authorized" => (PaymentClaim::Authorized, "authorizedAt"),
        "paid" if is_captured_whole(payment)? => (PaymentClaim::Sold, "paidAt"),
        "paid" => (PaymentClaim::Authorized, "authorizedAt"),
        "failed" => (failed(Negative::Declined), "failedAt"),
        "canceled" => (failed(Negative::Canceled), "canceledAt"),
        "expired" => (failed(Negative::Expired), "expiredAt"),
        _ => return Ok(None),
    };
    Ok(Some((claim, payment.time(at)?)))
}

/// False if a payment says that less was captured than it is of.
fn is_captured_whole(payment: &Object<'_>) -> Result<bool, Unreadable> {
    let (whole, captured) = (stated(payment, "amount")?, stated(payment, "amountCaptured")?);
    let is_less = match (whole, captured) {
        (Some(whole), Some(captured)) => {
            captured.money.compare(&whole.money).is_none_or(std::cmp::Ordering::is_lt)
        }
        _ => false,
    };
    Ok(!is_less)
}

/// A canceled refund was stopped before it began. One that failed had been processed.
fn operation_claim(kind: OperationKind, status: &str) -> Option<OperationClaim> {
    Some(match (kind, status) {
        (OperationKind::Refund, "queued" | "pending" | "processing")
        | (OperationKind::Capture, "pending") => OperationClaim::Pending,
        (OperationKind::Refund, "refunded") | (OperationKind::Capture, "succeeded") => {
            OperationClaim::Successful
        }
        (OperationKind::Refund, "failed") => OperationClaim::Corrected,
        (OperationKind::Refund, "canceled") => OperationClaim::Failed(Negative::Canceled, true),
        (OperationKind::Capture, "failed") => OperationClaim::Failed(Negative::Error, false),
        _ => return None,
    })
}

/// An amount: an object of a currency and a decimal text.
fn stated(entity: &Object<'_>, name: &str) -> Result<Option<StatedAmount>, Unreadable> {
    match entity.maybe_object(name)? {
        Some(amount) => amount::stated(&amount, "value"),
        None => Ok(None),
    }
}

fn required_id(entity: &Object<'_>, name: &str, kind: &str) -> Result<ProviderId, Unreadable> {
    let id = entity.id(name, kind)?;
    id.ok_or_else(|| unreadable(&entity.place_of(name), "is missing"))
}

/// The reference in the merchant's metadata. They are the merchant's own, in any form: what does
/// not hold a reference where one is looked for has none.
fn reference(entity: &Object<'_>, key: Option<&str>) -> Option<Reference> {
    let (key, metadata) = (key?, entity.value("metadata").ok()??);
    let text: String;
    let metadata = if metadata.get().starts_with('"') {
        text = serde_json::from_str(metadata.get()).ok()?;
        Object::of_body(text.as_bytes()).ok()?
    } else {
        entity.object("metadata").ok()?
    };
    let value = metadata.value(key).ok()??.get();
    let is_number = value.bytes().all(|b| b.is_ascii_digit());
    let text = if is_number { value.to_owned() } else { serde_json::from_str(value).ok()? };
    Reference::parse(&text).ok()
}

/// What can pay again, and what names the payer, of an entity and of those embedded in it.
pub(super) fn sensitive(entity: &Object<'_>, body: &[u8]) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    collect_sensitive(entity, body, &mut ranges);
    // What is embedded in these in turn is of the same payment, and shows no more of the payer.
    if let Ok(embedded) = entity.object("_embedded") {
        for name in ["payment", "entity"] {
            if let Ok(inner) = embedded.object(name) {
                collect_sensitive(&inner, body, &mut ranges);
            }
        }
    }
    ranges.sort_by_key(|range: &Range<usize>| range.start);
    ranges
}

fn collect_sensitive(entity: &Object<'_>, body: &[u8], ranges: &mut Vec<Range<usize>>) {
    let is_token = |name: &str| matches!(name, "mandateId" | "customerId");
    let tokens = entity.members().filter(|(name, _)| is_token(name));
    ranges.extend(tokens.filter_map(|(_, value)| json::string_range(body, value)));
    for name in ["billingAddress", "shippingAddress", "details"] {
        let Ok(part) = entity.object(name) else { continue };
        let texts = part.members().filter_map(|(_, value)| json::string_range(body, value));
        ranges.extend(texts.collect::<Vec<_>>());
    }
}

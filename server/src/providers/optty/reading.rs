//! What Optty's events say, as statements. The table of `README.md` is this file in words.

use super::signed_reference;
use crate::{
    domain::{
        digest::Digest,
        ids::{ProviderId, Reference},
        statement::{
            Ended, Negative, OperationClaim, OperationClaimed, OperationKind, PaymentClaim, Said,
            StatedAmount, Statement, clip_reason,
        },
    },
    providers::{
        Content, Reading, Unreadable, amount,
        json::{Object, event_name, unreadable},
    },
};

/// Reads a body of a known or unknown event.
pub(super) fn read(body: &Object<'_>, bytes: &[u8]) -> Result<Reading, Unreadable> {
    let event = body.required_text("event")?;
    let data = body.object("data")?;
    let operation = match event.as_str() {
        "ORDER_ASYNC_CALLBACK" => None,
        "ORDER_CAPTURE_ASYNC_CALLBACK" => Some(OperationKind::Capture),
        "REFUND_CALLBACK" => Some(OperationKind::Refund),
        "ORDER_VOID_ASYNC_CALLBACK" => Some(OperationKind::Void),
        // Named on the older page only, without a body. The name speaks of the order's status.
        "ORDER_STATUS_UPDATE" => {
            return Event::read(&event, &data, None).map_or_else(
                |_| Ok(ignored_whole(&event, bytes, "this event's body is not documented")),
                |event| event.reading(),
            );
        }
        _ => return Ok(ignored_whole(&event, bytes, "the event's name is not known")),
    };
    Event::read(&event, &data, operation)?.reading()
}

/// A known event, its fields read.
struct Event<'a> {
    name: &'a str,
    operation: Option<(OperationKind, Reference)>,
    reference: Reference,
    transaction: Option<ProviderId>,
    /// Of the payment, capture or refund. Of a void event it is the order's, and says nothing.
    status: String,
    void_status: Option<String>,
    capture_status: Option<String>,
    cancelled_by: Option<String>,
    reason: Option<String>,
    amount: Option<StatedAmount>,
}

impl<'a> Event<'a> {
    fn read(
        name: &'a str,
        data: &Object<'_>,
        operation: Option<OperationKind>,
    ) -> Result<Self, Unreadable> {
        let operation = operation.map(|kind| {
            let field = reference_field(kind);
            let reference = data.reference(field)?;
            let reference =
                reference.ok_or_else(|| unreadable(&data.place_of(field), "is missing"));
            Ok((kind, reference?))
        });
        // A reason only explains: one in another form is no ground to refuse the event.
        let reason = data.text_spelled(&["rejectReason", "errorMessage"]).unwrap_or_default();
        Ok(Self {
            name,
            operation: operation.transpose()?,
            reference: order_reference(data)?,
            transaction: data.id("transactionId", "transaction")?,
            status: data.required_text("status")?,
            void_status: data.text("voidStatus")?,
            capture_status: data.text("captureStatus")?,
            cancelled_by: data.text_spelled(&["cancelledBy", "canceledBy"])?,
            reason,
            amount: amount::stated(data, "amount")?,
        })
    }

    fn reading(&self) -> Result<Reading, Unreadable> {
        let event_id = self.event_id();
        let said = match &self.operation {
            None => {
                let (captured, by) = (self.capture_status.as_deref(), self.cancelled_by.as_deref());
                payment_claim(&self.status, captured, by).map(Said::Payment)
            }
            Some((kind, reference)) => {
                self.operation_claim(*kind)?.map(|claim| said_of(*kind, reference, claim))
            }
        };
        let content = match said {
            Some(said) => Content::Statements(vec![self.statement(said)]),
            None => Content::Ignored { reason: "its status word is not known".to_owned() },
        };
        Ok(Reading { event_id, event_name: self.name.to_owned(), content })
    }

    /// Only the words documented for each event: an order's status may stand beside them.
    fn operation_claim(&self, kind: OperationKind) -> Result<Option<OperationClaim>, Unreadable> {
        let word = match (kind, &self.void_status) {
            (OperationKind::Void, Some(void_status)) => void_status,
            (OperationKind::Void, None) => return Err(unreadable("data.voidStatus", "is missing")),
            _ => &self.status,
        };
        Ok(operation_claim(kind, word))
    }

    fn statement(&self, said: Said) -> Statement {
        let mut ids = vec![ProviderId::from_reference(&self.reference)];
        ids.extend(self.transaction.clone());
        ids.sort();
        // It explains what did not work. Elsewhere it would only let one hash, which binds none of
        // this, make any number of statements.
        let is_negative = matches!(
            &said,
            Said::Payment(PaymentClaim::Failed(..))
                | Said::Operation(OperationClaimed { claim: OperationClaim::Failed(..), .. })
        );
        let by = self.cancelled_by.as_ref().map(|by| format!("cancelled by {by}"));
        let reason = self.reason.as_deref().or(by.as_deref()).filter(|_| is_negative);
        Statement {
            ids,
            reference: Some(self.reference.clone()),
            attempt: None,
            said,
            amount: self.amount,
            provider_time: None,
            reason: reason.and_then(clip_reason),
        }
    }

    /// Optty gives its events no id. This one is made of what identifies an event: its name, the
    /// references, the transaction, the words and the amount. Not of the token, the reason, the
    /// raw response or the order of names, so a redelivery that differs there is a repeat.
    fn event_id(&self) -> String {
        let digest = Digest::new("optty event")
            .text(self.name)
            .text(self.reference.as_str())
            .maybe(self.operation.as_ref().map(|(_, reference)| reference.as_str()))
            .maybe(self.transaction.as_ref().map(|id| id.value.as_str()))
            .text(&self.status)
            .maybe(self.void_status.as_deref())
            .maybe(self.capture_status.as_deref())
            .maybe(self.cancelled_by.as_deref())
            .maybe(self.amount.map(|amount| amount.money.to_string()).as_deref());
        hex::encode(digest.finish())
    }
}

/// Optty's words for a payment. Nothing is documented to follow DECLINED, so a success after it
/// is a conflict. The other negatives are of a try that may still succeed: the customer comes
/// back, or the payment method answers after Optty's own time-out.
pub(super) fn payment_claim(
    status: &str,
    capture_status: Option<&str>,
    cancelled_by: Option<&str>,
) -> Option<PaymentClaim> {
    let open_try =
        |negative| Some(PaymentClaim::Failed(negative, Ended::Try { conclusive: false }));
    let is = |word: Option<&str>, wanted: &str| {
        word.is_some_and(|word| word.eq_ignore_ascii_case(wanted))
    };
    match status.to_ascii_uppercase().as_str() {
        "INITIATED" | "PENDING" => Some(PaymentClaim::Pending),
        "SUCCESSFUL" if is(capture_status, "AUTHORIZED") => Some(PaymentClaim::Authorized),
        "SUCCESSFUL" => Some(PaymentClaim::Sold),
        "DECLINED" | "FAILED" => {
            Some(PaymentClaim::Failed(Negative::Declined, Ended::Try { conclusive: true }))
        }
        "CANCELED" | "CANCELLED" if is(cancelled_by, "SYSTEM") => open_try(Negative::Expired),
        "CANCELED" | "CANCELLED" => open_try(Negative::Canceled),
        "ERROR" => open_try(Negative::Error),
        _ => None,
    }
}

/// Optty's words for an operation.
pub(super) fn operation_claim(kind: OperationKind, word: &str) -> Option<OperationClaim> {
    match (word.to_ascii_uppercase().as_str(), kind) {
        ("SUCCESSFUL", _) => Some(OperationClaim::Successful),
        ("ERROR", _) => Some(OperationClaim::Failed(Negative::Error, false)),
        ("PENDING", OperationKind::Refund) => Some(OperationClaim::Pending),
        ("DECLINED", OperationKind::Refund) => {
            Some(OperationClaim::Failed(Negative::Declined, true))
        }
        _ => None,
    }
}

fn reference_field(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Capture => "captureReference",
        OperationKind::Refund => "refundReference",
        OperationKind::Void => "voidReference",
    }
}

/// The reference that the hash covers. The examples give an order one reference under either
/// name; two different ones would leave it open which order is meant.
fn order_reference(data: &Object<'_>) -> Result<Reference, Unreadable> {
    let signed = signed_reference(data)?;
    let signed = signed.ok_or_else(|| unreadable("data.reference", "is missing"))?;
    if data.text("orderReference")?.is_some_and(|other| other != signed) {
        return Err(unreadable("data.reference", "is not data.orderReference"));
    }
    Reference::parse(&signed).map_err(|err| unreadable("data.reference", err))
}

/// A void that succeeds where nothing uncaptured is left took captured money back: there is
/// nothing else that it could have voided.
pub(super) fn said_of(kind: OperationKind, reference: &Reference, claim: OperationClaim) -> Said {
    Said::Operation(OperationClaimed {
        kind,
        ids: Vec::new(),
        reference: Some(reference.clone()),
        operation: None,
        takes_back_captured: kind == OperationKind::Void,
        claim,
    })
}

/// An event that is kept unread, under an id made of its whole body.
fn ignored_whole(event: &str, body: &[u8], reason: &str) -> Reading {
    let body = String::from_utf8_lossy(body);
    Reading {
        event_id: hex::encode(Digest::new("optty event unread").text(&body).finish()),
        event_name: event_name(event),
        content: Content::Ignored { reason: reason.to_owned() },
    }
}

//! What a body of ours says, as statements. The lists in the module above say this in words.

use crate::{
    domain::{
        digest::Digest,
        ids::{IdValue, ProviderId},
        statement::{
            Ended, Negative, OperationClaim, OperationClaimed, OperationKind, PaymentClaim, Said,
            Statement, clip_reason,
        },
        time::Time,
    },
    providers::{
        Content, Reading, Unreadable, amount,
        json::{EVENT_NAME_BYTES_MAX, NO_TIME, Object, event_name, rfc_3339, unreadable},
    },
};

/// Reads a body that came under a message id.
pub(super) fn read(body: &Object<'_>, message_id: &str) -> Result<Reading, Unreadable> {
    let kind = body.required_text("type")?;
    let content = match kind.split_once('.').and_then(|(subject, word)| Type::of(subject, word)) {
        Some(kind) => Content::Statements(vec![statement(body, kind)?]),
        None => Content::Ignored { reason: "the event's type is not known".to_owned() },
    };
    Ok(Reading { event_id: event_id(message_id), event_name: event_name(&kind), content })
}

/// A known type, with what its name alone says.
#[derive(Clone, Copy)]
enum Type {
    Payment(PaymentClaim),
    PaymentFailed(Negative),
    Operation(OperationKind, OperationClaim),
    OperationFailed(OperationKind, Negative),
}

impl Type {
    fn of(subject: &str, word: &str) -> Option<Self> {
        let kind = match subject {
            "payment" => return Self::of_payment(word),
            "capture" => OperationKind::Capture,
            "refund" => OperationKind::Refund,
            "void" => OperationKind::Void,
            _ => return None,
        };
        Some(match word {
            "pending" => Self::Operation(kind, OperationClaim::Pending),
            "succeeded" => Self::Operation(kind, OperationClaim::Successful),
            "corrected" => Self::Operation(kind, OperationClaim::Corrected),
            "declined" => Self::OperationFailed(kind, Negative::Declined),
            "canceled" => Self::OperationFailed(kind, Negative::Canceled),
            "error" => Self::OperationFailed(kind, Negative::Error),
            _ => return None,
        })
    }

    fn of_payment(word: &str) -> Option<Self> {
        Some(match word {
            "pending" => Self::Payment(PaymentClaim::Pending),
            "authorized" => Self::Payment(PaymentClaim::Authorized),
            "paid" => Self::Payment(PaymentClaim::Sold),
            "corrected" => Self::Payment(PaymentClaim::SaleCorrected),
            "declined" => Self::PaymentFailed(Negative::Declined),
            "canceled" => Self::PaymentFailed(Negative::Canceled),
            "expired" => Self::PaymentFailed(Negative::Expired),
            "error" => Self::PaymentFailed(Negative::Error),
            _ => return None,
        })
    }
}

fn statement(body: &Object<'_>, kind: Type) -> Result<Statement, Unreadable> {
    let time = time(&body.required_text("timestamp")?)?;
    let data = body.object("data")?;
    let payment = data.id("payment_id", "payment")?;
    let payment = payment.ok_or_else(|| unreadable("data.payment_id", "is missing"))?;
    Ok(Statement {
        ids: vec![payment],
        reference: data.reference("reference")?,
        attempt: None,
        said: said(&data, kind)?,
        amount: amount::stated(&data, "amount")?,
        provider_time: Some(time),
        reason: data.text("reason")?.as_deref().and_then(clip_reason),
    })
}

fn said(data: &Object<'_>, kind: Type) -> Result<Said, Unreadable> {
    Ok(match kind {
        Type::Payment(claim) => Said::Payment(claim),
        Type::PaymentFailed(negative) => {
            Said::Payment(PaymentClaim::Failed(negative, ended(data)?))
        }
        Type::Operation(kind, claim) => operation(data, kind, claim)?,
        Type::OperationFailed(kind, negative) => {
            operation(data, kind, OperationClaim::Failed(negative, is_final(data)?))?
        }
    })
}

fn ended(data: &Object<'_>) -> Result<Ended, Unreadable> {
    let conclusive = is_final(data)?;
    match data.text("ended")?.as_deref() {
        None | Some("try") => Ok(Ended::Try { conclusive }),
        Some("authorization") => Ok(Ended::Authorization),
        Some(_) => Err(unreadable("data.ended", "must be \"try\" or \"authorization\"")),
    }
}

fn is_final(data: &Object<'_>) -> Result<bool, Unreadable> {
    data.flag("final").map(Option::unwrap_or_default)
}

fn operation(
    data: &Object<'_>,
    kind: OperationKind,
    claim: OperationClaim,
) -> Result<Said, Unreadable> {
    let id_kind = match kind {
        OperationKind::Capture => "capture",
        OperationKind::Refund => "refund",
        OperationKind::Void => "void",
    };
    let id: Option<ProviderId> = data.id("operation_id", id_kind)?;
    let reference = data.reference("operation_reference")?;
    if id.is_none() && reference.is_none() {
        return Err(unreadable("data.operation_id", "and data.operation_reference are missing"));
    }
    let is_void = kind == OperationKind::Void;
    Ok(Said::Operation(OperationClaimed {
        kind,
        ids: id.into_iter().collect(),
        reference,
        operation: None,
        takes_back_captured: is_void && data.flag("takes_back_captured")?.unwrap_or_default(),
        claim,
    }))
}

fn time(text: &str) -> Result<Time, Unreadable> {
    rfc_3339(text).ok_or_else(|| unreadable("timestamp", NO_TIME))
}

/// The message id; in place of one that is too long or unprintable, an id made of it.
fn event_id(message_id: &str) -> String {
    if message_id.len() <= EVENT_NAME_BYTES_MAX && IdValue::parse(message_id).is_ok() {
        return message_id.to_owned();
    }
    hex::encode(Digest::new("standard webhook id").text(message_id).finish())
}

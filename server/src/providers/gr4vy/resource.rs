//! Gr4vy's resources, as webhooks and the API give them, and what their statuses say.

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
        Unreadable, amount,
        json::{Object, unreadable},
    },
};

/// True if an account reads captures of the sum that a transaction tells.
pub(super) fn reads_sums(option: Option<&str>) -> bool {
    option == Some("transactions")
}

/// What a transaction says, with what the event's name adds to it. Empty if its status is not
/// known.
pub(super) fn transaction(
    target: &Object<'_>,
    event: &str,
    sums: bool,
) -> Result<Vec<Statement>, Unreadable> {
    let transaction = Transaction::read(target)?;
    let mut said = transaction.payment();
    said.extend(transaction.void(event));
    if sums {
        said.extend(transaction.sum_of_captures(event));
    }
    let statement = |(said, time): (Said, Option<Time>)| transaction.statement(said, time);
    Ok(said.into_iter().map(statement).collect())
}

/// A transaction, its fields read.
pub(super) struct Transaction {
    id: ProviderId,
    reference: Option<Reference>,
    status: String,
    amount: Option<StatedAmount>,
    authorized: Option<StatedAmount>,
    /// The sum of all captures so far.
    captured: Option<StatedAmount>,
    was_authorized: bool,
    approval_timed_out: bool,
    was_refunded: bool,
    created: Option<Time>,
    voided: Option<Time>,
    reason: Option<String>,
}

impl Transaction {
    pub(super) fn read(target: &Object<'_>) -> Result<Self, Unreadable> {
        let amounts = Amounts::of(target)?;
        let status = target.required_text("status")?;
        let captured = amounts.read("captured_amount")?;
        if captured.is_none() && status == "capture_succeeded" {
            return Err(unreadable(&target.place_of("captured_amount"), "is missing"));
        }
        let refunded = amounts.read("refunded_amount")?;
        Ok(Self {
            id: required_id(target, "id", "transaction")?,
            reference: target.reference("external_identifier")?,
            status,
            amount: amounts.read("amount")?,
            authorized: amounts.read("authorized_amount")?,
            captured,
            was_refunded: refunded.is_some_and(|refunded| !refunded.money.is_zero()),
            was_authorized: target.text("authorized_at")?.is_some(),
            approval_timed_out: target.text("buyer_approval_timedout_at")?.is_some(),
            created: target.time("created_at")?,
            voided: target.time("voided_at")?,
            reason: reason(target),
        })
    }

    /// True if anything was refunded.
    pub(super) fn is_refunded(&self) -> bool {
        self.was_refunded
    }

    /// True if something, but not all that was authorised, is captured.
    pub(super) fn is_partly_captured(&self) -> bool {
        let is_something = self.captured.is_some_and(|captured| !captured.money.is_zero());
        is_something && !self.is_captured_whole()
    }

    /// The payment method's part of the amount counts: the rest was paid with gift cards.
    fn is_captured_whole(&self) -> bool {
        let whole = self.authorized.or(self.amount);
        self.captured.zip(whole).is_some_and(|(captured, whole)| {
            captured.money.compare(&whole.money).is_some_and(std::cmp::Ordering::is_ge)
        })
    }

    /// What the status says of the payment. A reason stands with negatives only.
    fn payment(&self) -> Vec<(Said, Option<Time>)> {
        let failed = |negative, ended| PaymentClaim::Failed(negative, ended);
        let conclusive = Ended::Try { conclusive: true };
        let claims = match self.status.as_str() {
            "processing" | "buyer_approval_pending" => vec![PaymentClaim::Pending],
            "authorization_succeeded" | "capture_pending" | "authorization_void_pending" => {
                vec![PaymentClaim::Authorized]
            }
            "authorization_declined" => vec![failed(Negative::Declined, conclusive)],
            "authorization_failed" if self.approval_timed_out => {
                vec![failed(Negative::Expired, conclusive)]
            }
            "authorization_failed" => vec![failed(Negative::Error, conclusive)],
            "capture_succeeded" if self.is_captured_whole() => vec![PaymentClaim::Sold],
            "capture_succeeded" => vec![PaymentClaim::Authorized],
            "authorization_voided" => {
                let ended = failed(Negative::Canceled, Ended::Authorization);
                let authorized = self.was_authorized.then_some(PaymentClaim::Authorized);
                authorized.into_iter().chain([ended]).collect()
            }
            _ => Vec::new(),
        };
        claims.into_iter().map(|claim| (Said::Payment(claim), self.created)).collect()
    }

    /// What is said of the transaction's void: by its status, else by the event's name.
    fn void(&self, event: &str) -> Option<(Said, Option<Time>)> {
        let (claim, time) = match (self.status.as_str(), event) {
            ("authorization_voided", _) => (OperationClaim::Successful, self.voided),
            ("authorization_void_pending", _) | (_, "transaction.void-pending") => {
                (OperationClaim::Pending, None)
            }
            (_, "transaction.void-declined") => {
                (OperationClaim::Failed(Negative::Declined, false), None)
            }
            (_, "transaction.void-failed") => {
                (OperationClaim::Failed(Negative::Error, false), None)
            }
            _ => return None,
        };
        let reference = Reference::parse(self.id.value.as_str()).ok();
        let id = ProviderId::parse("void", self.id.value.as_str()).ok();
        Some((operation_said(OperationKind::Void, id, reference, claim), time))
    }

    /// The sum of all captures as one operation whose amount grows, for accounts that read
    /// captures so. A sale is no such sum: it is the whole amount already.
    fn sum_of_captures(&self, event: &str) -> Option<(Said, Option<Time>)> {
        let claim = match (self.status.as_str(), event) {
            _ if self.is_partly_captured() => OperationClaim::Successful,
            ("capture_succeeded", _) => return None,
            ("capture_pending", _) => OperationClaim::Pending,
            (_, "transaction.capture-failed") => OperationClaim::Failed(Negative::Error, false),
            _ => return None,
        };
        let id = ProviderId::parse("transaction_captures", self.id.value.as_str()).ok();
        Some((operation_said(OperationKind::Capture, id, None, claim), None))
    }

    fn statement(&self, said: Said, provider_time: Option<Time>) -> Statement {
        let (amount, is_negative) = match &said {
            Said::Payment(claim) => (self.amount, matches!(claim, PaymentClaim::Failed(..))),
            Said::Operation(operation) => {
                let is_sum = operation.kind == OperationKind::Capture;
                let is_told = is_sum && operation.claim == OperationClaim::Successful;
                let is_negative = matches!(operation.claim, OperationClaim::Failed(..));
                (self.captured.filter(|_| is_told), is_negative)
            }
        };
        Statement {
            ids: vec![self.id.clone()],
            reference: self.reference.clone(),
            attempt: None,
            said,
            amount,
            provider_time,
            reason: self.reason.clone().filter(|_| is_negative),
        }
    }
}

/// What a capture or a refund says. `None` if its status is not known.
pub(super) fn operation(
    target: &Object<'_>,
    kind: OperationKind,
) -> Result<Option<Statement>, Unreadable> {
    let id_kind = if kind == OperationKind::Capture { "capture" } else { "refund" };
    let id = required_id(target, "id", id_kind)?;
    let transaction = required_id(target, "transaction_id", "transaction")?;
    let reference = target.reference("external_identifier")?;
    let failed = |negative| OperationClaim::Failed(negative, true);
    let claim = match (target.required_text("status")?.as_str(), kind) {
        ("pending", OperationKind::Capture) | ("processing", OperationKind::Refund) => {
            OperationClaim::Pending
        }
        ("succeeded", _) => OperationClaim::Successful,
        ("declined", _) => failed(Negative::Declined),
        ("failed", _) => failed(Negative::Error),
        ("canceled", OperationKind::Capture) | ("voided", OperationKind::Refund) => {
            failed(Negative::Canceled)
        }
        _ => return Ok(None),
    };
    let is_negative = matches!(claim, OperationClaim::Failed(..));
    Ok(Some(Statement {
        ids: vec![transaction],
        reference: target.reference("transaction_external_identifier")?,
        attempt: None,
        said: operation_said(kind, Some(id), reference, claim),
        amount: Amounts::of(target)?.read("amount")?,
        provider_time: target.time("created_at")?,
        reason: reason(target).filter(|_| is_negative),
    }))
}

/// Voids come before any capture at Gr4vy, so none takes captured money back.
fn operation_said(
    kind: OperationKind,
    id: Option<ProviderId>,
    reference: Option<Reference>,
    claim: OperationClaim,
) -> Said {
    Said::Operation(OperationClaimed {
        kind,
        ids: id.into_iter().collect(),
        reference,
        operation: None,
        takes_back_captured: false,
        claim,
    })
}

/// The amounts of a resource, all in its one currency, with the digits of ISO 4217.
struct Amounts<'o, 'a> {
    resource: &'o Object<'a>,
    currency: Option<String>,
}

impl<'o, 'a> Amounts<'o, 'a> {
    fn of(resource: &'o Object<'a>) -> Result<Self, Unreadable> {
        Ok(Self { resource, currency: resource.text("currency")? })
    }

    fn read(&self, name: &str) -> Result<Option<StatedAmount>, Unreadable> {
        let Some(currency) = &self.currency else { return Ok(None) };
        amount::in_minor_units(self.resource, name, currency, amount::digits)
    }
}

fn required_id(object: &Object<'_>, name: &str, kind: &str) -> Result<ProviderId, Unreadable> {
    let id = object.id(name, kind)?;
    id.ok_or_else(|| unreadable(&object.place_of(name), "is missing"))
}

/// Why it did not work. A reason only explains: one in another form is no ground to refuse.
fn reason(object: &Object<'_>) -> Option<String> {
    let reason = object.text_spelled(&["error_code", "raw_response_description"]);
    reason.unwrap_or_default().as_deref().and_then(clip_reason)
}

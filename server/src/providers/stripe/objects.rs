//! What Stripe's objects say in their states, whether an event or an answer holds them.

use super::{
    REFERENCE_KEY, REFUND_KEY,
    charge::{is_held, is_whole, shown},
    currency,
};
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
        AccountSettings, Unreadable, amount,
        json::{Object, unreadable},
    },
};

/// What a charge's own state leaves open.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ChargeEvent {
    /// Its state says it all.
    State,
    /// The merchant captured it.
    Captured,
    /// Nobody captured it in time.
    Expired,
    /// Something was given back, or let go.
    Refunded,
}

/// What is the same for all statements of one event or answer.
pub(super) struct Scope<'a> {
    pub(super) settings: &'a AccountSettings,
    /// The event's time.
    pub(super) time: Option<Time>,
    /// True if what was never captured and is let go may stand here as a refund, which it did
    /// before the API version [`super::WITHOUT_RELEASES`].
    pub(super) has_releases: bool,
}

impl Scope<'_> {
    /// A PaymentIntent in its state; `failed` says that a try has just failed.
    pub(super) fn intent(
        &self,
        object: &Object<'_>,
        failed: bool,
    ) -> Result<Vec<Statement>, Unreadable> {
        let payment = Payment::of_intent(object, self)?;
        let whole = minor(object, "amount")?;
        let error = object.optional_object("last_payment_error")?;
        Ok(match object.required_text("status")?.as_str() {
            "requires_payment_method" if failed || error.is_some() => {
                let claim = PaymentClaim::Failed(negative(error.as_ref())?, OPEN_TRY);
                let reason = error.as_ref().map(reason_of_error).transpose()?.flatten();
                vec![payment.statement(claim, whole, reason)]
            }
            "requires_payment_method"
            | "requires_confirmation"
            | "requires_action"
            | "processing" => vec![payment.statement(PaymentClaim::Pending, whole, None)],
            "requires_capture" => {
                let held = held(object)?.or(whole);
                let mut said = vec![payment.statement(PaymentClaim::Authorized, held, None)];
                // Captured in part, with more to come.
                if let (Some(received), Some(charge)) = (
                    minor(object, "amount_received")?.filter(|a| !a.money.is_zero()),
                    &payment.charge,
                ) {
                    said.push(payment.captured(charge, Some(received)));
                }
                said
            }
            "succeeded" => {
                let by_merchant = object.text("capture_method")?.as_deref() == Some("manual");
                payment.collected(whole, minor(object, "amount_received")?, by_merchant)?
            }
            "canceled" => self.canceled(object, &payment, whole)?,
            _ => Vec::new(),
        })
    }

    /// Where a charge is named, there may have been an authorisation; it is over. A void is said
    /// only where the charge itself shows that there was something to release.
    fn canceled(
        &self,
        object: &Object<'_>,
        payment: &Payment<'_>,
        whole: Option<StatedAmount>,
    ) -> Result<Vec<Statement>, Unreadable> {
        let reason = object.text("cancellation_reason")?;
        let negative = match reason.as_deref() {
            Some("expired" | "automatic" | "abandoned") => Negative::Expired,
            _ => Negative::Canceled,
        };
        let shown = shown(object, "latest_charge")?;
        let word = shown.as_ref().map(|charge| charge.text("status")).transpose()?.flatten();
        let ended = match (&payment.charge, word.as_deref()) {
            (None, _) | (_, Some("failed")) => Ended::Try { conclusive: true },
            (Some(_), _) => Ended::Authorization,
        };
        let claim = PaymentClaim::Failed(negative, ended);
        let mut said = vec![payment.statement(claim, whole, reason)];
        let was_held = shown.as_ref().map(is_held).transpose()?.unwrap_or_default();
        if let (Some(charge), Negative::Canceled, true) = (&payment.charge, negative, was_held) {
            said.push(payment.operation(
                OperationKind::Void,
                charge.clone(),
                OperationClaim::Successful,
                None,
            ));
        }
        Ok(said)
    }

    /// A charge in its state.
    pub(super) fn charge(
        &self,
        object: &Object<'_>,
        event: ChargeEvent,
    ) -> Result<Vec<Statement>, Unreadable> {
        let payment = Payment::of_charge(object, self)?;
        let whole = minor(object, "amount")?;
        let is_captured = object.flag("captured")?.unwrap_or_default();
        if event == ChargeEvent::Refunded {
            return self.given_back(object, &payment, is_captured);
        }
        if event == ChargeEvent::Expired {
            let claim = PaymentClaim::Failed(Negative::Expired, Ended::Authorization);
            return Ok(vec![payment.statement(claim, whole, None)]);
        }
        Ok(match object.required_text("status")?.as_str() {
            "pending" => vec![payment.statement(PaymentClaim::Pending, whole, None)],
            "failed" => {
                let reason = object.text_spelled(&["failure_code", "failure_message"])?;
                let claim = PaymentClaim::Failed(Negative::Declined, OPEN_TRY);
                vec![payment.statement(claim, whole, reason)]
            }
            "succeeded" if is_captured => {
                let captured = minor(object, "amount_captured")?.or(whole);
                payment.collected(whole, captured, event == ChargeEvent::Captured)?
            }
            "succeeded" => vec![payment.statement(PaymentClaim::Authorized, whole, None)],
            _ => Vec::new(),
        })
    }

    /// `charge.refunded` names no refund, unless the API version of the endpoint lists them.
    /// What was never captured is let go as a "refund" too: of a PaymentIntent, its own events
    /// say so; and where only a part was captured, one of the list may be the rest let go.
    fn given_back(
        &self,
        object: &Object<'_>,
        payment: &Payment<'_>,
        is_captured: bool,
    ) -> Result<Vec<Statement>, Unreadable> {
        let (whole, captured) = (minor(object, "amount")?, minor(object, "amount_captured")?);
        if !is_captured {
            let is_held = is_held(object)?;
            let alone = payment
                .charge
                .as_ref()
                .filter(|charge| is_held && payment.ids == [(*charge).clone()]);
            let void = |charge: &ProviderId| {
                let claim = OperationClaim::Successful;
                payment.operation(OperationKind::Void, charge.clone(), claim, whole)
            };
            return Ok(alone.map(void).into_iter().collect());
        }
        let list = object.optional_object("refunds")?;
        let Some(list) = list.filter(|_| is_whole(whole, captured)) else {
            return Ok(Vec::new());
        };
        let of_whole = Scope { has_releases: false, ..*self };
        let refunds = list.list_of_objects("data")?;
        let said = refunds.iter().map(|refund| of_whole.refund(refund));
        Ok(said.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// A refund in its state. A failed one may have been a success before, so it denies that.
    pub(super) fn refund(&self, object: &Object<'_>) -> Result<Option<Statement>, Unreadable> {
        let proper = self.is_refund(object)?;
        if proper == Some(false) {
            return Ok(None);
        }
        let claim = match object.required_text("status")?.as_str() {
            "pending" | "requires_action" => OperationClaim::Pending,
            "succeeded" if proper.is_none() => OperationClaim::Pending,
            "succeeded" => OperationClaim::Successful,
            "failed" => OperationClaim::Corrected,
            "canceled" => OperationClaim::Failed(Negative::Canceled, true),
            _ => return Ok(None),
        };
        let refund = object.id("id", "refund")?;
        let refund = refund.ok_or_else(|| unreadable(&object.place_of("id"), "is missing"))?;
        let payment = Payment::of_refund(object, self)?;
        let amount = minor(object, "amount")?;
        let mut said = payment.operation(OperationKind::Refund, refund, claim, amount);
        said.reason = object.text("failure_reason")?.as_deref().and_then(clip_reason);
        if let Said::Operation(operation) = &mut said.said {
            operation.reference = self.reference(object, REFUND_KEY)?;
        }
        Ok(Some(said))
    }

    /// Whether something was given back, or only let go; `None` if that cannot be told. The charge
    /// shows it where it stands there: nothing captured cannot be given back, and all captured
    /// leaves nothing to let go. Between them, a refund that moved money has a transaction.
    fn is_refund(&self, object: &Object<'_>) -> Result<Option<bool>, Unreadable> {
        let Some(charge) = shown(object, "charge")? else {
            return Ok((!self.has_releases).then_some(true));
        };
        if !charge.flag("captured")?.unwrap_or_default() {
            return Ok(Some(false));
        }
        let whole = is_whole(minor(&charge, "amount")?, minor(&charge, "amount_captured")?);
        let has_moved = !self.has_releases && object.value("balance_transaction")?.is_some();
        Ok((whole || has_moved).then_some(true))
    }

    /// The metadata's text under the key that an option names. One that can be no reference was
    /// given by somebody else, for something else.
    fn reference(
        &self,
        object: &Object<'_>,
        option: &str,
    ) -> Result<Option<Reference>, Unreadable> {
        let Some(key) = self.settings.option(option).filter(|key| !key.is_empty()) else {
            return Ok(None);
        };
        let Some(metadata) = object.optional_object("metadata")? else { return Ok(None) };
        Ok(metadata.text(key)?.and_then(|text| Reference::parse(&text).ok()))
    }
}

/// A try that ended, of a payment that can be tried again.
const OPEN_TRY: Ended = Ended::Try { conclusive: false };

/// The payment that an object is about.
struct Payment<'a> {
    scope: &'a Scope<'a>,
    ids: Vec<ProviderId>,
    charge: Option<ProviderId>,
    reference: Option<Reference>,
}

impl<'a> Payment<'a> {
    fn of_intent(object: &Object<'_>, scope: &'a Scope<'a>) -> Result<Self, Unreadable> {
        let id = object.id("id", "payment_intent")?;
        let id = id.ok_or_else(|| unreadable(&object.place_of("id"), "is missing"))?;
        // Before the API version 2022-11-15 the charges were a list, the newest first.
        let listed = || match object.optional_object("charges")? {
            Some(list) => match list.list_of_objects("data")?.first() {
                Some(charge) => charge.id("id", "charge"),
                None => Ok(None),
            },
            None => Ok(None),
        };
        let charge = match linked(object, "latest_charge", "charge")? {
            Some(charge) => Some(charge),
            None => listed()?,
        };
        Self::new(scope, object, Some(id), charge)
    }

    fn of_charge(object: &Object<'_>, scope: &'a Scope<'a>) -> Result<Self, Unreadable> {
        let id = object.id("id", "charge")?;
        let id = id.ok_or_else(|| unreadable(&object.place_of("id"), "is missing"))?;
        let intent = linked(object, "payment_intent", "payment_intent")?;
        Self::new(scope, object, intent, Some(id))
    }

    fn of_refund(object: &Object<'_>, scope: &'a Scope<'a>) -> Result<Self, Unreadable> {
        let intent = linked(object, "payment_intent", "payment_intent")?;
        let charge = linked(object, "charge", "charge")?;
        if intent.is_none() && charge.is_none() {
            let place = object.place_of("payment_intent");
            return Err(unreadable(&place, "and the charge are missing"));
        }
        Self::new(scope, object, intent, charge)
    }

    fn new(
        scope: &'a Scope<'a>,
        object: &Object<'_>,
        intent: Option<ProviderId>,
        charge: Option<ProviderId>,
    ) -> Result<Self, Unreadable> {
        let mut ids: Vec<_> = intent.into_iter().chain(charge.clone()).collect();
        ids.sort();
        Ok(Self { scope, ids, charge, reference: scope.reference(object, REFERENCE_KEY)? })
    }

    fn statement(
        &self,
        claim: PaymentClaim,
        amount: Option<StatedAmount>,
        reason: Option<String>,
    ) -> Statement {
        let said = Said::Payment(claim);
        Statement { reason: reason.as_deref().and_then(clip_reason), ..self.of(said, amount) }
    }

    /// Money that arrived: all of it at once is a sale, anything else a capture.
    fn collected(
        &self,
        whole: Option<StatedAmount>,
        captured: Option<StatedAmount>,
        by_merchant: bool,
    ) -> Result<Vec<Statement>, Unreadable> {
        if is_whole(whole, captured) && !by_merchant {
            return Ok(vec![self.statement(PaymentClaim::Sold, whole, None)]);
        }
        let charge = self.charge.as_ref();
        let charge =
            charge.ok_or_else(|| unreadable("the charge", "that was captured is missing"))?;
        let authorized = self.statement(PaymentClaim::Authorized, whole, None);
        Ok(vec![authorized, self.captured(charge, captured.or(whole))])
    }

    fn captured(&self, charge: &ProviderId, amount: Option<StatedAmount>) -> Statement {
        let claim = OperationClaim::Successful;
        self.operation(OperationKind::Capture, charge.clone(), claim, amount)
    }

    fn operation(
        &self,
        kind: OperationKind,
        id: ProviderId,
        claim: OperationClaim,
        amount: Option<StatedAmount>,
    ) -> Statement {
        let said = Said::Operation(OperationClaimed {
            kind,
            ids: vec![id],
            reference: None,
            operation: None,
            takes_back_captured: false,
            claim,
        });
        self.of(said, amount)
    }

    fn of(&self, said: Said, amount: Option<StatedAmount>) -> Statement {
        Statement {
            ids: self.ids.clone(),
            reference: self.reference.clone(),
            attempt: None,
            said,
            amount,
            provider_time: self.scope.time,
            reason: None,
        }
    }
}

/// The id of an object that is named, or stands there as a whole ("expanded").
fn linked(object: &Object<'_>, name: &str, kind: &str) -> Result<Option<ProviderId>, Unreadable> {
    match object.value(name)? {
        Some(value) if value.get().starts_with('{') => object.object(name)?.id("id", kind),
        _ => object.id(name, kind),
    }
}

/// What is held of a PaymentIntent that waits for its capture: less than its amount where the
/// bank authorised only a part.
fn held(object: &Object<'_>) -> Result<Option<StatedAmount>, Unreadable> {
    let capturable = minor(object, "amount_capturable")?;
    let received = minor(object, "amount_received")?;
    let sum = capturable.map(|capturable| {
        let received = received.map(|received| received.money);
        let money = received.and_then(|received| capturable.money.plus(&received));
        StatedAmount { money: money.unwrap_or(capturable.money), too_precise: false }
    });
    Ok(sum.filter(|sum| !sum.money.is_zero()))
}

fn minor(object: &Object<'_>, name: &str) -> Result<Option<StatedAmount>, Unreadable> {
    let currency = object.required_text("currency")?;
    amount::in_minor_units(object, name, &currency, currency::digits)
}

/// `api_error` is a failure of Stripe's own; the others are of the card or of what was asked.
fn negative(error: Option<&Object<'_>>) -> Result<Negative, Unreadable> {
    let kind = error.map(|error| error.text("type")).transpose()?.flatten();
    Ok(if kind.as_deref() == Some("api_error") { Negative::Error } else { Negative::Declined })
}

fn reason_of_error(error: &Object<'_>) -> Result<Option<String>, Unreadable> {
    error.text_spelled(&["decline_code", "code", "message"])
}

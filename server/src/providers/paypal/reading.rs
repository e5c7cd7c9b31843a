//! What PayPal's events and objects say, as statements. The table of `README.md` is this file in
//! words; answers to questions are read by the same functions.

use super::{REFERENCE_FIELD, REFUND_REFERENCE_FIELD};
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
        AccountSettings, Reading, Unreadable, amount,
        json::{Object, unreadable},
        text,
    },
};

/// Reads an event.
pub(super) fn read(
    body: &Object<'_>,
    settings: &AccountSettings,
) -> Result<Vec<Reading>, Unreadable> {
    let id = body.required_text("id")?;
    let name = body.required_text("event_type")?;
    let said = match Subject::of(&name) {
        Ok(subject) => said(body, subject, settings)?,
        Err(reason) => Err(reason),
    };
    Ok(text::in_readings(&id, &name, said))
}

/// What an event's resource is.
#[derive(Clone, Copy)]
enum Subject {
    Order,
    ApprovalReversed,
    Authorization,
    Capture,
    Refund,
}

impl Subject {
    fn of(name: &str) -> Result<Self, &'static str> {
        Ok(match name {
            "CHECKOUT.ORDER.APPROVED"
            | "CHECKOUT.ORDER.COMPLETED"
            | "CHECKOUT.ORDER.SAVED"
            | "CHECKOUT.ORDER.VOIDED" => Self::Order,
            "CHECKOUT.PAYMENT-APPROVAL.REVERSED" => Self::ApprovalReversed,
            "PAYMENT.AUTHORIZATION.CREATED" | "PAYMENT.AUTHORIZATION.VOIDED" => Self::Authorization,
            "PAYMENT.CAPTURE.PENDING"
            | "PAYMENT.CAPTURE.COMPLETED"
            | "PAYMENT.CAPTURE.DECLINED"
            | "PAYMENT.CAPTURE.DENIED" => Self::Capture,
            "PAYMENT.CAPTURE.REFUNDED"
            | "PAYMENT.REFUND.PENDING"
            | "PAYMENT.REFUND.COMPLETED"
            | "PAYMENT.REFUND.FAILED" => Self::Refund,
            "PAYMENT.CAPTURE.REVERSED" => return Err("reversals are not followed"),
            _ => return Err("the event's name is not known"),
        })
    }
}

fn said(
    body: &Object<'_>,
    subject: Subject,
    settings: &AccountSettings,
) -> Result<Result<Vec<Statement>, &'static str>, Unreadable> {
    let resource = body.object("resource")?;
    let ignored = |reason: &'static str| Ok(Err(reason));
    if is_of_another(&resource, settings)? {
        return ignored("it is of another merchant");
    }
    if resource.value("status")?.is_none() && resource.value("state")?.is_some() {
        return ignored("it is of the older Payments API");
    }
    let scope = Scope { settings, time: body.time("create_time")?, order: None };
    let statements = match subject {
        Subject::Order => scope.order(&resource)?,
        Subject::ApprovalReversed => vec![scope.approval_reversed(&resource)?],
        Subject::Authorization => scope.authorization(&resource)?,
        Subject::Capture => scope.capture(&resource, None)?.into_iter().collect(),
        // Older kinds of this event show the capture in place of the refund.
        Subject::Refund if body.text("resource_type")?.is_some_and(|kind| kind == "capture") => {
            return ignored("it names no refund");
        }
        Subject::Refund => scope.refund(&resource)?.into_iter().collect(),
    };
    if statements.is_empty() {
        return ignored("its status word is not known");
    }
    Ok(Ok(statements))
}

/// True if the money goes to a merchant that is not the account's.
fn is_of_another(resource: &Object<'_>, settings: &AccountSettings) -> Result<bool, Unreadable> {
    let Some(own) = &settings.provider_merchant else { return Ok(false) };
    let is_other = |object: &Object<'_>| -> Result<bool, Unreadable> {
        let Some(payee) = object.optional_object("payee")? else { return Ok(false) };
        Ok(payee.text("merchant_id")?.is_some_and(|merchant| merchant != *own))
    };
    if is_other(resource)? {
        return Ok(true);
    }
    for unit in resource.list_of_objects("purchase_units")? {
        if is_other(&unit)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What is the same for all statements of one event or answer.
pub(super) struct Scope<'a> {
    pub(super) settings: &'a AccountSettings,
    /// The event's time, where the object has none of its own.
    pub(super) time: Option<Time>,
    /// The order that an object stands in.
    pub(super) order: Option<ProviderId>,
}

/// A try that ended, of an order that can be paid otherwise.
const OPEN_TRY: Ended = Ended::Try { conclusive: false };

impl Scope<'_> {
    /// An order: what stands in it says more than its own status, which is about the buyer.
    pub(super) fn order(&self, object: &Object<'_>) -> Result<Vec<Statement>, Unreadable> {
        let id = object.id("id", "order")?;
        let id = id.ok_or_else(|| unreadable(&object.place_of("id"), "is missing"))?;
        let within = Scope { settings: self.settings, time: None, order: Some(id.clone()) };
        let is_sale = object.text("intent")?.map(|intent| intent == "CAPTURE");
        let units = object.list_of_objects("purchase_units")?;
        let mut said = Vec::new();
        for payments in units.iter().map(|unit| unit.optional_object("payments")) {
            let Some(payments) = payments? else { continue };
            for authorization in payments.list_of_objects("authorizations")? {
                said.extend(within.authorization(&authorization)?);
            }
            for capture in payments.list_of_objects("captures")? {
                said.extend(within.capture(&capture, is_sale)?);
            }
            for refund in payments.list_of_objects("refunds")? {
                said.extend(within.refund(&refund)?);
            }
        }
        let reference = units.first().map(|unit| self.reference(unit)).transpose()?.flatten();
        for statement in &mut said {
            let is_refund = matches!(&statement.said, Said::Operation(operation)
                if operation.kind == OperationKind::Refund);
            if !is_refund && statement.reference.is_none() {
                statement.reference.clone_from(&reference);
            }
        }
        if !said.is_empty() {
            return Ok(said);
        }
        let claim = match object.required_text("status")?.as_str() {
            "CREATED" | "SAVED" | "APPROVED" | "PAYER_ACTION_REQUIRED" | "COMPLETED" => {
                PaymentClaim::Pending
            }
            "VOIDED" => PaymentClaim::Failed(Negative::Canceled, OPEN_TRY),
            _ => return Ok(Vec::new()),
        };
        let payment = Payment { ids: vec![id], reference, time: self.time };
        let amount = if let [unit] = &units[..] { money(unit)? } else { None };
        Ok(vec![payment.statement(Said::Payment(claim), amount, None)])
    }

    /// The buyer had approved, and nobody captured in time (three hours, if not set otherwise).
    fn approval_reversed(&self, object: &Object<'_>) -> Result<Statement, Unreadable> {
        let order = match object.id("order_id", "order")? {
            Some(order) => Some(order),
            None => object.id("id", "order")?,
        };
        let order = order.ok_or_else(|| unreadable(&object.place_of("order_id"), "is missing"))?;
        let units = object.list_of_objects("purchase_units")?;
        let reference = units.first().map(|unit| self.reference(unit)).transpose()?.flatten();
        let payment = Payment { ids: vec![order], reference, time: self.time };
        let claim = PaymentClaim::Failed(Negative::Expired, OPEN_TRY);
        Ok(payment.statement(Said::Payment(claim), None, None))
    }

    /// An authorisation. One that is void is an operation as well: the merchant's void has no id
    /// of its own.
    pub(super) fn authorization(&self, object: &Object<'_>) -> Result<Vec<Statement>, Unreadable> {
        let id = object.id("id", "authorization")?;
        let id = id.ok_or_else(|| unreadable(&object.place_of("id"), "is missing"))?;
        let payment = self.payment(object, id.clone())?;
        let (amount, reason) = (money(object)?, reason(object)?);
        let claim = match object.required_text("status")?.as_str() {
            "CREATED" | "CAPTURED" | "PARTIALLY_CAPTURED" => PaymentClaim::Authorized,
            "PENDING" => PaymentClaim::Pending,
            "DENIED" => PaymentClaim::Failed(Negative::Declined, OPEN_TRY),
            "VOIDED" => PaymentClaim::Failed(Negative::Canceled, Ended::Authorization),
            _ => return Ok(Vec::new()),
        };
        let mut said = vec![payment.statement(Said::Payment(claim), amount, reason)];
        if matches!(claim, PaymentClaim::Failed(_, Ended::Authorization)) {
            let void = operation(OperationKind::Void, id, OperationClaim::Successful);
            said.push(payment.statement(void, amount, None));
        }
        Ok(said)
    }

    /// A capture: of an authorisation, or else the payment itself. `is_sale` says which, where
    /// the order does.
    pub(super) fn capture(
        &self,
        object: &Object<'_>,
        is_sale: Option<bool>,
    ) -> Result<Option<Statement>, Unreadable> {
        let id = object.id("id", "capture")?;
        let id = id.ok_or_else(|| unreadable(&object.place_of("id"), "is missing"))?;
        let payment = self.payment(object, id.clone())?;
        let kinds: Vec<&str> = payment.ids.iter().map(|id| id.kind.as_str()).collect();
        let has_only_order = kinds.contains(&"order") && !kinds.contains(&"authorization");
        let word = object.required_text("status")?;
        let said = if is_sale.unwrap_or(has_only_order) {
            Said::Payment(match word.as_str() {
                "COMPLETED" | "PARTIALLY_REFUNDED" | "REFUNDED" => PaymentClaim::Sold,
                "PENDING" => PaymentClaim::Pending,
                "DECLINED" => PaymentClaim::Failed(Negative::Declined, OPEN_TRY),
                "FAILED" => PaymentClaim::Failed(Negative::Error, OPEN_TRY),
                _ => return Ok(None),
            })
        } else {
            let claim = match word.as_str() {
                "COMPLETED" | "PARTIALLY_REFUNDED" | "REFUNDED" => OperationClaim::Successful,
                "PENDING" => OperationClaim::Pending,
                "DECLINED" => OperationClaim::Failed(Negative::Declined, true),
                "FAILED" => OperationClaim::Failed(Negative::Error, true),
                _ => return Ok(None),
            };
            operation(OperationKind::Capture, id, claim)
        };
        Ok(Some(payment.statement(said, money(object)?, reason(object)?)))
    }

    /// A refund. It names its capture, which names the payment.
    pub(super) fn refund(&self, object: &Object<'_>) -> Result<Option<Statement>, Unreadable> {
        let claim = match object.required_text("status")?.as_str() {
            "COMPLETED" => OperationClaim::Successful,
            "PENDING" => OperationClaim::Pending,
            "FAILED" => OperationClaim::Failed(Negative::Error, true),
            "CANCELLED" => OperationClaim::Failed(Negative::Canceled, true),
            _ => return Ok(None),
        };
        let id = object.id("id", "refund")?;
        let id = id.ok_or_else(|| unreadable(&object.place_of("id"), "is missing"))?;
        let related = Related::of(object)?;
        let captures = related.capture.or(related.up_capture);
        let mut ids: Vec<_> =
            [self.order.clone(), related.order, captures].into_iter().flatten().collect();
        if ids.is_empty() {
            return Err(unreadable(&object.place_of("links"), "name no capture"));
        }
        ids.sort();
        ids.dedup();
        let payment = Payment { ids, reference: None, time: self.time_of(object)? };
        let mut said = operation(OperationKind::Refund, id, claim);
        if let Said::Operation(operation) = &mut said {
            operation.reference = match self.settings.option(REFUND_REFERENCE_FIELD) {
                Some(field @ ("invoice_id" | "custom_id")) => object.reference(field)?,
                _ => None,
            };
        }
        Ok(Some(payment.statement(said, money(object)?, reason(object)?)))
    }

    /// The payment that an authorisation or capture of this id belongs to.
    fn payment(&self, object: &Object<'_>, id: ProviderId) -> Result<Payment, Unreadable> {
        let related = Related::of(object)?;
        let order = related.order.or(related.up_order).or_else(|| self.order.clone());
        let authorization = related.authorization.or(related.up_authorization);
        let mut ids: Vec<_> = [order, authorization, Some(id)].into_iter().flatten().collect();
        ids.sort();
        ids.dedup();
        Ok(Payment { ids, reference: self.reference(object)?, time: self.time_of(object)? })
    }

    fn reference(&self, object: &Object<'_>) -> Result<Option<Reference>, Unreadable> {
        object.reference(self.settings.option(REFERENCE_FIELD).unwrap_or("invoice_id"))
    }

    fn time_of(&self, object: &Object<'_>) -> Result<Option<Time>, Unreadable> {
        Ok(object.time("update_time")?.or(self.time))
    }
}

/// The other objects that an object names: in its `related_ids`, and as what it came from.
#[derive(Default)]
struct Related {
    order: Option<ProviderId>,
    authorization: Option<ProviderId>,
    capture: Option<ProviderId>,
    up_order: Option<ProviderId>,
    up_authorization: Option<ProviderId>,
    up_capture: Option<ProviderId>,
}

impl Related {
    fn of(object: &Object<'_>) -> Result<Self, Unreadable> {
        let mut related = Self::default();
        let data = object.optional_object("supplementary_data")?;
        let ids = data.map(|data| data.optional_object("related_ids")).transpose()?.flatten();
        if let Some(ids) = ids {
            related.order = ids.id("order_id", "order")?;
            related.authorization = ids.id("authorization_id", "authorization")?;
            related.capture = ids.id("capture_id", "capture")?;
        }
        for link in object.list_of_objects("links")? {
            if link.text("rel")?.as_deref() != Some("up") {
                continue;
            }
            let href = link.text("href")?.unwrap_or_default();
            let after = |path: &str, kind: &str| {
                let id = href.split_once(path).map(|(_, id)| id);
                id.filter(|id| !id.contains('/')).and_then(|id| ProviderId::parse(kind, id).ok())
            };
            // There may be several, each to another object: the first of each sort counts.
            for (up, path, kind) in [
                (&mut related.up_order, "/v2/checkout/orders/", "order"),
                (&mut related.up_authorization, "/v2/payments/authorizations/", "authorization"),
                (&mut related.up_capture, "/v2/payments/captures/", "capture"),
            ] {
                *up = up.take().or_else(|| after(path, kind));
            }
        }
        Ok(related)
    }
}

/// The payment that statements are about.
struct Payment {
    ids: Vec<ProviderId>,
    reference: Option<Reference>,
    time: Option<Time>,
}

impl Payment {
    fn statement(
        &self,
        said: Said,
        amount: Option<StatedAmount>,
        reason: Option<String>,
    ) -> Statement {
        Statement {
            ids: self.ids.clone(),
            reference: self.reference.clone(),
            attempt: None,
            said,
            amount,
            provider_time: self.time,
            reason,
        }
    }
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

/// `{"currency_code": "USD", "value": "12.34"}`.
fn money(object: &Object<'_>) -> Result<Option<StatedAmount>, Unreadable> {
    match object.optional_object("amount")? {
        Some(amount) => amount::stated_in(&amount, "value", "currency_code"),
        None => Ok(None),
    }
}

fn reason(object: &Object<'_>) -> Result<Option<String>, Unreadable> {
    let Some(details) = object.optional_object("status_details")? else { return Ok(None) };
    Ok(details.text("reason")?.as_deref().and_then(clip_reason))
}

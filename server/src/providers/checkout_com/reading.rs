//! What Checkout.com's events and objects say, as statements. The table of `README.md` is this
//! file in words; answers to questions are read by the same functions.

use super::OPERATION_REFERENCE;
use crate::{
    domain::{
        ids::ProviderId,
        money::Currency,
        statement::{
            Ended, Negative, OperationClaim, OperationClaimed, OperationKind, PaymentClaim, Said,
            StatedAmount, Statement, clip_reason,
        },
        time::Time,
    },
    providers::{
        AccountSettings, Content, Reading, Unreadable, amount,
        json::{Object, event_name, unreadable},
        text,
    },
};

/// Currencies whose amounts are whole, divided by 1000, and, against ISO 4217, by 100.
const WITHOUT_DIGITS: &[&str] = &[
    "BIF", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF",
    "XOF", "XPF",
];
const WITH_THREE: &[&str] = &["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];
const WITH_TWO: &[&str] = &["CLP"];

/// How many digits amounts of a currency have: two, unless listed. `None` where the lists and ISO
/// 4217 leave it open.
pub(super) fn digits(currency: Currency) -> Option<u8> {
    let code = currency.as_str();
    match amount::digits(currency)? {
        _ if WITHOUT_DIGITS.contains(&code) => Some(0),
        _ if WITH_THREE.contains(&code) => Some(3),
        2 => Some(2),
        _ if WITH_TWO.contains(&code) => Some(2),
        _ => None,
    }
}

/// Reads an event.
pub(super) fn read(body: &Object<'_>, settings: &AccountSettings) -> Result<Reading, Unreadable> {
    let id = body.required_text("id")?;
    let name = body.required_text("type")?;
    let content = match Subject::of(&name) {
        Ok(subject) => Content::Statements(said(body, subject, settings)?),
        Err(reason) => Content::Ignored { reason: reason.to_owned() },
    };
    Ok(Reading { event_id: text::event_id(&id), event_name: event_name(&name), content })
}

/// What an event's name says.
#[derive(Clone, Copy)]
enum Subject {
    Payment(PaymentClaim),
    /// The payment is over, whatever it was before.
    Over(Negative),
    Operation(OperationKind, OperationClaim),
}

/// A try that ended, of a payment that can be tried again.
pub(super) const OPEN_TRY: Ended = Ended::Try { conclusive: false };

impl Subject {
    fn of(name: &str) -> Result<Self, &'static str> {
        use OperationKind::{Capture, Refund, Void};
        let declined = OperationClaim::Failed(Negative::Declined, true);
        Ok(match name {
            "payment_approved" => Self::Payment(PaymentClaim::Authorized),
            "payment_pending" => Self::Payment(PaymentClaim::Pending),
            "payment_paid" => Self::Payment(PaymentClaim::Sold),
            "payment_declined" => Self::Payment(PaymentClaim::Failed(Negative::Declined, OPEN_TRY)),
            "payment_expired" => Self::Over(Negative::Expired),
            "payment_canceled" => Self::Over(Negative::Canceled),
            "payment_captured" => Self::Operation(Capture, OperationClaim::Successful),
            "payment_capture_pending" => Self::Operation(Capture, OperationClaim::Pending),
            "payment_capture_declined" => Self::Operation(Capture, declined),
            "payment_refunded" => Self::Operation(Refund, OperationClaim::Successful),
            "payment_refund_pending" => Self::Operation(Refund, OperationClaim::Pending),
            "payment_refund_declined" => Self::Operation(Refund, declined),
            "payment_voided" => Self::Operation(Void, OperationClaim::Successful),
            "payment_void_declined" => Self::Operation(Void, declined),
            "payment_returned" => return Err("returned payments are not followed"),
            _ => return Err("the event's name is not known"),
        })
    }
}

fn said(
    body: &Object<'_>,
    subject: Subject,
    settings: &AccountSettings,
) -> Result<Vec<Statement>, Unreadable> {
    let data = body.object("data")?;
    let event_time = match body.time("created_on")? {
        Some(time) => Some(time),
        None => body.time("timestamp")?,
    };
    let time = data.time("processed_on")?.or(event_time);
    let payment = Payment::of(&data, settings)?;
    Ok(match subject {
        Subject::Payment(claim) => vec![payment.claim(&data, claim, time)?],
        Subject::Over(negative) => {
            let claim = PaymentClaim::Failed(negative, ended(&data)?);
            vec![payment.claim(&data, claim, time)?]
        }
        Subject::Operation(kind, claim) => {
            let action = data.id("action_id", "action")?;
            let missing = || unreadable(&data.place_of("action_id"), "is missing");
            let (action, amount) = (action.ok_or_else(missing)?, payment.amount(&data, "amount")?);
            let mut said = vec![payment.operation(&data, (kind, action, claim), amount, time)?];
            // Whoever captures has authorised: it may be that this was never heard.
            let is_capture = (kind, claim) == (OperationKind::Capture, OperationClaim::Successful);
            let whole = authorized(&payment, &data)?.filter(|_| is_capture);
            if let Some(whole) = whole.filter(|whole| !whole.money.is_zero()) {
                let claim = Said::Payment(PaymentClaim::Authorized);
                let reference = said[0].reference.clone();
                let authorized = payment.statement(claim, Some(whole), None, None);
                said.insert(0, Statement { reference, ..authorized });
            }
            said
        }
    })
}

/// What of a payment is over.
pub(super) fn ended(object: &Object<'_>) -> Result<Ended, Unreadable> {
    let Some(balances) = object.optional_object("balances")? else {
        return Ok(Ended::Authorization);
    };
    let total = balances.value("total_authorized")?.map(serde_json::value::RawValue::get);
    Ok(if total == Some("0") { OPEN_TRY } else { Ended::Authorization })
}

fn authorized(
    payment: &Payment<'_>,
    data: &Object<'_>,
) -> Result<Option<StatedAmount>, Unreadable> {
    match data.optional_object("balances")? {
        Some(balances) => payment.amount(&balances, "total_authorized"),
        None => Ok(None),
    }
}

/// The payment that an event or an answer is about.
pub(super) struct Payment<'a> {
    settings: &'a AccountSettings,
    id: ProviderId,
    /// What its amounts are in.
    pub(super) currency: Option<String>,
}

impl<'a> Payment<'a> {
    pub(super) fn of(
        object: &Object<'_>,
        settings: &'a AccountSettings,
    ) -> Result<Self, Unreadable> {
        let id = object.id("id", "payment")?;
        let id = id.ok_or_else(|| unreadable(&object.place_of("id"), "is missing"))?;
        Ok(Self { settings, id, currency: object.text("currency")? })
    }

    /// A payment that is known by an id and the currency of its amounts.
    pub(super) fn new(id: ProviderId, currency: &str, settings: &'a AccountSettings) -> Self {
        let currency = Some(currency.to_owned()).filter(|currency| !currency.is_empty());
        Self { settings, id, currency }
    }

    /// Something said of the payment, with its reference.
    pub(super) fn claim(
        &self,
        object: &Object<'_>,
        claim: PaymentClaim,
        time: Option<Time>,
    ) -> Result<Statement, Unreadable> {
        let is_negative = matches!(claim, PaymentClaim::Failed(..));
        let reason = reason(object)?.filter(|_| is_negative);
        let amount = self.amount(object, "amount")?;
        let mut said = self.statement(Said::Payment(claim), amount, reason, time);
        said.reference = object.reference("reference")?;
        Ok(said)
    }

    /// Something said of an action, with its reference only where it is known whose that is.
    pub(super) fn operation(
        &self,
        object: &Object<'_>,
        (kind, action, claim): (OperationKind, ProviderId, OperationClaim),
        amount: Option<StatedAmount>,
        time: Option<Time>,
    ) -> Result<Statement, Unreadable> {
        let reference = object.reference("reference")?;
        let is_of = |whose| self.settings.option(OPERATION_REFERENCE) == Some(whose);
        let said = Said::Operation(OperationClaimed {
            kind,
            ids: vec![action],
            reference: reference.clone().filter(|_| is_of("operation")),
            operation: None,
            takes_back_captured: false,
            claim,
        });
        let reason = reason(object)?.filter(|_| matches!(claim, OperationClaim::Failed(..)));
        let statement = self.statement(said, amount, reason, time);
        Ok(Statement { reference: reference.filter(|_| is_of("payment")), ..statement })
    }

    fn statement(
        &self,
        said: Said,
        amount: Option<StatedAmount>,
        reason: Option<String>,
        provider_time: Option<Time>,
    ) -> Statement {
        let ids = vec![self.id.clone()];
        Statement { ids, reference: None, attempt: None, said, amount, provider_time, reason }
    }

    pub(super) fn amount(
        &self,
        object: &Object<'_>,
        name: &str,
    ) -> Result<Option<StatedAmount>, Unreadable> {
        let Some(currency) = &self.currency else {
            let is_there = object.value(name)?.is_some();
            let wrong = unreadable(&object.place_of(name), "has no currency");
            return if is_there { Err(wrong) } else { Ok(None) };
        };
        amount::in_minor_units(object, name, currency, digits)
    }
}

fn reason(object: &Object<'_>) -> Result<Option<String>, Unreadable> {
    let summary = object.text_spelled(&["response_summary", "response_code"])?;
    Ok(summary.as_deref().and_then(clip_reason))
}

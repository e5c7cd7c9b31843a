//! What Adyen's events say, as statements. The table of `README.md` is this file in words.

use super::truth;
use crate::{
    domain::{
        digest::Digest,
        ids::{ProviderId, Reference},
        money::Currency,
        statement::{
            Ended, Negative, OperationClaim, OperationClaimed, OperationKind, PaymentClaim, Said,
            StatedAmount, Statement,
        },
    },
    providers::{
        AccountSettings, Content, Environment, Reading, Unreadable, amount,
        json::{EVENT_NAME_BYTES_MAX, Object, event_name, unreadable},
    },
};

/// Kind of a payment's id.
const PAYMENT: &str = "psp_reference";

/// Reads one item.
pub(super) fn read(
    item: &Object<'_>,
    is_live: bool,
    settings: &AccountSettings,
) -> Result<Reading, Unreadable> {
    let item = Item::read(item)?;
    let content = match item.not_ours(is_live, settings) {
        Some(reason) => Content::Ignored { reason: reason.to_owned() },
        None => item.content(settings)?,
    };
    Ok(Reading { event_id: item.event_id(), event_name: event_name(&item.code), content })
}

/// What an event says, before it is put into a statement.
#[derive(Clone, Copy, Debug)]
enum Meaning {
    Payment(PaymentClaim),
    Operation(OperationKind, OperationClaim),
}

/// An item whose naming fields have been read.
struct Item<'a> {
    fields: &'a Object<'a>,
    code: String,
    psp_reference: String,
    success: bool,
}

impl<'a> Item<'a> {
    fn read(fields: &'a Object<'a>) -> Result<Self, Unreadable> {
        let success = truth(fields, "success")?;
        let success =
            success.ok_or_else(|| unreadable(&fields.place_of("success"), "is missing"))?;
        let code = fields.required_text("eventCode")?;
        let psp_reference = fields.required_text("pspReference")?;
        Ok(Self { fields, code, psp_reference, success })
    }

    fn not_ours(&self, is_live: bool, settings: &AccountSettings) -> Option<&'static str> {
        if is_live != (settings.environment == Environment::Live) {
            return Some("it is of the other environment");
        }
        let merchant = self.fields.text("merchantAccountCode").unwrap_or_default();
        let is_ours =
            settings.provider_merchant.is_none() || settings.provider_merchant == merchant;
        (!is_ours).then_some("it is of another merchant account")
    }

    fn content(&self, settings: &AccountSettings) -> Result<Content, Unreadable> {
        let meanings = match self.meanings(settings)? {
            Ok(meanings) => meanings,
            Err(reason) => return Ok(Content::Ignored { reason: reason.to_owned() }),
        };
        let statement = |meaning: &Meaning| self.statement(*meaning, settings);
        meanings.iter().map(statement).collect::<Result<_, _>>().map(Content::Statements)
    }

    /// What the event says, or why it says nothing to us.
    fn meanings(
        &self,
        settings: &AccountSettings,
    ) -> Result<Result<Vec<Meaning>, &'static str>, Unreadable> {
        use OperationKind::{Capture, Refund, Void};
        let is_automatic = is_automatic(settings);
        let meaning = match (self.code.as_str(), self.success) {
            ("AUTHORISATION", true) if is_automatic => Meaning::Payment(PaymentClaim::Sold),
            ("AUTHORISATION", true) => Meaning::Payment(PaymentClaim::Authorized),
            ("AUTHORISATION", false) => failed(Negative::Declined, Ended::Try { conclusive: true }),
            ("PENDING", true) => Meaning::Payment(PaymentClaim::Pending),
            ("EXPIRE", true) => failed(Negative::Expired, Ended::Authorization),
            ("OFFER_CLOSED", true) => failed(Negative::Expired, Ended::Try { conclusive: false }),
            ("CAPTURE", success) => Meaning::Operation(Capture, outcome(success)),
            ("CAPTURE_FAILED", true) => {
                let capture = Meaning::Operation(Capture, OperationClaim::Corrected);
                let sale = Meaning::Payment(PaymentClaim::SaleCorrected);
                // A sale's capture has no webhook of its own: what failed is the sale.
                return Ok(Ok(if is_automatic { vec![sale, capture] } else { vec![capture] }));
            }
            ("CANCELLATION" | "TECHNICAL_CANCEL", success) => {
                Meaning::Operation(Void, outcome(success))
            }
            ("REFUND" | "REFUND_WITH_DATA", success) => {
                Meaning::Operation(Refund, outcome(success))
            }
            ("REFUND_FAILED" | "REFUNDED_REVERSED", true) => {
                Meaning::Operation(Refund, OperationClaim::Corrected)
            }
            ("CANCEL_OR_REFUND", success) => match self.action()?.as_deref() {
                Some("cancel") => Meaning::Operation(Void, outcome(success)),
                Some("refund") => Meaning::Operation(Refund, outcome(success)),
                Some(_) => return Ok(Err("its action is not known")),
                None if !success => return Ok(Err("nothing was done, and no action is named")),
                None => {
                    let place = self.fields.place_of("additionalData.modification.action");
                    return Err(unreadable(&place, "is missing"));
                }
            },
            (code, false) if SUCCEEDS_ONLY.contains(&code) => return Ok(Err("it did not happen")),
            (code, _) if OF_OTHER_THINGS.contains(&code) => {
                return Ok(Err("it is not about what became of the payment"));
            }
            _ => return Ok(Err("the event's code is not known")),
        };
        Ok(Ok(vec![meaning]))
    }

    fn action(&self) -> Result<Option<String>, Unreadable> {
        let data = self.fields.maybe_object("additionalData")?;
        data.map(|data| data.text("modification.action")).transpose().map(Option::flatten)
    }

    fn statement(
        &self,
        meaning: Meaning,
        settings: &AccountSettings,
    ) -> Result<Statement, Unreadable> {
        let fields = self.fields;
        let is_of_payment = OF_PAYMENTS.contains(&self.code.as_str());
        let reference = is_of_payment.then(|| fields.reference("merchantReference")).transpose()?;
        let place = if is_of_payment { "pspReference" } else { "originalReference" };
        let payment = fields.id(place, PAYMENT)?;
        let payment = payment.ok_or_else(|| unreadable(&fields.place_of(place), "is missing"))?;
        let said = match meaning {
            Meaning::Payment(claim) => Said::Payment(claim),
            Meaning::Operation(kind, claim) => self.operation(kind, claim, settings)?,
        };
        Ok(Statement {
            ids: vec![payment],
            reference: reference.flatten(),
            attempt: None,
            said,
            amount: self.amount(meaning)?,
            // Neither `eventDate` nor `reason` is signed: a replay with another one would be
            // another statement, and fill the order.
            provider_time: None,
            reason: None,
        })
    }

    fn operation(
        &self,
        kind: OperationKind,
        claim: OperationClaim,
        settings: &AccountSettings,
    ) -> Result<Said, Unreadable> {
        let id_kind = match kind {
            OperationKind::Capture => "capture",
            OperationKind::Refund => "refund",
            OperationKind::Void => "void",
        };
        let id = ProviderId::parse(id_kind, &self.psp_reference)
            .map_err(|err| unreadable(&self.fields.place_of("pspReference"), err))?;
        Ok(Said::Operation(OperationClaimed {
            kind,
            ids: vec![id],
            reference: self.operation_reference(settings)?,
            operation: None,
            // Adyen cancels only what is not captured yet. Where an authorisation was read as a
            // sale, a cancel that succeeds says that this was too early.
            takes_back_captured: kind == OperationKind::Void && is_automatic(settings),
            claim,
        }))
    }

    /// A technical cancel shows the payment's reference, whatever the merchant does otherwise.
    fn operation_reference(
        &self,
        settings: &AccountSettings,
    ) -> Result<Option<Reference>, Unreadable> {
        let is_own = settings.option("modification_reference") == Some("own");
        if !is_own || self.code == "TECHNICAL_CANCEL" {
            return Ok(None);
        }
        self.fields.reference("merchantReference")
    }

    /// A cancel has no amount of its own: it is of all that is not captured, whatever stands here.
    fn amount(&self, meaning: Meaning) -> Result<Option<StatedAmount>, Unreadable> {
        if matches!(meaning, Meaning::Operation(OperationKind::Void, ..)) {
            return Ok(None);
        }
        let Some(stated) = self.fields.maybe_object("amount")? else { return Ok(None) };
        let currency = stated.required_text("currency")?;
        amount::in_minor_units(&stated, "value", &currency, exponent)
    }

    /// Adyen gives its events no id; these fields are what repeats have in common. The token that
    /// a RECURRING_CONTRACT is about must not get into an id.
    fn event_id(&self) -> String {
        let id = format!("{}/{}/{}", self.code, self.psp_reference, self.success);
        let is_plain = id.bytes().all(|b| b.is_ascii_graphic());
        if id.len() <= EVENT_NAME_BYTES_MAX && is_plain && self.code != "RECURRING_CONTRACT" {
            return id;
        }
        hex::encode(Digest::new("adyen event").text(&id).finish())
    }
}

/// Events whose `pspReference` is the payment; in all others that we read it is an operation.
const OF_PAYMENTS: &[&str] = &["AUTHORISATION", "PENDING", "EXPIRE", "OFFER_CLOSED"];

/// Events that say something only if they succeeded.
const SUCCEEDS_ONLY: &[&str] =
    &["PENDING", "EXPIRE", "OFFER_CLOSED", "CAPTURE_FAILED", "REFUND_FAILED", "REFUNDED_REVERSED"];

/// The other events of Adyen's list.
pub(super) const OF_OTHER_THINGS: &[&str] = &[
    "ACH_NOTIFICATION_OF_CHANGE",
    "AUTHORISATION_ADJUSTMENT",
    "AUTORESCUE",
    "CANCEL_AUTORESCUE",
    "CHARGEBACK",
    "CHARGEBACK_REVERSED",
    "DIRECT_DEBIT_NOTICE_OF_CHANGE_NOTIFICATION",
    "DISPUTE_DEFENSE_PERIOD_ENDED",
    "HANDLED_EXTERNALLY",
    "INFORMATION_SUPPLIED",
    "ISSUER_COMMENTS",
    "ISSUER_RESPONSE_TIMEFRAME_EXPIRED",
    "MANUAL_REVIEW_ACCEPT",
    "MANUAL_REVIEW_REJECT",
    "NOTIFICATION_OF_CHARGEBACK",
    "NOTIFICATION_OF_FRAUD",
    "ORDER_CLOSED",
    "ORDER_OPENED",
    "PAIDOUT_REVERSED",
    "PAYOUT_DECLINE",
    "PAYOUT_EXPIRE",
    "PAYOUT_THIRDPARTY",
    "POSTPONED_REFUND",
    "PREARBITRATION_LOST",
    "PREARBITRATION_WON",
    "PROCESS_RETRY",
    "RECURRING_CONTRACT",
    "REPORT_AVAILABLE",
    "REQUEST_FOR_INFORMATION",
    "SECOND_CHARGEBACK",
    "VOID_PENDING_REFUND",
];

fn is_automatic(settings: &AccountSettings) -> bool {
    settings.option("capture") == Some("automatic")
}

fn failed(negative: Negative, ended: Ended) -> Meaning {
    Meaning::Payment(PaymentClaim::Failed(negative, ended))
}

/// Adyen refuses what it cannot do, for example a refund of what is not captured yet. The same
/// may be asked again, under another id.
fn outcome(success: bool) -> OperationClaim {
    if success {
        OperationClaim::Successful
    } else {
        OperationClaim::Failed(Negative::Error, false)
    }
}

/// Digits by Adyen's own list: it gives CLP and ISK 2, where ISO 4217 has 0, and CVE and IDR 0,
/// where ISO 4217 has 2.
fn exponent(currency: Currency) -> Option<u8> {
    match currency.as_str() {
        "CLP" | "ISK" => Some(2),
        "CVE" | "IDR" => Some(0),
        _ => amount::digits(currency),
    }
}

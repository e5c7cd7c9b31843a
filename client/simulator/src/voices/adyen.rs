//! Adyen: one webhook format for payments and their modifications, signed inside the body.
//!
//! From Adyen's documentation: docs.adyen.com (webhooks, HMAC signatures, currency codes) and the
//! examples of its OpenAPI file `Webhooks-v1.json`. Adyen has no request for a status.
//!
//! How the merchant account captures is the option `capture`, as the account's configuration has
//! it. `environment` = `sandbox` among the options says `"live": "false"`.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    life::{Amount, Event, Operation, OperationKind, OperationState, Payment, PaymentState},
    standing::Standing,
    voice::{Question, Reply, Speaker, Voice, Webhook},
};

/// How Adyen speaks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Adyen;

/// What one item says.
struct Item<'a> {
    code: &'static str,
    success: bool,
    reason: &'static str,
    psp_reference: String,
    original_reference: &'a str,
    merchant_reference: &'a str,
    amount: &'a Amount,
}

impl Voice for Adyen {
    fn name(&self) -> &'static str {
        "adyen"
    }

    /// An abandoned payment and one that expired are one event, a refusal and an error another.
    fn standings(&self, payment: &Payment) -> Vec<Standing> {
        match (payment.state, payment.standing()) {
            (PaymentState::Canceled, Standing::Canceled) => vec![Standing::Expired],
            (PaymentState::Error, Standing::Error) => vec![Standing::Error, Standing::Declined],
            (_, standing) => vec![standing],
        }
    }

    /// 32 bytes in upper-case hex, as the Customer Area shows them.
    fn secrets(&self, seed: u64) -> (String, String) {
        let key = format!("{seed:016X}").repeat(4);
        (key.clone(), key)
    }

    fn webhook(&self, event: &Event, speaker: &Speaker) -> Option<Webhook> {
        let items = match event.operation() {
            None => payment_items(&event.payment, speaker),
            Some(operation) => {
                operation_item(&event.payment, operation, speaker).into_iter().collect()
            }
        };
        if items.is_empty() {
            return None;
        }
        let time = jiff::Timestamp::from_second(event.seconds).ok()?.to_string();
        let items: Vec<Value> = items.iter().map(|item| item.signed(&time, speaker)).collect();
        let is_live = speaker.option("environment", "live") != "sandbox";
        let body = json!({ "live": is_live.to_string(), "notificationItems": items });
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Some(Webhook { headers, body: body.to_string().into_bytes() })
    }

    /// Eight fields are signed; these of them only stand once in an item.
    fn signed_places(&self, webhook: &Webhook, _: &Speaker) -> Vec<std::ops::Range<usize>> {
        let text = String::from_utf8_lossy(&webhook.body).into_owned();
        let value = |name: &str| {
            let before = format!("\"{name}\":\"");
            let start = text.find(&before)? + before.len();
            Some(start..start + text[start..].find('"')?)
        };
        ["eventCode", "merchantReference", "pspReference", "success"]
            .into_iter()
            .filter_map(value)
            .collect()
    }

    fn answer(&self, _: &Question, _: &[Payment], _: &Speaker) -> Option<Reply> {
        None
    }
}

fn captures_at_once(speaker: &Speaker) -> bool {
    speaker.option("capture", "manual") == "automatic"
}

fn payment_items<'a>(payment: &'a Payment, speaker: &Speaker) -> Vec<Item<'a>> {
    let of_payment = |code, success, reason| Item {
        code,
        success,
        reason,
        psp_reference: payment.id.clone(),
        original_reference: "",
        merchant_reference: &payment.reference,
        amount: &payment.amount,
    };
    // The capture that belongs to a sale where the merchant captures itself.
    let capture = |code| Item {
        psp_reference: format!("{}C", payment.id),
        original_reference: &payment.id,
        ..of_payment(code, true, "")
    };
    match (payment.state, captures_at_once(speaker)) {
        (PaymentState::Pending, _) => vec![of_payment("PENDING", true, "")],
        (PaymentState::Authorized, false) | (PaymentState::Paid, true) => {
            vec![of_payment("AUTHORISATION", true, "1234:7777:12/2030")]
        }
        // There is no authorisation alone where all is captured at once.
        (PaymentState::Authorized, true) => Vec::new(),
        (PaymentState::Paid, false) => {
            vec![of_payment("AUTHORISATION", true, "1234:7777:12/2030"), capture("CAPTURE")]
        }
        (PaymentState::Corrected, _) => {
            vec![Item { reason: "Capture Failed", ..capture("CAPTURE_FAILED") }]
        }
        (PaymentState::Declined, _) => vec![of_payment("AUTHORISATION", false, "Refused")],
        (PaymentState::Error, _) => vec![of_payment("AUTHORISATION", false, "Acquirer Error")],
        (PaymentState::Canceled | PaymentState::Expired, _) => {
            vec![of_payment("OFFER_CLOSED", true, "")]
        }
        (PaymentState::AuthorizationExpired, _) => vec![of_payment("EXPIRE", true, "")],
    }
}

fn operation_item<'a>(
    payment: &'a Payment,
    operation: &'a Operation,
    speaker: &Speaker,
) -> Option<Item<'a>> {
    let (code, success, reason) = match (operation.kind, operation.state) {
        // A modification under way has no webhook.
        (_, OperationState::Pending) => return None,
        (OperationKind::Capture, OperationState::Corrected) => {
            ("CAPTURE_FAILED", true, "Capture Failed")
        }
        (OperationKind::Refund, OperationState::Corrected) => {
            ("REFUND_FAILED", true, "Refund Failed")
        }
        (OperationKind::Void, OperationState::Corrected) => return None,
        (OperationKind::Capture, OperationState::Succeeded) => ("CAPTURE", true, ""),
        (OperationKind::Capture, _) => ("CAPTURE", false, "Insufficient balance on payment"),
        (OperationKind::Refund, OperationState::Succeeded) => ("REFUND", true, ""),
        (OperationKind::Refund, _) => {
            ("REFUND", false, "Transaction hasn't been captured, refund not possible")
        }
        (OperationKind::Void, OperationState::Succeeded) => ("CANCELLATION", true, ""),
        (OperationKind::Void, _) => ("CANCELLATION", false, "Transaction not found"),
    };
    let has_own_reference = speaker.option("modification_reference", "unknown") == "own";
    let is_void = operation.kind == OperationKind::Void;
    Some(Item {
        code,
        success,
        reason,
        psp_reference: operation.id.clone(),
        original_reference: &payment.id,
        merchant_reference: if has_own_reference {
            &operation.reference
        } else {
            &payment.reference
        },
        amount: if is_void { &payment.amount } else { &operation.amount },
    })
}

impl Item<'_> {
    fn signed(&self, time: &str, speaker: &Speaker) -> Value {
        let units = adyen_units(self.amount);
        let success = self.success.to_string();
        let text = [
            &self.psp_reference,
            self.original_reference,
            &speaker.merchant,
            self.merchant_reference,
            &units.to_string(),
            &self.amount.currency,
            self.code,
            &success,
        ]
        .join(":");
        let key = hex::decode(&speaker.secret).unwrap_or_default();
        let mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
        let signature = BASE64.encode(mac.chain_update(text).finalize().into_bytes());
        let mut item = json!({
            "additionalData": { "hmacSignature": signature },
            "amount": { "currency": self.amount.currency, "value": units },
            "eventCode": self.code,
            "eventDate": time,
            "merchantAccountCode": speaker.merchant,
            "merchantReference": self.merchant_reference,
            "paymentMethod": "visa",
            "pspReference": self.psp_reference,
            "reason": self.reason,
            "success": success,
        });
        if !self.original_reference.is_empty() {
            item["originalReference"] = self.original_reference.into();
        }
        json!({ "NotificationRequestItem": item })
    }
}

/// Minor units by Adyen's list, which differs from ISO 4217 in three currencies.
fn adyen_units(amount: &Amount) -> u64 {
    let digits = match amount.currency.as_str() {
        "CLP" | "ISK" => 2,
        "CVE" => 0,
        _ => amount.exponent,
    };
    let power = |digits: u8| 10_u64.pow(u32::from(digits));
    match digits.checked_sub(amount.exponent) {
        Some(more) => amount.minor_units.saturating_mul(power(more)),
        None => amount.minor_units / power(amount.exponent - digits),
    }
}

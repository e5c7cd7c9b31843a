//! Square: webhooks with the whole payment or refund, signed together with the URL that they are
//! sent to, and the Payments and Refunds API.
//!
//! From Square's documentation: developer.squareup.com (webhooks, Payments and Refunds API). The URL
//! is the option `notification_url`, as the account's configuration has it.
//!
//! Square captures a payment once. Captures of several parts are told as one of their sum so far.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    life::{Amount, Event, Operation, OperationKind, OperationState, Payment, PaymentState},
    standing::Standing,
    voice::{Question, Reply, Speaker, Voice, Webhook},
};

/// How Square speaks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Square;

impl Voice for Square {
    fn name(&self) -> &'static str {
        "square"
    }

    /// However an approval ends is one status, and so are a refusal and an error.
    fn standings(&self, payment: &Payment) -> Vec<Standing> {
        match (payment.state, payment.standing()) {
            (PaymentState::AuthorizationExpired, Standing::Expired) => {
                vec![Standing::Canceled, Standing::Expired]
            }
            (PaymentState::Error, Standing::Error) => vec![Standing::Error, Standing::Declined],
            (_, standing) => vec![standing],
        }
    }

    fn account_options(&self, webhooks_url: &str, _: &str) -> Vec<(&'static str, String)> {
        vec![("notification_url", webhooks_url.to_owned())]
    }

    fn webhook(&self, event: &Event, speaker: &Speaker) -> Option<Webhook> {
        let payment = &event.payment;
        let (name, place, object) = match event.operation() {
            // What is completed stays so, and CANCELED is said of what was approved only.
            None if matches!(
                payment.state,
                PaymentState::Corrected | PaymentState::Canceled | PaymentState::Expired
            ) =>
            {
                return None;
            }
            None if payment.state == PaymentState::Pending => {
                ("payment.created", "payment", payment_object(payment))
            }
            None => ("payment.updated", "payment", payment_object(payment)),
            Some(operation) if operation.state == OperationState::Corrected => return None,
            Some(operation) if operation.kind == OperationKind::Refund => {
                let is_new = operation.state == OperationState::Pending;
                let name = if is_new { "refund.created" } else { "refund.updated" };
                (name, "refund", refund_object(payment, operation))
            }
            // A capture or release is no object: it shows in the payment, if it changes that.
            Some(operation) => {
                let status = payment_status(payment);
                let shows = operation.state == OperationState::Succeeded && status != "APPROVED";
                shows.then(|| ("payment.updated", "payment", payment_object(payment)))?
            }
        };
        let body = json!({
            "merchant_id": speaker.merchant,
            "type": name,
            "event_id": event.id,
            "created_at": time(event.seconds),
            "data": { "type": place, "id": object["id"], "object": { place: object } },
        })
        .to_string();
        let mac = Hmac::<Sha256>::new_from_slice(speaker.secret.as_bytes());
        let mac = mac.expect("HMAC takes keys of any length");
        let mac = mac.chain_update(speaker.option("notification_url", "")).chain_update(&body);
        let signature = BASE64.encode(mac.finalize().into_bytes());
        let headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("x-square-hmacsha256-signature".to_owned(), signature),
        ];
        Some(Webhook { headers, body: body.into_bytes() })
    }

    fn answer(&self, question: &Question, ledger: &[Payment], speaker: &Speaker) -> Option<Reply> {
        let (place, id) = question.path.strip_prefix("/v2/")?.split_once('/')?;
        if question.method != "GET" || id.contains('/') || !matches!(place, "payments" | "refunds")
        {
            return None;
        }
        let token = speaker.credentials.get("access_token").map(String::as_str).unwrap_or_default();
        if question.header("authorization") != Some(&format!("Bearer {token}")) {
            return Some(problem(401, "AUTHENTICATION_ERROR", "UNAUTHORIZED"));
        }
        let id = percent_encoding::percent_decode_str(id).decode_utf8_lossy();
        let found = match place {
            "payments" => {
                let payment = ledger.iter().find(|payment| payment.id == id);
                payment.map(|payment| json!({ "payment": payment_object(payment) }))
            }
            _ => ledger.iter().find_map(|payment| {
                let refund = refunds(payment).find(|refund| refund_id(payment, refund) == id)?;
                Some(json!({ "refund": refund_object(payment, refund) }))
            }),
        };
        let unknown = || problem(404, "INVALID_REQUEST_ERROR", "NOT_FOUND");
        Some(found.map_or_else(unknown, |found| Reply::json(200, &found)))
    }
}

fn problem(status: u16, category: &str, code: &str) -> Reply {
    Reply::json(status, &json!({ "errors": [{ "category": category, "code": code }] }))
}

fn money(currency: &str, minor_units: u64) -> Value {
    json!({ "amount": minor_units, "currency": currency })
}

fn time(seconds: i64) -> Value {
    jiff::Timestamp::from_second(seconds).map_or(Value::Null, |time| time.to_string().into())
}

fn refunds(payment: &Payment) -> impl Iterator<Item = &Operation> {
    payment.operations.iter().filter(|operation| operation.kind == OperationKind::Refund)
}

/// A refund's id begins with its payment's.
fn refund_id(payment: &Payment, refund: &Operation) -> String {
    format!("{}_{}", payment.id, refund.id)
}

/// The status of a payment, its operations considered.
fn payment_status(payment: &Payment) -> &'static str {
    let captured = payment.total(OperationKind::Capture);
    match payment.state {
        PaymentState::Pending => "PENDING",
        PaymentState::Paid | PaymentState::Corrected => "COMPLETED",
        PaymentState::Authorized | PaymentState::AuthorizationExpired if captured > 0 => {
            "COMPLETED"
        }
        PaymentState::Authorized
            if payment.total(OperationKind::Void) < payment.amount.minor_units =>
        {
            "APPROVED"
        }
        PaymentState::Declined | PaymentState::Error => "FAILED",
        _ => "CANCELED",
    }
}

fn payment_object(payment: &Payment) -> Value {
    let status = payment_status(payment);
    let Amount { currency, minor_units, .. } = &payment.amount;
    let captured = payment.total(OperationKind::Capture);
    let total = if captured > 0 { captured } else { *minor_units };
    let held = payment.changed_seconds;
    let done = payment.operations.iter().map(|operation| operation.changed_seconds).max();
    let is_late = payment.state == PaymentState::AuthorizationExpired;
    let (card_status, timeline) = match status {
        "APPROVED" => ("AUTHORIZED", json!({ "authorized_at": time(held) })),
        "COMPLETED" => {
            let captured_at = time(done.filter(|_| captured > 0).unwrap_or(held));
            let timeline = json!({ "authorized_at": time(held), "captured_at": captured_at });
            ("CAPTURED", timeline)
        }
        "CANCELED" => ("VOIDED", json!({ "voided_at": time(done.unwrap_or(held)) })),
        _ => ("FAILED", json!({})),
    };
    let mut object = json!({
        "id": payment.id,
        "created_at": time(payment.created_seconds),
        "updated_at": time(done.unwrap_or(held)),
        "amount_money": money(currency, total),
        "total_money": money(currency, total),
        "approved_money": money(currency, *minor_units),
        "status": status,
        "delay_action": "CANCEL",
        "delay_duration": "PT168H",
        "delayed_until": time(if is_late { held } else { payment.created_seconds + 7 * 86_400 }),
        "source_type": "CARD",
        "location_id": "L88917AVBK2S5",
        "reference_id": payment.reference,
        "version_token": "TPtNEOBOa6Qq6E3C3IjckSVOM6b3hMbfhjvTxHBQUsB6o",
    });
    if status != "PENDING" {
        object["card_details"] =
            json!({ "status": card_status, "card_payment_timeline": timeline, "errors": [] });
    }
    if status == "FAILED" {
        let is_error = payment.state == PaymentState::Error;
        let code = if is_error { "TEMPORARY_ERROR" } else { "GENERIC_DECLINE" };
        let error = json!({ "category": "PAYMENT_METHOD_ERROR", "code": code });
        object["card_details"]["errors"] = json!([error]);
    }
    let ids: Vec<_> = refunds(payment).map(|refund| refund_id(payment, refund)).collect();
    if !ids.is_empty() {
        object["refund_ids"] = ids.into();
        object["refunded_money"] = money(currency, payment.total(OperationKind::Refund));
    }
    object
}

fn refund_object(payment: &Payment, refund: &Operation) -> Value {
    let status = match refund.state {
        OperationState::Pending => "PENDING",
        OperationState::Succeeded => "COMPLETED",
        OperationState::Declined => "REJECTED",
        OperationState::Canceled | OperationState::Error | OperationState::Corrected => "FAILED",
    };
    json!({
        "id": refund_id(payment, refund),
        "created_at": time(payment.created_seconds),
        "updated_at": time(refund.changed_seconds),
        "amount_money": money(&refund.amount.currency, refund.amount.minor_units),
        "status": status,
        "location_id": "L88917AVBK2S5",
        "payment_id": payment.id,
        "reason": "Returned",
    })
}

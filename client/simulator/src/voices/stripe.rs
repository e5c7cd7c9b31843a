//! Stripe, as docs.stripe.com describes it: PaymentIntents with one charge each, signed with
//! `Stripe-Signature`.
//!
//! What Stripe has no event for is not said: a payment that fails after it succeeded (a dispute,
//! there), and captures or voids that do not work. Of captures it tells what was captured in all.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    life::{Amount, Event, Operation, OperationKind, OperationState, Payment, PaymentState},
    voice::{Question, Reply, Speaker, Voice, Webhook},
};

/// The provider.
#[derive(Clone, Copy, Debug)]
pub struct Stripe;

impl Voice for Stripe {
    fn name(&self) -> &'static str {
        "stripe"
    }

    fn secrets(&self, seed: u64) -> (String, String) {
        let shared = format!("whsec_simulated{seed:016x}");
        (shared.clone(), shared)
    }

    fn webhook(&self, event: &Event, speaker: &Speaker) -> Option<Webhook> {
        let (name, object) = said(event, speaker)?;
        let body = json!({
            "id": format!("evt_{}", event.id),
            "object": "event",
            "api_version": "2025-03-31.basil",
            "created": event.seconds,
            "data": { "object": object },
            "livemode": is_live(speaker),
            "pending_webhooks": 1,
            "request": { "id": null, "idempotency_key": null },
            "type": name,
        });
        let body = body.to_string().into_bytes();
        let time = speaker.now_seconds;
        let mac = Hmac::<Sha256>::new_from_slice(speaker.secret.as_bytes()).ok()?;
        let mac = mac.chain_update(format!("{time}.")).chain_update(&body);
        let tag = hex::encode(mac.finalize().into_bytes());
        let headers = [
            ("content-type", "application/json; charset=utf-8".to_owned()),
            ("stripe-signature", format!("t={time},v1={tag}")),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
        Some(Webhook { headers, body })
    }

    fn answer(&self, question: &Question, ledger: &[Payment], speaker: &Speaker) -> Option<Reply> {
        let path = question.path.strip_prefix("/v1/")?;
        if question.method != "GET" {
            return None;
        }
        let key = speaker.credentials.get("secret_key").map_or("", String::as_str);
        if question.header("authorization") != Some(format!("Bearer {key}").as_str()) {
            let message = "Invalid API Key provided";
            return Some(error(401, "invalid_request_error", message));
        }
        let find = |kind: &str, id: &str| ledger.iter().find(|p| format!("{kind}_{}", p.id) == id);
        let missing = || error(404, "invalid_request_error", "No such object");
        let reply = match path.split_once('/') {
            Some(("payment_intents", "search")) => search(question, ledger, speaker),
            Some(("payment_intents", id)) => find("pi", id).map_or_else(missing, |payment| {
                let expanded = question.query("expand[]") == Some("latest_charge");
                Reply::json(200, &intent(payment, expanded, speaker))
            }),
            Some(("charges", id)) => find("ch", id)
                .filter(|payment| has_charge(payment))
                .map_or_else(missing, |payment| Reply::json(200, &charge(payment, speaker))),
            None if path == "refunds" => {
                let of = |name, kind: &str| question.query(name).and_then(|id| find(kind, id));
                let payment = of("payment_intent", "pi").or_else(|| of("charge", "ch"));
                payment.map_or_else(missing, |payment| {
                    let refunds = payment.operations.iter().rev();
                    let refunds = refunds.filter(|o| o.kind == OperationKind::Refund);
                    let is_shown = question.query("expand[]") == Some("data.charge");
                    let shown = |operation| {
                        let mut refund = refund(payment, operation, speaker);
                        if is_shown {
                            refund["charge"] = charge(payment, speaker);
                        }
                        refund
                    };
                    let refunds: Vec<Value> = refunds.map(shown).collect();
                    list("list", "/v1/refunds", &refunds)
                })
            }
            _ => return None,
        };
        Some(reply)
    }
}

/// The event's name and object, if Stripe has one for it.
fn said(event: &Event, speaker: &Speaker) -> Option<(&'static str, Value)> {
    let payment = &event.payment;
    if let Some(operation) = event.operation() {
        return Some(match (operation.kind, operation.state) {
            (OperationKind::Capture, OperationState::Succeeded) => {
                ("charge.captured", charge(payment, speaker))
            }
            (OperationKind::Void, OperationState::Succeeded) if is_voided(payment) => {
                ("payment_intent.canceled", intent(payment, false, speaker))
            }
            (OperationKind::Capture | OperationKind::Void, _) => return None,
            (OperationKind::Refund, state) => {
                let name = match state {
                    OperationState::Pending => "refund.created",
                    OperationState::Succeeded | OperationState::Canceled => "refund.updated",
                    _ => "refund.failed",
                };
                (name, refund(payment, operation, speaker))
            }
        });
    }
    let name = match payment.state {
        PaymentState::Pending => "payment_intent.created",
        PaymentState::Authorized => "payment_intent.amount_capturable_updated",
        PaymentState::Paid => "payment_intent.succeeded",
        PaymentState::Corrected => return None,
        PaymentState::Declined | PaymentState::Error => "payment_intent.payment_failed",
        PaymentState::Canceled | PaymentState::Expired | PaymentState::AuthorizationExpired => {
            "payment_intent.canceled"
        }
    };
    Some((name, intent(payment, false, speaker)))
}

fn is_live(speaker: &Speaker) -> bool {
    !speaker.credentials.get("secret_key").is_some_and(|key| key.contains("_test_"))
}

/// True if a charge was ever made of it.
fn has_charge(payment: &Payment) -> bool {
    let never = matches!(
        payment.state,
        PaymentState::Pending | PaymentState::Canceled | PaymentState::Expired
    );
    !never || is_voided(payment) || captured(payment) > 0
}

/// A PaymentIntent that was captured in part cannot be cancelled.
fn is_voided(payment: &Payment) -> bool {
    payment.total(OperationKind::Void) > 0 && payment.total(OperationKind::Capture) == 0
}

fn is_sale(payment: &Payment) -> bool {
    matches!(payment.state, PaymentState::Paid | PaymentState::Corrected)
}

fn captured(payment: &Payment) -> u64 {
    let whole = payment.amount.minor_units;
    if is_sale(payment) { whole } else { payment.total(OperationKind::Capture).min(whole) }
}

fn intent(payment: &Payment, expanded: bool, speaker: &Speaker) -> Value {
    let amount = |units: u64| units_of(&payment.amount, units);
    let captured = captured(payment);
    let (status, reason) = match payment.state {
        _ if is_voided(payment) => ("canceled", Some("requested_by_customer")),
        _ if captured > 0 => ("succeeded", None),
        PaymentState::Authorized => ("requires_capture", None),
        PaymentState::Canceled => ("canceled", Some("requested_by_customer")),
        PaymentState::Expired | PaymentState::AuthorizationExpired => {
            ("canceled", Some("automatic"))
        }
        _ => ("requires_payment_method", None),
    };
    let error = match payment.state {
        PaymentState::Declined => json!({
            "code": "card_declined", "decline_code": "generic_decline", "type": "card_error",
            "message": "Your card was declined.",
        }),
        PaymentState::Error => json!({
            "code": "processing_error", "type": "api_error", "message": "Try again in a little bit.",
        }),
        _ => Value::Null,
    };
    let latest_charge = match (has_charge(payment), expanded) {
        (false, _) => Value::Null,
        (true, true) => charge(payment, speaker),
        (true, false) => format!("ch_{}", payment.id).into(),
    };
    let capturable = if status == "requires_capture" { payment.amount.minor_units } else { 0 };
    json!({
        "id": format!("pi_{}", payment.id),
        "object": "payment_intent",
        "amount": amount(payment.amount.minor_units),
        "amount_capturable": amount(capturable),
        "amount_received": amount(captured),
        "canceled_at": (status == "canceled").then_some(payment.changed_seconds),
        "cancellation_reason": reason,
        "capture_method": if is_sale(payment) { "automatic" } else { "manual" },
        "client_secret": format!("pi_{}_secret_simulated", payment.id),
        "confirmation_method": "automatic",
        "created": payment.created_seconds,
        "currency": payment.amount.currency.to_lowercase(),
        "last_payment_error": error,
        "latest_charge": latest_charge,
        "livemode": is_live(speaker),
        "metadata": metadata(speaker, &payment.reference),
        "status": status,
    })
}

fn charge(payment: &Payment, speaker: &Speaker) -> Value {
    let amount = |units: u64| units_of(&payment.amount, units);
    let failed = matches!(payment.state, PaymentState::Declined | PaymentState::Error);
    json!({
        "id": format!("ch_{}", payment.id),
        "object": "charge",
        "amount": amount(payment.amount.minor_units),
        "amount_captured": amount(captured(payment)),
        "amount_refunded": amount(payment.total(OperationKind::Refund)),
        "captured": captured(payment) > 0,
        "created": payment.created_seconds,
        "currency": payment.amount.currency.to_lowercase(),
        "failure_code": failed.then_some("card_declined"),
        "livemode": is_live(speaker),
        "metadata": metadata(speaker, &payment.reference),
        "paid": !failed,
        "payment_intent": format!("pi_{}", payment.id),
        "refunded": payment.total(OperationKind::Refund) >= payment.amount.minor_units,
        "status": if failed { "failed" } else { "succeeded" },
    })
}

fn refund(payment: &Payment, operation: &Operation, speaker: &Speaker) -> Value {
    let (status, reason) = match operation.state {
        OperationState::Pending => ("pending", None),
        OperationState::Succeeded => ("succeeded", None),
        OperationState::Canceled => ("canceled", None),
        OperationState::Declined => ("failed", Some("declined")),
        OperationState::Error => ("failed", Some("unknown")),
        OperationState::Corrected => ("failed", Some("expired_or_canceled_card")),
    };
    let key = speaker.option("refund_reference_metadata_key", "refund_id");
    json!({
        "id": format!("re_{}", operation.id),
        "object": "refund",
        "amount": units_of(&operation.amount, operation.amount.minor_units),
        "balance_transaction": (status != "pending").then(|| format!("txn_{}", operation.id)),
        "charge": format!("ch_{}", payment.id),
        "created": operation.changed_seconds,
        "currency": operation.amount.currency.to_lowercase(),
        "failure_reason": reason,
        "metadata": { key: operation.reference },
        "payment_intent": format!("pi_{}", payment.id),
        "reason": null,
        "status": status,
    })
}

fn metadata(speaker: &Speaker, reference: &str) -> Value {
    json!({ speaker.option("reference_metadata_key", "order_id"): reference })
}

/// Stripe's digits, where they are not those of ISO 4217.
fn units_of(amount: &Amount, units: u64) -> u64 {
    match amount.currency.as_str() {
        "ISK" | "UGX" => units * 100,
        "MGA" => units / 100,
        _ => units,
    }
}

/// `metadata['key']:'value'`, which is all that is understood of the search language.
fn search(question: &Question, ledger: &[Payment], speaker: &Speaker) -> Reply {
    let key = speaker.option("reference_metadata_key", "order_id");
    let wanted = |payment: &&Payment| {
        let reference = payment.reference.replace('\\', "\\\\").replace('\'', "\\'");
        question.query("query") == Some(format!("metadata['{key}']:'{reference}'").as_str())
    };
    let found: Vec<Value> =
        ledger.iter().filter(wanted).map(|payment| intent(payment, false, speaker)).collect();
    list("search_result", "/v1/payment_intents/search", &found)
}

fn list(object: &str, url: &str, data: &[Value]) -> Reply {
    Reply::json(200, &json!({ "object": object, "url": url, "has_more": false, "data": data }))
}

fn error(status: u16, kind: &str, message: &str) -> Reply {
    Reply::json(status, &json!({ "error": { "type": kind, "message": message } }))
}

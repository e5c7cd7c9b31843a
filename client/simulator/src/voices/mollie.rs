//! Mollie: classic webhooks that only name a payment, signed next-gen webhooks, and the Payments
//! API.
//!
//! From Mollie's documentation: docs.mollie.com (webhooks, next-gen webhooks, Payments, Refunds and
//! Captures API). Which webhooks an account gets is the option `webhooks`, as its configuration
//! has it. `environment` = `sandbox` among the options makes everything of the test mode.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    life::{Amount, Event, Operation, OperationKind, OperationState, Payment, PaymentState},
    standing::Standing,
    voice::{Question, Reply, Speaker, Voice, Webhook},
};

/// How Mollie speaks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mollie;

impl Voice for Mollie {
    fn name(&self) -> &'static str {
        "mollie"
    }

    /// A refusal and an error are one status.
    fn standings(&self, payment: &Payment) -> Vec<Standing> {
        match (payment.state, payment.standing()) {
            (PaymentState::Error, Standing::Error) => vec![Standing::Declined],
            (_, standing) => vec![standing],
        }
    }

    fn webhook(&self, event: &Event, speaker: &Speaker) -> Option<Webhook> {
        let (word, entity, resource) = match event.operation() {
            None => payment_word(&event.payment)
                .map(|word| (word, payment_object(&event.payment, speaker), "payment"))?,
            // No capture is documented to fail after it succeeded.
            Some(Operation {
                kind: OperationKind::Capture,
                state: OperationState::Corrected,
                ..
            }) => return None,
            // A release is no entity: it shows in the payment.
            Some(operation) if operation.kind == OperationKind::Void => {
                let is_done = operation.state == OperationState::Succeeded;
                let payment = payment_object(&event.payment, speaker);
                is_done.then(|| (payment_status(&event.payment), payment, "payment"))?
            }
            Some(operation) => {
                let (resource, word) = operation_word(operation)?;
                (word, operation_object(&event.payment, operation, speaker), resource)
            }
        };
        match speaker.option("webhooks", "classic") {
            "next-gen" => Some(signed(event, (resource, word), &entity, speaker)),
            // Nobody is called for a payment that is only under way.
            _ if word == "pending" && resource == "payment" => None,
            _ => Some(Webhook {
                headers: vec![(
                    "content-type".to_owned(),
                    "application/x-www-form-urlencoded".to_owned(),
                )],
                body: format!("id={}", payment_id(&event.payment)).into_bytes(),
            }),
        }
    }

    /// Nobody signs a classic webhook, which is only a hint.
    fn signed_places(&self, webhook: &Webhook, speaker: &Speaker) -> Vec<std::ops::Range<usize>> {
        let is_signed = speaker.option("webhooks", "classic") == "next-gen";
        is_signed.then_some(0..webhook.body.len()).into_iter().collect()
    }

    fn answer(&self, question: &Question, ledger: &[Payment], speaker: &Speaker) -> Option<Reply> {
        let id = question.path.strip_prefix("/v2/payments/")?;
        if question.method != "GET" || id.contains('/') {
            return None;
        }
        let id = percent_encoding::percent_decode_str(id).decode_utf8_lossy();
        let key = speaker.credentials.get("api_key").map(String::as_str).unwrap_or_default();
        if question.header("authorization") != Some(&format!("Bearer {key}")) {
            return Some(problem(401, "Unauthorized Request", "Missing authentication, or failed"));
        }
        let Some(payment) = ledger.iter().find(|payment| payment_id(payment) == id) else {
            return Some(problem(404, "Not Found", "No payment exists with that token"));
        };
        let mut object = payment_object(payment, speaker);
        for name in question.query("embed").unwrap_or_default().split(',') {
            let kind = match name {
                "captures" => OperationKind::Capture,
                "refunds" => OperationKind::Refund,
                _ => continue,
            };
            let of_kind = payment.operations.iter().filter(|operation| operation.kind == kind);
            let objects: Vec<_> =
                of_kind.map(|operation| operation_object(payment, operation, speaker)).collect();
            object["_embedded"][name] = objects.into();
        }
        Some(Reply::json(200, &object))
    }
}

fn problem(status: u16, title: &str, detail: &str) -> Reply {
    Reply::json(status, &json!({ "status": status, "title": title, "detail": detail }))
}

fn payment_id(payment: &Payment) -> String {
    format!("tr_{}", payment.id)
}

fn money(amount: &Amount) -> Value {
    json!({ "currency": amount.currency, "value": amount.major() })
}

fn time(seconds: i64) -> Value {
    jiff::Timestamp::from_second(seconds).map_or(Value::Null, |time| time.to_string().into())
}

fn mode(speaker: &Speaker) -> &'static str {
    if speaker.option("environment", "live") == "sandbox" { "test" } else { "live" }
}

/// The status of a payment, its operations considered.
fn payment_status(payment: &Payment) -> &'static str {
    let captured = payment.total(OperationKind::Capture);
    match payment.state {
        PaymentState::Pending => "pending",
        // A refused capture or a chargeback leaves the payment as it is.
        PaymentState::Paid | PaymentState::Corrected => "paid",
        PaymentState::Authorized if captured >= payment.amount.minor_units => "paid",
        PaymentState::Authorized if payment.total(OperationKind::Void) == 0 => "authorized",
        PaymentState::Authorized if captured > 0 => "paid",
        PaymentState::Authorized | PaymentState::Canceled => "canceled",
        PaymentState::Declined | PaymentState::Error => "failed",
        PaymentState::Expired => "expired",
        PaymentState::AuthorizationExpired if captured > 0 => "paid",
        PaymentState::AuthorizationExpired => "expired",
    }
}

/// The event of a payment's own state; there is none for a payment that fails after all.
fn payment_word(payment: &Payment) -> Option<&'static str> {
    (payment.state != PaymentState::Corrected).then(|| payment_status(payment))
}

fn payment_object(payment: &Payment, speaker: &Speaker) -> Value {
    let status = payment_status(payment);
    let is_held =
        matches!(payment.state, PaymentState::Authorized | PaymentState::AuthorizationExpired);
    let mut object = json!({
        "resource": "payment",
        "id": payment_id(payment),
        "mode": mode(speaker),
        "amount": money(&payment.amount),
        "captureMode": if is_held { "manual" } else { "automatic" },
        "createdAt": time(payment.created_seconds),
        "description": "Order",
        "metadata": { speaker.option("reference_metadata_key", "order_id"): payment.reference },
        "method": "creditcard",
        "profileId": speaker.merchant,
        "sequenceType": "oneoff",
        "status": status,
    });
    let changed = time(payment.changed_seconds);
    match status {
        "paid" => object["paidAt"] = changed.clone(),
        "failed" => object["failedAt"] = changed.clone(),
        "canceled" => object["canceledAt"] = changed.clone(),
        "expired" => object["expiredAt"] = changed.clone(),
        _ => {}
    }
    if is_held {
        object["authorizedAt"] = changed;
        let captured = payment.total(OperationKind::Capture);
        object["amountCaptured"] =
            money(&Amount { minor_units: captured, ..payment.amount.clone() });
    }
    if payment.state == PaymentState::Error {
        object["statusReason"] = json!({ "code": "issuer_error", "message": "Issuer error" });
    }
    object
}

/// The resource and the word of an operation's event; there is none for a capture under way.
fn operation_word(operation: &Operation) -> Option<(&'static str, &'static str)> {
    let status = operation_status(operation);
    match operation.kind {
        OperationKind::Capture => (status != "pending").then_some(("capture", status)),
        OperationKind::Refund => Some(("refund", status)),
        OperationKind::Void => None,
    }
}

fn operation_status(operation: &Operation) -> &'static str {
    match (operation.kind, operation.state) {
        (_, OperationState::Pending) => "pending",
        (OperationKind::Refund, OperationState::Succeeded) => "refunded",
        (_, OperationState::Succeeded) => "succeeded",
        (OperationKind::Refund, OperationState::Canceled) => "canceled",
        _ => "failed",
    }
}

fn operation_object(payment: &Payment, operation: &Operation, speaker: &Speaker) -> Value {
    let (resource, prefix) = match operation.kind {
        OperationKind::Capture => ("capture", "cpt"),
        _ => ("refund", "re"),
    };
    let key = speaker.option("operation_metadata_key", "");
    json!({
        "resource": resource,
        "id": format!("{prefix}_{}", operation.id),
        "mode": mode(speaker),
        "amount": money(&operation.amount),
        "createdAt": time(payment.created_seconds),
        "metadata": if key.is_empty() { Value::Null } else { json!({ key: operation.reference }) },
        "paymentId": payment_id(payment),
        "status": operation_status(operation),
    })
}

fn signed(
    event: &Event,
    (resource, word): (&str, &str),
    entity: &Value,
    speaker: &Speaker,
) -> Webhook {
    let body = json!({
        "resource": "event",
        "id": format!("event_{}", event.id),
        "type": format!("{resource}.{word}"),
        "entityId": entity["id"],
        "createdAt": time(event.seconds),
        "_embedded": { resource: entity },
    })
    .to_string();
    let mac = Hmac::<Sha256>::new_from_slice(speaker.secret.as_bytes());
    let mac = mac.expect("HMAC takes keys of any length").chain_update(&body);
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    let headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("x-mollie-signature".to_owned(), signature),
    ];
    Webhook { headers, body: body.into_bytes() }
}

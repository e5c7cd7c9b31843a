//! Checkout.com, as www.checkout.com/docs describes it: payments and their actions, signed with
//! `Cko-Signature`.
//!
//! What Checkout.com has no event for is not said: a sale that fails after it succeeded, captures
//! and refunds that are cancelled or corrected, voids under way.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    life::{Amount, Event, Operation, OperationKind, OperationState, Payment, PaymentState},
    standing::Standing,
    voice::{Question, Reply, Speaker, Voice, Webhook},
};

/// The provider.
#[derive(Clone, Copy, Debug)]
pub struct CheckoutCom;

impl Voice for CheckoutCom {
    fn name(&self) -> &'static str {
        "checkout-com"
    }

    /// A refusal and an error are one event.
    fn standings(&self, payment: &Payment) -> Vec<Standing> {
        match (payment.state, payment.standing()) {
            (PaymentState::Error, Standing::Error) => vec![Standing::Declined],
            (_, standing) => vec![standing],
        }
    }

    /// Events of operations carry the payment's reference here, which Checkout.com does not document.
    fn account_options(&self, _: &str, _: &str) -> Vec<(&'static str, String)> {
        vec![("operation_reference", "payment".to_owned())]
    }

    fn webhook(&self, event: &Event, speaker: &Speaker) -> Option<Webhook> {
        let (name, data) = said(event)?;
        let body = json!({
            "id": format!("evt_{}", event.id),
            "type": name,
            "version": "1.0.29",
            "created_on": time(event.seconds),
            "data": data,
        });
        let body = body.to_string().into_bytes();
        let mac = Hmac::<Sha256>::new_from_slice(speaker.secret.as_bytes()).ok()?;
        let tag = hex::encode(mac.chain_update(&body).finalize().into_bytes());
        let headers = [("content-type", "application/json".to_owned()), ("cko-signature", tag)];
        let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
        Some(Webhook { headers, body })
    }

    fn answer(&self, question: &Question, ledger: &[Payment], speaker: &Speaker) -> Option<Reply> {
        let path = question.path.strip_prefix("/payments")?;
        if question.method != "GET" {
            return None;
        }
        let key = speaker.credentials.get("secret_key").map_or("", String::as_str);
        if question.header("authorization") != Some(format!("Bearer {key}").as_str()) {
            return Some(Reply { status: 401, body: Vec::new(), content_type: "text/plain" });
        }
        if path.is_empty() {
            let reference = question.query("reference")?;
            let found = ledger.iter().filter(|payment| payment.reference == reference);
            let found: Vec<Value> = found.take(10).map(details).collect();
            let list = json!({ "limit": 10, "skip": 0, "total_count": found.len(), "data": found });
            return Some(Reply::json(200, &list));
        }
        let path = path.strip_prefix('/')?;
        let (id, wants_actions) = match path.split_once('/') {
            Some((id, "actions")) => (id, true),
            Some(_) => return None,
            None => (path, false),
        };
        let found = ledger.iter().find(|payment| format!("pay_{}", payment.id) == id);
        Some(match found {
            Some(payment) if wants_actions => Reply::json(200, &actions(payment)),
            Some(payment) => Reply::json(200, &details(payment)),
            None => Reply { status: 404, body: Vec::new(), content_type: "text/plain" },
        })
    }
}

fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

/// Checkout.com's digits, where they are not those of ISO 4217.
fn units(amount: &Amount, units: u64) -> u64 {
    if amount.currency == "CLP" { units * 100 } else { units }
}

/// The event's name and data, if Checkout.com has one for it.
fn said(event: &Event) -> Option<(&'static str, Value)> {
    let payment = &event.payment;
    if let Some(operation) = event.operation() {
        let name = match (operation.kind, operation.state) {
            (OperationKind::Capture, OperationState::Pending) => "payment_capture_pending",
            (OperationKind::Capture, OperationState::Succeeded) => "payment_captured",
            (OperationKind::Capture, OperationState::Declined | OperationState::Error) => {
                "payment_capture_declined"
            }
            (OperationKind::Refund, OperationState::Pending) => "payment_refund_pending",
            (OperationKind::Refund, OperationState::Succeeded) => "payment_refunded",
            (OperationKind::Refund, OperationState::Declined | OperationState::Error) => {
                "payment_refund_declined"
            }
            (OperationKind::Void, OperationState::Succeeded) => "payment_voided",
            (OperationKind::Void, OperationState::Declined | OperationState::Error) => {
                "payment_void_declined"
            }
            _ => return None,
        };
        return Some((name, data_of(payment, operation)));
    }
    let name = match payment.state {
        PaymentState::Pending => "payment_pending",
        PaymentState::Authorized => "payment_approved",
        PaymentState::Paid => {
            return Some(("payment_captured", data_of(payment, &capture(payment))));
        }
        PaymentState::Declined | PaymentState::Error => "payment_declined",
        PaymentState::Canceled => "payment_canceled",
        PaymentState::Expired | PaymentState::AuthorizationExpired => "payment_expired",
        PaymentState::Corrected => return None,
    };
    let (code, summary) = response(payment);
    let mut data = json!({
        "id": format!("pay_{}", payment.id),
        "action_id": format!("act_{}", payment.id),
        "reference": payment.reference,
        "amount": units(&payment.amount, payment.amount.minor_units),
        "currency": payment.amount.currency,
        "processed_on": time(payment.changed_seconds),
        "response_code": code,
        "response_summary": summary,
    });
    if is_over(payment) {
        data["balances"] = balances(payment);
    }
    Some((name, data))
}

/// The capture that a payment makes by itself.
fn capture(payment: &Payment) -> Operation {
    Operation {
        kind: OperationKind::Capture,
        id: format!("c{}", payment.id),
        reference: payment.reference.clone(),
        amount: payment.amount.clone(),
        state: OperationState::Succeeded,
        changed_seconds: payment.changed_seconds,
    }
}

fn response(payment: &Payment) -> (&'static str, &'static str) {
    match payment.state {
        PaymentState::Declined => ("20005", "Declined - Do Not Honour"),
        PaymentState::Error => ("20068", "Response received too late"),
        _ => ("10000", "Approved"),
    }
}

fn is_over(payment: &Payment) -> bool {
    matches!(
        payment.state,
        PaymentState::Canceled | PaymentState::Expired | PaymentState::AuthorizationExpired
    )
}

fn is_authorized(payment: &Payment) -> bool {
    matches!(
        payment.state,
        PaymentState::Authorized
            | PaymentState::Paid
            | PaymentState::Corrected
            | PaymentState::AuthorizationExpired
    )
}

fn is_sale(payment: &Payment) -> bool {
    matches!(payment.state, PaymentState::Paid | PaymentState::Corrected)
}

fn balances(payment: &Payment) -> Value {
    let whole = payment.amount.minor_units;
    let total = |units_: u64| units(&payment.amount, units_);
    let captured = if is_sale(payment) { whole } else { payment.total(OperationKind::Capture) };
    json!({
        "total_authorized": total(if is_authorized(payment) { whole } else { 0 }),
        "total_voided": total(payment.total(OperationKind::Void)),
        "total_captured": total(captured),
        "total_refunded": total(payment.total(OperationKind::Refund)),
    })
}

fn data_of(payment: &Payment, operation: &Operation) -> Value {
    let approved = operation.state == OperationState::Succeeded;
    json!({
        "id": format!("pay_{}", payment.id),
        "action_id": format!("act_{}", operation.id),
        "reference": payment.reference,
        "amount": units(&operation.amount, operation.amount.minor_units),
        "currency": operation.amount.currency,
        "processed_on": time(operation.changed_seconds),
        "response_code": if approved { "10000" } else { "20006" },
        "response_summary": if approved { "Approved" } else { "Error / Invalid Request Parameters" },
        "balances": balances(payment),
    })
}

fn details(payment: &Payment) -> Value {
    let whole = payment.amount.minor_units;
    let (captured, refunded) =
        (payment.total(OperationKind::Capture), payment.total(OperationKind::Refund));
    let captured = if is_sale(payment) { whole } else { captured };
    let status = match payment.state {
        PaymentState::Pending => "Pending",
        PaymentState::Declined | PaymentState::Error => "Declined",
        PaymentState::Canceled => "Canceled",
        PaymentState::Expired | PaymentState::AuthorizationExpired => "Expired",
        _ if refunded > 0 && refunded >= captured => "Refunded",
        _ if refunded > 0 => "Partially Refunded",
        _ if captured >= whole => "Captured",
        _ if captured > 0 => "Partially Captured",
        _ if payment.total(OperationKind::Void) > 0 => "Voided",
        _ => "Authorized",
    };
    let (code, summary) = response(payment);
    json!({
        "id": format!("pay_{}", payment.id),
        "requested_on": time(payment.created_seconds),
        "amount": units(&payment.amount, whole),
        "currency": payment.amount.currency,
        "payment_type": "Regular",
        "reference": payment.reference,
        "status": status,
        "approved": is_authorized(payment),
        "response_code": code,
        "response_summary": summary,
        "balances": balances(payment),
    })
}

/// What happened to a payment, the latest first.
fn actions(payment: &Payment) -> Value {
    let action = |kind: &str, operation: &Operation, approved: Option<bool>| {
        json!({
            "id": format!("act_{}", operation.id),
            "type": kind,
            "processed_on": time(operation.changed_seconds),
            "amount": units(&operation.amount, operation.amount.minor_units),
            "approved": approved,
            "response_code": if approved == Some(true) { "10000" } else { "20006" },
            "response_summary":
                if approved == Some(true) { "Approved" } else { "Error / Invalid Request Parameters" },
            "reference": payment.reference,
        })
    };
    let mut actions: Vec<Value> = Vec::new();
    for operation in payment.operations.iter().rev() {
        let approved = match operation.state {
            OperationState::Pending => None,
            OperationState::Succeeded => Some(true),
            OperationState::Declined | OperationState::Error => Some(false),
            OperationState::Canceled | OperationState::Corrected => continue,
        };
        let kind = match operation.kind {
            OperationKind::Capture => "Capture",
            OperationKind::Refund => "Refund",
            OperationKind::Void => "Void",
        };
        actions.push(action(kind, operation, approved));
    }
    if is_sale(payment) {
        actions.push(action("Capture", &capture(payment), Some(true)));
    }
    if is_authorized(payment) {
        let authorization = Operation { id: payment.id.clone(), ..capture(payment) };
        actions.push(action("Authorization", &authorization, Some(true)));
    }
    actions.into()
}

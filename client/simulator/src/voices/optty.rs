//! Optty, as its documentation has it: "Notification Handling" for the webhooks (the four
//! examples there are what these look like), "Handle payment response" for the hash, the API
//! reference for `GET /orders/{reference}` and `POST /orders/{reference}/details`, and its
//! WooCommerce plugin for the token endpoint.
//!
//! Not documented, so assumed: that the hash of a webhook is made as the redirect's is
//! (`{status}|{reference}`, the order's reference whatever it is called), and that an authorised
//! payment is SUCCESSFUL with `captureStatus` AUTHORIZED. Optty has no webhook for a payment that
//! fails after it succeeded, for an authorisation that expired, nor for captures and voids that
//! are under way.

use std::ops::Range;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha512;

use crate::{
    life::{Amount, Event, Operation, OperationKind, OperationState, Payment, PaymentState},
    voice::{Question, Reply, Speaker, Voice, Webhook},
};

/// The payment method that every payment goes through.
const METHOD: &str = "FAT_ZEBRA_AU";
/// How long a token is valid, in seconds.
const TOKEN_SECONDS: u32 = 3600;

/// Optty.
#[derive(Clone, Copy, Debug)]
pub struct Optty;

impl Voice for Optty {
    fn name(&self) -> &'static str {
        "optty"
    }

    fn merchant(&self) -> Option<&'static str> {
        Some("sim-merchant")
    }

    fn webhook(&self, event: &Event, speaker: &Speaker) -> Option<Webhook> {
        let (name, mut data) = match event.operation() {
            None => ("ORDER_ASYNC_CALLBACK", payment_data(&event.payment)?),
            Some(operation) => operation_data(operation, &event.payment)?,
        };
        let status = data["status"].as_str()?;
        data["hash"] = hash(&speaker.secret, status, &event.payment.reference)?.into();
        let body = json!({ "event": name, "data": data }).to_string().into_bytes();
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Some(Webhook { headers, body })
    }

    /// The hash covers the status and the reference, and nothing else.
    fn signed_places(&self, webhook: &Webhook, _: &Speaker) -> Vec<Range<usize>> {
        let is_refund = value_of(&webhook.body, "event")
            .is_some_and(|at| webhook.body.get(at).is_some_and(|name| name.starts_with(b"REFUND")));
        let reference = if is_refund { "orderReference" } else { "reference" };
        ["status", reference].iter().filter_map(|name| value_of(&webhook.body, name)).collect()
    }

    fn answer(&self, question: &Question, ledger: &[Payment], speaker: &Speaker) -> Option<Reply> {
        if question.path == "/token" {
            return Some(token_reply(question, speaker));
        }
        let path = question.path.strip_prefix("/orders/")?;
        if question.header("authorization") != Some(&format!("Bearer {}", token(speaker))) {
            return Some(Reply::json(401, &json!({ "message": "Unauthorized" })));
        }
        let (reference, wants_details) = match path.strip_suffix("/details") {
            Some(reference) => (reference, true),
            None => (path, false),
        };
        if question.method != if wants_details { "POST" } else { "GET" } {
            return Some(Reply::json(405, &json!({ "message": "Method Not Allowed" })));
        }
        let reference = percent_encoding::percent_decode_str(reference).decode_utf8_lossy();
        let Some(payment) = ledger.iter().find(|payment| payment.reference == reference) else {
            return Some(Reply::json(404, &json!({ "message": "Order not found" })));
        };
        let mut order = order(payment);
        if wants_details {
            add_details(&mut order, payment);
        }
        // 201 is what the documentation has, for the look at an order too.
        Some(Reply::json(201, &order))
    }
}

// === Webhooks ===

fn payment_data(payment: &Payment) -> Option<Value> {
    let status = match payment.state {
        PaymentState::Pending => "PENDING",
        PaymentState::Authorized | PaymentState::Paid => "SUCCESSFUL",
        PaymentState::Declined => "DECLINED",
        PaymentState::Canceled | PaymentState::Expired => "CANCELED",
        PaymentState::Error => "ERROR",
        PaymentState::Corrected | PaymentState::AuthorizationExpired => return None,
    };
    let mut data = common_data(payment, &payment.amount);
    data["status"] = status.into();
    data["initiator"] = "regular".into();
    data["rejectReason"] = reject_reason(payment).into();
    match payment.state {
        PaymentState::Authorized => data["captureStatus"] = "AUTHORIZED".into(),
        PaymentState::Canceled => data["cancelledBy"] = "USER".into(),
        PaymentState::Expired => data["cancelledBy"] = "SYSTEM".into(),
        _ => {}
    }
    Some(data)
}

fn operation_data(operation: &Operation, payment: &Payment) -> Option<(&'static str, Value)> {
    let mut data = common_data(payment, &operation.amount);
    let word = match (operation.state, operation.kind) {
        (OperationState::Succeeded, _) => "SUCCESSFUL",
        (OperationState::Error, _) => "ERROR",
        (OperationState::Pending, OperationKind::Refund) => "PENDING",
        (OperationState::Declined, OperationKind::Refund) => "DECLINED",
        _ => return None,
    };
    match operation.kind {
        OperationKind::Capture => {
            let is_done = operation.state == OperationState::Succeeded;
            data["status"] = word.into();
            data["captureStatus"] = if is_done { "CAPTURED" } else { "AUTHORIZED" }.into();
            data["captureReference"] = operation.reference.as_str().into();
            data["orderReference"] = payment.reference.as_str().into();
            // A text here, a number everywhere else.
            data["amount"] = operation.amount.major().into();
            Some(("ORDER_CAPTURE_ASYNC_CALLBACK", data))
        }
        OperationKind::Refund => {
            let description = format!("{} Refunded", operation.amount.major());
            let data = json!({
                "orderReference": payment.reference,
                "status": word,
                "currency": operation.amount.currency,
                "amount": number(&operation.amount),
                "refundReference": operation.reference,
                "refundDescription": description,
            });
            Some(("REFUND_CALLBACK", data))
        }
        OperationKind::Void => {
            data["status"] = "CANCELED".into();
            data["voidStatus"] = word.into();
            data["voidReference"] = operation.reference.as_str().into();
            data["errorMessage"] = Value::Null;
            data["rejectReason"] = "Transaction Cancelled".into();
            Some(("ORDER_VOID_ASYNC_CALLBACK", data))
        }
    }
}

fn common_data(payment: &Payment, amount: &Amount) -> Value {
    json!({
        "transactionId": payment.id,
        "reference": payment.reference,
        "currency": amount.currency,
        "amount": number(amount),
        "transactionReference": transaction_reference(payment),
        "provider": METHOD,
        "metadata": null,
        "token": null,
        "rawBNPLResponse": null,
    })
}

fn reject_reason(payment: &Payment) -> Option<&'static str> {
    match payment.state {
        PaymentState::Declined => Some("insufficient funds"),
        PaymentState::Error => Some("payment method not reachable"),
        _ => None,
    }
}

fn transaction_reference(payment: &Payment) -> &str {
    payment.id.get(..10).unwrap_or(&payment.id)
}

/// A JSON number in major units; exact up to 15 digits.
fn number(amount: &Amount) -> Value {
    let major = amount.major();
    let whole = || major.split_once('.').filter(|(_, rest)| rest.bytes().all(|b| b == b'0'));
    match whole().map_or(major.as_str(), |(whole, _)| whole).parse::<u64>() {
        Ok(units) => units.into(),
        Err(_) => major.parse::<f64>().unwrap_or_default().into(),
    }
}

fn hash(secret: &str, status: &str, reference: &str) -> Option<String> {
    let mac = Hmac::<Sha512>::new_from_slice(secret.as_bytes()).ok()?;
    let mac = mac.chain_update(format!("{status}|{reference}"));
    Some(hex::encode(mac.finalize().into_bytes()))
}

/// Where the text of a name stands in a body that is ours: the name stands there once.
fn value_of(body: &[u8], name: &str) -> Option<Range<usize>> {
    let text = std::str::from_utf8(body).ok()?;
    let before = format!("\"{name}\":\"");
    let start = text.find(&before)? + before.len();
    let length = text[start..].find('"')?;
    Some(start..start + length)
}

// === Status API ===

fn token_reply(question: &Question, speaker: &Speaker) -> Reply {
    let form: Vec<(String, String)> = form_urlencoded::parse(&question.body).into_owned().collect();
    let field = |name: &str| form.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
    let is_right = |name: &str| field(name) == speaker.credentials.get(name).map(String::as_str);
    let is_known = is_right("client_id") && is_right("client_secret");
    if question.method != "POST" || field("grant_type") != Some("client_credentials") {
        return Reply::json(400, &json!({ "error": "unsupported_grant_type" }));
    }
    if !is_known {
        return Reply::json(401, &json!({ "error": "invalid_client" }));
    }
    let token = json!({
        "access_token": token(speaker),
        "expires_in": TOKEN_SECONDS,
        "token_type": "Bearer",
        "scope": "api-user",
    });
    Reply::json(200, &token)
}

/// The token of whoever knows the credentials.
fn token(speaker: &Speaker) -> String {
    let credential = |name| speaker.credentials.get(name).map_or("", String::as_str);
    let of = hash(credential("client_secret"), "token", credential("client_id"));
    of.unwrap_or_default().chars().take(40).collect()
}

/// The status of the order itself: a void makes it CANCELED, refunds leave it.
fn status(payment: &Payment) -> &'static str {
    let is_voided = payment.total(OperationKind::Void) > 0 && payment.captured() == 0;
    match payment.state {
        PaymentState::Authorized if is_voided => "CANCELED",
        PaymentState::AuthorizationExpired if payment.captured() == 0 => "CANCELED",
        PaymentState::Pending => "PENDING",
        PaymentState::Declined => "DECLINED",
        PaymentState::Canceled | PaymentState::Expired => "CANCELED",
        PaymentState::Error | PaymentState::Corrected => "ERROR",
        PaymentState::Authorized | PaymentState::AuthorizationExpired | PaymentState::Paid => {
            "SUCCESSFUL"
        }
    }
}

fn order(payment: &Payment) -> Value {
    let capture_status = match payment.state {
        PaymentState::Authorized | PaymentState::AuthorizationExpired
            if payment.captured() == 0 =>
        {
            Some("AUTHORIZED")
        }
        PaymentState::Authorized | PaymentState::AuthorizationExpired => Some("CAPTURED"),
        _ => None,
    };
    let cancelled_by = match payment.state {
        PaymentState::Canceled => Some("USER"),
        PaymentState::Expired | PaymentState::AuthorizationExpired => Some("SYSTEM"),
        PaymentState::Authorized if status(payment) == "CANCELED" => Some("MERCHANT"),
        _ => None,
    };
    json!({
        "merchantReference": payment.reference,
        "status": status(payment),
        "amount": payment.amount.major(),
        "surcharge": "0.00",
        "currency": payment.amount.currency,
        "provider": METHOD,
        "updatedAt": time(payment.changed_seconds),
        "failureReason": null,
        "bnplOrderId": payment.id,
        "transactionReference": transaction_reference(payment),
        "rejectReason": reject_reason(payment),
        "partnerConfiguration": null,
        "cancelledBy": cancelled_by,
        "captureStatus": capture_status,
    })
}

fn add_details(order: &mut Value, payment: &Payment) {
    let of_kind = |kind| payment.operations.iter().filter(move |operation| operation.kind == kind);
    order["transactionHistory"] = json!([{
        "transactionId": payment.id,
        "status": status(payment),
        "createdAt": time(payment.created_seconds),
    }]);
    let refund = |operation: &Operation| {
        json!({
            "refundId": operation.id,
            "amount": operation.amount.major(),
            "currency": operation.amount.currency,
            "status": operation_status(operation.state),
            "createdAt": time(operation.changed_seconds),
            "refundReference": operation.reference,
            "refundFailureReason": null,
        })
    };
    order["refunds"] = of_kind(OperationKind::Refund).map(refund).collect();
    let capture = |operation: &Operation| {
        json!({
            "captureId": operation.id,
            "amount": operation.amount.major(),
            "status": operation_status(operation.state),
            "createdAt": time(operation.changed_seconds),
        })
    };
    order["orderCaptures"] = of_kind(OperationKind::Capture).map(capture).collect();
}

fn operation_status(state: OperationState) -> &'static str {
    match state {
        OperationState::Pending => "PENDING",
        OperationState::Succeeded => "SUCCESSFUL",
        OperationState::Declined => "DECLINED",
        OperationState::Canceled => "CANCELED",
        OperationState::Error | OperationState::Corrected => "ERROR",
    }
}

fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests;

//! Gr4vy, as its documentation has it: `docs.gr4vy.com/guides/features/webhooks`, the statuses page,
//! and the API's models as its SDK publishes them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use p521::{
    SecretKey,
    ecdsa::{Signature, SigningKey, VerifyingKey, signature::Verifier as _},
    pkcs8::DecodePrivateKey as _,
};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    life::{Event, Operation, OperationKind, OperationState, Payment, PaymentState},
    standing::Standing,
    voice::{Question, Reply, Speaker, Voice, Webhook},
};

/// The voice.
#[derive(Clone, Copy, Debug)]
pub struct Gr4vy;

impl Voice for Gr4vy {
    fn name(&self) -> &'static str {
        "gr4vy"
    }

    /// A failure and an expiry are one event.
    fn standings(&self, payment: &Payment) -> Vec<Standing> {
        match (payment.state, payment.standing()) {
            (PaymentState::Error | PaymentState::Expired, _) => {
                vec![Standing::Error, Standing::Expired]
            }
            (_, standing) => vec![standing],
        }
    }

    /// A transaction has one void, which has no name of its own.
    fn operation_reference(&self, kind: OperationKind, payment: &Payment) -> Option<String> {
        (kind == OperationKind::Void).then(|| payment.id.clone())
    }

    /// A token in the form of a JWT: an account takes one in place of the key.
    fn credential(&self, _: &str) -> String {
        let encode = |text: &str| BASE64.encode(text);
        let header = encode(r#"{"alg":"ES512","typ":"JWT"}"#);
        format!("{header}.{}.{}", encode("{}"), encode("simulated"))
    }

    fn account_options(&self, _: &str, _: &str) -> Vec<(&'static str, String)> {
        vec![("gr4vy_id", "simulated".to_owned())]
    }

    fn webhook(&self, event: &Event, speaker: &Speaker) -> Option<Webhook> {
        let payment = &event.payment;
        let (name, target) = match event.operation() {
            None => (payment_event(payment.state)?, transaction(payment, speaker)),
            Some(operation) if operation.kind == OperationKind::Void => {
                (operation_event(operation)?, transaction(payment, speaker))
            }
            Some(operation) => (operation_event(operation)?, resource(operation, payment, speaker)),
        };
        let body = json!({
            "type": "event",
            "id": event.id,
            "name": name,
            "created_at": time(event.seconds),
            "merchant_account_id": merchant(speaker),
            "gr4vy_id": speaker.option("gr4vy_id", "example"),
            "environment": speaker.option("environment", "production"),
            "target": target,
        });
        Some(signed(&event.id, body.to_string(), speaker))
    }

    fn answer(&self, question: &Question, ledger: &[Payment], speaker: &Speaker) -> Option<Reply> {
        let path = question.path.strip_prefix("/transactions")?;
        if !is_authorized(question, speaker) {
            return Some(error(401, "unauthorized", "No valid API authentication found"));
        }
        if path.is_empty() {
            return Some(search(question, ledger, speaker));
        }
        let (id, list) = path.strip_prefix('/').map(|p| p.split_once('/').unwrap_or((p, "")))?;
        let id = percent_decode_str(id).decode_utf8().ok()?;
        let Some(payment) = ledger.iter().find(|payment| payment.id == id) else {
            return Some(error(404, "not_found", "The resource could not be found"));
        };
        let kind = match list {
            "" => return Some(Reply::json(200, &transaction(payment, speaker))),
            "captures" => OperationKind::Capture,
            "refunds" => OperationKind::Refund,
            _ => return None,
        };
        let of_kind = payment.operations.iter().filter(|operation| operation.kind == kind);
        let items = of_kind.map(|operation| resource(operation, payment, speaker)).collect();
        Some(page(items))
    }
}

/// The event of a payment's state, where there is one.
fn payment_event(state: PaymentState) -> Option<&'static str> {
    Some(match state {
        PaymentState::Pending => "transaction.authentication-pending",
        PaymentState::Authorized => "transaction.authorized",
        PaymentState::Paid => "transaction.captured",
        PaymentState::Declined => "transaction.declined",
        PaymentState::Expired | PaymentState::Error => "transaction.failed",
        PaymentState::Canceled | PaymentState::Corrected | PaymentState::AuthorizationExpired => {
            return None;
        }
    })
}

fn operation_event(operation: &Operation) -> Option<&'static str> {
    use OperationKind::{Capture, Refund, Void};
    use OperationState::{Declined, Error, Pending, Succeeded};
    Some(match (operation.kind, operation.state) {
        (Capture, Pending) => "capture.pending",
        (Capture, Succeeded) => "capture.succeeded",
        (Capture, Declined) => "capture.declined",
        (Capture, Error) => "capture.failed",
        (Refund, Pending) => "refund.pending",
        (Refund, Succeeded) => "refund.succeeded",
        (Refund, Declined) => "refund.declined",
        (Refund, Error) => "refund.failed",
        (Void, Pending) => "transaction.void-pending",
        (Void, Succeeded) => "transaction.voided",
        (Void, Declined) => "transaction.void-declined",
        (Void, Error) => "transaction.void-failed",
        (_, OperationState::Canceled | OperationState::Corrected) => return None,
    })
}

fn transaction(payment: &Payment, speaker: &Speaker) -> Value {
    let was_authorized = matches!(
        payment.state,
        PaymentState::Authorized
            | PaymentState::Paid
            | PaymentState::Corrected
            | PaymentState::AuthorizationExpired
    );
    let whole = payment.amount.minor_units;
    let captured = match payment.state {
        PaymentState::Paid | PaymentState::Corrected => whole,
        _ => payment.total(OperationKind::Capture),
    };
    let at = |is_so: bool| is_so.then(|| time(payment.changed_seconds));
    let status = status(payment);
    json!({
        "type": "transaction",
        "id": payment.id,
        "merchant_account_id": merchant(speaker),
        "external_identifier": payment.reference,
        "status": status,
        "amount": whole,
        "currency": payment.amount.currency,
        "authorized_amount": if was_authorized { whole } else { 0 },
        "captured_amount": captured,
        "refunded_amount": payment.total(OperationKind::Refund),
        "payment_method": { "type": "payment-method", "method": "card", "id": null },
        "pending_review": false,
        "error_code": error_code(status),
        "created_at": time(payment.created_seconds),
        "updated_at": time(last_change(payment)),
        "authorized_at": at(was_authorized),
        "voided_at": void_of(payment).filter(|v| v.state == OperationState::Succeeded)
            .map(|void| time(void.changed_seconds)),
        "buyer_approval_timedout_at": at(payment.state == PaymentState::Expired),
    })
}

fn status(payment: &Payment) -> &'static str {
    match (payment.state, void_of(payment).map(|void| void.state)) {
        (_, Some(OperationState::Succeeded)) | (PaymentState::Canceled, _) => {
            "authorization_voided"
        }
        (_, Some(OperationState::Pending)) => "authorization_void_pending",
        (PaymentState::Pending, _) => "buyer_approval_pending",
        (PaymentState::Paid, _) => "capture_succeeded",
        (PaymentState::Declined, _) => "authorization_declined",
        (PaymentState::Expired | PaymentState::Error | PaymentState::Corrected, _) => {
            "authorization_failed"
        }
        (PaymentState::Authorized | PaymentState::AuthorizationExpired, _) => {
            let is_under_way = |operation: &Operation| {
                operation.kind == OperationKind::Capture
                    && operation.state == OperationState::Pending
            };
            if payment.total(OperationKind::Capture) > 0 {
                "capture_succeeded"
            } else if payment.operations.iter().any(is_under_way) {
                "capture_pending"
            } else {
                "authorization_succeeded"
            }
        }
    }
}

fn error_code(status: &str) -> Option<&'static str> {
    match status {
        "authorization_declined" => Some("insufficient_funds"),
        "authorization_failed" => Some("service_error"),
        _ => None,
    }
}

fn void_of(payment: &Payment) -> Option<&Operation> {
    payment.operations.iter().rfind(|operation| operation.kind == OperationKind::Void)
}

fn last_change(payment: &Payment) -> i64 {
    let operations = payment.operations.iter().map(|operation| operation.changed_seconds);
    operations.fold(payment.changed_seconds, i64::max)
}

/// A capture or a refund.
fn resource(operation: &Operation, payment: &Payment, speaker: &Speaker) -> Value {
    let is_capture = operation.kind == OperationKind::Capture;
    let status = match operation.state {
        OperationState::Pending if is_capture => "pending",
        OperationState::Pending => "processing",
        OperationState::Succeeded => "succeeded",
        OperationState::Declined => "declined",
        OperationState::Canceled if is_capture => "canceled",
        OperationState::Canceled => "voided",
        OperationState::Error | OperationState::Corrected => "failed",
    };
    json!({
        "type": if is_capture { "capture" } else { "refund" },
        "id": operation.id,
        "merchant_account_id": merchant(speaker),
        "transaction_id": payment.id,
        "status": status,
        "currency": operation.amount.currency,
        "amount": operation.amount.minor_units,
        "external_identifier": operation.reference,
        "transaction_external_identifier": payment.reference,
        "error_code": null,
        "created_at": time(operation.changed_seconds),
        "updated_at": time(operation.changed_seconds),
    })
}

fn search(question: &Question, ledger: &[Payment], speaker: &Speaker) -> Reply {
    let is_asked = |name: &str, value: &str| question.query(name).is_none_or(|v| v == value);
    let since = question.query("created_at_gte").and_then(|since| since.parse::<Timestamp>().ok());
    let found = ledger.iter().filter(|payment| {
        is_asked("external_identifier", &payment.reference)
            && is_asked("amount_eq", &payment.amount.minor_units.to_string())
            && is_asked("currency", &payment.amount.currency)
            && since.is_none_or(|since| since.as_second() <= payment.created_seconds)
    });
    page(found.map(|payment| transaction(payment, speaker)).collect())
}

fn page(items: Vec<Value>) -> Reply {
    let body = json!({ "items": items, "limit": 20, "next_cursor": null, "previous_cursor": null });
    Reply::json(200, &body)
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    let body = json!({
        "type": "error", "code": code, "status": status, "message": message, "details": [],
    });
    Reply::json(status, &body)
}

/// A bearer token that the dashboard's private key signed and that is valid now. Where the key is
/// none, the token itself is what the speaker holds.
fn is_authorized(question: &Question, speaker: &Speaker) -> bool {
    let Some(held) = speaker.credentials.get("private_key") else { return false };
    let bearer = question.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let Some(token) = bearer else { return false };
    let key = SecretKey::from_pkcs8_pem(held).or_else(|_| SecretKey::from_sec1_pem(held));
    match key {
        Ok(key) => is_token(token, &SigningKey::from(key), speaker.now_seconds).is_some(),
        Err(_) => token == held.trim(),
    }
}

fn is_token(token: &str, key: &SigningKey, now: i64) -> Option<()> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let read =
        |part: &str| -> Option<Value> { serde_json::from_slice(&BASE64.decode(part).ok()?).ok() };
    let signature = Signature::from_slice(&BASE64.decode(signature).ok()?).ok()?;
    VerifyingKey::from(key).verify(signed.as_bytes(), &signature).ok()?;
    let (header, claims) = (read(header)?, read(claims)?);
    let may_read = claims["scopes"].as_array()?.iter().any(|scope| {
        scope.as_str().is_some_and(|scope| ["transactions.read", "*.read"].contains(&scope))
    });
    let is_valid = claims["nbf"].as_i64()? <= now && now < claims["exp"].as_i64()?;
    let is_right = header["alg"] == "ES512" && header["kid"].is_string() && may_read && is_valid;
    is_right.then_some(())
}

fn signed(delivery: &str, body: String, speaker: &Speaker) -> Webhook {
    let timestamp = speaker.now_seconds.to_string();
    let mac = Hmac::<Sha256>::new_from_slice(speaker.secret.as_bytes()).expect("any key fits");
    let mac = mac.chain_update(&timestamp).chain_update(".").chain_update(&body);
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("x-gr4vy-webhook-signatures", hex::encode(mac.finalize().into_bytes())),
        ("x-gr4vy-webhook-timestamp", timestamp),
        ("x-gr4vy-webhook-id", format!("webhook-{delivery}")),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
    Webhook { headers, body: body.into_bytes() }
}

fn merchant(speaker: &Speaker) -> &str {
    if speaker.merchant.is_empty() { "default" } else { &speaker.merchant }
}

fn time(seconds: i64) -> String {
    let time = Timestamp::from_second(seconds).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S.000000+00:00").to_string()
}

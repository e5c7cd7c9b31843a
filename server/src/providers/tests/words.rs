//! Webhooks of any words, signed as each provider signs: more than an honest provider would say.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hmac::{Hmac, KeyInit as _, Mac as _};
use proptest::{option, prelude::*, sample::select};
use serde_json::{Value, json};
use sha2::{Sha256, Sha512};

/// The secret of every account; valid at both providers.
pub(super) const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
/// When everything was sent, in seconds.
pub(super) const SENT: i64 = 1_649_367_553;

/// A signed request.
#[derive(Clone, Debug)]
pub(super) struct Webhook {
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

// === Optty ===

fn optty_signed(event: &str, mut data: Value) -> Webhook {
    let signed = format!("{}|{}", text(&data["status"]), text(&data["reference"]));
    let mac = Hmac::<Sha512>::new_from_slice(SECRET.as_bytes()).unwrap();
    let hash = hex::encode(mac.chain_update(signed).finalize().into_bytes());
    data["hash"] = hash.into();
    data["currency"] = "AUD".into();
    let body = json!({ "event": event, "data": data }).to_string();
    Webhook { headers: Vec::new(), body }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// What Optty says of a payment.
fn optty_order(
    reference: &str,
    transaction: Option<&str>,
    status: &str,
    capture_status: Option<&str>,
) -> Webhook {
    optty_signed(
        "ORDER_ASYNC_CALLBACK",
        json!({
            "reference": reference,
            "transactionId": transaction,
            "status": status,
            "captureStatus": capture_status,
            "amount": 100,
        }),
    )
}

fn references() -> impl Strategy<Value = &'static str> {
    select(&["o1", "o1", "o1-b"][..])
}

pub(super) fn optty() -> impl Strategy<Value = Webhook> {
    let transaction = || option::of(select(&["t1", "t2", "t3"][..]));
    let words = select(
        &["INITIATED", "PENDING", "SUCCESSFUL", "SUCCESSFUL", "DECLINED", "CANCELED", "ERROR"][..],
    );
    let order = (references(), transaction(), words, any::<bool>()).prop_map(
        |(reference, transaction, status, is_authorized)| {
            let capture_status = is_authorized.then_some("AUTHORIZED");
            optty_order(reference, transaction, status, capture_status)
        },
    );
    let kinds = select(
        &[
            ("ORDER_CAPTURE_ASYNC_CALLBACK", "captureReference"),
            ("REFUND_CALLBACK", "refundReference"),
            ("ORDER_VOID_ASYNC_CALLBACK", "voidReference"),
        ][..],
    );
    let words = select(&["SUCCESSFUL", "SUCCESSFUL", "PENDING", "DECLINED", "ERROR"][..]);
    let names = (references(), transaction(), select(&["x1", "x2"][..]));
    let operation = (names, kinds, words, select(&[40, 60, 100][..])).prop_map(
        |((reference, transaction, operation), (event, field), status, amount)| {
            let mut data = json!({
                "reference": reference,
                "transactionId": transaction,
                "status": status,
                "voidStatus": status,
                "amount": amount,
            });
            data[field] = operation.into();
            optty_signed(event, data)
        },
    );
    prop_oneof![order, operation]
}

// === Standard Webhooks ===

fn standard_signed(message: &str, kind: &str, second: i64, data: &Value) -> Webhook {
    let timestamp = format!("2026-11-21T12:00:{second:02}Z");
    let body = json!({ "type": kind, "timestamp": timestamp, "data": data }).to_string();
    let key = BASE64.decode(SECRET.trim_start_matches("whsec_")).unwrap();
    let mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let mac = mac.chain_update(format!("{message}.{SENT}.{body}"));
    let signature = format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()));
    let headers = [
        ("webhook-id", message.to_owned()),
        ("webhook-timestamp", SENT.to_string()),
        ("webhook-signature", signature),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
    Webhook { headers, body }
}

pub(super) fn standard() -> impl Strategy<Value = Webhook> {
    let payment_words = select(
        &[
            "pending",
            "authorized",
            "authorized",
            "paid",
            "corrected",
            "declined",
            "canceled",
            "expired",
            "error",
        ][..],
    );
    let payment_kinds = payment_words.prop_map(|word| format!("payment.{word}"));
    let operation_words = select(
        &["pending", "succeeded", "succeeded", "corrected", "declined", "canceled", "error"][..],
    );
    let operation_kinds = (select(&["capture", "refund", "void"][..]), operation_words)
        .prop_map(|(kind, word)| format!("{kind}.{word}"));
    let kinds = prop_oneof![payment_kinds, operation_kinds];
    let names = (select(&["p1", "p2"][..]), option::of(references()));
    let operations = (option::of(select(&["i1", "i2"][..])), select(&["x1", "x2"][..]));
    let details = (select(&["100.00", "40.00", "99.00"][..]), 0..4_i64, any::<[bool; 3]>());
    (0..1_000_000_u32, kinds, names, operations, details).prop_map(
        |(message, kind, (payment, reference), (id, operation_reference), details)| {
            let (amount, second, [is_final, takes_back, ends_authorization]) = details;
            let ended = if ends_authorization { "authorization" } else { "try" };
            let data = json!({
                "payment_id": payment,
                "reference": reference,
                "amount": amount,
                "currency": "AUD",
                "final": is_final,
                "ended": ended,
                "operation_id": id,
                "operation_reference": operation_reference,
                "takes_back_captured": takes_back,
            });
            standard_signed(&format!("msg_{message}"), &kind, second, &data)
        },
    )
}

//! Webhooks of any words, signed as each provider signs: more than an honest provider would say.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hmac::{Hmac, KeyInit as _, Mac as _};
use paystatus_simulator::voice::Webhook;
use proptest::{option, prelude::*, sample::select};
use serde_json::{Value, json};
use sha2::{Sha256, Sha512};

use super::happened::{NOW, REFERENCE, REFUND_REFERENCE, SECOND_REFERENCE};

fn references() -> impl Strategy<Value = &'static str> {
    select(&[REFERENCE, REFERENCE, SECOND_REFERENCE][..])
}

fn operations() -> impl Strategy<Value = &'static str> {
    select(&[REFUND_REFERENCE, "x-r2"][..])
}

// === Optty ===

/// What Optty says of payments and operations, signed with a secret.
pub(super) fn optty(secret: String) -> impl Strategy<Value = Webhook> {
    prop_oneof![optty_order(), optty_operation()]
        .prop_map(move |(event, data)| optty_signed(&secret, event, data))
}

fn transactions() -> impl Strategy<Value = Option<&'static str>> {
    option::of(select(&["t1", "t2", "t3"][..]))
}

fn optty_order() -> impl Strategy<Value = (&'static str, Value)> {
    let words = select(
        &["INITIATED", "PENDING", "SUCCESSFUL", "SUCCESSFUL", "DECLINED", "CANCELED", "ERROR"][..],
    );
    (references(), transactions(), words, any::<bool>()).prop_map(
        |(reference, transaction, status, is_authorized)| {
            let data = json!({
                "reference": reference,
                "transactionId": transaction,
                "status": status,
                "captureStatus": is_authorized.then_some("AUTHORIZED"),
                "amount": 100,
            });
            ("ORDER_ASYNC_CALLBACK", data)
        },
    )
}

fn optty_operation() -> impl Strategy<Value = (&'static str, Value)> {
    let kinds = select(
        &[
            ("ORDER_CAPTURE_ASYNC_CALLBACK", "captureReference"),
            ("REFUND_CALLBACK", "refundReference"),
            ("ORDER_VOID_ASYNC_CALLBACK", "voidReference"),
        ][..],
    );
    let words = select(&["SUCCESSFUL", "SUCCESSFUL", "PENDING", "DECLINED", "ERROR"][..]);
    let names = (references(), transactions(), operations());
    (names, kinds, words, select(&[40, 60, 100][..])).prop_map(
        |((reference, transaction, operation), (event, field), status, amount)| {
            let mut data = json!({
                "reference": reference,
                "transactionId": transaction,
                "status": status,
                "voidStatus": status,
                "amount": amount,
            });
            data[field] = operation.into();
            (event, data)
        },
    )
}

fn optty_signed(secret: &str, event: &str, mut data: Value) -> Webhook {
    let signed = format!("{}|{}", text(&data["status"]), text(&data["reference"]));
    let mac = Hmac::<Sha512>::new_from_slice(secret.as_bytes()).unwrap();
    let hash = hex::encode(mac.chain_update(signed).finalize().into_bytes());
    data["hash"] = hash.into();
    data["currency"] = "AUD".into();
    let body = json!({ "event": event, "data": data }).to_string().into_bytes();
    Webhook { headers: Vec::new(), body }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

// === Standard Webhooks ===

/// What somebody says in our own form, signed with a secret.
pub(super) fn standard(secret: String) -> impl Strategy<Value = Webhook> {
    let names = (select(&["p1", "p2"][..]), option::of(references()));
    let ids = (option::of(select(&["i1", "i2"][..])), operations());
    let details = (select(&["100.00", "40.00", "99.00"][..]), 0..4_i64, any::<[bool; 3]>());
    (0..1_000_000_u32, standard_kinds(), names, ids, details).prop_map(
        move |(message, kind, (payment, reference), (id, operation_reference), details)| {
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
            let timestamp = format!("2026-11-21T12:00:{second:02}Z");
            let body = json!({ "type": kind, "timestamp": timestamp, "data": data });
            standard_signed(&secret, message, &body)
        },
    )
}

fn standard_kinds() -> impl Strategy<Value = String> {
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
    prop_oneof![payment_kinds, operation_kinds]
}

fn standard_signed(secret: &str, message: u32, body: &Value) -> Webhook {
    let (message, body) = (format!("msg_{message}"), body.to_string());
    let key = BASE64.decode(secret.trim_start_matches("whsec_")).unwrap();
    let mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let mac = mac.chain_update(format!("{message}.{NOW}.{body}"));
    let signature = format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()));
    let headers = [
        ("webhook-id", message),
        ("webhook-timestamp", NOW.to_string()),
        ("webhook-signature", signature),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
    Webhook { headers, body: body.into_bytes() }
}

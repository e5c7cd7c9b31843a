//! Webhooks as providers send them, signed apart from the server's code.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Sha256, Sha512};

use super::{System, http};

pub(crate) const OPTTY_SECRET: &str = "optty-secret";
/// `whsec_` and 24 bytes.
pub(crate) const GENERIC_SECRET: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";

/// A webhook on its way.
#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl System {
    /// Sends a webhook; returns the HTTP status.
    pub(crate) async fn send(&self, account: &str, webhook: &Webhook) -> u16 {
        let path = format!("/webhooks/{account}");
        http::post(self.http(), &path, &webhook.headers, webhook.body.clone()).await.status
    }

    /// Sends a webhook that must be accepted.
    pub(crate) async fn deliver(&self, account: &str, webhook: &Webhook) {
        let status = self.send(account, webhook).await;
        assert!((200..300).contains(&status), "{status} for {webhook:?}");
    }
}

/// An Optty event, signed. The hash covers status and reference.
pub(crate) fn optty(event: &str, data: Value) -> Webhook {
    resigned(&json!({"event": event, "data": data}).to_string(), OPTTY_SECRET)
}

/// `ORDER_ASYNC_CALLBACK` with a status.
pub(crate) fn optty_order(reference: &str, status: &str, amount: Value) -> Webhook {
    let data = json!({
        "transactionId": format!("txn-{reference}"), "reference": reference, "status": status,
        "hash": "", "currency": "AUD", "amount": amount,
    });
    optty("ORDER_ASYNC_CALLBACK", data)
}

/// An Optty body as it was written, but for its hash, which is made anew.
pub(crate) fn resigned(text: &str, secret: &str) -> Webhook {
    let body: Value = serde_json::from_str(text).expect("it is JSON");
    let data = &body["data"];
    let reference = data["reference"].as_str().or(data["orderReference"].as_str());
    let signed = format!("{}|{}", data["status"].as_str().unwrap(), reference.unwrap());
    let mac = Hmac::<Sha512>::new_from_slice(secret.as_bytes()).expect("any length will do");
    let hash = hex::encode(mac.chain_update(signed).finalize().into_bytes());
    let old = data["hash"].as_str().expect("there is a hash");
    let space = if text.contains("\"hash\": ") { " " } else { "" };
    let (old, new) = (format!("\"hash\":{space}\"{old}\""), format!("\"hash\":{space}\"{hash}\""));
    assert!(text.contains(&old), "{old} in {text}");
    Webhook { headers: Vec::new(), body: text.replace(&old, &new).into_bytes() }
}

/// An event of Standard Webhooks with our JSON body, signed now.
pub(crate) fn generic(id: &str, kind: &str, data: Value) -> Webhook {
    let body = json!({"type": kind, "timestamp": "2026-11-21T12:00:00Z", "data": data});
    generic_of(id, body.to_string().as_bytes(), GENERIC_SECRET)
}

/// Any body, signed now by Standard Webhooks.
pub(crate) fn generic_of(id: &str, body: &[u8], secret: &str) -> Webhook {
    let now = paystatus_server::clock::now().as_micros() / 1_000_000;
    let key = BASE64.decode(secret.trim_start_matches("whsec_")).expect("the secret is base64");
    let mac = Hmac::<Sha256>::new_from_slice(&key).expect("any length will do");
    let mac = mac.chain_update(format!("{id}.{now}.")).chain_update(body);
    let signature = format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()));
    let headers = [("webhook-id", id.to_owned()), ("webhook-timestamp", now.to_string())];
    let headers = headers.into_iter().chain([("webhook-signature", signature)]);
    Webhook {
        headers: headers.map(|(name, value)| (name.to_owned(), value)).collect(),
        body: body.to_vec(),
    }
}

/// `payment.{word}` of a payment that a reference names.
pub(crate) fn generic_payment(payment: &str, reference: &str, word: &str, amount: &str) -> Webhook {
    let data = json!({
        "payment_id": payment, "reference": reference, "amount": amount, "currency": "AUD",
    });
    generic(&format!("{payment}-{word}"), &format!("payment.{word}"), data)
}

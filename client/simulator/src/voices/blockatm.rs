//! BlockATM, as its documentation has it: `docs.blockatm.net/webhook` and `…/open-api`; for the older
//! signatures, its `sign-demo`.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hmac::{Hmac, KeyInit as _, Mac as _};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair},
};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    life::{About, Event, Payment, PaymentState},
    voice::{Question, Reply, Speaker, Voice, Webhook},
};

/// The path of the one question that is answered.
const DETAIL: &str = "/order/api/v2/payorder/detail";
/// How far a request's time may be off, in milliseconds, unless the request says otherwise.
const WINDOW_MILLIS: i64 = 30_000;

/// The voice.
#[derive(Clone, Copy, Debug)]
pub struct BlockAtm;

impl Voice for BlockAtm {
    fn name(&self) -> &'static str {
        "blockatm"
    }

    fn currency(&self) -> (&'static str, u8) {
        ("USDT", 6)
    }

    /// Only what happens to an order has a webhook: there are no refunds, captures or voids.
    fn webhook(&self, event: &Event, speaker: &Speaker) -> Option<Webhook> {
        let is_paid = matches!(event.payment.state, PaymentState::Pending | PaymentState::Paid);
        if event.about != About::Payment {
            return None;
        }
        let payment = &event.payment;
        let transaction =
            if is_paid { format!("0x{}", chain_hash(payment)) } else { String::new() };
        let body = json!({
            "custNo": "CustNo_1",
            speaker_field(speaker): payment.reference,
            "id": id(payment),
            "symbol": payment.amount.currency,
            "amount": payment.amount.major(),
            "status": word(payment.state)?,
            "txId": transaction,
            "network": "Ethereum",
            "chainId": "1",
            "fromAddress": if is_paid { "0xa9e358e33a57e67c9b84618a52f0194c345c8e35" } else { "" },
            "cashierId": cashier(speaker),
            "orderType": 2,
            "blockTime": payment.changed_seconds * 1000,
        });
        Some(signed(&body, speaker))
    }

    fn answer(&self, question: &Question, ledger: &[Payment], speaker: &Speaker) -> Option<Reply> {
        if question.path != DETAIL {
            return None;
        }
        let Some(order_no) = question.query("orderNo") else {
            return Some(failure(200, "000103", "Missing required parameter"));
        };
        if let Err(why) = is_authorized(question, order_no, speaker) {
            return Some(failure(401, "000306", why));
        }
        let known = ledger.iter().find(|payment| payment.reference == order_no);
        let Some((payment, word)) = known.and_then(|payment| Some((payment, word(payment.state)?)))
        else {
            return Some(failure(200, "000202", "Data does not exist"));
        };
        let data = json!({
            "orderNo": payment.reference,
            "cashierId": cashier(speaker),
            "amount": payment.amount.major(),
            "symbol": payment.amount.currency,
            "chainId": "1",
            "status": word,
            "txId": format!("0x{}", chain_hash(payment)),
            "createTime": payment.created_seconds * 1000,
            "updateTime": payment.changed_seconds * 1000,
        });
        let body = json!({
            "code": "200", "success": true, "data": data, "trace": "uuid-1", "msg": "",
        });
        Some(Reply::json(200, &body))
    }
}

/// The word for a state, where there is one.
fn word(state: PaymentState) -> Option<&'static str> {
    Some(match state {
        PaymentState::Pending => "PENDING",
        PaymentState::Paid => "SUCCESS",
        PaymentState::Expired => "EXPIRED",
        PaymentState::Canceled => "CANCELLED",
        PaymentState::Authorized
        | PaymentState::Corrected
        | PaymentState::Declined
        | PaymentState::Error
        | PaymentState::AuthorizationExpired => return None,
    })
}

/// A merchant that gives no number of the order gives one of the payer.
fn speaker_field(speaker: &Speaker) -> &'static str {
    if speaker.option("reference_field", "order_no") == "cust_no" { "custNo" } else { "orderNo" }
}

/// A number, as BlockATM's own ids are, if it can be one.
fn id(payment: &Payment) -> Value {
    payment.id.parse::<u64>().map_or_else(|_| payment.id.clone().into(), Value::from)
}

fn cashier(speaker: &Speaker) -> Value {
    speaker.merchant.parse::<u64>().map_or_else(|_| json!(86_100_021), Value::from)
}

fn chain_hash(payment: &Payment) -> String {
    hex::encode(<Sha256 as sha2::Digest>::digest(payment.id.as_bytes()))
}

fn signed(body: &Value, speaker: &Speaker) -> Webhook {
    let text = body.to_string();
    let time = (speaker.now_seconds * 1000).to_string();
    let (header, signature) = match speaker.option("signature", "raw") {
        "ecdsa" => {
            ("blockatm-signature-v1", ecdsa(&format!("{}&time={time}", sorted(body)), speaker))
        }
        "sorted" => (
            "blockatm-signature-v2",
            hmac(&format!("{}&time={time}", sorted(body)), &speaker.secret),
        ),
        _ => ("blockatm-signature-v2", hmac(&format!("{text}&time={time}"), &speaker.secret)),
    };
    let headers = [
        ("content-type", "application/json".to_owned()),
        (header, signature),
        ("blockatm-request-time", time),
        ("blockatm-event", "Payment".to_owned()),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
    Webhook { headers, body: text.into_bytes() }
}

/// Names and values of a flat body in order; what is nothing is left out.
fn sorted(body: &Value) -> String {
    let fields = body.as_object().into_iter().flatten();
    let fields: BTreeMap<&String, String> = fields
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| {
            (name, value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        })
        .collect();
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    fields.join("&")
}

fn hmac(text: &str, secret: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key fits");
    hex::encode(mac.chain_update(text).finalize().into_bytes())
}

/// The secret is the private key, base64 of PKCS #8.
fn ecdsa(text: &str, speaker: &Speaker) -> String {
    let random = SystemRandom::new();
    let key = BASE64.decode(speaker.secret.trim()).unwrap_or_default();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &key, &random);
    let signature = key.ok().and_then(|key| key.sign(&random, text.as_bytes()).ok());
    signature.map(|signature| BASE64.encode(signature)).unwrap_or_default()
}

fn is_authorized(
    question: &Question,
    order_no: &str,
    speaker: &Speaker,
) -> Result<(), &'static str> {
    let held = |name: &str| speaker.credentials.get(name).map_or("", String::as_str);
    if held("api_key").is_empty() || question.header("blockatm-api-key") != Some(held("api_key")) {
        return Err("API Key required");
    }
    let time = question.header("blockatm-request-time").unwrap_or_default();
    let window = question.header("blockatm-rec_window").and_then(|window| window.parse().ok());
    let millis_off = time.parse::<i64>().unwrap_or(0) - speaker.now_seconds * 1000;
    if millis_off.abs() > window.unwrap_or(WINDOW_MILLIS).min(60_000) {
        return Err("Invalid request time");
    }
    let signature = hmac(&format!("orderNo={order_no}&time={time}"), held("api_secret"));
    if question.header("blockatm-signature-v2") != Some(signature.as_str()) {
        return Err("Signature verification failed");
    }
    Ok(())
}

fn failure(status: u16, code: &str, message: &str) -> Reply {
    let body = json!({
        "code": code, "success": false, "data": null, "trace": "uuid-1", "msg": message,
    });
    Reply::json(status, &body)
}

//! Standard Webhooks with the JSON body that paystatus reads: what a team sends whose provider
//! has no adapter. The specification (v1.0.0) says how to sign, the manual for senders
//! (`server/src/providers/README.md`) what the body holds. Nobody can be asked.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ed25519_dalek::{Signer as _, SigningKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    life::{Event, Operation, OperationKind, OperationState, Payment, PaymentState},
    voice::{Question, Reply, Speaker, Voice, Webhook},
};

/// Standard Webhooks.
#[derive(Clone, Copy, Debug)]
pub struct StandardWebhooks;

impl Voice for StandardWebhooks {
    fn name(&self) -> &'static str {
        "standard-webhooks"
    }

    /// A shared secret. With a private key, `whsk_…` of 32 bytes, the voice signs with ed25519.
    fn secrets(&self, seed: u64) -> (String, String) {
        let bytes = Sha256::digest(format!("standard webhooks {seed}"));
        let shared = format!("whsec_{}", BASE64.encode(bytes));
        (shared.clone(), shared)
    }

    fn webhook(&self, event: &Event, speaker: &Speaker) -> Option<Webhook> {
        let (kind, mut data) = match event.operation() {
            None => payment_data(&event.payment),
            Some(operation) => operation_data(operation),
        };
        data["payment_id"] = event.payment.id.as_str().into();
        data["reference"] = event.payment.reference.as_str().into();
        let timestamp = jiff::Timestamp::from_second(event.seconds).ok()?.to_string();
        let body = json!({ "type": kind, "timestamp": timestamp, "data": data }).to_string();
        let id = format!("msg_{}", event.id);
        let signed = format!("{id}.{}.{body}", speaker.now_seconds);
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("webhook-id", id),
            ("webhook-timestamp", speaker.now_seconds.to_string()),
            ("webhook-signature", signature(&speaker.secret, signed.as_bytes())?),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
        Some(Webhook { headers, body: body.into_bytes() })
    }

    fn answer(&self, _: &Question, _: &[Payment], _: &Speaker) -> Option<Reply> {
        None
    }
}

fn payment_data(payment: &Payment) -> (String, Value) {
    let word = match payment.state {
        PaymentState::Pending => "pending",
        PaymentState::Authorized => "authorized",
        PaymentState::Paid => "paid",
        PaymentState::Corrected => "corrected",
        PaymentState::Declined => "declined",
        PaymentState::Canceled => "canceled",
        PaymentState::Expired | PaymentState::AuthorizationExpired => "expired",
        PaymentState::Error => "error",
    };
    let mut data = json!({
        "amount": payment.amount.major(),
        "currency": payment.amount.currency,
    });
    if payment.state == PaymentState::AuthorizationExpired {
        data["ended"] = "authorization".into();
    }
    if payment.state == PaymentState::Declined {
        data["reason"] = "insufficient funds".into();
    }
    (format!("payment.{word}"), data)
}

fn operation_data(operation: &Operation) -> (String, Value) {
    let kind = match operation.kind {
        OperationKind::Capture => "capture",
        OperationKind::Refund => "refund",
        OperationKind::Void => "void",
    };
    let word = match operation.state {
        OperationState::Pending => "pending",
        OperationState::Succeeded => "succeeded",
        OperationState::Declined => "declined",
        OperationState::Canceled => "canceled",
        OperationState::Error => "error",
        OperationState::Corrected => "corrected",
    };
    let data = json!({
        "amount": operation.amount.major(),
        "currency": operation.amount.currency,
        "operation_id": operation.id,
        "operation_reference": operation.reference,
    });
    (format!("{kind}.{word}"), data)
}

fn signature(secret: &str, signed: &[u8]) -> Option<String> {
    if let Some(private) = secret.strip_prefix("whsk_") {
        let bytes = BASE64.decode(private).ok()?;
        let key = SigningKey::from_bytes(bytes.get(..32)?.try_into().ok()?);
        return Some(format!("v1a,{}", BASE64.encode(key.sign(signed).to_bytes())));
    }
    let key = BASE64.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).ok()?;
    let mac = Hmac::<Sha256>::new_from_slice(&key).ok()?.chain_update(signed);
    Some(format!("v1,{}", BASE64.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the specification's own libraries (svix, standardwebhooks).
    #[test]
    fn the_signature_is_the_documented_one() {
        let signed = b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}";
        let made = signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", signed);
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(made.as_deref(), Some(expected));
    }

    #[test]
    fn a_private_key_signs_with_ed25519() {
        let secret = format!("whsk_{}", BASE64.encode([7; 32]));
        let made = signature(&secret, b"m.1.{}").expect("the key is one");
        let bytes = BASE64.decode(made.strip_prefix("v1a,").expect("its version")).expect("base64");
        let bytes: [u8; 64] = bytes.try_into().expect("64 bytes");
        let key = SigningKey::from_bytes(&[7; 32]).verifying_key();
        assert!(key.verify_strict(b"m.1.{}", &bytes.into()).is_ok());
    }
}

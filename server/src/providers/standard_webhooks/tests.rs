//! Signatures against the public vector and keys of our own; what is read is in
//! `tests/reading.rs`.

mod reading;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use sha2::Sha256;

use super::{
    signature::{SECRET_BYTES_MIN, SIGNATURES_MAX},
    *,
};

// The public vector of the Standard Webhooks libraries.
const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const MESSAGE: &str = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
const SENT: i64 = 1_649_367_553;
const BODY: &str = r#"{"email":"test@example.com","username":"test_user"}"#;
const SIGNED: &str = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";

fn settings(secrets: &[&str], tolerance_seconds: i64) -> AccountSettings {
    AccountSettings { tolerance_seconds, ..AccountSettings::signed_with(secrets) }
}

fn headers(id: &str, timestamp: &str, signature: &str) -> Vec<(String, String)> {
    let all =
        [("webhook-id", id), ("webhook-timestamp", timestamp), ("webhook-signature", signature)];
    all.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

fn check(
    headers: &[(String, String)],
    body: &[u8],
    secrets: &[&str],
    now: i64,
) -> Result<(), Rejected> {
    let request = Request::new(headers, body);
    StandardWebhooks.verify(&request, &settings(secrets, 300), Time::from_seconds(now))
}

/// The vector with another signature header and other secrets.
fn vector(signature: &str, secrets: &[&str]) -> Result<(), Rejected> {
    check(&headers(MESSAGE, &SENT.to_string(), signature), BODY.as_bytes(), secrets, SENT)
}

fn sign(secret: &[u8], id: &str, timestamp: &str, body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    let mac = mac.chain_update(format!("{id}.{timestamp}.")).chain_update(body);
    format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()))
}

/// An ed25519 signature of the vector's message, and the public key for it.
fn ed25519(seed: u8) -> (String, String) {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let signature = key.sign(format!("{MESSAGE}.{SENT}.{BODY}").as_bytes());
    let public = BASE64.encode(key.verifying_key().to_bytes());
    (format!("v1a,{}", BASE64.encode(signature.to_bytes())), format!("whpk_{public}"))
}

#[test]
fn the_public_vector_verifies() {
    assert_eq!(vector(SIGNED, &[SECRET]), Ok(()));
    assert_eq!(vector(SIGNED, &[SECRET.trim_start_matches("whsec_")]), Ok(()));
    assert_eq!(vector(SIGNED.trim_end_matches('='), &[SECRET]), Ok(()), "unpadded");
}

#[test]
fn any_signature_and_any_secret_may_fit() {
    let other = format!("whsec_{}", BASE64.encode([7; 24]));
    assert_eq!(vector(SIGNED, &[&other, SECRET]), Ok(()), "ours was rotated");
    assert_eq!(vector(SIGNED, &[&other]), Err(Rejected::Mismatch));
    let wrong = sign(&[7; 24], "msg", "1", b"");
    for all in [
        format!("{wrong} {SIGNED}"),
        format!("{SIGNED} {wrong}"),
        format!("v2,abc v1a,??? v1,short  {SIGNED}"),
    ] {
        assert_eq!(vector(&all, &[SECRET]), Ok(()), "{all}");
    }
    let mut two = headers(MESSAGE, &SENT.to_string(), &wrong);
    two.push(("webhook-signature".to_owned(), SIGNED.to_owned()));
    assert_eq!(check(&two, BODY.as_bytes(), &[SECRET], SENT), Ok(()), "two headers");
}

/// No library has a `v1a` vector; this one was made with openssl, from a private key of 32
/// bytes 0x01.
#[test]
fn the_ed25519_vector_of_openssl_verifies() {
    let public = "whpk_iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=";
    let signature = concat!(
        "v1a,jLwJT9ZpbO5vd5QqfB/wqDxLlTIA64HcZ5CJDrcZfXtbA1J8OZVkSJ0bnsK4q05Y",
        "dCvxfpvCQWPRlpwFU6+QBQ=="
    );
    assert_eq!(vector(signature, &[public]), Ok(()));
    assert_eq!(ed25519(1), (signature.to_owned(), public.to_owned()));
}

#[test]
fn ed25519_signatures_verify_with_public_keys() {
    let (signature, public) = ed25519(1);
    let (other_signature, other_public) = ed25519(2);
    assert_eq!(vector(&signature, &[&public]), Ok(()));
    assert_eq!(vector(&signature, &[SECRET, &other_public, &public]), Ok(()));
    assert_eq!(vector(&format!("{other_signature} {signature}"), &[&public]), Ok(()));
    assert_eq!(vector(&signature, &[&other_public]), Err(Rejected::Mismatch));
    assert_eq!(vector(&signature, &[SECRET]), Err(Rejected::Mismatch));
    assert_eq!(vector(SIGNED, &[&public]), Err(Rejected::Mismatch));
    // A public key is no secret: nobody can sign v1 with it.
    let key = BASE64.decode(public.trim_start_matches("whpk_")).unwrap();
    let forged = sign(&key, MESSAGE, &SENT.to_string(), BODY.as_bytes());
    assert_eq!(vector(&forged, &[&public]), Err(Rejected::Mismatch));
}

#[test]
fn secrets_that_cannot_be_used_are_none() {
    let long = |bytes: usize| format!("whsec_{}", BASE64.encode(vec![1_u8; bytes]));
    let short = long(SECRET_BYTES_MIN - 1);
    let private = format!("whsk_{}", BASE64.encode([1; 32]));
    for unusable in ["", "whsec_", "whsec_not base64", &short, "whpk_AAAA", &private] {
        assert_eq!(vector(SIGNED, &[unusable]), Err(Rejected::NoSecret), "{unusable}");
        assert_eq!(vector(SIGNED, &[unusable, SECRET]), Ok(()));
    }
    assert_eq!(vector(SIGNED, &[]), Err(Rejected::NoSecret));
    for bytes in [SECRET_BYTES_MIN, 25, 64, 65] {
        let signed = sign(&vec![1; bytes], MESSAGE, &SENT.to_string(), BODY.as_bytes());
        assert_eq!(vector(&signed, &[&long(bytes)]), Ok(()));
        assert_eq!(vector(&signed, &[long(bytes).trim_end_matches('=')]), Ok(()), "unpadded");
    }
}

#[test]
fn the_signed_time_may_be_off_on_both_sides() {
    let headers = headers(MESSAGE, &SENT.to_string(), SIGNED);
    let at = |now: i64| check(&headers, BODY.as_bytes(), &[SECRET], now);
    let off = |seconds_off: i64| Err(Rejected::OutsideWindow { seconds_off, seconds_max: 300 });
    assert_eq!((at(SENT - 300), at(SENT + 300)), (Ok(()), Ok(())));
    assert_eq!((at(SENT - 301), at(SENT + 301)), (off(301), off(-301)));
    let strict = |now: i64, tolerance: i64| {
        let request = Request::new(&headers, BODY.as_bytes());
        let settings = settings(&[SECRET], tolerance);
        StandardWebhooks.verify(&request, &settings, Time::from_seconds(now)).is_ok()
    };
    assert!(strict(SENT, 0) && strict(SENT, -5), "no tolerance is no switch-off");
    assert!(!strict(SENT + 1, 0) && !strict(SENT - 1, -5));
    assert_eq!(check(&headers, b"{}", &[SECRET], 0), Err(Rejected::Mismatch), "the hash is first");
    let (far, secret) = (i64::MAX.to_string(), [1; 24]);
    let signed = sign(&secret, "m", &far, b"");
    let secret = format!("whsec_{}", BASE64.encode(secret));
    let rejected = check(&self::headers("m", &far, &signed), b"", &[&secret], -5);
    assert!(matches!(rejected, Err(Rejected::OutsideWindow { .. })));
}

#[test]
fn headers_must_be_there_once_and_well_formed() {
    let good = headers(MESSAGE, &SENT.to_string(), SIGNED);
    let check = |headers: &[(String, String)]| check(headers, BODY.as_bytes(), &[SECRET], SENT);
    for (at, place) in [(0, "webhook-id"), (1, "webhook-timestamp"), (2, "webhook-signature")] {
        let mut without = good.clone();
        without.remove(at);
        assert_eq!(check(&without), Err(Rejected::Missing { place }));
        let mut twice = good.clone();
        twice.push(good[at].clone());
        let expected = if at == 2 { Ok(()) } else { Err(Rejected::Malformed { place }) };
        assert_eq!(check(&twice), expected);
    }
    for id in ["", "a.b", "."] {
        let rejected = Err(Rejected::Malformed { place: "webhook-id" });
        assert_eq!(check(&headers(id, "1", SIGNED)), rejected);
    }
    for timestamp in ["", "1.5", "-1", "+1", " 1", "1e3", "99999999999999999999", "soon"] {
        let rejected = Err(Rejected::Malformed { place: "webhook-timestamp" });
        assert_eq!(check(&headers("m", timestamp, SIGNED)), rejected, "{timestamp}");
    }
    let of_signature = |text: &str| check(&headers(MESSAGE, &SENT.to_string(), text));
    let missing = Err(Rejected::Missing { place: "webhook-signature" });
    let malformed = Err(Rejected::Malformed { place: "webhook-signature" });
    assert_eq!((of_signature(""), of_signature("v2,abc v1")), (missing.clone(), missing));
    assert_eq!((of_signature("v1,"), of_signature("v1a,AAAA")), (malformed.clone(), malformed));
    // The last digit of this base64 holds bits beyond the 32 bytes: no canonical text has them.
    let loose = SIGNED.replace("kw=", "kx=");
    assert!(of_signature(&loose).is_err());
}

#[test]
fn signatures_are_limited() {
    let many = |count: usize| format!("{}{SIGNED}", "v1,AAAA ".repeat(count - 1));
    assert_eq!(vector(&many(SIGNATURES_MAX), &[SECRET]), Ok(()));
    let malformed = Err(Rejected::Malformed { place: "webhook-signature" });
    assert_eq!(vector(&many(SIGNATURES_MAX + 1), &[SECRET]), malformed);
}

#[test]
fn a_body_that_is_no_text_verifies_and_is_unreadable() {
    let (secret, body) = ([1; 24], b"\xff\x00{}");
    let signed = sign(&secret, "m", "7", body);
    let headers = headers("m", "7", &signed);
    let secret = format!("whsec_{}", BASE64.encode(secret));
    assert_eq!(check(&headers, body, &[&secret], 7), Ok(()));
    let request = Request::new(&headers, body);
    let unreadable = StandardWebhooks.read(&request, &settings(&[], 0)).unwrap_err();
    assert_eq!(unreadable.what, "the body is not UTF-8");
}

#[test]
fn trust_and_answer() {
    let settings = settings(&[SECRET], 0);
    assert_eq!(StandardWebhooks.basis(&settings), Basis::Webhook);
    assert_eq!(StandardWebhooks.acknowledge().status, 204);
    assert!(!StandardWebhooks.reference_identifies_attempt());
    assert!(StandardWebhooks.sensitive(br#"{"data":{"token":"t"}}"#).is_empty());
    assert!(!format!("{settings:?}").contains("C2FVs"));
}

proptest! {
    #[test]
    fn any_request_is_survived(
        values in proptest::collection::vec("(v1a?,)?[ -~]{0,60}", 3),
        body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let headers = headers(&values[0], &values[1], &values[2]);
        let rejected = check(&headers, &body, &[SECRET], SENT).unwrap_err();
        prop_assert!(!rejected.to_string().contains("C2FVs"));
        let request = Request::new(&headers, &body);
        prop_assert!(StandardWebhooks.read(&request, &settings(&[], 0)).is_err());
    }
}

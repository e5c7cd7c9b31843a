//! Signatures: the official vector, headers of other names, rotation, the window.

mod reading;
mod status;
mod voice;

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use sha2::Sha256;

use super::{signature::SIGNATURES_MAX, *};
use crate::providers::Environment;

// The vector of the SDK's own tests (`gr4vy-python`, `tests/test_webhooks.py`).
const SECRET: &str =
    "Ik4L-8FH0ihWczctcIPXZRR_8F0fPNgmhEfVBbZ3zNwqQVa1Or4tBz4Pgw2eNaVDod7H56Y268h_wohEUaWbUg";
const SENT: i64 = 1_744_018_920;
const BODY: &str = "payload";
const SIGNED: &str = "78aca0c78005107a654a957b8566fa6e0e5e06aea92d7da72a6da9e5a690d013";

/// The example of "Webhooks: payload", letter for letter.
const EXAMPLE: &str = include_str!("tests/captured.json");

/// Settings of a sandbox account, as the example wants them.
fn settings() -> AccountSettings {
    let options = BTreeMap::from([(CAPTURES, "resources".to_owned())]);
    let environment = Environment::Sandbox;
    AccountSettings { options, environment, ..AccountSettings::signed_with(&[SECRET]) }
}

fn headers(signatures: &str, timestamp: &str) -> Vec<(String, String)> {
    let all =
        [("x-gr4vy-webhook-signatures", signatures), ("x-gr4vy-webhook-timestamp", timestamp)];
    all.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

fn check(headers: &[(String, String)], secrets: &[&str], now: i64) -> Result<(), Rejected> {
    let request = Request::new(headers, BODY.as_bytes());
    Gr4vy.verify(&request, &AccountSettings::signed_with(secrets), Time::from_seconds(now))
}

fn vector(signatures: &str) -> Result<(), Rejected> {
    check(&headers(signatures, &SENT.to_string()), &[SECRET], SENT)
}

fn sign(secret: &str, timestamp: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    hex::encode(mac.chain_update(format!("{timestamp}.{BODY}")).finalize().into_bytes())
}

const MISSING_SIGNATURES: Rejected = Rejected::Missing { place: "X-Gr4vy-Webhook-Signatures" };
const MALFORMED_SIGNATURES: Rejected = Rejected::Malformed { place: "X-Gr4vy-Webhook-Signatures" };
const MALFORMED_TIMESTAMP: Rejected = Rejected::Malformed { place: "X-Gr4vy-Webhook-Timestamp" };

#[test]
fn the_official_vector_verifies() {
    assert_eq!(vector(&format!("{SIGNED},other")), Ok(()));
    assert_eq!(vector(SIGNED), Ok(()));
    assert_eq!(sign(SECRET, &SENT.to_string()), SIGNED);
}

/// What the READMEs of the SDKs say. A merchant that believed them lost every delivery.
#[test]
fn headers_of_other_names_do_not_pass_and_the_right_one_is_named() {
    let renamed = [
        ("x-gr4vy-signature".to_owned(), SIGNED.to_owned()),
        ("x-gr4vy-signatures".to_owned(), SIGNED.to_owned()),
        ("x-gr4vy-webhook-signature".to_owned(), SIGNED.to_owned()),
        ("x-gr4vy-timestamp".to_owned(), SENT.to_string()),
    ];
    let rejected = check(&renamed, &[SECRET], SENT).unwrap_err();
    assert_eq!(rejected, MISSING_SIGNATURES);
    assert_eq!(rejected.to_string(), "there is no signature in X-Gr4vy-Webhook-Signatures");
    let mut half = headers(SIGNED, "");
    half[1].0 = "x-gr4vy-timestamp".to_owned();
    let rejected = check(&half, &[SECRET], SENT).unwrap_err();
    assert_eq!(rejected, Rejected::Missing { place: "X-Gr4vy-Webhook-Timestamp" });
}

#[test]
fn any_signature_and_any_secret_may_fit() {
    let sent = headers(SIGNED, &SENT.to_string());
    assert_eq!(check(&sent, &["new", SECRET], SENT), Ok(()), "ours was rotated");
    assert_eq!(check(&sent, &["new"], SENT), Err(Rejected::Mismatch));
    assert_eq!(check(&sent, &[], SENT), Err(Rejected::NoSecret));
    assert_eq!(check(&sent, &[""], SENT), Err(Rejected::NoSecret));
    let other = sign("other", &SENT.to_string());
    for list in [
        format!("{other},{SIGNED}"),
        format!("{other}, {SIGNED} ,"),
        format!(",,zz,{SIGNED}"),
        format!("{},{SIGNED}", SIGNED.to_uppercase()),
    ] {
        assert_eq!(vector(&list), Ok(()), "{list}");
    }
    let mut two = headers(&other, &SENT.to_string());
    two.push(two[0].clone());
    two[0].1 = SIGNED.to_owned();
    assert_eq!(check(&two, &[SECRET], SENT), Ok(()), "two headers are one list");
}

#[test]
fn what_is_no_signature_is_refused() {
    for (list, rejected) in [
        ("", MISSING_SIGNATURES),
        (" , ,", MISSING_SIGNATURES),
        ("other", MALFORMED_SIGNATURES),
        (&SIGNED.to_uppercase(), MALFORMED_SIGNATURES),
        (&SIGNED[..63], MALFORMED_SIGNATURES),
        (&format!("{SIGNED}0"), MALFORMED_SIGNATURES),
        (&SIGNED.replace('7', "8"), Rejected::Mismatch),
    ] {
        assert_eq!(vector(list), Err(rejected), "{list}");
    }
    let other = sign("other", &SENT.to_string());
    let many = |count: usize| format!("{}{SIGNED}", format!("{other},").repeat(count - 1));
    assert_eq!(vector(&many(SIGNATURES_MAX)), Ok(()));
    assert_eq!(vector(&many(SIGNATURES_MAX + 1)), Err(MALFORMED_SIGNATURES));
}

#[test]
fn the_time_is_plain_stands_once_and_is_signed() {
    for timestamp in ["", "x", "+1744018920", " 1744018920", "01744018920", "1744018920.0", "-1"] {
        let sent = headers(&sign(SECRET, timestamp), timestamp);
        assert_eq!(check(&sent, &[SECRET], SENT), Err(MALFORMED_TIMESTAMP), "{timestamp:?}");
    }
    let huge = "9".repeat(30);
    let sent = headers(&sign(SECRET, &huge), &huge);
    assert_eq!(check(&sent, &[SECRET], SENT), Err(MALFORMED_TIMESTAMP));
    let mut two = headers(SIGNED, &SENT.to_string());
    two.push(two[1].clone());
    assert_eq!(check(&two, &[SECRET], SENT), Err(MALFORMED_TIMESTAMP));
    let other = headers(SIGNED, &(SENT + 1).to_string());
    assert_eq!(check(&other, &[SECRET], SENT), Err(Rejected::Mismatch));
}

#[test]
fn the_window_has_two_sides() {
    let sent = headers(SIGNED, &SENT.to_string());
    let outside = |seconds_off| Err(Rejected::OutsideWindow { seconds_off, seconds_max: 300 });
    for (now, expected) in [
        (SENT - 300, Ok(())),
        (SENT + 300, Ok(())),
        (SENT - 301, outside(301)),
        (SENT + 301, outside(-301)),
    ] {
        assert_eq!(check(&sent, &[SECRET], now), expected);
    }
    let late = check(&sent, &["other"], SENT + 999);
    assert_eq!(late, Err(Rejected::Mismatch), "of the clock one hears only with the right secret");
}

#[test]
fn what_moves_money_and_who_pays_is_sensitive() {
    let body = br#"{"target":{"id":"t","session_token":"tok_1","payment_method":{"id":"pm_1",
        "method":"card","label":"4242","approval_url":"https://a","scheme":"visa"},
        "buyer":{"id":"b","billing_details":{"email_address":"a@b.c","first_name":"Ann"}},
        "shipping_details":{"phone_number":"+1"}}}"#;
    let found: Vec<_> = Gr4vy.sensitive(body).into_iter().map(|r| body[r].to_vec()).collect();
    let expected =
        ["tok_1", "pm_1", "4242", "https://a", "a@b.c", "Ann", "+1"].map(|t| t.as_bytes().to_vec());
    assert_eq!(found, expected);
    assert!(Gr4vy.sensitive(EXAMPLE.as_bytes()).is_empty());
    assert!(Gr4vy.sensitive(b"{").is_empty());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body: Vec<u8>, values: [String; 3]) {
        let [signatures, timestamp, id] = values;
        let mut headers = headers(&signatures, &timestamp);
        headers.push(("x-gr4vy-webhook-id".to_owned(), id));
        let request = Request::new(&headers, &body);
        prop_assert!(Gr4vy.verify(&request, &settings(), Time::from_seconds(SENT)).is_err());
        let _ = Gr4vy.read(&request, &settings());
        let _ = Gr4vy.sensitive(&body);
    }

    #[test]
    fn no_json_makes_it_panic(name in "[a-z.-]{0,24}", text in "\\PC{0,20}", number: f64) {
        let target = serde_json::json!({
            "id": text, "type": text, "status": text, "amount": number, "currency": text,
            "created_at": text, "captured_amount": number, "transaction_id": text,
        });
        for name in [name.as_str(), "transaction.captured", "refund.failed", "capture.pending"] {
            let body = serde_json::json!({ "id": "e", "name": name, "target": target }).to_string();
            let _ = Gr4vy.read(&Request::new(&[], body.as_bytes()), &settings());
            let _ = Gr4vy.sensitive(body.as_bytes());
        }
    }
}

//! What is read of the examples of Adyen's OpenAPI file, and of their variations.

use serde_json::{Value, json};

use super::{authorisation, body, item, settings};
use crate::{
    domain::statement::{OperationKind, Said, Statement},
    providers::{
        AccountSettings, Content, Environment, Provider, Reading, Request, Unreadable,
        adyen::Adyen,
        tests::{in_words, statements},
    },
};

/// The examples, field for field.
pub(super) fn examples() -> Vec<Value> {
    serde_json::from_str(include_str!("examples.json")).unwrap()
}

pub(super) fn example(code: &str) -> Value {
    let is_it =
        |body: &Value| body["notificationItems"][0]["NotificationRequestItem"]["eventCode"] == code;
    examples().into_iter().find(is_it).unwrap()
}

fn read_as(body: &Value, settings: &AccountSettings) -> Result<Vec<Reading>, Unreadable> {
    let body = body.to_string();
    Adyen.read(&Request::new(&[], body.as_bytes()), settings)
}

fn read(body: &Value) -> Reading {
    read_as(body, &settings()).unwrap().remove(0)
}

fn with(mut body: Value, field: &str, value: Value) -> Value {
    item(&mut body)[field] = value;
    body
}

fn words_as(body: &Value, settings: &AccountSettings) -> Vec<String> {
    let readings = read_as(body, settings).unwrap();
    let statements = readings.into_iter().flat_map(|reading| statements(reading.content));
    statements.map(|statement| in_words(&statement)).collect()
}

fn words(body: &Value) -> String {
    match read(body).content {
        Content::Ignored { reason } => format!("ignored: {reason}"),
        _ => words_as(body, &settings()).join(" | "),
    }
}

fn only(body: &Value) -> Statement {
    let mut all = statements(read(body).content);
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn automatic() -> AccountSettings {
    let mut settings = settings();
    settings.options.insert("capture", "automatic".to_owned());
    settings
}

#[test]
fn the_examples_are_read_as_meant() {
    let payment = "psp_reference=QFQTPCQ8HXSKGK82 as YOUR_MERCHANT_REFERENCE";
    let of = "psp_reference=9913140798220028";
    for (code, says) in [
        ("CANCELLATION", format!("{of}: Void void=QFQTPCQ8HXSKGK82 SUCCESSFUL")),
        ("CANCEL_OR_REFUND", format!("{of}: Void void=QFQTPCQ8HXSKGK82 SUCCESSFUL")),
        ("CAPTURE", format!("{of}: Capture capture=QFQTPCQ8HXSKGK82 SUCCESSFUL 10.00 EUR")),
        ("CAPTURE_FAILED", format!("{of}: Capture capture=QFQTPCQ8HXSKGK82 CORRECTED 10.00 EUR")),
        ("EXPIRE", format!("{payment}: AUTHORIZATION_EXPIRED 10.00 EUR")),
        ("OFFER_CLOSED", format!("{payment}: TRY_EXPIRED 10.00 EUR")),
        ("REFUND", format!("{of}: Refund refund=QFQTPCQ8HXSKGK82 TRY_ERROR 10.00 EUR")),
        ("REFUNDED_REVERSED", format!("{of}: Refund refund=QFQTPCQ8HXSKGK82 CORRECTED 10.00 EUR")),
        ("REFUND_FAILED", format!("{of}: Refund refund=QFQTPCQ8HXSKGK82 CORRECTED 10.00 EUR")),
        ("REFUND_WITH_DATA", format!("{of}: Refund refund=QFQTPCQ8HXSKGK82 SUCCESSFUL 10.00 EUR")),
        (
            "TECHNICAL_CANCEL",
            "psp_reference=8313547924770610: Void void=8515208516304269 SUCCESSFUL".to_owned(),
        ),
        ("RECURRING_CONTRACT", "ignored: it is not about what became of the payment".to_owned()),
        ("ORDER_CLOSED", "ignored: it is not about what became of the payment".to_owned()),
        ("REPORT_AVAILABLE", "ignored: it is not about what became of the payment".to_owned()),
    ] {
        assert_eq!(words(&example(code)), says, "{code}");
        assert_eq!(read(&example(code)).event_name, code);
    }
    let refund = only(&example("REFUND"));
    assert_eq!((refund.reason, refund.provider_time), (None, None), "neither is signed");
}

#[test]
fn an_authorisation_is_a_sale_where_the_account_says_so() {
    let payment = "psp_reference=7914073381342284 as TestPayment-1407325143704";
    assert_eq!(words(&authorisation()), format!("{payment}: AUTHORIZED 11.30 EUR"));
    let says = [format!("{payment}: SOLD 11.30 EUR")];
    assert_eq!(words_as(&authorisation(), &automatic()), says);
    let refused = with(authorisation(), "success", json!("false"));
    assert_eq!(words(&refused), format!("{payment}: DECLINED 11.30 EUR"));
    let refused = with(refused, "success", json!(false));
    assert_eq!(words(&refused), format!("{payment}: DECLINED 11.30 EUR"));
    let pending = with(authorisation(), "eventCode", json!("PENDING"));
    assert_eq!(words(&pending), format!("{payment}: PENDING 11.30 EUR"));
}

#[test]
fn where_capture_is_automatic_a_failed_one_corrects_the_sale() {
    let says = words_as(&example("CAPTURE_FAILED"), &automatic());
    let of = "psp_reference=9913140798220028";
    let sale = format!("{of}: SALE_CORRECTED 10.00 EUR");
    let capture = format!("{of}: Capture capture=QFQTPCQ8HXSKGK82 CORRECTED 10.00 EUR");
    assert_eq!(says, [sale, capture]);
    let takes_back = |settings: &AccountSettings| {
        let reading = read_as(&example("CANCELLATION"), settings).unwrap().remove(0);
        let said = statements(reading.content).remove(0).said;
        matches!(said, Said::Operation(op) if op.takes_back_captured)
    };
    assert!(takes_back(&automatic()) && !takes_back(&settings()));
}

/// What is not signed once decided whether a capture was another one: a replay counted twice.
#[test]
fn what_is_not_signed_makes_no_other_statement() {
    for code in ["AUTHORISATION", "CAPTURE", "CAPTURE_FAILED", "REFUND", "EXPIRE"] {
        for success in ["true", "false"] {
            let told =
                with(with(example("CAPTURE"), "eventCode", json!(code)), "success", json!(success));
            let first = read(&told);
            for (field, value) in [
                ("reason", json!("Transaction Recaptured")),
                ("reason", json!("Transaction Auto-recaptured")),
                ("reason", json!("anything")),
                ("eventDate", json!("2026-11-21T12:00:00Z")),
                ("paymentMethod", json!("mc")),
                ("operations", json!(["CANCEL"])),
            ] {
                assert_eq!(read(&with(told.clone(), field, value)), first, "{code} {field}");
            }
        }
    }
}

/// Adyen captures again by itself what failed for a technical reason; that can fail as well.
#[test]
fn a_second_capture_by_adyen_can_be_corrected() {
    let said = |code: &str, psp: &str, reason: &str| {
        let told = with(example("CAPTURE"), "eventCode", json!(code));
        words(&with(with(told, "pspReference", json!(psp)), "reason", json!(reason)))
    };
    let of = "psp_reference=9913140798220028";
    for (code, psp, reason, word) in [
        ("CAPTURE", "X", "", "capture=X SUCCESSFUL"),
        ("CAPTURE_FAILED", "X", "Capture Failed", "capture=X CORRECTED"),
        ("CAPTURE", "Y", "Transaction Auto-recaptured", "capture=Y SUCCESSFUL"),
        ("CAPTURE_FAILED", "Y", "Capture Failed", "capture=Y CORRECTED"),
    ] {
        assert_eq!(said(code, psp, reason), format!("{of}: Capture {word} 10.00 EUR"));
    }
}

#[test]
fn every_word_of_every_event() {
    let of = "psp_reference=9913140798220028";
    let op =
        |kind: &str, id: &str, word: &str| format!("{of}: {kind} {id}=QFQTPCQ8HXSKGK82 {word}");
    for (code, success, says) in [
        ("CANCELLATION", "false", op("Void", "void", "TRY_ERROR")),
        ("TECHNICAL_CANCEL", "false", op("Void", "void", "TRY_ERROR")),
        ("CAPTURE", "false", op("Capture", "capture", "TRY_ERROR 10.00 EUR")),
        ("REFUND", "true", op("Refund", "refund", "SUCCESSFUL 10.00 EUR")),
        ("REFUND_WITH_DATA", "false", op("Refund", "refund", "TRY_ERROR 10.00 EUR")),
        ("CAPTURE_FAILED", "false", "ignored: it did not happen".to_owned()),
        ("REFUND_FAILED", "false", "ignored: it did not happen".to_owned()),
        ("EXPIRE", "false", "ignored: it did not happen".to_owned()),
        ("OFFER_CLOSED", "false", "ignored: it did not happen".to_owned()),
        ("PENDING", "false", "ignored: it did not happen".to_owned()),
        ("CAPTURED", "true", "ignored: the event's code is not known".to_owned()),
        ("authorisation", "true", "ignored: the event's code is not known".to_owned()),
    ] {
        let body =
            with(with(example("CAPTURE"), "eventCode", json!(code)), "success", json!(success));
        assert_eq!(words(&body), says, "{code} {success}");
    }
    for code in super::super::reading::OF_OTHER_THINGS {
        let body = with(example("CAPTURE"), "eventCode", json!(code));
        assert_eq!(words(&body), "ignored: it is not about what became of the payment", "{code}");
    }
}

#[test]
fn a_reversal_is_a_cancel_or_a_refund_as_its_action_says() {
    let of = "psp_reference=9913140798220028";
    let with_action = |action: Value, success: &str| {
        let data = json!({ "modification.action": action });
        with(with(example("CANCEL_OR_REFUND"), "additionalData", data), "success", json!(success))
    };
    for (action, success, says) in [
        ("cancel", "false", format!("{of}: Void void=QFQTPCQ8HXSKGK82 TRY_ERROR")),
        ("refund", "true", format!("{of}: Refund refund=QFQTPCQ8HXSKGK82 SUCCESSFUL 10.00 EUR")),
        ("refund", "false", format!("{of}: Refund refund=QFQTPCQ8HXSKGK82 TRY_ERROR 10.00 EUR")),
        ("adjust", "true", "ignored: its action is not known".to_owned()),
        ("", "false", "ignored: nothing was done, and no action is named".to_owned()),
    ] {
        assert_eq!(words(&with_action(json!(action), success)), says, "{action} {success}");
    }
    let what = read_as(&with_action(Value::Null, "true"), &settings()).unwrap_err().what;
    let place = "notificationItems[0].NotificationRequestItem";
    assert_eq!(what, format!("{place}.additionalData.modification.action is missing"));
}

#[test]
fn a_modification_is_named_by_its_reference_only_where_the_account_says_so() {
    let mut own = settings();
    own.options.insert("modification_reference", "own".to_owned());
    let reference = |code: &str| {
        let statement =
            statements(read_as(&example(code), &own).unwrap().remove(0).content).remove(0);
        assert_eq!(statement.reference, None, "it is not the payment's");
        match statement.said {
            Said::Operation(op) => op.reference.map(|reference| reference.to_string()),
            Said::Payment(_) => panic!("{code}"),
        }
    };
    assert_eq!(reference("CAPTURE").as_deref(), Some("YOUR_MERCHANT_REFERENCE"));
    assert_eq!(reference("REFUND_FAILED").as_deref(), Some("YOUR_MERCHANT_REFERENCE"));
    assert_eq!(reference("TECHNICAL_CANCEL"), None);
    let Said::Operation(op) = only(&example("CAPTURE")).said else { panic!() };
    assert_eq!((op.kind, op.reference), (OperationKind::Capture, None));
}

#[test]
fn what_is_of_another_world_or_merchant_is_ignored() {
    let mut live = settings();
    live.environment = Environment::Live;
    let ignored = |body: &Value, settings: &AccountSettings| match read_as(body, settings)
        .unwrap()
        .remove(0)
        .content
    {
        Content::Ignored { reason } => reason,
        content => panic!("{content:?}"),
    };
    assert_eq!(ignored(&authorisation(), &live), "it is of the other environment");
    let mut of_live = authorisation();
    for value in [json!("true"), json!(true)] {
        of_live["live"] = value;
        assert_eq!(ignored(&of_live, &settings()), "it is of the other environment");
        assert_eq!(words_as(&of_live, &live).len(), 1);
    }
    let mut other = settings();
    other.provider_merchant = Some("Other".to_owned());
    assert_eq!(ignored(&authorisation(), &other), "it is of another merchant account");
    other.provider_merchant = Some("TestMerchant".to_owned());
    assert_eq!(words_as(&authorisation(), &other).len(), 1);
    let second = with(authorisation(), "merchantAccountCode", json!("Elsewhere"));
    let both = body(vec![item(&mut authorisation()).clone(), item(&mut second.clone()).clone()]);
    let readings = read_as(&both, &other).unwrap();
    let kept: Vec<_> =
        readings.iter().map(|r| matches!(r.content, Content::Statements(_))).collect();
    assert_eq!(kept, [true, false], "each item for itself");
}

#[test]
fn amounts_have_the_digits_of_adyens_own_list() {
    let amount = |value: Value, currency: &str| {
        let body = with(authorisation(), "amount", json!({ "currency": currency, "value": value }));
        let readings = read_as(&body, &settings()).map_err(|err| err.what)?;
        let statement = statements(readings[0].content.clone()).remove(0);
        Ok(statement.amount.unwrap().money.to_string())
    };
    for (value, currency, shown) in [
        (1130, "EUR", "11.30 EUR"),
        (1130, "JPY", "1130 JPY"),
        (1130, "KWD", "1.130 KWD"),
        (1130, "CLP", "11.30 CLP"),
        (1130, "ISK", "11.30 ISK"),
        (1130, "CVE", "1130 CVE"),
        (1130, "IDR", "1130 IDR"),
        (0, "EUR", "0.00 EUR"),
    ] {
        assert_eq!(amount(json!(value), currency), Ok(shown.to_owned()));
    }
    let place = "notificationItems[0].NotificationRequestItem.amount.value";
    for (value, says) in [
        (json!(-1), "must not be negative"),
        (json!(11.3), "must be an integer of minor units"),
        (json!(1e30), "must be an integer of minor units"),
        (json!(u64::MAX), "is larger than can be kept"),
        (json!("1130"), "must be an integer of minor units"),
        (json!(" 1130"), "must be an integer of minor units"),
        (json!("NaN"), "must be an integer of minor units"),
    ] {
        assert_eq!(amount(value.clone(), "EUR"), Err(format!("{place} {says}")), "{value}");
    }
    let unknown = format!("{place} is of a currency whose digits are not known");
    assert_eq!(amount(json!(1), "QQQ"), Err(unknown));
}

#[test]
fn what_is_known_but_cannot_be_read_is_said_without_values() {
    let place = "notificationItems[0].NotificationRequestItem";
    for (code, field, value, says) in [
        ("CAPTURE", "originalReference", Value::Null, "originalReference is missing"),
        ("CAPTURE", "pspReference", Value::Null, "pspReference is missing"),
        ("CAPTURE", "pspReference", json!(7), "pspReference must be a JSON string"),
        ("CAPTURE", "success", Value::Null, "success is missing"),
        ("CAPTURE", "success", json!("yes"), "success must be \"true\" or \"false\""),
        ("CAPTURE", "eventCode", Value::Null, "eventCode is missing"),
        ("CAPTURE", "amount", json!([]), "amount must be a JSON object"),
        ("EXPIRE", "merchantReference", json!(" x"), "merchantReference must be 1 to 256"),
    ] {
        let what = read_as(&with(example(code), field, value), &settings()).unwrap_err().what;
        assert!(what.starts_with(&format!("{place}.{says}")), "{what}");
    }
    let mut body = authorisation();
    body["live"] = json!("maybe");
    let what = read_as(&body, &settings()).unwrap_err().what;
    assert_eq!(what, "live must be \"true\" or \"false\"");
    let nested = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let deep = authorisation().to_string().replace("\"visa\"", &nested);
    let what = Adyen.read(&Request::new(&[], deep.as_bytes()), &settings()).unwrap_err().what;
    assert_eq!(what, "the body is nested deeper than 128");
}

#[test]
fn a_redelivery_has_the_same_id() {
    let first = read(&authorisation()).event_id;
    assert_eq!(first, "AUTHORISATION/7914073381342284/true");
    let again = with(authorisation(), "additionalData", json!({ "hmacSignature": "x" }));
    assert_eq!(read(&with(again, "reason", json!("other"))).event_id, first);
    assert_ne!(read(&with(authorisation(), "success", json!("false"))).event_id, first);
    let long = read(&with(authorisation(), "pspReference", json!("x".repeat(200)))).event_id;
    assert_eq!(long.len(), 32);
    let contract = read(&example("RECURRING_CONTRACT")).event_id;
    assert!(!contract.contains("M5N7"), "the token is in no id");
}

//! What is read of our own JSON body.

use proptest::prelude::*;

use super::{super::*, settings};
use crate::{
    domain::statement::{
        Ended, Negative, PaymentClaim, Said, Statement, operation_word, payment_word,
    },
    providers::Content,
};

/// A body of that type with more fields, each beginning with a comma.
fn body(kind: &str, more: &str) -> String {
    let data = format!(r#"{{"payment_id":"pay_1"{more}}}"#);
    format!(r#"{{"type":"{kind}","timestamp":"2026-11-21T12:00:00Z","data":{data}}}"#)
}

fn read_as(id: &str, body: &[u8]) -> Result<Reading, Unreadable> {
    let headers = [("webhook-id".to_owned(), id.to_owned())];
    let request = Request::new(&headers, body);
    let mut readings = StandardWebhooks.read(&request, &settings(&[], 300))?;
    assert_eq!(readings.len(), 1);
    Ok(readings.remove(0))
}

fn statement(body: &str) -> Statement {
    match read_as("msg_1", body.as_bytes()).unwrap().content {
        Content::Statements(mut all) if all.len() == 1 => all.remove(0),
        content => panic!("{content:?}"),
    }
}

fn refusal(body: &str) -> String {
    read_as("msg_1", body.as_bytes()).unwrap_err().what
}

fn in_words(body: &str) -> String {
    match statement(body).said {
        Said::Payment(claim) => payment_word(claim).to_owned(),
        Said::Operation(op) => format!("{:?} {}", op.kind, operation_word(op.claim)),
    }
}

#[test]
fn the_documented_example_is_read_whole() {
    let example = r#"{
      "type": "payment.authorized",
      "timestamp": "2026-11-21T12:00:00Z",
      "data": {
        "payment_id": "pay_1",
        "reference": "order-1",
        "amount": "146.24",
        "currency": "AUD"
      }
    }"#;
    let reading = read_as("msg_1", example.as_bytes()).unwrap();
    assert_eq!(
        (reading.event_id.as_str(), reading.event_name.as_str()),
        ("msg_1", "payment.authorized")
    );
    let read = statement(example);
    assert_eq!(read.said, Said::Payment(PaymentClaim::Authorized));
    assert_eq!((read.ids[0].kind.as_str(), read.ids[0].value.as_str()), ("payment", "pay_1"));
    assert_eq!(read.ids.len(), 1);
    assert_eq!(read.reference.unwrap().as_str(), "order-1");
    assert_eq!(read.amount.unwrap().money.to_string(), "146.24 AUD");
    assert_eq!(read.provider_time, Some(Time::from_seconds(1_795_262_400)));
    assert_eq!((read.reason, read.attempt), (None, None));
}

#[test]
fn every_type_of_a_payment() {
    for (kind, more, says) in [
        ("pending", "", "PENDING"),
        ("authorized", "", "AUTHORIZED"),
        ("paid", "", "SOLD"),
        ("corrected", "", "SALE_CORRECTED"),
        ("declined", "", "TRY_DECLINED"),
        ("canceled", "", "TRY_CANCELED"),
        ("expired", "", "TRY_EXPIRED"),
        ("error", "", "TRY_ERROR"),
        ("declined", r#","final":true"#, "DECLINED"),
        ("expired", r#","final":false,"ended":null"#, "TRY_EXPIRED"),
        ("canceled", r#","ended":"try","final":true"#, "CANCELED"),
        ("canceled", r#","ended":"authorization""#, "AUTHORIZATION_CANCELED"),
        ("expired", r#","ended":"authorization","final":true"#, "AUTHORIZATION_EXPIRED"),
        ("paid", r#","ended":"never","final":7"#, "SOLD"),
    ] {
        assert_eq!(in_words(&body(&format!("payment.{kind}"), more)), says, "{kind} {more}");
    }
    let expired = statement(&body("payment.expired", "")).said;
    let ended = Ended::Try { conclusive: false };
    assert_eq!(expired, Said::Payment(PaymentClaim::Failed(Negative::Expired, ended)));
}

#[test]
fn every_type_of_an_operation() {
    for (subject, kind) in [("capture", "Capture"), ("refund", "Refund"), ("void", "Void")] {
        for (word, more, says) in [
            ("pending", "", "PENDING"),
            ("succeeded", "", "SUCCESSFUL"),
            ("corrected", "", "CORRECTED"),
            ("declined", "", "TRY_DECLINED"),
            ("declined", r#","final":true"#, "DECLINED"),
            ("canceled", "", "TRY_CANCELED"),
            ("error", r#","final":null"#, "TRY_ERROR"),
        ] {
            let more = format!(r#","operation_id":"op_1"{more}"#);
            let said = in_words(&body(&format!("{subject}.{word}"), &more));
            assert_eq!(said, format!("{kind} {says}"));
        }
    }
}

#[test]
fn an_operation_is_named_by_an_id_or_a_reference() {
    let of = |kind: &str, more: &str| match statement(&body(kind, more)).said {
        Said::Operation(op) => op,
        said => panic!("{said:?}"),
    };
    let op = of("refund.succeeded", r#","operation_id":"re_1""#);
    assert_eq!((op.ids[0].kind.as_str(), op.ids[0].value.as_str()), ("refund", "re_1"));
    assert_eq!((op.reference, op.operation), (None, None));
    let op = of("capture.pending", r#","operation_reference":"cap-1""#);
    assert_eq!((op.ids.len(), op.reference.unwrap().as_str().to_owned()), (0, "cap-1".into()));
    let both = r#","operation_id":"v","operation_reference":"v-1","takes_back_captured":true"#;
    assert!(of("void.succeeded", both).takes_back_captured);
    assert!(!of("refund.succeeded", both).takes_back_captured, "it is a word for voids");
    assert!(!of("void.succeeded", r#","operation_id":"v""#).takes_back_captured);
}

#[test]
fn unknown_types_are_kept_and_ignored() {
    for kind in [
        "payment.disputed",
        "payout.succeeded",
        "payment",
        "payment.",
        "Payment.paid",
        "capture.expired",
        "payment.paid.twice",
        "invoice.paid",
    ] {
        let bare = format!(r#"{{"type":"{kind}"}}"#);
        let reading = read_as("msg_1", bare.as_bytes()).unwrap();
        assert!(matches!(reading.content, Content::Ignored { .. }), "{kind}");
        assert_eq!(reading.event_name, kind);
    }
}

#[test]
fn a_field_that_is_missing_or_of_another_form_is_named() {
    let paid = body("payment.paid", "");
    for (body, says) in [
        ("[]".to_owned(), "the body is not a JSON object"),
        (paid.replace("type", "kind"), "type is missing"),
        (paid.replace("timestamp", "time"), "timestamp is missing"),
        (paid.replace("payment_id", "id"), "data.payment_id is missing"),
        (paid.replace("\"pay_1\"", "17"), "data.payment_id must be a JSON string"),
        (paid.replace("pay_1", &"x".repeat(257)), "data.payment_id must be 1 to 256"),
        (paid.replace("data", "body"), "data is missing"),
        (body("payment.paid", r#","reference":" r""#), "data.reference must be 1 to 256"),
        (body("payment.paid", r#","amount":"1""#), "data.currency is missing"),
        (body("payment.paid", r#","amount":1e3,"currency":"AUD""#), "data.amount must be a plain"),
        (body("payment.paid", r#","amount":-1,"currency":"AUD""#), "data.amount must not be"),
        (body("payment.paid", r#","payment_id":"pay_2""#), "data.payment_id stands twice"),
        (body("payment.expired", r#","ended":"both""#), "data.ended must be \"try\" or"),
        (body("payment.expired", r#","final":"yes""#), "data.final must be true or false"),
        (body("payment.paid", r#","reason":{}"#), "data.reason must be a JSON string"),
        (body("refund.pending", ""), "data.operation_id and data.operation_reference are missing"),
        (body("void.pending", r#","operation_id":"v","takes_back_captured":1"#), "data.takes_back"),
    ] {
        let what = refusal(&body);
        assert!(what.starts_with(says), "{body}: {what}");
    }
    let deep = format!(r#","x":{}{}"#, "[".repeat(9000), "]".repeat(9000));
    assert_eq!(refusal(&body("payment.paid", &deep)), "the body is nested deeper than 128");
}

#[test]
fn times_are_rfc_3339() {
    let at = |time: &str| {
        let body = body("payment.paid", "").replace("2026-11-21T12:00:00Z", time);
        read_as("m", body.as_bytes()).map(|_| statement(&body).provider_time.unwrap().as_micros())
    };
    let noon = 1_795_262_400_000_000;
    for (text, micros) in [
        ("2026-11-21T12:00:00Z", noon),
        ("2026-11-21T12:00:00z", noon),
        ("2026-11-21T23:00:00+11:00", noon),
        ("2026-11-21T12:00:00.123456789Z", noon + 123_456),
        ("1969-12-31T23:59:59.5-00:00", -500_000),
    ] {
        assert_eq!(at(text), Ok(micros), "{text}");
    }
    for text in [
        "2026-11-21",
        "2026-11-21T12:00:00",
        "1795262400",
        "2026-02-30T12:00:00Z",
        "now",
        "2026-11-21T12:00:00Z[Europe/Paris]",
        "2026-11-21T12:00:00+11:00[Australia/Sydney]",
    ] {
        let says = "timestamp must be a time such as 2026-11-21T12:00:00Z";
        assert_eq!(at(text).unwrap_err().what, says, "{text}");
    }
}

#[test]
fn the_message_id_is_the_event_id_where_it_fits() {
    let paid = body("payment.paid", "");
    let id_of = |id: &str| read_as(id, paid.as_bytes()).unwrap().event_id;
    assert_eq!(id_of(&"x".repeat(128)).len(), 128);
    let long = [id_of(&"x".repeat(129)), id_of(&"x".repeat(130)), id_of(" x"), id_of("\u{7}")];
    assert!(long.iter().all(|id| id.len() == 32));
    assert_ne!(long[0], long[1]);
    let bare = Request::new(&[], paid.as_bytes());
    let missing = StandardWebhooks.read(&bare, &settings(&[], 0)).unwrap_err();
    assert_eq!(missing.what, "webhook-id is missing");
}

#[test]
fn the_reason_and_the_amount_are_kept_within_bounds() {
    let more = format!(r#","reason":"{}","amount":"0.001","currency":"AUD""#, "x".repeat(999));
    let read = statement(&body("payment.declined", &more));
    assert_eq!(read.reason.unwrap().len(), 256);
    assert!(read.amount.unwrap().too_precise);
    let null = r#","reason":null,"amount":null,"currency":null,"reference":"""#;
    let read = statement(&body("payment.declined", null));
    assert_eq!((read.reason, read.amount, read.reference), (None, None, None));
}

proptest! {
    #[test]
    fn any_change_of_a_body_is_survived(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let more = r#","amount":"146.24","currency":"AUD","reason":"r","operation_id":"c""#;
        let mut body = body("capture.declined", more).into_bytes();
        for (at, byte) in edits {
            let at = at.index(body.len());
            body[at] = byte;
        }
        if let Ok(reading) = read_as("m", &body) {
            prop_assert!(reading.event_name.len() <= 128);
        }
    }
}

#[test]
fn the_examples_of_the_readme_are_read() {
    let readme = include_str!("../../README.md");
    let examples: Vec<&str> =
        readme.split("```json\n").skip(1).filter_map(|part| part.split("```").next()).collect();
    let words: Vec<String> = examples.iter().map(|example| in_words(example)).collect();
    let expected = [
        "AUTHORIZED",
        "SOLD",
        "DECLINED",
        "AUTHORIZATION_EXPIRED",
        "Capture SUCCESSFUL",
        "Refund TRY_ERROR",
        "Void SUCCESSFUL",
    ];
    assert_eq!(words, expected);
}

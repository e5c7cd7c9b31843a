//! What is read of Optty's four examples and their variations.

use super::{CAPTURE, ORDER, REFUND, VOID, read, with};
use crate::{
    domain::statement::{
        OperationClaim, OperationKind, PaymentClaim, Said, Statement, operation_word, payment_word,
    },
    providers::Content,
};

fn statement(body: &str) -> Statement {
    match read(body).unwrap().content {
        Content::Statements(mut all) if all.len() == 1 => all.remove(0),
        content => panic!("{content:?}"),
    }
}

/// What a body says, in words: what of, the claim, the amount.
fn in_words(body: &str) -> String {
    let Content::Statements(statements) = read(body).unwrap().content else {
        return "ignored".to_owned();
    };
    let said = &statements[0].said;
    match said {
        Said::Payment(claim) => payment_word(*claim).to_owned(),
        Said::Operation(op) => format!("{:?} {}", op.kind, operation_word(op.claim)),
    }
}

#[test]
fn the_four_examples_are_read_whole() {
    let order = statement(ORDER);
    assert_eq!(order.said, Said::Payment(PaymentClaim::Sold));
    assert_eq!(order.reference.as_ref().unwrap().as_str(), "Test-52");
    let ids: Vec<_> = order.ids.iter().map(|i| (i.kind.as_str(), i.value.as_str())).collect();
    let transaction = ("transaction", "3d59905e-1e26-4647-a67b-6dc900bc5730");
    assert_eq!(ids, [("reference", "Test-52"), transaction]);
    assert_eq!(order.amount.unwrap().money.to_string(), "146.24 AUD");
    assert_eq!((order.provider_time, order.reason, order.attempt), (None, None, None));

    for (body, kind, payment, operation, amount) in [
        (REFUND, OperationKind::Refund, "54534_F-533", "Test-342", "60.00 AUD"),
        (CAPTURE, OperationKind::Capture, "FZ-LC-UT-333-Test", "test-order-12", "12.00 AUD"),
        (VOID, OperationKind::Void, "CARDS_AU_F-40", "9724", "60.00 AUD"),
    ] {
        let read = statement(body);
        assert_eq!(read.reference.as_ref().unwrap().as_str(), payment);
        assert_eq!(read.ids.len(), if kind == OperationKind::Refund { 1 } else { 2 });
        assert!(read.ids.is_sorted());
        assert_eq!(read.amount.unwrap().money.to_string(), amount);
        assert_eq!(read.reason, None, "it explains nothing of a success");
        let Said::Operation(said) = read.said else { panic!("{body}") };
        assert_eq!((said.kind, said.claim), (kind, OperationClaim::Successful));
        assert_eq!(said.reference.unwrap().as_str(), operation);
        assert_eq!(said.takes_back_captured, kind == OperationKind::Void);
        assert!(said.ids.is_empty());
    }
}

#[test]
fn every_word_for_a_payment() {
    for (status, more, says) in [
        ("SUCCESSFUL", "", "SOLD"),
        ("SUCCESSFUL", r#","captureStatus":"AUTHORIZED""#, "AUTHORIZED"),
        ("SUCCESSFUL", r#","captureStatus":"CAPTURED""#, "SOLD"),
        ("SUCCESSFUL", r#","captureStatus":null"#, "SOLD"),
        ("INITIATED", "", "PENDING"),
        ("PENDING", r#","captureStatus":"AUTHORIZED""#, "PENDING"),
        ("DECLINED", "", "DECLINED"),
        ("failed", "", "DECLINED"),
        ("CANCELED", "", "TRY_CANCELED"),
        ("CANCELED", r#","cancelledBy":"USER""#, "TRY_CANCELED"),
        ("CANCELED", r#","cancelledBy":"SYSTEM""#, "TRY_EXPIRED"),
        ("CANCELLED", r#","canceledBy":"SYSTEM""#, "TRY_EXPIRED"),
        ("ERROR", "", "TRY_ERROR"),
        ("SETTLED", "", "ignored"),
        ("SUCCESSFUL|Test-52", "", "ignored"),
    ] {
        let body = with(ORDER, "\"SUCCESSFUL\"", &format!("\"{status}\"{more}"));
        assert_eq!(in_words(&body), says, "{status} {more}");
        let update = with(&body, "ORDER_ASYNC_CALLBACK", "ORDER_STATUS_UPDATE");
        assert_eq!(in_words(&update), says, "ORDER_STATUS_UPDATE {status} {more}");
    }
}

#[test]
fn every_word_for_an_operation() {
    for (example, field, word, says) in [
        (CAPTURE, "status\": \"SUCCESSFUL", "SUCCESSFUL", "Capture SUCCESSFUL"),
        (CAPTURE, "status\": \"SUCCESSFUL", "ERROR", "Capture TRY_ERROR"),
        (CAPTURE, "status\": \"SUCCESSFUL", "CANCELED", "ignored"),
        (CAPTURE, "captureStatus\": \"CAPTURED", "AUTHORIZED", "Capture SUCCESSFUL"),
        (REFUND, "status\": \"SUCCESSFUL", "SUCCESSFUL", "Refund SUCCESSFUL"),
        (REFUND, "status\": \"SUCCESSFUL", "PENDING", "Refund PENDING"),
        (REFUND, "status\": \"SUCCESSFUL", "DECLINED", "Refund DECLINED"),
        (REFUND, "status\": \"SUCCESSFUL", "ERROR", "Refund TRY_ERROR"),
        (REFUND, "status\": \"SUCCESSFUL", "REVERSED", "ignored"),
        (VOID, "voidStatus\": \"SUCCESSFUL", "SUCCESSFUL", "Void SUCCESSFUL"),
        // The order's own status stays CANCELED beside it: it must not be read.
        (VOID, "voidStatus\": \"SUCCESSFUL", "ERROR", "Void TRY_ERROR"),
        (VOID, "voidStatus\": \"SUCCESSFUL", "CANCELED", "ignored"),
        (VOID, "status\": \"CANCELED", "SUCCESSFUL", "Void SUCCESSFUL"),
    ] {
        let (name, _) = field.split_once("\": ").unwrap();
        let body = with(example, &format!("\"{field}\""), &format!("\"{name}\": \"{word}\""));
        assert_eq!(in_words(&body), says, "{name} {word}");
    }
}

#[test]
fn unknown_events_are_kept_and_ignored() {
    let body = with(ORDER, "ORDER_ASYNC_CALLBACK", "DISPUTE_CALLBACK");
    let reading = read(&body).unwrap();
    assert_eq!(reading.event_name, "DISPUTE_CALLBACK");
    assert!(matches!(reading.content, Content::Ignored { .. }));
    assert_eq!(reading.event_id, read(&body).unwrap().event_id);
    assert_ne!(reading.event_id, read(&body.replace("146.24", "1")).unwrap().event_id);
    let long = with(ORDER, "ORDER_ASYNC_CALLBACK", &"ä".repeat(500));
    assert_eq!(read(&long).unwrap().event_name.len(), 128);
    let bodiless = r#"{"event":"ORDER_STATUS_UPDATE","data":{"status":"SUCCESSFUL"}}"#;
    assert!(matches!(read(bodiless).unwrap().content, Content::Ignored { .. }));
}

#[test]
fn a_field_that_is_missing_or_of_another_form_is_named() {
    for (body, old, new, says) in [
        (ORDER, "\"event\"", "\"kind\"", "event is missing"),
        (ORDER, "\"data\"", "\"body\"", "data is missing"),
        (ORDER, "\"status\"", "\"state\"", "data.status is missing"),
        (ORDER, "\"reference\"", "\"ref\"", "data.reference is missing"),
        (ORDER, "\"Test-52\"", "\" Test-52\"", "data.reference must be 1 to 256"),
        (ORDER, "\"Test-52\"", "52", "data.reference must be a JSON string"),
        (ORDER, "\"currency\"", "\"money\"", "data.currency is missing"),
        (ORDER, "146.24", "1e3", "data.amount must be a plain decimal"),
        (ORDER, "146.24", "-1", "data.amount must not be negative"),
        (ORDER, "146.24", "NaN", "the body is not a JSON object"),
        (CAPTURE, "\"orderReference\": \"FZ", "\"orderReference\": \"F", "data.reference is not"),
        (CAPTURE, "\"captureReference\"", "\"was\"", "data.captureReference is missing"),
        (REFUND, "\"refundReference\"", "\"was\"", "data.refundReference is missing"),
        (VOID, "\"voidReference\"", "\"was\"", "data.voidReference is missing"),
        (VOID, "\"voidStatus\"", "\"was\"", "data.voidStatus is missing"),
        (VOID, "\"currency\"", "\"amount\":1,\"currency\"", "data.amount stands twice"),
    ] {
        let what = read(&with(body, old, new)).unwrap_err().what;
        assert!(what.starts_with(says), "{what}");
    }
}

#[test]
fn optional_fields_may_be_missing_and_amounts_too_precise() {
    let bare = r#"{"event":"ORDER_ASYNC_CALLBACK","data":{"reference":"r","status":"PENDING"}}"#;
    let bare = statement(bare);
    assert_eq!((bare.amount, bare.reason, bare.ids.len()), (None, None, 1));
    for (amount, currency, too_precise) in
        [("0.001", "AUD", true), ("12.5", "JPY", true), ("\"12\"", "AUD", false)]
    {
        let body = with(ORDER, "146.24", amount).replace("AUD\"", &format!("{currency}\""));
        assert_eq!(statement(&body).amount.unwrap().too_precise, too_precise, "{amount}");
    }
    assert!(read(&with(ORDER, "146.24", &"9".repeat(400))).is_err());
}

#[test]
fn the_reason_is_the_providers_or_who_cancelled() {
    let as_word = |word: &str, more: &str| {
        statement(&with(&with(ORDER, "SUCCESSFUL", word), "\"initiator\"", more)).reason
    };
    let reason = |more: &str| as_word("CANCELED", more);
    assert_eq!(reason(r#""rejectReason":"No\nfunds","initiator""#).as_deref(), Some("Nofunds"));
    let both = r#""rejectReason":"","errorMessage":"late","cancelledBy":"USER","initiator""#;
    assert_eq!(reason(both).as_deref(), Some("late"));
    let by = r#""cancelledBy":"SYSTEM","initiator""#;
    assert_eq!(reason(by).as_deref(), Some("cancelled by SYSTEM"));
    assert_eq!(reason(r#""rejectReason":{"code":5},"initiator""#), None);
    let long = format!(r#""rejectReason":"{}","initiator""#, "x".repeat(5000));
    assert_eq!(reason(&long).unwrap().len(), 256);
    // Where nothing went wrong it explains nothing, and nobody signed it.
    for word in ["SUCCESSFUL", "PENDING", "INITIATED"] {
        assert_eq!(as_word(word, both), None, "{word}");
    }
}

#[test]
fn a_redelivery_is_a_repeat_however_it_is_written() {
    let first = read(ORDER).unwrap();
    assert_eq!(first.event_id.len(), 32);
    let again = r#"{"data":{"amount":"146.240","status":"SUCCESSFUL","metaData":{"a":1},
        "currency":"AUD","reference":"Test-52","rawBnplResponse":{"token":"other"},"token":null,
        "transactionId":"3d59905e-1e26-4647-a67b-6dc900bc5730","provider":"FAT_ZEBRA_AU",
        "dynamicCallbackURL":"https:\/\/example.com"},"event":"ORDER_ASYNC_CALLBACK"}"#;
    assert_eq!(read(again).unwrap(), first, "the same id and the same statements");
    for (old, new) in [
        ("146.24", "146.25"),
        ("AUD\",\n    \"amount", "NZD\",\n    \"amount"),
        ("SUCCESSFUL", "DECLINED"),
        ("Test-52", "Test-53"),
        ("3d59905e", "3d59905f"),
        ("ORDER_ASYNC_CALLBACK", "ORDER_STATUS_UPDATE"),
        ("\"initiator\"", "\"captureStatus\":\"AUTHORIZED\",\"initiator\""),
        ("\"initiator\"", "\"cancelledBy\":\"SYSTEM\",\"initiator\""),
    ] {
        assert_ne!(read(&with(ORDER, old, new)).unwrap().event_id, first.event_id, "{new}");
    }
    let partial = read(CAPTURE).unwrap().event_id;
    assert_ne!(read(&CAPTURE.replace("test-order-12", "test-order-13")).unwrap().event_id, partial);
}

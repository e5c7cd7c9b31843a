//! What is read of each event and status.

use serde_json::{Value, json};

use super::*;
use crate::{
    domain::{
        ids::ProviderId,
        statement::{Said, Statement, operation_word, payment_word},
    },
    providers::Content,
};

pub(super) fn read(body: &Value, settings: &AccountSettings) -> Result<Reading, Unreadable> {
    let body = body.to_string();
    Ok(Gr4vy.read(&Request::new(&[], body.as_bytes()), settings)?.remove(0))
}

/// An event about the resource of the example with some fields set.
pub(super) fn event(name: &str, changes: Value) -> Value {
    let mut body: Value = serde_json::from_str(EXAMPLE).unwrap();
    body["name"] = name.into();
    for (field, value) in changes.as_object().unwrap() {
        body["target"][field] = value.clone();
    }
    body
}

/// A capture or refund, as the models of the SDK have it.
fn operation(name: &str, status: &str) -> Value {
    let mut body = event(name, json!({}));
    body["target"] = json!({
        "type": name.split('.').next(), "id": "op1", "transaction_id": "t1", "status": status,
        "currency": "MXN", "amount": 500, "external_identifier": "ship-1",
        "transaction_external_identifier": "order-1234", "error_code": "insufficient_funds",
        "created_at": "2024-09-17T17:00:00+00:00", "updated_at": "2024-09-17T17:00:01+00:00",
    });
    body
}

/// One line for each statement: what it says, of what, how much.
pub(super) fn lines(content: &Content) -> Vec<String> {
    match content {
        Content::Statements(statements) => statements.iter().map(line).collect(),
        Content::Ignored { reason } => vec![format!("ignored: {reason}")],
        Content::Look(_) => vec!["look".to_owned()],
    }
}

pub(super) fn line(statement: &Statement) -> String {
    let named = |id: &ProviderId| format!(" {}:{}", id.kind, id.value);
    let what = match &statement.said {
        Said::Payment(claim) => payment_word(*claim).to_owned(),
        Said::Operation(operation) => {
            let ids: String = operation.ids.iter().map(named).collect();
            let reference = operation.reference.as_ref().map(|r| format!(" ={r}"));
            let word = operation_word(operation.claim);
            format!("{:?}{ids}{} {word}", operation.kind, reference.unwrap_or_default())
        }
    };
    let amount = statement.amount.map(|amount| format!(" {}", amount.money));
    let reason = statement.reason.as_ref().map(|reason| format!(" ({reason})"));
    format!("{what}{}{}", amount.unwrap_or_default(), reason.unwrap_or_default())
}

fn told(body: &Value) -> Vec<String> {
    lines(&read(body, &settings()).unwrap().content)
}

#[test]
fn the_example_is_a_sale() {
    let body: Value = serde_json::from_str(EXAMPLE).unwrap();
    let reading = read(&body, &settings()).unwrap();
    assert_eq!(reading.event_id, "347901e1-8b53-42a4-951b-ec546a5078f1");
    assert_eq!(reading.event_name, "transaction.captured");
    assert_eq!(lines(&reading.content), ["SOLD 12.99 MXN"]);
    let Content::Statements(statements) = reading.content else { panic!() };
    let transaction = "795c27e9d-6cc3-40f6-a359-1355c434c30d";
    assert_eq!(statements[0].ids, [ProviderId::parse("transaction", transaction).unwrap()]);
    assert_eq!(statements[0].reference.as_ref().unwrap().as_str(), "order-1234");
    let created = Time::from_micros(1_726_592_097_333_316);
    assert_eq!(statements[0].provider_time, Some(created), "what pairing needs: created_at");
}

#[test]
fn every_status_says_its_word() {
    let void = "Void void:t1 =t1";
    for (status, expected) in [
        ("processing", vec!["PENDING 12.99 MXN".to_owned()]),
        ("buyer_approval_pending", vec!["PENDING 12.99 MXN".to_owned()]),
        ("authorization_succeeded", vec!["AUTHORIZED 12.99 MXN".to_owned()]),
        ("authorization_declined", vec!["DECLINED 12.99 MXN (late)".to_owned()]),
        ("authorization_failed", vec!["ERROR 12.99 MXN (late)".to_owned()]),
        ("capture_pending", vec!["AUTHORIZED 12.99 MXN".to_owned()]),
        ("capture_succeeded", vec!["SOLD 12.99 MXN".to_owned()]),
        (
            "authorization_void_pending",
            vec!["AUTHORIZED 12.99 MXN".to_owned(), format!("{void} PENDING")],
        ),
        (
            "authorization_voided",
            vec![
                "AUTHORIZATION_CANCELED 12.99 MXN (late)".to_owned(),
                format!("{void} SUCCESSFUL"),
            ],
        ),
        ("authorization_superb", vec!["ignored: its status word is not known".to_owned()]),
    ] {
        let changes = json!({ "id": "t1", "status": status, "error_code": "late" });
        assert_eq!(told(&event("transaction.modified", changes)), expected, "{status}");
    }
}

#[test]
fn times_of_a_transaction_tell_an_expiry_and_what_was_authorised() {
    let at = "2024-09-17T17:30:00Z";
    let expired = json!({ "status": "authorization_failed", "buyer_approval_timedout_at": at });
    assert_eq!(told(&event("transaction.failed", expired)), ["EXPIRED 12.99 MXN"]);
    let voided = json!({
        "id": "t1", "status": "authorization_voided", "authorized_at": at, "voided_at": at,
    });
    let reading = read(&event("transaction.voided", voided), &settings()).unwrap();
    let expected =
        ["AUTHORIZED 12.99 MXN", "AUTHORIZATION_CANCELED 12.99 MXN", "Void void:t1 =t1 SUCCESSFUL"];
    assert_eq!(lines(&reading.content), expected);
    let Content::Statements(statements) = reading.content else { panic!() };
    assert_eq!(statements[2].provider_time, Some(Time::from_seconds(1_726_594_200)));
}

/// A name adds what the status cannot say, and nothing where the status says it already.
#[test]
fn voids_that_did_not_work_are_told_by_name() {
    for (name, status, expected) in [
        ("void-declined", "authorization_succeeded", "Void void:t1 =t1 TRY_DECLINED (no)"),
        ("void-failed", "authorization_succeeded", "Void void:t1 =t1 TRY_ERROR (no)"),
        ("void-pending", "authorization_succeeded", "Void void:t1 =t1 PENDING"),
        ("void-failed", "authorization_voided", "Void void:t1 =t1 SUCCESSFUL"),
    ] {
        let changes = json!({ "id": "t1", "status": status, "error_code": "no" });
        let told = told(&event(&format!("transaction.{name}"), changes));
        assert_eq!(told.last().unwrap(), expected, "{name}");
        assert_eq!(told.len(), 2);
    }
    let known = json!({ "status": "unheard_of", "id": "t1" });
    assert_eq!(told(&event("transaction.void-failed", known)), ["Void void:t1 =t1 TRY_ERROR"]);
}

#[test]
fn captures_and_refunds_have_their_own_ids_and_amounts() {
    for (name, status, expected) in [
        ("capture.pending", "pending", "Capture capture:op1 =ship-1 PENDING 5.00 MXN"),
        ("capture.succeeded", "succeeded", "Capture capture:op1 =ship-1 SUCCESSFUL 5.00 MXN"),
        ("capture.declined", "declined", "Capture capture:op1 =ship-1 DECLINED 5.00 MXN (…)"),
        ("capture.failed", "failed", "Capture capture:op1 =ship-1 ERROR 5.00 MXN (…)"),
        ("capture.failed", "canceled", "Capture capture:op1 =ship-1 CANCELED 5.00 MXN (…)"),
        ("capture.failed", "processing", "ignored: its status word is not known"),
        ("refund.pending", "processing", "Refund refund:op1 =ship-1 PENDING 5.00 MXN"),
        ("refund.succeeded", "succeeded", "Refund refund:op1 =ship-1 SUCCESSFUL 5.00 MXN"),
        ("refund.declined", "declined", "Refund refund:op1 =ship-1 DECLINED 5.00 MXN (…)"),
        ("refund.failed", "failed", "Refund refund:op1 =ship-1 ERROR 5.00 MXN (…)"),
        ("refund.failed", "voided", "Refund refund:op1 =ship-1 CANCELED 5.00 MXN (…)"),
        ("refund.failed", "returned", "ignored: its status word is not known"),
    ] {
        let body = operation(name, status);
        let told = told(&body).join("").replace("insufficient_funds", "…");
        assert_eq!(told, expected, "{name} {status}");
    }
    let reading = read(&operation("refund.succeeded", "succeeded"), &settings()).unwrap();
    let Content::Statements(statements) = reading.content else { panic!() };
    assert_eq!(statements[0].ids, [ProviderId::parse("transaction", "t1").unwrap()]);
    assert_eq!(statements[0].reference.as_ref().unwrap().as_str(), "order-1234");
}

/// The same capture is told by the transaction and by `capture.*`: it may count once only.
#[test]
fn a_partial_capture_is_read_in_one_place() {
    let partly = json!({ "id": "t1", "captured_amount": 500 });
    let body = event("transaction.captured", partly.clone());
    let capture = operation("capture.succeeded", "succeeded");
    assert_eq!(told(&body), ["AUTHORIZED 12.99 MXN"]);
    assert_eq!(told(&capture), ["Capture capture:op1 =ship-1 SUCCESSFUL 5.00 MXN"]);

    let mut sums = settings();
    sums.options.insert(CAPTURES, "transactions".to_owned());
    let told = |body: &Value| lines(&read(body, &sums).unwrap().content);
    let sum = "Capture transaction_captures:t1";
    let expected = ["AUTHORIZED 12.99 MXN".to_owned(), format!("{sum} SUCCESSFUL 5.00 MXN")];
    assert_eq!(told(&body), expected);
    assert_eq!(told(&capture), ["ignored: captures are read of transactions in this account"]);
    assert_eq!(told(&event("transaction.captured", json!({}))), ["SOLD 12.99 MXN"]);
    let pending = json!({ "id": "t1", "status": "capture_pending", "captured_amount": 0 });
    let expected = ["AUTHORIZED 12.99 MXN".to_owned(), format!("{sum} PENDING")];
    assert_eq!(told(&event("transaction.capture-pending", pending)), expected);
    let failed = json!({ "id": "t1", "status": "authorization_succeeded", "captured_amount": 0 });
    let expected = ["AUTHORIZED 12.99 MXN".to_owned(), format!("{sum} TRY_ERROR")];
    assert_eq!(told(&event("transaction.capture-failed", failed)), expected);
}

#[test]
fn gift_cards_make_the_rest_the_whole() {
    let mixed = json!({ "authorized_amount": 1000, "captured_amount": 1000 });
    assert_eq!(told(&event("transaction.captured", mixed)), ["SOLD 12.99 MXN"]);
    let nothing = json!({ "captured_amount": 0 });
    assert_eq!(told(&event("transaction.captured", nothing)), ["AUTHORIZED 12.99 MXN"]);
}

#[test]
fn amounts_are_whole_smallest_units() {
    let yen = json!({ "currency": "JPY" });
    assert_eq!(told(&event("transaction.captured", yen)), ["SOLD 1299 JPY"]);
    for (changes, says) in [
        (json!({ "amount": -1 }), "target.amount must not be negative"),
        (json!({ "amount": 12.5 }), "target.amount must be an integer of minor units"),
        (json!({ "amount": "1299" }), "target.amount must be an integer of minor units"),
        (json!({ "amount": 1e30 }), "target.amount must be an integer of minor units"),
        (
            json!({ "amount": 18_446_744_073_709_551_615_u64 }),
            "target.amount is larger than can be",
        ),
        (json!({ "currency": "QQQ" }), "target.captured_amount is of a currency whose digits"),
        (json!({ "captured_amount": null }), "target.captured_amount is missing"),
    ] {
        let unreadable = read(&event("transaction.captured", changes), &settings()).unwrap_err();
        assert!(unreadable.what.starts_with(says), "{}", unreadable.what);
    }
}

#[test]
fn events_of_others_are_ignored() {
    let settings = AccountSettings {
        provider_merchant: Some("mattilda".to_owned()),
        options: BTreeMap::from([(GR4VY_ID, "mattilda".to_owned())]),
        ..settings()
    };
    let ours = event("transaction.captured", json!({}));
    assert_eq!(lines(&read(&ours, &settings).unwrap().content), ["SOLD 12.99 MXN"]);
    for (field, value, reason) in [
        ("environment", "production", "it is of another environment"),
        ("environment", "moon", "it is of another environment"),
        ("merchant_account_id", "other", "it is of another merchant account"),
        ("gr4vy_id", "other", "it is of another instance"),
    ] {
        let mut body = ours.clone();
        body[field] = value.into();
        let told = lines(&read(&body, &settings).unwrap().content);
        assert_eq!(told, [format!("ignored: {reason}")], "{field}");
    }
}

#[test]
fn other_events_are_kept_and_ignored() {
    for (name, reason) in [
        ("payout.succeeded", "a payout is no payment"),
        ("buyer.created", "the event is not about a payment"),
        ("payment-method.updated", "the event is not about a payment"),
        ("transaction.teleported", "the event's name is not known"),
        ("refund.reversed", "the event's name is not known"),
        ("transaction", "the event's name is not known"),
        ("dispute.opened", "the event's name is not known"),
    ] {
        assert_eq!(told(&event(name, json!({}))), [format!("ignored: {reason}")], "{name}");
    }
}

#[test]
fn what_cannot_be_read_says_where() {
    let mut no_target = event("transaction.captured", json!({}));
    no_target.as_object_mut().unwrap().remove("target");
    let mut no_id = event("transaction.captured", json!({}));
    no_id["id"] = Value::Null;
    for (body, says) in [
        (event("transaction.captured", json!({ "type": "refund" })), "target.type is not what"),
        (event("transaction.captured", json!({ "id": null })), "target.id is missing"),
        (event("transaction.captured", json!({ "status": 7 })), "target.status must be a JSON"),
        (event("transaction.captured", json!({ "created_at": "soon" })), "target.created_at must"),
        (event("refund.failed", json!({ "type": null })), "target.transaction_id is missing"),
        (no_target, "target is missing"),
        (no_id, "id is missing"),
    ] {
        let what = read(&body, &settings()).unwrap_err().what;
        assert!(what.starts_with(says), "{what}");
        assert!(!what.contains("soon"));
    }
    let deep =
        format!(r#"{{"name":"transaction.captured","x":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    let deep = Gr4vy.read(&Request::new(&[], deep.as_bytes()), &settings()).unwrap_err();
    assert_eq!(deep.what, "the body is nested deeper than 128");
}

/// The body's id is signed, the header's is not.
#[test]
fn the_event_id_is_the_bodys_and_else_the_headers() {
    let headers = [("x-gr4vy-webhook-id".to_owned(), "delivery-1".to_owned())];
    let id = |body: &Value| {
        let body = body.to_string();
        let request = Request::new(&headers, body.as_bytes());
        Gr4vy.read(&request, &settings()).unwrap().remove(0).event_id
    };
    let mut body = event("transaction.captured", json!({}));
    assert_eq!(id(&body), "347901e1-8b53-42a4-951b-ec546a5078f1");
    body["id"] = Value::Null;
    assert_eq!(id(&body), "delivery-1");
    body["id"] = "x".repeat(129).into();
    assert_eq!(id(&body).len(), 32);
}

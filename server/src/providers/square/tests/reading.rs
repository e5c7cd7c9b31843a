//! What is read of Square's examples and their variations.

use serde_json::{Value, json};

use super::{HOOK, KEY, PAYMENT, REFUND, settings};
use crate::providers::{
    AccountSettings, Content, Provider, Reading, Request, Unreadable,
    square::Square,
    tests::{in_words, statements},
};

fn read_as(body: &Value, settings: &AccountSettings) -> Result<Reading, Unreadable> {
    let body = body.to_string();
    let mut readings = Square.read(&Request::new(&[], body.as_bytes()), settings)?;
    assert_eq!(readings.len(), 1);
    Ok(readings.remove(0))
}

fn read(body: &Value) -> Result<Reading, Unreadable> {
    read_as(body, &settings(HOOK, &[KEY]))
}

fn words(body: &Value) -> String {
    match read(body).unwrap().content {
        Content::Ignored { reason } => format!("ignored: {reason}"),
        content => statements(content).iter().map(in_words).collect::<Vec<_>>().join(" | "),
    }
}

/// An example with fields of its object replaced.
fn with(example: &str, fields: &[(&str, Value)]) -> Value {
    let mut body: Value = serde_json::from_str(example).unwrap();
    let place = if example == PAYMENT { "payment" } else { "refund" };
    for (name, value) in fields {
        body["data"]["object"][place][*name] = value.clone();
    }
    body
}

fn card(timeline: &Value) -> (&'static str, Value) {
    ("card_details", json!({ "card_payment_timeline": timeline }))
}

const OF: &str = "payment=hYy9pRFVxpDsO1FB05SunFWUe9JZY";

#[test]
fn the_examples_are_read_as_meant() {
    assert_eq!(words(&with(PAYMENT, &[])), format!("{OF}: SOLD 1.00 USD"));
    let id = "KkAkhdMsgzn59SM8A89WgKwekxLZY";
    let refund = "ptNBVqHYxt5gAdfcobBe4u1AZsXhoz06KTtuq9Ls24P";
    let says = format!("payment={id}: Refund refund={id}_{refund} SUCCESSFUL 10.00 USD");
    assert_eq!(words(&with(REFUND, &[])), says);
    let reading = read(&with(PAYMENT, &[])).unwrap();
    assert_eq!(reading.event_id, "6a8f5f28-54a1-4eb0-a98a-3111513fd4fc");
    assert_eq!(reading.event_name, "payment.updated");
    let statement = statements(reading.content).remove(0);
    assert_eq!(statement.provider_time.unwrap().as_seconds(), 1_606_079_940, "captured_at");
}

#[test]
fn every_word_for_a_payment() {
    let (authorized, voided) = ("2020-11-22T21:16:51Z", "2020-11-29T21:16:51Z");
    for (status, timeline, says) in [
        ("PENDING", json!({}), "PENDING"),
        ("APPROVED", json!({ "authorized_at": authorized }), "AUTHORIZED"),
        ("COMPLETED", json!({ "authorized_at": authorized }), "SOLD"),
        ("COMPLETED", Value::Null, "SOLD"),
        ("CANCELED", json!({ "voided_at": voided }), "AUTHORIZATION_CANCELED"),
        ("CANCELED", Value::Null, "AUTHORIZATION_CANCELED"),
        ("FAILED", json!({}), "DECLINED"),
        ("FAILED", json!({ "authorized_at": authorized }), "AUTHORIZATION_DECLINED"),
    ] {
        let fields = [("status", json!(status)), card(&timeline), ("reference_id", json!("o-1"))];
        for name in ["payment.created", "payment.updated"] {
            let mut body = with(PAYMENT, &fields);
            body["type"] = json!(name);
            assert_eq!(words(&body), format!("{OF} as o-1: {says} 1.00 USD"), "{status} {name}");
        }
    }
    let unknown = with(PAYMENT, &[("status", json!("HELD"))]);
    assert_eq!(words(&unknown), "ignored: its status word is not known");
}

#[test]
fn released_in_time_or_by_time() {
    let says = |voided: &str, until: Value| {
        let timeline = json!({ "voided_at": voided });
        let fields = [("status", json!("CANCELED")), card(&timeline), ("delayed_until", until)];
        words(&with(PAYMENT, &fields))
    };
    let until = || json!("2020-11-29T21:16:51.086Z");
    for (voided, until, word) in [
        ("2020-11-29T21:16:51.085Z", until(), "AUTHORIZATION_CANCELED"),
        ("2020-11-29T21:16:51.086Z", until(), "AUTHORIZATION_EXPIRED"),
        ("2020-12-01T00:00:00Z", until(), "AUTHORIZATION_EXPIRED"),
        ("2020-12-01T00:00:00Z", Value::Null, "AUTHORIZATION_CANCELED"),
    ] {
        assert_eq!(says(voided, until), format!("{OF}: {word} 1.00 USD"), "{voided}");
    }
}

#[test]
fn a_refusal_has_its_reason() {
    let errors = json!([{ "category": "PAYMENT_METHOD_ERROR", "code": "GENERIC_DECLINE" }]);
    let reason = |status: &str, errors: Value| {
        let card = ("card_details", json!({ "errors": errors }));
        let body = with(PAYMENT, &[("status", json!(status)), card]);
        statements(read(&body).unwrap().content).remove(0).reason
    };
    assert_eq!(reason("FAILED", errors.clone()).as_deref(), Some("GENERIC_DECLINE"));
    let detail = json!([{ "code": "CVV_FAILURE", "detail": "Authorization error" }]);
    assert_eq!(reason("FAILED", detail).as_deref(), Some("Authorization error"));
    assert_eq!(reason("COMPLETED", errors), None);
    assert_eq!(reason("FAILED", json!([])), None);
}

#[test]
fn what_the_buyer_pays_is_stated_and_a_part_is_no_sale_of_the_whole() {
    let usd = |units: u64| json!({ "amount": units, "currency": "USD" });
    let says = |amount: u64, total: Value, approved: Value, status: &str| {
        words(&with(
            PAYMENT,
            &[
                ("amount_money", usd(amount)),
                ("total_money", total),
                ("approved_money", approved),
                ("status", json!(status)),
            ],
        ))
    };
    let sold = |units: &str| format!("{OF}: SOLD {units} USD");
    assert_eq!(says(100, usd(115), usd(115), "COMPLETED"), sold("1.15"), "with the tip");
    assert_eq!(says(100, Value::Null, Value::Null, "COMPLETED"), sold("1.00"));
    assert_eq!(says(100, usd(115), usd(100), "COMPLETED"), sold("1.15"), "the tip came later");
    let id = "hYy9pRFVxpDsO1FB05SunFWUe9JZY";
    let part =
        format!("{OF}: AUTHORIZED 1.00 USD | {OF}: Capture capture={id} SUCCESSFUL 0.40 USD");
    assert_eq!(says(40, usd(40), usd(100), "COMPLETED"), part);
    let lowered = format!("{OF}: AUTHORIZED 0.40 USD");
    assert_eq!(says(40, usd(40), usd(100), "APPROVED"), lowered);
}

#[test]
fn every_word_for_a_refund() {
    let id = "KkAkhdMsgzn59SM8A89WgKwekxLZY";
    for (status, says) in [
        ("PENDING", "PENDING"),
        ("COMPLETED", "SUCCESSFUL"),
        ("REJECTED", "DECLINED"),
        ("FAILED", "ERROR"),
    ] {
        for name in ["refund.created", "refund.updated"] {
            let mut body = with(REFUND, &[("id", json!("r-1")), ("status", json!(status))]);
            body["type"] = json!(name);
            assert_eq!(words(&body), format!("payment={id}: Refund refund=r-1 {says} 10.00 USD"));
        }
    }
    let unknown = with(REFUND, &[("status", json!("CANCELED"))]);
    assert_eq!(words(&unknown), "ignored: its status word is not known");
    let unlinked = with(REFUND, &[("unlinked", json!(true)), ("payment_id", Value::Null)]);
    assert_eq!(words(&unlinked), "ignored: the refund is of no payment");
    let linked = with(REFUND, &[("unlinked", json!(false)), ("payment_id", Value::Null)]);
    assert_eq!(read(&linked).unwrap_err().what, "data.object.refund.payment_id is missing");
}

#[test]
fn what_is_of_another_merchant_or_another_thing_is_ignored() {
    let mut other = settings(HOOK, &[KEY]);
    other.provider_merchant = Some("OTHER".to_owned());
    let ignored = |body: &Value, settings: &AccountSettings| match read_as(body, settings) {
        Ok(Reading { content: Content::Ignored { reason }, .. }) => reason,
        read => panic!("{read:?}"),
    };
    for example in [PAYMENT, REFUND] {
        assert_eq!(ignored(&with(example, &[]), &other), "it is of another merchant");
    }
    other.provider_merchant = Some("6SSW7HV8K2ST5".to_owned());
    assert!(matches!(
        read_as(&with(PAYMENT, &[]), &other).unwrap().content,
        Content::Statements(_)
    ));
    for name in ["order.updated", "dispute.created", "payment.deleted", "payment"] {
        let mut body = with(PAYMENT, &[]);
        body["type"] = json!(name);
        let reason = "the event's type is not one of a payment or refund";
        assert_eq!(ignored(&body, &other), reason, "{name}");
    }
    let test: Value = serde_json::from_str(super::BODY).unwrap();
    ignored(&test, &settings(HOOK, &[KEY]));
}

#[test]
fn amounts_are_integers_of_the_smallest_unit() {
    let amount = |units: Value, currency: &str| {
        let total = json!({ "amount": units, "currency": currency });
        let read = read(&with(PAYMENT, &[("total_money", total)])).map_err(|err| err.what)?;
        let statement = statements(read.content).remove(0);
        Ok::<_, String>(statement.amount.unwrap().money.to_string())
    };
    assert_eq!(amount(json!(1130), "JPY"), Ok("1130 JPY".to_owned()));
    assert_eq!(amount(json!(1130), "GBP"), Ok("11.30 GBP".to_owned()));
    let place = "data.object.payment.total_money.amount";
    for (units, says) in [
        (json!(-1), "must not be negative"),
        (json!(1.5), "must be an integer of minor units"),
        (json!(1e30), "must be an integer of minor units"),
        (json!(u64::MAX), "is larger than can be kept"),
        (json!("100"), "must be an integer of minor units"),
        (json!(" 100"), "must be an integer of minor units"),
        (json!("NaN"), "must be an integer of minor units"),
    ] {
        assert_eq!(amount(units.clone(), "USD"), Err(format!("{place} {says}")), "{units}");
    }
    let unknown = format!("{place} is of a currency whose digits are not known");
    assert_eq!(amount(json!(1), "QQQ"), Err(unknown));
}

#[test]
fn what_is_known_but_cannot_be_read_is_said_without_values() {
    for (field, value, says) in [
        ("id", Value::Null, "id is missing"),
        ("status", Value::Null, "status is missing"),
        ("status", json!(7), "status must be a JSON string"),
        ("total_money", json!(7), "total_money must be a JSON object"),
        ("total_money", json!({ "amount": 1 }), "total_money.currency is missing"),
        ("reference_id", json!(" x"), "reference_id must be 1 to 256"),
        ("card_details", json!([]), "card_details must be a JSON object"),
        (
            "card_details",
            json!({ "card_payment_timeline": { "captured_at": "now" } }),
            "card_details.card_payment_timeline.captured_at must be a time",
        ),
    ] {
        let what = read(&with(PAYMENT, &[(field, value)])).unwrap_err().what;
        assert!(what.starts_with(&format!("data.object.payment.{says}")), "{what}");
    }
    for field in ["type", "event_id", "data"] {
        let mut body = with(PAYMENT, &[]);
        body[field] = Value::Null;
        assert_eq!(read(&body).unwrap_err().what, format!("{field} is missing"));
    }
    let nested = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let deep = PAYMENT.replace("\"NORMAL\"", &nested);
    let request = Request::new(&[], deep.as_bytes());
    let what = Square.read(&request, &settings(HOOK, &[KEY])).unwrap_err().what;
    assert_eq!(what, "the body is nested deeper than 128");
}

#[test]
fn an_update_that_changes_nothing_says_the_same() {
    let says = |body: &Value| statements(read(body).unwrap().content);
    let later = with(
        PAYMENT,
        &[("updated_at", json!("2021-01-01T00:00:00Z")), ("refund_ids", json!(["r-1"]))],
    );
    assert_eq!(says(&later), says(&with(PAYMENT, &[])));
    let mut long = with(PAYMENT, &[]);
    long["event_id"] = json!("x".repeat(200));
    assert_eq!(read(&long).unwrap().event_id.len(), 32);
}

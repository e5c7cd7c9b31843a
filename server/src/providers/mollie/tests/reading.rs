//! What is read of Mollie's examples and their variations, as snapshots and within events.

use serde_json::{Value, json};

use super::{CAPTURE, LINK, PAYMENT, REFUND, settings};
use crate::providers::{
    AccountSettings, Content, Environment, Provider, Reading, Request, Unreadable,
    mollie::Mollie,
    tests::{in_words, statements},
};

fn read_as(body: &Value, settings: &AccountSettings) -> Result<Vec<Reading>, Unreadable> {
    let body = body.to_string();
    Mollie.read(&Request::new(&[], body.as_bytes()), settings)
}

fn words_as(body: &Value, settings: &AccountSettings) -> Vec<String> {
    let say = |reading: Reading| match reading.content {
        Content::Ignored { reason } => vec![format!("ignored: {reason}")],
        Content::Look(id) => vec![format!("look {id:?}")],
        content => statements(content).iter().map(in_words).collect(),
    };
    read_as(body, settings).unwrap().into_iter().flat_map(say).collect()
}

/// What a body says, by itself and within an event of that type.
fn words(body: &Value, kind: &str) -> String {
    let says = words_as(body, &settings("next-gen"));
    let resource = kind.split_once('.').unwrap().0;
    for place in [resource, "entity"] {
        let event = event(kind, &json!({ place: body }));
        assert_eq!(words_as(&event, &settings("next-gen")), says, "{place}");
    }
    says.join(" | ")
}

fn event(kind: &str, embedded: &Value) -> Value {
    json!({
        "resource": "event", "id": "event_1", "type": kind, "entityId": "tr_1",
        "createdAt": "2024-12-16T15:57:04.0Z", "_embedded": embedded,
    })
}

fn example(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn with(mut body: Value, fields: &[(&str, Value)]) -> Value {
    for (name, value) in fields {
        body[*name] = value.clone();
    }
    body
}

const OF: &str = "payment=tr_5B8cwPMGnU6qLbRvo7qEZo";

#[test]
fn the_examples_are_read_as_meant() {
    let payment = format!("{OF} as 12345: AUTHORIZED 10.00 EUR");
    assert_eq!(words(&example(PAYMENT), "payment.authorized"), payment);
    let refund = format!("{OF}: Refund refund=re_4qqhO89gsT CANCELED 5.95 EUR");
    assert_eq!(words(&example(REFUND), "refund.canceled"), refund);
    let capture = format!("{OF}: Capture capture=cpt_vytxeTZskVKR7C7WgdSP3d TRY_ERROR 35.95 EUR");
    assert_eq!(words(&example(CAPTURE), "capture.failed"), capture);
    let says = words_as(&example(LINK), &settings("next-gen"));
    let reason = "the event's type is not one of a payment, refund or capture";
    assert_eq!(says, [format!("ignored: {reason}")]);
    let reading = read_as(&example(LINK), &settings("next-gen")).unwrap().remove(0);
    assert_eq!(reading.event_id, "event_GvJ8WHrp5isUdRub9CJyH");
    assert_eq!(reading.event_name, "payment-link.paid");
    let reading = read_as(&example(PAYMENT), &settings("next-gen")).unwrap().remove(0);
    let time = statements(reading.content).remove(0).provider_time.unwrap();
    assert_eq!(time.as_seconds(), 1_710_926_102, "authorizedAt");
}

#[test]
fn every_word_for_a_payment() {
    for (status, held, at, says) in [
        ("open", false, "createdAt", "PENDING"),
        ("pending", false, "createdAt", "PENDING"),
        ("authorized", true, "authorizedAt", "AUTHORIZED"),
        ("paid", false, "paidAt", "SOLD"),
        ("paid", true, "paidAt", "SOLD"),
        ("failed", false, "failedAt", "DECLINED"),
        ("failed", true, "failedAt", "AUTHORIZATION_DECLINED"),
        ("canceled", false, "canceledAt", "CANCELED"),
        ("canceled", true, "canceledAt", "AUTHORIZATION_CANCELED"),
        ("expired", false, "expiredAt", "EXPIRED"),
        ("expired", true, "expiredAt", "AUTHORIZATION_EXPIRED"),
    ] {
        let authorized_at = if held { json!("2024-03-20T09:15:02+00:00") } else { Value::Null };
        let body = with(
            example(PAYMENT),
            &[
                ("status", json!(status)),
                ("captureMode", json!("automatic")),
                ("authorizedAt", authorized_at),
                (at, json!("2024-03-20T10:00:00+00:00")),
            ],
        );
        let meant = format!("{OF} as 12345: {says} 10.00 EUR");
        assert_eq!(words(&body, "payment.paid"), meant, "{status} {held}");
        let reading = read_as(&body, &settings("next-gen")).unwrap().remove(0);
        let time = statements(reading.content).remove(0).provider_time.unwrap();
        assert_eq!(time.as_seconds(), 1_710_928_800, "{at}");
    }
    let unknown = with(example(PAYMENT), &[("status", json!("disputed"))]);
    assert_eq!(words(&unknown, "payment.paid"), "ignored: its status word is not known");
    let refund = json!({
        "id": "re_1", "status": "refunded", "amount": { "currency": "EUR", "value": "4.00" },
    });
    let embedded = json!({ "refunds": [refund] });
    let refunded = with(unknown, &[("_embedded", embedded)]);
    let says = format!("{OF}: Refund refund=re_1 SUCCESSFUL 4.00 EUR");
    assert_eq!(words(&refunded, "payment.paid"), says, "what is known of it is said");
    // Released before Mollie showed when it was authorised.
    let manual =
        with(example(PAYMENT), &[("status", json!("canceled")), ("authorizedAt", Value::Null)]);
    let says = format!("{OF} as 12345: AUTHORIZATION_CANCELED 10.00 EUR");
    assert_eq!(words(&manual, "payment.canceled"), says);
}

#[test]
fn paid_in_part_is_no_sale_of_the_whole() {
    let money = |value: &str| json!({ "currency": "EUR", "value": value });
    let paid = |captured: Value| {
        with(example(PAYMENT), &[("status", json!("paid")), ("amountCaptured", captured)])
    };
    let sold = format!("{OF} as 12345: SOLD 10.00 EUR");
    assert_eq!(words(&paid(money("10.00")), "payment.paid"), sold);
    assert_eq!(words(&paid(Value::Null), "payment.paid"), sold);
    let authorized = format!("{OF} as 12345: AUTHORIZED 10.00 EUR");
    let look = "look ProviderId { kind: \"payment\", value: \"tr_5B8cwPMGnU6qLbRvo7qEZo\" }";
    let says = format!("{authorized} | {look}");
    assert_eq!(words(&paid(money("4.00")), "payment.paid"), says, "the captures are not shown");
    let capture = json!({
        "resource": "capture", "id": "cpt_1", "amount": money("4.00"), "status": "succeeded",
    });
    let shown = with(paid(money("4.00")), &[("_embedded", json!({ "captures": [capture] }))]);
    let says = format!("{authorized} | {OF}: Capture capture=cpt_1 SUCCESSFUL 4.00 EUR");
    assert_eq!(words(&shown, "payment.paid"), says);
}

#[test]
fn every_word_for_a_refund_and_a_capture() {
    for (status, says) in [
        ("queued", "PENDING"),
        ("pending", "PENDING"),
        ("processing", "PENDING"),
        ("refunded", "SUCCESSFUL"),
        ("failed", "CORRECTED"),
        ("canceled", "CANCELED"),
    ] {
        let body = with(example(REFUND), &[("status", json!(status))]);
        let meant = format!("{OF}: Refund refund=re_4qqhO89gsT {says} 5.95 EUR");
        assert_eq!(words(&body, &format!("refund.{status}")), meant);
    }
    for (status, says) in
        [("pending", "PENDING"), ("succeeded", "SUCCESSFUL"), ("failed", "TRY_ERROR")]
    {
        let body = with(example(CAPTURE), &[("status", json!(status))]);
        let id = "capture=cpt_vytxeTZskVKR7C7WgdSP3d";
        let meant = format!("{OF}: Capture {id} {says} 35.95 EUR");
        assert_eq!(words(&body, "capture.failed"), meant);
    }
    for (example_of, status) in [(REFUND, "reversed"), (CAPTURE, "refunded")] {
        let body = with(example(example_of), &[("status", json!(status))]);
        let says = words_as(&body, &settings("next-gen"));
        assert_eq!(says, ["ignored: its status word is not known"]);
    }
}

#[test]
fn unknown_events_are_kept_and_ignored() {
    let reason = "ignored: the event's type is not one of a payment, refund or capture";
    for kind in
        ["chargeback.received", "payment.settled", "payment", "refund.", "Payment.paid", "x"]
    {
        let event = event(kind, &json!({ "payment": example(PAYMENT) }));
        assert_eq!(words_as(&event, &settings("next-gen")), [reason], "{kind}");
    }
    let other = json!({ "resource": "chargeback", "id": "chb_1" });
    let says = words_as(&other, &settings("next-gen"));
    assert_eq!(says, ["ignored: the resource is not a payment, refund or capture"]);
}

#[test]
fn an_event_without_its_entity_makes_us_look() {
    let look = ["look ProviderId { kind: \"payment\", value: \"tr_1\" }"];
    let bare = event("payment.paid", &Value::Null);
    assert_eq!(words_as(&bare, &settings("next-gen")), look);
    let links = |resource: &str, href: &str| {
        let links = json!({ resource: { "href": href } });
        let bare = event(&format!("{resource}.failed"), &Value::Null);
        with(bare, &[("_links", links), ("entityId", json!("x_1"))])
    };
    for (resource, href) in [
        ("refund", "https://api.mollie.com/v2/payments/tr_1/refunds/re_1"),
        ("capture", "/v2/payments/tr_1/captures/cpt_1"),
    ] {
        assert_eq!(words_as(&links(resource, href), &settings("next-gen")), look);
    }
    for body in [links("refund", "/v2/refunds/re_1"), links("refund", "/v2/payments/"), {
        event("refund.failed", &Value::Null)
    }] {
        let what = read_as(&body, &settings("next-gen")).unwrap_err().what;
        assert!(what.starts_with("_links"), "{what}");
    }
}

#[test]
fn the_reference_stands_in_the_merchants_metadata() {
    let reference = |metadata: Value, key: &str| {
        let mut settings = settings("next-gen");
        settings.options.insert("reference_metadata_key", key.to_owned());
        let body = with(example(PAYMENT), &[("metadata", metadata)]);
        let reading = read_as(&body, &settings).unwrap().remove(0);
        statements(reading.content).remove(0).reference.map(|reference| reference.to_string())
    };
    for (metadata, key, found) in [
        (json!({ "order_id": "o-1" }), "order_id", Some("o-1")),
        (json!({ "order_id": 12345 }), "order_id", Some("12345")),
        (json!("{\"order_id\":\"o-1\"}"), "order_id", Some("o-1")),
        (json!({ "cart": "c-1", "order_id": "o-1" }), "cart", Some("c-1")),
        (json!({ "order_id": null }), "order_id", None),
        (json!({ "order_id": 1.5 }), "order_id", None),
        (json!({ "order_id": {} }), "order_id", None),
        (json!({ "order_id": " x" }), "order_id", None),
        (json!("o-1"), "order_id", None),
        (json!(["o-1"]), "order_id", None),
        (json!(7), "order_id", None),
        (Value::Null, "order_id", None),
    ] {
        assert_eq!(reference(metadata.clone(), key).as_deref(), found, "{metadata}");
    }
}

#[test]
fn an_operation_has_a_reference_where_the_account_says_so() {
    let body = with(example(REFUND), &[("metadata", json!({ "order_id": "o", "refund": "r-1" }))]);
    let says = words_as(&body, &settings("next-gen")).remove(0);
    assert_eq!(says, format!("{OF}: Refund refund=re_4qqhO89gsT CANCELED 5.95 EUR"));
    let mut own = settings("next-gen");
    own.options.insert("operation_metadata_key", "refund".to_owned());
    let says = words_as(&body, &own).remove(0);
    assert_eq!(says, format!("{OF}: Refund refund=re_4qqhO89gsT CANCELED as r-1 5.95 EUR"));
}

#[test]
fn what_is_of_another_world_or_profile_is_ignored() {
    let mut sandbox = settings("next-gen");
    sandbox.environment = Environment::Sandbox;
    for body in [PAYMENT, REFUND, CAPTURE] {
        let says = words_as(&example(body), &sandbox);
        assert_eq!(says, ["ignored: it is of the other environment"]);
        let test = with(example(body), &[("mode", json!("test"))]);
        assert!(!words_as(&test, &sandbox)[0].starts_with("ignored"));
        assert!(words_as(&test, &settings("next-gen"))[0].starts_with("ignored"));
    }
    let mut other = settings("next-gen");
    other.provider_merchant = Some("pfl_other".to_owned());
    let says = words_as(&example(PAYMENT), &other);
    assert_eq!(says, ["ignored: it is of another profile"]);
    assert!(!words_as(&example(REFUND), &other)[0].starts_with("ignored"), "it names none");
    other.provider_merchant = Some("pfl_QkEhN94Ba".to_owned());
    assert!(!words_as(&example(PAYMENT), &other)[0].starts_with("ignored"));
}

#[test]
fn amounts_are_exact() {
    let amount = |value: Value, currency: &str| {
        let amount = json!({ "currency": currency, "value": value });
        let body = with(example(PAYMENT), &[("amount", amount)]);
        let readings = read_as(&body, &settings("next-gen")).map_err(|err| err.what)?;
        let amount = statements(readings[0].content.clone()).remove(0).amount.unwrap();
        Ok::<_, String>((amount.money.to_string(), amount.too_precise))
    };
    assert_eq!(amount(json!("10.00"), "EUR"), Ok(("10.00 EUR".to_owned(), false)));
    assert_eq!(amount(json!("10"), "JPY"), Ok(("10 JPY".to_owned(), false)));
    assert_eq!(amount(json!("10.001"), "EUR"), Ok(("10.001 EUR".to_owned(), true)));
    for value in ["-1.00", "1e3", "NaN", " 1.00", "1.00 ", "1,00", ""] {
        let stated = amount(json!(value), "EUR");
        assert!(value.is_empty() || stated.unwrap_err().starts_with("amount.value "), "{value}");
    }
    assert!(amount(json!("9".repeat(40)), "EUR").unwrap_err().contains("larger"));
}

#[test]
fn what_is_known_but_cannot_be_read_is_said_without_values() {
    for (text, field, value, says) in [
        (PAYMENT, "id", Value::Null, "id is missing"),
        (PAYMENT, "status", Value::Null, "status is missing"),
        (PAYMENT, "status", json!(7), "status must be a JSON string"),
        (PAYMENT, "amount", json!("10.00"), "amount must be a JSON object"),
        (PAYMENT, "authorizedAt", json!("soon"), "authorizedAt must be a time"),
        (PAYMENT, "_embedded", json!({ "captures": 1 }), "_embedded.captures must be a JSON array"),
        (REFUND, "paymentId", Value::Null, "paymentId is missing"),
        (CAPTURE, "id", json!(" x"), "id must be 1 to 256"),
        (PAYMENT, "resource", Value::Null, "resource is missing"),
    ] {
        let body = with(example(text), &[(field, value)]);
        let what = read_as(&body, &settings("next-gen")).unwrap_err().what;
        assert!(what.starts_with(says), "{what}");
    }
    let nested = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let deep = PAYMENT.replace("\"creditcard\"", &nested);
    let request = Request::new(&[], deep.as_bytes());
    let what = Mollie.read(&request, &settings("next-gen")).unwrap_err().what;
    assert_eq!(what, "the body is nested deeper than 128");
}

#[test]
fn a_snapshot_has_an_id_made_of_what_it_shows() {
    let id = |body: &Value| read_as(body, &settings("next-gen")).unwrap().remove(0).event_id;
    let first = id(&example(PAYMENT));
    let again = with(example(PAYMENT), &[("isCancelable", json!(false))]);
    assert_eq!(id(&again), first);
    assert_ne!(id(&with(example(PAYMENT), &[("status", json!("paid"))])), first);
    let long = with(example(LINK), &[("id", json!("x".repeat(200)))]);
    assert_eq!(id(&long).len(), 32);
}

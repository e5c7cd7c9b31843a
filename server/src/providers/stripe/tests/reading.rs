//! Every word of the tables, and what is missing, doubled or of another form.

use serde_json::{Value, json};

use super::*;
use crate::providers::{
    Content, Environment,
    tests::{each_in_words, in_words},
};

fn read(body: &Value, settings: &AccountSettings) -> Result<Reading, String> {
    let body = body.to_string();
    let readings = Stripe.read(&Request::new(&[], body.as_bytes()), settings);
    let only = |mut readings: Vec<Reading>| {
        assert_eq!(readings.len(), 1);
        readings.remove(0)
    };
    readings.map(only).map_err(|err| err.what)
}

pub(super) fn event(name: &str, object: &Value) -> Value {
    json!({
        "id": "evt_1", "object": "event", "type": name, "created": 1_700_000_000, "livemode": true,
        "api_version": "2025-03-31.basil",
        "data": { "object": object },
    })
}

/// What an event says in words; `ignored: …` or `unreadable: …` if nothing.
fn said(name: &str, object: &Value) -> Vec<String> {
    match read(&event(name, object), &settings(&[SECRET])) {
        Ok(Reading { content: Content::Statements(statements), .. }) => each_in_words(&statements),
        Ok(Reading { content: Content::Ignored { reason }, .. }) => {
            vec![format!("ignored: {reason}")]
        }
        Ok(reading) => panic!("{reading:?}"),
        Err(what) => vec![format!("unreadable: {what}")],
    }
}

/// `base` with the members of `other`.
fn with(base: &Value, other: &Value) -> Value {
    let mut both = base.clone();
    for (name, value) in other.as_object().unwrap() {
        both[name] = value.clone();
    }
    both
}

pub(super) fn intent(other: &Value) -> Value {
    let base = json!({
        "id": "pi_1", "object": "payment_intent", "amount": 1299, "currency": "eur",
        "capture_method": "automatic", "metadata": { "order_id": "o1" }, "livemode": true,
    });
    with(&base, other)
}

fn charge(other: &Value) -> Value {
    let base = json!({
        "id": "ch_1", "object": "charge", "amount": 1299, "amount_captured": 0, "captured": false,
        "currency": "eur", "payment_intent": "pi_1", "status": "succeeded", "metadata": {},
    });
    with(&base, other)
}

fn refund(other: &Value) -> Value {
    let base = json!({
        "id": "re_1", "object": "refund", "amount": 500, "charge": "ch_1", "currency": "eur",
        "payment_intent": "pi_1", "status": "succeeded", "metadata": { "refund_id": "x1" },
    });
    with(&base, other)
}

#[test]
fn every_status_of_a_payment_intent_is_read() {
    let error = json!({ "type": "card_error", "code": "card_declined", "decline_code": "lost" });
    let failure = json!({ "type": "api_error", "code": "processing_error" });
    let of = |word: &str| format!("payment_intent=pi_1 as o1: {word} 12.99 EUR");
    let with_charge =
        |word: &str| format!("charge=ch_1,payment_intent=pi_1 as o1: {word} 12.99 EUR");
    for (name, object, expected) in [
        ("created", json!({"status": "requires_payment_method"}), of("PENDING")),
        ("created", json!({"status": "requires_confirmation"}), of("PENDING")),
        ("requires_action", json!({"status": "requires_action"}), of("PENDING")),
        ("processing", json!({"status": "processing"}), of("PENDING")),
        ("partially_funded", json!({"status": "requires_action"}), of("PENDING")),
        (
            "payment_failed",
            json!({"status": "requires_payment_method", "last_payment_error": error}),
            of("TRY_DECLINED"),
        ),
        (
            "payment_failed",
            json!({"status": "requires_payment_method", "last_payment_error": failure}),
            of("TRY_ERROR"),
        ),
        ("payment_failed", json!({"status": "requires_payment_method"}), of("TRY_DECLINED")),
        (
            "amount_capturable_updated",
            json!({"status": "requires_capture", "latest_charge": "ch_1",
                "amount_capturable": 1299, "amount_received": 0}),
            with_charge("AUTHORIZED"),
        ),
        (
            "amount_capturable_updated",
            json!({"status": "requires_capture", "amount_capturable": 1000}),
            "payment_intent=pi_1 as o1: AUTHORIZED 10.00 EUR".to_owned(),
        ),
        (
            "succeeded",
            json!({"status": "succeeded", "latest_charge": {"id": "ch_1"}, "amount_received": 1299}),
            with_charge("SOLD"),
        ),
        ("canceled", json!({"status": "canceled"}), of("CANCELED")),
        (
            "canceled",
            json!({"status": "canceled", "cancellation_reason": "abandoned"}),
            of("EXPIRED"),
        ),
        (
            "canceled",
            json!({"status": "canceled", "cancellation_reason": "expired"}),
            of("EXPIRED"),
        ),
        (
            "canceled",
            json!({"status": "canceled", "cancellation_reason": "automatic",
                "latest_charge": "ch_1", "capture_method": "manual"}),
            with_charge("AUTHORIZATION_EXPIRED"),
        ),
        (
            "canceled",
            json!({"status": "canceled", "latest_charge": "ch_1"}),
            with_charge("AUTHORIZATION_CANCELED"),
        ),
    ] {
        let name = format!("payment_intent.{name}");
        assert_eq!(said(&name, &intent(&object)), [expected], "{name} {object}");
    }
}

#[test]
fn a_capture_is_named_by_the_charge_whoever_tells_of_it() {
    let held = json!({"status": "requires_capture", "latest_charge": "ch_1",
        "amount_capturable": 799, "amount_received": 500, "capture_method": "manual"});
    let part = json!({"status": "succeeded", "latest_charge": "ch_1", "amount_received": 500,
        "capture_method": "manual"});
    let of = "charge=ch_1,payment_intent=pi_1 as o1";
    let expected = [
        format!("{of}: AUTHORIZED 12.99 EUR"),
        format!("{of}: Capture charge=ch_1 SUCCESSFUL 5.00 EUR"),
    ];
    assert_eq!(said("payment_intent.succeeded", &intent(&part)), expected);
    assert_eq!(said("payment_intent.amount_capturable_updated", &intent(&held)), expected);
    let listed =
        with(&part, &json!({"latest_charge": null, "charges": {"data": [{"id": "ch_1"}]}}));
    assert_eq!(said("payment_intent.succeeded", &intent(&listed)), expected);
    let captured = charge(&json!({"captured": true, "amount_captured": 500}));
    let expected = expected.map(|words| words.replace(" as o1", ""));
    assert_eq!(said("charge.captured", &captured), expected);
    assert_eq!(said("charge.updated", &captured), expected);
    let whole = json!({"status": "succeeded", "latest_charge": "ch_1", "amount_received": 1299,
        "capture_method": "manual"});
    assert_eq!(said("payment_intent.succeeded", &intent(&whole)).len(), 2);
    let unnamed = json!({"status": "succeeded", "amount_received": 500});
    let what = "unreadable: the charge that was captured is missing";
    assert_eq!(said("payment_intent.succeeded", &intent(&unnamed)), [what]);
}

#[test]
fn a_cancelled_authorisation_is_a_void_too() {
    let canceled = json!({"status": "canceled", "latest_charge": "ch_1",
        "capture_method": "manual", "cancellation_reason": "requested_by_customer"});
    let expected = [
        "charge=ch_1,payment_intent=pi_1 as o1: AUTHORIZATION_CANCELED 12.99 EUR",
        "charge=ch_1,payment_intent=pi_1 as o1: Void charge=ch_1 SUCCESSFUL",
    ];
    // A charge that is only named may have failed, and released nothing.
    assert_eq!(said("payment_intent.canceled", &intent(&canceled)), expected[..1]);
    let shown = |charge: Value| with(&canceled, &json!({ "latest_charge": charge }));
    let held = json!({"id": "ch_1", "status": "succeeded", "captured": false});
    assert_eq!(said("payment_intent.canceled", &intent(&shown(held))), expected);
    let failed = json!({"id": "ch_1", "status": "failed", "captured": false});
    let never = ["charge=ch_1,payment_intent=pi_1 as o1: CANCELED 12.99 EUR"];
    assert_eq!(said("payment_intent.canceled", &intent(&shown(failed))), never);
    let alone = json!({"payment_intent": null, "refunded": true, "status": "failed"});
    let nothing = "ignored: it names no refund; the refund's own events do";
    assert_eq!(said("charge.refunded", &charge(&alone)), [nothing]);
}

#[test]
fn every_status_of_a_charge_is_read() {
    let of = |word: &str| format!("charge=ch_1,payment_intent=pi_1: {word} 12.99 EUR");
    let alone = |word: &str| format!("charge=ch_1: {word} 12.99 EUR");
    for (name, object, expected) in [
        ("pending", json!({"status": "pending"}), of("PENDING")),
        ("succeeded", json!({}), of("AUTHORIZED")),
        ("succeeded", json!({"captured": true, "amount_captured": 1299}), of("SOLD")),
        ("succeeded", json!({"payment_intent": null}), alone("AUTHORIZED")),
        (
            "failed",
            json!({"status": "failed", "failure_code": "card_declined"}),
            of("TRY_DECLINED"),
        ),
        ("updated", json!({"status": "failed"}), of("TRY_DECLINED")),
        ("expired", json!({}), of("AUTHORIZATION_EXPIRED")),
        (
            "refunded",
            json!({"payment_intent": null, "refunded": true}),
            alone("Void charge=ch_1 SUCCESSFUL"),
        ),
    ] {
        let name = format!("charge.{name}");
        assert_eq!(said(&name, &charge(&object)), [expected], "{name} {object}");
    }
}

#[test]
fn every_status_of_a_refund_is_read() {
    let refund_of = |word: &str| {
        format!("charge=ch_1,payment_intent=pi_1: Refund refund=re_1 {word} as x1 5.00 EUR")
    };
    for (status, expected) in [
        ("pending", "PENDING"),
        ("requires_action", "PENDING"),
        ("succeeded", "SUCCESSFUL"),
        ("failed", "CORRECTED"),
        ("canceled", "CANCELED"),
    ] {
        for name in ["refund.created", "refund.updated", "refund.failed", "charge.refund.updated"] {
            let object = refund(&json!({ "status": status }));
            assert_eq!(said(name, &object), [refund_of(expected)]);
        }
    }
    // Before 2025-03-31 it may be the rest of an authorisation that was let go.
    for version in [json!("2025-03-30"), json!("2022-11-15"), Value::Null] {
        let told = event("refund.updated", &refund(&json!({})));
        let told = read(&with(&told, &json!({"api_version": version})), &settings(&[SECRET]));
        let Content::Statements(statements) = told.unwrap().content else { panic!() };
        assert_eq!(in_words(&statements[0]), refund_of("PENDING"));
    }
    let nobodys = refund(&json!({"charge": null, "payment_intent": null}));
    let what = "unreadable: data.object.payment_intent and the charge are missing";
    assert_eq!(said("refund.created", &nobodys), [what]);
}

#[test]
fn a_refunded_charge_says_what_it_lists() {
    let captured = json!({"captured": true, "amount_captured": 1299});
    let nothing = "ignored: it names no refund; the refund's own events do";
    assert_eq!(said("charge.refunded", &charge(&captured)), [nothing]);
    let list = json!({"refunds": {"data": [refund(&json!({})), refund(&json!({"id": "re_2"}))]}});
    let listed = said("charge.refunded", &charge(&with(&captured, &list)));
    assert_eq!((listed.len(), listed[1].contains(": Refund refund=re_2 SUCCESSFUL ")), (2, true));
    // However many there are.
    let many: Vec<Value> =
        (0..20).map(|n| refund(&json!({"id": format!("re_{n}"), "amount": 10}))).collect();
    let many = with(&captured, &json!({"refunds": {"data": many}}));
    let body = event("charge.refunded", &charge(&many)).to_string();
    let readings = Stripe.read(&Request::new(&[], body.as_bytes()), &settings(&[])).unwrap();
    let parts: Vec<_> = readings
        .iter()
        .map(|reading| match &reading.content {
            Content::Statements(said) => (reading.event_id.as_str(), said.len()),
            content => panic!("{content:?}"),
        })
        .collect();
    assert_eq!(parts, [("evt_1", 8), ("evt_1/1", 8), ("evt_1/2", 4)]);
    // The rest of a partial capture is let go as a "refund" too.
    let part = json!({"captured": true, "amount_captured": 500});
    assert_eq!(said("charge.refunded", &charge(&with(&part, &list))), [nothing]);
    assert_eq!(said("charge.refunded", &charge(&list)), [nothing]);
}

#[test]
fn what_is_not_known_is_kept_and_ignored() {
    let unknown = "ignored: the event's name is not known";
    for name in ["setup_intent.created", "payment_intent.imagined", "invoice.paid"] {
        assert_eq!(said(name, &json!({})), [unknown], "{name}");
    }
    assert_eq!(said("charge.dispute.created", &json!({})), ["ignored: disputes are not followed"]);
    let word = "ignored: its status word is not known";
    assert_eq!(said("payment_intent.created", &intent(&json!({"status": "new"}))), [word]);
    assert_eq!(said("charge.updated", &charge(&json!({"status": "new"}))), [word]);
    assert_eq!(said("refund.updated", &refund(&json!({"status": "new"}))), [word]);
    let thin = with(
        &event("v1.billing.meter.no_meter_found", &json!({})),
        &json!({"object": "v2.core.event", "data": null}),
    );
    let Content::Ignored { reason } = read(&thin, &settings(&[])).unwrap().content else {
        panic!()
    };
    assert_eq!(reason, "a thin event holds no object, only where one is");
}

#[test]
fn other_environments_and_accounts_are_ignored() {
    let body = event("payment_intent.created", &intent(&json!({"status": "processing"})));
    let reason = |body: &Value, settings: &AccountSettings| match read(body, settings) {
        Ok(Reading { content: Content::Ignored { reason }, .. }) => Some(reason),
        _ => None,
    };
    let live = settings(&[]);
    let sandbox = AccountSettings { environment: Environment::Sandbox, ..live.clone() };
    let test = with(&body, &json!({"livemode": false}));
    assert_eq!((reason(&body, &live), reason(&test, &sandbox)), (None, None));
    let other = Some("it is of the other environment".to_owned());
    assert_eq!((reason(&body, &sandbox), reason(&test, &live)), (other.clone(), other));
    let named = |name: &str| with(&body, &json!({ "account": name }));
    let mut own = AccountSettings { provider_merchant: Some("acct_1".to_owned()), ..live.clone() };
    assert_eq!(reason(&named("acct_2"), &live), None);
    assert_eq!((reason(&body, &own), reason(&named("acct_1"), &own)), (None, None));
    let another = Some("it is of another Stripe account".to_owned());
    assert_eq!(reason(&named("acct_2"), &own), another);
    own.options.insert(CONNECTED, "yes".to_owned());
    assert_eq!((reason(&body, &own), reason(&named("acct_1"), &own)), (another, None));
}

#[test]
fn the_reference_stands_where_the_option_says() {
    let object =
        intent(&json!({"status": "processing", "metadata": {"order": "o2", "order_id": " x"}}));
    let of = |key: Option<&str>| {
        let mut settings = settings(&[]);
        settings.options.extend(key.map(|key| (REFERENCE_KEY, key.to_owned())));
        let reading = read(&event("payment_intent.processing", &object), &settings).unwrap();
        let Content::Statements(statements) = reading.content else { panic!() };
        statements[0].reference.as_ref().map(|reference| reference.as_str().to_owned())
    };
    // A text that can be no reference was not given by us.
    assert_eq!((of(None), of(Some("order")), of(Some(""))), (None, Some("o2".to_owned()), None));
}

#[test]
fn amounts_are_whole_minor_units() {
    let read = |amount: &str, currency: &str| {
        let body =
            event("payment_intent.processing", &json!({"id": "pi_1", "status": "processing"}));
        let fields = format!(r#""amount":{amount},"currency":"{currency}","status""#);
        let body = body.to_string().replace(r#""status""#, &fields);
        let readings = Stripe.read(&Request::new(&[], body.as_bytes()), &settings(&[]));
        match readings.map(|mut readings| readings.remove(0).content) {
            Ok(Content::Statements(said)) => in_words(&said[0]),
            other => format!("{other:?}"),
        }
    };
    assert!(read("500", "isk").ends_with(": PENDING 5.00 ISK"));
    assert!(read("500", "jpy").ends_with(": PENDING 500 JPY"));
    assert!(read("500", "bhd").ends_with(": PENDING 0.500 BHD"));
    for (amount, currency) in [
        ("-1", "eur"),
        ("1.5", "eur"),
        ("1e3", "eur"),
        ("\" 1\"", "eur"),
        ("\"NaN\"", "eur"),
        ("99999999999999999999", "eur"),
        ("1", "xxq"),
        ("1", ""),
    ] {
        let what = read(amount, currency);
        assert!(what.starts_with("Err") && !what.contains("9999"), "{amount}: {what}");
    }
}

#[test]
fn a_known_event_in_another_form_is_unreadable() {
    let body = event("payment_intent.processing", &intent(&json!({"status": "processing"})));
    let what = |other: &Value| read(&with(&body, other), &settings(&[])).unwrap_err();
    assert_eq!(what(&json!({"id": 7})), "id must be a JSON string");
    assert_eq!(what(&json!({"type": null})), "type is missing");
    assert_eq!(what(&json!({"created": "now"})), "created must be whole seconds since 1970");
    assert_eq!(what(&json!({"livemode": "yes"})), "livemode must be true or false");
    assert_eq!(what(&json!({"data": {}})), "data.object is missing");
    let unnamed = json!({"data": {"object": intent(&json!({"id": null, "status": "processing"}))}});
    assert_eq!(what(&unnamed), "data.object.id is missing");
    let twice = body.to_string().replace(r#""amount":"#, r#""amount":1,"amount":"#);
    let err = Stripe.read(&Request::new(&[], twice.as_bytes()), &settings(&[])).unwrap_err();
    assert_eq!(err.what, "data.object.amount stands twice in its object");
    let deep = format!(r#"{{"id":"evt_1","data":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    let err = Stripe.read(&Request::new(&[], deep.as_bytes()), &settings(&[])).unwrap_err();
    assert!(err.what.contains("nested deeper"));
}

use super::*;
use crate::ledger::{Action, Ledger};

fn speaker() -> Speaker {
    let credentials = [("client_id", "shop"), ("client_secret", "s3cret")];
    let credentials = credentials.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Speaker {
        secret: "test_payment_secret".to_owned(),
        credentials: credentials.into_iter().collect(),
        ..Speaker::default()
    }
}

fn ledger() -> (Ledger, String) {
    let mut ledger = Ledger::new(1);
    let amount = Amount { currency: "AUD".to_owned(), minor_units: 14624, exponent: 2 };
    let id = ledger.open("Test-52", amount, 1_700_000_000);
    (ledger, id)
}

fn said(event: &Event) -> Value {
    let webhook = Optty.webhook(event, &speaker()).expect("there is a webhook");
    serde_json::from_slice(&webhook.body).expect("it is JSON")
}

/// Computed with Python for `SUCCESSFUL|Test-52`, as the plugin makes it.
#[test]
fn the_hash_is_the_documented_one() {
    let (mut ledger, id) = ledger();
    let event = ledger.act(&id, &Action::Pay, 1_700_000_001).expect("it happens");
    let body = said(&event);
    let hash = "5eba2d254ee1b1867fddd26f58c6bb468f41e416a29c8e417d1fe8bf4ec02d2b41502d4f08f6abd1c9\
                0b669df87a50fa26ad04ed64de764f97e7686b389fb7a2";
    assert_eq!(body["data"]["hash"], hash);
    assert_eq!(body["event"], "ORDER_ASYNC_CALLBACK");
    assert_eq!(body["data"]["amount"].to_string(), "146.24");
}

#[test]
fn only_what_is_signed_can_be_broken() {
    let (mut ledger, id) = ledger();
    let paid = ledger.act(&id, &Action::Pay, 1_700_000_001).expect("it happens");
    let refund = ledger.act(&id, &Action::refund("r1", 100), 1_700_000_002).expect("it happens");
    for event in [paid, refund] {
        let webhook = Optty.webhook(&event, &speaker()).expect("there is a webhook");
        let places = Optty.signed_places(&webhook, &speaker());
        let texts: Vec<&[u8]> = places.iter().map(|at| &webhook.body[at.clone()]).collect();
        assert_eq!(texts, [&b"SUCCESSFUL"[..], b"Test-52"]);
    }
}

fn ask(method: &str, path: &str, token: &str, ledger: &Ledger) -> Option<(u16, Value)> {
    let question = Question {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: vec![("authorization".to_owned(), format!("Bearer {token}"))],
        ..Question::default()
    };
    let reply = Optty.answer(&question, ledger.payments(), &speaker())?;
    Some((reply.status, serde_json::from_slice(&reply.body).expect("it is JSON")))
}

#[test]
fn a_token_opens_the_orders() {
    let form = |secret: &str| {
        let body = format!("client_id=shop&client_secret={secret}&grant_type=client_credentials");
        let path = "/token".to_owned();
        let question =
            Question { method: "POST".to_owned(), path, body: body.into(), ..Question::default() };
        let reply = Optty.answer(&question, &[], &speaker()).expect("there is such a path");
        let body: Value = serde_json::from_slice(&reply.body).expect("it is JSON");
        (reply.status, body["access_token"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(form("wrong").0, 401);
    let (status, token) = form("s3cret");
    assert_eq!(status, 200);

    let (mut ledger, id) = ledger();
    ledger.act(&id, &Action::Authorize, 1_700_000_001).expect("it happens");
    ledger.act(&id, &Action::capture("c1", 1200), 1_700_000_002).expect("it happens");
    ledger.act(&id, &Action::refund("r1", 200), 1_700_000_003).expect("it happens");
    let (status, order) = ask("GET", "/orders/Test-52", &token, &ledger).expect("a path");
    assert_eq!(status, 201);
    assert_eq!([&order["status"], &order["captureStatus"]], ["SUCCESSFUL", "CAPTURED"]);
    let (_, details) = ask("POST", "/orders/Test-52/details", &token, &ledger).expect("a path");
    assert_eq!(details["orderCaptures"][0]["amount"], "12.00");
    assert_eq!(details["refunds"][0]["refundReference"], "r1");
    let status = |path, token| ask("GET", path, token, &ledger).map(|(status, _)| status);
    assert_eq!(status("/orders/Test-52", "another"), Some(401));
    assert_eq!(status("/orders/Test-53", &token), Some(404));
    assert_eq!(status("/payments", &token), None);
}

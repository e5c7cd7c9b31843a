//! What the simulator says as Square verifies and is read as meant; its answers say the same.

use paystatus_simulator::life::{OperationKind, OperationState, Payment, PaymentState};

use super::HOOK;
use crate::{
    domain::{
        ids::ProviderId,
        statement::{OperationKind as Kind, Statement},
        time::Time,
    },
    providers::{
        Call, Environment, OperationSubject, Response, Secret, StatusApi, Subject,
        square::status::Api,
        tests::happened::{
            OPERATION_STATES, PAYMENT_STATES, Pair, event, in_words, operation_event, payment,
            with_operation,
        },
    },
};

const OF: &str = "payment=PAY0000000000001";

fn pair() -> Pair {
    let mut pair = Pair::of("square", &[("notification_url", HOOK)]);
    pair.settings.credentials.insert("access_token".to_owned(), Secret::new("EAAA"));
    pair.speaker.credentials.insert("access_token".to_owned(), "EAAA".to_owned());
    pair
}

fn id() -> ProviderId {
    ProviderId::parse("payment", "PAY0000000000001").unwrap()
}

fn asked(payment: &Payment) -> Vec<Statement> {
    pair().asked(&[id()], std::slice::from_ref(payment))
}

fn in_all_words(statements: &[Statement]) -> Vec<String> {
    statements.iter().map(in_words).collect()
}

#[test]
fn every_state_of_a_payment_in_webhooks_and_answers() {
    let says = [
        "PENDING",
        "AUTHORIZED",
        "SOLD",
        "SOLD",
        "DECLINED",
        "AUTHORIZATION_CANCELED",
        "AUTHORIZATION_CANCELED",
        "DECLINED",
        "AUTHORIZATION_EXPIRED",
    ];
    for (state, word) in PAYMENT_STATES.iter().zip(says) {
        let answered = asked(&payment(*state));
        let meant = [format!("{OF} as order-1: {word} 100.00 EUR")];
        assert_eq!(in_all_words(&answered), meant, "{state:?}");
        // What is completed stays so, and what was never approved is not said to be canceled.
        let is_silent = matches!(
            state,
            PaymentState::Corrected | PaymentState::Canceled | PaymentState::Expired
        );
        let told = if is_silent { &[][..] } else { &answered };
        let webhook = pair().statements(&event(payment(*state)));
        assert_eq!(webhook, told, "{state:?}: the same, letter for letter");
    }
}

#[test]
fn every_state_of_a_refund_in_webhooks_and_answers() {
    let says = ["PENDING", "SUCCESSFUL", "DECLINED", "ERROR", "ERROR", "ERROR"];
    for (state, word) in OPERATION_STATES.iter().zip(says) {
        let payment = with_operation(payment(PaymentState::Paid), OperationKind::Refund, *state);
        let answered = asked(&payment);
        let id = "PAY0000000000001_OP00000000000000";
        let refund = format!("{OF}: Refund refund={id} {word} 40.00 EUR");
        let paid = format!("{OF} as order-1: SOLD 100.00 EUR");
        assert_eq!(in_all_words(&answered), [paid, refund], "{state:?}");
        let told = pair().statements(&operation_event(payment));
        // It is not documented that a completed refund fails.
        let meant = if *state == OperationState::Corrected { &[][..] } else { &answered[1..] };
        assert_eq!(told, meant, "{state:?}: the same, letter for letter");
    }
}

#[test]
fn captures_and_releases_show_in_the_payment() {
    let held = payment(PaymentState::Authorized);
    for (kind, says) in [(OperationKind::Capture, true), (OperationKind::Void, false)] {
        for state in OPERATION_STATES {
            let changed = with_operation(held.clone(), kind, *state);
            let told = pair().statements(&operation_event(changed.clone()));
            // A part of it cannot be released at Square.
            let is_told = says && *state == OperationState::Succeeded;
            assert_eq!(told.is_empty(), !is_told, "{kind:?} {state:?}");
            assert!(!is_told || told == asked(&changed));
        }
    }
    let captured = with_operation(held.clone(), OperationKind::Capture, OperationState::Succeeded);
    let authorized = format!("{OF} as order-1: AUTHORIZED 100.00 EUR");
    let part = "Capture capture=PAY0000000000001 SUCCESSFUL 40.00 EUR";
    let part = format!("{OF} as order-1: {part}");
    assert_eq!(in_all_words(&asked(&captured)), [authorized, part]);
    let mut released = with_operation(held, OperationKind::Void, OperationState::Succeeded);
    released.operations[0].amount.minor_units = 10_000;
    let says = in_all_words(&pair().statements(&operation_event(released.clone())));
    assert_eq!(says, [format!("{OF} as order-1: AUTHORIZATION_CANCELED 100.00 EUR")]);
    assert_eq!(in_all_words(&asked(&released)), says);
}

#[test]
fn a_webhook_is_signed_for_its_url() {
    let mut pair = pair();
    let webhook = pair.voice.webhook(&event(payment(PaymentState::Paid)), &pair.speaker).unwrap();
    let request = crate::providers::Request::new(&webhook.headers, &webhook.body);
    pair.settings.options.insert("notification_url", "https://other.example".to_owned());
    pair.provider.verify(&request, &pair.settings, Time::default()).unwrap_err();
}

#[test]
fn who_asks_and_of_what_is_checked() {
    let pair = pair();
    let other = ProviderId::parse("payment", "a/../b").unwrap();
    let order = ProviderId::parse("order", "o").unwrap();
    let refund = [ProviderId::parse("refund", "PAY0000000000001_OP00000000000000").unwrap()];
    let operations = [OperationSubject { kind: Kind::Refund, ids: &refund, reference: None }];
    let ids = [order, id(), other];
    let subject = Subject {
        ids: &ids,
        reference: None,
        amount: None,
        created: None,
        operations: &operations,
    };
    let calls = pair.api().ask(&subject, &pair.settings);
    let paths: Vec<_> = calls.iter().map(|call| call.path.as_str()).collect();
    let refund_path = "/v2/refunds/PAY0000000000001%5FOP00000000000000";
    assert_eq!(
        paths,
        ["/v2/payments/PAY0000000000001", "/v2/payments/a%2F%2E%2E%2Fb", refund_path]
    );
    let ledger = [with_operation(
        payment(PaymentState::Paid),
        OperationKind::Refund,
        OperationState::Succeeded,
    )];
    assert_eq!(pair.answer(&calls[0], &ledger).status, 401);
    let mut call = calls[0].clone();
    pair.api().authorize(&mut call, None, &pair.settings, Time::default());
    let version = ("square-version", "2025-01-23".to_owned());
    assert_eq!(call.headers, [("authorization", "Bearer EAAA".to_owned()), version]);
    assert_eq!(pair.answer(&call, &[]).status, 404);
    let reply = pair.answer(&call, &ledger);
    let response = Response { status: reply.status, body: &reply.body };
    let answer = pair.api().read(&call, &response, &subject, &pair.settings).unwrap();
    assert!(answer.then.is_empty(), "that refund is asked about already");
    let mut sandbox = pair.settings.clone();
    sandbox.environment = Environment::Sandbox;
    assert_eq!(pair.api().api_url(&pair.settings), "https://connect.squareup.com");
    assert_eq!(pair.api().api_url(&sandbox), "https://connect.squareupsandbox.com");
    assert_eq!(pair.api().credentials(), ["access_token"]);
}

fn read(step: &'static str, status: u16, body: &str) -> Result<(usize, usize), String> {
    let call = Call { step, about: "P1".to_owned(), ..Call::default() };
    let subject =
        Subject { ids: &[], reference: None, amount: None, created: None, operations: &[] };
    let response = Response { status, body: body.as_bytes() };
    let answer = Api.read(&call, &response, &subject, &pair().settings);
    answer.map(|answer| (answer.readings.len(), answer.then.len())).map_err(|err| err.what)
}

#[test]
fn an_answer_is_of_what_was_asked() {
    let (payments, refunds) = ("GET /v2/payments/{id}", "GET /v2/refunds/{id}");
    let payment = |more: &str| format!(r#"{{"payment":{{"id":"P1","status":"COMPLETED"{more}}}}}"#);
    assert_eq!(read(payments, 200, &payment("")), Ok((1, 0)));
    assert_eq!(read(payments, 200, &payment(r#","refund_ids":["R1","R2"]"#)), Ok((1, 2)));
    let many = format!(r#","refund_ids":[{}]"#, vec!["\"R\""; 100].join(","));
    assert_eq!(read(payments, 200, &payment(&many)), Ok((1, 32)), "a limit of our own");
    let unknown = r#"{"payment":{"id":"P1","status":"HELD"}}"#;
    assert_eq!(read(payments, 200, unknown), Ok((0, 0)), "an unknown word says nothing");
    let refund = r#"{"refund":{"id":"P1","payment_id":"P","status":"PENDING"}}"#;
    assert_eq!(read(refunds, 200, refund), Ok((1, 0)));
    assert_eq!(read(payments, 404, "not even JSON"), Ok((0, 0)));
    let other = payment("").replace("P1", "P2");
    let what = "payment.id is not the one asked about".to_owned();
    assert_eq!(read(payments, 200, &other), Err(what));
    assert_eq!(read(refunds, 200, &payment("")), Err("refund is missing".to_owned()));
    read(payments, 200, "{").unwrap_err();
    read(payments, 400, "{}").unwrap_err();
    let deep = payment(&format!(r#","x":{}{}"#, "[".repeat(500), "]".repeat(500)));
    assert_eq!(read(payments, 200, &deep), Err("the body is nested deeper than 128".to_owned()));
}

/// No answer makes the adapter panic.
pub(super) fn answer_survives(body: &[u8]) {
    let body = String::from_utf8_lossy(body);
    let _ = read("GET /v2/payments/{id}", 200, &body);
    let _ = read("GET /v2/refunds/{id}", 200, &body);
}

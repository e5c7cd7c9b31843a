//! What the simulator says as Square verifies and is read as meant; its answers say the same.

use paystatus_simulator::life::{OperationKind, OperationState, Payment, PaymentState};

use crate::{
    domain::{
        ids::ProviderId,
        statement::{OperationKind as Kind, Statement},
        time::Time,
    },
    providers::{
        Call, Environment, OperationSubject, Response, StatusApi, Subject,
        square::status::Api,
        tests::{
            OPERATION_STATES, PAYMENT_STATES, SimulatedAccount, each_in_words, event, operate,
            payment,
        },
    },
};

const OF: &str = "payment=p1";

fn account() -> SimulatedAccount {
    SimulatedAccount::new("square", &[])
}

fn id() -> ProviderId {
    ProviderId::parse("payment", "p1").unwrap()
}

fn asked(payment: &Payment) -> Vec<Statement> {
    account().ask(&[id()], None, std::slice::from_ref(payment))
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
        let meant = [format!("{OF} as o1: {word} 100.00 AUD")];
        assert_eq!(each_in_words(&answered), meant, "{state:?}");
        // What is completed stays so, and what was never approved is not said to be canceled.
        let is_silent = matches!(
            state,
            PaymentState::Corrected | PaymentState::Canceled | PaymentState::Expired
        );
        let told = if is_silent { &[][..] } else { &answered };
        let webhook = account().hear(&event(&payment(*state)));
        assert_eq!(webhook, told, "{state:?}: the same, letter for letter");
    }
}

#[test]
fn every_state_of_a_refund_in_webhooks_and_answers() {
    let says = ["PENDING", "SUCCESSFUL", "DECLINED", "ERROR", "ERROR", "ERROR"];
    for (state, word) in OPERATION_STATES.iter().zip(says) {
        let mut payment = payment(PaymentState::Paid);
        let told = operate(&mut payment, (OperationKind::Refund, "r1"), *state, 4_000);
        let answered = asked(&payment);
        let refund = format!("{OF}: Refund refund=p1_r1 {word} 40.00 AUD");
        let paid = format!("{OF} as o1: SOLD 100.00 AUD");
        assert_eq!(each_in_words(&answered), [paid, refund], "{state:?}");
        let told = account().hear(&told);
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
            let mut changed = held.clone();
            let told = account().hear(&operate(&mut changed, (kind, "1"), *state, 4_000));
            // A part of it cannot be released at Square.
            let is_told = says && *state == OperationState::Succeeded;
            assert_eq!(told.is_empty(), !is_told, "{kind:?} {state:?}");
            assert!(!is_told || told == asked(&changed));
        }
    }
    let mut captured = held.clone();
    let capture = (OperationKind::Capture, "c1");
    operate(&mut captured, capture, OperationState::Succeeded, 4_000);
    let authorized = format!("{OF} as o1: AUTHORIZED 100.00 AUD");
    let part = format!("{OF} as o1: Capture capture=p1 SUCCESSFUL 40.00 AUD");
    assert_eq!(each_in_words(&asked(&captured)), [authorized, part]);
    let mut released = held;
    let void = (OperationKind::Void, "v1");
    let told = operate(&mut released, void, OperationState::Succeeded, 10_000);
    let says = each_in_words(&account().hear(&told));
    assert_eq!(says, [format!("{OF} as o1: AUTHORIZATION_CANCELED 100.00 AUD")]);
    assert_eq!(each_in_words(&asked(&released)), says);
}

#[test]
fn a_webhook_is_signed_for_its_url() {
    let mut account = account();
    let webhook = account.webhook(&event(&payment(PaymentState::Paid))).unwrap();
    let request = crate::providers::Request::new(&webhook.headers, &webhook.body);
    account.settings.options.insert("notification_url", "https://other.example".to_owned());
    account.provider.verify(&request, &account.settings, Time::default()).unwrap_err();
}

#[test]
fn who_asks_and_of_what_is_checked() {
    let account = account();
    let other = ProviderId::parse("payment", "a/../b").unwrap();
    let order = ProviderId::parse("order", "o").unwrap();
    let refund = [ProviderId::parse("refund", "p1_r1").unwrap()];
    let operations = [OperationSubject { kind: Kind::Refund, ids: &refund, reference: None }];
    let ids = [order, id(), other];
    let subject = Subject { ids: &ids, operations: &operations, ..Subject::default() };
    let calls = account.api().ask(&subject, &account.settings);
    let paths: Vec<_> = calls.iter().map(|call| call.path.as_str()).collect();
    let refund_path = "/v2/refunds/p1%5Fr1";
    assert_eq!(paths, ["/v2/payments/p1", "/v2/payments/a%2F%2E%2E%2Fb", refund_path]);
    let mut refunded = payment(PaymentState::Paid);
    operate(&mut refunded, (OperationKind::Refund, "r1"), OperationState::Succeeded, 4_000);
    let ledger = [refunded];
    assert_eq!(account.answer(&calls[0], &ledger).status, 401);
    let mut call = calls[0].clone();
    account.api().authorize(&mut call, None, &account.settings, Time::default());
    let version = ("square-version", "2025-01-23".to_owned());
    assert_eq!(call.headers, [("authorization", "Bearer sim-access_token".to_owned()), version]);
    assert_eq!(account.answer(&call, &[]).status, 404);
    let reply = account.answer(&call, &ledger);
    let response = Response { status: reply.status, body: &reply.body };
    let answer = account.api().read(&call, &response, &subject, &account.settings).unwrap();
    assert!(answer.then.is_empty(), "that refund is asked about already");
    let mut sandbox = account.settings.clone();
    sandbox.environment = Environment::Sandbox;
    assert_eq!(account.api().api_url(&account.settings), "https://connect.squareup.com");
    assert_eq!(account.api().api_url(&sandbox), "https://connect.squareupsandbox.com");
    assert_eq!(account.api().credentials(), ["access_token"]);
}

fn read(step: &'static str, status: u16, body: &str) -> Result<(usize, usize), String> {
    let call = Call { step, about: "P1".to_owned(), ..Call::default() };
    let subject = Subject::default();
    let response = Response { status, body: body.as_bytes() };
    let answer = Api.read(&call, &response, &subject, &account().settings);
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

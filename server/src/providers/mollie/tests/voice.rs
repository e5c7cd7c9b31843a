//! What the simulator says as Mollie verifies and is read as meant; its answers say the same.

use paystatus_simulator::life::{OperationKind, OperationState, Payment, PaymentState};

use crate::{
    domain::{ids::ProviderId, statement::Statement, time::Time},
    providers::{
        Call, Content, Response, Secret, StatusApi, Subject,
        mollie::status::Api,
        tests::happened::{
            OPERATION_STATES, PAYMENT_STATES, Pair, event, in_words, operation_event, payment,
            with_operation,
        },
    },
};

const OF: &str = "payment=tr_PAY0000000000001";

fn pair(webhooks: &str) -> Pair {
    let mut pair = Pair::of("mollie", &[("webhooks", webhooks)]);
    pair.settings.credentials.insert("api_key".to_owned(), Secret::new("live_key"));
    pair.speaker.credentials.insert("api_key".to_owned(), "live_key".to_owned());
    pair
}

fn in_all_words(statements: &[Statement]) -> Vec<String> {
    statements.iter().map(in_words).collect()
}

fn asked(pair: &Pair, payment: &Payment) -> Vec<Statement> {
    let id = ProviderId::parse("payment", "tr_PAY0000000000001").unwrap();
    pair.asked(&[id], std::slice::from_ref(payment))
}

#[test]
fn every_state_of_a_payment_in_webhooks_and_answers() {
    let says = [
        "PENDING",
        "AUTHORIZED",
        "SOLD",
        "SOLD",
        "DECLINED",
        "CANCELED",
        "EXPIRED",
        "DECLINED",
        "AUTHORIZATION_EXPIRED",
    ];
    for (state, word) in PAYMENT_STATES.iter().zip(says) {
        let pair = pair("next-gen");
        let meant = [format!("{OF} as order-1: {word} 100.00 EUR")];
        let answered = asked(&pair, &payment(*state));
        assert_eq!(in_all_words(&answered), meant, "{state:?}");
        let webhook = pair.statements(&event(payment(*state)));
        // A payment that fails after all is none of Mollie's events: it is a chargeback.
        let told = if *state == PaymentState::Corrected { &[][..] } else { &answered };
        assert_eq!(webhook, told, "{state:?}: the same, letter for letter");
    }
}

#[test]
fn every_state_of_an_operation_in_webhooks_and_answers() {
    for (kind, id, says) in [
        (
            OperationKind::Capture,
            "Capture capture=cpt",
            ["PENDING", "SUCCESSFUL", "TRY_ERROR", "TRY_ERROR", "TRY_ERROR", "TRY_ERROR"],
        ),
        (
            OperationKind::Refund,
            "Refund refund=re",
            ["PENDING", "SUCCESSFUL", "CORRECTED", "CANCELED", "CORRECTED", "CORRECTED"],
        ),
    ] {
        for (state, word) in OPERATION_STATES.iter().zip(says) {
            let pair = pair("next-gen");
            let payment = with_operation(payment(PaymentState::Authorized), kind, *state);
            let answered = asked(&pair, &payment);
            let meant = format!("{OF}: {id}_OP00000000000000 {word} 40.00 EUR");
            assert_eq!(in_words(answered.last().unwrap()), meant, "{kind:?} {state:?}");
            let told = pair.statements(&operation_event(payment));
            // Nor is it documented that a capture fails after it succeeded.
            let is_silent = kind == OperationKind::Capture
                && matches!(state, OperationState::Pending | OperationState::Corrected);
            let meant = if is_silent { &[][..] } else { &answered[answered.len() - 1..] };
            assert_eq!(told, meant, "{kind:?} {state:?}: the same, letter for letter");
        }
    }
}

#[test]
fn a_release_shows_in_the_payment() {
    let pair = pair("next-gen");
    let held = payment(PaymentState::Authorized);
    let released = with_operation(held.clone(), OperationKind::Void, OperationState::Succeeded);
    let says = in_all_words(&pair.statements(&operation_event(released.clone())));
    assert_eq!(says, [format!("{OF} as order-1: AUTHORIZATION_CANCELED 100.00 EUR")]);
    assert_eq!(in_all_words(&asked(&pair, &released)), says);

    let in_part = with_operation(held, OperationKind::Capture, OperationState::Succeeded);
    let in_part = with_operation(in_part, OperationKind::Void, OperationState::Succeeded);
    let contents = pair.contents(&operation_event(in_part.clone())).unwrap();
    assert!(matches!(contents[1], Content::Look(_)), "which captures is not in the webhook");
    let authorized = format!("{OF} as order-1: AUTHORIZED 100.00 EUR");
    let captured = format!("{OF}: Capture capture=cpt_OP00000000000000 SUCCESSFUL 40.00 EUR");
    assert_eq!(in_all_words(&asked(&pair, &in_part)), [authorized, captured]);
}

#[test]
fn a_classic_webhook_only_names_the_payment() {
    let pair = pair("classic");
    for state in PAYMENT_STATES {
        let contents = pair.contents(&event(payment(*state)));
        let is_silent = matches!(state, PaymentState::Pending | PaymentState::Corrected);
        assert_eq!(contents.is_none(), is_silent, "{state:?}");
        for content in contents.unwrap_or_default() {
            let Content::Look(id) = content else { panic!("{content:?}") };
            assert_eq!(id.value.as_str(), "tr_PAY0000000000001");
        }
    }
}

#[test]
fn who_asks_and_of_what_is_checked() {
    let pair = pair("classic");
    let id = ProviderId::parse("payment", "tr_PAY0000000000001").unwrap();
    let other = ProviderId::parse("payment", "tr_1/../2").unwrap();
    let transaction = ProviderId::parse("transaction", "t1").unwrap();
    let ids = [transaction, id, other];
    let subject =
        Subject { ids: &ids, reference: None, amount: None, created: None, operations: &[] };
    let calls = pair.api().ask(&subject, &pair.settings);
    let paths: Vec<_> = calls.iter().map(|call| call.path.as_str()).collect();
    assert_eq!(paths[1], "/v2/payments/tr%5F1%2F%2E%2E%2F2?embed=captures,refunds");
    assert_eq!(paths.len(), 2, "an id of another kind names no payment at Mollie");
    let ledger = [payment(PaymentState::Paid)];
    assert_eq!(pair.answer(&calls[0], &ledger).status, 401);
    let mut call = calls[0].clone();
    pair.api().authorize(&mut call, None, &pair.settings, Time::default());
    assert_eq!(call.headers, [("authorization", "Bearer live_key".to_owned())]);
    assert_eq!(pair.answer(&call, &ledger).status, 200);
    assert_eq!(pair.answer(&call, &[]).status, 404);
    assert_eq!(pair.asked(&ids, &[]), []);
    assert_eq!(pair.api().api_url(&pair.settings), "https://api.mollie.com");
    assert_eq!(pair.api().credentials(), ["api_key"]);
}

#[test]
fn an_answer_is_of_the_payment_asked_about() {
    let pair = pair("classic");
    let subject =
        Subject { ids: &[], reference: None, amount: None, created: None, operations: &[] };
    let call = Call { about: "tr_1".to_owned(), ..Call::default() };
    let read = |status, body: &str| {
        let response = Response { status, body: body.as_bytes() };
        Api.read(&call, &response, &subject, &pair.settings).map(|answer| answer.readings.len())
    };
    let payment = |id: &str, mode: &str| {
        format!(r#"{{"id":"{id}","mode":"{mode}","status":"paid","amount":null}}"#)
    };
    assert_eq!(read(200, &payment("tr_1", "live")), Ok(1));
    assert_eq!(read(200, &payment("tr_1", "test")), Ok(0), "of the other environment");
    assert_eq!(read(404, "not even JSON"), Ok(0));
    let what = read(200, &payment("tr_2", "live")).unwrap_err().what;
    assert_eq!(what, "id is not that of the payment asked about");
    read(200, "{").unwrap_err();
    read(410, "{}").unwrap_err();
    let deep = format!(r#"{{"id":"tr_1","x":{}{}}}"#, "[".repeat(500), "]".repeat(500));
    assert_eq!(read(200, &deep).unwrap_err().what, "the body is nested deeper than 128");
}

/// No answer makes the adapter panic.
pub(super) fn answer_survives(body: &[u8]) {
    let pair = pair("classic");
    let subject =
        Subject { ids: &[], reference: None, amount: None, created: None, operations: &[] };
    let call = Call { about: "tr_5B8cwPMGnU6qLbRvo7qEZo".to_owned(), ..Call::default() };
    let response = Response { status: 200, body };
    let _ = Api.read(&call, &response, &subject, &pair.settings);
}

//! What the simulator says as Mollie verifies and is read as meant; its answers say the same.

use paystatus_simulator::life::{OperationKind, OperationState, Payment, PaymentState};

use crate::{
    domain::{ids::ProviderId, statement::Statement, time::Time},
    providers::{
        Call, Content, Response, StatusApi, Subject,
        mollie::status::Api,
        tests::{
            OPERATION_STATES, PAYMENT_STATES, SimulatedAccount, each_in_words, event, in_words,
            operate, payment,
        },
    },
};

const OF: &str = "payment=tr_p1";

fn account(webhooks: &str) -> SimulatedAccount {
    SimulatedAccount::new("mollie", &[("webhooks", webhooks)])
}

fn id() -> ProviderId {
    ProviderId::parse("payment", "tr_p1").unwrap()
}

fn asked(account: &SimulatedAccount, payment: &Payment) -> Vec<Statement> {
    account.ask(&[id()], None, std::slice::from_ref(payment))
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
        let account = account("next-gen");
        let meant = [format!("{OF} as o1: {word} 100.00 AUD")];
        let answered = asked(&account, &payment(*state));
        assert_eq!(each_in_words(&answered), meant, "{state:?}");
        let webhook = account.hear(&event(&payment(*state)));
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
            let account = account("next-gen");
            let mut payment = payment(PaymentState::Authorized);
            let told = operate(&mut payment, (kind, "1"), *state, 4_000);
            let answered = asked(&account, &payment);
            let meant = format!("{OF}: {id}_1 {word} 40.00 AUD");
            assert_eq!(in_words(answered.last().unwrap()), meant, "{kind:?} {state:?}");
            let told = account.hear(&told);
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
    let account = account("next-gen");
    let held = payment(PaymentState::Authorized);
    let void = (OperationKind::Void, "v1");
    let mut released = held.clone();
    let told = operate(&mut released, void, OperationState::Succeeded, 4_000);
    let says = each_in_words(&account.hear(&told));
    assert_eq!(says, [format!("{OF} as o1: AUTHORIZATION_CANCELED 100.00 AUD")]);
    assert_eq!(each_in_words(&asked(&account, &released)), says);

    let mut in_part = held;
    let capture = (OperationKind::Capture, "c1");
    operate(&mut in_part, capture, OperationState::Succeeded, 4_000);
    let told = operate(&mut in_part, void, OperationState::Succeeded, 4_000);
    let readings = account.readings(&told).unwrap();
    let is_hint = matches!(readings[1].content, Content::Look(_));
    assert!(is_hint, "which captures is not in the webhook");
    let authorized = format!("{OF} as o1: AUTHORIZED 100.00 AUD");
    let captured = format!("{OF}: Capture capture=cpt_c1 SUCCESSFUL 40.00 AUD");
    assert_eq!(each_in_words(&asked(&account, &in_part)), [authorized, captured]);
}

#[test]
fn a_classic_webhook_only_names_the_payment() {
    let account = account("classic");
    for state in PAYMENT_STATES {
        let readings = account.readings(&event(&payment(*state)));
        let is_silent = matches!(state, PaymentState::Pending | PaymentState::Corrected);
        assert_eq!(readings.is_none(), is_silent, "{state:?}");
        for reading in readings.unwrap_or_default() {
            assert_eq!(reading.content, Content::Look(id()));
        }
    }
}

#[test]
fn who_asks_and_of_what_is_checked() {
    let account = account("classic");
    let other = ProviderId::parse("payment", "tr_1/../2").unwrap();
    let transaction = ProviderId::parse("transaction", "t1").unwrap();
    let ids = [transaction, id(), other];
    let subject = Subject { ids: &ids, ..Subject::default() };
    let calls = account.api().ask(&subject, &account.settings);
    let paths: Vec<_> = calls.iter().map(|call| call.path.as_str()).collect();
    assert_eq!(paths[1], "/v2/payments/tr%5F1%2F%2E%2E%2F2?embed=captures,refunds");
    assert_eq!(paths.len(), 2, "an id of another kind names no payment at Mollie");
    let ledger = [payment(PaymentState::Paid)];
    assert_eq!(account.answer(&calls[0], &ledger).status, 401);
    let mut call = calls[0].clone();
    account.api().authorize(&mut call, None, &account.settings, Time::default());
    assert_eq!(call.headers, [("authorization", "Bearer sim-api_key".to_owned())]);
    assert_eq!(account.answer(&call, &ledger).status, 200);
    assert_eq!(account.answer(&call, &[]).status, 404);
    assert_eq!(account.ask(&ids, None, &[]), []);
    assert_eq!(account.api().api_url(&account.settings), "https://api.mollie.com");
    assert_eq!(account.api().credentials(), ["api_key"]);
}

#[test]
fn an_answer_is_of_the_payment_asked_about() {
    let account = account("classic");
    let subject = Subject::default();
    let call = Call { about: "tr_1".to_owned(), ..Call::default() };
    let read = |status, body: &str| {
        let response = Response { status, body: body.as_bytes() };
        Api.read(&call, &response, &subject, &account.settings).map(|answer| answer.readings.len())
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
    let account = account("classic");
    let subject = Subject::default();
    let call = Call { about: "tr_5B8cwPMGnU6qLbRvo7qEZo".to_owned(), ..Call::default() };
    let response = Response { status: 200, body };
    let _ = Api.read(&call, &response, &subject, &account.settings);
}

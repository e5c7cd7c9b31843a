//! What is asked, and that the answers say the same as the webhooks.

use paystatus_simulator::life::{OperationKind as Kind, OperationState as Is, PaymentState};

use super::{super::status::Api, *};
use crate::{
    domain::ids::{ProviderId, Reference},
    providers::{
        Answer, Response, Subject,
        tests::{
            SimulatedAccount, all_words, each_in_words, event, in_words, operate, payment,
            payment_of,
        },
    },
};

fn account() -> SimulatedAccount {
    SimulatedAccount::new("stripe", &[])
}

fn ids() -> Vec<ProviderId> {
    vec![ProviderId::parse("payment_intent", "pi_p1").unwrap()]
}

#[test]
fn every_state_is_told_alike() {
    use PaymentState::{
        AuthorizationExpired, Authorized, Canceled, Declined, Error, Expired, Paid, Pending,
    };
    for (state, word) in [
        (Pending, "PENDING"),
        (Authorized, "AUTHORIZED"),
        (Paid, "SOLD"),
        (Declined, "TRY_DECLINED"),
        (Error, "TRY_ERROR"),
        (Canceled, "CANCELED"),
        (Expired, "EXPIRED"),
        (AuthorizationExpired, "AUTHORIZATION_EXPIRED"),
    ] {
        let payment = payment(state);
        let told = event(&payment);
        let heard = account().hear(&told);
        let said = in_words(&heard[0]);
        assert!(said.ends_with(&format!(": {word} 100.00 AUD")), "{said}");
        assert_eq!(heard[0].reference.as_ref().map(Reference::as_str), Some("o1"));
        account().assert_asked_was_heard(&ids(), &payment, &[told]);
    }
}

#[test]
fn operations_are_told_alike() {
    let mut held = payment(PaymentState::Authorized);
    let mut told = vec![event(&held)];
    told.push(operate(&mut held, (Kind::Capture, "c1"), Is::Succeeded, 4000));
    account().assert_asked_was_heard(&ids(), &held, &told);
    for (id, state) in [
        ("r1", Is::Pending),
        ("r1", Is::Succeeded),
        ("r1", Is::Corrected),
        ("r2", Is::Canceled),
        ("r3", Is::Declined),
        ("r4", Is::Error),
        ("r5", Is::Succeeded),
    ] {
        told.push(operate(&mut held, (Kind::Refund, id), state, 1000));
        account().assert_asked_was_heard(&ids(), &held, &told);
    }
    let mut released = payment(PaymentState::Authorized);
    let told = operate(&mut released, (Kind::Void, "v1"), Is::Succeeded, 10_000);
    // A webhook names the charge alone, so what was released is known from the poll only.
    let (heard, asked) = (account().hear(&told), account().ask(&ids(), None, &[released]));
    assert_eq!((heard.len(), asked.len()), (1, 2));
    assert_eq!(all_words(&heard[..1]), all_words(&asked[..1]));
    assert!(in_words(&asked[1]).contains(": Void charge=ch_p1 SUCCESSFUL"));
}

/// What an answer about refunds says, of charges that are shown.
#[test]
fn what_was_let_go_is_no_refund() {
    let id = ids();
    let subject = subject(&id, None);
    let call = Api.ask(&subject, &settings(&[])).remove(1);
    let said = |captured: u64, transaction: &str| -> Vec<String> {
        let charge = format!(
            r#"{{"id":"ch_1","amount":100,"amount_captured":{captured},"captured":{},"currency":"eur"}}"#,
            captured > 0,
        );
        let refund = format!(
            r#"{{"id":"re_1","status":"succeeded","amount":60,"currency":"eur","charge":{charge},
                "payment_intent":"pi_p1","balance_transaction":{transaction}}}"#
        );
        let body = format!(r#"{{"data":[{refund}]}}"#);
        let response = Response { status: 200, body: body.as_bytes() };
        let answer = Api.read(&call, &response, &subject, &settings(&[])).unwrap();
        answer
            .readings
            .iter()
            .flat_map(|reading| match &reading.content {
                crate::providers::Content::Statements(said) => each_in_words(said),
                content => panic!("{content:?}"),
            })
            .collect()
    };
    let refund = "charge=ch_1,payment_intent=pi_p1: Refund refund=re_1";
    assert_eq!(said(100, "null"), [format!("{refund} SUCCESSFUL 0.60 EUR")]);
    assert_eq!(said(40, "\"txn_1\""), [format!("{refund} SUCCESSFUL 0.60 EUR")]);
    assert_eq!(said(40, "null"), [format!("{refund} PENDING 0.60 EUR")], "it may be the rest");
    assert!(said(0, "\"txn_1\"").is_empty(), "nothing was captured");
}

#[test]
fn a_payment_is_found_by_charge_and_by_reference() {
    let account = account();
    let reference = r"it's \ o1";
    let payment = payment_of("p1", reference, PaymentState::Paid);
    let ledger = [payment_of("p2", "o2", PaymentState::Paid), payment];
    let expected = all_words(&account.ask(&ids(), None, &ledger));
    let charge = [ProviderId::parse("charge", "ch_p1").unwrap()];
    assert_eq!(all_words(&account.ask(&charge, None, &ledger)), expected);
    assert_eq!(all_words(&account.ask(&[], Some(reference), &ledger)), expected);
    assert!(account.ask(&[], Some("o3"), &ledger).is_empty());
    assert!(
        account
            .ask(&[ProviderId::parse("payment_intent", "pi_9").unwrap()], None, &ledger)
            .is_empty()
    );
}

fn subject<'a>(ids: &'a [ProviderId], reference: Option<&'a Reference>) -> Subject<'a> {
    Subject { ids, reference, ..Subject::default() }
}

#[test]
fn requests_are_stripes_own() {
    let mut settings = settings(&[]);
    settings.credentials.insert("secret_key".to_owned(), crate::providers::Secret::new("sk_1"));
    let reference = Reference::parse("o 1/ä").unwrap();
    let paths = |ids: &[ProviderId], reference| -> Vec<String> {
        let calls = Api.ask(&subject(ids, reference), &settings);
        calls.into_iter().map(|call| call.path).collect()
    };
    assert_eq!(
        paths(&ids(), Some(&reference)),
        [
            "/v1/payment_intents/pi_p1?expand%5B%5D=latest_charge",
            "/v1/refunds?payment_intent=pi_p1&limit=100&expand%5B%5D=data.charge",
        ]
    );
    let search =
        "/v1/payment_intents/search?query=metadata%5B%27order_id%27%5D%3A%27o+1%2F%C3%A4%27";
    assert_eq!(paths(&[], Some(&reference)), [search]);
    assert!(paths(&[], None).is_empty());
    let above = [ProviderId::parse("payment_intent", "..").unwrap()];
    assert!(paths(&above, None).iter().all(|path| !path.contains("/..")));

    let call = Api.ask(&subject(&ids(), None), &settings).remove(0);
    assert_eq!(account().answer(&call, &[]).status, 401);
    let mut authorized = call.clone();
    Api.authorize(&mut authorized, None, &settings, Time::from_seconds(0));
    let headers = [
        ("authorization", "Bearer sk_1".to_owned()),
        ("stripe-version", "2025-03-31.basil".to_owned()),
    ];
    assert_eq!(authorized.headers, headers);
    settings.options.insert(CONNECTED, "yes".to_owned());
    settings.provider_merchant = Some("acct_1".to_owned());
    let mut connected = call;
    Api.authorize(&mut connected, None, &settings, Time::from_seconds(0));
    assert_eq!(connected.headers[2], ("stripe-account", "acct_1".to_owned()));
}

#[test]
fn an_answer_that_is_none_changes_nothing() {
    let ids = ids();
    let subject = subject(&ids, None);
    let read = |status: u16, body: &str| -> Result<Answer, Unreadable> {
        let call = Api.ask(&subject, &settings(&[])).remove(0);
        let response = Response { status, body: body.as_bytes() };
        Api.read(&call, &response, &subject, &settings(&[]))
    };
    assert!(read(404, "<html>").unwrap().readings.is_empty());
    assert!(read(400, "{}").is_err());
    assert!(read(200, "{\"id\":\"pi_1\",").is_err());
    assert!(read(200, &"[".repeat(500)).is_err());
    let other =
        r#"{"id":"pi_1","status":"succeeded","livemode":false,"amount":1,"currency":"eur"}"#;
    assert!(read(200, other).unwrap().readings.is_empty());
    let answers = [r#""pi_1""#, r#""pi_1" "#].map(|id| {
        let body = format!(r#"{{"id":{id},"status":"processing","amount":1,"currency":"eur"}}"#);
        read(200, &body).unwrap().readings
    });
    assert_eq!(answers[0], answers[1], "an answer that says the same again is equal");
}

//! What is asked, and that the answers say the same as the webhooks.

use paystatus_simulator::life::{OperationKind as Kind, OperationState as Is, PaymentState};

use super::{super::status::Api, *};
use crate::{
    domain::ids::{ProviderId, Reference},
    providers::{
        Answer, Environment, Response, Secret, Subject,
        tests::{SimulatedAccount, all_words, event, in_words, operate, payment, payment_of},
    },
};

fn account() -> SimulatedAccount {
    SimulatedAccount::new("checkout-com", &[])
}

fn ids() -> Vec<ProviderId> {
    vec![ProviderId::parse("payment", "pay_p1").unwrap()]
}

#[test]
fn every_state_is_told_alike() {
    use PaymentState::{
        AuthorizationExpired, Authorized, Canceled, Declined, Error, Expired, Paid, Pending,
    };
    for (state, word) in [
        (Pending, "PENDING"),
        (Authorized, "AUTHORIZED"),
        (Paid, "AUTHORIZED"),
        (Declined, "TRY_DECLINED"),
        (Error, "TRY_DECLINED"),
        (Canceled, "TRY_CANCELED"),
        (Expired, "TRY_EXPIRED"),
    ] {
        let payment = payment(state);
        let told = event(&payment);
        let heard = account().hear(&told);
        let said = in_words(&heard[0]);
        assert!(said.ends_with(&format!(": {word} 100.00 AUD")), "{said}");
        let reference = heard.last().and_then(|said| said.reference.as_ref());
        assert_eq!(reference.map(Reference::as_str), Some("o1"));
        account().assert_asked_was_heard(&ids(), &payment, &[told]);
    }
    let mut payment = payment(Authorized);
    let approved = event(&payment);
    payment.state = AuthorizationExpired;
    let expired = event(&payment);
    let heard = account().hear(&expired);
    assert!(in_words(&heard[0]).ends_with(": AUTHORIZATION_EXPIRED 100.00 AUD"));
    account().assert_asked_was_heard(&ids(), &payment, &[approved, expired]);
}

#[test]
fn operations_are_told_alike() {
    let mut payment = payment(PaymentState::Authorized);
    let mut told = vec![event(&payment)];
    for (kind, id, state) in [
        (Kind::Capture, "c1", Is::Pending),
        (Kind::Capture, "c1", Is::Succeeded),
        (Kind::Capture, "c2", Is::Declined),
        (Kind::Refund, "r1", Is::Pending),
        (Kind::Refund, "r1", Is::Succeeded),
        (Kind::Refund, "r2", Is::Error),
        (Kind::Refund, "r3", Is::Declined),
        (Kind::Void, "v1", Is::Declined),
        (Kind::Void, "v2", Is::Succeeded),
    ] {
        told.push(operate(&mut payment, (kind, id), state, 1000));
        account().assert_asked_was_heard(&ids(), &payment, &told);
    }
    assert_eq!(account().ask(&ids(), None, &[payment]).len(), 9);
}

#[test]
fn a_payment_is_found_by_its_reference() {
    let reference = "o1/ä ?&";
    let ledger = [
        payment_of("p2", "o2", PaymentState::Paid),
        payment_of("p1", reference, PaymentState::Paid),
    ];
    let expected = all_words(&account().ask(&ids(), None, &ledger));
    assert_eq!(expected.len(), 2);
    assert_eq!(all_words(&account().ask(&[], Some(reference), &ledger)), expected);
    assert!(account().ask(&[], Some("o3"), &ledger).is_empty());
    let unknown = [ProviderId::parse("payment", "pay_9").unwrap()];
    assert!(account().ask(&unknown, None, &ledger).is_empty());
}

fn subject<'a>(ids: &'a [ProviderId], reference: Option<&'a Reference>) -> Subject<'a> {
    Subject { ids, reference, ..Subject::default() }
}

#[test]
fn requests_are_checkout_coms_own() {
    let mut settings = settings(&[]);
    settings.credentials.insert("secret_key".to_owned(), Secret::new("sk_1"));
    let reference = Reference::parse("o 1").unwrap();
    let paths = |ids: &[ProviderId], reference| -> Vec<String> {
        let calls = Api.ask(&subject(ids, reference), &settings);
        calls.into_iter().map(|call| call.path).collect()
    };
    assert_eq!(paths(&ids(), Some(&reference)), ["/payments/pay_p1"]);
    assert_eq!(paths(&[], Some(&reference)), ["/payments?limit=10&reference=o+1"]);
    assert!(paths(&[], None).is_empty());
    let mut call = Api.ask(&subject(&ids(), None), &settings).remove(0);
    assert_eq!(account().answer(&call, &[]).status, 401);
    Api.authorize(&mut call, None, &settings, Time::from_seconds(0));
    assert_eq!(call.headers, [("authorization", "Bearer sk_1".to_owned())]);
    assert_eq!(Api.api_url(&settings), "https://api.checkout.com");
    settings.options.insert(PREFIX, "vkuhvk4v".to_owned());
    assert_eq!(Api.api_url(&settings), "https://vkuhvk4v.api.checkout.com");
    settings.environment = Environment::Sandbox;
    settings.options.insert(PREFIX, "evil.example/".to_owned());
    assert_eq!(Api.api_url(&settings), "https://api.sandbox.checkout.com");
}

#[test]
fn every_status_word_is_read() {
    let ids = ids();
    let subject = subject(&ids, None);
    let read = |status: u16, body: &str| -> Result<Answer, Unreadable> {
        let call = Api.ask(&subject, &settings(&[])).remove(0);
        let response = Response { status, body: body.as_bytes() };
        Api.read(&call, &response, &subject, &settings(&[]))
    };
    for (word, expected) in [
        ("Pending", Some("PENDING")),
        ("Retry Scheduled", Some("PENDING")),
        ("Authorized", Some("AUTHORIZED")),
        ("Partially Captured", Some("AUTHORIZED")),
        ("Captured", Some("AUTHORIZED")),
        ("Partially Refunded", Some("AUTHORIZED")),
        ("Refunded", Some("AUTHORIZED")),
        ("Paid", Some("SOLD")),
        ("Declined", Some("TRY_DECLINED")),
        ("Expired", Some("AUTHORIZATION_EXPIRED")),
        ("Canceled", Some("AUTHORIZATION_CANCELED")),
        ("Voided", None),
        ("Card Verified", None),
        ("New", None),
    ] {
        let body = json!({"id": "pay_p1", "status": word, "amount": 1, "currency": "EUR"});
        let answer = read(200, &body.to_string()).unwrap();
        assert_eq!(answer.then[0].path, "/payments/pay_p1/actions");
        let said = answer.readings.first().map(|reading| match &reading.content {
            Content::Statements(statements) => in_words(&statements[0]),
            content => panic!("{content:?}"),
        });
        let expected = expected.map(|word| format!("payment=pay_p1: {word} 0.01 EUR"));
        assert_eq!(said, expected, "{word}");
    }
    assert!(read(404, "").unwrap().readings.is_empty());
    assert!(read(422, "{}").is_err());
    assert!(read(200, "[]").is_err());
    assert!(read(200, r#"{"id":"pay_p1","#).is_err());
    assert!(read(200, &"[".repeat(500)).is_err());
}

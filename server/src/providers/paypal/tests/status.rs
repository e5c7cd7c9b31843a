//! What is asked, and that the answers say the same as the webhooks.

use paystatus_simulator::life::{OperationKind as Kind, OperationState as Is, PaymentState};

use super::{super::status::Api, *};
use crate::{
    domain::ids::{ProviderId, Reference},
    providers::{
        Answer, Environment, Response, Secret, Subject,
        tests::{all_words, in_words, operate, payment_of},
    },
};

fn id(kind: &str, value: &str) -> Vec<ProviderId> {
    vec![ProviderId::parse(kind, value).unwrap()]
}

#[test]
fn every_state_is_told_alike() {
    use PaymentState::{AuthorizationExpired, Authorized, Declined, Error, Paid, Pending};
    for (state, word) in [
        (Pending, "PENDING"),
        (Authorized, "AUTHORIZED"),
        (Paid, "SOLD"),
        (Declined, "TRY_DECLINED"),
        (Error, "TRY_ERROR"),
        (AuthorizationExpired, "AUTHORIZATION_CANCELED"),
    ] {
        let payment = payment(state);
        let told = event(&payment);
        let heard = account().hear(&told);
        let said = in_words(&heard[0]);
        assert!(said.ends_with(&format!(": {word} 100.00 AUD")), "{said}");
        assert_eq!(heard[0].reference.as_ref().map(Reference::as_str), Some("o1"));
        account().assert_asked_was_heard(&id("order", "Op1"), &payment, &[told]);
    }
    let expired = payment(PaymentState::Expired);
    let heard = account().hear(&event(&expired));
    assert_eq!(in_words(&heard[0]), "order=Op1 as o1: TRY_EXPIRED");
    let canceled = payment(PaymentState::Canceled);
    assert!(account().hear(&event(&canceled)).is_empty());
    let asked = account().ask(&id("order", "Op1"), None, &[canceled]);
    assert!(in_words(&asked[0]).contains(": TRY_CANCELED"));
}

#[test]
fn operations_are_told_alike() {
    let mut held = payment(PaymentState::Authorized);
    let mut told = vec![event(&held)];
    for (kind, id, state) in [
        (Kind::Capture, "c1", Is::Pending),
        (Kind::Capture, "c1", Is::Succeeded),
        (Kind::Capture, "c2", Is::Declined),
        (Kind::Capture, "c3", Is::Error),
        (Kind::Refund, "r1", Is::Pending),
        (Kind::Refund, "r1", Is::Succeeded),
        (Kind::Refund, "r2", Is::Canceled),
        (Kind::Refund, "r3", Is::Error),
        (Kind::Void, "v1", Is::Succeeded),
    ] {
        told.push(operate(&mut held, (kind, id), state, 1000));
        // Within its order a refund names the order too.
        let account = account();
        let heard: Vec<_> = told.iter().flat_map(|event| account.hear(event)).collect();
        let asked = account.ask(&self::id("order", "Op1"), None, std::slice::from_ref(&held));
        let plain = |said| -> std::collections::BTreeSet<String> {
            all_words(said).into_iter().map(|words| words.replace(",order=Op1", "")).collect()
        };
        assert!(plain(&asked).is_subset(&plain(&heard)), "{asked:#?} {heard:#?}");
    }
    assert_eq!(account().ask(&id("order", "Op1"), None, &[held]).len(), 8);
    let mut sale = payment(PaymentState::Paid);
    let refunded = operate(&mut sale, (Kind::Refund, "r1"), Is::Succeeded, 1000);
    let expected = "capture=Cp1: Refund refund=Rr1 SUCCESSFUL as x-r1 10.00 AUD";
    assert_eq!(in_words(&account().hear(&refunded)[0]), expected);
}

#[test]
fn an_authorisation_or_a_capture_leads_to_its_order() {
    let mut payment = payment(PaymentState::Authorized);
    operate(&mut payment, (Kind::Capture, "c1"), Is::Succeeded, 1000);
    let ledger = [payment_of("p2", "o2", PaymentState::Paid), payment];
    let expected = all_words(&account().ask(&id("order", "Op1"), None, &ledger));
    assert_eq!(all_words(&account().ask(&id("authorization", "Ap1"), None, &ledger)), expected);
    assert_eq!(all_words(&account().ask(&id("capture", "Cc1"), None, &ledger)), expected);
    assert!(account().ask(&id("order", "Op9"), None, &ledger).is_empty());
    assert!(account().ask(&id("capture", "Cp9"), None, &ledger).is_empty());
    assert!(account().ask(&[], Some("o1"), &ledger).is_empty());
    assert!(account().ask(&id("order", ".."), None, &ledger).is_empty());
}

#[test]
fn requests_are_paypals_own() {
    let mut settings = settings();
    assert!(Api.token_call(&settings).is_none());
    for (name, text) in [("client_id", "id"), ("client_secret", "se:cret")] {
        settings.credentials.insert(name.to_owned(), Secret::new(text));
    }
    let call = Api.token_call(&settings).unwrap();
    assert_eq!(call.path, "/v1/oauth2/token");
    assert_eq!(call.body.as_deref(), Some(&b"grant_type=client_credentials"[..]));
    assert_eq!(call.headers[0], ("authorization", "Basic aWQ6c2U6Y3JldA==".to_owned()));
    let read = |body: &str| Api.read_token(&Response { status: 200, body: body.as_bytes() });
    let token = read(r#"{"access_token":"A21","expires_in":31668}"#).unwrap();
    assert_eq!((token.text.expose(), token.seconds), ("A21", Some(31668)));
    assert_eq!(read(r#"{"access_token":"A21"}"#).unwrap().seconds, None);
    for body in ["{}", r#"{"access_token":7}"#, r#"{"access_token":"x","expires_in":"1"}"#, "<"] {
        assert!(read(body).is_err(), "{body}");
    }
    let ids = id("order", "5O190127TN364715T");
    let subject = Subject { ids: &ids, ..Subject::default() };
    let mut call = Api.ask(&subject, &settings).remove(0);
    assert_eq!(call.path, "/v2/checkout/orders/5O190127TN364715T");
    assert_eq!(account().answer(&call, &[]).status, 401);
    Api.authorize(&mut call, Some(&token), &settings, Time::from_seconds(0));
    assert_eq!(call.headers, [("authorization", "Bearer A21".to_owned())]);
    assert_eq!(Api.api_url(&settings), "https://api-m.paypal.com");
    settings.environment = Environment::Sandbox;
    assert_eq!(Api.api_url(&settings), "https://api-m.sandbox.paypal.com");
}

#[test]
fn an_answer_that_is_none_changes_nothing() {
    let ids = id("order", "O1");
    let subject = Subject { ids: &ids, ..Subject::default() };
    let read = |status: u16, body: &str| -> Result<Answer, Unreadable> {
        let call = Api.ask(&subject, &settings()).remove(0);
        let response = Response { status, body: body.as_bytes() };
        Api.read(&call, &response, &subject, &settings())
    };
    assert!(read(404, "<html>").unwrap().readings.is_empty());
    assert!(read(422, "{}").is_err());
    assert!(read(200, r#"{"id":"O1","#).is_err());
    assert!(read(200, &"[".repeat(500)).is_err());
    assert!(read(200, r#"{"id":"O1","status":"NEW"}"#).unwrap().readings.is_empty());
    let body = r#"{"id":"O1","status":"APPROVED","update_time":"2026-11-21T12:00:00Z"}"#;
    let later = body.replace("12:00", "13:00");
    let answers = [body, &later].map(|body| read(200, body).unwrap().readings);
    assert_eq!(answers[0], answers[1], "an answer that says the same again is equal");
}

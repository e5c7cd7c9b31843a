//! What is asked, and that the answers say the same as the webhooks.

use paystatus_simulator::life::{
    Event, OperationKind as Kind, OperationState as Is, Payment, PaymentState,
};

use super::{super::status::Api, *};
use crate::{
    domain::ids::{ProviderId, Reference},
    providers::{Answer, Environment, Response, Secret, Subject, tests::spoken::all_words},
};

fn id(kind: &str, value: &str) -> Vec<ProviderId> {
    vec![ProviderId::parse(kind, value).unwrap()]
}

/// Everything that was asked had been heard.
fn heard_and_asked(events: &[Event], payment: &Payment) {
    let account = account();
    let heard: Vec<_> = events.iter().flat_map(|event| account.hear(event)).collect();
    let asked = account.ask(&id("order", "Op1"), None, std::slice::from_ref(payment));
    let (heard, asked) = (all_words(&heard), all_words(&asked));
    assert!(!asked.is_empty() && asked.is_subset(&heard), "{asked:#?} {heard:#?}");
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
        let payment = spoken::payment("p1", "o1", state);
        let told = spoken::event(&payment, About::Payment);
        let heard = account().hear(&told);
        assert!(
            spoken::words(&heard[0]).starts_with(&format!("{word} of 100.00 AUD")),
            "{heard:?}"
        );
        assert_eq!(heard[0].reference.as_ref().map(Reference::as_str), Some("o1"));
        heard_and_asked(&[told], &payment);
    }
    let expired = spoken::payment("p1", "o1", PaymentState::Expired);
    let heard = account().hear(&spoken::event(&expired, About::Payment));
    assert_eq!(spoken::words(&heard[0]), "TRY_EXPIRED of - for order=Op1 o1");
    let canceled = spoken::payment("p1", "o1", PaymentState::Canceled);
    assert!(account().hear(&spoken::event(&canceled, About::Payment)).is_empty());
    let asked = account().ask(&id("order", "Op1"), None, &[canceled]);
    assert!(spoken::words(&asked[0]).starts_with("TRY_CANCELED"));
}

#[test]
fn operations_are_told_alike() {
    let mut payment = spoken::payment("p1", "o1", PaymentState::Authorized);
    let mut told = vec![spoken::event(&payment, About::Payment)];
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
        told.push(spoken::operate(&mut payment, (kind, id), state, 1000));
        // Within its order a refund names the order too.
        let account = account();
        let heard: Vec<_> = told.iter().flat_map(|event| account.hear(event)).collect();
        let asked = account.ask(&self::id("order", "Op1"), None, std::slice::from_ref(&payment));
        let plain = |said| -> std::collections::BTreeSet<String> {
            all_words(said).into_iter().map(|words| words.replace(",order=Op1", "")).collect()
        };
        assert!(plain(&asked).is_subset(&plain(&heard)), "{asked:#?} {heard:#?}");
    }
    assert_eq!(account().ask(&id("order", "Op1"), None, &[payment]).len(), 8);
    let mut sale = spoken::payment("p1", "o1", PaymentState::Paid);
    let refunded = spoken::operate(&mut sale, (Kind::Refund, "r1"), Is::Succeeded, 1000);
    let expected = "Refund SUCCESSFUL refund=Rr1 x-r1 of 10.00 AUD for capture=Cp1 -";
    assert_eq!(spoken::words(&account().hear(&refunded)[0]), expected);
}

#[test]
fn an_authorisation_or_a_capture_leads_to_its_order() {
    let mut payment = spoken::payment("p1", "o1", PaymentState::Authorized);
    spoken::operate(&mut payment, (Kind::Capture, "c1"), Is::Succeeded, 1000);
    let ledger = [spoken::payment("p2", "o2", PaymentState::Paid), payment];
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
    let subject =
        Subject { ids: &ids, reference: None, amount: None, created: None, operations: &[] };
    let mut call = Api.ask(&subject, &settings).remove(0);
    assert_eq!(call.path, "/v2/checkout/orders/5O190127TN364715T");
    assert_eq!(account().status_for_strangers(&call), 401);
    Api.authorize(&mut call, Some(&token), &settings, Time::from_seconds(0));
    assert_eq!(call.headers, [("authorization", "Bearer A21".to_owned())]);
    assert_eq!(Api.api_url(&settings), "https://api-m.paypal.com");
    settings.environment = Environment::Sandbox;
    assert_eq!(Api.api_url(&settings), "https://api-m.sandbox.paypal.com");
}

#[test]
fn an_answer_that_is_none_changes_nothing() {
    let ids = id("order", "O1");
    let subject =
        Subject { ids: &ids, reference: None, amount: None, created: None, operations: &[] };
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

//! What Gr4vy is asked, by whom, and what its answers say.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use p521::{
    SecretKey,
    ecdsa::{Signature, SigningKey, VerifyingKey, signature::Verifier},
    pkcs8::DecodePrivateKey,
};
use serde_json::{Value, json};

use super::{
    super::status::{Api, CAPTURES_OF, PRIVATE_KEY, REFUNDS_OF, SEARCH, TRANSACTION},
    reading::lines,
    *,
};
use crate::{
    domain::{
        ids::{ProviderId, Reference},
        money::{Currency, Money},
        statement::OperationKind,
    },
    providers::{Answer, Call, OperationSubject, Response, Secret, Subject},
};

/// A key of our own; the same in PKCS #8 and SEC 1.
pub(super) const KEY: &str = include_str!("key.pem");
const KEY_SEC1: &str = include_str!("key_sec1.pem");
/// Its thumbprint, as `gr4vy` 2.4.27 makes it.
const THUMBPRINT: &str = "BpXMZnubLnPLHku1uu7j0UxK_7YmF0IAbFHalkpHpn8";

const NOTHING: Subject<'static> =
    Subject { ids: &[], reference: None, amount: None, created: None, operations: &[] };

fn transaction_id() -> [ProviderId; 1] {
    [ProviderId::parse("transaction", "t/1").unwrap()]
}

fn with_id(ids: &[ProviderId]) -> Subject<'_> {
    Subject { ids, ..NOTHING }
}

fn answer(call: &Call, body: &Value, subject: &Subject<'_>) -> Result<Answer, Unreadable> {
    let body = body.to_string();
    let response = Response { status: 200, body: body.as_bytes() };
    Api.read(call, &response, subject, &settings())
}

fn told(answer: &Answer) -> Vec<String> {
    answer.readings.iter().flat_map(|reading| lines(&reading.content)).collect()
}

fn transaction(status: &str, captured: u32, refunded: u32) -> Value {
    json!({
        "type": "transaction", "id": "t/1", "status": status, "amount": 1299, "currency": "MXN",
        "authorized_amount": 1299, "captured_amount": captured, "refunded_amount": refunded,
        "external_identifier": "order-1234", "merchant_account_id": "default",
        "created_at": "2024-09-17T16:54:57.333316+00:00", "updated_at": "2024-09-18T00:00:00Z",
    })
}

#[test]
fn the_instance_and_the_environment_make_the_address() {
    let with = |id: Option<&str>, environment| {
        let options = id.map(|id| (GR4VY_ID, id.to_owned())).into_iter().collect();
        let settings = AccountSettings { options, environment, ..AccountSettings::default() };
        Api.api_url(&settings).into_owned()
    };
    assert_eq!(with(Some("acme"), Environment::Live), "https://api.acme.gr4vy.app");
    assert_eq!(with(Some("acme"), Environment::Sandbox), "https://api.sandbox.acme.gr4vy.app");
    for id in [None, Some(""), Some("evil.example/"), Some("a@b"), Some("a.b")] {
        assert!(with(id, Environment::Live).ends_with(".invalid"), "{id:?}");
    }
}

#[test]
fn requests_carry_a_token_that_the_key_signed() {
    let mut account = settings();
    account.provider_merchant = Some("default".to_owned());
    for pem in [KEY, KEY_SEC1, &KEY.replace('\n', "\r\n")] {
        account.credentials.insert(PRIVATE_KEY.to_owned(), Secret::new(pem));
        let mut call = Call::default();
        Api.authorize(&mut call, None, &account, Time::from_seconds(SENT));
        assert_eq!(call.headers[1], ("x-gr4vy-merchant-account-id", "default".to_owned()));
        let (name, bearer) = &call.headers[0];
        assert_eq!(*name, "authorization");
        check_token(bearer.strip_prefix("Bearer ").unwrap());
    }
    account.credentials.insert(PRIVATE_KEY.to_owned(), Secret::new("eyJhIjoxfQ.e30.c2ln\n"));
    assert_eq!(Api.check_credentials(&account), Ok(()));
    let mut call = Call::default();
    Api.authorize(&mut call, None, &account, Time::from_seconds(SENT));
    assert_eq!(call.headers[0].1, "Bearer eyJhIjoxfQ.e30.c2ln", "a token made elsewhere");
}

/// A damaged key once went to Gr4vy as a token, whole.
#[test]
fn what_is_neither_key_nor_token_is_refused_and_not_sent() {
    let cut = &KEY[..KEY.len() / 2];
    let lines = KEY.replace("-----", "");
    for text in [
        cut,
        &lines,
        "sim-private_key",
        "a.b.c",
        "e30.e30",
        "e30.e30.e30.e30",
        "bm8.e30.e30",
        "e30..e30",
    ] {
        let mut account = settings();
        account.credentials.insert(PRIVATE_KEY.to_owned(), Secret::new(text));
        let invalid = Api.check_credentials(&account).unwrap_err();
        assert_eq!(invalid.name, PRIVATE_KEY);
        let mut call = Call::default();
        Api.authorize(&mut call, None, &account, Time::from_seconds(SENT));
        assert!(call.headers.iter().all(|(name, _)| *name != "authorization"), "{text}");
    }
    let mut account = settings();
    for key in [KEY, KEY_SEC1] {
        account.credentials.insert(PRIVATE_KEY.to_owned(), Secret::new(key));
        assert_eq!(Api.check_credentials(&account), Ok(()));
    }
}

fn check_token(token: &str) {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("{token}") };
    let decode =
        |part: &str| -> Value { serde_json::from_slice(&BASE64.decode(part).unwrap()).unwrap() };
    assert_eq!(decode(header), json!({ "alg": "ES512", "kid": THUMBPRINT, "typ": "JWT" }));
    let claims_read = decode(claims);
    assert_eq!(claims_read["scopes"], json!(["transactions.read"]));
    assert_eq!(claims_read["iat"], SENT);
    assert_eq!(claims_read["exp"], SENT + 600);
    assert_eq!(claims_read["jti"].as_str().unwrap().len(), 32);
    let key = SigningKey::from(SecretKey::from_pkcs8_pem(KEY).unwrap());
    let signature = Signature::from_slice(&BASE64.decode(signature).unwrap()).unwrap();
    let signed = format!("{header}.{claims}");
    VerifyingKey::from(&key).verify(signed.as_bytes(), &signature).unwrap();
}

#[test]
fn the_id_is_asked_for_where_it_is_known() {
    let ids = transaction_id();
    let reference = Reference::parse("order-1234").unwrap();
    let subject = Subject { reference: Some(&reference), ..with_id(&ids) };
    let calls = Api.ask(&subject, &settings());
    assert_eq!(calls.len(), 1);
    assert_eq!((calls[0].step, calls[0].path.as_str()), (TRANSACTION, "/transactions/t%2F1"));
    assert!(Api.ask(&NOTHING, &settings()).is_empty());
}

#[test]
fn without_an_id_reference_amount_and_time_are_searched_for() {
    let reference = Reference::parse("order 1&2+é").unwrap();
    let money = |text: &str, code: &str| {
        Some(Money::parse(text, Currency::parse(code).unwrap(), 0).unwrap())
    };
    let path = |amount| {
        let created = Some(Time::from_seconds(1_726_592_097 + 24 * 60 * 60));
        let subject = Subject { reference: Some(&reference), amount, created, ..NOTHING };
        let calls = Api.ask(&subject, &settings());
        assert_eq!((calls.len(), calls[0].step), (1, SEARCH));
        calls[0].path.clone()
    };
    let start = "/transactions?external_identifier=order+1%262%2B%C3%A9";
    let end = "&created_at_gte=2024-09-17T16%3A54%3A57Z&limit=20";
    for (amount, query) in [
        (None, ""),
        (money("12.99", "MXN"), "&amount_eq=1299&currency=MXN"),
        (money("12.5", "MXN"), "&amount_eq=1250&currency=MXN"),
        (money("13", "JPY"), "&amount_eq=13&currency=JPY"),
        (money("1.005", "MXN"), ""),
        (money("5", "USDT"), ""),
    ] {
        assert_eq!(path(amount), format!("{start}{query}{end}"));
    }
}

#[test]
fn what_a_search_finds_is_asked_about_one_by_one() {
    let reference = Reference::parse("order-1234").unwrap();
    let subject = Subject { reference: Some(&reference), ..NOTHING };
    let call = Api.ask(&subject, &settings()).remove(0);
    let mut other = transaction("processing", 0, 0);
    other["external_identifier"] = "order-12345".into();
    let mut second = transaction("processing", 0, 0);
    second["id"] = "t2".into();
    let first = transaction("capture_succeeded", 1299, 0);
    let found = answer(&call, &json!({ "items": [first, other, second] }), &subject).unwrap();
    let paths: Vec<_> = found.then.iter().map(|call| call.path.as_str()).collect();
    assert_eq!(paths, ["/transactions/t%2F1", "/transactions/t2"]);
    assert!(found.readings.is_empty());
    let many = vec![transaction("processing", 0, 0); 50];
    assert_eq!(answer(&call, &json!({ "items": many }), &subject).unwrap().then.len(), 20);
    let none = answer(&call, &json!({ "items": [], "limit": 20 }), &subject).unwrap();
    assert!(none.readings.is_empty() && none.then.is_empty());
    assert_eq!(answer(&call, &json!({}), &subject).unwrap_err().what, "items is missing");
    let wrong = answer(&call, &json!({ "items": {} }), &subject).unwrap_err();
    assert_eq!(wrong.what, "items must be a list");
}

#[test]
fn a_transaction_says_what_its_webhook_says() {
    let ids = transaction_id();
    let call = Api.ask(&with_id(&ids), &settings()).remove(0);
    let body = transaction("capture_succeeded", 1299, 0);
    let polled = answer(&call, &body, &with_id(&ids)).unwrap();
    assert!(polled.then.is_empty());
    let mut event: Value = serde_json::from_str(EXAMPLE).unwrap();
    event["target"] = body.clone();
    let webhook = super::reading::read(&event, &settings()).unwrap();
    assert_eq!(polled.readings[0].content, webhook.content);
    assert_eq!(polled.readings[0].event_name, TRANSACTION);
    let mut later = body;
    later["updated_at"] = "2025-01-01T00:00:00Z".into();
    let again = answer(&call, &later, &with_id(&ids)).unwrap();
    assert_eq!(again.readings, polled.readings, "a status told again is a repeat");
}

#[test]
fn captures_and_refunds_are_asked_for_where_they_matter() {
    let ids = transaction_id();
    let steps = |status, captured, refunded, operations: &[OperationSubject<'_>]| {
        let subject = Subject { operations, ..with_id(&ids) };
        let call = Api.ask(&subject, &settings()).remove(0);
        let answer = answer(&call, &transaction(status, captured, refunded), &subject).unwrap();
        answer.then.iter().map(|call| call.step).collect::<Vec<_>>()
    };
    let known = |kind| OperationSubject { kind, ids: &[], reference: None };
    assert_eq!(steps("capture_succeeded", 500, 0, &[]), [CAPTURES_OF]);
    assert_eq!(steps("capture_succeeded", 1299, 100, &[]), [REFUNDS_OF]);
    let refund = known(OperationKind::Refund);
    assert_eq!(steps("capture_succeeded", 1299, 0, &[refund]), [REFUNDS_OF]);
    let capture = known(OperationKind::Capture);
    assert_eq!(steps("authorization_succeeded", 0, 0, &[capture]), [CAPTURES_OF]);
    assert!(steps("authorization_voided", 0, 0, &[known(OperationKind::Void)]).is_empty());
}

#[test]
fn a_list_of_refunds_says_one_thing_each() {
    let call = Call { step: REFUNDS_OF, about: "t/1".to_owned(), ..Call::default() };
    let refund = |id: &str, status: &str| {
        json!({ "type": "refund", "id": id, "transaction_id": "t/1", "status": status,
            "currency": "MXN", "amount": 100, "created_at": "2024-09-17T16:54:57Z" })
    };
    let items = [refund("r1", "succeeded"), refund("r2", "superb"), refund("r3", "processing")];
    let list = json!({ "items": items });
    let answer = answer(&call, &list, &NOTHING).unwrap();
    let expected = ["Refund refund:r1 SUCCESSFUL 1.00 MXN", "Refund refund:r3 PENDING 1.00 MXN"];
    assert_eq!(told(&answer), expected);
    assert_ne!(answer.readings[0].event_id, answer.readings[1].event_id);
}

#[test]
fn answers_that_say_nothing_change_nothing() {
    let ids = transaction_id();
    let subject = with_id(&ids);
    let call = Api.ask(&subject, &settings()).remove(0);
    let read =
        |status, body: &[u8]| Api.read(&call, &Response { status, body }, &subject, &settings());
    let unknown = read(404, b"<html>").unwrap();
    assert!(unknown.readings.is_empty() && unknown.then.is_empty());
    assert_eq!(read(400, b"{}").unwrap_err().what, "the answer has HTTP status 400");
    assert!(read(200, br#"{"id":"t/1","status":"#).is_err(), "cut short");
    let mut other = transaction("capture_succeeded", 1299, 0);
    other["id"] = "t2".into();
    let what = answer(&call, &other, &subject).unwrap_err().what;
    assert_eq!(what, "id is not that of the transaction that was asked for");
    let unheard = answer(&call, &transaction("unheard_of", 0, 0), &subject).unwrap();
    assert!(unheard.readings.is_empty());
    let foreign = AccountSettings { provider_merchant: Some("other".to_owned()), ..settings() };
    let body = transaction("capture_succeeded", 1299, 0).to_string();
    let response = Response { status: 200, body: body.as_bytes() };
    assert!(Api.read(&call, &response, &subject, &foreign).unwrap().readings.is_empty());
}

//! What Optty is asked, and what its answers say.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{CAPTURE, ORDER, REFUND, read};
use crate::{
    domain::{
        ids::{ProviderId, Reference},
        statement::{OperationKind, Said, Statement, operation_word, payment_word},
        time::Time,
    },
    providers::{
        AccountSettings, Answer, Call, Content, Environment, Host, OperationSubject, Response,
        Secret, StatusApi as _, Subject, Token, Unreadable, optty::status::Status,
    },
};

/// "Transaction Details", letter for letter but for one comma too many.
const DETAILS: &str = include_str!("details.json");
const REFERENCE: &str = "PLANPAY-0000-760-729";

fn settings(merchant: Option<&str>) -> AccountSettings {
    let mut settings = AccountSettings::signed_with(&["s"]);
    settings.provider_merchant = merchant.map(str::to_owned);
    settings.options.insert("refund_id", "known".to_owned());
    for (name, value) in [("client_id", "me & you"), ("client_secret", "=?")] {
        settings.credentials.insert(name.to_owned(), Secret::new(value));
    }
    settings
}

fn reference(text: &str) -> Reference {
    Reference::parse(text).unwrap()
}

fn subject<'a>(of: &'a Reference, operations: &'a [OperationSubject<'a>]) -> Subject<'a> {
    Subject { ids: &[], reference: Some(of), amount: None, created: None, operations }
}

fn answer(
    call: &Call,
    (status, body): (u16, &str),
    operations: &[OperationSubject<'_>],
    settings: &AccountSettings,
) -> Result<Answer, Unreadable> {
    let of = reference(&call.about);
    let response = Response { status, body: body.as_bytes() };
    Status.read(call, &response, &subject(&of, operations), settings)
}

fn first_call(of: &str) -> Call {
    let of = reference(of);
    Status.ask(&subject(&of, &[]), &settings(None)).remove(0)
}

fn statements(answer: &Answer) -> Vec<Statement> {
    let said = answer.readings.iter().flat_map(|reading| match &reading.content {
        Content::Statements(statements) => statements.clone(),
        other => panic!("{other:?}"),
    });
    said.collect()
}

/// Each statement in words: `SOLD 260.00 AUD`, `refund r1 SUCCESSFUL 240.00 AUD`.
fn words(answer: &Answer) -> Vec<String> {
    let word = |statement: Statement| {
        let amount = statement.amount.map(|a| format!(" {}", a.money)).unwrap_or_default();
        match statement.said {
            Said::Payment(claim) => format!("{}{amount}", payment_word(claim)),
            Said::Operation(said) => {
                let kind = format!("{:?}", said.kind).to_lowercase();
                let word = operation_word(said.claim);
                format!("{kind} {} {word}{amount}", said.reference.unwrap())
            }
        }
    };
    statements(answer).into_iter().map(word).collect()
}

fn order(status: &str, more: Value) -> String {
    let mut order = json!({
        "merchantReference": "o1", "status": status, "amount": 260, "currency": "AUD",
        "updatedAt": "2024-02-28T05:30:56.096Z", "transactionReference": "6d5af829b5",
    });
    order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    order.to_string()
}

#[test]
fn the_token_is_asked_for_with_a_form() {
    let call = Status.token_call(&settings(None)).unwrap();
    assert_eq!((call.host, call.path.as_str()), (Host::Auth, "/token"));
    assert_eq!(
        String::from_utf8(call.body.unwrap()).unwrap(),
        "client_id=me+%26+you&client_secret=%3D%3F&grant_type=client_credentials\
         &response_type=token&scope=api-user"
    );
    let token = |status, body: &str| Status.read_token(&Response { status, body: body.as_bytes() });
    let given = token(200, r#"{"access_token":"t","expires_in":3600,"scope":"x"}"#).unwrap();
    assert_eq!((given.text.expose(), given.seconds), ("t", Some(3600)));
    assert_eq!(token(201, r#"{"access_token":"t"}"#).unwrap().seconds, None);
    for (status, body) in [(200, "{}"), (400, r#"{"access_token":"t"}"#), (200, "<html>")] {
        assert!(token(status, body).is_err(), "{status} {body}");
    }
    let mut call = first_call("o1");
    let token = Token { text: Secret::new("t"), seconds: None };
    Status.authorize(&mut call, Some(&token), &settings(None), Time::default());
    assert_eq!(call.headers, [("authorization", "Bearer t".to_owned())]);
}

#[test]
fn hosts_follow_the_environment() {
    let live = settings(None);
    let sandbox = AccountSettings { environment: Environment::Sandbox, ..settings(None) };
    assert_eq!(Status.api_url(&live), "https://api.optty.com");
    assert_eq!(Status.auth_url(&live), "https://auth.optty.com");
    assert_eq!(Status.api_url(&sandbox), "https://api.qa.optty.com");
    assert_eq!(Status.auth_url(&sandbox), "https://auth.qa.optty.com");
}

#[test]
fn an_order_is_asked_about_by_its_reference() {
    let call = first_call("a/b c?d");
    assert_eq!((call.path.as_str(), call.body), ("/orders/a%2Fb%20c%3Fd", None));
    let nothing =
        Subject { ids: &[], reference: None, amount: None, created: None, operations: &[] };
    assert!(Status.ask(&nothing, &settings(None)).is_empty());
    let id = [ProviderId::parse("reference", "o1").unwrap()];
    let asked = Status.ask(&Subject { ids: &id, ..nothing }, &settings(None));
    assert_eq!(asked[0].path, "/orders/o1");
}

#[test]
fn each_word_says_what_it_says_in_a_webhook() {
    for (status, more, said) in [
        ("PENDING", json!({}), "PENDING 260.00 AUD"),
        ("INITIATED", json!({}), "PENDING 260.00 AUD"),
        ("SUCCESSFUL", json!({}), "SOLD 260.00 AUD"),
        ("SUCCESSFUL", json!({"captureStatus": "CAPTURED"}), "SOLD 260.00 AUD"),
        ("SUCCESSFUL", json!({"captureStatus": "AUTHORIZED"}), "AUTHORIZED 260.00 AUD"),
        ("DECLINED", json!({}), "DECLINED 260.00 AUD"),
        ("failed", json!({}), "DECLINED 260.00 AUD"),
        ("CANCELLED", json!({}), "TRY_CANCELED 260.00 AUD"),
        ("CANCELED", json!({"cancelledBy": "USER"}), "TRY_CANCELED 260.00 AUD"),
        ("CANCELED", json!({"cancelledBy": "SYSTEM"}), "TRY_EXPIRED 260.00 AUD"),
        ("ERROR", json!({"amount": null}), "TRY_ERROR"),
    ] {
        let body = order(status, more);
        let answer = answer(&first_call("o1"), (201, &body), &[], &settings(None)).unwrap();
        assert_eq!(words(&answer), [said], "{body}");
        assert_eq!(statements(&answer)[0].provider_time, None);
        assert!(answer.then.is_empty());
    }
    let unknown = order("SOMETHING", json!({}));
    let answer = answer(&first_call("o1"), (200, &unknown), &[], &settings(None)).unwrap();
    assert!(answer.readings.is_empty());
}

/// A webhook and an answer about the same thing join: the same names, the same words.
#[test]
fn answers_name_things_as_webhooks_do() {
    let said = |body: &str| match read(body).unwrap().content {
        Content::Statements(statements) => statements[0].clone(),
        other => panic!("{other:?}"),
    };
    let webhook = said(ORDER);
    let body = order("SUCCESSFUL", json!({"merchantReference": "Test-52", "amount": "146.24"}));
    let polled = answer(&first_call("Test-52"), (201, &body), &[], &settings(None)).unwrap();
    let polled = &statements(&polled)[0];
    assert_eq!((&polled.said, polled.amount), (&webhook.said, webhook.amount));
    assert_eq!(polled.reference, webhook.reference);
    assert!(polled.ids.iter().all(|id| webhook.ids.contains(id)));

    let (refund, capture) = (said(REFUND), said(CAPTURE));
    let operation = |statement: &Statement| match &statement.said {
        Said::Operation(said) => said.clone(),
        other => panic!("{other:?}"),
    };
    let (refund, capture) = (operation(&refund), operation(&capture));
    let known = [OperationSubject {
        kind: OperationKind::Refund,
        ids: &[],
        reference: refund.reference.as_ref(),
    }];
    let text = |reference: &Option<Reference>| reference.as_ref().unwrap().to_string();
    let body = order(
        "SUCCESSFUL",
        json!({
            "refunds": [{"refundId": text(&refund.reference), "amount": "60", "currency": "AUD",
                "status": "SUCCESSFUL"}],
            "orderCaptures": [{"captureId": text(&capture.reference), "amount": "12",
                "status": "SUCCESSFUL"}],
        }),
    );
    let first = answer(&first_call("o1"), (201, &body), &known, &settings(Some("m"))).unwrap();
    let details = answer(&first.then[0], (200, &body), &known, &settings(Some("m"))).unwrap();
    let told: Vec<_> = statements(&details).iter().map(operation).collect();
    assert_eq!(told, [capture, refund]);
}

#[test]
fn the_details_tell_of_captures_and_of_refunds_that_are_known() {
    let call = first_call(REFERENCE);
    let sold = order("SUCCESSFUL", json!({"merchantReference": REFERENCE}));
    let with_merchant = settings(Some("mer 1"));
    let first = answer(&call, (201, &sold), &[], &with_merchant).unwrap();
    assert_eq!(words(&first), ["SOLD 260.00 AUD"]);
    let next = &first.then[0];
    let path = "/orders/PLANPAY%2D0000%2D760%2D729/details?merchantId=mer%201";
    assert_eq!((next.path.as_str(), next.body.as_deref()), (path, Some(&b"{}"[..])));

    let details = |known: &[OperationSubject<'_>], settings: &AccountSettings| {
        words(&answer(next, (200, DETAILS), known, settings).unwrap())
    };
    let capture = "capture CAPTURE_789 SUCCESSFUL 120.00 AUD";
    let refund = format!("refund {REFERENCE} SUCCESSFUL 240.00 AUD");
    assert_eq!(details(&[], &with_merchant), [capture]);
    let own = reference(REFERENCE);
    let known = |kind| [OperationSubject { kind, ids: &[], reference: Some(&own) }];
    assert_eq!(details(&known(OperationKind::Refund), &with_merchant), [capture, &refund]);
    assert_eq!(details(&known(OperationKind::Void), &with_merchant), [capture]);
    let mut trusting = settings(Some("mer 1"));
    trusting.options.insert("refund_id", "reference".to_owned());
    assert_eq!(details(&[], &trusting), [capture, &refund]);

    let pending = order("PENDING", json!({"merchantReference": REFERENCE}));
    let first = answer(&call, (201, &pending), &[], &with_merchant).unwrap();
    assert!(first.then.is_empty(), "nothing was captured or refunded yet");
}

/// What was captured in parts is not stated as a sale of the whole.
#[test]
fn a_captured_order_is_sold_unless_captures_tell_of_it() {
    let body = |captures: Value| {
        order("SUCCESSFUL", json!({"captureStatus": "CAPTURED", "orderCaptures": captures}))
    };
    let settings = settings(Some("m"));
    let captures = json!([{"captureId": "c1", "amount": "100", "status": "SUCCESSFUL"}]);
    for (captures, said) in [
        (json!([]), vec!["SOLD 260.00 AUD"]),
        (captures.clone(), vec!["AUTHORIZED 260.00 AUD", "capture c1 SUCCESSFUL 100.00 AUD"]),
    ] {
        let body = body(captures);
        let first = answer(&first_call("o1"), (201, &body), &[], &settings).unwrap();
        assert!(words(&first).is_empty(), "the details say");
        let details = answer(&first.then[0], (200, &body), &[], &settings).unwrap();
        assert_eq!(words(&details), said);
    }
    let c1 = reference("c1");
    let known = [OperationSubject { kind: OperationKind::Capture, ids: &[], reference: Some(&c1) }];
    let without = AccountSettings { provider_merchant: None, ..settings };
    let first = answer(&first_call("o1"), (201, &body(captures)), &known, &without).unwrap();
    assert_eq!(words(&first), ["AUTHORIZED 260.00 AUD"]);
}

#[test]
fn what_is_not_an_answer_says_nothing() {
    let call = first_call("o1");
    let of = |status, body: &str| answer(&call, (status, body), &[], &settings(Some("m")));
    let unknown = of(404, "whatever").unwrap();
    assert!(unknown.readings.is_empty() && unknown.then.is_empty());
    let sound = order("SUCCESSFUL", json!({}));
    for (status, body) in [
        (400, sound.as_str()),
        (200, "{}"),
        (200, "[]"),
        (200, "<html>"),
        (200, &sound[..sound.len() / 2]),
        (200, &order("SUCCESSFUL", json!({"merchantReference": "o2"}))),
        (200, &order("SUCCESSFUL", json!({"amount": "-1"}))),
        (200, &order("SUCCESSFUL", json!({"amount": "1e3"}))),
        (200, &order("SUCCESSFUL", json!({"status": 7}))),
    ] {
        let what = of(status, body).unwrap_err().what;
        assert!(!what.contains("o2") && !what.contains("1e3"), "{what}");
    }
    let many: Vec<Value> = (0..65).map(|n| json!({"captureId": n.to_string()})).collect();
    let first = of(201, &order("SUCCESSFUL", json!({}))).unwrap();
    let body = order("SUCCESSFUL", json!({"orderCaptures": many}));
    assert!(answer(&first.then[0], (200, &body), &[], &settings(Some("m"))).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in any::<Vec<u8>>(), status in 100..600_u16) {
        let of = reference("o1");
        let settings = settings(Some("m"));
        let mut call = first_call("o1");
        let response = Response { status, body: &body };
        for step in ["GET /orders/{reference}", "other"] {
            call.step = step;
            drop(Status.read(&call, &response, &subject(&of, &[]), &settings));
        }
        drop(Status.read_token(&response));
    }
}

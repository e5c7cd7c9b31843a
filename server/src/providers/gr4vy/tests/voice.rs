//! What the simulator says, which knows nothing of the adapter: its webhooks verify and are read as
//! meant, and its status API tells the same.

use paystatus_simulator::{
    life::{About, Amount, Event, Operation, OperationKind, OperationState, Payment, PaymentState},
    voice::{Question, Speaker, Voice as _},
    voices::gr4vy::Gr4vy as Voice,
};

use super::{
    super::status::{Api, PRIVATE_KEY},
    reading::lines,
    status::KEY,
    *,
};
use crate::{
    domain::ids::ProviderId,
    providers::{Call, OperationSubject, Response, Secret, Subject},
};

fn speaker() -> Speaker {
    Speaker {
        secret: SECRET.to_owned(),
        options: [("environment".to_owned(), "sandbox".to_owned())].into(),
        credentials: [(PRIVATE_KEY.to_owned(), KEY.to_owned())].into(),
        now_seconds: SENT,
        ..Speaker::default()
    }
}

fn account() -> AccountSettings {
    let mut account = settings();
    account.credentials.insert(PRIVATE_KEY.to_owned(), Secret::new(KEY));
    account
}

fn amount(minor_units: u64) -> Amount {
    Amount { currency: "EUR".to_owned(), minor_units, exponent: 2 }
}

fn payment(state: PaymentState) -> Payment {
    Payment {
        id: "t1".to_owned(),
        reference: "order-1".to_owned(),
        amount: amount(1000),
        state,
        created_seconds: SENT - 60,
        changed_seconds: SENT,
        operations: Vec::new(),
    }
}

fn with_operation(kind: OperationKind, state: OperationState) -> Payment {
    let is_refund = kind == OperationKind::Refund;
    let of = if is_refund { PaymentState::Paid } else { PaymentState::Authorized };
    let operation = Operation {
        kind,
        id: "op1".to_owned(),
        reference: "mine-1".to_owned(),
        amount: amount(400),
        state,
        changed_seconds: SENT,
    };
    Payment { operations: vec![operation], ..payment(of) }
}

/// What the webhook about a payment, or its one operation, is read as.
fn heard(payment: &Payment) -> Option<Vec<String>> {
    let about = if payment.operations.is_empty() { About::Payment } else { About::Operation(0) };
    let event = Event { id: "e1".to_owned(), about, payment: payment.clone(), seconds: SENT };
    let webhook = Voice.webhook(&event, &speaker())?;
    let request = Request::new(&webhook.headers, &webhook.body);
    Gr4vy.verify(&request, &account(), Time::from_seconds(SENT)).unwrap();
    let reading = Gr4vy.read(&request, &account()).unwrap().remove(0);
    assert_eq!(reading.event_id, "e1");
    Some(lines(&reading.content))
}

/// What the status API tells of a payment, with all that has to be asked for it.
fn asked(payment: &Payment, subject: &Subject<'_>) -> Vec<String> {
    let mut calls = Api.ask(subject, &account());
    let mut told = Vec::new();
    while let Some(mut call) = calls.pop() {
        Api.authorize(&mut call, None, &account(), Time::from_seconds(SENT));
        let reply = Voice.answer(&question(&call), std::slice::from_ref(payment), &speaker());
        let reply = reply.unwrap();
        let response = Response { status: reply.status, body: &reply.body };
        let answer = Api.read(&call, &response, subject, &account()).unwrap();
        told.extend(answer.readings.iter().flat_map(|reading| lines(&reading.content)));
        calls.extend(answer.then);
    }
    told
}

fn question(call: &Call) -> Question {
    let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
    let headers = call.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    Question {
        method: "GET".to_owned(),
        path: path.to_owned(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: headers.collect(),
        body: Vec::new(),
    }
}

const NOTHING: Subject<'static> =
    Subject { ids: &[], reference: None, amount: None, created: None, operations: &[] };

#[test]
fn every_payment_webhook_is_read_as_meant_and_told_again_when_asked() {
    let ids = [ProviderId::parse("transaction", "t1").unwrap()];
    for (state, expected) in [
        (PaymentState::Pending, Some("PENDING 10.00 EUR")),
        (PaymentState::Authorized, Some("AUTHORIZED 10.00 EUR")),
        (PaymentState::Paid, Some("SOLD 10.00 EUR")),
        (PaymentState::Declined, Some("DECLINED 10.00 EUR (insufficient_funds)")),
        (PaymentState::Expired, Some("EXPIRED 10.00 EUR (service_error)")),
        (PaymentState::Error, Some("ERROR 10.00 EUR (service_error)")),
        (PaymentState::Canceled, None),
        (PaymentState::Corrected, None),
        (PaymentState::AuthorizationExpired, None),
    ] {
        let payment = payment(state);
        let heard = heard(&payment);
        assert_eq!(heard, expected.map(|line| vec![line.to_owned()]), "{state:?}");
        let asked = asked(&payment, &Subject { ids: &ids, ..NOTHING });
        assert!(heard.is_none_or(|heard| heard == asked), "{state:?}: {asked:?}");
    }
}

#[test]
fn every_operation_webhook_is_read_as_meant_and_told_again_when_asked() {
    use OperationKind::{Capture, Refund, Void};
    use OperationState::{Canceled, Corrected, Declined, Error, Pending, Succeeded};
    let ids = [ProviderId::parse("transaction", "t1").unwrap()];
    for (kind, name) in
        [(Capture, "Capture capture:op1 =mine-1"), (Refund, "Refund refund:op1 =mine-1")]
    {
        for (state, word) in [
            (Pending, Some("PENDING")),
            (Succeeded, Some("SUCCESSFUL")),
            (Declined, Some("DECLINED")),
            (Error, Some("ERROR")),
            (Canceled, None),
            (Corrected, None),
        ] {
            let payment = with_operation(kind, state);
            let expected = word.map(|word| format!("{name} {word} 4.00 EUR"));
            assert_eq!(heard(&payment), expected.clone().map(|line| vec![line]), "{state:?}");
            let known = match kind {
                Capture => crate::domain::statement::OperationKind::Capture,
                _ => crate::domain::statement::OperationKind::Refund,
            };
            let operations = [OperationSubject { kind: known, ids: &[], reference: None }];
            let subject = Subject { ids: &ids, operations: &operations, ..NOTHING };
            let asked = asked(&payment, &subject);
            assert!(expected.is_none_or(|line| asked.contains(&line)), "{state:?}: {asked:?}");
        }
    }
    for (state, words) in [
        (Pending, "Void void:t1 =t1 PENDING"),
        (Succeeded, "Void void:t1 =t1 SUCCESSFUL"),
        (Declined, "Void void:t1 =t1 TRY_DECLINED"),
        (Error, "Void void:t1 =t1 TRY_ERROR"),
    ] {
        let payment = with_operation(Void, state);
        assert_eq!(heard(&payment).unwrap().last().unwrap(), words);
        let is_told =
            asked(&payment, &Subject { ids: &ids, ..NOTHING }).contains(&words.to_owned());
        assert_eq!(is_told, matches!(state, Pending | Succeeded), "a failed void leaves no trace");
    }
}

#[test]
fn a_payment_is_found_by_its_reference_and_amount() {
    let reference = crate::domain::ids::Reference::parse("order-1").unwrap();
    let with = |units| {
        let currency = crate::domain::money::Currency::parse("EUR").unwrap();
        let amount = crate::domain::money::Money::new(currency, units, 2).ok();
        let created = Some(Time::from_seconds(SENT));
        let subject = Subject { reference: Some(&reference), amount, created, ..NOTHING };
        asked(&payment(PaymentState::Paid), &subject)
    };
    assert_eq!(with(1000), ["SOLD 10.00 EUR"]);
    assert!(with(999).is_empty());
}

#[test]
fn strangers_and_unknown_payments_are_told_so() {
    let ids = [ProviderId::parse("transaction", "t2").unwrap()];
    let subject = Subject { ids: &ids, ..NOTHING };
    assert!(asked(&payment(PaymentState::Paid), &subject).is_empty());
    let status = |call: &Call| Voice.answer(&question(call), &[], &speaker()).unwrap().status;
    let mut call = Api.ask(&subject, &account()).remove(0);
    assert_eq!(status(&call), 401, "nobody");
    Api.authorize(&mut call, None, &account(), Time::from_seconds(SENT - 10_000));
    assert_eq!(status(&call), 401, "a token that is over");
    call.headers.clear();
    Api.authorize(&mut call, None, &account(), Time::from_seconds(SENT));
    assert_eq!(status(&call), 404);
    call.headers[0].1.replace_range(30..31, "!");
    assert_eq!(status(&call), 401, "a token that nobody signed");
    assert!(Voice.answer(&Question::default(), &[], &speaker()).is_none());
}

//! What the simulator says, which knows nothing of the adapter: its webhooks verify and are read as
//! meant, and its status API tells the same.

use paystatus_simulator::{
    life::{Event, OperationKind, OperationState, Payment, PaymentState},
    voice::Question,
};

use super::{super::status::PRIVATE_KEY, reading::lines, status::KEY, *};
use crate::{
    domain::{
        ids::{ProviderId, Reference},
        statement::OperationKind as Kind,
        testing::aud,
    },
    providers::{
        Call, OperationSubject, Subject,
        tests::{NOW, SimulatedAccount, event, operate, payment},
    },
};

fn account() -> SimulatedAccount {
    let mut account = SimulatedAccount::new("gr4vy", &[]);
    account.settings.environment = Environment::Sandbox;
    account.speaker.options.insert("environment".to_owned(), "sandbox".to_owned());
    account.set_credential(PRIVATE_KEY, KEY);
    account
}

fn ids(value: &str) -> [ProviderId; 1] {
    [ProviderId::parse("transaction", value).unwrap()]
}

/// What the webhook of an event is read as.
fn heard(event: &Event) -> Option<Vec<String>> {
    let reading = account().readings(event)?.remove(0);
    assert_eq!(reading.event_id, event.id);
    Some(lines(&reading.content))
}

/// What the status API tells of a payment, with all that has to be asked for it.
fn asked(payment: &Payment, subject: &Subject<'_>) -> Vec<String> {
    let readings = account().look(subject, std::slice::from_ref(payment));
    readings.iter().flat_map(|reading| lines(&reading.content)).collect()
}

#[test]
fn every_payment_webhook_is_read_as_meant_and_told_again_when_asked() {
    let ids = ids("p1");
    for (state, expected) in [
        (PaymentState::Pending, Some("PENDING 100.00 AUD")),
        (PaymentState::Authorized, Some("AUTHORIZED 100.00 AUD")),
        (PaymentState::Paid, Some("SOLD 100.00 AUD")),
        (PaymentState::Declined, Some("DECLINED 100.00 AUD (insufficient_funds)")),
        (PaymentState::Expired, Some("EXPIRED 100.00 AUD (service_error)")),
        (PaymentState::Error, Some("ERROR 100.00 AUD (service_error)")),
        (PaymentState::Canceled, None),
        (PaymentState::Corrected, None),
        (PaymentState::AuthorizationExpired, None),
    ] {
        let payment = payment(state);
        let heard = heard(&event(&payment));
        assert_eq!(heard, expected.map(|line| vec![line.to_owned()]), "{state:?}");
        let asked = asked(&payment, &Subject { ids: &ids, ..Subject::default() });
        assert!(heard.is_none_or(|heard| heard == asked), "{state:?}: {asked:?}");
    }
}

#[test]
fn every_operation_webhook_is_read_as_meant_and_told_again_when_asked() {
    use OperationKind::{Capture, Refund, Void};
    use OperationState::{Canceled, Corrected, Declined, Error, Pending, Succeeded};
    let ids = ids("p1");
    for (kind, name) in [(Capture, "Capture capture:1 =x-1"), (Refund, "Refund refund:1 =x-1")] {
        for (state, word) in [
            (Pending, Some("PENDING")),
            (Succeeded, Some("SUCCESSFUL")),
            (Declined, Some("DECLINED")),
            (Error, Some("ERROR")),
            (Canceled, None),
            (Corrected, None),
        ] {
            let (of, known) = match kind {
                Capture => (PaymentState::Authorized, Kind::Capture),
                _ => (PaymentState::Paid, Kind::Refund),
            };
            let mut payment = payment(of);
            let told = operate(&mut payment, (kind, "1"), state, 4_000);
            let expected = word.map(|word| format!("{name} {word} 40.00 AUD"));
            assert_eq!(heard(&told), expected.clone().map(|line| vec![line]), "{state:?}");
            let operations = [OperationSubject { kind: known, ids: &[], reference: None }];
            let subject = Subject { ids: &ids, operations: &operations, ..Subject::default() };
            let asked = asked(&payment, &subject);
            assert!(expected.is_none_or(|line| asked.contains(&line)), "{state:?}: {asked:?}");
        }
    }
    for (state, words) in [
        (Pending, "Void void:p1 =p1 PENDING"),
        (Succeeded, "Void void:p1 =p1 SUCCESSFUL"),
        (Declined, "Void void:p1 =p1 TRY_DECLINED"),
        (Error, "Void void:p1 =p1 TRY_ERROR"),
    ] {
        let mut payment = payment(PaymentState::Authorized);
        let told = operate(&mut payment, (Void, "1"), state, 4_000);
        assert_eq!(heard(&told).unwrap().last().unwrap(), words);
        let is_told = asked(&payment, &Subject { ids: &ids, ..Subject::default() })
            .contains(&words.to_owned());
        assert_eq!(is_told, matches!(state, Pending | Succeeded), "a failed void leaves no trace");
    }
}

#[test]
fn a_payment_is_found_by_its_reference_and_amount() {
    let reference = Reference::parse("o1").unwrap();
    let with = |amount: &str| {
        let created = Some(Time::from_seconds(NOW));
        let amount = Some(aud(amount));
        let subject =
            Subject { reference: Some(&reference), amount, created, ..Subject::default() };
        asked(&payment(PaymentState::Paid), &subject)
    };
    assert_eq!(with("100"), ["SOLD 100.00 AUD"]);
    assert!(with("99.99").is_empty());
}

#[test]
fn strangers_and_unknown_payments_are_told_so() {
    let (account, ids) = (account(), ids("t2"));
    let subject = Subject { ids: &ids, ..Subject::default() };
    assert!(asked(&payment(PaymentState::Paid), &subject).is_empty());
    let authorize = |call: &mut Call, now| {
        account.api().authorize(call, None, &account.settings, Time::from_seconds(now));
    };
    let mut call = account.api().ask(&subject, &account.settings).remove(0);
    assert_eq!(account.answer(&call, &[]).status, 401, "nobody");
    authorize(&mut call, NOW - 10_000);
    assert_eq!(account.answer(&call, &[]).status, 401, "a token that is over");
    call.headers.clear();
    authorize(&mut call, NOW);
    assert_eq!(account.answer(&call, &[]).status, 404);
    call.headers[0].1.replace_range(30..31, "!");
    assert_eq!(account.answer(&call, &[]).status, 401, "a token that nobody signed");
    assert!(account.voice.answer(&Question::default(), &[], &account.speaker).is_none());
}

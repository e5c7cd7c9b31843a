//! What the simulator says, which knows nothing of the adapter: its webhooks verify and are read as
//! meant, and its status API tells the same.

use paystatus_simulator::{
    life::{About, Amount, Event, Payment, PaymentState},
    voice::{Question, Speaker, Voice as _},
    voices::blockatm::BlockAtm as Voice,
};

use super::{super::status::*, reading::line, *};
use crate::{
    domain::ids::{ProviderId, Reference},
    providers::{Response, Secret, StatusApi as _, Subject},
};

/// The private half of [`V1_KEY`], made complete with the public one: a key of the demo.
const V1_PRIVATE: &str = concat!(
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgGlwKlmWlXlhuM0FowE/kahVMDCnyyADkEKoumtyT",
    "m66hRANCAASyOoMMQXm65WgAULF+2ySkyzMtAyujzzysWWujBxPNWJtzgnY+APLAVlhdzrHbXIdx6cnZsJn/TdeQ",
    "ytsqqoTA"
);

fn speaker(scheme: &str) -> Speaker {
    let secret = if scheme == "ecdsa" { V1_PRIVATE } else { SECRET };
    let credentials = [(API_KEY, "pk_1"), (API_SECRET, "sk_1")];
    Speaker {
        secret: secret.to_owned(),
        options: [(SIGNATURE.to_owned(), scheme.to_owned())].into(),
        credentials: credentials.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        now_seconds: 1_743_060_268,
        ..Speaker::default()
    }
}

fn account(scheme: &str) -> AccountSettings {
    let secret = if scheme == "ecdsa" { V1_KEY } else { SECRET };
    let mut account = settings(scheme, &[secret]);
    account.options.insert(TIME_WINDOW, "on".to_owned());
    for (name, value) in [(API_KEY, "pk_1"), (API_SECRET, "sk_1")] {
        account.credentials.insert(name.to_owned(), Secret::new(value));
    }
    account
}

fn payment(state: PaymentState) -> Payment {
    Payment {
        id: "8210003616".to_owned(),
        reference: "order-1".to_owned(),
        amount: Amount { currency: "USDT".to_owned(), minor_units: 13_410_037, exponent: 6 },
        state,
        created_seconds: 1_743_060_200,
        changed_seconds: 1_743_060_260,
        operations: Vec::new(),
    }
}

fn heard(state: PaymentState, scheme: &str) -> Option<String> {
    let (id, about) = ("e1".to_owned(), About::Payment);
    let event = Event { id, about, payment: payment(state), seconds: 1_743_060_260 };
    let webhook = Voice.webhook(&event, &speaker(scheme))?;
    let request = Request::new(&webhook.headers, &webhook.body);
    let account = account(scheme);
    BlockAtm.verify(&request, &account, Time::from_seconds(1_743_060_268)).unwrap();
    let reading = BlockAtm.read(&request, &account).unwrap().remove(0);
    Some(line(&reading.content))
}

/// What the status API says, and with which HTTP status.
fn asked(state: PaymentState, reference: &str, secret: &str) -> (u16, Option<String>) {
    let mut account = account("raw");
    account.credentials.insert(API_SECRET.to_owned(), Secret::new(secret));
    let ids = [ProviderId::parse("order", "8210003616").unwrap()];
    let reference = Reference::parse(reference).unwrap();
    let subject = Subject {
        ids: &ids,
        reference: Some(&reference),
        amount: None,
        created: None,
        operations: &[],
    };
    let mut call = Api.ask(&subject, &account).remove(0);
    Api.authorize(&mut call, None, &account, Time::from_seconds(1_743_060_268));
    let (path, query) = call.path.split_once('?').unwrap();
    let headers = call.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    let question = Question {
        method: "GET".to_owned(),
        path: path.to_owned(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: headers.collect(),
        body: Vec::new(),
    };
    let reply = Voice.answer(&question, &[payment(state)], &speaker("raw")).unwrap();
    if reply.status == 401 {
        return (401, None);
    }
    let response = Response { status: reply.status, body: &reply.body };
    let answer = Api.read(&call, &response, &subject, &account).unwrap();
    (reply.status, answer.readings.first().map(|reading| line(&reading.content)))
}

#[test]
fn every_webhook_is_read_as_meant_and_told_again_when_asked() {
    let names = "order:8210003616 order_no:order-1 =order-1";
    for (state, expected) in [
        (PaymentState::Pending, Some(format!("{names} PENDING 13.410037 USDT"))),
        (PaymentState::Paid, Some(format!("{names} SOLD 13.410037 USDT"))),
        (PaymentState::Expired, Some(format!("{names} TRY_EXPIRED"))),
        (PaymentState::Canceled, Some(format!("{names} TRY_CANCELED"))),
        (PaymentState::Authorized, None),
        (PaymentState::Corrected, None),
        (PaymentState::Declined, None),
        (PaymentState::Error, None),
        (PaymentState::AuthorizationExpired, None),
    ] {
        for scheme in ["raw", "sorted", "ecdsa"] {
            assert_eq!(heard(state, scheme), expected, "{state:?} {scheme}");
        }
        // An answer has no id, and does not say how much was paid.
        let told = expected.map(|said| {
            let said = said.replace("order:8210003616 ", "");
            said.replace("SOLD", "PENDING")
        });
        assert_eq!(asked(state, "order-1", "sk_1"), (200, told), "{state:?}");
    }
}

#[test]
fn strangers_and_unknown_orders_are_told_so() {
    assert_eq!(asked(PaymentState::Paid, "order-2", "sk_1"), (200, None));
    assert_eq!(asked(PaymentState::Paid, "order-1", "sk_2"), (401, None));
    let question = Question { path: "/elsewhere".to_owned(), ..Question::default() };
    assert!(Voice.answer(&question, &[], &speaker("raw")).is_none());
}

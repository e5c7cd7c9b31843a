//! What the simulator says, which knows nothing of the adapter: its webhooks verify and are read as
//! meant, and its status API tells the same.

use paystatus_simulator::{
    life::{Amount, Payment, PaymentState},
    voice::Question,
};

use super::{super::status::*, *};
use crate::{
    domain::ids::{ProviderId, Reference},
    providers::{
        Secret, Subject,
        tests::{NOW, SimulatedAccount, each_in_words, event, payment_of},
    },
};

/// The private half of [`V1_KEY`], made complete with the public one: a key of the demo.
const V1_PRIVATE: &str = concat!(
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgGlwKlmWlXlhuM0FowE/kahVMDCnyyADkEKoumtyT",
    "m66hRANCAASyOoMMQXm65WgAULF+2ySkyzMtAyujzzysWWujBxPNWJtzgnY+APLAVlhdzrHbXIdx6cnZsJn/TdeQ",
    "ytsqqoTA"
);

fn account(scheme: &str) -> SimulatedAccount {
    let options = [(SIGNATURE, scheme), (TIME_WINDOW, "on")];
    let mut account = SimulatedAccount::new("blockatm", &options);
    if scheme == "ecdsa" {
        account.set_secret(V1_KEY, V1_PRIVATE);
    }
    account
}

fn payment(state: PaymentState) -> Payment {
    let amount = Amount { currency: "USDT".to_owned(), minor_units: 13_410_037, exponent: 6 };
    Payment { amount, ..payment_of("8210003616", "order-1", state) }
}

fn asked(state: PaymentState, reference: &str) -> Vec<String> {
    let ids = [ProviderId::parse("order", "8210003616").unwrap()];
    each_in_words(&account("raw").ask(&ids, Some(reference), &[payment(state)]))
}

#[test]
fn every_webhook_is_read_as_meant_and_told_again_when_asked() {
    let names = "order=8210003616,order_no=order-1 as order-1:";
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
        let expected = Vec::from_iter(expected);
        for scheme in ["raw", "sorted", "ecdsa"] {
            let heard = account(scheme).hear(&event(&payment(state)));
            assert_eq!(each_in_words(&heard), expected, "{state:?} {scheme}");
        }
        // An answer has no id, and does not say how much was paid.
        let told = expected.iter().map(|said| {
            let said = said.replace("order=8210003616,", "");
            said.replace("SOLD", "PENDING")
        });
        assert!(told.eq(asked(state, "order-1")), "{state:?}");
    }
}

#[test]
fn strangers_and_unknown_orders_are_told_so() {
    assert!(asked(PaymentState::Paid, "order-2").is_empty());
    let mut account = account("raw");
    let reference = Reference::parse("order-1").unwrap();
    let subject = Subject { reference: Some(&reference), ..Subject::default() };
    let status = |account: &SimulatedAccount| {
        let mut call = account.api().ask(&subject, &account.settings).remove(0);
        account.api().authorize(&mut call, None, &account.settings, Time::from_seconds(NOW));
        account.answer(&call, &[payment(PaymentState::Paid)]).status
    };
    assert_eq!(status(&account), 200);
    account.settings.credentials.insert(API_SECRET.to_owned(), Secret::new("sk_2"));
    assert_eq!(status(&account), 401);
    let question = Question { path: "/elsewhere".to_owned(), ..Question::default() };
    assert!(account.voice.answer(&question, &[], &account.speaker).is_none());
}

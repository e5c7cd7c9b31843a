//! Signatures against the vector that Stripe's own library made; what is read is in
//! `tests/reading.rs`, what is asked in `tests/status.rs`.

mod bodies;
mod reading;
mod status;

use hmac::{Hmac, KeyInit as _, Mac as _};
use proptest::prelude::*;
use sha2::Sha256;

use super::*;
use crate::providers::{OptionSpec, SigningSecret};

// Made with stripe-python 16.1.0, `WebhookSignature.generate_signature_header`.
const SECRET: &str = "whsec_test_secret";
const BODY: &str = r#"{"id":"evt_1","object":"event"}"#;
const SENT: i64 = 1_700_000_000;
const TAG: &str = "0c8670ed117751cc551a20e35839447075c42800ea3cf3e8a2fbda99cd1e6edd";

fn settings(secrets: &[&str]) -> AccountSettings {
    let default = |spec: &OptionSpec| Some((spec.name, spec.default?.to_owned()));
    let options = OPTIONS.iter().filter_map(default).collect();
    AccountSettings { options, ..AccountSettings::signed_with(secrets) }
}

fn headers(values: &[&str]) -> Vec<(String, String)> {
    values.iter().map(|value| (SIGNATURE.to_owned(), (*value).to_owned())).collect()
}

fn check(
    values: &[&str],
    body: &str,
    settings: &AccountSettings,
    now: i64,
) -> Result<(), Rejected> {
    let headers = headers(values);
    Stripe.verify(&Request::new(&headers, body.as_bytes()), settings, Time::from_seconds(now))
}

fn vector(value: &str) -> Result<(), Rejected> {
    check(&[value], BODY, &settings(&[SECRET]), SENT)
}

fn signed(secret: &str, time: &str, body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    let mac = mac.chain_update(format!("{time}.{body}"));
    hex::encode(mac.finalize().into_bytes())
}

#[test]
fn what_stripes_library_signed_is_accepted() {
    assert_eq!(vector(&format!("t={SENT},v1={TAG}")), Ok(()));
    // Other schemes stand beside it, in any order.
    assert_eq!(vector(&format!("v0=abc,v1={TAG},t={SENT}")), Ok(()));
}

#[test]
fn any_signature_of_any_active_secret_is_enough() {
    let other = signed("whsec_new", &SENT.to_string(), BODY);
    assert_eq!(vector(&format!("t={SENT},v1={other},v1={TAG}")), Ok(()));
    let value = format!("t={SENT},v1={other}");
    assert_eq!(vector(&value), Err(Rejected::Mismatch));
    assert_eq!(check(&[&value], BODY, &settings(&["whsec_new", SECRET]), SENT), Ok(()));
    assert_eq!(check(&[&value], BODY, &settings(&[SECRET, "whsec_new"]), SENT), Ok(()));
    let until = Some(Time::from_seconds(SENT));
    let mut rolled = settings(&[SECRET]);
    rolled.secrets.push(SigningSecret { until, ..SigningSecret::always("whsec_new") });
    assert_eq!(check(&[&value], BODY, &rolled, SENT), Err(Rejected::Mismatch));
    assert_eq!(check(&[&value], BODY, &rolled, SENT - 1), Ok(()));
    assert_eq!(check(&[&value], BODY, &settings(&[]), SENT), Err(Rejected::NoSecret));
    assert_eq!(check(&[&value], BODY, &settings(&[""]), SENT), Err(Rejected::NoSecret));
}

#[test]
fn the_body_and_the_time_are_signed() {
    let value = format!("t={SENT},v1={TAG}");
    let account = settings(&[SECRET]);
    assert_eq!(check(&[&value], &format!("{BODY} "), &account, SENT), Err(Rejected::Mismatch));
    assert_eq!(vector(&format!("t={},v1={TAG}", SENT + 1)), Err(Rejected::Mismatch));
    assert_eq!(vector(&format!("t=0{SENT},v1={TAG}")), Err(Rejected::Mismatch));
}

#[test]
fn the_window_is_open_on_both_sides() {
    let value = format!("t={SENT},v1={TAG}");
    let at = |now| check(&[&value], BODY, &settings(&[SECRET]), now);
    assert_eq!((at(SENT + 300), at(SENT - 300)), (Ok(()), Ok(())));
    let outside = |seconds_off| Err(Rejected::OutsideWindow { seconds_off, seconds_max: 300 });
    assert_eq!((at(SENT + 301), at(SENT - 301)), (outside(-301), outside(301)));
}

#[test]
fn a_header_that_is_no_signature_is_rejected() {
    let account = settings(&[SECRET]);
    let good = format!("t={SENT},v1={TAG}");
    let malformed = Err(Rejected::Malformed { place: SIGNATURE });
    let missing = Err(Rejected::Missing { place: "stripe-signature, as v1" });
    assert_eq!(check(&[], BODY, &account, SENT), Err(Rejected::Missing { place: SIGNATURE }));
    assert_eq!(check(&[&good, &good], BODY, &account, SENT), malformed);
    let many = format!("t={SENT}{}", format!(",v1={TAG}").repeat(SIGNATURES_MAX + 1));
    for (value, expected) in [
        ("", &malformed),
        (TAG, &malformed),
        (&format!("v1={TAG}"), &malformed),
        (&format!("t=,v1={TAG}"), &malformed),
        (&format!("t=-1,v1={TAG}"), &malformed),
        (&format!("t={SENT},t={SENT},v1={TAG}"), &malformed),
        (&format!("t=99999999999999999999,v1={TAG}"), &malformed),
        (&format!("t={SENT},v1={}", &TAG[1..]), &malformed),
        (&format!("t={SENT},v1={}", TAG.to_uppercase()), &malformed),
        (&format!("t={SENT},v1="), &malformed),
        (&many, &malformed),
        (&format!("t={SENT}"), &missing),
        (&format!("t={SENT},v0={TAG}"), &missing),
    ] {
        assert_eq!(vector(value), *expected, "{value}");
    }
    let all = format!("t={SENT}{}", format!(",v1={TAG}").repeat(SIGNATURES_MAX));
    assert_eq!(vector(&all), Ok(()));
}

proptest! {
    #[test]
    fn any_bytes_do_no_harm(value in ".{0,80}", body in prop::collection::vec(any::<u8>(), 0..200)) {
        let headers = headers(&[&value]);
        let request = Request::new(&headers, &body);
        let now = Time::from_seconds(SENT);
        prop_assert!(Stripe.verify(&request, &settings(&[SECRET]), now).is_err());
        prop_assert!(Stripe.read(&request, &settings(&[SECRET])).is_err());
        let _ = Stripe.sensitive(&body);
    }
}

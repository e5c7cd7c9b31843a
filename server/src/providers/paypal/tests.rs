//! Signatures with the simulator's certificate, and with PayPal's own example as far as it is
//! public; what is read is in `tests/reading.rs`, what is asked in `tests/status.rs`.

mod reading;
mod status;

use paystatus_simulator::life::PaymentState;
use proptest::prelude::*;

use super::*;
use crate::providers::{
    OptionSpec, SigningSecret,
    tests::{NOW, SimulatedAccount, event, payment},
};

const WEBHOOK: &str = "8WH0000000000000007";
const CERTIFICATE: &[u8] =
    include_bytes!("../../../../client/simulator/src/voices/paypal/certificate.pem");

pub(super) fn settings() -> AccountSettings {
    let default = |spec: &OptionSpec| Some((spec.name, spec.default?.to_owned()));
    let options = OPTIONS.iter().filter_map(default).collect();
    AccountSettings { options, ..AccountSettings::signed_with(&[WEBHOOK]) }
}

/// An account that listens to the simulator.
pub(super) fn account() -> SimulatedAccount {
    SimulatedAccount::new("paypal", &[(REFUND_REFERENCE_FIELD, "custom_id")])
}

/// A signed webhook, with some headers in place of others, and another body if that is said.
fn check(
    account: &SimulatedAccount,
    changed: &[(&str, Option<&str>)],
    certificate: Option<&[u8]>,
    now: i64,
) -> Result<(), Rejected> {
    let webhook = account.webhook(&event(&payment(PaymentState::Authorized))).unwrap();
    let mut headers = webhook.headers;
    for (name, value) in changed {
        headers.retain(|(n, _)| n != name);
        headers.extend(value.iter().map(|value| ((*name).to_owned(), (*value).to_owned())));
    }
    let mut request = Request::new(&headers, &webhook.body);
    request.certificates = certificate;
    Paypal.verify(&request, &account.settings, Time::from_seconds(now))
}

fn good(account: &SimulatedAccount) -> Result<(), Rejected> {
    check(account, &[], Some(CERTIFICATE), NOW)
}

/// An example of PayPal-Python-SDK's tests. Its certificate is not
/// public any more, so the signature that stands beside it cannot be checked.
#[test]
fn the_signed_text_is_that_of_paypals_own_example() {
    let id = "dfb3be50-fd74-11e4-8bf3-77339302725b";
    let body = include_bytes!("tests/sale.json");
    let text = signed_text(id, "2015-05-18T15:45:13Z", "4JH86294D6297924G", body);
    assert_eq!(text, format!("{id}|2015-05-18T15:45:13Z|4JH86294D6297924G|2771810304"));
    let reading = Paypal.read(&Request::new(&[], body), &settings()).unwrap().remove(0);
    assert!(matches!(reading.content, crate::providers::Content::Ignored { .. }));
}

#[test]
fn a_webhook_of_the_account_is_accepted() {
    assert_eq!(good(&account()), Ok(()));
}

#[test]
fn any_active_webhook_id_is_enough() {
    let mut account = account();
    let own = SigningSecret::always(account.speaker.secret.as_str());
    account.settings.secrets = vec![SigningSecret::always("OTHER"), own];
    assert_eq!(good(&account), Ok(()));
    account.settings.secrets.remove(1);
    assert_eq!(good(&account), Err(Rejected::Mismatch));
    account.settings.secrets.clear();
    assert_eq!(good(&account), Err(Rejected::NoSecret));
}

#[test]
fn headers_must_stand_once_and_be_what_they_are() {
    let account = account();
    let with = |name: &'static str, value: Option<&str>| {
        check(&account, &[(name, value)], Some(CERTIFICATE), NOW)
    };
    for name in [ID, TIME, SIGNATURE, CERTIFICATE_URL, ALGORITHM] {
        assert_eq!(with(name, None), Err(Rejected::Missing { place: name }));
    }
    for (name, value) in [
        (ALGORITHM, "SHA1withRSA"),
        (ALGORITHM, "none"),
        (SIGNATURE, "%%%"),
        (TIME, "yesterday"),
        (CERTIFICATE_URL, "http://127.0.0.2/v1/notifications/certs/x"),
    ] {
        assert_eq!(with(name, Some(value)), Err(Rejected::Malformed { place: name }), "{value}");
    }
    for (name, value) in [(ID, "tx-2"), (TIME, "2026-11-21T12:00:00Z"), (SIGNATURE, "AAAA")] {
        assert_eq!(with(name, Some(value)), Err(Rejected::Mismatch), "{name}");
    }
    let webhook = account.webhook(&event(&payment(PaymentState::Authorized))).unwrap();
    let now = Time::from_seconds(NOW);
    for (name, _) in &webhook.headers[1..] {
        let mut headers = webhook.headers.clone();
        headers.extend(webhook.headers.iter().find(|(n, _)| n == name).cloned());
        let mut request = Request::new(&headers, &webhook.body);
        request.certificates = Some(CERTIFICATE);
        let rejected = Paypal.verify(&request, &account.settings, now).unwrap_err();
        assert!(matches!(rejected, Rejected::Malformed { place } if place == name), "{name}");
    }
    let mut body = webhook.body.clone();
    body.push(b' ');
    let mut request = Request::new(&webhook.headers, &body);
    request.certificates = Some(CERTIFICATE);
    assert_eq!(Paypal.verify(&request, &account.settings, now), Err(Rejected::Mismatch));
}

#[test]
fn a_certificate_that_is_not_paypals_is_not_believed() {
    let account = account();
    let with = |pem: &[u8]| check(&account, &[], Some(pem), NOW);
    let untrusted = |what| Err(Rejected::Untrusted { what });
    let no_root = untrusted("leads to no trusted root, or is not valid now");
    assert_eq!(check(&account, &[], None, NOW), untrusted("was not found"));
    assert_eq!(with(b""), untrusted("is no PEM"));
    assert_eq!(with(&CERTIFICATE.repeat(9)), untrusted("is no PEM"));
    let junk = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_eq!(with(junk), untrusted("cannot be read"));
    // Of the same key and issuer, but another name, or out of date.
    assert_eq!(with(include_bytes!("tests/other_name.pem")), untrusted("is of another name"));
    assert_eq!(with(include_bytes!("tests/expired.pem")), no_root);
    assert_eq!(check(&account, &[], Some(CERTIFICATE), 4_200_000_000), no_root);
    assert_eq!(check(&account, &[], Some(CERTIFICATE), -1), no_root);
    // Nobody but the account of the simulator trusts the simulator's root.
    let mut other = self::account();
    other.settings.options.remove(TRUST_ROOTS);
    assert_eq!(check(&other, &[], Some(CERTIFICATE), NOW), no_root);
    other.settings.options.insert(TRUST_ROOTS, "no PEM".to_owned());
    assert_eq!(check(&other, &[], Some(CERTIFICATE), NOW), no_root);
}

#[test]
fn the_window_is_an_option() {
    let mut account = account();
    let at = |account: &SimulatedAccount, now| check(account, &[], Some(CERTIFICATE), now);
    // Retries go on for three days; headers that somebody has seen are good for four.
    let (days, too_late) = (4 * 86_400, 4 * 86_400 + 1);
    assert_eq!((at(&account, NOW + days), at(&account, NOW - 300)), (Ok(()), Ok(())));
    let late = Rejected::OutsideWindow { seconds_off: -too_late, seconds_max: days };
    assert_eq!(at(&account, NOW + too_late), Err(late));
    let early = Rejected::OutsideWindow { seconds_off: 301, seconds_max: 300 };
    assert_eq!(at(&account, NOW - 301), Err(early));
    account.settings.options.insert(WINDOW, "on".to_owned());
    assert_eq!((at(&account, NOW + 300), at(&account, NOW - 300)), (Ok(()), Ok(())));
    let outside = |seconds_off| Err(Rejected::OutsideWindow { seconds_off, seconds_max: 300 });
    assert_eq!(at(&account, NOW + 301), outside(-301));
    assert_eq!(at(&account, NOW - 301), outside(301));
}

fn place(url: &str, host: Option<&str>) -> bool {
    let mut settings = settings();
    settings.options.extend(host.map(|host| (CERTIFICATE_HOST, host.to_owned())));
    let headers = [(CERTIFICATE_URL.to_owned(), url.to_owned())];
    match Paypal.certificate_url(&Request::new(&headers, b""), &settings) {
        Ok(found) => found.as_deref() == Some(url),
        Err(rejected) => {
            assert_eq!(rejected, Rejected::Malformed { place: CERTIFICATE_URL });
            false
        }
    }
}

#[test]
fn only_paypals_own_hosts_are_asked_for_certificates() {
    for url in [
        "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77",
        "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42",
        "https://API.PayPal.com/v1/notifications/certs/x",
    ] {
        assert!(place(url, None), "{url}");
    }
    for url in [
        "",
        "https://",
        "http://api.paypal.com/v1/notifications/certs/x",
        "HTTPS://api.paypal.com/v1/notifications/certs/x",
        "ftp://api.paypal.com/v1/notifications/certs/x",
        "//api.paypal.com/v1/notifications/certs/x",
        "https://api.paypal.com",
        "https://.paypal.com/v1/notifications/certs/x",
        "https://paypal.com/v1/notifications/certs/x",
        "https://evilpaypal.com/v1/notifications/certs/x",
        "https://api.paypal.com.evil.example/v1/notifications/certs/x",
        "https://evil.example/.paypal.com",
        "https://evil.example/api.paypal.com/v1/notifications/certs/x",
        "https://evil.example#.paypal.com/v1/notifications/certs/x",
        "https://evil.example?.paypal.com/v1/notifications/certs/x",
        "https://evil.example\\.paypal.com/v1/notifications/certs/x",
        "https://user@api.paypal.com/v1/notifications/certs/x",
        "https://evil.example:443@api.paypal.com/v1/notifications/certs/x",
        "https://api.paypal.com:444/v1/notifications/certs/x",
        "https://api.paypal.com:/v1/notifications/certs/x",
        "https://api.paypal.com@evil.example/v1/notifications/certs/x",
        "https://evil.example%2F.paypal.com/v1/notifications/certs/x",
        "https://évil.paypal.com/v1/notifications/certs/x",
        "https://a..paypal.com/v1/notifications/certs/x",
        "https://-a.paypal.com/v1/notifications/certs/x",
        "https://api.paypal.com./v1/notifications/certs/x",
        "https://api.paypal.com/v1/notifications/certs/x?y=1",
        "https://api.paypal.com/v1/notifications/certs/x#y",
        "https://api.paypal.com/x",
        "https://api.paypal.com/signin/v1/notifications/certs/x",
        "https://api.paypal.com/v1/notifications/certs",
        "https://api.paypal.com/v1/notifications/certs/",
        "https://api.paypal.com/v1/notifications/certs/..",
        "https://api.paypal.com/v1/notifications/certs/../x",
        "https://api.paypal.com/v1/notifications/certs//x",
        "https://api.paypal.com//v1/notifications/certs/x",
        "https://api.paypal.com/v1/notifications/certs/%2e%2e",
        " https://api.paypal.com/v1/notifications/certs/x",
        "https://api.paypal.com/v1/notifications/certs/x\n",
        "https://127.0.0.1/v1/notifications/certs/x",
    ] {
        assert!(!place(url, None), "{url}");
    }
    assert!(!place(
        &format!("https://api.paypal.com/v1/notifications/certs/{}", "x".repeat(600)),
        None
    ));
}

#[test]
fn one_host_of_a_setting_is_that_host_alone() {
    let host = Some("certs.example.com");
    assert!(place("https://certs.example.com/v1/notifications/certs/x", host));
    for url in [
        "http://certs.example.com/v1/notifications/certs/x",
        "https://certs.example.com:8443/v1/notifications/certs/x",
        "https://a.certs.example.com/v1/notifications/certs/x",
        "https://api.paypal.com/v1/notifications/certs/x",
    ] {
        assert!(!place(url, host), "{url}");
    }
    // Plain HTTP, and a port, only on one's own machine.
    assert!(place("http://127.0.0.1:18080/v1/notifications/certs/x", Some("127.0.0.1")));
    assert!(place("http://localhost:80/v1/notifications/certs/x", Some("localhost")));
    assert!(!place("http://127.0.0.1:99999/v1/notifications/certs/x", Some("127.0.0.1")));
    assert!(!place("http://127.0.0.1:80:80/v1/notifications/certs/x", Some("127.0.0.1")));
    assert!(!place("http://127.0.0.1@evil.example/v1/notifications/certs/x", Some("127.0.0.1")));
}

#[test]
fn the_host_of_the_certificate_must_be_one() {
    let with = |host: &str| {
        let mut settings = settings();
        settings.options.insert(CERTIFICATE_HOST, host.to_owned());
        let checked = Paypal.check_options(&settings);
        checked.map_err(|invalid| assert_eq!(invalid.name, CERTIFICATE_HOST)).is_ok()
    };
    for host in [".paypal.com", "certs.example.com", "127.0.0.1", "localhost"] {
        assert!(with(host), "{host}");
    }
    for host in ["", ".", "..", "..com", "https://a.b", "a.b/c", "a.b:1", " a.b", "a b", "-a.b"] {
        assert!(!with(host), "{host}");
    }
    assert!(!place("https:///v1/notifications/certs/x", Some("")));
    assert!(!place("https://evil.example/v1/notifications/certs/x", Some(".")));
    assert_eq!(Paypal.check_options(&settings()), Ok(()));
    assert_eq!(Paypal.check_options(&AccountSettings::default()), Ok(()));
}

proptest! {
    #[test]
    fn any_bytes_do_no_harm(
        texts in prop::array::uniform4(".{0,40}"),
        url in "https://[a-z@:/.%]{0,20}\\.paypal\\.com/.{0,10}",
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let names = [ID, TIME, SIGNATURE, ALGORITHM];
        let mut headers: Vec<(String, String)> =
            names.iter().zip(texts).map(|(name, text)| ((*name).to_owned(), text)).collect();
        headers.push((CERTIFICATE_URL.to_owned(), url));
        let mut request = Request::new(&headers, &body);
        request.certificates = Some(&body);
        prop_assert!(Paypal.verify(&request, &settings(), Time::from_seconds(NOW)).is_err());
        prop_assert!(Paypal.read(&request, &settings()).is_err());
        let _ = (Paypal.sensitive(&body), Paypal.certificate_url(&request, &settings()));
    }
}

//! Why something did not verify, over the adapters that are there.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::*;
use crate::{
    accounts::Accounts,
    config::{AccountConfig, Config, SecretConfig},
};

const NOW: i64 = 1_795_000_000;
const BODY: &str =
    r#"{"type": "payment.paid", "data": {"payment_id": "p1", "secret": "body-word"}}"#;

fn secret(letter: char) -> String {
    format!("whsec_{}", BASE64.encode(letter.to_string().repeat(24)))
}

/// An account with an ended, an active and a coming secret.
fn accounts() -> Accounts {
    let mut account = AccountConfig::new("a", "standard-webhooks", "m");
    let at = |second: i64| Some(jiff::Timestamp::from_second(second).expect("a time"));
    let dated = |letter, from, until| SecretConfig::Dated { value: secret(letter), from, until };
    account.secrets = vec![
        dated('c', at(NOW + 1000), None),
        secret('n').into(),
        dated('o', None, at(NOW - 1000)),
    ];
    let config = Config { accounts: vec![account], ..Config::default() };
    config.accounts().expect("they are sound")
}

fn signed(body: &str, second: i64, letter: char) -> Vec<(String, String)> {
    let key = letter.to_string().repeat(24);
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any length will do");
    let mac = mac.chain_update(format!("m1.{second}.")).chain_update(body);
    let signature = format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()));
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature", "x-odd\nname"];
    let values = ["m1".to_owned(), second.to_string(), signature, "header-word".to_owned()];
    names.map(str::to_owned).into_iter().zip(values).collect()
}

/// What is found if this was signed and that came.
fn found(headers: &[(String, String)], body: &str) -> (Rejected, Vec<Finding>) {
    let accounts = accounts();
    let account = accounts.get("a").expect("it is there");
    let request = Request::new(headers, body.as_bytes());
    let now = Time::from_seconds(NOW);
    let rejected = account.provider.verify(&request, &account.settings, now);
    let rejected = rejected.expect_err("it does not verify");
    let findings = explain(account, &request, &rejected, now);
    (rejected, findings)
}

#[test]
fn what_would_have_matched_is_found() {
    let compact = r#"{"type":"payment.paid","data":{"payment_id":"p1","secret":"body-word"}}"#;
    for (signed_body, second, letter, expected) in [
        (BODY, NOW - 3600, 'n', Finding::Clock),
        (BODY, NOW + 3600, 'n', Finding::Clock),
        (BODY, NOW, 'o', Finding::EndedSecret(3)),
        (BODY, NOW - 3600, 'o', Finding::EndedSecret(3)),
        (BODY, NOW, 'c', Finding::ComingSecret(1)),
        (compact, NOW, 'n', Finding::Reencoded("written compactly,")),
        (BODY, NOW, 'x', Finding::Nothing),
        ("{}", NOW, 'n', Finding::Nothing),
    ] {
        let (_, findings) = found(&signed(signed_body, second, letter), BODY);
        assert_eq!(findings, [expected], "{signed_body} {second} {letter}");
    }
}

#[test]
fn without_a_signature_nothing_else_is_tried() {
    let (rejected, findings) = found(&[("x-other".to_owned(), "1".to_owned())], BODY);
    assert_eq!((rejected.word(), findings), ("missing", vec![]));
}

#[test]
fn an_account_whose_secrets_do_not_count_says_which_would() {
    let mut account = AccountConfig::new("a", "standard-webhooks", "m");
    let until = Some(jiff::Timestamp::from_second(NOW - 1).expect("a time"));
    account.secrets = vec![SecretConfig::Dated { value: secret('o'), from: None, until }];
    let config = Config { accounts: vec![account], ..Config::default() };
    let accounts = config.accounts().expect("sound");
    let headers = signed(BODY, NOW, 'o');
    let request = Request::new(&headers, BODY.as_bytes());
    let account = accounts.get("a").expect("there");
    let findings = explain(account, &request, &Rejected::NoSecret, Time::from_seconds(NOW));
    assert_eq!(findings, [Finding::EndedSecret(1)]);
}

#[test]
fn no_value_is_kept() {
    let accounts = accounts();
    let account = accounts.get("a").expect("it is there");
    let headers = signed(BODY, NOW, 'x');
    let request = Request::new(&headers, BODY.as_bytes());
    let tally = Tally::default();
    let now = Time::from_seconds(NOW);
    record(&tally, account, &request, (&Rejected::Mismatch, now, 0));
    let kept = format!("{:?}", tally.recent_rejections());
    assert!(kept.contains("webhook-signature") && kept.contains("x-oddname"), "{kept}");
    for value in ["body-word", "header-word", "v1,", &secret('n')[6..], &headers[2].1] {
        assert!(!kept.contains(value), "{value} in {kept}");
    }
}

#[test]
fn what_is_kept_of_headers_is_bounded() {
    let name = |n| (format!("x{n}-{}", "y".repeat(200)), String::new());
    let many: Vec<_> = (0..200).map(name).collect();
    let names = names(&Request::new(&many, b""));
    assert_eq!(names.len(), NAMES_MAX);
    assert!(names.iter().all(|name| name.len() <= NAME_BYTES_MAX));
}

//! Signatures, settings, tokens and hostile bodies; what is read is in `tests/reading.rs`, what the
//! simulator says in `tests/voice.rs`.

mod reading;
mod voice;

use proptest::prelude::*;

use super::*;

// The examples of Square's reference, as far as it shows them.
pub(super) const PAYMENT: &str = include_str!("tests/payment.json");
pub(super) const REFUND: &str = include_str!("tests/refund.json");

// The vector of Square's own libraries.
const KEY: &str = "Ibxx_5AKakO-3qeNVR61Dw";
const HOOK: &str = "https://webhook.site/679a4f3a-dcfa-49ee-bac5-9d0edad886b9";
const BODY: &str = concat!(
    r#"{"merchant_id":"MLEFBHHSJGVHD","type":"webhooks.test_notification","#,
    r#""event_id":"ac3ac95b-f97d-458c-a6e6-18981597e05f","#,
    r#""created_at":"2022-07-13T20:30:59.037339943Z","#,
    r#""data":{"type":"webhooks","id":"bc368e64-01aa-407e-b46e-3231809b1129"}}"#
);
const RIGHT: &str = "GF4YkrJgGBDZ9NIYbNXBnMzqb2HoL4RW/S6vkZ9/2N4=";

pub(super) fn settings(url: &str, keys: &[&str]) -> AccountSettings {
    let mut settings = AccountSettings::signed_with(keys);
    settings.options.insert(URL, url.to_owned());
    settings
}

fn verify_at(body: &str, url: &str, signatures: &[&str], keys: &[&str]) -> Result<(), Rejected> {
    let headers: Vec<_> =
        signatures.iter().map(|value| (SIGNATURE.to_owned(), (*value).to_owned())).collect();
    let request = Request::new(&headers, body.as_bytes());
    Square.verify(&request, &settings(url, keys), Time::default())
}

#[test]
fn the_public_vector_verifies_with_its_url_only() {
    assert_eq!(verify_at(BODY, HOOK, &[RIGHT], &[KEY]), Ok(()));
    assert_eq!(verify_at(BODY, HOOK, &[RIGHT], &["new", KEY]), Ok(()), "rotated");
    let http = HOOK.replace("https", "http");
    for url in [&http, &format!("{HOOK}/"), "https://example.org"] {
        assert_eq!(verify_at(BODY, url, &[RIGHT], &[KEY]), Err(Rejected::Mismatch), "{url}");
    }
    let both = format!("https://new.example.org/hook  {HOOK}");
    assert_eq!(verify_at(BODY, &both, &[RIGHT], &[KEY]), Ok(()), "while a domain changes");
    assert_eq!(verify_at(BODY, "", &[RIGHT], &[KEY]), Err(Rejected::NoUrl));
    assert_eq!(verify_at(BODY, HOOK, &[RIGHT], &["other"]), Err(Rejected::Mismatch));
    assert_eq!(verify_at(BODY, HOOK, &[RIGHT], &[]), Err(Rejected::NoSecret));
    assert_eq!(verify_at(BODY, HOOK, &[RIGHT], &[""]), Err(Rejected::NoSecret));
    let changed = BODY.replace("MLEFBHHSJGVHD", "MLEFBHHSJGVHE");
    assert_eq!(verify_at(&changed, HOOK, &[RIGHT], &[KEY]), Err(Rejected::Mismatch));
    // The end of the URL must not pass for the beginning of the body.
    let (short, moved) = (&HOOK[..HOOK.len() - 1], format!("9{BODY}"));
    assert_eq!(verify_at(&moved, short, &[RIGHT], &[KEY]), Ok(()), "Square's own weakness");
    assert!(Square.read(&Request::new(&[], moved.as_bytes()), &settings(short, &[KEY])).is_err());
}

#[test]
fn a_signature_must_be_there_and_be_one() {
    let verify = |signatures: &[&str]| verify_at(BODY, HOOK, signatures, &[KEY]);
    assert_eq!(verify(&[]), Err(Rejected::Missing { place: SIGNATURE }));
    let malformed = Err(Rejected::Malformed { place: SIGNATURE });
    let (short, url_safe) = (BASE64.encode([1; 31]), RIGHT.replace('/', "_"));
    for signature in ["", "x", &short, &url_safe, &RIGHT[1..], &format!(" {RIGHT}")] {
        assert_eq!(verify(&[signature]), malformed, "{signature}");
    }
    let wrong = BASE64.encode([0; 32]);
    assert_eq!(verify(&[&wrong]), Err(Rejected::Mismatch));
    assert_eq!(verify(&[&wrong, RIGHT]), Ok(()), "any that fits");
    let mut many = vec![wrong.as_str(); SIGNATURES_MAX];
    many.push(RIGHT);
    assert_eq!(verify(&many), Err(Rejected::Mismatch), "beyond the limit");
}

#[test]
fn the_url_must_be_configured() {
    let check = |url: &str| Square.check_options(&settings(url, &[KEY])).is_ok();
    for url in [HOOK, "http://localhost:8080/webhooks/sq", "https://a.example https://b.example"] {
        assert!(check(url), "{url}");
    }
    for url in ["", " ", "example.org", "https://", "https://a.example and more"] {
        assert!(!check(url), "{url}");
    }
    let invalid = Square.check_options(&AccountSettings::signed_with(&[KEY])).unwrap_err();
    assert_eq!(invalid.name, "notification_url");
}

#[test]
fn tokens_and_payers_are_found() {
    let tokens = |body: &str| -> Vec<String> {
        let ranges = Square.sensitive(body.as_bytes());
        ranges.into_iter().map(|range| body[range].to_owned()).collect()
    };
    let print = "sq-1-Tvruf3vPQxlvI6n0IcKYfBukrcv6IqWr8UyBdViWXU2yzGn5VMJvrsHMKpINMhPmVg";
    assert_eq!(tokens(PAYMENT), [print]);
    let payment = r#"{"buyer_email_address":"a@b.c","customer_id":"C1","note":"n",
        "billing_address":{"postal_code":"94103"},
        "card_details":{"card":{"id":"ccof:1","last_4":"1111","cardholder_name":"T. Tester"}}}"#;
    let body = format!(r#"{{"data":{{"object":{{"payment":{payment}}}}}}}"#);
    assert_eq!(tokens(&body), ["a@b.c", "C1", "94103", "ccof:1", "T. Tester"]);
    assert_eq!(tokens(REFUND), Vec::<String>::new());
    let card = r#"{"card":{"id":"ccof:2","fingerprint":"f2","last_4":"1111"}}"#;
    let refund = format!(r#"{{"id":"r","destination_details":{{"card_details":{card}}}}}"#);
    let body = format!(r#"{{"data":{{"object":{{"refund":{refund}}}}}}}"#);
    assert_eq!(tokens(&body), ["ccof:2", "f2"]);
    let payment = r#"{"square_account_details":{"payment_source_token":"t1"},
        "bank_account_details":{"fingerprint":"f3","bank_name":"B"}}"#;
    let body = format!(r#"{{"data":{{"object":{{"payment":{payment}}}}}}}"#);
    assert_eq!(tokens(&body), ["t1", "f3"]);
    assert_eq!(tokens("{"), Vec::<String>::new());
}

#[test]
fn trust_and_answer() {
    let settings = settings(HOOK, &[KEY]);
    assert!(Square.signs_webhooks(&settings));
    assert_eq!(Square.basis(&settings), Basis::Webhook);
    assert_eq!(Square.acknowledge(), Acknowledgement { status: 200, body: "" });
    assert!(!Square.reference_identifies_attempt());
}

fn survives(body: &[u8]) {
    let headers = [(SIGNATURE.to_owned(), RIGHT.to_owned())];
    let (request, settings) = (Request::new(&headers, body), settings(HOOK, &[KEY]));
    if let Err(rejected) = Square.verify(&request, &settings, Time::default()) {
        assert!(!rejected.to_string().contains(KEY));
    }
    for reading in Square.read(&request, &settings).unwrap_or_default() {
        assert!(reading.event_id.len() <= 128 && reading.event_name.len() <= 128);
    }
    let ranges = Square.sensitive(body);
    assert!(ranges.iter().all(|range| range.start < range.end && range.end <= body.len()));
    assert!(ranges.windows(2).all(|two| two[0].end <= two[1].start));
    voice::answer_survives(body);
}

proptest! {
    #[test]
    fn any_bytes_are_survived(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        survives(&body);
    }

    #[test]
    fn any_change_of_an_example_is_survived(
        example in 0..2_usize,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut body = [PAYMENT, REFUND][example].as_bytes().to_vec();
        for (at, byte) in edits {
            let at = at.index(body.len());
            body[at] = byte;
        }
        survives(&body);
    }

    #[test]
    fn any_header_is_survived(header in ".{0,100}") {
        verify_at(PAYMENT, HOOK, &[&header], &[KEY]).unwrap_err();
    }
}

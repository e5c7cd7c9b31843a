//! Signatures, forms, tokens and hostile bodies; what is read is in `tests/reading.rs`, what the
//! simulator says in `tests/voice.rs`.

mod reading;
mod voice;

use proptest::prelude::*;

use super::*;
use crate::providers::Content;

// A body among the fixtures of Mollie's PHP library, and examples of its documentation.
pub(super) const LINK: &str = include_str!("tests/link_full.json");
pub(super) const PAYMENT: &str = include_str!("tests/payment.json");
pub(super) const REFUND: &str = include_str!("tests/refund.json");
pub(super) const CAPTURE: &str = include_str!("tests/capture.json");

const SECRET: &str = "mollie_test_secret";
// Made with Python's `hmac`.
const SIGNATURES: [(&str, &str); 2] = [
    (LINK, "ce9f78b928b0e8778e83483b8576799510ba7820296b500613e094704b54a64e"),
    (REFUND, "d2652450296403a7c8573307f6003446a53b4959b764296f540d01aa47f32f6d"),
];

pub(super) fn settings(webhooks: &str) -> AccountSettings {
    let mut settings = AccountSettings::signed_with(&[SECRET]);
    settings.options.insert("webhooks", webhooks.to_owned());
    settings.options.insert("reference_metadata_key", "order_id".to_owned());
    settings
}

fn verify(body: &str, headers: &[&str], secrets: &[&str]) -> Result<(), Rejected> {
    let headers: Vec<_> =
        headers.iter().map(|value| (SIGNATURE.to_owned(), (*value).to_owned())).collect();
    let mut settings = settings("next-gen");
    settings.secrets = AccountSettings::signed_with(secrets).secrets;
    Mollie.verify(&Request::new(&headers, body.as_bytes()), &settings, Time::default())
}

#[test]
fn next_gen_webhooks_are_signed_over_the_raw_body() {
    for (body, hex) in SIGNATURES {
        let header = format!("sha256={hex}");
        assert_eq!(verify(body, &[&header], &[SECRET]), Ok(()));
        assert_eq!(verify(body, &[hex], &[SECRET]), Ok(()), "as Mollie's validator takes it");
        assert_eq!(verify(body, &[&header], &["new", SECRET]), Ok(()), "rotated");
        assert_eq!(verify(body, &[&header], &["new"]), Err(Rejected::Mismatch));
        assert_eq!(verify(body, &[&header], &[]), Err(Rejected::NoSecret));
        assert_eq!(verify(body, &[&header], &[""]), Err(Rejected::NoSecret));
        assert_eq!(verify(&format!("{body} "), &[&header], &[SECRET]), Err(Rejected::Mismatch));
        let missing = Err(Rejected::Missing { place: SIGNATURE });
        assert_eq!(verify(body, &[], &[SECRET]), missing, "not taken for a classic one");
    }
}

#[test]
fn while_a_secret_changes_there_are_two_headers() {
    let (body, hex) = SIGNATURES[0];
    let (right, wrong) = (format!("sha256={hex}"), format!("sha256={}", "0".repeat(64)));
    assert_eq!(verify(body, &[&wrong, &right], &[SECRET]), Ok(()));
    assert_eq!(verify(body, &["", &right], &[SECRET]), Ok(()));
    assert_eq!(verify(body, &[&wrong, &wrong], &[SECRET]), Err(Rejected::Mismatch));
    let mut many = vec![wrong.as_str(); SIGNATURES_MAX];
    many.push(&right);
    assert_eq!(verify(body, &many, &[SECRET]), Err(Rejected::Mismatch), "beyond the limit");
    many.remove(0);
    assert_eq!(verify(body, &many, &[SECRET]), Ok(()));
    let malformed = Err(Rejected::Malformed { place: SIGNATURE });
    let md5 = format!("md5={hex}");
    for header in ["", "sha256=", &hex[1..], &md5, "sha256=zz", &format!("{right}00")] {
        assert_eq!(verify(body, &[header], &[SECRET]), malformed, "{header}");
    }
}

#[test]
fn a_classic_webhook_is_one_small_field() {
    let settings = settings("classic");
    let verify =
        |body: &str| Mollie.verify(&Request::new(&[], body.as_bytes()), &settings, Time::default());
    for body in ["id=tr_5B8cwPMGnU6qLbRvo7qEZo", "id=tr_d0b0E3EA3v", "id=tr%5Fd0b0E3EA3v"] {
        assert_eq!(verify(body), Ok(()), "{body}");
    }
    let long = format!("id=tr_{}", "x".repeat(65));
    let longer = format!("id=tr_{}", "%78".repeat(64));
    for body in [
        "",
        "id",
        "id=",
        "id=tr_",
        "id=tr",
        "id=tr_a/../b",
        "id=tr_a b",
        "id=TR_abc",
        "id=t_abc",
        "id=abcdef_1",
        "ID=tr_abc",
        "id=tr_abc&id=tr_abc",
        "id=tr_abc&x=1",
        "x=1&id=tr_abc",
        "id=tr_\u{e4}",
        "id=tr_%FF",
        "{\"id\":\"tr_abc\"}",
        &long,
        &longer,
    ] {
        assert_eq!(verify(body), Err(Rejected::Malformed { place: FORM }), "{body}");
        let read = Mollie.read(&Request::new(&[], body.as_bytes()), &settings);
        assert_eq!(read.unwrap_err().what, "the form must hold one id");
    }
}

#[test]
fn a_classic_webhook_makes_us_look() {
    let settings = settings("classic");
    let read =
        |body: &str| Mollie.read(&Request::new(&[], body.as_bytes()), &settings).unwrap().remove(0);
    let reading = read("id=tr_5B8cwPMGnU6qLbRvo7qEZo");
    let Content::Look(id) = reading.content else { panic!("{reading:?}") };
    assert_eq!((id.kind.as_str(), id.value.as_str()), ("payment", "tr_5B8cwPMGnU6qLbRvo7qEZo"));
    assert!(matches!(read("id=ord_kEn1PlbGa").content, Content::Ignored { .. }));
}

#[test]
fn tokens_and_payers_are_found() {
    let tokens = |body: &str| -> Vec<String> {
        let ranges = Mollie.sensitive(body.as_bytes());
        ranges.into_iter().map(|range| body[range].to_owned()).collect()
    };
    let payment = r#"{"id":"tr_1","mandateId":"mdt_1","customerId":"cst_1",
        "details":{"cardHolder":"T. Tester","cardFingerprint":"f1","wallet":null},
        "billingAddress":{"email":"a@b.c"}}"#;
    let found = ["mdt_1", "cst_1", "T. Tester", "f1", "a@b.c"];
    assert_eq!(tokens(payment), found);
    for place in ["payment", "entity"] {
        let event = format!(r#"{{"resource":"event","_embedded":{{"{place}":{payment}}}}}"#);
        assert_eq!(tokens(&event), found, "{place}");
        // A payment that shows its refunds is shown no less.
        let inner = r#""_embedded":{"refunds":[]},"id""#;
        assert_eq!(tokens(&event.replacen(r#""id""#, inner, 1)), found, "{place}");
    }
    assert_eq!(tokens("{"), Vec::<String>::new());
    assert_eq!(tokens("id=tr_1"), Vec::<String>::new());
}

#[test]
fn trust_and_answer() {
    let (classic, next_gen) = (settings("classic"), settings("next-gen"));
    assert!(!Mollie.signs_webhooks(&classic) && Mollie.signs_webhooks(&next_gen));
    assert_eq!(Mollie.options()[0].default, Some("classic"));
    assert_eq!(Mollie.basis(&next_gen), Basis::Webhook);
    assert_eq!(Mollie.acknowledge(), Acknowledgement { status: 200, body: "" });
    assert!(!Mollie.reference_identifies_attempt());
}

fn survives(body: &[u8]) {
    let headers = [(SIGNATURE.to_owned(), format!("sha256={}", "0".repeat(64)))];
    let request = Request::new(&headers, body);
    for settings in [settings("classic"), settings("next-gen")] {
        if let Err(rejected) = Mollie.verify(&request, &settings, Time::default()) {
            assert!(!rejected.to_string().contains(SECRET));
        }
        for reading in Mollie.read(&request, &settings).unwrap_or_default() {
            assert!(reading.event_id.len() <= 128 && reading.event_name.len() <= 128);
        }
    }
    let ranges = Mollie.sensitive(body);
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
        example in 0..5_usize,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let examples = [LINK, PAYMENT, REFUND, CAPTURE, "id=tr_5B8cwPMGnU6qLbRvo7qEZo"];
        let mut body = examples[example].as_bytes().to_vec();
        for (at, byte) in edits {
            let at = at.index(body.len());
            body[at] = byte;
        }
        survives(&body);
    }

    #[test]
    fn any_header_is_survived(header in ".{0,100}") {
        verify(PAYMENT, &[&header], &[SECRET]).unwrap_err();
    }
}

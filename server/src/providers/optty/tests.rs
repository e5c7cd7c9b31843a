//! Signatures, card tokens and hostile bodies; what is read of them is in `tests/reading.rs`.

mod reading;
mod status;

use proptest::prelude::*;

use super::*;

// The four examples of "Notification Handling", letter for letter.
const ORDER: &str = include_str!("tests/order.json");
const REFUND: &str = include_str!("tests/refund.json");
const CAPTURE: &str = include_str!("tests/capture.json");
const VOID: &str = include_str!("tests/void.json");

const SECRET: &str = "test_payment_secret";

fn settings(secrets: &[&str]) -> AccountSettings {
    AccountSettings::signed_with(secrets)
}

fn verify(body: &str, secrets: &[&str]) -> Result<(), Rejected> {
    let request = Request::new(&[], body.as_bytes());
    Optty.verify(&request, &settings(secrets), Time::default())
}

fn read(body: &str) -> Result<Reading, Unreadable> {
    let request = Request::new(&[], body.as_bytes());
    let mut readings = Optty.read(&request, &settings(&[SECRET]))?;
    assert_eq!(readings.len(), 1);
    Ok(readings.remove(0))
}

fn hash(secret: &str, status: &str, reference: &str) -> String {
    let mac = Hmac::<Sha512>::new_from_slice(secret.as_bytes()).unwrap();
    hex::encode(mac.chain_update(format!("{status}|{reference}")).finalize().into_bytes())
}

/// The body with one piece of its text replaced.
fn with(body: &str, old: &str, new: &str) -> String {
    assert_eq!(body.matches(old).count(), 1, "{old}");
    body.replace(old, new)
}

/// An example with the hash that our secret makes.
fn signed(body: &str, secret: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(body).unwrap();
    let text = |name: &str| value["data"][name].as_str();
    let reference = text("reference").or(text("orderReference")).unwrap();
    let new = hash(secret, text("status").unwrap(), reference);
    with(body, text("hash").unwrap(), &new)
}

#[test]
fn the_hash_is_that_of_the_known_vectors() {
    let order = with(
        ORDER,
        &ORDER[ORDER.find("8c3b").unwrap()..][..128],
        concat!(
            "5eba2d254ee1b1867fddd26f58c6bb468f41e416a29c8e417d1fe8bf4ec02d2b",
            "41502d4f08f6abd1c90b669df87a50fa26ad04ed64de764f97e7686b389fb7a2"
        ),
    );
    assert_eq!(verify(&order, &[SECRET]), Ok(()));
    assert_eq!(
        hash(SECRET, "SUCCESSFUL", "1234"),
        concat!(
            "e5ea32391a98f36fa466be90e72ae47536a0d853c5a446a0b1a9f39e8e80c836",
            "d53fdd8727399c160b88755bcfb1ef6777205c9cab53703b383ae3663b193b5d"
        )
    );
}

#[test]
fn all_four_examples_verify_once_signed_with_our_secret() {
    for example in [ORDER, REFUND, CAPTURE, VOID] {
        let body = signed(example, SECRET);
        assert_eq!(verify(&body, &[SECRET]), Ok(()));
        assert_eq!(verify(&body, &["new", SECRET]), Ok(()), "rotated: the older secret fits");
        assert_eq!(verify(&body, &["new", "newer"]), Err(Rejected::Mismatch));
        assert_eq!(verify(&body, &[]), Err(Rejected::NoSecret));
        assert_eq!(verify(&body, &[""]), Err(Rejected::NoSecret));
    }
    assert_eq!(verify(ORDER, &[SECRET]), Err(Rejected::Mismatch));
    // These two are cut short in the documentation.
    assert_eq!(verify(REFUND, &[SECRET]), Err(Rejected::Malformed { place: HASH }));
    assert_eq!(verify(CAPTURE, &[SECRET]), Err(Rejected::Malformed { place: HASH }));
}

#[test]
fn what_is_not_signed_is_rejected() {
    let (good, right) = (signed(ORDER, SECRET), hash(SECRET, "SUCCESSFUL", "Test-52"));
    let of_hash = |new: &str| verify(&with(&good, &right, new), &[SECRET]);
    let malformed = Err(Rejected::Malformed { place: HASH });
    assert_eq!(of_hash(&right.to_uppercase()), malformed);
    assert_eq!(of_hash(&right[2..]), malformed);
    assert_eq!(of_hash(&right[1..]), malformed);
    assert_eq!(of_hash(&format!("{right}00")), malformed);
    assert_eq!(of_hash(&right.replace(['a', 'b'], "g")), malformed);
    assert_eq!(of_hash(""), Err(Rejected::Missing { place: HASH }));
    assert_eq!(of_hash(&hash("other", "SUCCESSFUL", "Test-52")), Err(Rejected::Mismatch));
    let quoted = format!("\"{right}\"");
    assert_eq!(of_hash(&right.replace(&right[..2], "00")), Err(Rejected::Mismatch));
    assert_eq!(
        verify(&with(&good, &quoted, "null"), &[SECRET]),
        Err(Rejected::Missing { place: HASH })
    );
    assert_eq!(verify(&with(&good, &quoted, "7"), &[SECRET]), malformed);
    for (old, new) in [("\"Test-52\"", "\"Test-53\""), ("\"SUCCESSFUL\"", "\"DECLINED\"")] {
        assert_eq!(verify(&with(&good, old, new), &[SECRET]), Err(Rejected::Mismatch));
    }
    for (old, new) in [("\"status\"", "\"was\""), ("\"reference\"", "\"was\"")] {
        let rejected = verify(&with(&good, old, new), &[SECRET]).unwrap_err();
        assert!(matches!(rejected, Rejected::Malformed { place } if place.starts_with(HASH)));
    }
    let twice = with(&good, "\"initiator\"", "\"status\":\"SUCCESSFUL\",\"initiator\"");
    assert_eq!(verify(&twice, &[SECRET]), malformed, "which of two was signed is unknown");
    for body in ["", "{}", "[]", r#"{"data":[]}"#, r#"{"data":{},"data":{}}"#] {
        assert_eq!(verify(body, &[SECRET]), malformed);
    }
    assert_eq!(verify(r#"{"data":{}}"#, &[SECRET]), Err(Rejected::Missing { place: HASH }));
}

#[test]
fn the_text_is_hashed_as_received() {
    let body = |status: &str, reference: &str| {
        let hash = hash(SECRET, status, "Bestellung 7/ä|b");
        format!(r#"{{"data":{{"status":"{status}","hash":"{hash}","reference":"{reference}"}}}}"#)
    };
    assert_eq!(verify(&body("CANCELLED", "Bestellung 7/ä|b"), &[SECRET]), Ok(()));
    assert_eq!(verify(&body("failed", "Bestellung 7\\/\\u00e4|b"), &[SECRET]), Ok(()));
    assert_eq!(verify(&body("CANCELED", "Bestellung 7/Ä|b"), &[SECRET]), Err(Rejected::Mismatch));
}

/// The status of a void is signed and not read, so any text once could take part of the reference.
#[test]
fn nothing_is_shifted_between_status_and_reference() {
    let hash = hash(SECRET, "SUCCESSFUL", "a|b");
    let body = |status: &str, reference: &str| {
        let data = format!(r#""status":"{status}","hash":"{hash}","reference":"{reference}""#);
        let void = r#""voidStatus":"SUCCESSFUL","voidReference":"v1""#;
        format!(r#"{{"event":"ORDER_VOID_ASYNC_CALLBACK","data":{{{data},{void}}}}}"#)
    };
    assert_eq!(verify(&body("SUCCESSFUL", "a|b"), &[SECRET]), Ok(()));
    let refused = Err(Rejected::Malformed { place: "data.status" });
    assert_eq!(verify(&body("SUCCESSFUL|a", "b"), &[SECRET]), refused);
}

fn tokens(body: &str) -> Vec<&str> {
    Optty.sensitive(body.as_bytes()).into_iter().map(|range| &body[range]).collect()
}

#[test]
fn card_tokens_are_found_exactly() {
    assert_eq!(tokens(ORDER), ["nx5so6w6gprawk7ur"]);
    assert_eq!(tokens(CAPTURE), ["nx5so6w6gpytk7ur"]);
    assert_eq!(tokens(VOID), [""; 0]);
    assert_eq!(tokens(REFUND), [""; 0]);
    for (body, found) in [
        (r#"{"data":{"token":""}}"#, vec![]),
        (r#"{"data":{"token":12}}"#, vec![]),
        (r#"{"data":{"orderToken":"o","reference":"t1","token":"t1"}}"#, vec!["t1"]),
        (r#"{"data":{"cardToken":"c","card_token":"d","Token":"e"}}"#, vec!["c", "d", "e"]),
        (r#"{"data":{"token":"a\"b"}}"#, vec![r#"a\"b"#]),
        (r#"{"data":{"rawBNPLResponse":{"x":["t1"],"y":"-t1"},"token":"t1"}}"#, vec!["t1"; 3]),
        (r#"{"data":{"token":"t1","rawBnplResponse":"{\"x\":\"t1\"}"}}"#, vec!["t1"; 2]),
        (r#"{"data":{"token":"aa","rawBNPLResponse":"aaa"}}"#, vec!["aa", "aaa"]),
        ("{", vec![]),
    ] {
        assert_eq!(tokens(body), found, "{body}");
    }
}

#[test]
fn too_many_repeats_make_the_whole_raw_response_sensitive() {
    let raw = |n: usize| format!("[{}]", vec!["\"t1\""; n].join(","));
    let body = |n| format!(r#"{{"data":{{"token":"t1","rawBNPLResponse":{}}}}}"#, raw(n));
    assert_eq!(tokens(&body(TOKEN_REPEATS_MAX)).len(), 1 + TOKEN_REPEATS_MAX);
    assert_eq!(tokens(&body(TOKEN_REPEATS_MAX + 1)), ["t1", &raw(TOKEN_REPEATS_MAX + 1)]);
    let many = "\"token\":\"abc\",".repeat(TOKEN_REPEATS_MAX + 1);
    let body = format!(r#"{{"data":{{{many}"rawBNPLResponse":{{}}}}}}"#);
    assert_eq!(tokens(&body).last(), Some(&"{}"));
}

/// Each place of a raw response is compared with each token: long ones once took 0.3 s.
#[test]
fn long_tokens_make_the_whole_raw_response_sensitive() {
    let raw = format!("\"{}\"", "a".repeat(1000));
    let body = |tokens: &str| format!(r#"{{"data":{{{tokens},"rawBNPLResponse":{raw}}}}}"#);
    let token = |length: usize| format!("{}b", "a".repeat(length - 1));
    let one = body(&format!(r#""token":"{}""#, token(TOKEN_BYTES_MAX)));
    assert_eq!(tokens(&one).len(), 1);
    let long = body(&format!(r#""token":"{}""#, token(TOKEN_BYTES_MAX + 1)));
    assert_eq!(tokens(&long).last(), Some(&raw.as_str()));
    let half = token(TOKEN_BYTES_MAX / 2 + 1);
    let two = body(&format!(r#""token":"{half}","cardToken":"{half}""#));
    assert_eq!(tokens(&two).last(), Some(&raw.as_str()));
}

#[test]
fn deep_nesting_is_authentic_but_unreadable() {
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let body = signed(ORDER, SECRET).replace("\"metadata\": null", &format!("\"x\":{nested}"));
    assert_eq!(verify(&body, &[SECRET]), Ok(()));
    assert_eq!(read(&body).unwrap_err().what, "the body is nested deeper than 128");
    assert_eq!(tokens(&body), ["nx5so6w6gprawk7ur"], "and its token is still found");
}

#[test]
fn trust_and_answer() {
    let mut settings = settings(&[SECRET]);
    assert_eq!(Optty.basis(&settings), Basis::WeakWebhook);
    settings.confirm_payments = true;
    assert_eq!(Optty.basis(&settings), Basis::DoubtfulWebhook);
    assert_eq!(Optty.acknowledge(), Acknowledgement { status: 200, body: "" });
    assert!(Optty.reference_identifies_attempt());
    assert!(!format!("{settings:?}").contains(SECRET));
}

fn survives(body: &[u8]) {
    let (request, settings) = (Request::new(&[], body), settings(&[SECRET]));
    if let Err(rejected) = Optty.verify(&request, &settings, Time::default()) {
        assert!(!rejected.to_string().contains(SECRET));
    }
    for reading in Optty.read(&request, &settings).unwrap_or_default() {
        assert!(reading.event_id.len() <= 128 && reading.event_name.len() <= 128);
    }
    let ranges = Optty.sensitive(body);
    assert!(ranges.iter().all(|range| range.start < range.end && range.end <= body.len()));
    assert!(ranges.windows(2).all(|two| two[0].end <= two[1].start));
}

proptest! {
    #[test]
    fn any_bytes_are_survived(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        survives(&body);
    }

    #[test]
    fn any_change_of_an_example_is_survived(
        example in 0..4_usize,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut body = [ORDER, REFUND, CAPTURE, VOID][example].as_bytes().to_vec();
        for (at, byte) in edits {
            let at = at.index(body.len());
            body[at] = byte;
        }
        survives(&body);
    }
}

//! Signatures, tokens and hostile bodies; what is read is in `tests/reading.rs`, what the simulator
//! says in `tests/voice.rs`.

mod reading;
mod voice;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::Sha256;

use super::*;
use crate::domain::time::Time;

/// The key of the first public vector.
const KEY: &str = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";
/// The key of the vectors with a `:` or a `\` in the reference.
const ODD_KEY: &str = "74F490DD33F7327BAECC88B2947C011FC02D014A473AAA33A8EC93E4DC069174";
const MALFORMED: Result<(), Rejected> = Err(Rejected::Malformed { place: signature::PLACE });
const MISSING: Result<(), Rejected> = Err(Rejected::Missing { place: signature::PLACE });

fn settings() -> AccountSettings {
    let mut settings = AccountSettings::signed_with(&[KEY]);
    settings.environment = super::super::Environment::Sandbox;
    settings.options.insert("capture", "manual".to_owned());
    settings.options.insert("modification_reference", "unknown".to_owned());
    settings
}

fn verify(body: &Value, keys: &[&str]) -> Result<(), Rejected> {
    verify_text(&body.to_string(), keys)
}

fn verify_text(body: &str, keys: &[&str]) -> Result<(), Rejected> {
    let request = Request::new(&[], body.as_bytes());
    Adyen.verify(&request, &AccountSettings::signed_with(keys), Time::default())
}

/// The item of the first vector, as the webhook that it came in.
fn authorisation() -> Value {
    body(vec![json!({
        "additionalData": { "hmacSignature": "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0=" },
        "amount": { "currency": "EUR", "value": 1130 },
        "eventCode": "AUTHORISATION",
        "eventDate": "2021-01-01T01:00:00+01:00",
        "merchantAccountCode": "TestMerchant",
        "merchantReference": "TestPayment-1407325143704",
        "paymentMethod": "visa",
        "pspReference": "7914073381342284",
        "reason": "1234:7777:12/2030",
        "success": "true",
    })])
}

fn body(items: Vec<Value>) -> Value {
    let items: Vec<_> =
        items.into_iter().map(|item| json!({ "NotificationRequestItem": item })).collect();
    json!({ "live": "false", "notificationItems": items })
}

fn item(body: &mut Value) -> &mut Value {
    &mut body["notificationItems"][0]["NotificationRequestItem"]
}

/// The item with the signature that a text and a key make.
fn signed(mut item: Value, text: &str, key: &str) -> Value {
    let mac = Hmac::<Sha256>::new_from_slice(&hex::decode(key).unwrap()).unwrap();
    let mac = BASE64.encode(mac.chain_update(text).finalize().into_bytes());
    item["additionalData"]["hmacSignature"] = mac.into();
    item
}

/// A webhook of the fields of a vector.
fn vector(text: [&str; 8], signature: &str) -> Value {
    let [psp, original, account, reference, value, currency, code, success] = text;
    let mut item = json!({
        "additionalData": { "hmacSignature": signature },
        "amount": { "currency": currency, "value": value.parse::<u64>().unwrap() },
        "eventCode": code,
        "merchantAccountCode": account,
        "merchantReference": reference,
        "pspReference": psp,
        "success": success,
    });
    if !original.is_empty() {
        item["originalReference"] = original.into();
    }
    body(vec![item])
}

#[test]
fn the_public_vectors_verify() {
    assert_eq!(verify(&authorisation(), &[KEY]), Ok(()));
    assert_eq!(verify(&authorisation(), &[&KEY.to_lowercase()]), Ok(()));
    let of_library = "DFB1EB5485895CFA84146406857104ABB4CBCABDC8AAF103A624C8F6A3EAAB00";
    for (code, signature) in [
        ("REPORT_AVAILABLE", "ZNBPtI+oDyyRrLyD1XirkKnQgIAlFc07Vj27TeHsDRE="),
        ("EVENT", "ipnxGCaUZ4l8TUW75a71/ghd2Fe5ffvX0pV4TLTntIc="),
    ] {
        let fields = [
            "pspReference",
            "originalReference",
            "merchantAccount",
            "reference",
            "1000",
            "EUR",
            code,
            "true",
        ];
        assert_eq!(verify(&vector(fields, signature), &[of_library]), Ok(()), "{code}");
    }
}

#[test]
fn nothing_is_escaped() {
    for (psp, reference, signature) in [
        ("T7FD4VM4D3RZNN82", r"\\slashes are fun", "nIgT81gaB5oJpn2jPXupDq68iRo2wUlBsuYjtYfwKqo="),
        ("M8NB66SBZSGLNK82", ":slashes are fun", "2EQYm7YJpKO4EtHSPu55SQTyWf8dkW5u2nD1tJFpViA="),
        ("X3GWNS6KJ8NKGK82", "//slashes are fun", "9Z0xdpG9Xi3zcmXv14t/BvMBut77O/Xq9D4CQXSDUi4="),
        (
            "ZVWN7D3WSMK2WN82",
            r"\:/\/slashes are fun",
            "CZErGCNQaSsxbaQfZaJlakqo7KPP+mIa8a+wx3yNs9A=",
        ),
    ] {
        let fields =
            [psp, "", "AntoniStroinski", reference, "1000", "EUR", "AUTHORISATION", "true"];
        assert_eq!(verify(&vector(fields, signature), &[ODD_KEY]), Ok(()), "{reference}");
    }
}

/// The signed text of `AntoniStroinski` with the reference `:slashes are fun` is also that of
/// other fields. None of them may be taken for it.
#[test]
fn fields_cannot_be_shifted_into_one_another() {
    let signature = "2EQYm7YJpKO4EtHSPu55SQTyWf8dkW5u2nD1tJFpViA=";
    for (account, reference) in
        [("AntoniStroinski:", "slashes are fun"), ("AntoniStroinski", "slashes are fun")]
    {
        let psp = "M8NB66SBZSGLNK82";
        let fields = [psp, "", account, reference, "1000", "EUR", "AUTHORISATION", "true"];
        verify(&vector(fields, signature), &[ODD_KEY]).unwrap_err();
    }
    let shifted = [
        "M8NB66SBZSGLNK82:",
        "AntoniStroinski",
        "",
        "slashes are fun",
        "1000",
        "EUR",
        "AUTHORISATION",
        "true",
    ];
    let place = "a field other than the reference";
    let rejected = verify(&vector(shifted, signature), &[ODD_KEY]);
    assert_eq!(rejected, Err(Rejected::Malformed { place }));
}

#[test]
fn what_is_signed_cannot_be_changed() {
    for (field, value) in [
        ("pspReference", json!("7914073381342285")),
        ("originalReference", json!("7914073381342284")),
        ("merchantAccountCode", json!("Other")),
        ("merchantReference", json!("TestPayment-1407325143705")),
        ("amount", json!({ "currency": "EUR", "value": 1131 })),
        ("amount", json!({ "currency": "USD", "value": 1130 })),
        ("amount", json!({ "currency": "EUR", "value": 1130.0 })),
        ("amount", Value::Null),
        ("eventCode", json!("REFUND")),
        ("success", json!("false")),
        ("success", json!(false)),
        ("success", Value::Null),
    ] {
        let mut changed = authorisation();
        item(&mut changed)[field] = value.clone();
        assert_eq!(verify(&changed, &[KEY]), Err(Rejected::Mismatch), "{field} {value}");
    }
    // The same text in another form, as some libraries write it.
    for (field, value) in [
        ("success", json!(true)),
        ("originalReference", json!("")),
        ("originalReference", Value::Null),
        ("amount", json!({ "currency": "EUR", "value": "1130" })),
        ("reason", json!("not signed")),
    ] {
        let mut same = authorisation();
        item(&mut same)[field] = value.clone();
        assert_eq!(verify(&same, &[KEY]), Ok(()), "{field} {value}");
    }
    let twice =
        authorisation().to_string().replace("\"reason\"", "\"success\":\"true\",\"reason\"");
    assert_eq!(verify_text(&twice, &[KEY]), MALFORMED, "which of two was signed is unknown");
}

#[test]
fn keys_are_hex_and_rotate() {
    let good = authorisation();
    assert_eq!(verify(&good, &[ODD_KEY, KEY]), Ok(()), "rotated: the older key fits");
    assert_eq!(verify(&good, &["not hex", KEY]), Ok(()));
    assert_eq!(verify(&good, &[ODD_KEY]), Err(Rejected::Mismatch));
    for none in [&[][..], &[""], &["not hex"], &["abc"]] {
        assert_eq!(verify(&good, none), Err(Rejected::NoSecret));
    }
}

#[test]
fn a_signature_must_be_there_and_be_one() {
    let of = |signature: Value| {
        let mut body = authorisation();
        item(&mut body)["additionalData"] = json!({ "hmacSignature": signature });
        verify(&body, &[KEY])
    };
    assert_eq!(of(Value::Null), MISSING);
    assert_eq!(of(json!("")), MISSING);
    let short = BASE64.encode([1; 31]);
    let url_safe = "coqCmt_IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU-iCWo0=";
    for text in ["b0ea55c2fe60d4d1d605e9c385e0e7...", "AAAA", &short, url_safe] {
        assert_eq!(of(json!(text)), MALFORMED, "{text}");
    }
    assert_eq!(of(json!(7)), MALFORMED);
    assert_eq!(of(json!(BASE64.encode([0; 32]))), Err(Rejected::Mismatch));
    let mut without = authorisation();
    item(&mut without)["additionalData"] = Value::Null;
    assert_eq!(verify(&without, &[KEY]), MISSING);
    item(&mut without)["additionalData"] = json!([]);
    assert_eq!(verify(&without, &[KEY]), MALFORMED);
    let malformed = Err(Rejected::Malformed { place: ITEMS });
    for body in ["", "[]", "{\"notificationItems\":{}}", "{\"notificationItems\":[{}]}"] {
        assert_eq!(verify_text(body, &[KEY]), malformed, "{body}");
    }
    for body in ["{}", "{\"notificationItems\":[]}", "{\"notificationItems\":null}"] {
        assert_eq!(verify_text(body, &[KEY]), Err(Rejected::Missing { place: ITEMS }), "{body}");
    }
}

#[test]
fn one_bad_item_refuses_them_all() {
    let good = item(&mut authorisation()).clone();
    let text = "P2::TestMerchant:r2:500:EUR:AUTHORISATION:false";
    let mut second = json!({
        "amount": { "currency": "EUR", "value": 500 }, "eventCode": "AUTHORISATION",
        "merchantAccountCode": "TestMerchant", "merchantReference": "r2", "pspReference": "P2",
        "success": "false",
    });
    let unsigned = second.clone();
    second = signed(second, text, KEY);
    assert_eq!(verify(&body(vec![good.clone(), second.clone()]), &[KEY]), Ok(()));
    let other = signed(second.clone(), text, ODD_KEY);
    let rotated = body(vec![good.clone(), other.clone()]);
    assert_eq!(verify(&rotated, &[KEY]), Err(Rejected::Mismatch));
    assert_eq!(verify(&rotated, &[KEY, ODD_KEY]), Ok(()));
    assert_eq!(verify(&body(vec![good.clone(), unsigned]), &[KEY]), MISSING);
    let many = |n| body(vec![good.clone(); n]);
    assert_eq!(verify(&many(ITEMS_MAX), &[KEY]), Ok(()));
    let beyond = verify(&many(ITEMS_MAX + 1), &[KEY]);
    assert_eq!(beyond, Err(Rejected::Malformed { place: ITEMS }));
}

#[test]
fn tokens_and_payers_are_found() {
    let tokens = |body: &str| -> Vec<String> {
        let ranges = Adyen.sensitive(body.as_bytes());
        ranges.into_iter().map(|range| body[range].to_owned()).collect()
    };
    let mut body = authorisation();
    item(&mut body)["additionalData"] = json!({
        "cardSummary": "7777",
        "hmacSignature": "x",
        "recurring.recurringDetailReference": "8415",
        "shopperEmail": "a@b.c",
        "tokenization.storedPaymentMethodReference": "M5N7",
    });
    let mut found = tokens(&body.to_string());
    found.sort();
    assert_eq!(found, ["8415", "M5N7", "a@b.c"]);
    let contract = reading::example("RECURRING_CONTRACT").to_string();
    assert_eq!(tokens(&contract), ["M5N7TQ4TG5PFWR50", "M5N7TQ4TG5PFWR50"]);
    assert_eq!(tokens("{"), Vec::<String>::new());
}

#[test]
fn trust_and_answer() {
    let settings = settings();
    assert_eq!(Adyen.basis(&settings), Basis::Webhook);
    assert_eq!(Adyen.acknowledge(), Acknowledgement { status: 202, body: "[accepted]" });
    assert!(!Adyen.reference_identifies_attempt());
    assert!(Adyen.signs_webhooks(&settings));
    assert!(Adyen.status_api().is_none());
}

fn survives(body: &[u8]) {
    let (request, settings) = (Request::new(&[], body), settings());
    if let Err(rejected) = Adyen.verify(&request, &settings, Time::default()) {
        assert!(!rejected.to_string().contains(KEY));
    }
    for reading in Adyen.read(&request, &settings).unwrap_or_default() {
        assert!(reading.event_id.len() <= 128 && reading.event_name.len() <= 128);
    }
    let ranges = Adyen.sensitive(body);
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
        example in any::<prop::sample::Index>(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let examples = reading::examples();
        let mut body = example.get(&examples).to_string().into_bytes();
        for (at, byte) in edits {
            let at = at.index(body.len());
            body[at] = byte;
        }
        survives(&body);
    }
}

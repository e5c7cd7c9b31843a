//! Signatures of the three schemes: vectors, what is refused, the window.

mod reading;
mod voice;

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use sha2::Sha256;

use super::*;

// The documented key and time of V2. Its output is not published: these were computed with openssl.
const SECRET: &str = "sck_QOoPSlHDSsgXYeNyTP2i0ug1HKLRjHw9Ug7mCc1Q0";
const SENT: &str = "1743060268000";
const BODY: &str = r#"{"amount":"999","cashierId":91,"chainId":"11155111","custNo":"cust00001","status":"SUCCESS"}"#;
const RAW: &str = "8c0fb0e867bdeddb38e35f416fb198c2f71d47cef1f48286efb72f4ffbf5bbe7";
const SORTED: &str = "a4a70f751984cd7005fe2536272d6567e0dff46b272f20b145ada5e04e3eb297";

// The example of V1, verified with openssl.
const V1_KEY: &str = concat!(
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEsjqDDEF5uuVoAFCxftskpMszLQMro888rFlrowcTzVibc4J2PgDy",
    "wFZYXc6x21yHcenJ2bCZ/03XkMrbKqqEwA=="
);
const V1_SIGNED: &str = concat!(
    "MEYCIQDHxQ0IhgUNbRqTKbU71fBkp+lAJlMXEQYt6mDQfWRY7gIhAMWIpVoG6qBhgIPi30x30wLlAaxyhptZfm6n",
    "MRz75VxA"
);
const V1_SENT: &str = "1696947336603";
const V1_BODY: &str = r#"{"type":1,"txId":"1t","symbol":"USDT","status":1,"platOrderNo":"8210000374",
    "network":"TRON","fee":"2","custNo":"OrderNO_123456","chainId":"5","amount":"13.410037",
    "blockTime":null}"#;

const V1: &str = "blockatm-signature-v1";
const V2: &str = "blockatm-signature-v2";

fn settings(scheme: &str, secrets: &[&str]) -> AccountSettings {
    let options = BTreeMap::from([(SIGNATURE, scheme.to_owned())]);
    AccountSettings { options, ..AccountSettings::signed_with(secrets) }
}

fn headers(name: &str, signature: &str, time: &str) -> Vec<(String, String)> {
    let all = [(name, signature), ("blockatm-request-time", time), (EVENT, "Payment")];
    all.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

fn check(
    (headers, body): (&[(String, String)], &str),
    settings: &AccountSettings,
) -> Result<(), Rejected> {
    let request = Request::new(headers, body.as_bytes());
    BlockAtm.verify(&request, settings, Time::from_seconds(1_743_060_268))
}

/// A V2 request whose signed text is given.
fn signed(text: &str, body: &str, scheme: &str) -> Result<(), Rejected> {
    let headers = headers(V2, &mac(SECRET, &format!("{text}&time={SENT}")), SENT);
    check((&headers, body), &settings(scheme, &[SECRET]))
}

fn mac(secret: &str, text: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    hex::encode(mac.chain_update(text).finalize().into_bytes())
}

#[test]
fn each_scheme_has_its_vector_and_takes_no_other() {
    let with = |signature, scheme| {
        check((&headers(V2, signature, SENT), BODY), &settings(scheme, &[SECRET]))
    };
    assert_eq!(with(RAW, "raw"), Ok(()));
    assert_eq!(with(SORTED, "sorted"), Ok(()));
    assert_eq!(with(SORTED, "raw"), Err(Rejected::Mismatch));
    assert_eq!(with(RAW, "sorted"), Err(Rejected::Mismatch));
    assert_eq!(with(&RAW.to_uppercase(), "raw"), Ok(()), "hex has no case");
    let without_option = AccountSettings::signed_with(&[SECRET]);
    assert_eq!(check((&headers(V2, RAW, SENT), BODY), &without_option), Ok(()), "raw if not said");
}

/// The ten fields of the documented example, whose addresses are cut short there as here.
#[test]
fn the_documented_fields_sort_as_documented() {
    let body = r#"{"network":"Ethereum","id":8210003764,"chainId":"11155111","cashierId":91,
        "amount":"999","custNo":"cust00001","fromAddress":"0xa9e3","status":9,"txId":"0x1da5",
        "symbol":"USDT"}"#;
    let sorted = "amount=999&cashierId=91&chainId=11155111&custNo=cust00001&fromAddress=0xa9e3&\
                  id=8210003764&network=Ethereum&status=9&symbol=USDT&txId=0x1da5";
    assert_eq!(signed(sorted, body, "sorted"), Ok(()));
}

#[test]
fn sorting_keeps_digits_and_leaves_null_out() {
    for (body, sorted) in [
        (r#"{"b":999.0,"a":1e3,"c":-0.10}"#, "a=1e3&b=999.0&c=-0.10"),
        (r#"{"b":12345678901234567890123,"B":1,"_":2}"#, "B=1&_=2&b=12345678901234567890123"),
        (r#"{"z":null,"t":true,"e":"","u":"\u00e9\"\n"}"#, "e=&t=true&u=é\"\n"),
        (r#"{"a":"k=v"}"#, "a=k=v"),
        ("{}", ""),
    ] {
        assert_eq!(signed(sorted, body, "sorted"), Ok(()), "{body}");
    }
}

/// Otherwise somebody could write another body for a text that was signed: a payer whose number
/// is `1&status=SUCCESS`, for one.
#[test]
fn a_text_that_can_be_split_in_two_ways_is_refused() {
    for (body, sorted) in [
        (r#"{"custNo":"1&status=SUCCESS"}"#, "custNo=1&status=SUCCESS"),
        (r#"{"custNo=1&status":"SUCCESS"}"#, "custNo=1&status=SUCCESS"),
        (r#"{"a=b":"c"}"#, "a=b=c"),
        (r#"{"l":["x&y=1"]}"#, "x&y=1"),
        (r#"{"l":["status=SUCCESS"]}"#, "status=SUCCESS"),
        (r#"{"a":"1","a":"2"}"#, "a=1&a=2"),
        (r#"{"a":{"b":"1","b":"2"}}"#, "b=1&b=2"),
        (r#"{"a":{"status":"SUCCESS"}}"#, "status=SUCCESS"),
        (r#"{"a":[{"amount":"1"}],"status":"SUCCESS"}"#, "amount=1&status=SUCCESS"),
        (r#"{"a":{},"status":"SUCCESS"}"#, "status=SUCCESS"),
        (r#"{"l":[],"status":"SUCCESS"}"#, "status=SUCCESS"),
        ("[1]", "1"),
        ("no json", "no json"),
    ] {
        let place = "the body, whose names and values cannot be sorted in one way,";
        assert_eq!(signed(sorted, body, "sorted"), Err(Rejected::Malformed { place }), "{body}");
        assert_eq!(signed(body, body, "raw"), Ok(()), "raw signs any bytes");
    }
    let deep = format!(r#"{{"a":{}1{}}}"#, "[".repeat(500), "]".repeat(500));
    assert!(matches!(signed("1", &deep, "sorted"), Err(Rejected::Malformed { .. })));
}

#[test]
fn the_v1_vector_verifies_with_its_public_key() {
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{V1_KEY}\n-----END PUBLIC KEY-----\n");
    let request = headers(V1, V1_SIGNED, V1_SENT);
    let with = |secrets: &[&str]| check((&request, V1_BODY), &settings("ecdsa", secrets));
    assert_eq!(with(&[V1_KEY]), Ok(()));
    assert_eq!(with(&[&pem]), Ok(()));
    assert_eq!(with(&["no key", V1_KEY]), Ok(()), "ours was rotated");
    assert_eq!(with(&["no key", SECRET, &V1_KEY[..80]]), Err(Rejected::NoSecret));
    let account = settings("ecdsa", &[V1_KEY]);
    let misprint = headers(V1, V1_SIGNED, "1696946592054");
    assert_eq!(check((&misprint, V1_BODY), &account), Err(Rejected::Mismatch), "the page's other");
    let forged = V1_BODY.replace("13.410037", "13.410038");
    assert_eq!(check((&request, &forged), &account), Err(Rejected::Mismatch));
    for (signature, rejected) in [
        ("?", Rejected::Malformed { place: "BlockATM-Signature-V1" }),
        ("", Rejected::Mismatch),
        ("AAAA", Rejected::Mismatch),
    ] {
        let request = headers(V1, signature, V1_SENT);
        assert_eq!(check((&request, V1_BODY), &account), Err(rejected), "{signature}");
    }
    let v2 = headers(V2, V1_SIGNED, V1_SENT);
    let missing = Rejected::Missing { place: "BlockATM-Signature-V1" };
    assert_eq!(check((&v2, V1_BODY), &account), Err(missing));
}

#[test]
fn any_secret_may_fit_and_what_is_no_signature_is_refused() {
    let good = headers(V2, RAW, SENT);
    let with = |secrets: &[&str]| check((&good, BODY), &settings("raw", secrets));
    assert_eq!(with(&["new", SECRET]), Ok(()));
    assert_eq!(with(&["new"]), Err(Rejected::Mismatch));
    assert_eq!(with(&[]), Err(Rejected::NoSecret));
    let account = settings("raw", &[SECRET]);
    let v2 = "BlockATM-Signature-V2";
    let time = "BlockATM-Request-Time";
    let double = |index: usize| {
        let mut two = good.clone();
        two.push(two[index].clone());
        two
    };
    for (headers, rejected) in [
        (headers("blockatm-signature", RAW, SENT), Rejected::Missing { place: v2 }),
        (headers(V2, "", SENT), Rejected::Malformed { place: v2 }),
        (headers(V2, &RAW[..62], SENT), Rejected::Malformed { place: v2 }),
        (headers(V2, &RAW.replace('8', "9"), SENT), Rejected::Mismatch),
        (headers(V2, RAW, "1743060268001"), Rejected::Mismatch),
        (headers(V2, RAW, "soon"), Rejected::Malformed { place: time }),
        (headers(V2, RAW, ""), Rejected::Malformed { place: time }),
        (good[..1].to_vec(), Rejected::Missing { place: time }),
        (double(0), Rejected::Malformed { place: v2 }),
        (double(1), Rejected::Malformed { place: time }),
    ] {
        assert_eq!(check((&headers, BODY), &account), Err(rejected));
    }
}

/// By default a late retry passes; where the window is on, it has two sides.
#[test]
fn the_window_is_a_setting_and_counts_milliseconds() {
    let request = headers(V2, RAW, SENT);
    let request = Request::new(&request, BODY.as_bytes());
    let at = |settings: &AccountSettings, millis_later: i64| {
        let now = (1_743_060_268_000 + millis_later) * 1000;
        BlockAtm.verify(&request, settings, Time::from_micros(now))
    };
    let off = settings("raw", &[SECRET]);
    assert_eq!(at(&off, 24 * 3_600_000), Ok(()));
    let mut on = off;
    on.options.insert(TIME_WINDOW, "on".to_owned());
    let outside = |seconds_off| Err(Rejected::OutsideWindow { seconds_off, seconds_max: 300 });
    for (millis_later, expected) in
        [(300_000, Ok(())), (-300_000, Ok(())), (300_001, outside(-301)), (-300_001, outside(301))]
    {
        assert_eq!(at(&on, millis_later), expected, "{millis_later}");
    }
}

#[test]
fn the_options_are_documented_with_their_defaults() {
    let defaults = BlockAtm.options().iter().map(|option| (option.name, option.default.unwrap()));
    let expected = [("signature", "raw"), ("time_window", "off"), ("reference_field", "order_no")];
    assert!(defaults.eq(expected));
    let answer = Acknowledgement { status: 200, body: "OK" };
    assert_eq!(BlockAtm.acknowledge(), answer);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body: Vec<u8>, values: [String; 3], scheme in 0..3_usize) {
        let scheme = ["raw", "sorted", "ecdsa"][scheme];
        let [signature, time, event] = values;
        let mut headers = headers(V2, &signature, &time);
        headers.push((V1.to_owned(), signature));
        headers[2].1 = event;
        let request = Request::new(&headers, &body);
        let settings = settings(scheme, &[SECRET, V1_KEY]);
        prop_assert!(BlockAtm.verify(&request, &settings, Time::default()).is_err());
        let _ = BlockAtm.read(&request, &settings);
    }

    /// Whatever a flat body holds, there is one text for it and no other body has the same.
    #[test]
    fn what_was_signed_verifies_and_nothing_else(
        fields in prop::collection::btree_map("[a-z]{1,4}", "[a-z0-9&=]{0,6}", 1..6),
        other in prop::collection::btree_map("[a-z&=]{1,4}", "[a-z0-9&=]{0,12}", 1..6),
    ) {
        let text: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let text = text.join("&");
        let is_plain = !fields.values().any(|value| value.contains('&'));
        let body = serde_json::to_string(&fields).unwrap();
        prop_assert_eq!(signed(&text, &body, "sorted").is_ok(), is_plain);
        let body = serde_json::to_string(&other).unwrap();
        prop_assert_eq!(signed(&text, &body, "sorted").is_ok(), is_plain && fields == other);
    }
}

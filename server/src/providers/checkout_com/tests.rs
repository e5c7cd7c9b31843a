//! The signature, Checkout.com's own examples, every word of the table; what is asked is in
//! `tests/status.rs`.

mod status;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::providers::{Content, OptionSpec, SigningSecret, tests::each_in_words};

// Computed with two independent libraries.
const SECRET: &str = "8V8x0dLK%AyD*DNS8JJr";
const BODY: &str = r#"{"id":"evt_test","type":"payment_captured"}"#;
const TAG: &str = "a5e1f3788b65081e6d62c184e1460412a5f43c2dd78d344429e82fc8c489fa59";

fn settings(secrets: &[&str]) -> AccountSettings {
    let default = |spec: &OptionSpec| Some((spec.name, spec.default?.to_owned()));
    let options = OPTIONS.iter().filter_map(default).collect();
    AccountSettings { options, ..AccountSettings::signed_with(secrets) }
}

fn check(values: &[&str], body: &str, secrets: &[&str]) -> Result<(), Rejected> {
    let headers: Vec<_> =
        values.iter().map(|value| (SIGNATURE.to_owned(), (*value).to_owned())).collect();
    let request = Request::new(&headers, body.as_bytes());
    CheckoutCom.verify(&request, &settings(secrets), Time::from_seconds(0))
}

#[test]
fn the_body_is_signed() {
    assert_eq!(check(&[TAG], BODY, &[SECRET]), Ok(()));
    assert_eq!(check(&[TAG], BODY, &["new", SECRET]), Ok(()));
    assert_eq!(check(&[TAG], BODY, &[SECRET, "old"]), Ok(()));
    assert_eq!(check(&[&TAG.to_uppercase()], BODY, &[SECRET]), Ok(()));
    assert_eq!(
        check(&[TAG], &BODY.replace("captured", "refunded"), &[SECRET]),
        Err(Rejected::Mismatch)
    );
    assert_eq!(check(&[TAG], BODY, &["new"]), Err(Rejected::Mismatch));
    assert_eq!(check(&[TAG], BODY, &[]), Err(Rejected::NoSecret));
}

#[test]
fn a_header_that_is_no_signature_is_rejected() {
    let malformed = Err(Rejected::Malformed { place: SIGNATURE });
    assert_eq!(check(&[], BODY, &[SECRET]), Err(Rejected::Missing { place: SIGNATURE }));
    assert_eq!(check(&[TAG, TAG], BODY, &[SECRET]), malformed);
    for value in
        ["", &TAG[2..], &format!("{TAG}00"), &format!("sha256={TAG}"), &TAG.replace('a', "x")]
    {
        assert_eq!(check(&[value], BODY, &[SECRET]), malformed, "{value}");
    }
}

#[test]
fn a_secret_counts_only_while_it_is_active() {
    let mut account = settings(&[]);
    let until = Some(Time::from_seconds(10));
    account.secrets.push(SigningSecret { until, ..SigningSecret::always(SECRET) });
    let headers = [(SIGNATURE.to_owned(), TAG.to_owned())];
    let request = Request::new(&headers, BODY.as_bytes());
    let at = |second| CheckoutCom.verify(&request, &account, Time::from_seconds(second));
    assert_eq!((at(9), at(10)), (Ok(()), Err(Rejected::NoSecret)));
}

fn read(body: &str, settings: &AccountSettings) -> Vec<String> {
    let readings = CheckoutCom.read(&Request::new(&[], body.as_bytes()), settings);
    match readings.map(|mut readings| readings.remove(0).content) {
        Ok(Content::Statements(statements)) => each_in_words(&statements),
        Ok(Content::Ignored { reason }) => vec![format!("ignored: {reason}")],
        Ok(content) => panic!("{content:?}"),
        Err(err) => vec![format!("unreadable: {}", err.what)],
    }
}

fn event(name: &str, other: &Value) -> String {
    let mut data = json!({
        "id": "pay_1", "action_id": "act_1", "reference": "o1", "amount": 3737, "currency": "EUR",
        "processed_on": "2023-05-24T09:27:47.0891199Z",
    });
    for (name, value) in other.as_object().unwrap() {
        data[name] = value.clone();
    }
    json!({"id": "evt_1", "type": name, "created_on": "2023-05-24T09:27:48Z", "data": data})
        .to_string()
}

fn said(name: &str, other: &Value) -> Vec<String> {
    read(&event(name, other), &settings(&[]))
}

#[test]
fn every_event_is_read() {
    for (name, expected) in [
        ("payment_approved", "AUTHORIZED"),
        ("payment_pending", "PENDING"),
        ("payment_paid", "SOLD"),
        ("payment_declined", "TRY_DECLINED"),
        ("payment_expired", "AUTHORIZATION_EXPIRED"),
        ("payment_canceled", "AUTHORIZATION_CANCELED"),
        ("payment_captured", "Capture action=act_1 SUCCESSFUL"),
        ("payment_capture_pending", "Capture action=act_1 PENDING"),
        ("payment_capture_declined", "Capture action=act_1 DECLINED"),
        ("payment_refunded", "Refund action=act_1 SUCCESSFUL"),
        ("payment_refund_pending", "Refund action=act_1 PENDING"),
        ("payment_refund_declined", "Refund action=act_1 DECLINED"),
        ("payment_voided", "Void action=act_1 SUCCESSFUL"),
        ("payment_void_declined", "Void action=act_1 DECLINED"),
    ] {
        // Whose reference an operation's event carries is not documented.
        let reference = if expected.contains("action=") { "" } else { " as o1" };
        let expected = format!("payment=pay_1{reference}: {expected} 37.37 EUR");
        assert_eq!(said(name, &json!({})), [expected], "{name}");
    }
    let returned = "ignored: returned payments are not followed";
    assert_eq!(said("payment_returned", &json!({})), [returned]);
    for name in ["dispute_received", "card_verified", "payment_authorization_incremented"] {
        assert_eq!(said(name, &json!({})), ["ignored: the event's name is not known"]);
    }
}

#[test]
fn balances_tell_what_is_over() {
    let balances = |units: u64| json!({"balances": {"total_authorized": units}});
    for (name, before, after) in [
        ("payment_expired", "TRY_EXPIRED", "AUTHORIZATION_EXPIRED"),
        ("payment_canceled", "TRY_CANCELED", "AUTHORIZATION_CANCELED"),
    ] {
        let words = |word: &str| [format!("payment=pay_1 as o1: {word} 37.37 EUR")];
        assert_eq!(said(name, &balances(0)), words(before));
        assert_eq!(said(name, &balances(3737)), words(after));
    }
}

#[test]
fn a_capture_as_the_documentation_shows_it_is_read() {
    // www.checkout.com/docs, "Payment captured".
    let body = r#"{
  "id": "evt_fkfqht6yonme7bk7jawrgzbbxq",
  "source": "gwc_notifier1",
  "type": "payment_captured",
  "timestamp": "2023-05-24T09:12:32.357+00:00",
  "version": "1.0.29",
  "data": {
    "id": "pay_vti5layihapu5bhbn5tjtk6eem",
    "action_id": "act_uqlj3642dyyuroivzdwfg2fysq",
    "reference": "ORD-5023-4E89",
    "amount": 20,
    "processed_on": "2023-05-24T09:12:27.4695512Z",
    "response_code": "10000",
    "response_summary": "Approved",
    "balances": {
      "total_authorized": 20,
      "total_voided": 0,
      "available_to_void": 0,
      "total_captured": 20,
      "available_to_capture": 0,
      "total_refunded": 0,
      "available_to_refund": 20
    },
    "metadata": {
      "coupon_code": "NY2018",
      "partner_id": "123989"
    },
    "currency": "EUR",
    "processing": {
      "acquirer_transaction_id": "865749780760868955557",
      "acquirer_reference_number": "10754814874042406789848"
    }
  }
}"#;
    let of = "payment=pay_vti5layihapu5bhbn5tjtk6eem";
    assert_eq!(
        read(body, &settings(&[])),
        [
            format!("{of}: AUTHORIZED 0.20 EUR"),
            format!("{of}: Capture action=act_uqlj3642dyyuroivzdwfg2fysq SUCCESSFUL 0.20 EUR"),
        ]
    );
    let readings = CheckoutCom.read(&Request::new(&[], body.as_bytes()), &settings(&[])).unwrap();
    assert_eq!(readings[0].event_id, "evt_fkfqht6yonme7bk7jawrgzbbxq");
    let Content::Statements(statements) = &readings[0].content else { panic!() };
    let processed = json::rfc_3339("2023-05-24T09:12:27.4695512Z");
    assert_eq!(statements[1].provider_time, processed);
    let older = body.replace(r#""processed_on": "2023-05-24T09:12:27.4695512Z","#, "");
    let readings = CheckoutCom.read(&Request::new(&[], older.as_bytes()), &settings(&[])).unwrap();
    let Content::Statements(statements) = &readings[0].content else { panic!() };
    assert_eq!(statements[1].provider_time, json::rfc_3339("2023-05-24T09:12:32.357Z"));
}

#[test]
fn the_reference_of_an_operation_is_an_option() {
    let mut account = settings(&[]);
    let said = |account: &AccountSettings, name: &str| read(&event(name, &json!({})), account);
    for (whose, own, payments) in
        [("unknown", "", ""), ("payment", "", " as o1"), ("operation", " as o1", "")]
    {
        account.options.insert(OPERATION_REFERENCE, whose.to_owned());
        for (name, kind) in [("refunded", "Refund"), ("voided", "Void"), ("captured", "Capture")] {
            let words =
                format!("payment=pay_1{payments}: {kind} action=act_1 SUCCESSFUL{own} 37.37 EUR");
            assert_eq!(said(&account, &format!("payment_{name}")), [words], "{whose}");
        }
    }
    let payment = read(&event("payment_approved", &json!({})), &account);
    assert_eq!(payment, ["payment=pay_1 as o1: AUTHORIZED 37.37 EUR"]);
}

#[test]
fn a_decline_has_its_reason() {
    let declined =
        json!({"response_code": "20005", "response_summary": "Declined - Do Not Honour"});
    let body = event("payment_declined", &declined);
    let readings = CheckoutCom.read(&Request::new(&[], body.as_bytes()), &settings(&[])).unwrap();
    let Content::Statements(statements) = &readings[0].content else { panic!() };
    assert_eq!(statements[0].reason.as_deref(), Some("Declined - Do Not Honour"));
}

#[test]
fn amounts_have_the_digits_of_checkout_com() {
    for (currency, expected) in [
        ("EUR", "5.00 EUR"),
        ("JPY", "500 JPY"),
        ("ISK", "500 ISK"),
        ("UGX", "500 UGX"),
        ("CLP", "5.00 CLP"),
        ("MGA", "5.00 MGA"),
        ("KWD", "0.500 KWD"),
        ("LYD", "0.500 LYD"),
    ] {
        let other = json!({"amount": 500, "currency": currency});
        let expected = format!("payment=pay_1 as o1: AUTHORIZED {expected}");
        assert_eq!(said("payment_approved", &other), [expected]);
    }
    let none = json!({"amount": null, "currency": null});
    assert_eq!(said("payment_approved", &none), ["payment=pay_1 as o1: AUTHORIZED"]);
    for (amount, currency) in [
        (json!(-1), "EUR"),
        (json!(1.5), "EUR"),
        (json!("500"), "EUR"),
        (json!(" 1"), "EUR"),
        (json!("NaN"), "EUR"),
        (json!(500), "CLF"),
        (json!(500), "XXQ"),
        (json!(500), ""),
    ] {
        let what = said("payment_approved", &json!({"amount": amount, "currency": currency}));
        assert!(what[0].starts_with("unreadable: data.amount"), "{what:?}");
    }
    for number in ["1e3", "99999999999999999999"] {
        let body = event("payment_approved", &json!({})).replace("3737", number);
        let what = read(&body, &settings(&[]));
        assert!(what[0].starts_with("unreadable: data.amount") && !what[0].contains("999"));
    }
}

#[test]
fn a_known_event_in_another_form_is_unreadable() {
    let what = |name: &str, other: &Value| said(name, other).remove(0);
    assert_eq!(what("payment_approved", &json!({"id": null})), "unreadable: data.id is missing");
    let missing = "unreadable: data.action_id is missing";
    assert_eq!(what("payment_refunded", &json!({"action_id": ""})), missing);
    let wrong = what("payment_approved", &json!({"reference": 7}));
    assert_eq!(wrong, "unreadable: data.reference must be a JSON string");
    assert!(what("payment_approved", &json!({"processed_on": "soon"})).contains("must be a time"));
    assert_eq!(read("{}", &settings(&[])), ["unreadable: id is missing"]);
    assert_eq!(read(BODY, &settings(&[])), ["unreadable: data is missing"]);
    let deep = format!(r#"{{"id":"evt_1","data":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    assert!(read(&deep, &settings(&[]))[0].contains("nested deeper"));
    let twice =
        event("payment_approved", &json!({})).replace(r#""amount":"#, r#""amount":1,"amount":"#);
    assert_eq!(
        read(&twice, &settings(&[])),
        ["unreadable: data.amount stands twice in its object"]
    );
}

#[test]
fn who_pays_is_sensitive() {
    let other = json!({
        "customer": {"id": "cus_1", "email": "a@b.c"}, "source": {"id": "src_1", "fingerprint": "f1"},
    });
    let body = event("payment_approved", &other);
    let found = CheckoutCom.sensitive(body.as_bytes());
    assert!(found.windows(2).all(|two| two[0].end <= two[1].start));
    let mut texts: Vec<_> = found.into_iter().map(|range| &body[range]).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["a@b.c", "cus_1", "f1", "src_1"]);
}

proptest! {
    #[test]
    fn any_bytes_do_no_harm(value in ".{0,80}", body in prop::collection::vec(any::<u8>(), 0..200)) {
        let headers = [(SIGNATURE.to_owned(), value)];
        let request = Request::new(&headers, &body);
        let account = settings(&[SECRET]);
        prop_assert!(CheckoutCom.verify(&request, &account, Time::from_seconds(0)).is_err());
        prop_assert!(CheckoutCom.read(&request, &account).is_err());
        let _ = CheckoutCom.sensitive(&body);
    }
}

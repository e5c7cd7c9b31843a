//! PayPal's own examples, every word of the tables, and what is missing or of another form.

use serde_json::{Value, json};

use super::*;
use crate::providers::{Content, tests::each_in_words};

fn read(body: &str, settings: &AccountSettings) -> Result<Reading, String> {
    let readings = Paypal.read(&Request::new(&[], body.as_bytes()), settings);
    readings.map(|mut readings| readings.remove(0)).map_err(|err| err.what)
}

fn in_words(read: Result<Reading, String>) -> Vec<String> {
    match read.map(|reading| reading.content) {
        Ok(Content::Statements(statements)) => each_in_words(&statements),
        Ok(Content::Ignored { reason }) => vec![format!("ignored: {reason}")],
        Ok(content) => panic!("{content:?}"),
        Err(what) => vec![format!("unreadable: {what}")],
    }
}

fn event(name: &str, resource: &Value) -> String {
    let body = json!({
        "id": "WH-1", "create_time": "2026-11-21T12:00:00Z", "resource_version": "2.0",
        "event_type": name, "resource": resource,
    });
    body.to_string()
}

fn said(name: &str, resource: &Value) -> Vec<String> {
    in_words(read(&event(name, resource), &settings()))
}

fn with(base: &Value, other: &Value) -> Value {
    let mut both = base.clone();
    for (name, value) in other.as_object().unwrap() {
        both[name] = value.clone();
    }
    both
}

fn part(id: &str, status: &str) -> Value {
    json!({
        "id": id, "status": status, "amount": {"currency_code": "USD", "value": "12.34"},
        "invoice_id": "o1", "custom_id": "x1",
        "supplementary_data": {"related_ids": {"order_id": "O1"}},
    })
}

/// A capture, in the form of the Payments API v2, as it is sent.
const CAPTURE: &str = r#"{
  "id": "WH-58D329510W468432D-8HN650336L201105X",
  "create_time": "2019-02-14T21:50:07.940Z",
  "resource_type": "capture",
  "event_type": "PAYMENT.CAPTURE.COMPLETED",
  "summary": "Payment completed for $ 30.0 USD",
  "resource": {
    "amount": {"currency_code": "USD", "value": "30.00"},
    "seller_protection": {
      "status": "ELIGIBLE",
      "dispute_categories": ["ITEM_NOT_RECEIVED", "UNAUTHORIZED_TRANSACTION"]
    },
    "update_time": "2019-02-14T21:49:58Z",
    "create_time": "2019-02-14T21:49:58Z",
    "final_capture": true,
    "seller_receivable_breakdown": {
      "gross_amount": {"currency_code": "USD", "value": "30.00"},
      "paypal_fee": {"currency_code": "USD", "value": "1.54"},
      "platform_fees": [
        {
          "amount": {"currency_code": "USD", "value": "2.00"},
          "payee": {"merchant_id": "ABCDEFGHIJKL1"}
        }
      ],
      "net_amount": {"currency_code": "USD", "value": "26.46"}
    },
    "links": [
      {
        "href": "https://api.paypal.com/v2/payments/captures/27M47624FP291604U",
        "rel": "self", "method": "GET"
      },
      {
        "href": "https://api.paypal.com/v2/payments/captures/27M47624FP291604U/refund",
        "rel": "refund", "method": "POST"
      },
      {
        "href": "https://api.paypal.com/v2/payments/authorizations/7W5147081L658180V",
        "rel": "up", "method": "GET"
      }
    ],
    "id": "27M47624FP291604U",
    "status": "COMPLETED"
  },
  "links": [],
  "event_version": "1.0",
  "resource_version": "2.0"
}"#;

#[test]
fn a_capture_as_it_is_sent_is_read() {
    let reading = read(CAPTURE, &settings()).unwrap();
    assert_eq!(reading.event_id, "WH-58D329510W468432D-8HN650336L201105X");
    assert_eq!(reading.event_name, "PAYMENT.CAPTURE.COMPLETED");
    let Content::Statements(statements) = &reading.content else { panic!() };
    let time = json::rfc_3339("2019-02-14T21:49:58Z");
    assert_eq!(statements[0].provider_time, time);
    let names = "authorization=7W5147081L658180V,capture=27M47624FP291604U";
    let capture = "Capture capture=27M47624FP291604U SUCCESSFUL";
    assert_eq!(in_words(Ok(reading)), [format!("{names}: {capture} 30.00 USD")]);
}

#[test]
fn every_status_of_an_authorisation_is_read() {
    let of = "authorization=A1,order=O1 as o1";
    for (status, expected) in [
        ("CREATED", "AUTHORIZED"),
        ("CAPTURED", "AUTHORIZED"),
        ("PARTIALLY_CAPTURED", "AUTHORIZED"),
        ("PENDING", "PENDING"),
        ("DENIED", "TRY_DECLINED"),
    ] {
        let said = said("PAYMENT.AUTHORIZATION.CREATED", &part("A1", status));
        assert_eq!(said, [format!("{of}: {expected} 12.34 USD")], "{status}");
    }
    let voided = [
        format!("{of}: AUTHORIZATION_CANCELED 12.34 USD"),
        format!("{of}: Void authorization=A1 SUCCESSFUL 12.34 USD"),
    ];
    assert_eq!(said("PAYMENT.AUTHORIZATION.VOIDED", &part("A1", "VOIDED")), voided);
}

#[test]
fn a_capture_is_a_sale_unless_there_was_an_authorisation() {
    let of = "capture=C1,order=O1 as o1";
    let of_authorization = "authorization=A1,capture=C1,order=O1 as o1";
    let ids = json!({"related_ids": {"order_id": "O1", "authorization_id": "A1"}});
    for (name, status, sale, claim) in [
        ("COMPLETED", "COMPLETED", "SOLD", "SUCCESSFUL"),
        ("COMPLETED", "PARTIALLY_REFUNDED", "SOLD", "SUCCESSFUL"),
        ("COMPLETED", "REFUNDED", "SOLD", "SUCCESSFUL"),
        ("PENDING", "PENDING", "PENDING", "PENDING"),
        ("DECLINED", "DECLINED", "TRY_DECLINED", "DECLINED"),
        ("DENIED", "DECLINED", "TRY_DECLINED", "DECLINED"),
        ("DENIED", "FAILED", "TRY_ERROR", "ERROR"),
    ] {
        let name = format!("PAYMENT.CAPTURE.{name}");
        let capture = part("C1", status);
        assert_eq!(said(&name, &capture), [format!("{of}: {sale} 12.34 USD")], "{status}");
        let capture = with(&capture, &json!({ "supplementary_data": ids }));
        let expected = format!("{of_authorization}: Capture capture=C1 {claim} 12.34 USD");
        assert_eq!(said(&name, &capture), [expected], "{status}");
    }
    // Nothing says what it came from: then it is no more than a capture.
    let alone = with(&part("C1", "COMPLETED"), &json!({"supplementary_data": null}));
    let expected = "capture=C1 as o1: Capture capture=C1 SUCCESSFUL 12.34 USD";
    assert_eq!(said("PAYMENT.CAPTURE.COMPLETED", &alone), [expected]);
}

#[test]
fn every_status_of_a_refund_is_read() {
    let up = json!({"supplementary_data": null, "links": [
        {"rel": "self", "href": "https://api.paypal.com/v2/payments/refunds/R1"},
        {"rel": "up", "href": "https://api.paypal.com/v2/payments/captures/C1"},
    ]});
    for (name, status, expected) in [
        ("CAPTURE.REFUNDED", "COMPLETED", "SUCCESSFUL"),
        ("REFUND.COMPLETED", "COMPLETED", "SUCCESSFUL"),
        ("REFUND.PENDING", "PENDING", "PENDING"),
        ("REFUND.FAILED", "FAILED", "ERROR"),
        ("REFUND.FAILED", "CANCELLED", "CANCELED"),
    ] {
        let said = said(&format!("PAYMENT.{name}"), &with(&part("R1", status), &up));
        let expected = format!("capture=C1: Refund refund=R1 {expected} 12.34 USD");
        assert_eq!(said, [expected], "{status}");
    }
    let mut account = settings();
    account.options.insert(REFUND_REFERENCE_FIELD, "custom_id".to_owned());
    let body = event("PAYMENT.CAPTURE.REFUNDED", &with(&part("R1", "COMPLETED"), &up));
    let named = "capture=C1: Refund refund=R1 SUCCESSFUL as x1 12.34 USD";
    assert_eq!(in_words(read(&body, &account)), [named]);
    // One link more, to the order or to nothing known, takes nothing away.
    for (other, names) in [
        ("https://api.paypal.com/v2/other/X1", "capture=C1"),
        ("https://api.paypal.com/v2/payments/captures/C2", "capture=C1"),
    ] {
        let links = json!({"supplementary_data": null, "links": [
            {"rel": "up", "href": "https://api.paypal.com/v2/payments/captures/C1"},
            {"rel": "up", "href": other},
        ]});
        let said = said("PAYMENT.REFUND.COMPLETED", &with(&part("R1", "COMPLETED"), &links));
        assert_eq!(said, [format!("{names}: Refund refund=R1 SUCCESSFUL 12.34 USD")]);
    }
    let nobodys = with(&part("R1", "COMPLETED"), &json!({"supplementary_data": null}));
    let what = "unreadable: resource.links name no capture";
    assert_eq!(said("PAYMENT.CAPTURE.REFUNDED", &nobodys), [what]);
    let of_capture = event("PAYMENT.CAPTURE.REFUNDED", &part("C1", "REFUNDED"));
    let of_capture =
        of_capture.replace(r#""resource":"#, r#""resource_type":"capture","resource":"#);
    assert_eq!(in_words(read(&of_capture, &settings())), ["ignored: it names no refund"]);
}

#[test]
fn an_order_says_what_stands_in_it() {
    let unit = json!({"amount": {"currency_code": "USD", "value": "12.34"}, "invoice_id": "o1"});
    let order = |status: &str, unit: &Value| json!({"id": "O1", "intent": "CAPTURE", "status": status, "purchase_units": [unit]});
    for (status, expected) in [
        ("CREATED", "PENDING"),
        ("SAVED", "PENDING"),
        ("APPROVED", "PENDING"),
        ("PAYER_ACTION_REQUIRED", "PENDING"),
        ("COMPLETED", "PENDING"),
        ("VOIDED", "TRY_CANCELED"),
    ] {
        let said = said("CHECKOUT.ORDER.APPROVED", &order(status, &unit));
        assert_eq!(said, [format!("order=O1 as o1: {expected} 12.34 USD")], "{status}");
    }
    let capture = with(&part("C1", "COMPLETED"), &json!({"supplementary_data": null}));
    let refund = with(&part("R1", "PENDING"), &json!({"supplementary_data": null}));
    let payments = json!({"payments": {"captures": [capture], "refunds": [refund]}});
    let expected = [
        "capture=C1,order=O1 as o1: SOLD 12.34 USD",
        "order=O1: Refund refund=R1 PENDING 12.34 USD",
    ];
    let paid = order("COMPLETED", &with(&unit, &payments));
    assert_eq!(said("CHECKOUT.ORDER.COMPLETED", &paid), expected);
    // However many stand there, all are read.
    let captures: Vec<Value> = (0..20).map(|n| part(&format!("C{n}"), "COMPLETED")).collect();
    let many = order("COMPLETED", &with(&unit, &json!({"payments": {"captures": captures}})));
    let body = event("CHECKOUT.ORDER.COMPLETED", &many);
    let readings = Paypal.read(&Request::new(&[], body.as_bytes()), &settings()).unwrap();
    let parts: Vec<_> = readings
        .iter()
        .map(|reading| match &reading.content {
            Content::Statements(said) => (reading.event_id.as_str(), said.len()),
            content => panic!("{content:?}"),
        })
        .collect();
    assert_eq!(parts, [("WH-1", 8), ("WH-1/1", 8), ("WH-1/2", 4)]);
    let reversed = json!({"order_id": "O1", "purchase_units": [unit]});
    let expired = ["order=O1 as o1: TRY_EXPIRED"];
    assert_eq!(said("CHECKOUT.PAYMENT-APPROVAL.REVERSED", &reversed), expired);
    assert_eq!(said("CHECKOUT.PAYMENT-APPROVAL.REVERSED", &order("CREATED", &unit)), expired);
}

#[test]
fn what_is_not_known_is_kept_and_ignored() {
    let unknown = "ignored: the event's name is not known";
    for name in ["PAYMENT.SALE.COMPLETED", "CUSTOMER.DISPUTE.CREATED", "PAYMENT.CAPTURE.NEW"] {
        assert_eq!(said(name, &json!({})), [unknown]);
    }
    let reversed = "ignored: reversals are not followed";
    assert_eq!(said("PAYMENT.CAPTURE.REVERSED", &json!({})), [reversed]);
    let word = "ignored: its status word is not known";
    for name in ["PAYMENT.CAPTURE.COMPLETED", "PAYMENT.AUTHORIZATION.CREATED"] {
        assert_eq!(said(name, &part("C1", "NEW")), [word]);
    }
    assert_eq!(said("PAYMENT.REFUND.PENDING", &part("C1", "NEW")), [word]);
    assert_eq!(said("CHECKOUT.ORDER.APPROVED", &json!({"id": "O1", "status": "NEW"})), [word]);
    let older = json!({"id": "A1", "state": "authorized", "amount": {"total": "7.47"}});
    let reason = "ignored: it is of the older Payments API";
    assert_eq!(said("PAYMENT.AUTHORIZATION.CREATED", &older), [reason]);
}

#[test]
fn other_merchants_are_ignored() {
    let mut account = settings();
    account.provider_merchant = Some("M1".to_owned());
    let of =
        |resource: &Value| in_words(read(&event("PAYMENT.CAPTURE.COMPLETED", resource), &account));
    let paid_to = |merchant: &str| {
        with(&part("C1", "COMPLETED"), &json!({"payee": {"merchant_id": merchant}}))
    };
    assert!(of(&paid_to("M1"))[0].ends_with(": SOLD 12.34 USD"));
    assert!(of(&part("C1", "COMPLETED"))[0].ends_with(": SOLD 12.34 USD"));
    let another = "ignored: it is of another merchant";
    assert_eq!(of(&paid_to("M2")), [another]);
    let unit = json!({"purchase_units": [{"payee": {"merchant_id": "M2"}}]});
    assert_eq!(of(&with(&part("C1", "COMPLETED"), &unit)), [another]);
}

#[test]
fn the_reference_stands_where_the_option_says() {
    let mut account = settings();
    account.options.insert(REFERENCE_FIELD, "custom_id".to_owned());
    let body = event("PAYMENT.CAPTURE.COMPLETED", &part("C1", "COMPLETED"));
    assert!(in_words(read(&body, &account))[0].contains(" as x1: "));
}

#[test]
fn amounts_are_plain_decimals() {
    let of = |value: &str, currency: &str| {
        let amount = json!({"amount": {"value": value, "currency_code": currency}});
        said("PAYMENT.CAPTURE.COMPLETED", &with(&part("C1", "COMPLETED"), &amount)).remove(0)
    };
    assert!(of("12.3", "USD").ends_with(": SOLD 12.30 USD"));
    assert!(of("1200", "JPY").ends_with(": SOLD 1200 JPY"));
    assert!(of("1200", "HUF").ends_with(": SOLD 1200.00 HUF"));
    let huge = "9".repeat(40);
    for value in ["-1.00", "1e3", "NaN", " 1", "1 ", "1,00", "", &huge] {
        let what = of(value, "USD");
        let starts = "unreadable: resource.amount.value";
        assert!(value.is_empty() || what.starts_with(starts), "{value}: {what}");
        assert!(!what.contains("999"));
    }
    assert!(of("1.00", "").starts_with("unreadable: resource.amount.currency_code"));
}

#[test]
fn a_known_event_in_another_form_is_unreadable() {
    let name = "PAYMENT.CAPTURE.COMPLETED";
    let what = |other: &Value| said(name, &with(&part("C1", "COMPLETED"), other)).remove(0);
    assert_eq!(what(&json!({"id": null})), "unreadable: resource.id is missing");
    assert_eq!(what(&json!({"status": 7})), "unreadable: resource.status must be a JSON string");
    assert_eq!(what(&json!({"status": null})), "unreadable: resource.status is missing");
    assert!(what(&json!({"links": [7]})).starts_with("unreadable: resource.links must be a list"));
    assert!(what(&json!({"update_time": "soon"})).contains("resource.update_time must be a time"));
    assert_eq!(in_words(read("{}", &settings())), ["unreadable: id is missing"]);
    assert_eq!(said(name, &Value::Null), ["unreadable: resource is missing"]);
    let deep = format!(r#"{{"id":"WH-1","resource":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    assert!(read(&deep, &settings()).unwrap_err().contains("nested deeper"));
}

#[test]
fn who_pays_is_sensitive() {
    let payer = json!({"payer": {"payer_id": "P1", "email_address": "a@b.c"},
        "payment_source": {"paypal": {"account_id": "P1", "vault_id": "v1"}}});
    let body = event("CHECKOUT.ORDER.APPROVED", &payer);
    let found = Paypal.sensitive(body.as_bytes());
    let mut texts: Vec<_> = found.into_iter().map(|range| &body[range]).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["P1", "P1", "a@b.c", "v1"]);
    let vault = json!({"id": "v2", "customer": {"id": "c2"}, "status": "VAULTED"});
    let card = json!({"payment_source": {"card": {"attributes": {"vault": vault}}}});
    let body = event("CHECKOUT.ORDER.COMPLETED", &card);
    let found = Paypal.sensitive(body.as_bytes());
    let mut texts: Vec<_> = found.into_iter().map(|range| &body[range]).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["c2", "v2"]);
}

//! Whole bodies: what of them is sensitive, and an example of the documentation.

use serde_json::json;

use super::{
    reading::{event, intent},
    *,
};
use crate::providers::{Content, Environment};

#[test]
fn what_lets_somebody_pay_is_sensitive() {
    let object = intent(&json!({
        "client_secret": "pi_1_secret", "payment_method": "pm_1", "customer": "cus_1",
        "latest_charge": {"billing_details": {"email": "a@b.c"}},
    }));
    let body = event("payment_intent.processing", &object).to_string();
    let found = Stripe.sensitive(body.as_bytes());
    let mut texts: Vec<_> = found.into_iter().map(|range| &body[range]).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["a@b.c", "cus_1", "pi_1_secret", "pm_1"]);
    let shown = intent(&json!({
        "customer": {"id": "cus_2", "name": "n"},
        "last_payment_error": {"code": "card_declined", "payment_method": {"id": "pm_2"}},
    }));
    let body = event("payment_intent.payment_failed", &shown).to_string();
    let found = Stripe.sensitive(body.as_bytes());
    let texts: Vec<_> = found.into_iter().map(|range| &body[range]).collect();
    assert_eq!(texts, ["cus_2", "pm_2"]);
}

#[test]
fn the_event_of_the_reference_documentation_is_kept() {
    // docs.stripe.com/api/events/object, as printed.
    let body = r#"{
  "id": "evt_1NG8Du2eZvKYlo2CUI79vXWy",
  "object": "event",
  "api_version": "2019-02-19",
  "created": 1686089970,
  "data": {
    "object": {
      "id": "seti_1NG8Du2eZvKYlo2C9XMqbR0x",
      "object": "setup_intent",
      "application": null,
      "automatic_payment_methods": null,
      "cancellation_reason": null,
      "client_secret": "seti_1NG8Du2eZvKYlo2C9XMqbR0x_secret_O2CdhLwGFh2Aej7bCY7qp8jlIuyR8DJ",
      "created": 1686089970,
      "status": "requires_confirmation",
      "usage": "off_session"
    }
  },
  "livemode": false,
  "pending_webhooks": 0,
  "request": {"id": null, "idempotency_key": null},
  "type": "setup_intent.created"
}"#;
    let sandbox = AccountSettings { environment: Environment::Sandbox, ..settings(&[]) };
    let reading = Stripe.read(&Request::new(&[], body.as_bytes()), &sandbox).unwrap().remove(0);
    assert_eq!(reading.event_id, "evt_1NG8Du2eZvKYlo2CUI79vXWy");
    assert!(matches!(reading.content, Content::Ignored { .. }));
    assert_eq!(Stripe.sensitive(body.as_bytes()).len(), 1);
}

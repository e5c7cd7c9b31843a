//! How Stripe is asked: the PaymentIntent with its charge, then its refunds; by the reference
//! where no id is known.
//!
//! - Requests carry the secret key as a bearer token, and name an API version: objects differ
//!   between versions, and an account has its own. With this one, what was never captured and is
//!   let go is no refund; the charge of each refund is shown all the same, to be sure.
//! - Search finds a PaymentIntent about a minute after it was made, and is not offered in
//!   every country; there, only what has an id can be asked about.
//! - Of refunds, the newest 100 are read.

use std::borrow::Cow;

use form_urlencoded::Serializer;

use super::{
    CONNECTED, REFERENCE_KEY,
    objects::{ChargeEvent, Scope},
    reading::is_elsewhere,
};
use crate::{
    domain::{statement::Statement, time::Time},
    providers::{
        AccountSettings, Answer, Call, Response, StatusApi, Subject, Token, Unreadable,
        json::Object, text,
    },
};

/// The version of the API whose objects are read.
const VERSION: &str = "2025-03-31.basil";

const INTENT: &str = "GET /v1/payment_intents/{id}";
const CHARGE: &str = "GET /v1/charges/{id}";
const REFUNDS: &str = "GET /v1/refunds";
const SEARCH: &str = "GET /v1/payment_intents/search";

/// Stripe's API.
#[derive(Clone, Copy, Debug)]
pub(super) struct Api;

impl StatusApi for Api {
    /// Live and test keys go to the same place.
    fn api_url(&self, _: &AccountSettings) -> Cow<'static, str> {
        Cow::Borrowed("https://api.stripe.com")
    }

    fn credentials(&self) -> &'static [&'static str] {
        &["secret_key"]
    }

    fn authorize(&self, call: &mut Call, _: Option<&Token>, settings: &AccountSettings, _: Time) {
        let key = settings.credential("secret_key").unwrap_or_default();
        call.headers.push(("authorization", format!("Bearer {key}")));
        call.headers.push(("stripe-version", VERSION.to_owned()));
        let connected = settings.option(CONNECTED) == Some("yes");
        if let Some(account) = settings.provider_merchant.as_ref().filter(|_| connected) {
            call.headers.push(("stripe-account", account.clone()));
        }
    }

    fn ask(&self, subject: &Subject<'_>, settings: &AccountSettings) -> Vec<Call> {
        let calls = if let Some(intent) = subject.id("payment_intent") {
            vec![of_intent(intent), refunds("payment_intent", intent)]
        } else if let Some(charge) = subject.id("charge") {
            vec![of_charge(charge), refunds("charge", charge)]
        } else {
            vec![search(subject, settings)]
        };
        calls.into_iter().flatten().collect()
    }

    fn read(
        &self,
        call: &Call,
        response: &Response<'_>,
        _: &Subject<'_>,
        settings: &AccountSettings,
    ) -> Result<Answer, Unreadable> {
        let Some(body) = response.known()? else { return Ok(Answer::default()) };
        let body = Object::of_body(body)?;
        let scope = Scope { settings, time: None, has_releases: false };
        match call.step {
            INTENT => Ok(Answer::of(call, intent(&scope, &body)?)),
            CHARGE => charge(&scope, &body, call),
            SEARCH => found(&scope, &body, call),
            _ => {
                let refunds = body.list_of_objects("data")?;
                let said = refunds.iter().map(|refund| scope.refund(refund));
                let said: Vec<_> = said.collect::<Result<Vec<_>, _>>()?;
                Ok(Answer::of(call, said.into_iter().flatten().collect()))
            }
        }
    }
}

fn of_intent(id: &str) -> Option<Call> {
    let path = format!("/v1/payment_intents/{}?expand[]=latest_charge", text::path_part(id)?);
    Some(Call { step: INTENT, path: path.replace("[]", "%5B%5D"), ..Call::default() })
}

fn of_charge(id: &str) -> Option<Call> {
    let path = format!("/v1/charges/{}", text::path_part(id)?);
    Some(Call { step: CHARGE, path, ..Call::default() })
}

fn refunds(name: &str, id: &str) -> Option<Call> {
    let query = Serializer::new(String::new()).append_pair(name, id).finish();
    let path = format!("/v1/refunds?{query}&limit=100&expand%5B%5D=data.charge");
    Some(Call { step: REFUNDS, path, ..Call::default() })
}

fn search(subject: &Subject<'_>, settings: &AccountSettings) -> Option<Call> {
    let key = settings.option(REFERENCE_KEY).filter(|key| !key.is_empty())?;
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'");
    let wanted = quoted(subject.reference?.as_str());
    let query = format!("metadata['{}']:'{wanted}'", quoted(key));
    let query = Serializer::new(String::new()).append_pair("query", &query).finish();
    let path = format!("/v1/payment_intents/search?{query}");
    Some(Call { step: SEARCH, path, ..Call::default() })
}

fn intent(scope: &Scope<'_>, object: &Object<'_>) -> Result<Vec<Statement>, Unreadable> {
    if is_elsewhere(object, scope.settings)? {
        return Ok(Vec::new());
    }
    scope.intent(object, false)
}

/// Of a charge that belongs to a PaymentIntent, that one is asked.
fn charge(scope: &Scope<'_>, object: &Object<'_>, call: &Call) -> Result<Answer, Unreadable> {
    if is_elsewhere(object, scope.settings)? {
        return Ok(Answer::default());
    }
    let said = scope.charge(object, ChargeEvent::State)?;
    let ids = said.first().map(|statement| statement.ids.clone()).unwrap_or_default();
    let intent = ids.iter().find(|id| id.kind.as_str() == "payment_intent");
    let then = intent.and_then(|id| of_intent(id.value.as_str())).into_iter().collect();
    Ok(Answer { then, ..Answer::of(call, said) })
}

/// Every PaymentIntent under the reference is an attempt; the refunds of each are asked for.
fn found(scope: &Scope<'_>, body: &Object<'_>, call: &Call) -> Result<Answer, Unreadable> {
    let mut answer = Answer::default();
    for object in body.list_of_objects("data")? {
        let said = intent(scope, &object)?;
        if said.is_empty() {
            continue;
        }
        let id = object.required_text("id")?;
        answer.readings.extend(Answer::of(call, said).readings);
        answer.then.extend(refunds("payment_intent", &id));
    }
    Ok(answer)
}

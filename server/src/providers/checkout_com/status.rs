//! How Checkout.com is asked: the payment, then its actions; by the reference where its id is
//! not known.

use std::borrow::Cow;

use form_urlencoded::Serializer;

use super::{
    PREFIX,
    reading::{OPEN_TRY, Payment, ended},
};
use crate::{
    domain::{
        ids::ProviderId,
        statement::{Negative, OperationClaim, OperationKind, PaymentClaim, Statement},
        time::Time,
    },
    providers::{
        AccountSettings, Answer, Call, Environment, Response, StatusApi, Subject, Token,
        Unreadable,
        json::{Object, unreadable},
        text,
    },
};

const PAYMENT: &str = "GET /payments/{id}";
const ACTIONS: &str = "GET /payments/{id}/actions";
const LIST: &str = "GET /payments";

/// Checkout.com's API.
#[derive(Clone, Copy, Debug)]
pub(super) struct Api;

impl StatusApi for Api {
    /// Newer accounts have a host of their own.
    fn api_url(&self, settings: &AccountSettings) -> Cow<'static, str> {
        let host = match settings.environment {
            Environment::Live => "api.checkout.com",
            Environment::Sandbox => "api.sandbox.checkout.com",
        };
        let is_part = |text: &&str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        match settings.option(PREFIX).filter(is_part) {
            Some(prefix) => format!("https://{prefix}.{host}").into(),
            None => format!("https://{host}").into(),
        }
    }

    fn credentials(&self) -> &'static [&'static str] {
        &["secret_key"]
    }

    fn authorize(&self, call: &mut Call, _: Option<&Token>, settings: &AccountSettings, _: Time) {
        let key = settings.credential("secret_key").unwrap_or_default();
        call.headers.push(("authorization", format!("Bearer {key}")));
    }

    fn ask(&self, subject: &Subject<'_>, _: &AccountSettings) -> Vec<Call> {
        let by_id =
            || Some(Call { step: PAYMENT, path: path(subject.id("payment")?)?, ..Call::default() });
        let by_reference = || {
            let reference = subject.reference?.as_str();
            let query = Serializer::new(String::new()).append_pair("reference", reference).finish();
            let path = format!("/payments?limit=10&{query}");
            Some(Call { step: LIST, path, ..Call::default() })
        };
        by_id().or_else(by_reference).into_iter().collect()
    }

    fn read(
        &self,
        call: &Call,
        response: &Response<'_>,
        _: &Subject<'_>,
        settings: &AccountSettings,
    ) -> Result<Answer, Unreadable> {
        let Some(body) = response.known()? else { return Ok(Answer::default()) };
        match call.step {
            PAYMENT => payment(call, &Object::of_body(body)?, settings),
            LIST => {
                let mut answer = Answer::default();
                for object in Object::of_body(body)?.list_of_objects("data")? {
                    let one = payment(call, &object, settings)?;
                    answer.readings.extend(one.readings);
                    answer.then.extend(one.then);
                }
                Ok(answer)
            }
            _ => actions(call, body, settings),
        }
    }
}

fn path(id: &str) -> Option<String> {
    Some(format!("/payments/{}", text::path_part(id)?))
}

/// A payment in its state; what was captured, refunded and voided, its actions say.
fn payment(
    call: &Call,
    object: &Object<'_>,
    settings: &AccountSettings,
) -> Result<Answer, Unreadable> {
    let payment = Payment::of(object, settings)?;
    let id = object.required_text("id")?;
    let claim = match object.required_text("status")?.as_str() {
        "Pending" | "Retry Scheduled" => Some(PaymentClaim::Pending),
        "Authorized" | "Partially Captured" | "Captured" | "Partially Refunded" | "Refunded" => {
            Some(PaymentClaim::Authorized)
        }
        "Paid" => Some(PaymentClaim::Sold),
        "Declined" => Some(PaymentClaim::Failed(Negative::Declined, OPEN_TRY)),
        "Expired" => Some(PaymentClaim::Failed(Negative::Expired, ended(object)?)),
        "Canceled" => Some(PaymentClaim::Failed(Negative::Canceled, ended(object)?)),
        _ => None,
    };
    let said = claim.map(|claim| payment.claim(object, claim, None)).transpose()?;
    // The actions name neither the payment nor its currency.
    let about = format!("{} {id}", payment.currency.as_deref().unwrap_or_default());
    let then = path(&id).map(|path| Call {
        step: ACTIONS,
        about,
        path: format!("{path}/actions"),
        ..Call::default()
    });
    let answer = Answer::of(call, said.into_iter().collect());
    Ok(Answer { then: then.into_iter().collect(), ..answer })
}

fn actions(call: &Call, body: &[u8], settings: &AccountSettings) -> Result<Answer, Unreadable> {
    let (currency, id) = call.about.split_once(' ').unwrap_or_default();
    let id = ProviderId::parse("payment", id).map_err(|err| unreadable("the payment's id", err))?;
    let payment = Payment::new(id, currency, settings);
    let mut said: Vec<Statement> = Vec::new();
    for action in Object::list_of_body(body)? {
        said.extend(of_action(&payment, &action)?);
    }
    Ok(Answer::of(call, said))
}

/// An action that was approved or declined. Of one that is under way, nothing is said.
fn of_action(payment: &Payment<'_>, action: &Object<'_>) -> Result<Option<Statement>, Unreadable> {
    let Some(is_approved) = action.flag("approved")? else { return Ok(None) };
    let time = action.time("processed_on")?;
    let kind = match action.required_text("type")?.as_str() {
        "Authorization" => {
            let claim = match is_approved {
                true => PaymentClaim::Authorized,
                false => PaymentClaim::Failed(Negative::Declined, OPEN_TRY),
            };
            return payment.claim(action, claim, time).map(Some);
        }
        "Capture" => OperationKind::Capture,
        "Refund" => OperationKind::Refund,
        "Void" => OperationKind::Void,
        _ => return Ok(None),
    };
    let claim = match is_approved {
        true => OperationClaim::Successful,
        false => OperationClaim::Failed(Negative::Declined, true),
    };
    let id = action.id("id", "action")?;
    let id = id.ok_or_else(|| unreadable(&action.place_of("id"), "is missing"))?;
    let amount = payment.amount(action, "amount")?;
    payment.operation(action, (kind, id, claim), amount, time).map(Some)
}

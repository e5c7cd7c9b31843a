//! Asking Square: `GET /v2/payments/{id}`, then `GET /v2/refunds/{id}` for each of its refunds, by
//! an access token.

use std::borrow::Cow;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::object;
use crate::{
    domain::{statement::OperationKind, time::Time},
    providers::{
        AccountSettings, Answer, Call, Environment, Response, StatusApi, Subject, Token,
        Unreadable,
        json::{Object, unreadable},
    },
};

const PAYMENT: &str = "GET /v2/payments/{id}";
const REFUND: &str = "GET /v2/refunds/{id}";

/// The version of the API whose objects are read here; without it, an application's own counts.
const VERSION: &str = "2025-01-23";

/// Refunds of one payment that are asked about.
const REFUNDS_MAX: usize = 32;
/// Refunds that one payment may list.
const REFUND_IDS_MAX: usize = 1000;

/// Square's API.
#[derive(Clone, Copy, Debug)]
pub(super) struct Api;

impl StatusApi for Api {
    fn api_url(&self, settings: &AccountSettings) -> Cow<'static, str> {
        match settings.environment {
            Environment::Live => "https://connect.squareup.com".into(),
            Environment::Sandbox => "https://connect.squareupsandbox.com".into(),
        }
    }

    fn credentials(&self) -> &'static [&'static str] {
        &["access_token"]
    }

    fn authorize(&self, call: &mut Call, _: Option<&Token>, settings: &AccountSettings, _: Time) {
        let token = settings.credential("access_token").unwrap_or_default();
        call.headers.push(("authorization", format!("Bearer {token}")));
        call.headers.push(("square-version", VERSION.to_owned()));
    }

    /// Only by ids: payments can be listed by time and place, but not by their reference.
    fn ask(&self, subject: &Subject<'_>, _: &AccountSettings) -> Vec<Call> {
        let payments = subject.ids.iter().filter(|id| id.kind.as_str() == object::PAYMENT);
        let payments = payments.map(|id| call(PAYMENT, id.value.as_str()));
        payments.chain(known_refunds(subject).map(|id| call(REFUND, id))).collect()
    }

    fn read(
        &self,
        call: &Call,
        response: &Response<'_>,
        subject: &Subject<'_>,
        _: &AccountSettings,
    ) -> Result<Answer, Unreadable> {
        let Some(body) = response.known()? else { return Ok(Answer::default()) };
        let body = Object::of_body(body)?;
        let is_refund = call.step == REFUND;
        let object = body.object(if is_refund { "refund" } else { "payment" })?;
        if object.required_text("id")? != call.about {
            return Err(unreadable(&object.place_of("id"), "is not the one asked about"));
        }
        if is_refund {
            let refund = object::refund(&object)?;
            return Ok(Answer::of(call, refund.into_iter().collect()));
        }
        let mut answer = Answer::of(call, object::payment(&object)?.unwrap_or_default());
        let known: Vec<&str> = known_refunds(subject).collect();
        let refunds = object.texts("refund_ids", REFUND_IDS_MAX)?;
        let unasked = refunds.iter().filter(|id| !known.contains(&id.as_str())).take(REFUNDS_MAX);
        answer.then = unasked.map(|id| self::call(REFUND, id)).collect();
        Ok(answer)
    }
}

/// Refunds that are known, and therefore asked about at once.
fn known_refunds<'a>(subject: &Subject<'a>) -> impl Iterator<Item = &'a str> {
    let refunds = subject.operations.iter().filter(|op| op.kind == OperationKind::Refund);
    let ids = refunds.flat_map(|op| op.ids).filter(|id| id.kind.as_str() == object::REFUND);
    ids.map(|id| id.value.as_str()).take(REFUNDS_MAX)
}

fn call(step: &'static str, id: &str) -> Call {
    let place = if step == REFUND { "refunds" } else { "payments" };
    let path = format!("/v2/{place}/{}", utf8_percent_encode(id, NON_ALPHANUMERIC));
    Call { step, about: id.to_owned(), path, ..Call::default() }
}

//! Asking Mollie: `GET /v2/payments/{id}` with its captures and refunds, by an API key.

use std::borrow::Cow;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::entity;
use crate::{
    domain::time::Time,
    providers::{
        AccountSettings, Answer, Call, Response, StatusApi, Subject, Token, Unreadable,
        json::{Object, unreadable},
    },
};

const STEP: &str = "GET /v2/payments/{id}";

/// Mollie's API. A key of the test mode sees test payments at the same place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Api;

impl StatusApi for Api {
    fn api_url(&self, _: &AccountSettings) -> Cow<'static, str> {
        "https://api.mollie.com".into()
    }

    fn credentials(&self) -> &'static [&'static str] {
        &["api_key"]
    }

    fn authorize(&self, call: &mut Call, _: Option<&Token>, settings: &AccountSettings, _: Time) {
        let key = settings.credential("api_key").unwrap_or_default();
        call.headers.push(("authorization", format!("Bearer {key}")));
    }

    /// Mollie can be asked by a payment's id only; it has no search by metadata.
    fn ask(&self, subject: &Subject<'_>, _: &AccountSettings) -> Vec<Call> {
        let ids = subject.ids.iter().filter(|id| id.kind.as_str() == entity::PAYMENT);
        let call = |id: &crate::domain::ids::ProviderId| {
            let id = id.value.as_str();
            let encoded = utf8_percent_encode(id, NON_ALPHANUMERIC);
            let path = format!("/v2/payments/{encoded}?embed=captures,refunds");
            Call { step: STEP, about: id.to_owned(), path, ..Call::default() }
        };
        ids.map(call).collect()
    }

    fn read(
        &self,
        call: &Call,
        response: &Response<'_>,
        _: &Subject<'_>,
        settings: &AccountSettings,
    ) -> Result<Answer, Unreadable> {
        let Some(body) = response.known()? else { return Ok(Answer::default()) };
        let payment = Object::of_body(body)?;
        if payment.required_text("id")? != call.about {
            return Err(unreadable("id", "is not that of the payment asked about"));
        }
        if entity::not_ours(&payment, settings)?.is_some() {
            return Ok(Answer::default());
        }
        let statements = entity::payment(&payment, settings)?.unwrap_or_default();
        Ok(Answer::each(call, statements))
    }
}

//! How PayPal is asked: the order, which shows its authorisations, captures and refunds; where
//! only one of those is known, that one, and then its order.
//!
//! Nothing is found by a reference: there is a search of transactions, but it lags by hours.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::reading::Scope;
use crate::{
    domain::{ids::ProviderId, statement::Statement, time::Time},
    providers::{
        AccountSettings, Answer, Call, Environment, Host, Response, Secret, StatusApi, Subject,
        Token, Unreadable,
        json::{Object, unreadable},
        text,
    },
};

const TOKEN: &str = "POST /v1/oauth2/token";
const ORDER: &str = "GET /v2/checkout/orders/{id}";
const AUTHORIZATION: &str = "GET /v2/payments/authorizations/{id}";
const CAPTURE: &str = "GET /v2/payments/captures/{id}";

/// PayPal's API.
#[derive(Clone, Copy, Debug)]
pub(super) struct Api;

impl StatusApi for Api {
    fn api_url(&self, settings: &AccountSettings) -> Cow<'static, str> {
        Cow::Borrowed(match settings.environment {
            Environment::Live => "https://api-m.paypal.com",
            Environment::Sandbox => "https://api-m.sandbox.paypal.com",
        })
    }

    fn credentials(&self) -> &'static [&'static str] {
        &["client_id", "client_secret"]
    }

    fn token_call(&self, settings: &AccountSettings) -> Option<Call> {
        let (id, secret) =
            (settings.credential("client_id")?, settings.credential("client_secret")?);
        let basic = BASE64.encode(format!("{id}:{secret}"));
        Some(Call {
            step: TOKEN,
            host: Host::Auth,
            body: Some(b"grant_type=client_credentials".to_vec()),
            path: "/v1/oauth2/token".to_owned(),
            headers: vec![
                ("authorization", format!("Basic {basic}")),
                ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ],
            ..Call::default()
        })
    }

    fn read_token(&self, response: &Response<'_>) -> Result<Token, Unreadable> {
        let body = Object::of_body(response.body)?;
        let seconds = body.value("expires_in")?.map(|value| value.get().parse());
        let wrong = |_| unreadable("expires_in", "must be whole seconds");
        let seconds = seconds.transpose().map_err(wrong)?;
        Ok(Token { text: Secret::new(body.required_text("access_token")?), seconds })
    }

    fn authorize(&self, call: &mut Call, token: Option<&Token>, _: &AccountSettings, _: Time) {
        let token = token.map_or("", |token| token.text.expose());
        call.headers.push(("authorization", format!("Bearer {token}")));
    }

    fn ask(&self, subject: &Subject<'_>, _: &AccountSettings) -> Vec<Call> {
        let kinds = [("order", ORDER), ("authorization", AUTHORIZATION), ("capture", CAPTURE)];
        let known = kinds.into_iter().find_map(|(kind, step)| Some((step, subject.id(kind)?)));
        known.and_then(|(step, id)| about(step, id)).into_iter().collect()
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
        let scope = Scope { settings, time: None, order: None };
        let said = match call.step {
            ORDER => return Ok(answer(call, scope.order(&body)?, None)),
            AUTHORIZATION => scope.authorization(&body)?,
            _ => scope.capture(&body, None)?.into_iter().collect(),
        };
        let ids = said.iter().flat_map(|statement| &statement.ids);
        let order = ids.into_iter().find(|id| id.kind.as_str() == "order").cloned();
        Ok(answer(call, said, order.as_ref()))
    }
}

fn about(step: &'static str, id: &str) -> Option<Call> {
    let path = step.strip_prefix("GET ")?.replace("{id}", &text::path_part(id)?);
    Some(Call { step, path, ..Call::default() })
}

fn answer(call: &Call, said: Vec<Statement>, order: Option<&ProviderId>) -> Answer {
    let then = order.and_then(|order| about(ORDER, order.value.as_str())).into_iter().collect();
    Answer { then, ..Answer::of(call, said) }
}

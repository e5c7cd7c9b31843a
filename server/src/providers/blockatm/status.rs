//! How BlockATM is asked: `GET /order/api/v2/payorder/detail?orderNo=`, signed by the sorted scheme.
//!
//! An order is found by the merchant's number alone, which is what its answer and the webhooks have in
//! common: the documented answer has no `id`. Its `amount` is «order amount», what was asked for; no
//! field tells what was paid, which may be less. So a success that is polled approves nothing: it
//! is said as pending, with a reason that a person can read, and the webhook tells the amount.

use std::borrow::Cow;

use form_urlencoded::Serializer;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{
    REFERENCE_FIELD,
    reading::{ORDER_NO, Order},
};
use crate::{
    domain::{
        statement::{PaymentClaim, Statement},
        time::Time,
    },
    providers::{
        AccountSettings, Answer, Call, Environment, Response, StatusApi, Subject, Token,
        Unreadable,
        json::{Object, unreadable},
    },
};

pub(super) const DETAIL: &str = "GET /order/api/v2/payorder/detail";
pub(super) const API_KEY: &str = "api_key";
pub(super) const API_SECRET: &str = "api_secret";

/// What stands with a success, of which the answer does not say how much was paid.
const PAID: &str = "BlockATM says SUCCESS, and not how much was paid";

/// «Data does not exist».
const CODE_UNKNOWN: &str = "000202";

/// BlockATM's API.
#[derive(Clone, Copy, Debug)]
pub(super) struct Api;

impl StatusApi for Api {
    fn api_url(&self, settings: &AccountSettings) -> Cow<'static, str> {
        match settings.environment {
            Environment::Live => "https://open.blockatm.net".into(),
            Environment::Sandbox => "https://test-open.blockatm.net".into(),
        }
    }

    fn credentials(&self) -> &'static [&'static str] {
        &[API_KEY, API_SECRET]
    }

    /// The key, and a signature of what is asked and when. Without a secret the request goes
    /// unsigned, and is refused.
    fn authorize(&self, call: &mut Call, _: Option<&Token>, settings: &AccountSettings, now: Time) {
        let time = (now.as_micros() / 1000).to_string();
        let secret = settings.credential(API_SECRET).unwrap_or_default();
        if let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
            let mac = mac.chain_update(format!("orderNo={}&time={time}", call.about));
            let signature = hex::encode(mac.finalize().into_bytes());
            call.headers.push(("blockatm-signature-v2", signature));
        }
        let key = settings.credential(API_KEY).unwrap_or_default();
        call.headers.push(("blockatm-api-key", key.to_owned()));
        call.headers.push(("blockatm-request-time", time));
    }

    fn ask(&self, subject: &Subject<'_>, settings: &AccountSettings) -> Vec<Call> {
        // A payer's number finds no order.
        let is_order_no = settings.option(REFERENCE_FIELD) != Some("cust_no");
        let Some(reference) = subject.reference.filter(|_| is_order_no) else { return Vec::new() };
        let mut query = Serializer::new(String::new());
        query.append_pair("orderNo", reference.as_str());
        let path = format!("/order/api/v2/payorder/detail?{}", query.finish());
        vec![Call { step: DETAIL, about: reference.as_str().to_owned(), path, ..Call::default() }]
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
        match body.required_text("code")?.as_str() {
            "200" => {}
            CODE_UNKNOWN => return Ok(Answer::default()),
            _ => return Err(unreadable("code", "says that the question failed")),
        }
        if body.value("data")?.is_none() {
            return Ok(Answer::default());
        }
        let order = Order::read_with(&body.object("data")?, ORDER_NO, "createTime")?;
        if order.reference().is_none_or(|reference| reference.as_str() != call.about) {
            return Err(unreadable("data.orderNo", "is not that of the order that was asked for"));
        }
        let claim = order.claim().filter(|_| !order.is_of_another_cashier(settings));
        let statements = claim.map(|claim| match claim {
            PaymentClaim::Sold => Statement {
                reason: Some(PAID.to_owned()),
                ..order.statement(PaymentClaim::Pending)
            },
            claim => order.statement(claim),
        });
        Ok(Answer::of(call, statements.into_iter().collect()))
    }
}

//! A simulated Optty: makes its webhooks, signs them as Optty does, and posts them over HTTP.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body_util::Full;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use paystatus_client::Money;
use serde::Serialize;
use serde_json::value::RawValue;
use sha2::Sha512;

use super::story::Word;

/// The account that the demo's server has.
pub(super) const ACCOUNT: &str = "optty-demo";
/// How often a webhook that was not taken is sent again.
const TRIES_MAX: u32 = 5;
/// How long the first of these waits; then twice as long each time.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// The provider.
#[derive(Clone)]
pub(super) struct Optty {
    client: Client<HttpConnector, Full<Bytes>>,
    url: http::Uri,
    secret: String,
}

/// One payment, as the provider knows it.
#[derive(Clone, Debug)]
pub(super) struct Payment {
    pub(super) reference: String,
    pub(super) transaction_id: String,
    pub(super) amount: Money,
    /// What a refund gives back.
    pub(super) refund: Money,
    pub(super) capture_reference: String,
    pub(super) void_reference: String,
    pub(super) refund_reference: String,
}

/// Who signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signer {
    /// The provider.
    Optty,
    /// Somebody who does not know the secret.
    Forger,
}

#[derive(Serialize)]
struct Body<'a> {
    event: &'static str,
    data: Data<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<&'a str>,
    reference: &'a str,
    status: &'static str,
    hash: String,
    currency: &'a str,
    amount: Box<RawValue>,
    provider: &'static str,
    #[serde(flatten)]
    words: Words<'a>,
}

/// What only some events say.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Words<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    capture_status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capture_reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    void_status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    void_reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reject_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled_by: Option<&'static str>,
}

impl Optty {
    /// A provider that posts to this server.
    pub(super) fn new(server: SocketAddr, secret: &str) -> Result<Self, http::Error> {
        let path = format!("/webhooks/{ACCOUNT}");
        let url = http::Uri::builder().scheme("http").authority(server.to_string());
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            url: url.path_and_query(path).build()?,
            secret: secret.to_owned(),
        })
    }

    /// Posts one webhook, again if the server could not take it. The last answer, or nothing if
    /// there was none.
    pub(super) async fn post(
        &self,
        word: Word,
        payment: &Payment,
        signer: Signer,
    ) -> Option<http::StatusCode> {
        let body = self.body(word, payment, signer)?;
        let mut answer = None;
        for attempt in 0..TRIES_MAX {
            answer = self.post_once(body.clone()).await;
            if answer.is_some_and(|status| !status.is_server_error()) {
                break;
            }
            tokio::time::sleep(RETRY_DELAY * 2_u32.pow(attempt)).await;
        }
        answer
    }

    async fn post_once(&self, body: Bytes) -> Option<http::StatusCode> {
        let request = http::Request::post(self.url.clone())
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .ok()?;
        self.client.request(request).await.ok().map(|response| response.status())
    }

    fn body(&self, word: Word, payment: &Payment, signer: Signer) -> Option<Bytes> {
        let (event, status, words) = said(word, payment);
        let is_refund = event == "REFUND_CALLBACK";
        let amount = if is_refund { &payment.refund } else { &payment.amount };
        let digits = amount.to_string();
        let digits = digits.split(' ').next().unwrap_or_default();
        let secret = match signer {
            Signer::Optty => &self.secret,
            Signer::Forger => "a guess",
        };
        let data = Data {
            transaction_id: (!is_refund).then_some(&*payment.transaction_id),
            reference: &payment.reference,
            status,
            hash: hash(secret, status, &payment.reference)?,
            currency: amount.currency_code(),
            // The digits as they are: no floating point on the way.
            amount: RawValue::from_string(digits.to_owned()).ok()?,
            provider: "DEMO_CARDS_AU",
            words,
        };
        Some(serde_json::to_vec(&Body { event, data }).ok()?.into())
    }
}

/// The event, the status that is signed, and what else the event says.
fn said(word: Word, payment: &Payment) -> (&'static str, &'static str, Words<'_>) {
    let none = Words::default();
    let order = "ORDER_ASYNC_CALLBACK";
    let refund = || Words { refund_reference: Some(&payment.refund_reference), ..Words::default() };
    match word {
        Word::Pending => (order, "PENDING", none),
        Word::Authorized => {
            (order, "SUCCESSFUL", Words { capture_status: Some("AUTHORIZED"), ..none })
        }
        Word::Paid => (order, "SUCCESSFUL", none),
        Word::Declined => {
            (order, "DECLINED", Words { reject_reason: Some("insufficient funds"), ..none })
        }
        Word::CanceledByUser => (order, "CANCELED", Words { cancelled_by: Some("USER"), ..none }),
        Word::TimedOut => (order, "CANCELED", Words { cancelled_by: Some("SYSTEM"), ..none }),
        Word::Captured => {
            let reference = Some(&*payment.capture_reference);
            let status = Some("CAPTURED");
            let words = Words { capture_reference: reference, capture_status: status, ..none };
            ("ORDER_CAPTURE_ASYNC_CALLBACK", "SUCCESSFUL", words)
        }
        Word::Voided => {
            let reference = Some(&*payment.void_reference);
            let words =
                Words { void_reference: reference, void_status: Some("SUCCESSFUL"), ..none };
            ("ORDER_VOID_ASYNC_CALLBACK", "CANCELED", words)
        }
        Word::RefundPending => ("REFUND_CALLBACK", "PENDING", refund()),
        Word::Refunded => ("REFUND_CALLBACK", "SUCCESSFUL", refund()),
    }
}

fn hash(secret: &str, status: &str, reference: &str) -> Option<String> {
    let mac = Hmac::<Sha512>::new_from_slice(secret.as_bytes()).ok()?;
    let mac = mac.chain_update(format!("{status}|{reference}"));
    Some(hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use paystatus_client::Money;

    use super::{Optty, Payment, Signer};
    use crate::{
        demo::story::Word,
        domain::time::Time,
        providers::{AccountSettings, Content, Provider as _, Request, optty},
    };

    fn payment() -> Payment {
        Payment {
            reference: "paid-0001".to_owned(),
            transaction_id: "t-1".to_owned(),
            amount: Money::new("AUD", 14620, 2).expect("an amount"),
            refund: Money::new("AUD", 5, 2).expect("an amount"),
            capture_reference: "c1".to_owned(),
            void_reference: "v1".to_owned(),
            refund_reference: "r1".to_owned(),
        }
    }

    /// The adapter takes what the provider signs, reads all of it, and nothing that is forged.
    #[test]
    fn the_adapter_understands_every_word() {
        let address = ([127, 0, 0, 1], 1).into();
        let provider = Optty::new(address, "secret").expect("an address");
        let settings = AccountSettings::signed_with(&["secret"]);
        for word in [
            Word::Pending,
            Word::Authorized,
            Word::Paid,
            Word::Declined,
            Word::CanceledByUser,
            Word::TimedOut,
            Word::Captured,
            Word::Voided,
            Word::RefundPending,
            Word::Refunded,
        ] {
            let now = Time::from_micros(0);
            let body = provider.body(word, &payment(), Signer::Optty).expect("a body");
            let request = Request::new(&[], &body);
            assert_eq!(optty::Optty.verify(&request, &settings, now), Ok(()), "{word:?}");
            let readings = optty::Optty.read(&request, &settings).expect("it is readable");
            assert!(matches!(readings[0].content, Content::Statements(_)), "{word:?}");

            let body = provider.body(word, &payment(), Signer::Forger).expect("a body");
            let request = Request::new(&[], &body);
            assert!(optty::Optty.verify(&request, &settings, now).is_err(), "{word:?}");
        }
    }
}

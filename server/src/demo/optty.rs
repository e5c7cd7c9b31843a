//! The demo's Optty: says the demo's words with the simulated provider's voice, and posts them
//! over HTTP.

use std::{net::SocketAddr, time::Duration};

use paystatus_client::Money;
use paystatus_simulator::{
    Amount, Event, OperationKind, OperationState, PaymentState, Retry,
    deliver::{Sender, Unsendable},
    life,
    voice::{Speaker, Voice as _, Webhook},
    voices,
};

use super::story::Word;

/// The account that the demo's server has.
pub(super) const ACCOUNT: &str = "optty-demo";
/// How often a webhook that was not taken is sent again, and how long the first of these waits.
const RETRY: Retry = Retry { tries_max: 5, first_delay: Duration::from_millis(100) };

/// The provider.
#[derive(Clone)]
pub(super) struct Optty {
    sender: Sender,
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

impl Optty {
    /// A provider that posts to this server.
    pub(super) fn new(server: SocketAddr, secret: &str) -> Result<Self, Unsendable> {
        let url = format!("http://{server}/webhooks/{ACCOUNT}");
        Ok(Self { sender: Sender::new(url, RETRY)?, secret: secret.to_owned() })
    }

    /// Posts one webhook, again if the server could not take it. The last answer, or nothing if
    /// there was none.
    pub(super) async fn post(&self, word: Word, payment: &Payment, signer: Signer) -> Option<u16> {
        let make = || self.webhook(word, payment, signer);
        let sent = match signer {
            Signer::Optty => self.sender.send(make).await,
            Signer::Forger => self.sender.send_once(&make()?).await,
        };
        sent.status
    }

    fn webhook(&self, word: Word, payment: &Payment, signer: Signer) -> Option<Webhook> {
        let secret = match signer {
            Signer::Optty => &self.secret,
            Signer::Forger => "a guess",
        };
        let speaker = Speaker { secret: secret.to_owned(), ..Speaker::default() };
        voices::optty::Optty.webhook(&event(word, payment), &speaker)
    }
}

/// What a word says, as an event of the provider. The demo says old words again, so each stands
/// for itself.
fn event(word: Word, payment: &Payment) -> Event {
    let of_state = |state| (state, None);
    let operated = |state, kind, reference: &String, amount: &Money, is_done: bool| {
        let done = if is_done { OperationState::Succeeded } else { OperationState::Pending };
        let operation = life::Operation {
            kind,
            id: reference.clone(),
            reference: reference.clone(),
            amount: in_units(amount),
            state: done,
            changed_seconds: 0,
        };
        (state, Some(operation))
    };
    let refund = |is_done| {
        let (reference, amount) = (&payment.refund_reference, &payment.refund);
        operated(PaymentState::Paid, OperationKind::Refund, reference, amount, is_done)
    };
    let (held, whole) = (PaymentState::Authorized, &payment.amount);
    let (state, operation) = match word {
        Word::Pending => of_state(PaymentState::Pending),
        Word::Authorized => of_state(PaymentState::Authorized),
        Word::Paid => of_state(PaymentState::Paid),
        Word::Declined => of_state(PaymentState::Declined),
        Word::CanceledByUser => of_state(PaymentState::Canceled),
        Word::TimedOut => of_state(PaymentState::Expired),
        Word::Captured => {
            operated(held, OperationKind::Capture, &payment.capture_reference, whole, true)
        }
        Word::Voided => operated(held, OperationKind::Void, &payment.void_reference, whole, true),
        Word::RefundPending => refund(false),
        Word::Refunded => refund(true),
    };
    let about = match operation {
        None => life::About::Payment,
        Some(_) => life::About::Operation(0),
    };
    let payment = life::Payment {
        id: payment.transaction_id.clone(),
        reference: payment.reference.clone(),
        amount: in_units(&payment.amount),
        state,
        created_seconds: 0,
        changed_seconds: 0,
        operations: operation.into_iter().collect(),
    };
    Event { id: format!("{} {word:?}", payment.id), about, payment, seconds: 0 }
}

fn in_units(money: &Money) -> Amount {
    Amount {
        currency: money.currency_code().to_owned(),
        minor_units: money.minor_units().unsigned_abs(),
        exponent: u8::try_from(money.exponent()).unwrap_or(u8::MAX),
    }
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
            let webhook = provider.webhook(word, &payment(), Signer::Optty).expect("a webhook");
            let request = Request::new(&webhook.headers, &webhook.body);
            assert_eq!(optty::Optty.verify(&request, &settings, now), Ok(()), "{word:?}");
            let readings = optty::Optty.read(&request, &settings).expect("it is readable");
            assert!(matches!(readings[0].content, Content::Statements(_)), "{word:?}");

            let webhook = provider.webhook(word, &payment(), Signer::Forger).expect("a webhook");
            let request = Request::new(&webhook.headers, &webhook.body);
            assert!(optty::Optty.verify(&request, &settings, now).is_err(), "{word:?}");
        }
    }
}

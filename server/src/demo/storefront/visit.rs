//! One customer who pays: the checkout's side of it, and the provider's.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use paystatus_client::{
    ConditionKind, Money, NewAttempt, NewOperation, NewOrder, ProviderId, ProviderReply,
    ReplyResult,
};
use paystatus_simulator::{Action, Amount, Event, PaymentState, Simulator};
use tokio::sync::{Notify, watch};

use super::{
    ACCOUNT, Desk, PROVIDER,
    scenario::{Scenario, Step},
    shown::{Effect, Mail, Shown, ShownFact, Who},
};
use crate::clock;

/// What is sold.
const PRICE: (&str, i64, u8) = ("EUR", 2400, 2);
/// How long a page may watch its order.
const TOKEN_TTL: Duration = Duration::from_secs(30 * 60);
/// How the refund of a reversal is called.
const REFUND: &str = "r1";
/// How long the provider takes for it.
const REFUND_TAKES: Duration = Duration::from_millis(1500);

/// Why a visit does not go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Client(#[from] paystatus_client::Error),
    #[error(transparent)]
    Simulator(#[from] paystatus_simulator::Error),
    #[error(transparent)]
    Provider(#[from] paystatus_simulator::Refused),
    #[error("there is nothing to reverse")]
    NothingToReverse,
}

/// One visit.
pub(super) struct Visit {
    /// Known to the browser that began it, and to nobody else.
    pub(super) id: String,
    pub(super) order_id: String,
    /// Lets the customer's page watch the order.
    pub(super) token: String,
    pub(super) started: SystemTime,
    /// What the page shows beside the phone.
    pub(super) shown: watch::Sender<Shown>,
    /// Rung when there may be a fact that changed nothing.
    pub(super) look: Notify,
    desk: Desk,
    scenario: &'static Scenario,
    provider: Simulator,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The provider's ids of the attempts' payments.
    payments: Vec<String>,
    /// What happened at the provider.
    events: Vec<Event>,
    /// What is told that is no record of paystatus.
    asides: Vec<ShownFact>,
    is_reversed: bool,
    /// True once everything has happened.
    is_over: bool,
}

impl Visit {
    /// Records the order, and asks for a token for its page.
    pub(super) async fn begin(
        desk: &Desk,
        scenario: &'static Scenario,
        order_id: String,
    ) -> Result<Self, Error> {
        let started = now();
        // One provider a visit, so that nothing outlives it.
        let provider = Simulator::builder(PROVIDER)?
            .sender(desk.sender.clone())
            .secret(&desk.secret)
            .seed(rand::random())
            .start()
            .await?;
        let order = NewOrder::new(&order_id, price()?).label("scenario", scenario.name);
        desk.client.create_order(order).await?;
        let token = desk.client.create_page_token(&order_id, Some(TOKEN_TTL)).await?;
        Ok(Self {
            id: format!("{:032x}", rand::random::<u128>()),
            order_id,
            token: token.token,
            started,
            shown: watch::Sender::default(),
            look: Notify::new(),
            desk: desk.clone(),
            scenario,
            provider,
            state: Mutex::default(),
        })
    }

    /// Plays the scenario to its end.
    pub(super) async fn play(self: std::sync::Arc<Self>) {
        for step in self.scenario.steps {
            if let Err(error) = self.step(*step).await {
                tracing::error!(%error, ?step, "the shop of the demo cannot go on");
                self.shown.send_modify(|shown| {
                    shown.now = "";
                    shown.moral = Some("The demo stumbled: see its terminal.");
                });
                return;
            }
        }
        self.state().is_over = true;
        self.look.notify_one();
    }

    async fn step(&self, step: Step) -> Result<(), Error> {
        match step {
            Step::Wait(milliseconds) => {
                let time = Duration::from_millis(milliseconds);
                tokio::time::sleep(self.desk.at_tempo(time)).await;
            }
            Step::Say(text) => self.shown.send_modify(|shown| shown.now = text),
            Step::Attempt(number) => self.attempt(number).await?,
            Step::Happens(attempt, happening) => {
                let mut state = self.state();
                let event = self.provider.act(&state.payments[attempt - 1], &happening.action())?;
                state.events.push(event);
            }
            Step::Tell(event) => {
                let event = self.state().events[event].clone();
                self.tell(&event).await;
            }
            Step::Forge(attempt) => self.forge(attempt).await,
            Step::CloseBrowser => {
                self.aside(Who::Customer, Effect::Aside, "The customer closes the browser.");
                self.shown.send_modify(|shown| shown.is_browser_closed = true);
            }
            Step::AwaitMail => {
                let mut shown = self.shown.subscribe();
                drop(shown.wait_for(|shown| shown.mail.is_some()).await);
            }
        }
        Ok(())
    }

    /// Records an attempt before the provider is called, and then what it answered.
    async fn attempt(&self, number: usize) -> Result<(), Error> {
        let (client, attempt_id) = (&self.desk.client, attempt_id(number));
        let reference = self.reference(number);
        let attempt = NewAttempt::new(&self.order_id, &attempt_id, ACCOUNT);
        client.create_attempt(attempt.reference(&reference)).await?;
        let (currency, minor_units, exponent) = PRICE;
        let amount = Amount {
            currency: currency.to_owned(),
            minor_units: minor_units.unsigned_abs(),
            exponent,
        };
        let payment = self.provider.open(&reference, amount);
        self.state().payments.push(payment.clone());
        let reply = ProviderReply::new(&self.order_id, &attempt_id)
            .result(ReplyResult::Pending)
            .id(ProviderId::new("payment", payment));
        client.record_provider_reply(reply).await?;
        Ok(())
    }

    async fn tell(&self, event: &Event) {
        let sent = self.provider.tell(event).await;
        if !sent.is_some_and(|sent| sent.is_taken()) {
            tracing::error!(?sent, "a webhook of the demo's shop was not taken");
        }
        self.look.notify_one();
    }

    /// Somebody says "paid" who does not know the secret.
    async fn forge(&self, attempt: usize) {
        let known = {
            let state = self.state();
            let of_attempt = |event: &&Event| event.payment.id == state.payments[attempt - 1];
            state.events.iter().rfind(of_attempt).cloned()
        };
        let Some(mut event) = known else { return };
        event.payment.state = PaymentState::Paid;
        event.id = format!("{}f", event.id);
        let answer = self.provider.forge(&event).await.and_then(|sent| sent.status);
        let answer = answer.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        let text = format!(
            "Somebody who does not know the secret sends “paid”. Answered with {answer}, and \
             nothing recorded."
        );
        self.aside(Who::Forger, Effect::Refused, text);
    }

    /// Gives back what was collected twice: records the refund, then has the provider make it.
    pub(super) async fn reverse(&self) -> Result<(), Error> {
        let order = self.desk.client.get_order(&self.order_id).await?;
        let duplicate = order
            .conditions
            .iter()
            .find(|condition| condition.kind == ConditionKind::DuplicatePayment)
            .and_then(|condition| condition.attempt_ids.first());
        let attempt_id = duplicate.ok_or(Error::NothingToReverse)?;
        let payment = {
            let mut state = self.state();
            let mut attempts = (1..).zip(&state.payments);
            let found = attempts.find(|(number, _)| attempt_id == &self::attempt_id(*number));
            let payment = found.map(|(_, payment)| payment.clone());
            let payment = payment.filter(|_| !state.is_reversed).ok_or(Error::NothingToReverse)?;
            state.is_reversed = true;
            payment
        };
        let refunded = self.refund(attempt_id, &payment).await;
        self.state().is_reversed = refunded.is_ok();
        refunded
    }

    async fn refund(&self, attempt_id: &str, payment: &str) -> Result<(), Error> {
        let reference = format!("{}-{REFUND}", self.order_id);
        let refund = NewOperation::new(&self.order_id, attempt_id, REFUND);
        self.desk.client.create_refund(refund.amount(price()?).reference(&reference)).await?;
        let action = Action::refund(&reference, PRICE.1.unsigned_abs());
        let event = self.provider.act(payment, &action)?;
        tokio::time::sleep(self.desk.at_tempo(REFUND_TAKES)).await;
        self.tell(&event).await;
        Ok(())
    }

    /// The mailer has written.
    pub(super) fn wrote(&self, subject: String, text: String) {
        self.aside(
            Who::Mailer,
            Effect::Aside,
            "The shop’s mailer heard that change, and writes to the customer.",
        );
        let mail = Mail { at: self.at(now()), subject, text };
        self.shown.send_modify(|shown| shown.mail = Some(mail));
    }

    /// What was to be seen, once everything has happened.
    pub(super) fn moral(&self) -> Option<&'static str> {
        self.state().is_over.then_some(self.scenario.moral)
    }

    /// What happened outside of paystatus.
    pub(super) fn asides(&self) -> Vec<ShownFact> {
        self.state().asides.clone()
    }

    /// A moment, in milliseconds after the start.
    pub(super) fn at(&self, time: SystemTime) -> u64 {
        let since = time.duration_since(self.started).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn aside(&self, who: Who, effect: Effect, text: impl Into<String>) {
        let (at, text) = (self.at(now()), text.into());
        self.state().asides.push(ShownFact { at, who, text, effect, changes: Vec::new() });
        self.look.notify_one();
    }

    /// What the provider has as the attempt's reference: within an account it is for one payment.
    fn reference(&self, attempt: usize) -> String {
        format!("{}-{attempt}", self.order_id)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now() -> SystemTime {
    let micros = u64::try_from(clock::now().as_micros()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_micros(micros)
}

fn attempt_id(number: usize) -> String {
    format!("a{number}")
}

fn price() -> Result<Money, paystatus_client::Error> {
    let (currency, minor_units, exponent) = PRICE;
    Money::new(currency, minor_units, exponent.into())
}

//! The five time-outs that Gr4vy documents ("Common timeout scenarios"), played at any provider
//! that can say what they need. Each tells what a checkout service was told on the way.

mod stage;

use paystatus_client::{
    AwaitTarget, Change, Condition, ConditionKind, NewAttempt, NewOperation, OperationKind,
    OperationStatus, Order, Outcome, ProviderReply, ReplyResult,
};
use paystatus_simulator::Action;

pub use self::stage::Stage;
use self::stage::{Watched, in_minor_units};
use super::Error;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// 1: the call to the provider times out, and the webhook comes while the customer waits.
    TimeoutWebhook,
    /// 2: the call times out, the customer pays again, and the first webhook comes after that.
    LateWebhookTwoAttempts,
    /// 3: the same, without any webhook: the provider is asked.
    Polling,
    /// 4: calls for a capture, a void and a refund time out, and their webhooks come.
    OperationsWebhook,
    /// 5: the same, without any webhook.
    OperationsPolling,
}

impl Scenario {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 5] = [
        Self::TimeoutWebhook,
        Self::LateWebhookTwoAttempts,
        Self::Polling,
        Self::OperationsWebhook,
        Self::OperationsPolling,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TimeoutWebhook => "timeout-webhook",
            Self::LateWebhookTwoAttempts => "late-webhook-two-attempts",
            Self::Polling => "polling",
            Self::OperationsWebhook => "operations-webhook",
            Self::OperationsPolling => "operations-polling",
        }
    }

    /// The one of a name or a number from 1.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let of_number = text.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let named = Self::ALL.into_iter().find(|scenario| scenario.name() == text);
        named.or_else(|| Self::ALL.get(of_number?).copied())
    }

    /// True if no webhook is sent, so that paystatus must ask.
    #[must_use]
    pub fn needs_polling(self) -> bool {
        matches!(self, Self::Polling | Self::OperationsPolling)
    }
}

/// One thing that happened, as the story is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// What somebody did, in plain words.
    Done(String),
    /// What a checkout that waited for an order was answered.
    Awaited(String, Outcome),
    /// What a watcher of an order was told.
    Changed(Box<Change>),
}

/// What came of a scenario.
#[derive(Clone, Debug)]
pub struct Played {
    /// What happened, in its order; changes stand where they were read.
    pub told: Vec<Told>,
    /// The orders in the end.
    pub orders: Vec<Order>,
}

impl Played {
    /// What waiting checkouts were answered.
    #[must_use]
    pub fn awaited(&self) -> Vec<Outcome> {
        let outcome = |told: &Told| match told {
            Told::Awaited(_, outcome) => Some(*outcome),
            _ => None,
        };
        self.told.iter().filter_map(outcome).collect()
    }

    /// What watchers were told.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.told.iter().filter_map(|told| match told {
            Told::Changed(change) => Some(&**change),
            _ => None,
        })
    }
}

/// Plays one.
///
/// # Errors
/// [`Error::Missing`] if what must come does not, and what stands in the way of playing at all.
pub async fn play(scenario: Scenario, stage: &Stage) -> Result<Played, Error> {
    match scenario {
        Scenario::TimeoutWebhook => timeout(stage).await,
        Scenario::LateWebhookTwoAttempts | Scenario::Polling => {
            two_attempts(stage, !scenario.needs_polling()).await
        }
        Scenario::OperationsWebhook | Scenario::OperationsPolling => {
            operations(stage, !scenario.needs_polling()).await
        }
    }
}

async fn timeout(stage: &Stage) -> Result<Played, Error> {
    let order_id = stage.order_id("1");
    let mut watched = stage.order(&order_id).await?;
    let payment = stage.attempt(&mut watched, "a1", &order_id).await?;
    stage.no_answer(&mut watched, "a1").await?;
    watched.await_briefly().await?;
    let paid = stage.act(&mut watched, &payment, &Action::Pay)?;
    let (awaited, told) = tokio::join!(stage.await_outcome(&order_id), stage.tell(&paid));
    told?;
    watched.done("the webhook comes while the customer waits");
    watched.awaited(awaited?.outcome);
    watched.end(|_| true).await
}

async fn two_attempts(stage: &Stage, webhooks: bool) -> Result<Played, Error> {
    let order_id = stage.order_id(if webhooks { "2" } else { "3" });
    let mut watched = stage.order(&order_id).await?;
    let first = stage.attempt(&mut watched, "a1", &order_id).await?;
    stage.no_answer(&mut watched, "a1").await?;
    watched.await_briefly().await?;
    let first_paid = stage.act(&mut watched, &first, &Action::Pay)?;
    stage.another_moment().await;

    let reference = stage.second_reference(&order_id);
    let second = stage.attempt(&mut watched, "a2", &reference).await?;
    let second_paid = stage.act(&mut watched, &second, &Action::Pay)?;
    let reply = ProviderReply::new(&order_id, "a2").result(ReplyResult::Successful);
    stage.client().record_provider_reply(reply.amount(stage.amount()?)).await?;
    watched.done("the provider answers the second call: paid");
    let awaited = stage.await_outcome(&order_id).await?;
    watched.awaited(awaited.outcome);

    if webhooks {
        stage.tell(&first_paid).await?;
        watched.done("the webhook of the first payment comes at last: paid as well");
    } else {
        watched.done("no webhook comes; paystatus asks the provider");
    }
    let double = watched.until("a duplicate payment", |order| is_double(order).is_some()).await?;
    let named = is_double(&double).map(|c| c.attempt_ids.join(", ")).unwrap_or_default();
    watched.done(&format!("the merchant is told of a duplicate payment: {named}"));

    // The first one is given back, as the scenario has it.
    let refund = format!("{order_id}-r1");
    let asked = NewOperation::new(&order_id, "a1", &refund).amount(stage.amount()?);
    stage.client().create_refund(asked).await?;
    let refunded = Action::refund(&refund, in_minor_units(&stage.amount()?));
    let refunded = stage.act(&mut watched, &first, &refunded)?;
    if webhooks {
        stage.tell(&refunded).await?;
        watched.done("the webhook of the refund comes");
        stage.tell(&second_paid).await?;
        watched.done("the webhook of the second payment comes, and nothing is to be done");
    }
    watched.end(|order| is_double(order).is_none() && order.totals.refunded.is_some()).await
}

async fn operations(stage: &Stage, webhooks: bool) -> Result<Played, Error> {
    let number = if webhooks { "4" } else { "5" };
    let mut told = Vec::new();
    let mut orders = Vec::new();
    for kind in [OperationKind::Capture, OperationKind::Void, OperationKind::Refund] {
        let order_id = stage.order_id(&format!("{number}-{}", kind.to_string().to_lowercase()));
        let played = operation(stage, &order_id, kind, webhooks).await?;
        told.extend(played.told);
        orders.extend(played.orders);
    }
    Ok(Played { told, orders })
}

async fn operation(
    stage: &Stage,
    order_id: &str,
    kind: OperationKind,
    webhooks: bool,
) -> Result<Played, Error> {
    let mut watched = stage.order(order_id).await?;
    let payment = stage.attempt(&mut watched, "a1", order_id).await?;
    let is_refund = kind == OperationKind::Refund;
    let begun = if is_refund { Action::Pay } else { Action::Authorize };
    let begun = stage.act(&mut watched, &payment, &begun)?;
    if webhooks {
        stage.tell(&begun).await?;
    }
    let approved = |order: &Order| order.outcome == Outcome::Approved;
    watched.until("the approval", approved).await?;

    let id = format!("{order_id}-op");
    let asked = || NewOperation::new(order_id, "a1", &id);
    let client = stage.client();
    let units = in_minor_units(&stage.amount()?);
    let action = match kind {
        OperationKind::Capture => {
            client.create_capture(asked().amount(stage.amount()?)).await?;
            Action::capture(&id, units)
        }
        OperationKind::Void => {
            let void = match stage.void_reference(&payment) {
                Some(reference) => asked().reference(reference),
                None => asked(),
            };
            client.create_void(void).await?;
            Action::void(&id, units)
        }
        _ => {
            client.create_refund(asked().amount(stage.amount()?)).await?;
            Action::refund(&id, units)
        }
    };
    let reply = ProviderReply::new(order_id, "a1").operation(kind, &id);
    client.record_provider_reply(reply.result(ReplyResult::NoAnswer)).await?;
    watched.done(&format!("the call for the {} times out", kind.to_string().to_lowercase()));
    let happened = stage.act(&mut watched, &payment, &action)?;
    if webhooks {
        stage.tell(&happened).await?;
        watched.done("its webhook comes");
    } else {
        watched.done("no webhook comes; paystatus asks the provider");
    }
    let is_done = |order: &Order| {
        let done = order.operation(kind, &id).map(|operation| operation.status);
        done == Some(OperationStatus::Successful)
    };
    watched.until(&format!("the success of the {kind}"), is_done).await?;
    watched.end(|_| true).await
}

fn is_double(order: &Order) -> Option<&Condition> {
    order.conditions.iter().find(|condition| condition.kind == ConditionKind::DuplicatePayment)
}

impl Stage {
    /// The customer's own order, watched from its first moment.
    async fn order(&self, order_id: &str) -> Result<Watched, Error> {
        let order = paystatus_client::NewOrder::new(order_id, self.amount()?);
        self.client().create_order(order).await?;
        let mut watched = Watched::begin(self, order_id).await?;
        watched.done(&format!("order {order_id} is recorded"));
        Ok(watched)
    }

    /// An attempt is recorded and the provider is called, which begins a payment.
    async fn attempt(
        &self,
        watched: &mut Watched,
        attempt: &str,
        reference: &str,
    ) -> Result<String, Error> {
        let recorded = NewAttempt::new(watched.order_id(), attempt, self.account());
        self.client().create_attempt(recorded.reference(reference)).await?;
        watched.done(&format!("attempt {attempt} is recorded, and the provider is called"));
        Ok(self.open(reference))
    }

    /// The provider did not answer: which says nothing of the payment.
    async fn no_answer(&self, watched: &mut Watched, attempt: &str) -> Result<(), Error> {
        let reply = ProviderReply::new(watched.order_id(), attempt).result(ReplyResult::NoAnswer);
        self.client().record_provider_reply(reply).await?;
        watched.done("the call times out");
        Ok(())
    }

    async fn await_outcome(&self, order_id: &str) -> Result<paystatus_client::Awaited, Error> {
        let target = AwaitTarget::order(order_id);
        Ok(self.client().await_outcome(target, self.patience()).await?)
    }
}

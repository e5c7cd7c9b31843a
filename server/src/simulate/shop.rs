//! The shop and the provider play one order: the shop records what it is about to do, the
//! provider does it, and its webhooks come as chance has it.

use std::{sync::Arc, time::Duration};

use paystatus_client::{Client, Error, Money, NewAttempt, NewOperation, NewOrder};
use paystatus_simulator::{
    Action, Amount, Chaos, Event, OperationKind, Payment, PaymentState, Sent, Simulator,
    chaos::{How, Plan},
    life::About,
};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

use super::{
    Board,
    account::Found,
    expect::Expected,
    judge::{self, Judged},
    story::{Story, Which},
};

/// Amounts of orders, in minor units.
const AMOUNTS: std::ops::Range<u64> = 500..50_000;
/// How long an order that must stay undecided is looked at again.
const CALM: Duration = Duration::from_secs(1);

/// Who plays.
#[derive(Clone)]
pub(super) struct Shop {
    pub(super) client: Client,
    pub(super) simulator: Simulator,
    pub(super) account: String,
    pub(super) chaos: Chaos,
    /// True if a second payment needs a reference of its own.
    pub(super) wants_own_references: bool,
    /// True if paystatus asks the provider.
    pub(super) is_asked: bool,
    /// What that brings of a payment of which no webhook came.
    pub(super) found: Found,
    pub(super) patience: Duration,
    pub(super) board: Arc<Board>,
}

/// What was sent of an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// As the provider sends them.
    pub honest: u64,
    /// Once more.
    pub again: u64,
    /// Signed with another secret.
    pub forged: u64,
    /// With a bit changed.
    pub flipped: u64,
    /// Those that were never sent.
    pub dropped: u64,
}

impl Tally {
    /// All that were sent.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.honest + self.again + self.forged + self.flipped
    }
}

/// An order under way.
struct Play<'a> {
    shop: &'a Shop,
    order_id: &'a str,
    asked: Amount,
    charged: Amount,
    payments: Vec<String>,
    events: Vec<Event>,
}

impl Shop {
    /// Plays a story with one order, and judges what came of it.
    pub(super) async fn play(self, order_id: String, story: &'static Story, seed: u64) -> Judged {
        let mut random = StdRng::seed_from_u64(seed);
        let (currency, exponent) = self.simulator.voice().currency();
        let minor_units = random.random_range(AMOUNTS);
        let asked = Amount { currency: currency.to_owned(), minor_units, exponent };
        let other = self.chaos.other_amount(minor_units, &mut random);
        let other = other.filter(|_| story.is_plain()).unwrap_or(minor_units);
        let plan = self.chaos.plan(story.steps.len(), &mut random);
        let mut judged = Judged::new(&order_id, story, &asked);
        let charged = Amount { minor_units: other, ..asked.clone() };
        let mut play = Play {
            shop: &self,
            order_id: &order_id,
            asked,
            charged,
            payments: Vec::new(),
            events: Vec::new(),
        };
        if let Err(problem) = play.live(story).await {
            judged.problems.push(problem);
            return judged;
        }
        play.deliver(&plan, seed, &mut judged).await;
        self.board.count(|progress| progress.ended += 1);
        self.judge(play.expected(&plan), judged).await
    }

    async fn judge(&self, expected: Expected, mut judged: Judged) -> Judged {
        judged.expected = expected.words();
        // What must stay as it is has nothing to wait for: it is looked at once more, later.
        if expected == Expected::undecided() {
            tokio::time::sleep(CALM.min(self.patience)).await;
        }
        judge::judge(&self.client, &expected, self.patience, judged).await
    }
}

impl Play<'_> {
    /// Everything happens at the provider; the shop records each step before. What fails is told
    /// in words.
    async fn live(&mut self, story: &Story) -> Result<(), String> {
        let refused = |error: Error| format!("it cannot be recorded: {error}");
        let order = NewOrder::new(self.order_id, money(&self.asked).map_err(refused)?);
        let order = order.label("story", story.about);
        self.shop.client.create_order(order).await.map_err(refused)?;
        self.shop.board.count(|progress| progress.orders += 1);
        for (which, what) in story.steps {
            let index = *which as usize;
            while self.payments.len() <= index {
                let which = if self.payments.is_empty() { Which::First } else { Which::Second };
                self.begin(which).await.map_err(refused)?;
            }
            let id = &self.payments[index];
            let Some(payment) = self.shop.simulator.payment(id) else { continue };
            let action = what.action(&payment, self.order_id);
            self.record(&action, &payment, index).await.map_err(refused)?;
            let event = self.shop.simulator.act(id, &action);
            self.events.push(event.map_err(|error| error.to_string())?);
        }
        Ok(())
    }

    /// A payment begins.
    async fn begin(&mut self, which: Which) -> Result<(), Error> {
        let order_id = self.order_id;
        let (attempt, reference) = match which {
            Which::First => ("a1", order_id.to_owned()),
            Which::Second if self.shop.wants_own_references => ("a2", format!("{order_id}-2")),
            Which::Second => ("a2", order_id.to_owned()),
        };
        let recorded = NewAttempt::new(order_id, attempt, &self.shop.account);
        self.shop.client.create_attempt(recorded.reference(&reference)).await?;
        self.payments.push(self.shop.simulator.open(&reference, self.charged.clone()));
        Ok(())
    }

    /// An operation is recorded before the provider hears of it.
    async fn record(&self, action: &Action, payment: &Payment, index: usize) -> Result<(), Error> {
        let Action::Operate { kind, reference, minor_units, .. } = action else { return Ok(()) };
        if payment.operations.iter().any(|operation| operation.reference == *reference) {
            return Ok(());
        }
        let attempt = format!("a{}", index + 1);
        let amount = Amount { minor_units: *minor_units, ..payment.amount.clone() };
        let operation = NewOperation::new(self.order_id, attempt, reference);
        let operation = operation.amount(money(&amount)?);
        let voice = self.shop.simulator.voice();
        let operation = match voice.operation_reference(*kind, payment) {
            Some(reference) => operation.reference(reference),
            None => operation,
        };
        let client = &self.shop.client;
        match kind {
            OperationKind::Capture => client.create_capture(operation).await?,
            OperationKind::Refund => client.create_refund(operation).await?,
            OperationKind::Void => client.create_void(operation).await?,
        };
        Ok(())
    }

    async fn deliver(&self, plan: &Plan, seed: u64, judged: &mut Judged) {
        if plan.is_dropped {
            judged.tally.dropped = self.events.len() as u64;
        }
        for delivery in &plan.deliveries {
            tokio::time::sleep(Duration::from_millis(delivery.pause_ms)).await;
            let Some(event) = self.events.get(delivery.event) else { continue };
            let simulator = &self.shop.simulator;
            let tally = &mut judged.tally;
            let (sent, must_be_taken) = match delivery.how {
                How::Honest | How::Again => (simulator.tell(event).await, true),
                How::Forged => (simulator.forge(&as_paid(event, simulator)).await, false),
                How::Flipped => (simulator.flip(event, seed).await, false),
            };
            // Where nobody signs, nothing can be forged.
            let Some(sent) = sent else { continue };
            match delivery.how {
                How::Honest => tally.honest += 1,
                How::Again => tally.again += 1,
                How::Forged => tally.forged += 1,
                How::Flipped => tally.flipped += 1,
            }
            self.shop.board.count(|progress| progress.webhooks += 1);
            judged.problems.extend(problem(delivery.how, sent, must_be_taken));
        }
    }

    fn expected(&self, plan: &Plan) -> Expected {
        let simulator = &self.shop.simulator;
        let is_hint = |event| simulator.signs(event) == Some(false);
        let known = if plan.is_dropped { self.shop.found } else { Found::All };
        let is_hinted = self.events.iter().all(is_hint) && !self.shop.is_asked;
        if known == Found::Nothing || is_hinted {
            return Expected::undecided();
        }
        let of_order = self.payments.iter().filter_map(|id| simulator.payment(id));
        let payments: Vec<Payment> = of_order.collect();
        let asked = self.asked.minor_units;
        match known {
            Found::Refusals => Expected::of_refusals(&payments, asked, simulator.voice()),
            Found::Nothing | Found::All => Expected::of(&payments, asked, simulator.voice()),
        }
    }
}

fn problem(how: How, sent: Sent, must_be_taken: bool) -> Option<String> {
    let is_right = if must_be_taken { sent.is_taken() } else { sent.is_refused() };
    let must = if must_be_taken { "taken" } else { "refused" };
    let answer = sent.status.map_or_else(|| "not at all".to_owned(), |status| status.to_string());
    let how = format!("{how:?}").to_lowercase();
    (!is_right).then(|| format!("the {how} webhook was answered {answer}, and must be {must}"))
}

/// The event as a forger would have it: that all is paid. The event as it is, where the provider
/// has no such webhook.
fn as_paid(event: &Event, simulator: &Simulator) -> Event {
    let mut paid = event.clone();
    paid.about = About::Payment;
    paid.payment.state = PaymentState::Paid;
    paid.payment.operations.clear();
    if simulator.can_tell(&paid) { paid } else { event.clone() }
}

/// An amount for the SDK.
pub(super) fn money(amount: &Amount) -> Result<Money, Error> {
    Money::parse_with_exponent(&amount.major(), &amount.currency, u32::from(amount.exponent))
}

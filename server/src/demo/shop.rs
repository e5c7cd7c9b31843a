//! The shop: plays a story step by step. It records through the client SDK what it is about to
//! do, then asks the provider, and waits for the outcome as a checkout does.

use std::time::{Duration, Instant};

use paystatus_client::{
    Awaited, Client, Error, Money, NewAttempt, NewOperation, NewOrder, NewReceipt, OperationKind,
    Outcome,
};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use tokio::task::JoinHandle;

use super::{
    board::Board,
    optty::{ACCOUNT, Optty, Payment, Signer},
    story::{Share, Step, Story, Word},
};

/// Between two steps of a story, in milliseconds.
const PAUSE_MS: std::ops::Range<u64> = 10..150;
/// When a story waits longer.
const LONG_PAUSE_MS: std::ops::Range<u64> = 1000..2500;
/// How often the provider says something old again: once in so many times.
const OLD_AGAIN: u32 = 4;
/// How long a customer waits where nothing is to be expected …
const WAIT_IN_VAIN: Duration = Duration::from_secs(2);
/// … and where something is.
const WAIT: Duration = Duration::from_secs(30);

/// The shop and the provider that it uses.
#[derive(Clone)]
pub(super) struct Shop {
    pub(super) client: Client,
    pub(super) optty: Optty,
    pub(super) board: std::sync::Arc<Board>,
}

/// A story that was played.
#[derive(Debug)]
pub(super) struct Played {
    /// Which: an index of [`super::story::STORIES`].
    pub(super) story: usize,
    pub(super) order_id: String,
    /// In minor units.
    pub(super) amount: i64,
    /// How long after the provider spoke the waiting customer knew.
    pub(super) told_after: Option<Duration>,
    /// What was not as it must be.
    pub(super) problems: Vec<String>,
}

/// A story under way.
struct Play<'a> {
    shop: &'a Shop,
    story: &'static Story,
    random: StdRng,
    played: Played,
    transactions: [String; 2],
    /// What the provider said so far.
    said: Vec<(u8, Word)>,
    /// When it first said more than PENDING to a customer who waited.
    spoke: Option<Instant>,
    waiting: Option<JoinHandle<(Result<Awaited, Error>, Instant)>>,
}

impl Shop {
    /// Plays one story with one order.
    pub(super) async fn play(&self, story: usize, number: usize, seed: u64) -> Played {
        let mut random = StdRng::seed_from_u64(seed ^ (number as u64).rotate_left(32));
        let told = &super::story::STORIES[story];
        let played = Played {
            story,
            order_id: format!("{}-{number:04}", told.name),
            amount: random.random_range(500..50_000),
            told_after: None,
            problems: Vec::new(),
        };
        self.board.count(story, |tally| tally.orders += 1);
        let transactions = std::array::from_fn(|_| format!("{:032x}", random.random::<u128>()));
        let mut play = Play {
            shop: self,
            story: told,
            random,
            played,
            transactions,
            said: Vec::new(),
            spoke: None,
            waiting: None,
        };
        for step in told.steps {
            if let Err(error) = play.step(*step).await {
                play.problem(format!("{step:?}: {error}"));
                break;
            }
            play.pause(PAUSE_MS).await;
        }
        play.hear_outcome().await;
        play.played
    }
}

impl Play<'_> {
    async fn step(&mut self, step: Step) -> Result<(), Error> {
        let client = &self.shop.client;
        let order_id = &self.played.order_id;
        match step {
            Step::Order => {
                let order = NewOrder::new(order_id, self.money(Share::Whole)?);
                client.create_order(order.label("story", self.story.name)).await?;
            }
            Step::Attempt(number) => {
                let attempt = NewAttempt::new(order_id, format!("a{number}"), ACCOUNT);
                client.create_attempt(attempt.reference(self.reference(number))).await?;
                self.wait_for_outcome();
            }
            Step::Ask(kind) => self.ask(kind).await?,
            Step::Wait => self.pause(LONG_PAUSE_MS).await,
            Step::Tell(attempt, word) => {
                self.tell(attempt, word).await?;
                self.say_something_old().await?;
            }
            Step::TellAtOnce(attempt, word) => {
                self.heard(attempt, word);
                let payment = self.payment(attempt)?;
                let post = || self.shop.optty.post(word, &payment, Signer::Optty);
                let (first, second, third) = tokio::join!(post(), post(), post());
                self.count(3, 2, 0);
                [first, second, third].into_iter().for_each(|answer| self.taken(word, answer));
            }
            Step::TellInAnyOrder(words) => {
                let mut words = words.to_vec();
                words.shuffle(&mut self.random);
                for (attempt, word) in words {
                    self.tell(attempt, word).await?;
                    self.say_something_old().await?;
                    self.pause(PAUSE_MS).await;
                }
            }
            Step::Forge(attempt, word) => self.forge(attempt, word).await?,
            Step::Alter(attempt, word) => {
                let mut payment = self.payment(attempt)?;
                payment.amount = Money::new("AUD", self.played.amount / 2, 2)?;
                let answer = self.shop.optty.post(word, &payment, Signer::Optty).await;
                self.count(1, 0, 1);
                self.taken(word, answer);
            }
        }
        Ok(())
    }

    /// Records an operation before the provider hears of it.
    async fn ask(&self, kind: OperationKind) -> Result<(), Error> {
        let client = &self.shop.client;
        let operation = |id: &str| NewOperation::new(&self.played.order_id, "a1", id);
        match kind {
            OperationKind::Capture => client.create_capture(operation("c1")).await?,
            OperationKind::Void => client.create_void(operation("v1")).await?,
            _ => {
                let amount = self.money(Share::Third)?;
                client.create_refund(operation("r1").amount(amount)).await?
            }
        };
        Ok(())
    }

    async fn tell(&mut self, attempt: u8, word: Word) -> Result<(), Error> {
        self.heard(attempt, word);
        let answer = self.shop.optty.post(word, &self.payment(attempt)?, Signer::Optty).await;
        self.count(1, 0, 0);
        self.taken(word, answer);
        Ok(())
    }

    async fn say_something_old(&mut self) -> Result<(), Error> {
        if !self.random.random_ratio(1, OLD_AGAIN) {
            return Ok(());
        }
        let (attempt, word) = self.said[self.random.random_range(..self.said.len())];
        self.pause(PAUSE_MS).await;
        let answer = self.shop.optty.post(word, &self.payment(attempt)?, Signer::Optty).await;
        self.count(1, 1, 0);
        self.taken(word, answer);
        Ok(())
    }

    /// A forged webhook must be refused and change nothing.
    async fn forge(&mut self, attempt: u8, word: Word) -> Result<(), Error> {
        let before = self.shop.client.get_order(&self.played.order_id).await?;
        let answer = self.shop.optty.post(word, &self.payment(attempt)?, Signer::Forger).await;
        self.count(1, 0, 1);
        if answer != Some(401) {
            self.problem(format!("a forged {word:?} was answered {answer:?}, not 401"));
        }
        let after = self.shop.client.get_order(&self.played.order_id).await?;
        if before != after {
            self.problem(format!("a forged {word:?} changed the order"));
        }
        Ok(())
    }

    /// A customer looks at the page from the first attempt on.
    fn wait_for_outcome(&mut self) {
        if self.waiting.is_some() {
            return;
        }
        let is_in_vain = self.story.meant.outcomes == [Outcome::Undecided];
        let limit = if is_in_vain { WAIT_IN_VAIN } else { WAIT };
        let (client, order_id) = (self.shop.client.clone(), self.played.order_id.clone());
        self.waiting = Some(tokio::spawn(async move {
            let awaited = client.await_outcome(order_id, limit).await;
            (awaited, Instant::now())
        }));
    }

    async fn hear_outcome(&mut self) {
        let Some(Ok((awaited, told))) = (match self.waiting.take() {
            Some(waiting) => Some(waiting.await),
            None => None,
        }) else {
            return;
        };
        match awaited {
            Ok(awaited) if self.story.meant.outcomes.contains(&awaited.outcome) => {
                let since = |spoke| told.checked_duration_since(spoke);
                let is_told = awaited.outcome.is_decided();
                self.played.told_after = self.spoke.filter(|_| is_told).and_then(since);
                if let (true, Some(order)) = (is_told, awaited.order) {
                    self.leave_receipt(order.outcome_number).await;
                }
            }
            Ok(awaited) => self.problem(format!("the customer was told {}", awaited.outcome)),
            Err(error) => self.problem(format!("the customer was told nothing: {error}")),
        }
    }

    /// The page says that it showed the outcome, unless a newer one was faster.
    async fn leave_receipt(&mut self, outcome_number: i64) {
        let receipt = NewReceipt::new(&self.played.order_id, outcome_number);
        if let Err(error) = self.shop.client.record_receipt(receipt).await {
            self.problem(format!("the receipt was not taken: {error}"));
        }
    }

    /// The provider is about to say this.
    fn heard(&mut self, attempt: u8, word: Word) {
        self.said.push((attempt, word));
        if word != Word::Pending && self.waiting.is_some() && self.spoke.is_none() {
            self.spoke = Some(Instant::now());
        }
    }

    fn taken(&mut self, word: Word, answer: Option<u16>) {
        if answer != Some(200) {
            self.problem(format!("the webhook {word:?} was answered {answer:?}, not 200"));
        }
    }

    fn problem(&mut self, problem: String) {
        self.played.problems.push(problem);
    }

    fn count(&self, webhooks: u64, repeats: u64, forged: u64) {
        self.shop.board.count(self.played.story, |tally| {
            tally.webhooks += webhooks;
            tally.repeats += repeats;
            tally.forged += forged;
        });
    }

    async fn pause(&mut self, milliseconds: std::ops::Range<u64>) {
        let milliseconds = self.random.random_range(milliseconds);
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }

    /// What the provider has as the attempt's reference: within an account it is for one payment.
    fn reference(&self, attempt: u8) -> String {
        let order_id = &self.played.order_id;
        if attempt == 1 { order_id.clone() } else { format!("{order_id}-{attempt}") }
    }

    fn money(&self, share: Share) -> Result<Money, Error> {
        Money::new("AUD", share.of(self.played.amount), 2)
    }

    fn payment(&self, attempt: u8) -> Result<Payment, Error> {
        Ok(Payment {
            reference: self.reference(attempt),
            transaction_id: self.transactions[usize::from(attempt - 1)].clone(),
            amount: self.money(Share::Whole)?,
            refund: self.money(Share::Third)?,
            capture_reference: "c1".to_owned(),
            void_reference: "v1".to_owned(),
            refund_reference: "r1".to_owned(),
        })
    }
}

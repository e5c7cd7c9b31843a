//! Where a scenario is played, and an order that is watched meanwhile.

use std::time::Duration;

use futures_util::StreamExt as _;
use paystatus_client::{Client, Event as Streamed, Money, Order, OrderWatch, Outcome};
use paystatus_simulator::{Action, Amount, Event, OperationKind, Simulator};
use tokio::time::{Instant, timeout_at};

use super::{Played, Told};
use crate::{
    providers,
    simulate::{Error, shop},
};

/// What every order costs, in minor units.
const MINOR_UNITS: u64 = 14_624;
/// How long a checkout waits that waits in vain.
const WAIT_IN_VAIN: Duration = Duration::from_millis(300);
/// Two payments are made at moments that the provider's clock tells apart.
const ANOTHER_MOMENT: Duration = Duration::from_millis(1100);

/// A checkout, a provider, and paystatus between them.
#[derive(Clone, Debug)]
pub struct Stage {
    client: Client,
    simulator: Simulator,
    account: String,
    run: String,
    patience: Duration,
}

impl Stage {
    /// The provider's webhooks come to this account; order ids begin with `run`; what must come
    /// is waited for so long.
    #[must_use]
    pub fn new(
        client: Client,
        simulator: Simulator,
        account: impl Into<String>,
        run: impl Into<String>,
        patience: Duration,
    ) -> Self {
        Self { client, simulator, account: account.into(), run: run.into(), patience }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn account(&self) -> &str {
        &self.account
    }

    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    pub(super) fn order_id(&self, scenario: &str) -> String {
        format!("{}-{scenario}", self.run)
    }

    /// The same reference again where the provider allows it: that is the harder case.
    pub(super) fn second_reference(&self, order_id: &str) -> String {
        let provider = providers::by_name(self.simulator.voice().name());
        if provider.is_none_or(providers::Provider::reference_identifies_attempt) {
            format!("{order_id}-2")
        } else {
            order_id.to_owned()
        }
    }

    fn units(&self) -> Amount {
        let (currency, exponent) = self.simulator.voice().currency();
        Amount { currency: currency.to_owned(), minor_units: MINOR_UNITS, exponent }
    }

    pub(super) fn amount(&self) -> Result<Money, Error> {
        Ok(shop::money(&self.units())?)
    }

    /// What names a void where the provider takes no reference for it.
    pub(super) fn void_reference(&self, payment: &str) -> Option<String> {
        let payment = self.simulator.payment(payment)?;
        self.simulator.voice().operation_reference(OperationKind::Void, &payment)
    }

    /// The provider begins a payment.
    pub(super) fn open(&self, reference: &str) -> String {
        self.simulator.open(reference, self.units())
    }

    /// Something happens at the provider. Nobody is told.
    pub(super) fn act(
        &self,
        watched: &mut Watched,
        payment: &str,
        action: &Action,
    ) -> Result<Event, Error> {
        let event = self.simulator.act(payment, action);
        let event = event.map_err(|_| self.unplayable("its ledger does not allow it"))?;
        watched.done(&format!("at the provider: {}", in_words(action)));
        Ok(event)
    }

    /// The provider's webhook of it comes.
    pub(super) async fn tell(&self, event: &Event) -> Result<(), Error> {
        match self.simulator.tell(event).await {
            Some(sent) if sent.is_taken() => Ok(()),
            Some(_) => Err(self.unplayable("its webhook is not taken")),
            None => Err(self.unplayable("it has no webhook for what happens")),
        }
    }

    pub(super) async fn another_moment(&self) {
        tokio::time::sleep(ANOTHER_MOMENT).await;
    }

    fn unplayable(&self, why: &'static str) -> Error {
        Error::Unplayable { provider: self.simulator.voice().name().to_owned(), why }
    }
}

/// An amount of ours as it stands in the provider's book.
pub(super) fn in_minor_units(money: &Money) -> u64 {
    money.minor_units().unsigned_abs()
}

fn in_words(action: &Action) -> String {
    match action {
        Action::Operate { kind, .. } => format!("the {kind:?} succeeds").to_lowercase(),
        Action::Pay => "the payment is authorised and captured".to_owned(),
        Action::Authorize => "the payment is authorised".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// An order with somebody who watches it.
pub(super) struct Watched {
    client: Client,
    order_id: String,
    watch: OrderWatch,
    patience: Duration,
    /// The newest version that the watcher knows.
    version: i64,
    told: Vec<Told>,
}

/// After so long nothing more is expected of what has happened already.
const SILENCE: Duration = Duration::from_millis(500);

impl Watched {
    /// Watches a recorded order. Returns once the watcher knows the present.
    pub(super) async fn begin(stage: &Stage, order_id: &str) -> Result<Self, Error> {
        let mut watched = Self {
            client: stage.client.clone(),
            order_id: order_id.to_owned(),
            watch: stage.client.watch(order_id),
            patience: stage.patience,
            version: 0,
            told: Vec::new(),
        };
        let end = Instant::now() + watched.patience;
        while !watched.read("the beginning of the watch", end).await? {}
        Ok(watched)
    }

    pub(super) fn order_id(&self) -> &str {
        &self.order_id
    }

    pub(super) fn done(&mut self, what: &str) {
        self.told.push(Told::Done(what.to_owned()));
    }

    pub(super) fn awaited(&mut self, outcome: Outcome) {
        self.told.push(Told::Awaited(self.order_id.clone(), outcome));
    }

    /// A checkout waits, and not for long.
    pub(super) async fn await_briefly(&mut self) -> Result<(), Error> {
        let awaited = self.client.await_outcome(self.order_id.clone(), WAIT_IN_VAIN).await?;
        self.awaited(awaited.outcome);
        Ok(())
    }

    /// Reads what the watcher is told, until the order is like this.
    pub(super) async fn until(
        &mut self,
        what: &str,
        is_like_this: impl Fn(&Order) -> bool,
    ) -> Result<Order, Error> {
        let end = Instant::now() + self.patience;
        loop {
            let order = self.client.get_order(&self.order_id).await?;
            if is_like_this(&order) {
                self.catch_up(&order).await?;
                return Ok(order);
            }
            // Not before the watcher is behind what was read: else the news may be the last.
            if self.version >= order.version || !self.catch_up(&order).await? {
                self.read(what, end).await?;
            }
        }
    }

    /// Reads what is known of an order. A record that changed nothing raises its version and is not
    /// told, so silence is the end as well. False if nothing was told.
    async fn catch_up(&mut self, order: &Order) -> Result<bool, Error> {
        let began = self.version;
        while self.version < order.version {
            match tokio::time::timeout(SILENCE, self.watch.next()).await {
                Ok(event) => self.take(event.transpose()?),
                Err(_) => break,
            };
        }
        Ok(self.version > began)
    }

    /// The end: once the order is like this, and the watcher knows it.
    pub(super) async fn end(
        mut self,
        is_like_this: impl Fn(&Order) -> bool,
    ) -> Result<Played, Error> {
        let order = self.until("the end", is_like_this).await?;
        Ok(Played { told: self.told, orders: vec![order] })
    }

    /// Reads one event. True if everything known has been told.
    async fn read(&mut self, what: &str, end: Instant) -> Result<bool, Error> {
        let missing = || Error::Missing { what: what.to_owned(), patience: self.patience };
        let event = timeout_at(end, self.watch.next()).await.map_err(|_| missing())?;
        Ok(self.take(Some(event.ok_or_else(missing)??)))
    }

    fn take(&mut self, event: Option<Streamed>) -> bool {
        match event {
            Some(Streamed::Snapshot(order)) => self.version = order.version,
            Some(Streamed::Changes(changes)) => {
                self.version = changes.last().map_or(self.version, |last| last.order_version);
                let told = changes.into_iter().map(|change| Told::Changed(Box::new(change)));
                self.told.extend(told);
            }
            Some(Streamed::CaughtUp) => return true,
            _ => {}
        }
        false
    }
}

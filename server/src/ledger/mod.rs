//! The missed-webhook ledger: how late each account's webhooks are, what polls learned before
//! them, and which providers are silent.
//!
//! It follows the journal from some way back, in memory: a restart reads that part again and
//! comes to the same. What is older than [`LOOKED_BACK`] records is not counted.

mod account;
pub mod silence;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use self::account::AccountLedger;
pub use self::account::{Figures, Samples};
use crate::{
    accounts::Accounts,
    domain::{
        change::{AttemptChange, Change, OperationChange},
        command::Disposition,
        fact::{Evidence, Fact},
        ids::AccountId,
        statement::Basis,
        time::Time,
        view::PaymentStatus,
    },
    hub::{Hub, ReadError, Recent},
    record::{OrderRecord, Record, Source},
};

/// Records that are read again at a start.
pub const LOOKED_BACK: u64 = 100_000;

/// The ledgers of all accounts.
pub struct Ledger {
    hub: Arc<Hub>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    position: u64,
    since: Option<Time>,
    accounts: BTreeMap<AccountId, AccountLedger>,
    silent: BTreeMap<AccountId, Silence>,
}

/// A provider that says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Since when.
    pub since: Time,
    /// How long it might have said nothing, in seconds.
    pub allowed: i64,
    /// How many attempts wait for it.
    pub waiting: u64,
}

/// What is known of one account.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// When the oldest record that counts was made.
    pub since: Option<Time>,
    /// How its webhooks fare.
    pub figures: Figures,
    /// If it is silent.
    pub silence: Option<Silence>,
}

impl Ledger {
    /// A ledger that has read nothing yet.
    #[must_use]
    pub fn new(hub: Arc<Hub>) -> Self {
        let position = hub.head().saturating_sub(LOOKED_BACK);
        Self { hub, state: Mutex::new(State { position, ..State::default() }) }
    }

    /// Reads what the journal has beyond what was read. May read the disk.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn follow(&self) -> Result<(), ReadError> {
        loop {
            let position = self.state().position;
            let records = match self.hub.recent(position) {
                Recent::Here(records) => records,
                Recent::Older => self.hub.read_journal(position)?,
            };
            let Some(last) = records.last().map(|committed| committed.position) else {
                return Ok(());
            };
            let mut state = self.state();
            records.iter().for_each(|committed| state.add(&committed.record));
            state.position = last;
        }
    }

    /// What is known of an account.
    #[must_use]
    pub fn of(&self, account: &AccountId) -> Known {
        let state = self.state();
        Known {
            since: state.since,
            figures: state.accounts.get(account).map(|a| a.figures.clone()).unwrap_or_default(),
            silence: state.silent.get(account).copied(),
        }
    }

    /// Looks which providers are silent, and logs what changed.
    pub fn judge(&self, accounts: &Accounts, now: Time) {
        let mut state = self.state();
        let silent: BTreeMap<AccountId, Silence> = accounts
            .iter()
            .filter_map(|account| {
                let ledger = state.accounts.get(&account.id)?;
                Some((account.id.clone(), silence_of(ledger, now)?))
            })
            .collect();
        for (account, silence) in &silent {
            if !state.silent.contains_key(account) {
                let seconds = now.as_seconds() - silence.since.as_seconds();
                let (allowed, waiting) = (silence.allowed, silence.waiting);
                tracing::error!(%account, seconds, allowed, waiting, "PROVIDER_SILENT: it opened");
            }
        }
        for account in state.silent.keys().filter(|account| !silent.contains_key(account)) {
            tracing::info!(%account, "PROVIDER_SILENT: it is over");
        }
        state.silent = silent;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn silence_of(ledger: &AccountLedger, now: Time) -> Option<Silence> {
    let figures = &ledger.figures;
    let allowed = silence::allowed(figures.usual_pause());
    let (since, waiting) = silence::since(figures.heard, ledger.undecided(), allowed, now)?;
    Some(Silence { since, allowed, waiting })
}

impl State {
    fn of(&mut self, account: &AccountId) -> &mut AccountLedger {
        self.accounts.entry(account.clone()).or_default()
    }

    fn add(&mut self, record: &Record) {
        self.since.get_or_insert(record.time());
        match record {
            Record::Kept(kept) => self.of(&kept.account).hear(kept.time),
            Record::Order(record) => {
                self.add_webhook(record);
                self.add_poll(record);
                self.add_changes(record);
            }
            _ => {}
        }
    }

    fn add_webhook(&mut self, record: &OrderRecord) {
        let Some(meta) = record.webhook.as_ref().filter(|_| record.source == Source::Webhook)
        else {
            return;
        };
        let time = record.decided.time;
        let ledger = self.of(&meta.account);
        ledger.hear(time);
        if meta.disposition != Disposition::Repeat {
            let statements = evidence_of(record).flat_map(|evidence| &evidence.statements);
            let provider_time = statements.filter_map(|held| held.statement.provider_time).max();
            ledger.hear_of(&record.key, time, provider_time);
        }
    }

    fn add_poll(&mut self, record: &OrderRecord) {
        let Some(poll) = evidence_of(record).find(|evidence| evidence.basis == Basis::Poll) else {
            return;
        };
        let is_learned = |change: &&Change| match change {
            Change::Attempt { what, attempt } => {
                attempt.account == poll.account && matches!(what, AttemptChange::Status(_))
            }
            Change::Operation { what, operation } => {
                operation.account == poll.account && matches!(what, OperationChange::Status(_))
            }
            _ => false,
        };
        let statuses = record.changes().iter().filter(is_learned).count() as u64;
        if statuses > 0 {
            self.of(&poll.account).learn(&record.key, record.decided.time, statuses);
        }
    }

    fn add_changes(&mut self, record: &OrderRecord) {
        for change in record.changes() {
            let Change::Attempt { what, attempt } = change else { continue };
            let ledger = self.of(&attempt.account);
            attempt.aliases.iter().for_each(|alias| ledger.decide(&record.key, alias));
            match attempt.created.filter(|_| *what != AttemptChange::Removed) {
                Some(begun) if attempt.status == PaymentStatus::Pending => {
                    ledger.wait(&record.key, &attempt.name, begun);
                }
                _ => ledger.decide(&record.key, &attempt.name),
            }
        }
    }
}

/// The evidence that a record brought by itself.
fn evidence_of(record: &OrderRecord) -> impl Iterator<Item = &Evidence> {
    record.decided.facts.iter().filter_map(|fact| match fact {
        Fact::Evidence(evidence) => Some(evidence),
        _ => None,
    })
}

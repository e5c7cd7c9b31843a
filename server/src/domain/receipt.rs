//! Whether the customer was told: what becomes of a receipt, and of the deadline that waits for
//! one. Kept beside the facts, as it depends on what came first: no status follows from it.
//!
//! Of each outcome that is APPROVED or REFUSED, known by its number, exactly one of two things is
//! recorded while it is the present one: that a page showed it in time, or that the time for it
//! passed. Whatever comes later is late, and changes nothing.

use super::{
    command::Refusal,
    order::Order,
    sorted::SortedMap,
    time::Time,
    view::{Outcome, View},
};

/// Outcomes that one order remembers receipts of, the newest. A late receipt for an older one is
/// answered, and not recorded.
pub const RECEIPTS_PER_ORDER_MAX: usize = 32;

/// What became of telling the customer one outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// A page showed it, at this time, before anything else became of it.
    InTime(Time),
    /// The time for it passed before.
    Missed,
    /// A page showed it after that, or after a newer outcome.
    Late,
}

/// What a receipt comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// The customer was told in time.
    InTime,
    /// That was known.
    Repeat,
    /// It is too late, after the deadline or a newer outcome.
    Late {
        /// True if it is the first for its outcome.
        is_news: bool,
    },
    /// The outcome is none that a customer has to be told.
    NotNeeded,
}

/// What became of telling the customer the newest outcomes, by their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipts(SortedMap<u64, Told>);

impl Receipts {
    /// What became of an outcome, if anything did.
    #[must_use]
    pub fn told(&self, outcome_number: u64) -> Option<Told> {
        self.0.get(&outcome_number).copied()
    }

    /// Everything known, by number.
    pub fn iter(&self) -> impl Iterator<Item = (u64, Told)> {
        self.0.iter().map(|(number, told)| (*number, *told))
    }

    /// Sets what became of an outcome. Total; forgets the oldest outcome if there are too many.
    pub(super) fn note(&mut self, outcome_number: u64, told: Told) {
        self.0.insert(outcome_number, told);
        if self.0.len() > RECEIPTS_PER_ORDER_MAX {
            let oldest = self.0.keys().next().copied();
            self.0.retain(|number, _| Some(*number) != oldest);
        }
    }

    /// True if something of this outcome would be remembered.
    fn has_room_for(&self, outcome_number: u64) -> bool {
        let is_newer = |oldest: &u64| outcome_number > *oldest;
        self.0.len() < RECEIPTS_PER_ORDER_MAX || self.0.keys().next().is_some_and(is_newer)
    }
}

impl FromIterator<(u64, Told)> for Receipts {
    fn from_iter<I: IntoIterator<Item = (u64, Told)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl Order {
    /// What a receipt for an outcome comes to now.
    ///
    /// # Errors
    /// [`Refusal::OutcomeNotFound`] if there is no outcome of that number yet.
    pub fn receive(&self, outcome_number: u64) -> Result<Received, Refusal> {
        let present = self.view.summary.outcome_number;
        if outcome_number > present {
            return Err(Refusal::OutcomeNotFound { present });
        }
        Ok(match self.receipts.told(outcome_number) {
            Some(Told::InTime(_)) => Received::Repeat,
            Some(Told::Missed) => Received::Late { is_news: true },
            Some(Told::Late) => Received::Late { is_news: false },
            None if outcome_number == present && has_to_be_told(&self.view) => Received::InTime,
            // Number 0 is that nothing is decided yet.
            None if outcome_number == present || outcome_number == 0 => Received::NotNeeded,
            None => Received::Late { is_news: self.receipts.has_room_for(outcome_number) },
        })
    }

    /// True while nothing became of telling the customer the present outcome. Never of an order
    /// that nobody recorded: it has no customer yet.
    #[must_use]
    pub fn awaits_receipt(&self) -> bool {
        self.facts.order.is_some()
            && self.forwarded_to.is_none()
            && has_to_be_told(&self.view)
            && self.receipts.told(self.view.summary.outcome_number).is_none()
    }

    /// When the customer was told the present outcome in time.
    #[must_use]
    pub fn customer_informed(&self) -> Option<Time> {
        match self.receipts.told(self.view.summary.outcome_number) {
            Some(Told::InTime(time)) => Some(time),
            Some(Told::Missed | Told::Late) | None => None,
        }
    }
}

fn has_to_be_told(view: &View) -> bool {
    match view.summary.outcome {
        Outcome::Approved | Outcome::Refused => true,
        Outcome::Undecided | Outcome::Withdrawn => false,
    }
}

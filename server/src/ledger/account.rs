//! What the journal says of one account's webhooks: how late they are, what a poll learned before
//! them, and who still waits.

use std::collections::{BTreeMap, VecDeque};

use crate::domain::{ids::OrderKey, time::Time};

/// Samples that are kept of each kind: the newest.
const SAMPLES_MAX: usize = 512;
/// Pauses that must be known before they tell what is usual.
const PAUSES_MIN: usize = 8;
/// Orders whose webhook is waited for after a poll, and attempts that are undecided; beyond, the
/// older half is forgotten.
const WAITING_MAX: usize = 10_000;

/// The newest samples of a span of time, in microseconds.
#[derive(Clone, Debug, Default)]
pub struct Samples(VecDeque<i64>);

impl Samples {
    fn add(&mut self, micros: i64) {
        if self.0.len() == SAMPLES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(micros.max(0));
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The span that so many percent do not exceed.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> Option<i64> {
        let mut sorted: Vec<i64> = self.0.iter().copied().collect();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).copied()
    }
}

/// What can be told of one account's webhooks.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// When the last webhook was recorded.
    pub heard: Option<Time>,
    /// Pauses between webhooks.
    pub pauses: Samples,
    /// From the provider's own time to the webhook.
    pub delays: Samples,
    /// Statuses that a poll learned before any webhook told them.
    pub learned_by_poll: u64,
    /// Those of them whose order a webhook told something of later.
    pub followed: u64,
    /// From the poll's record to that webhook.
    pub after_poll: Samples,
}

/// The ledger of one account.
#[derive(Debug, Default)]
pub(super) struct AccountLedger {
    pub(super) figures: Figures,
    awaited: BTreeMap<OrderKey, (Time, u64)>,
    undecided: BTreeMap<(OrderKey, String), Time>,
}

impl AccountLedger {
    /// A webhook was recorded.
    pub(super) fn hear(&mut self, time: Time) {
        let figures = &mut self.figures;
        if let Some(before) = figures.heard {
            figures.pauses.add(time.as_micros().saturating_sub(before.as_micros()));
        }
        figures.heard = figures.heard.max(Some(time));
    }

    /// The webhook was new, about this order, and of this time of the provider's.
    pub(super) fn hear_of(&mut self, order: &OrderKey, time: Time, provider_time: Option<Time>) {
        let span = |from: Time| time.as_micros().saturating_sub(from.as_micros());
        if let Some(provider_time) = provider_time {
            self.figures.delays.add(span(provider_time));
        }
        if let Some((learned, statuses)) = self.awaited.remove(order) {
            self.figures.followed += statuses;
            self.figures.after_poll.add(span(learned));
        }
    }

    /// A poll learned so many statuses of an order.
    pub(super) fn learn(&mut self, order: &OrderKey, time: Time, statuses: u64) {
        self.figures.learned_by_poll += statuses;
        let awaited = self.awaited.entry(order.clone()).or_insert((time, 0));
        awaited.1 += statuses;
        bound(&mut self.awaited, |(time, _)| *time);
    }

    /// A recorded attempt is undecided.
    pub(super) fn wait(&mut self, order: &OrderKey, attempt: &str, begun: Time) {
        self.undecided.insert((order.clone(), attempt.to_owned()), begun);
        bound(&mut self.undecided, |begun| *begun);
    }

    /// An attempt is undecided no more.
    pub(super) fn decide(&mut self, order: &OrderKey, attempt: &str) {
        self.undecided.remove(&(order.clone(), attempt.to_owned()));
    }

    /// When each undecided attempt was begun.
    pub(super) fn undecided(&self) -> impl Iterator<Item = Time> {
        self.undecided.values().copied()
    }
}

impl Figures {
    /// The longest usual pause between webhooks, in seconds: longer are one in a hundred.
    #[must_use]
    pub fn usual_pause(&self) -> Option<i64> {
        let pause = self.pauses.percentile(99).filter(|_| self.pauses.count() >= PAUSES_MIN);
        pause.map(|micros| micros.div_euclid(1_000_000) + 1)
    }
}

/// Forgets the older half of what became too much.
fn bound<K: Ord, V>(waiting: &mut BTreeMap<K, V>, time_of: impl Fn(&V) -> Time) {
    if waiting.len() > WAITING_MAX {
        let mut times: Vec<Time> = waiting.values().map(&time_of).collect();
        let (_, median, _) = times.select_nth_unstable(WAITING_MAX / 2);
        let median = *median;
        waiting.retain(|_, value| time_of(value) > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_newest_samples() {
        let mut samples = Samples::default();
        assert_eq!(samples.percentile(50), None);
        samples.add(-5);
        assert_eq!((samples.percentile(0), samples.percentile(100)), (Some(0), Some(0)));
        for micros in 1..=1000 {
            samples.add(micros);
        }
        assert_eq!(samples.count(), SAMPLES_MAX);
        let ranks = [50, 99, 100].map(|percent| samples.percentile(percent));
        assert_eq!(ranks, [Some(744), Some(995), Some(1000)]);
    }

    #[test]
    fn what_is_usual_is_known_after_some_pauses() {
        let mut ledger = AccountLedger::default();
        for second in 0..8 {
            ledger.hear(Time::from_seconds(second * 60));
            assert_eq!(ledger.figures.usual_pause(), None);
        }
        ledger.hear(Time::from_seconds(8 * 60));
        assert_eq!(ledger.figures.usual_pause(), Some(61));
    }

    #[test]
    fn the_oldest_are_forgotten_when_too_many_wait() {
        let mut waiting = BTreeMap::new();
        for second in (0..100_000).rev() {
            waiting.insert(second, Time::from_seconds(second));
            bound(&mut waiting, |time| *time);
        }
        assert!(waiting.len() <= WAITING_MAX, "{}", waiting.len());
        let newest = waiting.last_key_value().map(|(second, _)| *second);
        assert_eq!(newest, Some(99_999));
        let mut equal: BTreeMap<usize, Time> = BTreeMap::new();
        for number in 0..=WAITING_MAX {
            equal.insert(number, Time::default());
            bound(&mut equal, |time| *time);
        }
        assert_eq!(equal.len(), 0, "they are all as old as each other");
    }
}

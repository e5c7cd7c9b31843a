//! Which orders are to be asked about at one account, and when. Bounded: what finds no room
//! stands in the store's index, and is fetched from there when there is room again.

use std::collections::{BTreeSet, HashMap};

use crate::domain::{ids::OrderKey, time::Time};

/// Orders of one account that wait in memory.
pub const ORDERS_PER_ACCOUNT_MAX: usize = 20_000;

/// An order that is asked about.
#[derive(Debug, Default)]
struct Entry {
    /// When next; `None` while it is asked about.
    due: Option<Time>,
    /// When the provider last answered about it.
    checked: Option<Time>,
    /// Failures in a row.
    failures: u32,
}

/// What is known here of when an order was and will be asked about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checks {
    /// When the provider last answered.
    pub last: Option<Time>,
    /// When next.
    pub next: Option<Time>,
}

impl Checks {
    /// Of an order with attempts at several accounts.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let earlier = [self.next, other.next].into_iter().flatten().min();
        Self { last: self.last.max(other.last), next: earlier }
    }
}

/// Orders by when they are due.
#[derive(Debug)]
pub(super) struct Queue {
    max: usize,
    entries: HashMap<OrderKey, Entry>,
    by_due: BTreeSet<(Time, OrderKey)>,
    has_lost: bool,
}

impl Default for Queue {
    fn default() -> Self {
        Self::with_room_for(ORDERS_PER_ACCOUNT_MAX)
    }
}

impl Queue {
    /// A queue of so many orders.
    pub(super) fn with_room_for(max: usize) -> Self {
        Self { max, entries: HashMap::new(), by_due: BTreeSet::new(), has_lost: false }
    }

    /// Sets when an order is due; one that is asked about right now keeps waiting for that.
    pub(super) fn put(&mut self, key: &OrderKey, due: Time) {
        if self.entries.get(key).is_some_and(|entry| entry.due.is_none()) {
            return;
        }
        self.set(key, due);
    }

    fn set(&mut self, key: &OrderKey, due: Time) {
        let entry = self.entries.entry(key.clone()).or_default();
        if let Some(before) = entry.due.replace(due) {
            self.by_due.remove(&(before, key.clone()));
        }
        self.by_due.insert((due, key.clone()));
        if self.entries.len() > self.max
            && let Some((_, last)) = self.by_due.pop_last()
        {
            self.entries.remove(&last);
            self.has_lost = true;
        }
    }

    /// An order that is not to be asked about any more.
    pub(super) fn remove(&mut self, key: &OrderKey) {
        if let Some(Entry { due: Some(due), .. }) = self.entries.remove(key) {
            self.by_due.remove(&(due, key.clone()));
        }
    }

    /// When the first is due.
    pub(super) fn next_due(&self) -> Option<Time> {
        self.by_due.first().map(|(due, _)| *due)
    }

    /// Takes the first that is due; it stays known until it is put back or removed.
    pub(super) fn take_due(&mut self, now: Time) -> Option<OrderKey> {
        self.next_due().filter(|due| *due <= now)?;
        let (_, key) = self.by_due.pop_first()?;
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.due = None;
        }
        Some(key)
    }

    /// Notes that the provider answered about an order; returns its failures in a row: none.
    pub(super) fn answered(&mut self, key: &OrderKey, now: Time) -> u32 {
        if let Some(entry) = self.entries.get_mut(key) {
            (entry.checked, entry.failures) = (Some(now), 0);
        }
        0
    }

    /// Notes that it did not; returns its failures in a row.
    pub(super) fn failed(&mut self, key: &OrderKey) -> u32 {
        self.entries.get_mut(key).map_or(1, |entry| {
            entry.failures = entry.failures.saturating_add(1);
            entry.failures
        })
    }

    /// Puts back an order that was taken.
    pub(super) fn put_back(&mut self, key: &OrderKey, due: Time) {
        if self.entries.contains_key(key) {
            self.set(key, due);
        }
    }

    /// When an order was and will be asked about.
    pub(super) fn checks(&self, key: &OrderKey) -> Checks {
        let of = |entry: &Entry| Checks { last: entry.checked, next: entry.due };
        self.entries.get(key).map(of).unwrap_or_default()
    }

    /// True once, when something found no room before and there is room again.
    pub(super) fn wants_more(&mut self) -> bool {
        self.has_lost
            && self.entries.len() <= self.max / 2
            && std::mem::replace(&mut self.has_lost, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::parent;

    fn at(seconds: i64) -> Time {
        Time::from_seconds(seconds)
    }

    fn key(number: usize) -> OrderKey {
        parent(&format!("o{number}")).key()
    }

    #[test]
    fn the_first_due_comes_first_and_only_when_it_is_due() {
        let mut queue = Queue::default();
        for (number, due) in [(1, 30), (2, 10), (3, 20)] {
            queue.put(&key(number), at(due));
        }
        queue.put(&key(1), at(5));
        assert_eq!(queue.next_due(), Some(at(5)));
        assert_eq!(queue.take_due(at(4)), None);
        assert_eq!(queue.take_due(at(10)), Some(key(1)));
        assert_eq!(queue.take_due(at(10)), Some(key(2)));
        assert_eq!(queue.take_due(at(10)), None);
        queue.remove(&key(3));
        assert_eq!(queue.next_due(), None);
    }

    #[test]
    fn who_is_asked_about_is_not_asked_about_again_meanwhile() {
        let mut queue = Queue::default();
        queue.put(&key(1), at(1));
        assert_eq!(queue.take_due(at(1)), Some(key(1)));
        queue.put(&key(1), at(1));
        assert_eq!(queue.take_due(at(9)), None);
        assert_eq!([queue.failed(&key(1)), queue.failed(&key(1))], [1, 2]);
        queue.answered(&key(1), at(2));
        assert_eq!(queue.failed(&key(1)), 1);
        queue.put_back(&key(1), at(5));
        assert_eq!(queue.checks(&key(1)), Checks { last: Some(at(2)), next: Some(at(5)) });
        queue.remove(&key(1));
        queue.put_back(&key(1), at(5));
        assert_eq!(queue.checks(&key(1)), Checks::default(), "it was decided meanwhile");
    }

    #[test]
    fn what_is_due_last_finds_no_room_and_is_asked_for_when_there_is_some() {
        let mut queue = Queue::with_room_for(4);
        for number in 0..10 {
            queue.put(&key(number), at(100 - number as i64));
        }
        assert_eq!((queue.entries.len(), queue.by_due.len()), (4, 4));
        assert!(!queue.wants_more());
        for number in [9, 8] {
            assert_eq!(queue.take_due(at(100)), Some(key(number)), "the first due are kept");
            queue.remove(&key(number));
        }
        assert!(queue.wants_more());
        assert!(!queue.wants_more(), "said once");
    }
}

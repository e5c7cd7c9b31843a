//! Recognises what a reader was told before, by order and version, and turns the other frames
//! into events.

use std::collections::{HashMap, VecDeque};

use crate::{
    change::{Change, Event},
    order::Order,
    wire::frame::Content,
};

/// How many orders are remembered. A repeat about an older one is delivered: it can be recognised
/// by its change id.
const ORDERS_MAX: usize = 100_000;

/// The newest that was told of each order.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Version and index of the newest change told of an order.
    told: HashMap<String, (i64, i32)>,
    /// The orders in `told`, oldest first.
    ages: VecDeque<String>,
}

impl Ledger {
    /// What `content` has to tell that was not told before.
    pub(crate) fn event(&mut self, content: Content) -> Option<Event> {
        match content {
            Content::Opened { reset: Some(reason), .. } => {
                // Versions may begin anew after a restore: nothing told before counts.
                *self = Self::default();
                Some(Event::Reset { reason })
            }
            Content::Changes(changes) => self.changes(changes),
            Content::Snapshot(order) => self.snapshot(order),
            Content::SnapshotEnd { entry_count } => Some(Event::SnapshotEnd { entry_count }),
            Content::CaughtUp => Some(Event::CaughtUp),
            Content::Opened { .. }
            | Content::FellBehind
            | Content::Heartbeat
            | Content::Closing { .. }
            | Content::Unknown => None,
        }
    }

    fn changes(&mut self, mut changes: Vec<Change>) -> Option<Event> {
        changes
            .retain(|change| self.is_news(&change.order_id, (change.order_version, change.index)));
        (!changes.is_empty()).then_some(Event::Changes(changes))
    }

    fn snapshot(&mut self, order: Box<Order>) -> Option<Event> {
        // A snapshot holds every change of its version.
        self.is_news(&order.order_id, (order.version, i32::MAX)).then_some(Event::Snapshot(order))
    }

    /// Whether `place` is beyond what was told of the order; then it counts as told.
    fn is_news(&mut self, order_id: &str, place: (i64, i32)) -> bool {
        if let Some(told) = self.told.get_mut(order_id) {
            let is_news = place > *told;
            *told = place.max(*told);
            return is_news;
        }
        if self.ages.len() >= ORDERS_MAX
            && let Some(oldest) = self.ages.pop_front()
        {
            self.told.remove(&oldest);
        }
        self.ages.push_back(order_id.to_owned());
        self.told.insert(order_id.to_owned(), place);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{Ledger, ORDERS_MAX};

    #[test]
    fn only_what_lies_beyond_is_news() {
        let mut ledger = Ledger::default();
        for (order, place, expected) in [
            ("a", (1, 0), true),
            ("a", (1, 0), false),
            ("a", (1, 1), true),
            ("b", (1, 0), true),
            ("a", (3, i32::MAX), true),
            ("a", (3, 0), false),
            ("a", (2, 7), false),
            ("a", (3, i32::MAX), false),
            ("a", (4, 0), true),
        ] {
            assert_eq!(ledger.is_news(order, place), expected, "{order} {place:?}");
        }
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_goes_first() {
        let mut ledger = Ledger::default();
        for n in 0..=ORDERS_MAX {
            assert!(ledger.is_news(&n.to_string(), (1, 0)));
        }
        assert_eq!(ledger.told.len(), ORDERS_MAX);
        assert!(!ledger.is_news("1", (1, 0)), "still remembered");
        assert!(ledger.is_news("0", (1, 0)), "forgotten, so it is delivered again");
    }
}

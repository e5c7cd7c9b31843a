//! Where a page is: the cursor of its streams, and the tag of its answers.

use super::view;
use crate::{domain::order::Order, edge::Context};

/// Where a page is: which journal, and which state of its order it saw last. The version is first
/// of what follows the journal: by it a page tells an answer that was overtaken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    epoch: u64,
    version: u64,
    outcome_number: u64,
    /// A hash of what the page shows.
    shown: u64,
}

impl Seen {
    /// A state of an order.
    pub(super) fn of(context: &Context, order: &Order) -> Self {
        Self {
            epoch: context.hub.epoch(),
            version: order.version,
            outcome_number: order.view.summary.outcome_number,
            shown: view::shown(order),
        }
    }

    /// As a page carries it.
    pub(crate) fn encode(self) -> String {
        let Self { epoch, version, outcome_number, shown } = self;
        format!("{epoch:x}.{version}.{outcome_number}.{shown:x}")
    }

    /// Reads what [`Seen::encode`] made.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let epoch = u64::from_str_radix(parts.next()?, 16).ok()?;
        let version = parts.next()?.parse().ok()?;
        let outcome_number = parts.next()?.parse().ok()?;
        let shown = u64::from_str_radix(parts.next()?, 16).ok()?;
        parts.next().is_none().then_some(Self { epoch, version, outcome_number, shown })
    }

    /// True if both states look the same on a page. Their versions may differ: a receipt makes a
    /// new one, as do many facts of which a page shows nothing.
    pub(super) fn looks_like(self, other: Self) -> bool {
        (self.epoch, self.shown) == (other.epoch, other.shown)
    }

    /// True if it was seen in the present journal, and not in one that was replaced.
    pub(crate) fn is_here(self, context: &Context) -> bool {
        self.epoch == context.hub.epoch()
    }

    /// The number of the outcome that a page saw last, if that was one of this order here. A
    /// journal that was replaced has other numbers.
    pub(super) fn outcome_in(self, context: &Context, order: &Order) -> Option<u64> {
        let is_of_order = self.is_here(context) && self.version <= order.version;
        is_of_order.then_some(self.outcome_number)
    }
}

#[cfg(test)]
mod tests {
    use super::Seen;

    #[test]
    fn what_a_page_saw_comes_back_and_nonsense_does_not() {
        let seen = Seen { epoch: u64::MAX, version: 7, outcome_number: 2, shown: u64::MAX };
        assert_eq!(Seen::decode(&seen.encode()), Some(seen));
        for text in [
            "",
            "1",
            "1.2",
            "1.2.3",
            "x.1.2.3",
            "1.-1.2.3",
            "1.2.3.4.5",
            "1.2.99999999999999999999.4",
        ] {
            assert_eq!(Seen::decode(text), None, "{text}");
        }
    }
}

//! Where a page is: the cursor of its streams, and the tag of its answers.

use crate::{domain::order::Order, edge::Context};

/// Where a page is: which journal, and which state of its order it saw last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    epoch: u64,
    version: u64,
    outcome_number: u64,
}

impl Seen {
    /// A state of an order.
    pub(super) fn of(context: &Context, order: &Order) -> Self {
        Self {
            epoch: context.hub.epoch(),
            version: order.version,
            outcome_number: order.view.summary.outcome_number,
        }
    }

    /// As a page carries it.
    pub(crate) fn encode(self) -> String {
        format!("{:x}.{}.{}", self.epoch, self.version, self.outcome_number)
    }

    /// Reads what [`Seen::encode`] made.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let epoch = u64::from_str_radix(parts.next()?, 16).ok()?;
        let version = parts.next()?.parse().ok()?;
        let outcome_number = parts.next()?.parse().ok()?;
        parts.next().is_none().then_some(Self { epoch, version, outcome_number })
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
        let seen = Seen { epoch: u64::MAX, version: 7, outcome_number: 2 };
        assert_eq!(Seen::decode(&seen.encode()), Some(seen));
        for text in ["", "1", "1.2", "x.1.2", "1.-1.2", "1.2.3.4", "1.2.99999999999999999999"] {
            assert_eq!(Seen::decode(text), None, "{text}");
        }
    }
}

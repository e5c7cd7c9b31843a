//! Which orders are undecided: an index of those that a provider should be asked about.

use sled::IVec;

use super::{Error, Store, index::Kind, keys};
use crate::domain::order::Order;

/// Undecided orders, without a word on each.
pub(super) const KIND: Kind =
    Kind { first: keys::UNDECIDED, says: |order| order.is_undecided().then(IVec::default) };

impl Store {
    /// Hands out every undecided order. An order that becomes undecided meanwhile may be missing.
    /// Blocks.
    ///
    /// # Errors
    /// [`Error::Sled`] or [`Error::State`].
    pub fn each_undecided(&self, mut take: impl FnMut(&Order)) -> Result<(), Error> {
        self.each_entry(
            |inner| &inner.undecided,
            |whose, _| {
                if let Some(order) = self.order_of(&whose)?.filter(|order| order.is_undecided()) {
                    take(&order);
                }
                Ok(())
            },
        )
    }
}

//! Which orders have an outcome that the customer was not told, as far as anybody knows, and since
//! when: an index of those for which a deadline runs.

use std::collections::BTreeSet;

use sled::IVec;

use super::{
    Error, Store,
    index::{Kind, Whose},
    keys,
};
use crate::domain::{ids::OrderKey, time::Time};

/// Orders that await a receipt, with the time of their outcome.
pub(super) const KIND: Kind = Kind {
    first: keys::UNTOLD,
    says: |order| {
        let micros = || IVec::from(&order.outcome_time.as_micros().to_be_bytes());
        order.awaits_receipt().then(micros)
    },
};

impl Store {
    /// The orders that await a receipt for an outcome at or after a time: those with the oldest
    /// outcomes, at most so many. One that comes to be meanwhile may be missing. Blocks.
    ///
    /// # Errors
    /// [`Error::Sled`] or [`Error::State`].
    pub fn oldest_untold(&self, since: Time, limit: usize) -> Result<Vec<(OrderKey, Time)>, Error> {
        let mut oldest: BTreeSet<(Time, Whose)> = BTreeSet::new();
        self.each_entry(
            |inner| &inner.untold,
            |whose, says| {
                let micros = says.try_into().map_or(0, i64::from_be_bytes);
                let time = Time::from_micros(micros);
                let is_older = oldest.last().is_none_or(|(newest, _)| time < *newest);
                if time >= since && (oldest.len() < limit || is_older) {
                    oldest.insert((time, whose));
                }
                if oldest.len() > limit {
                    oldest.pop_last();
                }
                Ok(())
            },
        )?;
        let mut found = Vec::with_capacity(oldest.len());
        for (time, whose) in oldest {
            let order = self.order_of(&whose)?.filter(|order| order.awaits_receipt());
            found.extend(order.map(|order| (order.key.clone(), time)));
        }
        Ok(found)
    }
}

//! An index of the orders that something is true of, with a few bytes for each. What is newest
//! stands here, the rest in sled, as with everything in the view.
//!
//! Its entries are at the place of the order's state, but for the first byte, so the entry of an
//! order never moves: whatever a crash left in sled is overwritten or removed without knowing it.

use std::sync::Arc;

use sled::IVec;

use super::{Error, Store, keys, layered::HashMap};
use crate::{
    domain::{ids::OrderKey, order::Order},
    journal::Position,
};

/// Which orders an index holds.
pub(super) struct Kind {
    /// First byte of its places.
    pub(super) first: u8,
    /// What it says of an order; `None` if it does not hold it.
    pub(super) says: fn(&Order) -> Option<IVec>,
}

/// An entry that sled does not hold as it should, or may not.
#[derive(Clone)]
struct Unwritten {
    /// Position of the order's first record.
    first: Position,
    /// What the index is to say of the order.
    says: Option<IVec>,
    /// What sled says of it; absent if that is not known.
    written: Option<Option<IVec>>,
}

/// Entries that are not yet in sled. By key, not by place: hashing is not for the lock.
pub(super) struct Index {
    kind: &'static Kind,
    pending: HashMap<OrderKey, Unwritten>,
    /// Being written now.
    writing: Arc<HashMap<OrderKey, Unwritten>>,
}

impl Index {
    /// Nothing that is not written.
    pub(super) fn new(kind: &'static Kind) -> Self {
        Self { kind, pending: HashMap::default(), writing: Arc::default() }
    }

    /// Notes an order after the record at a position, with the state it had in memory before.
    pub(super) fn note(&mut self, before: Option<&Order>, order: &Order, position: Position) {
        let says = (self.kind.says)(order);
        let first = order.positions.first().copied().unwrap_or(0);
        let said = match before {
            Some(before) if before.position() < position => (self.kind.says)(before),
            None if order.version == 1 => None,
            // Not in memory, or ahead of the record: read from a step that was cut short.
            _ => {
                let entry = Unwritten { first, says, written: None };
                self.pending.insert(order.key.clone(), entry);
                return;
            }
        };
        if said == says {
            return;
        }
        match self.pending.get_mut(&order.key) {
            // Back to what sled holds.
            Some(entry) if entry.written.as_ref() == Some(&says) => {
                self.pending.remove(&order.key);
            }
            Some(entry) => entry.says = says,
            None => {
                let entry = Unwritten { first, says, written: Some(said) };
                self.pending.insert(order.key.clone(), entry);
            }
        }
    }

    /// Takes what is to be written; it stays visible until [`Index::wrote`].
    pub(super) fn begin_write(&mut self) -> Writing {
        self.writing = Arc::new(std::mem::take(&mut self.pending));
        Writing { first: self.kind.first, entries: Arc::clone(&self.writing) }
    }

    /// All that was taken is in sled now.
    pub(super) fn wrote(&mut self) {
        self.writing = Arc::default();
    }

    /// What sled may not say yet: each place, the order of it, and what is to stand there.
    fn unwritten(&self) -> HashMap<OrderKey, (Position, Option<IVec>)> {
        let both = self.writing.iter().chain(&self.pending);
        both.map(|(key, entry)| (key.clone(), (entry.first, entry.says.clone()))).collect()
    }
}

/// Entries on their way to sled.
pub(super) struct Writing {
    first: u8,
    entries: Arc<HashMap<OrderKey, Unwritten>>,
}

impl Writing {
    /// Each place, and what is to stand there.
    pub(super) fn places(&self) -> impl Iterator<Item = (Vec<u8>, Option<IVec>)> {
        let place = |key, entry: &Unwritten| keys::indexed(self.first, key, entry.first);
        self.entries.iter().map(move |(key, entry)| (place(key, entry), entry.says.clone()))
    }
}

/// Which order an entry is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Whose {
    /// Known by its key: it stands in memory.
    Key(OrderKey),
    /// Known by the place of its state in sled.
    State(Vec<u8>),
}

impl Store {
    /// Hands out every entry of an index, once. One that is made meanwhile may be missing. Blocks.
    ///
    /// # Errors
    /// [`Error::Sled`], and whatever the taker fails with.
    pub(super) fn each_entry(
        &self,
        index: impl Fn(&super::Inner) -> &Index,
        mut take: impl FnMut(Whose, &[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        // Memory first: what moves to sled meanwhile is then found there, and known.
        let (first, unwritten) = {
            let inner = self.read();
            let index = index(&inner);
            (index.kind.first, index.unwritten())
        };
        let mut known = std::collections::HashSet::with_capacity(unwritten.len());
        for (key, (position, says)) in unwritten {
            known.insert(keys::indexed(first, &key, position));
            if let Some(says) = says {
                take(Whose::Key(key), &says)?;
            }
        }
        for entry in self.beginning_with(first)? {
            let (place, says) = entry?;
            if !known.contains(&*place) {
                take(Whose::State(keys::state_of_indexed(&place)), &says)?;
            }
        }
        Ok(())
    }

    /// The newest state of an order that an entry is about. One that is read from sled is not
    /// kept in memory: there may be more of them than it holds.
    pub(super) fn order_of(&self, whose: &Whose) -> Result<Option<Arc<Order>>, Error> {
        match whose {
            Whose::Key(key) => self.find_order(key),
            Whose::State(place) => self.get(place)?.map(|bytes| self.newest(&bytes)).transpose(),
        }
    }
}

//! Which orders are undecided: an index of those that a provider should be asked about. What is
//! newest stands here, the rest in sled, as with everything in the view.

use std::{collections::HashMap, sync::Arc};

use super::{Error, Store, keys};
use crate::{
    domain::{ids::OrderKey, order::Order},
    journal::Position,
    record,
};

/// Orders read from sled between two looks at what the caller wants.
const READ_ORDERS: usize = 256;

/// An entry that sled does not hold as it should, or may not.
#[derive(Clone)]
struct Unwritten {
    /// Position of the order's first record.
    first: Position,
    /// Whether there is to be an entry.
    is_undecided: bool,
    /// True if it is not known what sled holds: then it has to be written.
    is_blind: bool,
}

/// Entries that are not yet in sled. By key, not by place: hashing is not for the lock.
#[derive(Default)]
pub(super) struct Undecided {
    pending: HashMap<OrderKey, Unwritten>,
    /// Being written now.
    writing: Arc<HashMap<OrderKey, Unwritten>>,
}

impl Undecided {
    /// Notes an order after the record at a position, with the state it had in memory before.
    pub(super) fn note(&mut self, before: Option<&Order>, order: &Order, position: Position) {
        let is_undecided = order.is_undecided();
        let first = order.positions.first().copied().unwrap_or(0);
        let was_undecided = match before {
            Some(before) if before.position() < position => before.is_undecided(),
            None if order.version == 1 => false,
            // Not in memory, or ahead of the record: read from a step that was cut short.
            _ => {
                let entry = Unwritten { first, is_undecided, is_blind: true };
                self.pending.insert(order.key.clone(), entry);
                return;
            }
        };
        if was_undecided == is_undecided {
            return;
        }
        match self.pending.get_mut(&order.key) {
            // Back to what sled holds.
            Some(entry) if !entry.is_blind => drop(self.pending.remove(&order.key)),
            Some(entry) => entry.is_undecided = is_undecided,
            None => {
                let entry = Unwritten { first, is_undecided, is_blind: false };
                self.pending.insert(order.key.clone(), entry);
            }
        }
    }

    /// Takes what is to be written; it stays visible until [`Undecided::wrote`].
    pub(super) fn begin_write(&mut self) -> Writing {
        self.writing = Arc::new(std::mem::take(&mut self.pending));
        Writing(Arc::clone(&self.writing))
    }

    /// All that was taken is in sled now.
    pub(super) fn wrote(&mut self) {
        self.writing = Arc::default();
    }

    /// Whether orders are undecided of which sled may say something else.
    fn unwritten(&self) -> HashMap<OrderKey, bool> {
        let both = self.writing.iter().chain(&self.pending);
        both.map(|(key, entry)| (key.clone(), entry.is_undecided)).collect()
    }
}

/// Entries on their way to sled.
pub(super) struct Writing(Arc<HashMap<OrderKey, Unwritten>>);

impl Writing {
    /// Each place, and whether there is to be an entry.
    pub(super) fn places(&self) -> impl Iterator<Item = (Vec<u8>, bool)> {
        self.0.iter().map(|(key, entry)| (keys::undecided(key, entry.first), entry.is_undecided))
    }
}

impl Store {
    /// Hands out every undecided order once or twice. An order that becomes undecided meanwhile
    /// may be missing. Blocks.
    ///
    /// # Errors
    /// [`Error::Sled`] or [`Error::State`].
    pub fn each_undecided(&self, mut take: impl FnMut(&Order)) -> Result<(), Error> {
        // Memory first: what moves to sled meanwhile is then found twice, never missed.
        let unwritten = self.read().undecided.unwritten();
        for (key, _) in unwritten.iter().filter(|(_, is_undecided)| **is_undecided) {
            if let Some(order) = self.find_order(key)?.filter(|order| order.is_undecided()) {
                take(&order);
            }
        }
        let mut entries = self.db.scan_prefix([keys::UNDECIDED]).keys();
        loop {
            let places: Result<Vec<_>, _> = entries.by_ref().take(READ_ORDERS).collect();
            let places = places.map_err(|error| self.failed("read", &error))?;
            if places.is_empty() {
                return Ok(());
            }
            for place in &places {
                let Some(bytes) = self.get(&keys::state_of_undecided(place))? else { continue };
                let order = record::decode_order(&bytes).map_err(Error::State)?;
                if unwritten.contains_key(&order.key) {
                    continue;
                }
                // Not kept in memory: there may be more of them than it holds.
                let newest = self.order_in_memory(&order.key);
                let newest = newest.as_deref().unwrap_or(&order);
                if newest.is_undecided() {
                    take(newest);
                }
            }
        }
    }
}

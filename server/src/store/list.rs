//! Lists orders of a merchant, or unclaimed orders of an account, in order of creation.

use std::sync::Arc;

use super::{Error, Store, keys};
use crate::{
    domain::{ids::OrderKey, order::Order},
    record,
};

/// States looked at for one page, whether the caller's filter admits them or not.
const SCANNED_MAX: usize = 5_000;

/// Part of a list.
#[derive(Debug)]
pub struct Page {
    /// What the filter admitted.
    pub orders: Vec<Arc<Order>>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<u64>,
}

impl Store {
    /// Orders of the same merchant (or account) as `of`, created after a position.
    ///
    /// # Errors
    /// [`Error::Sled`] or [`Error::State`].
    pub fn list(
        &self,
        of: &OrderKey,
        after: u64,
        limit: usize,
        admits: impl Fn(&Order) -> bool,
    ) -> Result<Page, Error> {
        self.list_bounded(of, after, (limit, SCANNED_MAX), admits)
    }

    /// A list that looks at so many states.
    pub(super) fn list_bounded(
        &self,
        of: &OrderKey,
        after: u64,
        (limit, scanned_max): (usize, usize),
        admits: impl Fn(&Order) -> bool,
    ) -> Result<Page, Error> {
        let group = keys::group(of);
        let place = |position: u64| [group.as_slice(), &position.to_be_bytes()].concat();
        let (from, end) = (place(after.saturating_add(1)), place(u64::MAX));
        let mut page = Page { orders: Vec::new(), next: None };
        // Memory first: what moves to sled meanwhile is then found twice, never missed.
        let unlisted: Vec<(Vec<u8>, OrderKey)> = {
            let inner = self.read();
            let places = || from.clone()..end.clone();
            let of_group = inner.listing.range(places()).chain(inner.unlisted.range(places()));
            // One more than is looked at, which shows whether this is the end.
            of_group.take(scanned_max + 1).map(clone).collect()
        };
        let mut unlisted = unlisted.into_iter().peekable();
        let mut listed = self.range(&from, &end)?.peekable();
        for _ in 0..scanned_max {
            if let Some(Err(error)) = listed.next_if(Result::is_err) {
                return Err(error);
            }
            let in_sled = listed.peek().and_then(|entry| Some(entry.as_ref().ok()?.0.to_vec()));
            let in_memory = unlisted.peek().map(|(place, _)| place.clone());
            let order = match (&in_sled, &in_memory) {
                (None, None) => break,
                (Some(a), Some(b)) if b <= a => self.take_unlisted(&mut unlisted)?,
                (None, Some(_)) => self.take_unlisted(&mut unlisted)?,
                (Some(_), _) => match listed.next().transpose()? {
                    Some((_, bytes)) => Some(self.newest(&bytes)?),
                    None => None,
                },
            };
            if in_memory.is_some() && in_memory == in_sled {
                listed.next();
            }
            let Some(order) = order else { continue };
            page.next = order.positions.first().copied();
            if order.forwarded_to.is_none() && admits(&order) {
                page.orders.push(order);
                if page.orders.len() == limit {
                    break;
                }
            }
        }
        let is_end = unlisted.peek().is_none() && listed.peek().is_none();
        if is_end && page.orders.len() < limit {
            page.next = None;
        }
        Ok(page)
    }

    fn take_unlisted(
        &self,
        unlisted: &mut impl Iterator<Item = (Vec<u8>, OrderKey)>,
    ) -> Result<Option<Arc<Order>>, Error> {
        unlisted.next().map_or(Ok(None), |(_, key)| self.find_order(&key))
    }

    /// The newest state of an order that was found in sled.
    pub(super) fn newest(&self, bytes: &[u8]) -> Result<Arc<Order>, Error> {
        let order = record::decode_order(bytes).map_err(Error::State)?;
        let in_memory = self.read().orders.get(&order.key).cloned();
        Ok(in_memory.unwrap_or_else(|| Arc::new(order)))
    }
}

fn clone((place, key): (&Vec<u8>, &OrderKey)) -> (Vec<u8>, OrderKey) {
    (place.clone(), key.clone())
}

//! Finds orders and claims: in memory, else in sled.

use std::sync::{Arc, atomic::Ordering::Acquire};

use super::{Error, Store, keys};
use crate::{
    domain::{
        command::World,
        ids::{Claim, OrderKey},
        order::Order,
    },
    record,
};

/// What memory knows of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AtHand<T> {
    /// This.
    Found(T),
    /// That there is none.
    Unknown,
    /// Nothing: sled has to be asked.
    NotInMemory,
}

/// What was looked up and is not in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lacking {
    /// Orders.
    pub orders: Vec<OrderKey>,
    /// Claims.
    pub claims: Vec<Claim>,
}

impl Store {
    /// The state of an order.
    ///
    /// # Errors
    /// [`Error::Sled`] or [`Error::State`].
    pub fn find_order(&self, key: &OrderKey) -> Result<Option<Arc<Order>>, Error> {
        let missed = {
            let orders = &self.read().orders;
            if let Some(order) = orders.get(key) {
                return Ok(Some(Arc::clone(order)));
            }
            orders.missed()
        };
        let name = keys::name(key);
        if !self.may_hold(&name) {
            return Ok(None);
        }
        let Some(place) = self.get(&name)? else { return Ok(None) };
        let Some(bytes) = self.get(&place)? else { return Ok(None) };
        let order = Arc::new(record::decode_order(&bytes).map_err(Error::State)?);
        self.write().orders.keep(key.clone(), &order, missed);
        Ok(Some(order))
    }

    /// The state of an order, if it is in memory. Never waits.
    #[must_use]
    pub fn order_in_memory(&self, key: &OrderKey) -> Option<Arc<Order>> {
        self.read().orders.get(key).cloned()
    }

    /// The order that a claim belongs to.
    ///
    /// # Errors
    /// [`Error::Sled`] or [`Error::State`].
    pub fn find_claimant(&self, claim: &Claim) -> Result<Option<OrderKey>, Error> {
        let missed = {
            let claims = &self.read().claims;
            if let Some(key) = claims.get(claim) {
                return Ok(Some(key.clone()));
            }
            claims.missed()
        };
        let place = keys::claim(claim);
        if !self.may_hold(&place) {
            return Ok(None);
        }
        let Some(bytes) = self.get(&place)? else { return Ok(None) };
        let key = record::decode_key(&bytes).map_err(Error::State)?;
        self.write().claims.keep(claim.clone(), &key, missed);
        Ok(Some(key))
    }

    /// The state of an order, as far as memory knows. Never waits.
    #[must_use]
    pub fn order_at_hand(&self, key: &OrderKey) -> AtHand<Arc<Order>> {
        match self.order_in_memory(key) {
            Some(order) => AtHand::Found(order),
            None if self.may_hold(&keys::name(key)) => AtHand::NotInMemory,
            None => AtHand::Unknown,
        }
    }

    /// The order that a claim belongs to, as far as memory knows. Never waits.
    #[must_use]
    pub fn claimant_at_hand(&self, claim: &Claim) -> AtHand<OrderKey> {
        match self.read().claims.get(claim).cloned() {
            Some(owner) => AtHand::Found(owner),
            None if self.may_hold(&keys::claim(claim)) => AtHand::NotInMemory,
            None => AtHand::Unknown,
        }
    }

    /// Fetches from sled what a decision lacked, and what it will ask for next. False if there is
    /// none of it: what is not there cannot be put into memory.
    ///
    /// # Errors
    /// As [`Store::find_order`].
    pub fn fetch(&self, lacking: &Lacking) -> Result<bool, Error> {
        let mut is_any = false;
        for claim in &lacking.claims {
            let mut next = self.find_claimant(claim)?;
            is_any |= next.is_some();
            while let Some(owner) = next {
                // What it held may have moved.
                next = self.find_order(&owner)?.and_then(|order| order.forwarded_to.clone());
            }
        }
        for key in &lacking.orders {
            is_any |= self.find_order(key)?.is_some();
        }
        Ok(is_any)
    }

    /// False if sled surely holds nothing there.
    fn may_hold(&self, place: &[u8]) -> bool {
        !self.seen_is_complete.load(Acquire) || self.seen.contains(place)
    }
}

/// The rules look orders up here. A view that cannot be read stops the engine: deciding as if
/// an order were unknown would be worse than not deciding.
impl World for Store {
    fn order(&self, key: &OrderKey) -> Option<Arc<Order>> {
        self.find_order(key).unwrap_or_else(|error| panic!("{error}"))
    }

    fn claimant(&self, claim: &Claim) -> Option<OrderKey> {
        self.find_claimant(claim).unwrap_or_else(|error| panic!("{error}"))
    }
}

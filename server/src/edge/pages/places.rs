//! How many pages may be open at once: with one token, and from one address.

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// Who holds places, over all threads.
#[derive(Default)]
pub struct Places {
    tokens: Counter<[u8; 32]>,
    addresses: Counter<IpAddr>,
}

struct Counter<K>(Mutex<HashMap<K, usize>>);

impl<K> Default for Counter<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Counter<K> {
    fn enter(&self, key: K, most: usize) -> bool {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(key).or_insert(0);
        let is_free = *count < most;
        *count += usize::from(is_free);
        is_free
    }

    fn leave(&self, key: &K) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(count) = held.get_mut(key) else { return };
        *count -= 1;
        if *count == 0 {
            held.remove(key);
        }
    }
}

/// The place of one page; free again when dropped.
pub(super) struct Place {
    places: Arc<Places>,
    token: [u8; 32],
    address: IpAddr,
}

impl Place {
    /// A place, if there is one for this token (known by its hash) and for this address.
    pub(super) fn take(
        places: &Arc<Places>,
        token: [u8; 32],
        address: IpAddr,
        (of_token, of_address): (usize, usize),
    ) -> Option<Self> {
        if !places.tokens.enter(token, of_token) {
            return None;
        }
        if !places.addresses.enter(address, of_address) {
            places.tokens.leave(&token);
            return None;
        }
        Some(Self { places: Arc::clone(places), token, address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.tokens.leave(&self.token);
        self.places.addresses.leave(&self.address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_and_given_back() {
        let places = Arc::new(Places::default());
        let address = |last| IpAddr::from([127, 0, 0, last]);
        let take = |token: u8, last| Place::take(&places, [token; 32], address(last), (2, 3));
        let first = take(1, 1).unwrap();
        let _second = take(1, 1).unwrap();
        assert!(take(1, 2).is_none(), "two of one token");
        let _third = take(2, 1).unwrap();
        assert!(take(3, 1).is_none(), "three of one address");
        let _other = take(3, 2).unwrap();
        drop(first);
        assert!(take(3, 1).is_some(), "a place is free again");
        assert_eq!(places.addresses.0.lock().unwrap().len(), 2, "nobody is kept for nothing");
    }
}

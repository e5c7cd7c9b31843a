//! How many pages may be open at once: over all, with one token, and from one address.

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// Who holds places, over all threads.
#[derive(Default)]
pub struct Places(Mutex<Held>);

#[derive(Default)]
struct Held {
    all: usize,
    tokens: HashMap<[u8; 32], usize>,
    addresses: HashMap<IpAddr, usize>,
}

/// How many places there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Most {
    /// Over all.
    pub(super) all: usize,
    /// Of one token.
    pub(super) of_token: usize,
    /// Of one address.
    pub(super) of_address: usize,
}

/// The place of one page; free again when dropped.
pub(crate) struct Place {
    places: Arc<Places>,
    token: [u8; 32],
    address: Option<IpAddr>,
}

impl Places {
    /// How many pages are open.
    pub(crate) fn open(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).all
    }
}

impl Place {
    /// A place, if there is one: for this token (known by its hash), and for this address, if the
    /// page calls from its own.
    pub(super) fn take(
        places: &Arc<Places>,
        token: [u8; 32],
        address: Option<IpAddr>,
        most: Most,
    ) -> Option<Self> {
        let mut held = places.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_address = address.map_or(0, |address| count(&held.addresses, &address));
        if held.all >= most.all
            || count(&held.tokens, &token) >= most.of_token
            || (address.is_some() && of_address >= most.of_address)
        {
            return None;
        }
        held.all += 1;
        *held.tokens.entry(token).or_insert(0) += 1;
        if let Some(address) = address {
            *held.addresses.entry(address).or_insert(0) += 1;
        }
        drop(held);
        Some(Self { places: Arc::clone(places), token, address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.all -= 1;
        leave(&mut held.tokens, &self.token);
        if let Some(address) = &self.address {
            leave(&mut held.addresses, address);
        }
    }
}

fn count<K: Eq + Hash>(held: &HashMap<K, usize>, key: &K) -> usize {
    held.get(key).copied().unwrap_or(0)
}

fn leave<K: Eq + Hash>(held: &mut HashMap<K, usize>, key: &K) {
    let Some(count) = held.get_mut(key) else { return };
    *count -= 1;
    if *count == 0 {
        held.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_and_given_back() {
        let places = Arc::new(Places::default());
        let most = Most { all: 4, of_token: 2, of_address: 3 };
        let take = |token: u8, last: u8| {
            let address = (last > 0).then(|| IpAddr::from([127, 0, 0, last]));
            Place::take(&places, [token; 32], address, most)
        };
        let first = take(1, 1).unwrap();
        let _second = take(1, 1).unwrap();
        assert!(take(1, 2).is_none(), "two of one token");
        let third = take(2, 1).unwrap();
        assert!(take(3, 1).is_none(), "three of one address");
        let _other = take(3, 2).unwrap();
        assert!(take(4, 0).is_none(), "four over all");
        drop(first);
        let again = take(3, 1).expect("a place is free again");
        assert_eq!(places.open(), 4);
        drop((again, third));
        assert_eq!(places.0.lock().unwrap().tokens.len(), 2, "nobody is kept for nothing");
        assert!(take(4, 0).is_some(), "who has no address of its own is not counted by it");
    }
}

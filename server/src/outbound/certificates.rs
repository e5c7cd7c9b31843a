//! Certificates that webhooks are signed with, fetched from where the provider has them: one
//! fetch at a time for each address, kept for a while, of a limited size and number.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{
    failed::Failed,
    http::Http,
    rate::{Limit, Rate},
};
use crate::clock;

/// Bytes of one.
pub const CERTIFICATE_BYTES_MAX: usize = 64 * 1024;
/// How many are kept.
pub const CERTIFICATES_MAX: usize = 64;
/// How long one is kept.
pub const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a fetch may take.
const FETCH: Duration = Duration::from_secs(5);
/// Fetches of all accounts together: webhooks that nobody verified yet cause them.
const FETCHES: Limit = Limit { per_second: 2.0, burst: 10 };

/// What stands at one address.
#[derive(Default)]
struct Place {
    held: tokio::sync::Mutex<Option<(Bytes, Instant)>>,
    was_fetched: AtomicBool,
}

/// Certificates by their address.
#[derive(Default)]
pub(super) struct Certificates {
    places: Mutex<HashMap<String, (Arc<Place>, Instant)>>,
    rate: Mutex<Rate>,
}

impl Certificates {
    /// What stands at an address, from memory if it was fetched lately.
    pub(super) async fn get(&self, http: &Http, url: &str) -> Result<Bytes, Failed> {
        let place = self.place(url);
        let mut held = place.held.lock().await;
        if let Some((bytes, fetched)) = &*held
            && fetched.elapsed() < KEPT
        {
            return Ok(bytes.clone());
        }
        if !(url.starts_with("https://") || url.starts_with("http://")) {
            return Err(Failed::NotAsked);
        }
        let now = Instant::now();
        self.take_fetch(now)?;
        let reply = http.get(url, FETCH, CERTIFICATE_BYTES_MAX, clock::now()).await?;
        if reply.status != 200 {
            return Err(Failed::Status(reply.status));
        }
        *held = Some((reply.body.clone(), now));
        place.was_fetched.store(true, Relaxed);
        Ok(reply.body)
    }

    fn take_fetch(&self, now: Instant) -> Result<(), Failed> {
        let mut rate = self.rate.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = rate.take(FETCHES, now, now);
        taken.map(drop).map_err(|at| Failed::Limited { wait: at - now })
    }

    /// The place of an address; of too many, the one goes that was not asked for longest. Those
    /// where nothing was found go first: whoever forges webhooks can invent addresses.
    fn place(&self, url: &str) -> Arc<Place> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if !places.contains_key(url) && places.len() >= CERTIFICATES_MAX {
            let worth = |place: &Place| place.was_fetched.load(Relaxed);
            let oldest = places.iter().min_by_key(|(_, (place, used))| (worth(place), *used));
            if let Some(oldest) = oldest.map(|(url, _)| url.clone()) {
                places.remove(&oldest);
            }
        }
        let (place, used) =
            places.entry(url.to_owned()).or_insert_with(|| (Arc::default(), Instant::now()));
        *used = Instant::now();
        Arc::clone(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_places_are_kept_and_the_unused_go_first() {
        let certificates = Certificates::default();
        let first = certificates.place("0");
        for number in 1..CERTIFICATES_MAX {
            certificates.place(&number.to_string());
        }
        assert!(Arc::ptr_eq(&first, &certificates.place("0")));
        certificates.place("another");
        let places = certificates.places.lock().unwrap();
        assert_eq!(places.len(), CERTIFICATES_MAX);
        assert!(places.contains_key("0") && !places.contains_key("1"));
    }

    #[test]
    fn invented_addresses_do_not_drive_out_what_was_fetched() {
        let certificates = Certificates::default();
        certificates.place("true").was_fetched.store(true, Relaxed);
        for number in 0..2 * CERTIFICATES_MAX {
            certificates.place(&number.to_string());
        }
        assert!(certificates.places.lock().unwrap().contains_key("true"));
    }
}

//! Where things stand in sled. The first byte of a place says what follows.
//!
//! | first | then | holds |
//! |---|---|---|
//! | `n` | hash of the order's key | where its state is |
//! | `o` | merchant (or account) hash, position of its first record | the order's state |
//! | `u` | the same | nothing: the order is undecided |
//! | `w` | the same | when its outcome came to be: the customer was not told yet |
//! | `c` | hash of the claim | the key of the order it belongs to |
//! | `k` `p` `s` `v` | name | API key, operator, subscription, version of a subject |
//!
//! All of these stand in [pages](super::pages); apart from them stands [`META`].
//!
//! States stand in order of creation, so that the busy ones are neighbours; names and claims
//! are written once.

use sha2::{Digest as _, Sha256};

use crate::{
    domain::{
        digest::Digest,
        ids::{AccountId, Claim, OrderKey, ProviderId},
        order::Order,
    },
    record::{self, KeyRecord, OperatorRecord, Subject, SubscriptionRecord},
};

/// Where the format, the epoch and the applied position stand: a key of sled itself, so that they
/// can be read whatever the format is.
pub(super) const META: &[u8] = b"m";
/// First byte of names.
pub(super) const NAME: u8 = b'n';
/// First byte of states.
pub(super) const STATE: u8 = b'o';
/// First byte of undecided orders.
pub(super) const UNDECIDED: u8 = b'u';
/// First byte of orders whose customer was not told yet.
pub(super) const UNTOLD: u8 = b'w';
/// First byte of claims.
pub(super) const CLAIM: u8 = b'c';
/// First byte of API keys.
pub(super) const KEY: u8 = b'k';
/// First byte of operators.
pub(super) const OPERATOR: u8 = b'p';
/// First byte of subscriptions.
pub(super) const SUBSCRIPTION: u8 = b's';
/// First byte of versions.
pub(super) const VERSION: u8 = b'v';

/// A first byte and a hash.
pub(super) type Hashed = [u8; 17];

pub(super) fn name(key: &OrderKey) -> Hashed {
    match key {
        OrderKey::Recorded { merchant, order } => {
            hashed(NAME, Digest::new("recorded").text(merchant.as_str()).text(order.as_str()))
        }
        OrderKey::Unclaimed { account, anchor } => {
            hashed(NAME, with_id(Digest::new("unclaimed"), account, anchor))
        }
    }
}

pub(super) fn claim(Claim { account, id }: &Claim) -> Hashed {
    hashed(CLAIM, with_id(Digest::new("claim"), account, id))
}

/// The place of an order's state; the order has at least one record.
pub(super) fn state(order: &Order) -> Vec<u8> {
    let first = order.positions.first().copied().unwrap_or(0);
    [group(&order.key), first.to_be_bytes().to_vec()].concat()
}

/// What the states of a merchant, or of an account's unclaimed orders, begin with.
pub(super) fn group(key: &OrderKey) -> Vec<u8> {
    let (kind, name) = match key {
        OrderKey::Recorded { merchant, .. } => (b'r', merchant.as_str()),
        OrderKey::Unclaimed { account, .. } => (b'u', account.as_str()),
    };
    let mut place = vec![STATE, kind];
    place.extend_from_slice(&Sha256::digest(name.as_bytes())[..8]);
    place
}

/// The place of an order in an index, by the position of its first record.
pub(super) fn indexed(index: u8, key: &OrderKey, first: u64) -> Vec<u8> {
    with_first(index, [group(key), first.to_be_bytes().to_vec()].concat())
}

/// Where the state is that a place of an index stands for.
pub(super) fn state_of_indexed(place: &[u8]) -> Vec<u8> {
    with_first(STATE, place.to_vec())
}

fn with_first(first: u8, mut place: Vec<u8>) -> Vec<u8> {
    if let Some(byte) = place.first_mut() {
        *byte = first;
    }
    place
}

pub(super) fn key(key: &KeyRecord) -> Vec<u8> {
    [&[KEY], key.key_id.as_bytes()].concat()
}

pub(super) fn operator(operator: &OperatorRecord) -> Vec<u8> {
    [&[OPERATOR], operator.operator.as_str().as_bytes()].concat()
}

pub(super) fn subscription(s: &SubscriptionRecord) -> Vec<u8> {
    let subject = Subject::Subscription(s.merchant.clone(), s.subscription.clone());
    [&[SUBSCRIPTION], &*record::encode_subject(&subject)].concat()
}

pub(super) fn version(subject: &Subject) -> Vec<u8> {
    [&[VERSION], &*record::encode_subject(subject)].concat()
}

fn with_id(digest: Digest, account: &AccountId, id: &ProviderId) -> Digest {
    digest.text(account.as_str()).text(id.kind.as_str()).text(id.value.as_str())
}

/// The place of something that is found by its name.
fn hashed(first: u8, name: Digest) -> Hashed {
    let mut place = [first; 17];
    place[1..].copy_from_slice(&name.finish());
    place
}

//! From the domain to bytes and back. Messages are written by hand and belong to this module
//! alone; a tag or a number that was ever written keeps its meaning for ever.
//!
//! A record and a state begin with their format version. Texts, content ids and amounts are
//! kept once, in a [table](table), and referred to by number: a webhook says most things
//! three times. Moments are kept as the distance to the newest one.

mod actor;
mod api_key;
mod audit;
mod change;
mod fact;
mod key;
mod name;
mod number;
mod operator;
mod order;
mod part;
mod record;
mod state;
mod statement;
mod subscription;
mod table;
mod uuid;
mod view;
mod webhook;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use prost::Message as _;

use super::{FORMAT, Record};
use crate::domain::order::Order;

pub use key::{decode_claim, decode_key, decode_subject, encode_claim, encode_key, encode_subject};

/// Why bytes could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A newer program wrote them.
    #[error("format {found} is newer than this program, which knows formats up to {known}")]
    NewerFormat {
        /// The format they are in.
        found: u32,
        /// The newest that can be read.
        known: u32,
    },
    /// They are no valid record.
    #[error("not valid: {what}")]
    Invalid {
        /// What is wrong, without any value.
        what: &'static str,
    },
}

/// A record as bytes.
#[must_use]
pub fn encode(record: &Record) -> Bytes {
    record::write(record).encode_to_vec().into()
}

/// Reads a record in this or an older format.
///
/// # Errors
/// [`Unreadable`] says why not.
pub fn decode(bytes: &[u8]) -> Result<Record, Unreadable> {
    check_format(bytes)?;
    let stored = record::StoredRecord::decode(bytes).map_err(|_| invalid("a record's bytes"))?;
    record::read(&stored)
}

/// The whole state of an order as bytes.
#[must_use]
pub fn encode_order(order: &Order) -> Vec<u8> {
    state::write(order).encode_to_vec()
}

/// Reads the state of an order in this or an older format.
///
/// # Errors
/// [`Unreadable`] says why not.
pub fn decode_order(bytes: &[u8]) -> Result<Order, Unreadable> {
    check_format(bytes)?;
    let stored = state::StoredOrder::decode(bytes).map_err(|_| invalid("an order's bytes"))?;
    state::read(&stored)
}

/// Looks at the first field only: what follows may mean anything in a newer format.
fn check_format(mut bytes: &[u8]) -> Result<(), Unreadable> {
    /// Field 1, a varint.
    const TAG: u8 = 1 << 3;
    let Some((&TAG, rest)) = bytes.split_first() else {
        return Err(invalid("no format"));
    };
    bytes = rest;
    let found = prost::encoding::decode_varint(&mut bytes).map_err(|_| invalid("format"))?;
    match u32::try_from(found) {
        Ok(0) | Err(_) => Err(invalid("format")),
        Ok(found) if found > FORMAT => Err(Unreadable::NewerFormat { found, known: FORMAT }),
        Ok(_) => Ok(()),
    }
}

fn invalid(what: &'static str) -> Unreadable {
    Unreadable::Invalid { what }
}

//! Finds accepted webhooks: in the journal, newest first or from a position on, or by their order.

use std::{ops::Range, sync::Arc};

use paystatus_proto::v1;
use tonic::{Code, Status};

use super::Webhooks;
use crate::{
    domain::{fact::Fact, ids::OrderKey},
    edge::grpc::{
        auth::Caller,
        by_time::{self, Failed, boxed},
        errors, to_wire,
    },
    journal::{Position, Reader, Stored},
    record::{self, Record, Source},
    store::Store,
};

/// Records read at once.
const READ_RECORDS: usize = 256;
/// Unclaimed orders whose webhooks are found with the order that they were joined to.
const JOINED_MAX: usize = 64;

/// A webhook as it was accepted.
pub(super) struct Found {
    pub(super) stored: Stored,
    pub(super) record: Record,
    pub(super) wire: v1::Webhook,
}

impl Webhooks {
    /// As [`by_time::reading`], with the view.
    pub(super) async fn reading<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Reader, &Store) -> Result<T, Failed> + Send + 'static,
    ) -> Result<T, Status> {
        let store = Arc::clone(&self.0.store);
        by_time::reading(&self.0.hub, move |journal| read(journal, &store)).await
    }

    /// The webhook of that id, if the caller may see it.
    pub(super) async fn find(&self, caller: &Caller, id: &str) -> Result<Found, Status> {
        let missing =
            || errors::error(Code::NotFound, "WEBHOOK_NOT_FOUND", "there is no such webhook");
        let position = to_wire::webhook::position(id).ok_or_else(missing)?;
        let found = self.reading(move |journal, store| one(journal, store, position)).await?;
        let accounts = self.0.accounts.load();
        let is_own = |found: &Found| caller.account(&accounts, &found.wire.account_id).is_ok();
        found.filter(is_own).ok_or_else(missing)
    }
}

/// The webhook at a position, also one that only revised a reading: timelines name those.
fn one(journal: &dyn Reader, store: &Store, position: Position) -> Result<Option<Found>, Failed> {
    match journal.read_one(position).map_err(boxed)? {
        Some(stored) => {
            let record = record::decode(&stored.record).map_err(boxed)?;
            found(store, stored, record)
        }
        None => Ok(None),
    }
}

/// Webhooks among the records of a range, oldest first, and where the range was read to.
pub(super) fn within(
    journal: &dyn Reader,
    store: &Store,
    positions: Range<Position>,
) -> Result<(Vec<Found>, Position), Failed> {
    let count = positions.end.saturating_sub(positions.start);
    let count = usize::try_from(count).unwrap_or(READ_RECORDS).min(READ_RECORDS);
    let records = journal.read(positions.start.saturating_sub(1), count).map_err(boxed)?;
    let next = records.last().map_or(positions.end, |stored| stored.position + 1);
    let records = records.into_iter().filter(|stored| stored.position < positions.end);
    let found = records.map(|stored| webhook(store, stored)).filter_map(Result::transpose);
    Ok((found.collect::<Result<_, _>>()?, next.min(positions.end)))
}

/// The last records before a position, as far as they are read at once: the webhooks among them,
/// oldest first, and where they begin.
pub(super) fn before(
    journal: &dyn Reader,
    store: &Store,
    position: Position,
) -> Result<(Vec<Found>, Position), Failed> {
    let first = position.saturating_sub(READ_RECORDS as u64).max(1);
    let (mut found, mut next) = within(journal, store, first..position)?;
    // Large bodies come in several reads.
    while next < position {
        let (more, after) = within(journal, store, next..position)?;
        found.extend(more);
        next = after;
    }
    Ok((found, first))
}

/// Webhooks about an order before a position, oldest first: also those that waited for it under
/// another name.
pub(super) fn of_order(
    journal: &dyn Reader,
    store: &Store,
    key: &OrderKey,
) -> Result<Option<Vec<Found>>, Failed> {
    let Some(order) = store.find_order(key).map_err(boxed)? else { return Ok(None) };
    if order.facts.order.is_none() {
        return Ok(None);
    }
    let (mut orders, mut found, mut next) = (vec![order], Vec::new(), 0);
    while let Some(order) = orders.get(next).cloned() {
        next += 1;
        for position in &order.positions {
            let Some(stored) = journal.read_one(*position).map_err(boxed)? else { continue };
            let decoded = record::decode(&stored.record).map_err(boxed)?;
            if let Record::Order(record) = &decoded {
                for fact in &record.decided.facts {
                    let Fact::Absorbed { from, .. } = fact else { continue };
                    if let Some(joined) = store.find_order(from).map_err(boxed)?
                        && orders.len() < JOINED_MAX
                        && orders.iter().all(|known| known.key != joined.key)
                    {
                        orders.push(joined);
                    }
                }
            }
            found.extend(shown(store, stored, decoded)?);
        }
    }
    found.sort_by_key(|found| found.stored.position);
    Ok(Some(found))
}

fn webhook(store: &Store, stored: Stored) -> Result<Option<Found>, Failed> {
    let record = record::decode(&stored.record).map_err(boxed)?;
    shown(store, stored, record)
}

fn shown(store: &Store, stored: Stored, record: Record) -> Result<Option<Found>, Failed> {
    // What only revises a reading is in the order's timeline; it brought no webhook.
    if let Record::Order(record) = &record
        && record.source == Source::Reread
        && stored.attachments.is_empty()
    {
        return Ok(None);
    }
    found(store, stored, record)
}

fn found(store: &Store, stored: Stored, record: Record) -> Result<Option<Found>, Failed> {
    let Some(mut wire) = to_wire::webhook::webhook(stored.position, &record) else {
        return Ok(None);
    };
    if let Record::Order(record) = &record
        && let OrderKey::Unclaimed { .. } = record.key
    {
        // It may have been claimed since.
        let mut key = Some(record.key.clone());
        while let Some(OrderKey::Unclaimed { .. }) = key {
            let order = key.as_ref().map(|key| store.find_order(key)).transpose().map_err(boxed)?;
            key = order.flatten().and_then(|order| order.forwarded_to.clone());
        }
        if let Some(key) = &key {
            (wire.merchant_id, wire.order_id) = to_wire::order::names(key);
        }
    }
    Ok(Some(Found { stored, record, wire }))
}

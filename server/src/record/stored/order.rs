//! Decisions about an order.

use super::{
    Unreadable,
    actor::{self, StoredActor},
    change::{self, StoredChange},
    fact::StoredFact,
    name::StoredOrderKey,
    number::Number as _,
    part::{Part, read_all, read_one, write_all},
    table::{Reader, Writer},
    view::StoredSummary,
    webhook::StoredWebhook,
};
use crate::{
    domain::order::Decided,
    record::{OrderRecord, Source},
};

/// Its time is the record's.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredOrderRecord {
    #[prost(message, optional, tag = "1")]
    key: Option<StoredOrderKey>,
    #[prost(message, repeated, tag = "2")]
    facts: Vec<StoredFact>,
    #[prost(message, repeated, tag = "3")]
    changes: Vec<StoredChange>,
    #[prost(message, optional, tag = "4")]
    summary: Option<StoredSummary>,
    #[prost(uint32, tag = "5")]
    source: u32,
    /// The name alone, as it was written before `actor`.
    #[prost(uint32, tag = "6")]
    actor_name: u32,
    #[prost(message, optional, tag = "7")]
    webhook: Option<StoredWebhook>,
    #[prost(uint32, repeated, tag = "8")]
    labels: Vec<u32>,
    #[prost(message, optional, tag = "16")]
    actor: Option<StoredActor>,
}

impl Part for StoredOrderRecord {
    type Domain = OrderRecord;

    fn write<'a>(record: &'a OrderRecord, to: &mut Writer<'a>) -> Self {
        Self {
            key: Some(StoredOrderKey::write(&record.key, to)),
            facts: write_all(&record.decided.facts, to),
            changes: change::write_all(&record.decided.changes, to),
            summary: Some(StoredSummary::write(&record.decided.summary, to)),
            source: record.source.number(),
            actor_name: 0,
            webhook: record.webhook.as_ref().map(|webhook| StoredWebhook::write(webhook, to)),
            labels: to.pairs(record.labels.iter().map(|(key, value)| (key, value))),
            actor: record.actor.as_ref().map(|actor| StoredActor::write(actor, to)),
        }
    }

    fn read(&self, from: &Reader<'_>) -> Result<OrderRecord, Unreadable> {
        Ok(OrderRecord {
            key: read_one(self.key.as_ref(), from)?,
            decided: Decided {
                facts: read_all(&self.facts, from)?,
                changes: change::read_all(&self.changes, from)?,
                summary: read_one(self.summary.as_ref(), from)?,
                time: from.newest(),
            },
            source: Source::of_number(self.source)?,
            actor: match &self.actor {
                Some(actor) => Some(actor.read(from)?),
                None => actor::of_name(self.actor_name, from)?,
            },
            webhook: self.webhook.as_ref().map(|webhook| webhook.read(from)).transpose()?,
            labels: from.pairs(&self.labels)?,
        })
    }
}

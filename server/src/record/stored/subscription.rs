//! Named subscriptions.

use super::{
    Unreadable,
    actor::StoredActor,
    api_key::StoredCreation,
    part::{Part, read_one},
    table::{Reader, Writer},
};
use crate::{
    domain::ids::{MerchantId, SubscriptionId},
    record::{FilterRecord, SubscriptionRecord},
};

/// Its time is the record's.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredSubscription {
    #[prost(uint32, tag = "1")]
    merchant: u32,
    #[prost(uint32, tag = "2")]
    subscription: u32,
    #[prost(message, optional, tag = "3")]
    filter: Option<StoredFilter>,
    #[prost(uint64, tag = "4")]
    acknowledged: u64,
    #[prost(sint64, tag = "5")]
    create_time: i64,
    #[prost(sint64, optional, tag = "6")]
    acknowledge_time: Option<i64>,
    #[prost(message, optional, tag = "7")]
    request: Option<StoredCreation>,
    #[prost(bool, tag = "8")]
    deleted: bool,
    #[prost(message, optional, tag = "9")]
    actor: Option<StoredActor>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct StoredFilter {
    #[prost(uint32, repeated, tag = "1")]
    orders: Vec<u32>,
    #[prost(uint32, repeated, tag = "2")]
    accounts: Vec<u32>,
    #[prost(uint32, repeated, tag = "3")]
    labels: Vec<u32>,
    /// Numbers of the wire's ChangeKind, as they came.
    #[prost(int32, repeated, tag = "4")]
    kinds: Vec<i32>,
}

impl Part for StoredSubscription {
    type Domain = SubscriptionRecord;

    fn write<'a>(record: &'a SubscriptionRecord, to: &mut Writer<'a>) -> Self {
        Self {
            merchant: to.text(record.merchant.as_str()),
            subscription: to.text(record.subscription.as_str()),
            filter: Some(StoredFilter::write(&record.filter, to)),
            acknowledged: record.acknowledged,
            create_time: to.time(record.create_time),
            acknowledge_time: to.maybe_time(record.acknowledge_time),
            request: record.request.as_ref().map(|creation| StoredCreation::write(creation, to)),
            deleted: record.deleted,
            actor: record.actor.as_ref().map(|actor| StoredActor::write(actor, to)),
        }
    }

    fn read(&self, from: &Reader<'_>) -> Result<SubscriptionRecord, Unreadable> {
        Ok(SubscriptionRecord {
            merchant: from.name(self.merchant, MerchantId::parse)?,
            subscription: from.name(self.subscription, SubscriptionId::parse)?,
            filter: read_one(self.filter.as_ref(), from)?,
            acknowledged: self.acknowledged,
            create_time: from.time(self.create_time),
            acknowledge_time: from.maybe_time(self.acknowledge_time),
            request: self.request.as_ref().map(|creation| creation.read(from)).transpose()?,
            deleted: self.deleted,
            actor: self.actor.as_ref().map(|actor| actor.read(from)).transpose()?,
            time: from.newest(),
        })
    }
}

impl Part for StoredFilter {
    type Domain = FilterRecord;

    fn write<'a>(filter: &'a FilterRecord, to: &mut Writer<'a>) -> Self {
        Self {
            orders: filter.orders.iter().map(|order| to.text(order)).collect(),
            accounts: filter.accounts.iter().map(|account| to.text(account)).collect(),
            labels: to.pairs(filter.labels.iter().map(|(key, value)| (key, value))),
            kinds: filter.kinds.clone(),
        }
    }

    fn read(&self, from: &Reader<'_>) -> Result<FilterRecord, Unreadable> {
        Ok(FilterRecord {
            orders: from.strings(&self.orders)?,
            accounts: from.strings(&self.accounts)?,
            labels: from.pairs(&self.labels)?,
            kinds: self.kinds.clone(),
        })
    }
}

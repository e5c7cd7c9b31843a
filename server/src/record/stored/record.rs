//! A record of any kind, with its versions.

use super::{
    Unreadable,
    api_key::StoredApiKey,
    audit::StoredAudit,
    invalid,
    operator::StoredOperator,
    order::StoredOrderRecord,
    part::Part as _,
    subscription::StoredSubscription,
    table::{Reader, StoredTable, Writer},
    webhook::StoredKept,
};
use crate::record::{FORMAT, RULES, Record};

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredRecord {
    /// First in every format, so that it can be looked at alone.
    #[prost(uint32, tag = "1")]
    format: u32,
    #[prost(uint32, tag = "2")]
    rules: u32,
    /// Microseconds since 1970-01-01 UTC. Every other moment is the distance to it.
    #[prost(int64, tag = "3")]
    time: i64,
    #[prost(message, optional, tag = "4")]
    table: Option<StoredTable>,
    #[prost(oneof = "About", tags = "5, 6, 7, 8, 9, 10")]
    about: Option<About>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum About {
    #[prost(message, tag = "5")]
    Order(StoredOrderRecord),
    #[prost(message, tag = "6")]
    Kept(StoredKept),
    #[prost(message, tag = "7")]
    ApiKey(StoredApiKey),
    #[prost(message, tag = "8")]
    Subscription(StoredSubscription),
    #[prost(message, tag = "9")]
    Operator(StoredOperator),
    #[prost(message, tag = "10")]
    Audit(StoredAudit),
}

/// A record as a message.
pub(super) fn write(record: &Record) -> StoredRecord {
    let time = record.time();
    let mut to = Writer::new(time);
    let about = match record {
        Record::Order(record) => About::Order(StoredOrderRecord::write(record, &mut to)),
        Record::Kept(kept) => About::Kept(StoredKept::write(kept, &mut to)),
        Record::Key(key) => About::ApiKey(StoredApiKey::write(key, &mut to)),
        Record::Subscription(record) => {
            About::Subscription(StoredSubscription::write(record, &mut to))
        }
        Record::Operator(record) => About::Operator(StoredOperator::write(record, &mut to)),
        Record::Audit(record) => About::Audit(StoredAudit::write(record, &mut to)),
    };
    StoredRecord {
        format: FORMAT,
        rules: RULES,
        time: time.as_micros(),
        table: to.finish(),
        about: Some(about),
    }
}

/// The record that a message stands for.
pub(super) fn read(stored: &StoredRecord) -> Result<Record, Unreadable> {
    let from = Reader::new(stored.table.as_ref(), stored.time)?;
    Ok(match stored.about.as_ref().ok_or(invalid("kind of a record"))? {
        About::Order(record) => Record::Order(record.read(&from)?),
        About::Kept(kept) => Record::Kept(kept.read(&from)?),
        About::ApiKey(key) => Record::Key(key.read(&from)?),
        About::Subscription(record) => Record::Subscription(record.read(&from)?),
        About::Operator(record) => Record::Operator(record.read(&from)?),
        About::Audit(record) => Record::Audit(record.read(&from)?),
    })
}

//! Operators.

use super::{
    Unreadable,
    actor::StoredActor,
    api_key::StoredCreation,
    part::{Part, read_one},
    table::{Reader, Writer},
};
use crate::{
    domain::ids::{MerchantId, OperatorId},
    record::OperatorRecord,
};

/// Its time is the record's.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredOperator {
    #[prost(uint32, tag = "1")]
    operator: u32,
    #[prost(uint32, tag = "2")]
    display_name: u32,
    #[prost(uint32, repeated, tag = "3")]
    merchants: Vec<u32>,
    #[prost(sint64, tag = "4")]
    create_time: i64,
    #[prost(message, optional, tag = "5")]
    request: Option<StoredCreation>,
    #[prost(message, optional, tag = "6")]
    update: Option<StoredCreation>,
    #[prost(bool, tag = "7")]
    deleted: bool,
    #[prost(message, optional, tag = "8")]
    actor: Option<StoredActor>,
}

impl Part for StoredOperator {
    type Domain = OperatorRecord;

    fn write<'a>(record: &'a OperatorRecord, to: &mut Writer<'a>) -> Self {
        Self {
            operator: to.text(record.operator.as_str()),
            display_name: to.text(&record.display_name),
            merchants: record.merchants.iter().map(|m| to.text(m.as_str())).collect(),
            create_time: to.time(record.create_time),
            request: Some(StoredCreation::write(&record.request, to)),
            update: record.update.as_ref().map(|update| StoredCreation::write(update, to)),
            deleted: record.deleted,
            actor: record.actor.as_ref().map(|actor| StoredActor::write(actor, to)),
        }
    }

    fn read(&self, from: &Reader<'_>) -> Result<OperatorRecord, Unreadable> {
        let merchant = |number: &u32| from.name(*number, MerchantId::parse);
        Ok(OperatorRecord {
            operator: from.name(self.operator, OperatorId::parse)?,
            display_name: from.string(self.display_name)?,
            merchants: self.merchants.iter().map(merchant).collect::<Result<_, _>>()?,
            create_time: from.time(self.create_time),
            request: read_one(self.request.as_ref(), from)?,
            update: self.update.as_ref().map(|update| update.read(from)).transpose()?,
            deleted: self.deleted,
            actor: self.actor.as_ref().map(|actor| actor.read(from)).transpose()?,
            time: from.newest(),
        })
    }
}

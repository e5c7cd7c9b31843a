//! What is kept for the audit list alone.

use super::{
    Unreadable,
    actor::StoredActor,
    number::Number as _,
    part::{Part, read_one},
    table::{Reader, Writer},
};
use crate::{
    domain::ids::MerchantId,
    record::{AuditRecord, Audited},
};

/// Its time is the record's.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredAudit {
    #[prost(message, optional, tag = "1")]
    actor: Option<StoredActor>,
    #[prost(uint32, tag = "2")]
    method: u32,
    #[prost(uint32, tag = "3")]
    object: u32,
    #[prost(uint32, repeated, tag = "4")]
    merchants: Vec<u32>,
    #[prost(uint32, tag = "5")]
    what: u32,
    #[prost(uint32, tag = "6")]
    detail: u32,
    #[prost(uint64, tag = "7")]
    left_out: u64,
}

impl Part for StoredAudit {
    type Domain = AuditRecord;

    fn write<'a>(record: &'a AuditRecord, to: &mut Writer<'a>) -> Self {
        Self {
            actor: Some(StoredActor::write(&record.actor, to)),
            method: to.text(&record.method),
            object: to.text(&record.object),
            merchants: record.merchants.iter().map(|m| to.text(m.as_str())).collect(),
            what: record.what.number(),
            detail: to.text(&record.detail),
            left_out: record.left_out,
        }
    }

    fn read(&self, from: &Reader<'_>) -> Result<AuditRecord, Unreadable> {
        let merchant = |number: &u32| from.name(*number, MerchantId::parse);
        Ok(AuditRecord {
            actor: read_one(self.actor.as_ref(), from)?,
            method: from.string(self.method)?,
            object: from.string(self.object)?,
            merchants: self.merchants.iter().map(merchant).collect::<Result<_, _>>()?,
            what: Audited::of_number(self.what)?,
            detail: from.string(self.detail)?,
            left_out: self.left_out,
            time: from.newest(),
        })
    }
}

//! API keys.

use super::{
    Unreadable,
    actor::{self, StoredActor},
    number::Number as _,
    part::Part,
    table::{Reader, Writer},
    webhook::read_sha256,
};
use crate::{
    domain::{
        digest::ContentId,
        ids::{MerchantId, OperatorId, RequestId},
    },
    record::{KeyEvent, KeyRecord, Role},
};

/// Its time is the record's.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredApiKey {
    #[prost(uint32, tag = "1")]
    key_id: u32,
    #[prost(uint32, tag = "2")]
    name: u32,
    #[prost(uint32, tag = "3")]
    role: u32,
    #[prost(uint32, repeated, tag = "4")]
    merchants: Vec<u32>,
    #[prost(bytes = "vec", tag = "5")]
    secret_sha256: Vec<u8>,
    #[prost(sint64, tag = "6")]
    create_time: i64,
    #[prost(message, optional, tag = "7")]
    request: Option<StoredCreation>,
    #[prost(bool, tag = "8")]
    deleted: bool,
    #[prost(sint64, optional, tag = "9")]
    expire_time: Option<i64>,
    #[prost(uint32, tag = "10")]
    operator: u32,
    #[prost(sint64, optional, tag = "11")]
    last_use_time: Option<i64>,
    #[prost(message, optional, tag = "12")]
    actor: Option<StoredActor>,
    /// 0, as it was before uses were noted, is the same as a grant.
    #[prost(uint32, tag = "13")]
    event: u32,
}

/// The request that created something, and what it asked for.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredCreation {
    #[prost(uint32, tag = "1")]
    request: u32,
    #[prost(uint32, tag = "2")]
    fingerprint: u32,
}

impl Part for StoredApiKey {
    type Domain = KeyRecord;

    fn write<'a>(key: &'a KeyRecord, to: &mut Writer<'a>) -> Self {
        Self {
            key_id: to.text(&key.key_id),
            name: to.text(&key.name),
            role: key.role.number(),
            merchants: key.merchants.iter().map(|merchant| to.text(merchant.as_str())).collect(),
            secret_sha256: key.secret_sha256.to_vec(),
            create_time: to.time(key.create_time),
            request: key.request.as_ref().map(|creation| StoredCreation::write(creation, to)),
            deleted: key.deleted,
            expire_time: to.maybe_time(key.expire_time),
            operator: to.maybe_text(key.operator.as_ref().map(OperatorId::as_str)),
            last_use_time: to.maybe_time(key.last_use_time),
            actor: key.actor.as_ref().map(|actor| StoredActor::write(actor, to)),
            event: if key.event == KeyEvent::Granted { 0 } else { key.event.number() },
        }
    }

    fn read(&self, from: &Reader<'_>) -> Result<KeyRecord, Unreadable> {
        let merchant = |number: &u32| from.name(*number, MerchantId::parse);
        Ok(KeyRecord {
            key_id: from.string(self.key_id)?,
            name: from.string(self.name)?,
            role: Role::of_number(self.role)?,
            merchants: self.merchants.iter().map(merchant).collect::<Result<_, _>>()?,
            secret_sha256: read_sha256(&self.secret_sha256)?,
            create_time: from.time(self.create_time),
            request: self.request.as_ref().map(|creation| creation.read(from)).transpose()?,
            deleted: self.deleted,
            expire_time: from.maybe_time(self.expire_time),
            operator: actor::maybe_operator(self.operator, from)?,
            last_use_time: from.maybe_time(self.last_use_time),
            actor: self.actor.as_ref().map(|actor| actor.read(from)).transpose()?,
            event: if self.event == 0 {
                KeyEvent::Granted
            } else {
                KeyEvent::of_number(self.event)?
            },
            time: from.newest(),
        })
    }
}

impl Part for StoredCreation {
    type Domain = (RequestId, ContentId);

    fn write<'a>((request, fingerprint): &'a Self::Domain, to: &mut Writer<'a>) -> Self {
        Self { request: to.text(request.as_str()), fingerprint: to.id(*fingerprint) }
    }

    fn read(&self, from: &Reader<'_>) -> Result<Self::Domain, Unreadable> {
        Ok((from.name(self.request, RequestId::parse)?, from.id(self.fingerprint)?))
    }
}

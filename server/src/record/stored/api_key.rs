//! API keys.

use super::{
    Unreadable,
    number::Number as _,
    part::Part,
    table::{Reader, Writer},
    webhook::read_sha256,
};
use crate::{
    domain::{
        digest::ContentId,
        ids::{MerchantId, RequestId},
    },
    record::{KeyRecord, Role},
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

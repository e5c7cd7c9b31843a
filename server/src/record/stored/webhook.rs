//! Webhooks: what is known beside the body, and those that are about no order.

use super::{
    Unreadable, invalid,
    number::Number as _,
    part::Part,
    table::{Reader, Writer},
};
use crate::{
    domain::{command::Disposition, ids::AccountId},
    record::{KeptAs, KeptWebhook, WebhookMeta},
};

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredWebhook {
    #[prost(uint32, tag = "1")]
    account: u32,
    #[prost(uint32, tag = "2")]
    event_id: u32,
    #[prost(uint32, tag = "3")]
    event_name: u32,
    #[prost(bytes = "vec", tag = "4")]
    body_sha256: Vec<u8>,
    #[prost(uint32, tag = "5")]
    disposition: u32,
    #[prost(uint32, tag = "6")]
    reading: u32,
    #[prost(uint32, repeated, tag = "7")]
    headers: Vec<u32>,
}

/// Its time is the record's.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredKept {
    #[prost(uint32, tag = "1")]
    account: u32,
    #[prost(uint32, tag = "2")]
    kept_as: u32,
    #[prost(uint32, tag = "3")]
    reason: u32,
    #[prost(uint32, tag = "4")]
    event_id: u32,
    #[prost(uint32, tag = "5")]
    event_name: u32,
    #[prost(bytes = "vec", tag = "6")]
    body_sha256: Vec<u8>,
    #[prost(uint32, repeated, tag = "7")]
    headers: Vec<u32>,
}

impl Part for StoredWebhook {
    type Domain = WebhookMeta;

    fn write<'a>(webhook: &'a WebhookMeta, to: &mut Writer<'a>) -> Self {
        Self {
            account: to.text(webhook.account.as_str()),
            event_id: to.text(&webhook.event_id),
            event_name: to.text(&webhook.event_name),
            body_sha256: webhook.body_sha256.to_vec(),
            disposition: webhook.disposition.number(),
            reading: to.id(webhook.reading),
            headers: to.pairs(webhook.headers.iter().map(|(name, value)| (name, value))),
        }
    }

    fn read(&self, from: &Reader<'_>) -> Result<WebhookMeta, Unreadable> {
        Ok(WebhookMeta {
            account: from.name(self.account, AccountId::parse)?,
            event_id: from.string(self.event_id)?,
            event_name: from.string(self.event_name)?,
            body_sha256: read_sha256(&self.body_sha256)?,
            disposition: Disposition::of_number(self.disposition)?,
            reading: from.id(self.reading)?,
            headers: from.pairs(&self.headers)?,
        })
    }
}

impl Part for StoredKept {
    type Domain = KeptWebhook;

    fn write<'a>(kept: &'a KeptWebhook, to: &mut Writer<'a>) -> Self {
        Self {
            account: to.text(kept.account.as_str()),
            kept_as: kept.kept_as.number(),
            reason: to.text(&kept.reason),
            event_id: to.text(&kept.event_id),
            event_name: to.text(&kept.event_name),
            body_sha256: kept.body_sha256.to_vec(),
            headers: to.pairs(kept.headers.iter().map(|(name, value)| (name, value))),
        }
    }

    fn read(&self, from: &Reader<'_>) -> Result<KeptWebhook, Unreadable> {
        Ok(KeptWebhook {
            account: from.name(self.account, AccountId::parse)?,
            time: from.newest(),
            kept_as: KeptAs::of_number(self.kept_as)?,
            reason: from.string(self.reason)?,
            event_id: from.string(self.event_id)?,
            event_name: from.string(self.event_name)?,
            body_sha256: read_sha256(&self.body_sha256)?,
            headers: from.pairs(&self.headers)?,
        })
    }
}

/// Exactly 32 bytes.
pub(super) fn read_sha256(bytes: &[u8]) -> Result<[u8; 32], Unreadable> {
    bytes.try_into().map_err(|_| invalid("hash"))
}

//! Orders, attempts, operations and claims by the names they have. Every field is the number
//! of a text in the table, unless it says otherwise.

use super::{
    Unreadable, invalid,
    number::Number as _,
    part::Part,
    table::{Reader, Writer},
};
use crate::domain::{
    ids::{
        AccountId, AttemptId, Claim, IdKind, IdValue, MerchantId, OperationId, OrderId, OrderKey,
        ProviderId,
    },
    statement::OperationKind,
    view::{AttemptKey, OperationKey},
};

/// With an account it is unclaimed, else recorded.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredOrderKey {
    #[prost(uint32, tag = "1")]
    merchant: u32,
    #[prost(uint32, tag = "2")]
    order: u32,
    #[prost(uint32, tag = "3")]
    account: u32,
    #[prost(uint32, tag = "4")]
    id_kind: u32,
    #[prost(uint32, tag = "5")]
    id_value: u32,
}

/// With an account it is observed, else recorded.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredAttemptKey {
    #[prost(uint32, tag = "1")]
    attempt: u32,
    #[prost(uint32, tag = "2")]
    account: u32,
    #[prost(uint32, tag = "3")]
    id_kind: u32,
    #[prost(uint32, tag = "4")]
    id_value: u32,
}

/// With an account it is observed, else recorded.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredOperationKey {
    /// Number of an [`OperationKind`].
    #[prost(uint32, tag = "1")]
    kind: u32,
    #[prost(uint32, tag = "2")]
    operation: u32,
    #[prost(uint32, tag = "3")]
    account: u32,
    #[prost(uint32, tag = "4")]
    id_kind: u32,
    #[prost(uint32, tag = "5")]
    id_value: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredClaim {
    #[prost(uint32, tag = "1")]
    account: u32,
    #[prost(uint32, tag = "2")]
    id_kind: u32,
    #[prost(uint32, tag = "3")]
    id_value: u32,
}

/// Provider ids, each as the numbers of its kind and its value.
pub(super) fn write_ids<'a>(ids: &'a [ProviderId], to: &mut Writer<'a>) -> Vec<u32> {
    let mut numbers = Vec::with_capacity(ids.len() * 2);
    for id in ids {
        numbers.push(to.text(id.kind.as_str()));
        numbers.push(to.text(id.value.as_str()));
    }
    numbers
}

/// Reads provider ids.
pub(super) fn read_ids(numbers: &[u32], from: &Reader<'_>) -> Result<Vec<ProviderId>, Unreadable> {
    let (pairs, rest) = numbers.as_chunks();
    if !rest.is_empty() {
        return Err(invalid("half a provider's id"));
    }
    pairs.iter().map(|[kind, value]| read_id(*kind, *value, from)).collect()
}

fn read_id(kind: u32, value: u32, from: &Reader<'_>) -> Result<ProviderId, Unreadable> {
    let kind = from.name(kind, IdKind::parse)?;
    Ok(ProviderId { kind, value: from.name(value, IdValue::parse)? })
}

impl Part for StoredOrderKey {
    type Domain = OrderKey;

    fn write<'a>(key: &'a OrderKey, to: &mut Writer<'a>) -> Self {
        match key {
            OrderKey::Recorded { merchant, order } => Self {
                merchant: to.text(merchant.as_str()),
                order: to.text(order.as_str()),
                ..Self::default()
            },
            OrderKey::Unclaimed { account, anchor } => Self {
                account: to.text(account.as_str()),
                id_kind: to.text(anchor.kind.as_str()),
                id_value: to.text(anchor.value.as_str()),
                ..Self::default()
            },
        }
    }

    fn read(&self, from: &Reader<'_>) -> Result<OrderKey, Unreadable> {
        Ok(match from.maybe_name(self.account, AccountId::parse)? {
            None => OrderKey::Recorded {
                merchant: from.name(self.merchant, MerchantId::parse)?,
                order: from.name(self.order, OrderId::parse)?,
            },
            Some(account) => {
                OrderKey::Unclaimed { account, anchor: read_id(self.id_kind, self.id_value, from)? }
            }
        })
    }
}

impl Part for StoredAttemptKey {
    type Domain = AttemptKey;

    fn write<'a>(key: &'a AttemptKey, to: &mut Writer<'a>) -> Self {
        match key {
            AttemptKey::Recorded(attempt) => {
                Self { attempt: to.text(attempt.as_str()), ..Self::default() }
            }
            AttemptKey::Observed(account, id) => Self {
                account: to.text(account.as_str()),
                id_kind: to.text(id.kind.as_str()),
                id_value: to.text(id.value.as_str()),
                ..Self::default()
            },
        }
    }

    fn read(&self, from: &Reader<'_>) -> Result<AttemptKey, Unreadable> {
        Ok(match from.maybe_name(self.account, AccountId::parse)? {
            None => AttemptKey::Recorded(from.name(self.attempt, AttemptId::parse)?),
            Some(account) => {
                AttemptKey::Observed(account, read_id(self.id_kind, self.id_value, from)?)
            }
        })
    }
}

impl Part for StoredOperationKey {
    type Domain = OperationKey;

    fn write<'a>(key: &'a OperationKey, to: &mut Writer<'a>) -> Self {
        match key {
            OperationKey::Recorded(kind, operation) => Self {
                kind: kind.number(),
                operation: to.text(operation.as_str()),
                ..Self::default()
            },
            OperationKey::Observed(kind, account, id) => Self {
                kind: kind.number(),
                account: to.text(account.as_str()),
                id_kind: to.text(id.kind.as_str()),
                id_value: to.text(id.value.as_str()),
                ..Self::default()
            },
        }
    }

    fn read(&self, from: &Reader<'_>) -> Result<OperationKey, Unreadable> {
        let kind = OperationKind::of_number(self.kind)?;
        Ok(match from.maybe_name(self.account, AccountId::parse)? {
            None => OperationKey::Recorded(kind, from.name(self.operation, OperationId::parse)?),
            Some(account) => {
                OperationKey::Observed(kind, account, read_id(self.id_kind, self.id_value, from)?)
            }
        })
    }
}

impl Part for StoredClaim {
    type Domain = Claim;

    fn write<'a>(claim: &'a Claim, to: &mut Writer<'a>) -> Self {
        Self {
            account: to.text(claim.account.as_str()),
            id_kind: to.text(claim.id.kind.as_str()),
            id_value: to.text(claim.id.value.as_str()),
        }
    }

    fn read(&self, from: &Reader<'_>) -> Result<Claim, Unreadable> {
        let account = from.name(self.account, AccountId::parse)?;
        Ok(Claim { account, id: read_id(self.id_kind, self.id_value, from)? })
    }
}

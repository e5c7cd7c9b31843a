//! Names as bytes to look things up by: one byte that says what it is, then each part with its
//! length before it. So no two names give the same bytes, and none is the beginning of another.

use bytes::Bytes;

use super::{Unreadable, invalid};
use crate::{
    domain::ids::{
        AccountId, Claim, IdKind, IdValue, InvalidName, MerchantId, OperatorId, OrderId, OrderKey,
        ProviderId, SubscriptionId,
    },
    record::Subject,
};

// First bytes. They keep their meaning for ever.
const RECORDED: u8 = 1;
const UNCLAIMED: u8 = 2;
const CLAIM: u8 = 3;
const SUBJECT_ORDER: u8 = 4;
const SUBJECT_ACCOUNT: u8 = 5;
const SUBJECT_KEY: u8 = 6;
const SUBJECT_SUBSCRIPTION: u8 = 7;
const SUBJECT_OPERATOR: u8 = 8;
const SUBJECT_AUDIT: u8 = 9;

/// An order's key as bytes. Orders of one merchant lie together.
#[must_use]
pub fn encode_key(key: &OrderKey) -> Bytes {
    with_key(Vec::with_capacity(96), key).into()
}

/// Reads an order's key.
///
/// # Errors
/// [`Unreadable`] says why not.
pub fn decode_key(bytes: &[u8]) -> Result<OrderKey, Unreadable> {
    let mut parts = Parts(bytes);
    let key = parts.key()?;
    parts.end()?;
    Ok(key)
}

/// A claim as bytes.
#[must_use]
pub fn encode_claim(claim: &Claim) -> Bytes {
    let mut bytes = Vec::with_capacity(96);
    bytes.push(CLAIM);
    push(&mut bytes, claim.account.as_str());
    push(&mut bytes, claim.id.kind.as_str());
    push(&mut bytes, claim.id.value.as_str());
    bytes.into()
}

/// Reads a claim.
///
/// # Errors
/// [`Unreadable`] says why not.
pub fn decode_claim(bytes: &[u8]) -> Result<Claim, Unreadable> {
    let mut parts = Parts(bytes);
    if parts.first()? != CLAIM {
        return Err(invalid("first byte of a claim"));
    }
    let account = parts.name(AccountId::parse)?;
    let id = ProviderId { kind: parts.name(IdKind::parse)?, value: parts.name(IdValue::parse)? };
    parts.end()?;
    Ok(Claim { account, id })
}

/// A subject as bytes.
#[must_use]
pub fn encode_subject(subject: &Subject) -> Bytes {
    let mut bytes = Vec::with_capacity(96);
    match subject {
        Subject::Order(key) => {
            bytes.push(SUBJECT_ORDER);
            bytes = with_key(bytes, key);
        }
        Subject::Account(account) => {
            bytes.push(SUBJECT_ACCOUNT);
            push(&mut bytes, account.as_str());
        }
        Subject::Key(key_id) => {
            bytes.push(SUBJECT_KEY);
            push(&mut bytes, key_id);
        }
        Subject::Subscription(merchant, subscription) => {
            bytes.push(SUBJECT_SUBSCRIPTION);
            push(&mut bytes, merchant.as_str());
            push(&mut bytes, subscription.as_str());
        }
        Subject::Operator(operator) => {
            bytes.push(SUBJECT_OPERATOR);
            push(&mut bytes, operator.as_str());
        }
        Subject::Audit => bytes.push(SUBJECT_AUDIT),
    }
    bytes.into()
}

/// Reads a subject.
///
/// # Errors
/// [`Unreadable`] says why not.
pub fn decode_subject(bytes: &[u8]) -> Result<Subject, Unreadable> {
    let mut parts = Parts(bytes);
    let subject = match parts.first()? {
        SUBJECT_ORDER => Subject::Order(parts.key()?),
        SUBJECT_ACCOUNT => Subject::Account(parts.name(AccountId::parse)?),
        SUBJECT_KEY => Subject::Key(parts.text()?.to_owned()),
        SUBJECT_SUBSCRIPTION => Subject::Subscription(
            parts.name(MerchantId::parse)?,
            parts.name(SubscriptionId::parse)?,
        ),
        SUBJECT_OPERATOR => Subject::Operator(parts.name(OperatorId::parse)?),
        SUBJECT_AUDIT => Subject::Audit,
        _ => return Err(invalid("first byte of a subject")),
    };
    parts.end()?;
    Ok(subject)
}

fn with_key(mut bytes: Vec<u8>, key: &OrderKey) -> Vec<u8> {
    match key {
        OrderKey::Recorded { merchant, order } => {
            bytes.push(RECORDED);
            push(&mut bytes, merchant.as_str());
            push(&mut bytes, order.as_str());
        }
        OrderKey::Unclaimed { account, anchor } => {
            bytes.push(UNCLAIMED);
            push(&mut bytes, account.as_str());
            push(&mut bytes, anchor.kind.as_str());
            push(&mut bytes, anchor.value.as_str());
        }
    }
    bytes
}

/// A length, seven bits a byte, the lowest first; then the text.
fn push(bytes: &mut Vec<u8>, text: &str) {
    prost::encoding::encode_varint(text.len() as u64, bytes);
    bytes.extend_from_slice(text.as_bytes());
}

/// What is left to read.
struct Parts<'a>(&'a [u8]);

impl<'a> Parts<'a> {
    fn first(&mut self) -> Result<u8, Unreadable> {
        let (first, rest) = self.0.split_first().ok_or(invalid("no bytes"))?;
        self.0 = rest;
        Ok(*first)
    }

    fn text(&mut self) -> Result<&'a str, Unreadable> {
        let before = self.0.len();
        let length = prost::encoding::decode_varint(&mut self.0);
        let length = length.map_err(|_| invalid("length of a name"))?;
        // A length in more bytes than it needs would be a second spelling of the same name.
        if before - self.0.len() != prost::encoding::encoded_len_varint(length) {
            return Err(invalid("length of a name"));
        }
        let length = usize::try_from(length).map_err(|_| invalid("length of a name"))?;
        let (text, rest) = self.0.split_at_checked(length).ok_or(invalid("end of a name"))?;
        self.0 = rest;
        std::str::from_utf8(text).map_err(|_| invalid("name"))
    }

    fn name<T>(&mut self, parse: fn(&str) -> Result<T, InvalidName>) -> Result<T, Unreadable> {
        parse(self.text()?).map_err(|_| invalid("name"))
    }

    fn key(&mut self) -> Result<OrderKey, Unreadable> {
        match self.first()? {
            RECORDED => Ok(OrderKey::Recorded {
                merchant: self.name(MerchantId::parse)?,
                order: self.name(OrderId::parse)?,
            }),
            UNCLAIMED => {
                let account = self.name(AccountId::parse)?;
                let anchor = ProviderId::parse(self.text()?, self.text()?);
                Ok(OrderKey::Unclaimed { account, anchor: anchor.map_err(|_| invalid("name"))? })
            }
            _ => Err(invalid("first byte of an order's key")),
        }
    }

    fn end(&self) -> Result<(), Unreadable> {
        if self.0.is_empty() { Ok(()) } else { Err(invalid("more bytes than a name has")) }
    }
}

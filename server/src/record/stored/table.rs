//! Texts, content ids and amounts, each distinct one once. Messages refer to them by number;
//! 0 is nothing, or the empty text.

use std::collections::BTreeMap;

use super::{Unreadable, invalid, uuid};
use crate::domain::{
    digest::ContentId,
    ids::InvalidName,
    money::{Currency, Money},
    time::Time,
};

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredTable {
    /// Number 2n + 1 is the n-th.
    #[prost(string, repeated, tag = "1")]
    texts: Vec<String>,
    /// Texts that are UUIDs, 16 bytes each. Number 2n + 2 is the n-th.
    #[prost(bytes = "vec", tag = "2")]
    uuids: Vec<u8>,
    /// 16 bytes each. Number n + 1 is the n-th.
    #[prost(bytes = "vec", tag = "3")]
    ids: Vec<u8>,
    /// Number n + 1 is the n-th.
    #[prost(message, repeated, tag = "4")]
    amounts: Vec<StoredMoney>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredMoney {
    #[prost(string, tag = "1")]
    currency: String,
    #[prost(uint64, tag = "2")]
    minor_units: u64,
    #[prost(uint32, tag = "3")]
    exponent: u32,
}

/// Collects what a message refers to, while it is written.
pub(super) struct Writer<'a> {
    newest: Time,
    texts: Distinct<&'a str>,
    plain: Vec<String>,
    uuids: Vec<u8>,
    ids: Distinct<ContentId>,
    id_bytes: Vec<u8>,
    /// By value and digits: 12.5 EUR and 12.50 EUR are equal, but not the same here.
    amounts: Distinct<(Currency, i64, u8)>,
    amount_messages: Vec<StoredMoney>,
}

/// Things that are looked at one by one; with more of them a tree is faster.
const FEW: usize = 24;
/// Things that there is room for from the start.
const USUAL: usize = 16;

/// Numbers of distinct things.
struct Distinct<K> {
    few: Vec<(K, u32)>,
    /// All of them, once they are more than [`FEW`].
    many: BTreeMap<K, u32>,
}

impl<K: Ord> Distinct<K> {
    fn new() -> Self {
        Self { few: Vec::with_capacity(USUAL), many: BTreeMap::new() }
    }

    /// The number of a thing; `add` keeps a new one and returns its number.
    fn number(&mut self, thing: K, add: impl FnOnce() -> usize) -> u32 {
        let add = || u32::try_from(add()).unwrap_or(u32::MAX);
        if !self.many.is_empty() {
            return *self.many.entry(thing).or_insert_with(add);
        }
        if let Some((_, number)) = self.few.iter().find(|(known, _)| *known == thing) {
            return *number;
        }
        let number = add();
        self.few.push((thing, number));
        if self.few.len() > FEW {
            self.many = std::mem::take(&mut self.few).into_iter().collect();
        }
        number
    }
}

impl<'a> Writer<'a> {
    /// Nothing yet. Moments are written as their distance to `newest`.
    pub(super) fn new(newest: Time) -> Self {
        Self {
            newest,
            texts: Distinct::new(),
            plain: Vec::with_capacity(USUAL),
            uuids: Vec::new(),
            ids: Distinct::new(),
            id_bytes: Vec::new(),
            amounts: Distinct::new(),
            amount_messages: Vec::new(),
        }
    }

    /// A text; 0 for the empty one.
    pub(super) fn text(&mut self, text: &'a str) -> u32 {
        if text.is_empty() { 0 } else { self.present(text) }
    }

    /// A text that may be absent; an empty one is not absent.
    pub(super) fn maybe_text(&mut self, text: Option<&'a str>) -> u32 {
        text.map_or(0, |text| self.present(text))
    }

    fn present(&mut self, text: &'a str) -> u32 {
        let (plain, uuids) = (&mut self.plain, &mut self.uuids);
        self.texts.number(text, || match uuid::pack(text) {
            Some(bytes) => {
                uuids.extend_from_slice(&bytes);
                uuids.len() / uuid::BYTES * 2
            }
            None => {
                plain.push(text.to_owned());
                plain.len() * 2 - 1
            }
        })
    }

    /// A content id.
    pub(super) fn id(&mut self, id: ContentId) -> u32 {
        let bytes = &mut self.id_bytes;
        self.ids.number(id, || {
            bytes.extend_from_slice(&id);
            bytes.len() / id.len()
        })
    }

    /// An amount, if there is one.
    pub(super) fn money(&mut self, money: Option<Money>) -> u32 {
        let Some(money) = money else {
            return 0;
        };
        let key = (money.currency(), money.minor_units(), money.exponent());
        let messages = &mut self.amount_messages;
        self.amounts.number(key, || {
            messages.push(StoredMoney {
                currency: money.currency().as_str().to_owned(),
                minor_units: money.minor_units().unsigned_abs(),
                exponent: u32::from(money.exponent()),
            });
            messages.len()
        })
    }

    /// A moment.
    pub(super) fn time(&self, time: Time) -> i64 {
        time.as_micros().wrapping_sub(self.newest.as_micros())
    }

    /// A moment, if there is one.
    pub(super) fn maybe_time(&self, time: Option<Time>) -> Option<i64> {
        time.map(|time| self.time(time))
    }

    /// Texts in pairs, one after the other.
    pub(super) fn pairs<'p: 'a>(
        &mut self,
        pairs: impl IntoIterator<Item = (&'p String, &'p String)>,
    ) -> Vec<u32> {
        let pairs = pairs.into_iter();
        let mut numbers = Vec::with_capacity(pairs.size_hint().0 * 2);
        for (key, value) in pairs {
            numbers.push(self.text(key));
            numbers.push(self.text(value));
        }
        numbers
    }

    /// The message with all that was referred to.
    pub(super) fn finish(self) -> Option<StoredTable> {
        Some(StoredTable {
            texts: self.plain,
            uuids: self.uuids,
            ids: self.id_bytes,
            amounts: self.amount_messages,
        })
    }
}

/// Looks up what a message refers to, while it is read.
pub(super) struct Reader<'a> {
    newest: Time,
    texts: &'a [String],
    uuids: String,
    ids: &'a [u8],
    amounts: Vec<Money>,
}

impl<'a> Reader<'a> {
    /// Reads the table of a message whose newest moment is `newest`.
    pub(super) fn new(table: Option<&'a StoredTable>, newest: i64) -> Result<Self, Unreadable> {
        let table = table.ok_or(invalid("no table"))?;
        let (packed, rest) = table.uuids.as_chunks::<{ uuid::BYTES }>();
        if !rest.is_empty() || table.ids.len() % size_of::<ContentId>() != 0 {
            return Err(invalid("table"));
        }
        let mut uuids = String::with_capacity(packed.len() * uuid::TEXT);
        packed.iter().for_each(|bytes| uuid::unpack(bytes, &mut uuids));
        Ok(Self {
            newest: Time::from_micros(newest),
            texts: &table.texts,
            uuids,
            ids: &table.ids,
            amounts: table.amounts.iter().map(read_money).collect::<Result<_, _>>()?,
        })
    }

    /// A text; 0 is the empty one.
    pub(super) fn text(&self, number: u32) -> Result<&str, Unreadable> {
        let Some(index) = (number as usize).checked_sub(1) else {
            return Ok("");
        };
        let at = index / 2;
        let text = if index % 2 == 0 {
            self.texts.get(at).map(String::as_str)
        } else {
            self.uuids.get(at * uuid::TEXT..(at + 1) * uuid::TEXT)
        };
        text.ok_or(invalid("number of a text"))
    }

    /// A text as its own string.
    pub(super) fn string(&self, number: u32) -> Result<String, Unreadable> {
        self.text(number).map(str::to_owned)
    }

    /// A text that may be absent.
    pub(super) fn maybe_string(&self, number: u32) -> Result<Option<String>, Unreadable> {
        if number == 0 { Ok(None) } else { self.string(number).map(Some) }
    }

    /// Texts as their own strings.
    pub(super) fn strings(&self, numbers: &[u32]) -> Result<Vec<String>, Unreadable> {
        numbers.iter().map(|number| self.string(*number)).collect()
    }

    /// A text that has to be a name.
    pub(super) fn name<T>(&self, number: u32, parse: Parse<T>) -> Result<T, Unreadable> {
        parse(self.text(number)?).map_err(|_| invalid("name"))
    }

    /// A name that may be absent.
    pub(super) fn maybe_name<T>(
        &self,
        number: u32,
        parse: Parse<T>,
    ) -> Result<Option<T>, Unreadable> {
        if number == 0 { Ok(None) } else { self.name(number, parse).map(Some) }
    }

    /// A content id.
    pub(super) fn id(&self, number: u32) -> Result<ContentId, Unreadable> {
        let (ids, _) = self.ids.as_chunks();
        let index = (number as usize).checked_sub(1);
        index.and_then(|i| ids.get(i)).copied().ok_or(invalid("number of an id"))
    }

    /// An amount, if there is one.
    pub(super) fn money(&self, number: u32) -> Result<Option<Money>, Unreadable> {
        let Some(index) = (number as usize).checked_sub(1) else {
            return Ok(None);
        };
        self.amounts.get(index).copied().map(Some).ok_or(invalid("number of an amount"))
    }

    /// The newest moment.
    pub(super) fn newest(&self) -> Time {
        self.newest
    }

    /// A moment.
    pub(super) fn time(&self, distance: i64) -> Time {
        Time::from_micros(self.newest.as_micros().wrapping_add(distance))
    }

    /// A moment, if there is one.
    pub(super) fn maybe_time(&self, distance: Option<i64>) -> Option<Time> {
        distance.map(|distance| self.time(distance))
    }

    /// Texts in pairs.
    pub(super) fn pairs<C>(&self, numbers: &[u32]) -> Result<C, Unreadable>
    where
        C: FromIterator<(String, String)>,
    {
        let (pairs, rest) = numbers.as_chunks();
        if !rest.is_empty() {
            return Err(invalid("half a pair of texts"));
        }
        let pair = |[key, value]: &[u32; 2]| Ok((self.string(*key)?, self.string(*value)?));
        pairs.iter().map(pair).collect()
    }
}

/// The constructor of a name.
pub(super) type Parse<T> = fn(&str) -> Result<T, InvalidName>;

fn read_money(stored: &StoredMoney) -> Result<Money, Unreadable> {
    let currency = Currency::parse(&stored.currency).map_err(|_| invalid("currency"))?;
    let units = i64::try_from(stored.minor_units).map_err(|_| invalid("amount"))?;
    let exponent = u8::try_from(stored.exponent).map_err(|_| invalid("amount"))?;
    Money::new(currency, units, exponent).map_err(|_| invalid("amount"))
}

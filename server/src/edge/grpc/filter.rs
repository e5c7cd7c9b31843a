//! Which changes a stream carries. Only what never changes of a change is looked at, so that a
//! stream can be resumed anywhere.

use crate::{
    domain::{
        change::{self, Change},
        digest::Digest,
        ids::{MerchantId, OrderId, OrderKey},
        order::Order,
        view::AttemptView,
    },
    record::{FilterRecord, OrderRecord},
};

use super::to_wire;

/// A filter, checked. Its lists are sorted, without repeats. Every idle stream holds one, so they
/// are plain lists: trees cost several times as much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Only this merchant.
    pub(crate) merchant: MerchantId,
    /// Only these orders.
    pub(crate) orders: Vec<String>,
    /// Only changes of attempts and operations at these accounts.
    pub(crate) accounts: Vec<String>,
    /// Only orders with all of these labels.
    pub(crate) labels: Vec<(String, String)>,
    /// Only these kinds, as the wire numbers them.
    pub(crate) kinds: Vec<i32>,
}

impl Filter {
    /// The filter for one order.
    pub(crate) fn of_order(merchant: MerchantId, order: &OrderId) -> Self {
        Self {
            merchant,
            orders: vec![order.as_str().to_owned()],
            accounts: Vec::new(),
            labels: Vec::new(),
            kinds: Vec::new(),
        }
    }

    /// The filter of a subscription.
    pub(crate) fn of_record(merchant: MerchantId, record: &FilterRecord) -> Self {
        Self {
            merchant,
            orders: sorted(record.orders.clone()),
            accounts: sorted(record.accounts.clone()),
            labels: sorted(record.labels.clone()),
            kinds: sorted(record.kinds.clone()),
        }
    }

    /// The filter as it is stored.
    pub(crate) fn to_record(&self) -> FilterRecord {
        FilterRecord {
            orders: self.orders.clone(),
            accounts: self.accounts.clone(),
            labels: self.labels.clone(),
            kinds: self.kinds.clone(),
        }
    }

    /// A hash of all it says, the same for the same filter on every machine.
    pub(crate) fn hash(&self) -> u64 {
        let digest = Digest::new("filter").text(self.merchant.as_str());
        let count = |digest: Digest, n: usize| digest.number(i64::try_from(n).unwrap_or(i64::MAX));
        let digest = self.orders.iter().fold(count(digest, self.orders.len()), |d, o| d.text(o));
        let digest =
            self.accounts.iter().fold(count(digest, self.accounts.len()), |d, a| d.text(a));
        let digest = self
            .labels
            .iter()
            .fold(count(digest, self.labels.len()), |d, (k, v)| d.text(k).text(v));
        let digest =
            self.kinds.iter().fold(count(digest, self.kinds.len()), |d, k| d.number((*k).into()));
        let id = digest.finish();
        u64::from_be_bytes(id[..8].try_into().unwrap_or_default())
    }

    /// True if the order of a record is one that the stream is about.
    pub(crate) fn admits_record(&self, record: &OrderRecord) -> bool {
        let OrderKey::Recorded { merchant, order } = &record.key else { return false };
        let has = |label: &(String, String)| record.labels.contains(label);
        *merchant == self.merchant
            && (self.orders.is_empty() || self.orders.iter().any(|o| o == order.as_str()))
            && self.labels.iter().all(has)
    }

    /// True if it admits every change of an order that it admits.
    pub(crate) fn admits_all_changes(&self) -> bool {
        self.accounts.is_empty() && self.kinds.is_empty()
    }

    /// True if a change of an admitted order is carried.
    pub(crate) fn admits_change(&self, change: &Change) -> bool {
        let account = change::account_of(change);
        let has_account = account.is_some_and(|a| self.accounts.iter().any(|b| b == a.as_str()));
        (self.accounts.is_empty() || has_account)
            && (self.kinds.is_empty()
                || self.kinds.contains(&(to_wire::change::kind(change) as i32)))
    }

    /// True if a snapshot holds the order.
    pub(crate) fn admits_order(&self, order: &Order) -> bool {
        let OrderKey::Recorded { merchant, order: id } = &order.key else { return false };
        let labels = order.facts.order.as_ref().map(|intent| &intent.labels);
        let has = |(k, v): &(String, String)| labels.is_some_and(|l| l.get(k) == Some(v));
        let at = |accounts: &[String]| {
            let is_at = |a: &AttemptView| accounts.iter().any(|b| b == a.account.as_str());
            order.view.attempts.iter().any(is_at)
        };
        *merchant == self.merchant
            && order.facts.order.is_some()
            && (self.orders.is_empty() || self.orders.iter().any(|o| o == id.as_str()))
            && self.labels.iter().all(has)
            && (self.accounts.is_empty() || at(&self.accounts))
    }
}

/// A list in order, each entry once.
pub(crate) fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort_unstable();
    list.dedup();
    list
}

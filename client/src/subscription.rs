//! Which changes a stream carries, where it begins, and named subscriptions at the server.

use std::{collections::BTreeMap, time::SystemTime};

use crate::change::ChangeKind;

/// Which changes a stream carries. Everything named must hold; within one list any may.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Filter {
    pub(crate) order_ids: Vec<String>,
    pub(crate) account_ids: Vec<String>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) kinds: Vec<ChangeKind>,
}

impl Filter {
    /// Every change of the merchant.
    pub fn all() -> Self {
        Self::default()
    }

    /// Only these orders: call it once for each, at most 100.
    pub fn order(mut self, order_id: impl Into<String>) -> Self {
        self.order_ids.push(order_id.into());
        self
    }

    /// Only changes at these provider accounts: call it once for each, at most 32.
    pub fn account(mut self, account_id: impl Into<String>) -> Self {
        self.account_ids.push(account_id.into());
        self
    }

    /// Only orders with this label, beside the others named.
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(key.into(), value.into());
        self
    }

    /// Only these kinds: call it once for each, at most 32.
    pub fn kind(mut self, kind: ChangeKind) -> Self {
        self.kinds.push(kind);
        self
    }

    /// The orders it names. Empty means all.
    #[must_use]
    pub fn order_ids(&self) -> &[String] {
        &self.order_ids
    }

    /// The accounts it names. Empty means all.
    #[must_use]
    pub fn account_ids(&self) -> &[String] {
        &self.account_ids
    }

    /// The labels it names.
    #[must_use]
    pub fn labels(&self) -> &BTreeMap<String, String> {
        &self.labels
    }

    /// The kinds it names. Empty means all.
    #[must_use]
    pub fn kinds(&self) -> &[ChangeKind] {
        &self.kinds
    }
}

/// Where a stream begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// Only what changes from now on.
    #[default]
    Now,
    /// Every change ever recorded.
    Beginning,
    /// The present state of everything selected, then what changes from there on.
    Snapshot,
    /// After the frame that carried this cursor, with the same filter.
    Cursor(String),
}

/// A position that the server keeps for a reader.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Subscription {
    /// The merchant.
    pub merchant_id: String,
    /// The reader's own name for it.
    pub subscription_id: String,
    /// What it admits.
    pub filter: Filter,
    /// Everything up to here is acknowledged.
    pub acknowledged_cursor: String,
    /// How many records lie between the acknowledged position and the newest.
    pub backlog_records: i64,
    /// When it was created.
    pub create_time: Option<SystemTime>,
    /// When it was last acknowledged. `None`: never.
    pub acknowledge_time: Option<SystemTime>,
    /// Whether a reader is connected.
    pub connected: bool,
}

/// A named subscription to create.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct NewSubscription {
    pub(crate) subscription_id: String,
    pub(crate) filter: Filter,
    pub(crate) start: Start,
    pub(crate) request_id: Option<String>,
}

impl NewSubscription {
    /// A subscription with the reader's own name, from now on.
    pub fn new(subscription_id: impl Into<String>, filter: Filter) -> Self {
        let subscription_id = subscription_id.into();
        Self { subscription_id, filter, start: Start::Now, request_id: None }
    }

    /// Begins elsewhere: the server takes now, the beginning, or a cursor issued for this filter.
    pub fn start(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// Uses this request id instead of a new one.
    pub fn request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request_id = Some(request_id.into());
        self
    }
}

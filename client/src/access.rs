//! API keys, operators, what they may do, and who did what.

use std::time::{Duration, SystemTime};

use crate::{open_enum::open_enum, requests::PageRequest};

open_enum! {
    /// What a key may do.
    Role {
        /// Records and watches orders of its merchants.
        Checkout = 1 "CHECKOUT",
        /// Also sees webhooks and unclaimed orders, and replays webhooks.
        Operator = 2 "OPERATOR",
        /// Also manages keys and operators, and sees card tokens and the audit list.
        Owner = 3 "OWNER",
    }
}

/// An API key, without its secret.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Key {
    /// Its public id.
    pub key_id: String,
    /// A name for people.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The merchants it may touch; for an operator's key those of the operator now. Empty means
    /// all, for owners only.
    pub merchant_ids: Vec<String>,
    /// When it was created.
    pub create_time: Option<SystemTime>,
    /// When it ends, or ended. `None` if it does not.
    pub expire_time: Option<SystemTime>,
    /// The operator whose key it is. Empty if it is nobody's.
    pub operator_id: String,
    /// When it was last used. `None` if it never was.
    pub last_use_time: Option<SystemTime>,
    /// How often each method was called with it since the server started.
    pub calls: Vec<MethodCalls>,
}

/// How often a method was called.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MethodCalls {
    /// The method, such as `OrderService/GetOrder`.
    pub method: String,
    /// How often.
    pub count: i64,
}

/// A key that was just created.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct CreatedKey {
    /// The key.
    pub key: Key,
    /// Its secret, shown this once. `None` if an earlier call had already created the key.
    pub secret: Option<String>,
}

impl std::fmt::Debug for CreatedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The secret stays out of logs.
        f.debug_struct("CreatedKey").field("key", &self.key).finish_non_exhaustive()
    }
}

/// A key to create.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct NewKey {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) merchant_ids: Vec<String>,
    pub(crate) ttl: Option<Duration>,
    pub(crate) operator_id: String,
    pub(crate) request_id: Option<String>,
}

impl NewKey {
    /// A key with a name for people and a role.
    pub fn new(name: impl Into<String>, role: Role) -> Self {
        let (merchant_ids, operator_id) = (Vec::new(), String::new());
        Self { name: name.into(), role, merchant_ids, ttl: None, operator_id, request_id: None }
    }

    /// A key of an operator, for the merchants that the operator has at each moment.
    pub fn of_operator(name: impl Into<String>, operator_id: impl Into<String>) -> Self {
        Self { operator_id: operator_id.into(), ..Self::new(name, Role::Operator) }
    }

    /// Lets the key end after some time, in whole seconds. Otherwise it does not.
    pub fn expires_after(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Lets the key touch one more merchant.
    pub fn merchant(mut self, merchant_id: impl Into<String>) -> Self {
        self.merchant_ids.push(merchant_id.into());
        self
    }

    /// Uses this request id instead of a new one.
    pub fn request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request_id = Some(request_id.into());
        self
    }
}

/// A person who settles exceptions of some merchants.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Operator {
    /// The owner's own id of it.
    pub operator_id: String,
    /// A name for people.
    pub display_name: String,
    /// The merchants it acts for.
    pub merchant_ids: Vec<String>,
    /// When it was created.
    pub create_time: Option<SystemTime>,
    /// How many keys it has.
    pub key_count: i32,
}

/// What is stated of an operator to create or replace it.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct NewOperator {
    pub(crate) operator_id: String,
    pub(crate) display_name: String,
    pub(crate) merchant_ids: Vec<String>,
    pub(crate) request_id: Option<String>,
}

impl NewOperator {
    /// An operator with an id of yours and a name for people.
    pub fn new(operator_id: impl Into<String>, display_name: impl Into<String>) -> Self {
        let (operator_id, display_name) = (operator_id.into(), display_name.into());
        Self { operator_id, display_name, merchant_ids: Vec::new(), request_id: None }
    }

    /// Lets the operator act for one more merchant.
    pub fn merchant(mut self, merchant_id: impl Into<String>) -> Self {
        self.merchant_ids.push(merchant_id.into());
        self
    }

    /// Uses this request id instead of a new one.
    pub fn request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request_id = Some(request_id.into());
        self
    }
}

open_enum! {
    /// What came of a call that is audited.
    AuditOutcome {
        /// It altered something.
        Done = 1 "DONE",
        /// It showed something sensitive.
        Shown = 2 "SHOWN",
        /// It was refused.
        Refused = 3 "REFUSED",
    }
}

/// Who did what, and when.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AuditEntry {
    /// When it was recorded.
    pub record_time: Option<SystemTime>,
    /// The name of the API key, or the name in the certificate.
    pub actor: String,
    /// The id of the key. Empty for a certificate.
    pub key_id: String,
    /// The operator whose key it is. Empty if it is nobody's.
    pub operator_id: String,
    /// The method, such as `OrderService/CreateRefund`.
    pub method: String,
    /// What it was about, by its id. Empty for what was refused.
    pub object_id: String,
    /// The merchants that it concerns.
    pub merchant_ids: Vec<String>,
    /// What came of it.
    pub outcome: AuditOutcome,
    /// The same in words. May be empty.
    pub detail: String,
    /// How many calls of the key were refused just before and are not in this list.
    pub left_out_count: i64,
}

/// Which entries of the audit list, from the newest back. What is not stated admits all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListAuditEntries {
    /// Only of this key.
    pub key_id: String,
    /// Only of the keys of this operator.
    pub operator_id: String,
    /// Only what concerns this merchant.
    pub merchant_id: String,
    /// Only from this time on.
    pub since: Option<SystemTime>,
    /// Only before this time.
    pub until: Option<SystemTime>,
    /// Which page. One may be empty before the end.
    pub page: PageRequest,
}

//! API keys and what they may do.

use std::time::SystemTime;

use crate::open_enum::open_enum;

open_enum! {
    /// What a key may do.
    Role {
        /// Records and watches orders of its merchants.
        Checkout = 1 "CHECKOUT",
        /// Also sees webhooks and unclaimed orders, and replays webhooks.
        Operator = 2 "OPERATOR",
        /// Also manages keys and sees card tokens.
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
    /// The merchants it may touch. Empty means all, for owners only.
    pub merchant_ids: Vec<String>,
    /// When it was created.
    pub create_time: Option<SystemTime>,
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
    pub(crate) request_id: Option<String>,
}

impl NewKey {
    /// A key with a name for people and a role.
    pub fn new(name: impl Into<String>, role: Role) -> Self {
        Self { name: name.into(), role, merchant_ids: Vec::new(), request_id: None }
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

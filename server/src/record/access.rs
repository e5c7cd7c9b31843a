//! Who may do what, and who did: API keys, operators, and what is kept for the audit list.

use crate::domain::{
    digest::ContentId,
    ids::{MerchantId, OperatorId, RequestId},
    time::Time,
};

/// Who did something: an API key, or a service with a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The key's name, or the name in the certificate.
    pub name: String,
    /// The key's public id. Empty for a certificate, and in records from before it was kept.
    pub key_id: String,
    /// The operator whose key it is, if it is one's.
    pub operator: Option<OperatorId>,
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Records and watches orders of its merchants.
    Checkout,
    /// Also sees webhooks and unclaimed orders.
    Operator,
    /// Also manages keys and operators.
    Owner,
}

/// The state of an API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// Its public id.
    pub key_id: String,
    /// A name for people.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The merchants it may touch; empty is all. Empty also for an operator's key, whose
    /// merchants are those of the operator.
    pub merchants: Vec<MerchantId>,
    /// SHA-256 of its secret.
    pub secret_sha256: [u8; 32],
    /// When it was created.
    pub create_time: Time,
    /// The request that created it, and what it asked for.
    pub request: Option<(RequestId, ContentId)>,
    /// When it ends; never, if it is `None`.
    pub expire_time: Option<Time>,
    /// The operator whose key it is, if it is one's.
    pub operator: Option<OperatorId>,
    /// When it was last used, recorded at most once an hour.
    pub last_use_time: Option<Time>,
    /// True once it is revoked.
    pub deleted: bool,
    /// What this record did with it.
    pub event: KeyEvent,
    /// Who did it.
    pub actor: Option<Actor>,
    /// When this was recorded.
    pub time: Time,
}

/// What a record did with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyEvent {
    /// It was created or revoked: `deleted` says which.
    Granted,
    /// Its use was noted.
    Used,
}

impl KeyRecord {
    /// True if it does not open anything any more at that moment.
    #[must_use]
    pub fn is_expired(&self, now: Time) -> bool {
        self.expire_time.is_some_and(|end| end <= now)
    }

    /// True for a key of an owner of everything that nothing but a revocation ends.
    #[must_use]
    pub fn is_lasting_owner(&self) -> bool {
        self.role == Role::Owner
            && self.merchants.is_empty()
            && self.expire_time.is_none()
            && !self.deleted
    }
}

/// The state of an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorRecord {
    /// Its id.
    pub operator: OperatorId,
    /// Its name for people.
    pub display_name: String,
    /// The merchants it acts for.
    pub merchants: Vec<MerchantId>,
    /// When it was created.
    pub create_time: Time,
    /// The request that created it, and what it asked for.
    pub request: (RequestId, ContentId),
    /// The request that replaced it last, and what it asked for.
    pub update: Option<(RequestId, ContentId)>,
    /// True once it is deleted.
    pub deleted: bool,
    /// Who did this.
    pub actor: Option<Actor>,
    /// When this was recorded.
    pub time: Time,
}

/// Why a call stands in the audit list although it altered nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audited {
    /// It showed something sensitive.
    Shown,
    /// It was refused.
    Refused,
}

/// A call that altered nothing, and is kept for the audit list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Who called.
    pub actor: Actor,
    /// Which method.
    pub method: String,
    /// What it was about; may be empty.
    pub object: String,
    /// The merchants that it concerns: those of what was shown, or of the key that was refused.
    pub merchants: Vec<MerchantId>,
    /// Why it is kept.
    pub what: Audited,
    /// The same in words.
    pub detail: String,
    /// Calls refused before it, since the one recorded before, that were not recorded.
    pub left_out: u64,
    /// When.
    pub time: Time,
}

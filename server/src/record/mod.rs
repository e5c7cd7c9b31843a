//! What the journal's bytes say. Stored types have their own shape and a version, are checked
//! when written and when read, and stay readable for ever; the domain knows nothing of them.

mod access;
mod stored;

use crate::domain::{
    change::Change,
    command::Disposition,
    digest::ContentId,
    ids::{AccountId, MerchantId, OperatorId, OrderKey, RequestId, SubscriptionId},
    order::Decided,
    time::Time,
};

pub use access::{Actor, AuditRecord, Audited, KeyEvent, KeyRecord, OperatorRecord, Role};
pub use stored::{
    Unreadable, decode, decode_claim, decode_key, decode_order, decode_subject, encode,
    encode_claim, encode_key, encode_order, encode_subject,
};

/// Version of the stored form that this program writes. It reads this and every older one.
pub const FORMAT: u32 = 1;
/// Version of the rules that decided a record; raised when a rule changes.
pub const RULES: u32 = 2;

/// Kinds of attachments.
pub mod attachment {
    /// The raw body of a webhook, with card tokens blanked out.
    pub const BODY: u8 = 1;
    /// What was blanked out of the body.
    pub const CARD_TOKEN: u8 = 2;
}

/// One decision, as the journal holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly all records are about orders")]
pub enum Record {
    /// About an order.
    Order(OrderRecord),
    /// A webhook that is about no order.
    Kept(KeptWebhook),
    /// About an API key.
    Key(KeyRecord),
    /// About a named subscription.
    Subscription(SubscriptionRecord),
    /// About an operator.
    Operator(OperatorRecord),
    /// A call that altered nothing, for the audit list.
    Audit(AuditRecord),
}

/// Where facts came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A caller's intent.
    Intent,
    /// A webhook.
    Webhook,
    /// A webhook that was read again.
    Reread,
    /// The answer of a provider that a caller passed on.
    Reply,
    /// A consequence of a record of another order.
    Consequence,
    /// The provider's answer to a question of ours.
    Poll,
    /// An order-confirmation page.
    Page,
    /// A time limit of ours that passed.
    Deadline,
}

/// A decision about an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRecord {
    /// Which order.
    pub key: OrderKey,
    /// Facts, changes and the summary.
    pub decided: Decided,
    /// Where the facts came from.
    pub source: Source,
    /// Who did it, if it was a call.
    pub actor: Option<Actor>,
    /// The webhook, if it was one.
    pub webhook: Option<WebhookMeta>,
    /// The labels of the order after it: what streams filter by.
    pub labels: Vec<(String, String)>,
}

impl OrderRecord {
    /// What it altered.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.decided.changes
    }
}

/// What is known of a webhook beside its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookMeta {
    /// Where it came to.
    pub account: AccountId,
    /// The provider's id of the event, or one made from its content.
    pub event_id: String,
    /// The event's name in the provider's words.
    pub event_name: String,
    /// SHA-256 of the raw body.
    pub body_sha256: [u8; 32],
    /// What became of it.
    pub disposition: Disposition,
    /// The reading of it.
    pub reading: ContentId,
    /// Headers that its reading needs, if it is read again.
    pub headers: Vec<(String, String)>,
}

/// Why a webhook is about no order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptAs {
    /// It is authentic but could not be read.
    Unreadable,
    /// It is authentic but not about a payment.
    Ignored,
}

/// A webhook that is about no order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptWebhook {
    /// Where it came to.
    pub account: AccountId,
    /// When it was recorded.
    pub time: Time,
    /// Why it is kept.
    pub kept_as: KeptAs,
    /// The same in words.
    pub reason: String,
    /// The event's id, if it could be read.
    pub event_id: String,
    /// The event's name, if it could be read.
    pub event_name: String,
    /// SHA-256 of the raw body.
    pub body_sha256: [u8; 32],
    /// Headers that its reading needs, if it is read again.
    pub headers: Vec<(String, String)>,
}

/// What a subscription admits. An empty list admits all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterRecord {
    /// Only these orders.
    pub orders: Vec<String>,
    /// Only changes at these accounts.
    pub accounts: Vec<String>,
    /// Only orders with all of these labels.
    pub labels: Vec<(String, String)>,
    /// Only these kinds, as numbers of the wire's ChangeKind.
    pub kinds: Vec<i32>,
}

/// The state of a named subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionRecord {
    /// Its merchant.
    pub merchant: MerchantId,
    /// Its name.
    pub subscription: SubscriptionId,
    /// What it admits.
    pub filter: FilterRecord,
    /// Everything up to this position is acknowledged.
    pub acknowledged: u64,
    /// When it was created.
    pub create_time: Time,
    /// When it was last acknowledged.
    pub acknowledge_time: Option<Time>,
    /// The request that created it, and what it asked for.
    pub request: Option<(RequestId, ContentId)>,
    /// True once it is deleted.
    pub deleted: bool,
    /// Who did this.
    pub actor: Option<Actor>,
    /// When this was recorded.
    pub time: Time,
}

/// A subject of the journal: what a record is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// An order.
    Order(OrderKey),
    /// Webhooks of an account that are about no order.
    Account(AccountId),
    /// An API key.
    Key(String),
    /// A named subscription.
    Subscription(MerchantId, SubscriptionId),
    /// An operator.
    Operator(OperatorId),
    /// All that is kept for the audit list alone.
    Audit,
}

impl Record {
    /// What it is about.
    #[must_use]
    pub fn subject(&self) -> Subject {
        match self {
            Self::Order(r) => Subject::Order(r.key.clone()),
            Self::Kept(r) => Subject::Account(r.account.clone()),
            Self::Key(r) => Subject::Key(r.key_id.clone()),
            Self::Subscription(r) => {
                Subject::Subscription(r.merchant.clone(), r.subscription.clone())
            }
            Self::Operator(r) => Subject::Operator(r.operator.clone()),
            Self::Audit(_) => Subject::Audit,
        }
    }

    /// When it was made.
    #[must_use]
    pub fn time(&self) -> Time {
        match self {
            Self::Order(r) => r.decided.time,
            Self::Kept(r) => r.time,
            Self::Key(r) => r.time,
            Self::Subscription(r) => r.time,
            Self::Operator(r) => r.time,
            Self::Audit(r) => r.time,
        }
    }
}

//! What the engine can be asked, and what it answers.

use std::sync::Arc;

use crate::{
    domain::{
        command::{Command, Disposition, Refusal},
        digest::ContentId,
        ids::{MerchantId, OperatorId, RequestId, SubscriptionId},
        order::Order,
        receipt::Received,
        time::Time,
    },
    journal::{Attachment, Position},
    record::{Actor, AuditRecord, FilterRecord, KeptWebhook, Role, Source, WebhookMeta},
};

/// Something to be decided and recorded.
#[derive(Clone, Debug)]
pub enum Ask {
    /// A command about an order.
    Order {
        /// The command.
        command: Command,
        /// Where it came from.
        source: Source,
        /// Who sent it, if it was a call.
        actor: Option<Actor>,
    },
    /// Evidence in a webhook.
    Evidence(Box<Evidence>),
    /// A webhook that is about no order.
    Keep(Box<KeptWebhook>, Vec<Attachment>),
    /// Something about an API key, and who asks.
    Key(AskKey, Option<Actor>),
    /// Something about an operator, and who asks.
    Operator(AskOperator, Option<Actor>),
    /// Something about a subscription, and who asks.
    Subscription(AskSubscription, Option<Actor>),
    /// A call that alters nothing, to be kept for the audit list. Its time is filled in.
    Audit(Box<AuditRecord>),
}

/// Evidence in a webhook, with the webhook.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The command that accepts it, or reads it again.
    pub command: Command,
    /// The webhook; its disposition is filled in by the decision.
    pub webhook: WebhookMeta,
    /// Its body.
    pub attachments: Vec<Attachment>,
    /// Webhook or reread.
    pub source: Source,
    /// Who had it read again, or handed it in by a call.
    pub actor: Option<Actor>,
}

/// Something about an API key.
#[derive(Clone, Debug)]
pub enum AskKey {
    /// Create one.
    Create {
        /// Its public id.
        key_id: String,
        /// A name for people.
        name: String,
        /// What it may do.
        role: Role,
        /// The merchants it may touch.
        merchants: Vec<MerchantId>,
        /// SHA-256 of its secret.
        secret_sha256: [u8; 32],
        /// Makes the call safe to repeat, with a hash of what it asks for.
        request: Option<(RequestId, ContentId)>,
        /// When it ends; never, if it is `None`.
        expire_time: Option<Time>,
        /// The operator whose key it is; then `merchants` is empty.
        operator: Option<OperatorId>,
    },
    /// Note that it was used.
    Use {
        /// Its id.
        key_id: String,
        /// When it was used last.
        time: Time,
    },
    /// Revoke one.
    Delete {
        /// Its id.
        key_id: String,
    },
}

/// Something about an operator.
#[derive(Clone, Debug)]
pub enum AskOperator {
    /// Create one.
    Create {
        /// Its id.
        operator: OperatorId,
        /// Its name for people.
        display_name: String,
        /// The merchants it acts for.
        merchants: Vec<MerchantId>,
        /// Makes the call safe to repeat, with a hash of what it asks for.
        request: (RequestId, ContentId),
    },
    /// Replace what is known of one.
    Update {
        /// Its id.
        operator: OperatorId,
        /// Its name for people.
        display_name: String,
        /// The merchants it acts for.
        merchants: Vec<MerchantId>,
        /// Makes the call safe to repeat, with a hash of what it asks for.
        request: (RequestId, ContentId),
    },
    /// Delete one, and revoke its keys.
    Delete {
        /// Its id.
        operator: OperatorId,
    },
}

/// Something about a subscription.
#[derive(Clone, Debug)]
pub enum AskSubscription {
    /// Create one.
    Create {
        /// Its merchant.
        merchant: MerchantId,
        /// Its name.
        subscription: SubscriptionId,
        /// What it admits.
        filter: FilterRecord,
        /// Everything up to this position counts as acknowledged.
        start: Position,
        /// Makes the call safe to repeat, with a hash of what it asks for.
        request: (RequestId, ContentId),
    },
    /// Acknowledge.
    Acknowledge {
        /// Its merchant.
        merchant: MerchantId,
        /// Its name.
        subscription: SubscriptionId,
        /// Everything up to here.
        position: Position,
    },
    /// Delete one.
    Delete {
        /// Its merchant.
        merchant: MerchantId,
        /// Its name.
        subscription: SubscriptionId,
    },
}

/// What was decided. By the time it is given, it is on disk.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// True if it had taken effect before.
    pub replayed: bool,
    /// Position of the record, if one was made.
    pub position: Option<Position>,
    /// The order as it is now.
    pub order: Option<Arc<Order>>,
    /// What looks odd.
    pub warning: Option<String>,
    /// For evidence: what became of it.
    pub disposition: Option<Disposition>,
    /// For a receipt: what it came to.
    pub received: Option<Received>,
}

impl Answer {
    /// An answer that says only whether it had taken effect before.
    #[must_use]
    pub(super) fn plain(replayed: bool) -> Self {
        Self {
            replayed,
            position: None,
            order: None,
            warning: None,
            disposition: None,
            received: None,
        }
    }

    /// An answer that says only where it is recorded.
    #[must_use]
    pub(super) fn recorded(position: Position) -> Self {
        Self { position: Some(position), ..Self::plain(false) }
    }
}

/// Why something was refused. Nothing was recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// By the rules of orders.
    #[error(transparent)]
    Order(#[from] Refusal),
    /// The name belongs to something with other content.
    #[error("this name is taken by a {what} with other content; choose a new one")]
    NameTaken {
        /// Of what.
        what: &'static str,
    },
    /// The request id was used for something else.
    #[error("this request_id was used with other content; make a new one for each new request")]
    RequestIdReused,
    /// There is none of that name.
    #[error("there is no such {what}")]
    NotFound {
        /// Of what.
        what: &'static str,
    },
    /// Without it nobody could manage keys any more.
    #[error("this is the last owner key; create another one first")]
    LastOwnerKey,
    /// There are too many.
    #[error("there may be at most {max} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        max: usize,
    },
}

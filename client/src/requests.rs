//! What a caller states when it records something, and which page of a list it wants.

use std::{collections::BTreeMap, time::SystemTime};

use crate::{
    money::Money, open_enum::open_enum, order::ProviderId, status::OperationKind,
    status::PaymentStatus,
};

/// An order to record, before the provider is called.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct NewOrder {
    pub(crate) order_id: String,
    pub(crate) amount: Money,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) request_id: Option<String>,
}

impl NewOrder {
    /// An order with the merchant's own id, and what the customer is to pay.
    pub fn new(order_id: impl Into<String>, amount: Money) -> Self {
        Self { order_id: order_id.into(), amount, labels: BTreeMap::new(), request_id: None }
    }

    /// Adds a label: at most 16.
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(key.into(), value.into());
        self
    }

    /// Uses this request id instead of a new one: to repeat a call of an earlier run.
    pub fn request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request_id = Some(request_id.into());
        self
    }
}

/// An attempt to record, before the provider is called.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct NewAttempt {
    pub(crate) order_id: String,
    pub(crate) attempt_id: String,
    pub(crate) account_id: String,
    pub(crate) reference: String,
    pub(crate) amount: Option<Money>,
    pub(crate) request_id: Option<String>,
}

impl NewAttempt {
    /// An attempt of an order, with the merchant's own id, at a provider account.
    pub fn new(
        order_id: impl Into<String>,
        attempt_id: impl Into<String>,
        account_id: impl Into<String>,
    ) -> Self {
        Self {
            order_id: order_id.into(),
            attempt_id: attempt_id.into(),
            account_id: account_id.into(),
            reference: String::new(),
            amount: None,
            request_id: None,
        }
    }

    /// What is given to the provider as the merchant's reference, if not the order id.
    pub fn reference(mut self, reference: impl Into<String>) -> Self {
        self.reference = reference.into();
        self
    }

    /// How much of the order it is to collect, if not the whole.
    pub fn amount(mut self, amount: Money) -> Self {
        self.amount = Some(amount);
        self
    }

    /// Uses this request id instead of a new one.
    pub fn request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request_id = Some(request_id.into());
        self
    }
}

/// A capture, refund or void to record, before the provider is called.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct NewOperation {
    pub(crate) order_id: String,
    pub(crate) attempt_id: String,
    pub(crate) operation_id: String,
    pub(crate) amount: Option<Money>,
    pub(crate) reference: String,
    pub(crate) request_id: Option<String>,
}

impl NewOperation {
    /// An operation on an attempt of an order, with the merchant's own id.
    pub fn new(
        order_id: impl Into<String>,
        attempt_id: impl Into<String>,
        operation_id: impl Into<String>,
    ) -> Self {
        Self {
            order_id: order_id.into(),
            attempt_id: attempt_id.into(),
            operation_id: operation_id.into(),
            amount: None,
            reference: String::new(),
            request_id: None,
        }
    }

    /// How much, if not the whole.
    pub fn amount(mut self, amount: Money) -> Self {
        self.amount = Some(amount);
        self
    }

    /// What is given to the provider as its reference, if not the operation id.
    pub fn reference(mut self, reference: impl Into<String>) -> Self {
        self.reference = reference.into();
        self
    }

    /// Uses this request id instead of a new one.
    pub fn request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request_id = Some(request_id.into());
        self
    }
}

open_enum! {
    /// What a provider answered.
    ReplyResult {
        /// No answer came. Says nothing about the payment.
        NoAnswer = 1 "NO_ANSWER",
        /// Under way.
        Pending = 2 "PENDING",
        /// Authorised, not captured.
        Authorized = 3 "AUTHORIZED",
        /// Done: authorised and captured in one, or an operation that succeeded.
        Successful = 4 "SUCCESSFUL",
        /// Refused.
        Declined = 5 "DECLINED",
        /// Given up.
        Canceled = 6 "CANCELED",
        /// Failed for a technical reason that the provider reports as final.
        Error = 7 "ERROR",
    }
}

/// What a provider answered to the checkout service, or that it did not answer.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct ProviderReply {
    pub(crate) order_id: String,
    pub(crate) attempt_id: String,
    pub(crate) result: Option<ReplyResult>,
    pub(crate) ids: Vec<ProviderId>,
    pub(crate) amount: Option<Money>,
    pub(crate) operation: Option<(OperationKind, String)>,
    pub(crate) operation_ids: Vec<ProviderId>,
    pub(crate) reason: String,
    pub(crate) provider_time: Option<SystemTime>,
    pub(crate) request_id: Option<String>,
}

impl ProviderReply {
    /// An answer about an attempt that named ids but no result.
    pub fn new(order_id: impl Into<String>, attempt_id: impl Into<String>) -> Self {
        Self {
            order_id: order_id.into(),
            attempt_id: attempt_id.into(),
            result: None,
            ids: Vec::new(),
            amount: None,
            operation: None,
            operation_ids: Vec::new(),
            reason: String::new(),
            provider_time: None,
            request_id: None,
        }
    }

    /// What the provider answered.
    pub fn result(mut self, result: ReplyResult) -> Self {
        self.result = Some(result);
        self
    }

    /// An id that the answer gave to the payment: at most 8.
    pub fn id(mut self, id: ProviderId) -> Self {
        self.ids.push(id);
        self
    }

    /// The amount that the answer named.
    pub fn amount(mut self, amount: Money) -> Self {
        self.amount = Some(amount);
        self
    }

    /// The answer is about this operation, recorded before.
    pub fn operation(mut self, kind: OperationKind, operation_id: impl Into<String>) -> Self {
        self.operation = Some((kind, operation_id.into()));
        self
    }

    /// An id that the answer gave to the operation: at most 8.
    pub fn operation_provider_id(mut self, id: ProviderId) -> Self {
        self.operation_ids.push(id);
        self
    }

    /// The provider's reason, in its own words.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = reason.into();
        self
    }

    /// The provider's own time of it.
    pub fn provider_time(mut self, time: SystemTime) -> Self {
        self.provider_time = Some(time);
        self
    }

    /// Uses this request id instead of a new one.
    pub fn request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request_id = Some(request_id.into());
        self
    }
}

/// A page showed an outcome to the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct NewReceipt {
    pub(crate) order_id: String,
    pub(crate) outcome_number: i64,
    pub(crate) request_id: Option<String>,
}

impl NewReceipt {
    /// The outcome of this number was shown: `outcome_number` of the order that the page showed.
    pub fn new(order_id: impl Into<String>, outcome_number: i64) -> Self {
        Self { order_id: order_id.into(), outcome_number, request_id: None }
    }

    /// Uses this request id instead of a new one.
    pub fn request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request_id = Some(request_id.into());
        self
    }
}

/// Which orders to list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListOrders {
    /// Only these statuses. Empty means all.
    pub statuses: Vec<PaymentStatus>,
    /// Only orders with all of these labels.
    pub labels: BTreeMap<String, String>,
    /// Whose orders.
    pub scope: OrderScope,
    /// Which page.
    pub page: PageRequest,
}

/// Which of the two sorts of orders to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrderScope {
    /// Those that somebody recorded.
    #[default]
    Recorded,
    /// Those that webhooks name and nobody recorded. Needs the role operator or owner.
    Unclaimed,
}

/// Which page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// How many to return. 0 leaves it to the server.
    pub size: u32,
    /// `next_page_token` of the page before. `None` for the first page.
    pub token: Option<String>,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// What is on it. May be short, even empty, before the last page.
    pub items: Vec<T>,
    /// `None` at the end, and only there.
    pub next_page_token: Option<String>,
}

/// What was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded<T> {
    /// It, as it is now.
    pub value: T,
    /// Whether an earlier call had already recorded it.
    pub replayed: bool,
    /// What looks odd, in plain words.
    pub warning: Option<String>,
}

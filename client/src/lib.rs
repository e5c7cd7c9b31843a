//! Client SDK of paystatus.

mod access;
mod await_outcome;
mod calls;
mod change;
mod client;
mod cursor_store;
mod error;
mod money;
mod open_enum;
mod options;
mod order;
mod requests;
mod retry;
mod status;
mod stream;
mod subscription;
mod timeline;
mod webhook;
mod wire;

pub use access::{CreatedKey, Key, NewKey, Role};
pub use await_outcome::{AwaitTarget, Awaited};
pub use change::{Change, ChangeKind, Event};
pub use client::Client;
pub use cursor_store::{CursorStore, CursorStoreError, FileCursorStore, MemoryCursorStore};
pub use error::{Error, ErrorKind, Violation};
pub use money::Money;
pub use options::{ClientBuilder, Tls};
pub use order::{Attempt, Condition, Operation, Order, ProviderId, Totals};
pub use requests::{
    ListOrders, NewAttempt, NewOperation, NewOrder, OrderScope, Page, PageRequest, ProviderReply,
    Recorded, ReplyResult,
};
pub use retry::RetryPolicy;
pub use status::{ConditionKind, OperationKind, OperationStatus, Outcome, PaymentStatus};
pub use stream::{Delivery, OrderWatch, Subscribe, Subscriber};
pub use subscription::{Filter, NewSubscription, Start, Subscription};
pub use timeline::{FactSource, Statement, StatementSubject, TimelineEntry};
pub use tonic::async_trait;
pub use webhook::{
    Disposition, ListWebhooks, NewWebhook, Replay, ReplayMode, ReplayedWebhook, SubmittedWebhook,
    Webhook, WebhookSelection,
};

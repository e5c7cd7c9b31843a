//! The client of paystatus, a service that knows what became of every payment.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use paystatus_client::{Client, Error, Money, NewAttempt, NewOrder, Outcome};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     let client = Client::builder("https://paystatus.example")
//!         .api_key("the secret of an API key")
//!         .connect()
//!         .await?;
//!
//!     // Before the provider is called: record the order and the attempt to pay it.
//!     client.create_order(NewOrder::new("order-1", Money::parse("146.24", "AUD")?)).await?;
//!     client.create_attempt(NewAttempt::new("order-1", "a1", "adyen-live")).await?;
//!
//!     // … call the provider …
//!
//!     // Then wait: the answer comes the moment it is known.
//!     match client.await_outcome("order-1", Duration::from_secs(60)).await?.outcome {
//!         Outcome::Approved => println!("paid"),
//!         Outcome::Refused => println!("refused"),
//!         Outcome::Withdrawn => println!("taken back"),
//!         _ => println!("not known yet, which is not a failure"),
//!     }
//!     client.close().await
//! }
//! ```
//!
//! # What there is
//!
//! - Record what you are about to do: [`Client::create_order`],
//!   [`create_attempt`](Client::create_attempt), [`create_capture`](Client::create_capture),
//!   [`create_refund`](Client::create_refund), [`create_void`](Client::create_void), and what the
//!   provider answered: [`record_provider_reply`](Client::record_provider_reply).
//! - Wait for one outcome: [`Client::await_outcome`].
//! - Let the customer's page watch it: [`Client::create_page_token`]; or say that a page of your
//!   own showed it: [`record_receipt`](Client::record_receipt).
//! - Follow one order: [`Client::watch`].
//! - Follow all orders, and resume after a restart: [`Client::subscribe`].
//! - Look: [`Client::get_order`], [`get_fresh_order`](Client::get_fresh_order) (asks the provider
//!   first), [`list_orders`](Client::list_orders),
//!   [`timeline`](Client::timeline).
//! - Operate: subscriptions, webhooks, accounts and keys are the other methods of [`Client`].
//!
//! `examples/` has a complete program for each task.
//!
//! # What it promises
//!
//! - **A time-out is never a failure.** [`Client::await_outcome`] then answers `Undecided`, also
//!   when the server was away all the while. Only what waiting cannot mend is an error.
//! - **Unknown values survive.** A status of a later server is `Unrecognized(n)`, never something
//!   it is not. Treat it as undecided.
//! - **Amounts are exact.** [`Money`] holds the digits that were written.
//! - **Trying again is safe.** Every mutation carries a request id, made once and kept over all
//!   tries. Only UNAVAILABLE, and RESOURCE_EXHAUSTED with a time to wait, are tried again, with
//!   jitter, within a budget and a time limit: see [`RetryPolicy`]. To repeat a call of an earlier
//!   run, state its request id.
//! - **Streams go on.** They reconnect and resume when the server drains, cannot be reached, or
//!   falls silent for 2.5 heartbeats, and drop repeats. A cursor that the server cannot honour is
//!   told as [`Event::Reset`], never passed over.
//! - **Nothing is acknowledged before you confirm it.** [`Delivery::confirm`] moves the position,
//!   in a [`CursorStore`] of yours or in a named subscription at the server; a write at most once
//!   a second, and the last one at [`Subscriber::shutdown`] or [`Client::close`].
//! - **It can be stopped.** [`Client::close`] ends every call, wait and stream of all its clones.
//!
//! # Code map
//!
//! `client` is the handle and how every call is made, `options` its settings, `retry` the decision
//! to try again, `error` what can go wrong. `calls` has one file for each service; `await_outcome`
//! and `stream` are what waits and what streams. `order`, `change`, `timeline`, `webhook`,
//! `subscription`, `access`, `account`, `money` and `status` are the nouns, `requests` what a
//! caller states. `wire` alone turns messages into nouns. `cursor_store` keeps positions.

mod access;
mod account;
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

pub use access::{
    AuditEntry, AuditOutcome, CreatedKey, Key, ListAuditEntries, MethodCalls, NewKey, NewOperator,
    Operator, Role,
};
pub use account::{
    Account, AccountException, AccountExceptionKind, ListAccounts, Rejection, SigningSecret,
    WebhookDelay, WebhookLedger,
};
pub use await_outcome::{AwaitTarget, Awaited};
pub use change::{Change, ChangeKind, Event};
pub use client::Client;
pub use cursor_store::{CursorStore, CursorStoreError, FileCursorStore, MemoryCursorStore};
pub use error::{Error, ErrorKind, Violation};
pub use money::Money;
pub use options::{ClientBuilder, Identity, Tls};
pub use order::{
    Attempt, Condition, Freshness, Operation, Order, PageToken, ProviderId, Receipt, Totals,
};
pub use requests::{
    ListOrders, NewAttempt, NewOperation, NewOrder, NewReceipt, OrderScope, Page, PageRequest,
    ProviderReply, Recorded, ReplyResult,
};
pub use retry::RetryPolicy;
pub use status::{
    ConditionKind, EvidenceSource, OperationKind, OperationStatus, Outcome, PaymentStatus,
    ReceiptDisposition,
};
pub use stream::{Delivery, OrderWatch, Subscribe, Subscriber};
pub use subscription::{Filter, NewSubscription, Start, Subscription};
pub use timeline::{FactSource, Statement, StatementSubject, TimelineEntry};
pub use tonic::async_trait;
pub use webhook::{
    Disposition, ListWebhooks, NewWebhook, Replay, ReplayMode, ReplayedOrder, ReplayedWebhook,
    SubmittedWebhook, Webhook, WebhookSelection, WebhookWithBody,
};

//! Streams that reconnect and resume by themselves.
//!
//! `session` keeps a connection and its cursor; `ledger` recognises repeats; `watch` and
//! `subscriber` are what an application reads; `progress` and `acker` keep what it confirmed.

mod acker;
mod ledger;
mod progress;
mod session;
mod subscriber;
mod watch;

pub use subscriber::{Delivery, Subscribe, Subscriber};
pub use watch::OrderWatch;

//! The payment-status server.

pub mod clock;
pub mod domain;
pub mod engine;
pub mod hub;
pub mod journal;
pub mod providers;
pub mod record;
pub mod store;

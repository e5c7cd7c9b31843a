//! The payment-status server.

pub mod domain;
pub mod record;

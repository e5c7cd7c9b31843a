//! The payment-status server.

pub mod domain;

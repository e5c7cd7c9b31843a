//! Payment providers to test against: each sends its webhooks, signed as the real one signs, and
//! answers questions about a status, from one ledger of its own.
//!
//! Nothing here is shared with the server's adapters: what both understand, both were told by
//! the provider's documentation.

pub mod life;
pub mod voice;
pub mod voices;

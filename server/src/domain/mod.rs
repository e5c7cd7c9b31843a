//! The rules, pure: no async, no clock, no I/O, no wire or storage types.

pub mod digest;
pub mod ids;
pub mod money;
pub mod statement;
pub mod time;

//! The engine over a journal in memory that can fail, and a real view.

pub(crate) mod bench;
mod deciding;
mod faults;
mod handle;
mod limits;
mod receipts;
pub(crate) mod subjects;
mod two_engines;

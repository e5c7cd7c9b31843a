//! The rules, pure: no async, no clock, no I/O, no wire or storage types.
//!
//! ```text
//! facts (fact, statement) ─ project ─▶ view ─ change::between ─▶ changes
//!        ▲                                                         │
//!      decide ◀──────────── command            Order::apply ◀──────┘
//! ```
//!
//! Status is computed from the set of facts, never from the order of their arrival: two
//! orders that know the same have the same [`view::View`].

pub mod change;
pub mod command;
pub mod decide;
pub mod digest;
pub mod fact;
pub mod ids;
pub mod money;
pub mod order;
pub mod project;
pub mod receipt;
pub mod sorted;
pub mod statement;
#[cfg(test)]
pub(crate) mod testing;
pub mod time;
mod undecided;
pub mod view;

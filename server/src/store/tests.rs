//! The view: it can be lost in any way and comes back the same, and lists and proofs hold.

mod lists;
mod pages;
mod reopening;
mod undecided;
mod untold;
mod verifying;
mod writing;

use crate::{
    domain::{
        statement::OperationKind,
        testing::{accept, create_attempt, create_operation, create_order, say},
    },
    engine::{
        Ask,
        tests::{bench::ask, subjects::kept},
    },
    store::pages::Pages,
};

/// Some of everything: orders, unclaimed ones that are absorbed and others that are not, claims,
/// and something that is about no order.
fn some_of_everything() -> Vec<Ask> {
    vec![
        ask(&accept("1", vec![say("p1 o1 : authorized 100")])),
        ask(&create_order("o1", "100")),
        ask(&create_attempt("o1", "a1", "o1", None)),
        ask(&create_order("o2", "50")),
        ask(&accept("2", vec![say("p1 : capture c1 ok 40")])),
        Ask::Keep(Box::new(kept()), Vec::new()),
        ask(&create_operation("o1", "a1", (OperationKind::Refund, "r1"), Some("10"))),
        ask(&accept("3", vec![say("p9 : sold 9")])),
        ask(&accept("4", vec![say("p1 : refund r1 ok 10")])),
        ask(&create_order("o3", "1")),
    ]
}

/// Puts a value at a place in sled, or removes it.
fn put(pages: &Pages, place: &[u8], value: Option<&[u8]>) {
    pages.write([(place, value.map(sled::IVec::from))].into_iter()).unwrap();
}

//! Amounts: what is compared with what, and what another amount comes to.

use super::table::every_order;
use crate::domain::{
    testing::{MemoryWorld, accept, aud, create_order, say},
    time::Time,
    view::{ConditionKind, PaymentStatus},
};

#[test]
fn amounts_are_compared_and_compared_again_when_the_order_is_recorded() {
    let mut world = MemoryWorld::default();
    world.run(&accept("1", vec![say("p1 o1 : sold 99.99")]), Time::default()).unwrap();
    world.run(&create_order("o1", "100"), Time::default()).unwrap();
    let view = world.view("o1");
    assert_eq!(view.summary.status, PaymentStatus::Pending);
    assert_eq!(view.conditions[0].kind, ConditionKind::AmountMismatch);
    assert_eq!(view.conditions[0].detail, "the provider stated 99.99 AUD, recorded was 100.00 AUD");

    let mut precise = say("p2 o2 : sold 100.001");
    precise.amount.as_mut().unwrap().too_precise = true;
    world.run(&accept("2", vec![precise]), Time::default()).unwrap();
    world.run(&create_order("o2", "100.001"), Time::default()).unwrap();
    assert_eq!(world.view("o2").summary.status, PaymentStatus::Pending, "never rounded");
    assert_eq!(world.view("o2").conditions[0].kind, ConditionKind::AmountMismatch);
}

#[test]
fn a_capture_proves_no_more_than_an_authorisation_of_another_amount() {
    let intents = [create_order("o1", "100")];
    let view = every_order(&intents, "authorized 1; capture c1 ok 1");
    assert_eq!(view.summary.status, PaymentStatus::Pending);
    assert_eq!(view.conditions[0].kind, ConditionKind::AmountMismatch);
    let view = every_order(&intents, "authorized 1; capture c1 ok 1; authorized 100");
    assert_eq!(view.summary.status, PaymentStatus::Successful);
}

#[test]
fn sums_of_operations_may_not_exceed_what_they_draw_on() {
    let intents = [create_order("o1", "100")];
    let view = every_order(&intents, "authorized 100; capture c1 ok 60; capture c2 ok 60");
    assert!(view.conditions.iter().any(|c| c.kind == ConditionKind::AmountMismatch));
    let view = every_order(&intents, "sold 100; refund r1 ok 60; refund r2 ok 60");
    assert!(view.conditions.iter().any(|c| c.kind == ConditionKind::AmountMismatch));
    assert_eq!(view.attempts[0].amounts.refunded, Some(aud("120")));
}

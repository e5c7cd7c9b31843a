//! What one order holds is bounded; nothing authentic is dropped all the same.

use crate::domain::{
    command::{Decision, World as _},
    fact::{Evidence, Fact},
    ids::{OrderKey, ProviderId},
    statement::STATEMENTS_PER_ORDER_MAX,
    testing::{MemoryWorld, accept, account, create_attempt, create_order, parent, say},
    time::Time,
    view::{ConditionKind, PaymentStatus},
};

fn run(world: &mut MemoryWorld, command: &crate::domain::command::Command) -> Decision {
    world.run(command, Time::default()).unwrap()
}

/// So many events about one payment, each with a statement of its own.
fn deliver(world: &mut MemoryWorld, names: &str, count: usize) {
    for n in 0..count {
        let mut statement = say(&format!("{names} : pending"));
        statement.provider_time = Some(Time::from_seconds(n as i64));
        run(world, &accept(&format!("{names} {n}"), vec![statement]));
    }
}

fn is_full(world: &MemoryWorld, order: &str) -> bool {
    let conditions = world.view(order).conditions;
    conditions.iter().any(|condition| condition.kind == ConditionKind::EvidenceLimit)
}

#[test]
fn evidence_beyond_the_limit_is_kept_and_not_applied() {
    let mut world = MemoryWorld::default();
    run(&mut world, &create_order("o1", "100"));
    deliver(&mut world, "p1 o1", STATEMENTS_PER_ORDER_MAX);
    assert!(!is_full(&world, "o1"));
    let beyond = run(&mut world, &accept("beyond", vec![say("p1 o1 : sold 100")]));
    assert!(matches!(beyond.drafts[0].decided.facts[..], [Fact::BeyondLimit(_)]));
    assert!(is_full(&world, "o1"));
    assert_eq!(world.view("o1").summary.status, PaymentStatus::Pending);
}

/// Evidence that is taken in from unclaimed orders once went past the limit.
#[test]
fn absorbed_evidence_needs_room_too() {
    let mut world = MemoryWorld::default();
    deliver(&mut world, "p1 o1", STATEMENTS_PER_ORDER_MAX);
    deliver(&mut world, "p2 o1-b", 3);
    run(&mut world, &create_order("o1", "100"));
    assert!(!is_full(&world, "o1"), "it fits exactly");
    let absorbs = run(&mut world, &create_attempt("o1", "a1", "o1-b", None));
    let facts = &absorbs.drafts[0].decided.facts;
    let beyond = |fact: &&Fact| matches!(fact, Fact::BeyondLimit(_));
    assert_eq!(facts.iter().filter(beyond).count(), 3, "kept in the record");
    let order = world.order(&parent("o1").key()).unwrap();
    assert_eq!(order.facts.statements.len(), STATEMENTS_PER_ORDER_MAX);
    assert!(is_full(&world, "o1"));
    // Both at once, by evidence that names both.
    let mut world = MemoryWorld::default();
    run(&mut world, &create_order("o2", "100"));
    deliver(&mut world, "p1", STATEMENTS_PER_ORDER_MAX);
    run(&mut world, &accept("joins", vec![say("p1 o2 : sold 100")]));
    let order = world.order(&parent("o2").key()).unwrap();
    assert_eq!(order.facts.statements.len(), STATEMENTS_PER_ORDER_MAX);
    assert!(is_full(&world, "o2"));
    assert_eq!(order.view.summary.status, PaymentStatus::Successful, "its own word comes first");
}

/// Each payment is seen alone first, then with a reference that was seen before: every time one
/// unclaimed order is moved into the next. However often it moved, the first leads to the last.
#[test]
fn what_moved_many_times_is_still_found() {
    let mut world = MemoryWorld::default();
    for n in (10..60).rev() {
        run(&mut world, &accept(&format!("{n} alone"), vec![say(&format!("p{n} : pending"))]));
        run(&mut world, &accept(&format!("{n}"), vec![say(&format!("p{n} ref : pending"))]));
    }
    let last = OrderKey::Unclaimed {
        account: account(),
        anchor: ProviderId::parse("payment", "p10").unwrap(),
    };
    let late = run(&mut world, &accept("late", vec![say("p59 : sold 100")]));
    assert_eq!(late.key, last);
    assert_eq!(world.order(&last).unwrap().forwarded_to, None);
    let Fact::Evidence(Evidence { statements, .. }) = &late.drafts[0].decided.facts[0] else {
        panic!()
    };
    assert_eq!(statements.len(), 1);
}

//! What one order holds is bounded; nothing authentic is dropped all the same.

use crate::domain::{
    command::{AcceptEvidence, Command, Decision, World as _},
    fact::{Evidence, Fact},
    ids::{OrderKey, ProviderId},
    order::WEAK_READINGS_PER_ORDER_MAX,
    statement::{Basis, STATEMENTS_PER_ORDER_MAX, Statement, WEAK_STATEMENTS_PER_ORDER_MAX},
    testing::{MemoryWorld, accept, account, create_attempt, create_order, parent, say},
    time::Time,
    view::{ConditionKind, PaymentStatus},
};

fn run(world: &mut MemoryWorld, command: &Command) -> Decision {
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

fn weak(event: &str, statement: Statement, basis: Basis) -> Command {
    let mut command = accept(event, vec![statement.clone()]);
    if let Command::AcceptEvidence(AcceptEvidence { evidence, .. }) = &mut command {
        *evidence = Evidence::first(account(), basis, event, vec![statement]);
    }
    command
}

/// One hash of Optty's is valid for any reason and any amount, for ever: replays once filled the
/// order, and what the poll said found no room.
#[test]
fn weak_evidence_leaves_room_for_what_a_poll_says() {
    for basis in [Basis::WeakWebhook, Basis::DoubtfulWebhook] {
        let mut world = MemoryWorld::default();
        run(&mut world, &create_order("o1", "100"));
        for n in 0..2 * STATEMENTS_PER_ORDER_MAX {
            let mut statement = say("p1 o1 : try declined");
            statement.reason = Some(format!("{n}"));
            run(&mut world, &weak(&format!("{n}"), statement, basis));
        }
        assert!(is_full(&world, "o1"), "somebody should look");
        let held = |world: &MemoryWorld| world.order(&parent("o1").key()).unwrap();
        assert_eq!(held(&world).facts.statements.len(), WEAK_STATEMENTS_PER_ORDER_MAX);
        let poll = run(&mut world, &weak("poll", say("p1 o1 : sold 100"), Basis::Poll));
        assert!(matches!(poll.drafts[0].decided.facts[..], [Fact::Evidence(_)]));
        assert_eq!(world.view("o1").summary.status, PaymentStatus::Successful);
        deliver(&mut world, "p1 o1", STATEMENTS_PER_ORDER_MAX - WEAK_STATEMENTS_PER_ORDER_MAX - 1);
        assert_eq!(held(&world).facts.statements.len(), STATEMENTS_PER_ORDER_MAX);
    }
}

/// Events that differ in their id alone say the same, and are remembered one by one.
#[test]
fn weak_readings_leave_room_too() {
    let mut world = MemoryWorld::default();
    run(&mut world, &create_order("o1", "100"));
    for n in 0..2 * WEAK_READINGS_PER_ORDER_MAX {
        let pending = say("p1 o1 : pending");
        run(&mut world, &weak(&format!("{n}"), pending, Basis::WeakWebhook));
    }
    let order = world.order(&parent("o1").key()).unwrap();
    assert_eq!(order.facts.readings.len(), WEAK_READINGS_PER_ORDER_MAX);
    // One that is known is known.
    assert!(run(&mut world, &weak("0", say("p1 o1 : pending"), Basis::WeakWebhook)).replayed);
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

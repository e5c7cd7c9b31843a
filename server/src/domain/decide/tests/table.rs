//! Each row is a set of statements about one attempt of 100 and the status it must give,
//! whatever the order of their arrival.

use crate::domain::{
    command::{Command, Disposition, RecordReply, Refusal, ReplySaid},
    ids::{AttemptId, ProviderId, RequestId},
    statement::{Basis, OperationKind, PaymentClaim},
    testing::{
        MemoryWorld, accept, accept_from, aud, create_attempt, create_operation, create_order,
        parent, recorded, say,
    },
    time::Time,
    view::{ConditionKind, OperationStatus, Outcome, PaymentStatus, View},
};

/// Runs intents, then the statements of a row in every order with repeats; all must agree.
pub(super) fn every_order(intents: &[Command], row: &str) -> View {
    let statements: Vec<&str> = row.split(';').map(str::trim).collect();
    let mut views = Vec::new();
    for order in permutations(statements.len()) {
        let mut world = MemoryWorld::default();
        for (index, intent) in intents.iter().enumerate() {
            world.run(intent, Time::from_seconds(index as i64)).unwrap();
        }
        for index in order.iter().chain(order.iter().take(1)) {
            let event = format!("event {index}");
            let command = accept(&event, vec![say(&format!("p1 o1 : {}", statements[*index]))]);
            world.run(&command, Time::from_seconds(100)).unwrap();
        }
        views.push(crate::domain::testing::unnamed(&world.view("o1")));
    }
    for view in &views {
        assert_eq!(*view, views[0], "{row}");
    }
    views.remove(0)
}

fn permutations(length: usize) -> Vec<Vec<usize>> {
    if length == 0 {
        return vec![vec![]];
    }
    let mut all = Vec::new();
    for shorter in permutations(length - 1) {
        for place in 0..length {
            let mut longer = shorter.clone();
            longer.insert(place, length - 1);
            all.push(longer);
        }
    }
    all
}

fn status_of(row: &str) -> PaymentStatus {
    let intents = [create_order("o1", "100"), create_attempt("o1", "a1", "o1", None)];
    let view = every_order(&intents, row);
    assert_eq!(view.attempts.len(), 1, "{row}: {view:#?}");
    view.attempts[0].status
}

#[test]
fn status_of_an_attempt() {
    for (row, status) in [
        ("authorized 100; capture c1 ok 40; authorization expired", PaymentStatus::Successful),
        ("authorized 100; capture c1 ok 40; void v1 ok 100", PaymentStatus::Successful),
        ("authorized 100; capture c1 ok 100; capture c1 corrected 100", PaymentStatus::Authorized),
        (
            "authorized 100; capture c1 ok 100; capture c1 corrected 100; capture c2 ok 100",
            PaymentStatus::Successful,
        ),
        ("sold 100; sale-corrected", PaymentStatus::Authorized),
        ("try canceled; authorized 100", PaymentStatus::Authorized),
        ("try expired; try canceled; authorized 100", PaymentStatus::Authorized),
        ("try declined; authorized 100", PaymentStatus::Authorized),
        ("authorized 100; void v1 ok 100", PaymentStatus::Canceled),
        ("authorized 100; void v1 ok 50; void v2 ok 50", PaymentStatus::Canceled),
        ("authorized 100; void v1 ok 50", PaymentStatus::Authorized),
        ("authorized 100; void v1 error", PaymentStatus::Authorized),
        ("sold 100; void! v1 ok 100", PaymentStatus::Canceled),
        ("authorized 100; authorization canceled", PaymentStatus::Canceled),
        ("sold 100; capture c1 declined 100", PaymentStatus::Successful),
        ("authorized 100; capture c1 ok 40; void v1 ok 60", PaymentStatus::Successful),
        ("try expired; sold 100", PaymentStatus::Successful),
        ("deadline; pending; authorized 100", PaymentStatus::Authorized),
        // Beyond the eighteen.
        ("deadline; pending", PaymentStatus::Expired),
        ("try expired; try error", PaymentStatus::Error),
        ("try error; try canceled", PaymentStatus::Canceled),
        ("try canceled; try declined", PaymentStatus::Declined),
        ("pending", PaymentStatus::Pending),
        ("authorized 100; authorization expired", PaymentStatus::Expired),
        ("authorized 100; void v1 ok 50; authorization expired", PaymentStatus::Expired),
        ("authorization canceled", PaymentStatus::Canceled),
        ("sold 100; void! v1 ok 40", PaymentStatus::Successful),
        ("authorized 100; capture c1 ok 40; void! v1 ok 60", PaymentStatus::Successful),
        ("authorized 100; capture c1 ok 40; void! v1 ok 100", PaymentStatus::Canceled),
        ("capture c1 ok 100", PaymentStatus::Successful),
        ("void v1 ok", PaymentStatus::Canceled),
        ("sold 100; refund r1 ok 100", PaymentStatus::Successful),
        ("sold 100; refund r1 pending; try declined", PaymentStatus::Successful),
    ] {
        assert_eq!(status_of(row), status, "{row}");
    }
}

#[test]
fn status_and_outcome_of_an_order() {
    use PaymentStatus::{Authorized, Declined, Pending, Successful};
    for (row, status, outcome) in [
        ("p1: final declined; p2: pending", Pending, Outcome::Undecided),
        ("p1: try canceled; p2: authorized 100", Authorized, Outcome::Approved),
        ("p1: authorized 100; p1: void v1 ok", PaymentStatus::Canceled, Outcome::Withdrawn),
        ("p1: final declined", Declined, Outcome::Refused),
        ("p1: authorized 100; p1: void v1 ok; p2: final declined", Declined, Outcome::Withdrawn),
        ("p1: sold 100; p2: sold 100", Successful, Outcome::Approved),
        ("p1: try expired; p2: try error", PaymentStatus::Error, Outcome::Refused),
    ] {
        let mut world = MemoryWorld::default();
        world.run(&create_order("o1", "100"), Time::default()).unwrap();
        for (index, text) in row.split(';').enumerate() {
            let text = text.trim().replacen(':', " o1 :", 1);
            let command = accept(&format!("e{index}"), vec![say(&text)]);
            world.run(&command, Time::default()).unwrap();
        }
        let summary = world.view("o1").summary;
        assert_eq!((summary.status, summary.outcome), (status, outcome), "{row}");
    }
}

#[test]
fn split_tender_is_approved_only_when_it_covers_the_order() {
    let intents = || {
        let mut world = MemoryWorld::default();
        for (index, command) in [
            create_order("o1", "100"),
            create_attempt("o1", "gift", "o1-gift", Some("30")),
            create_attempt("o1", "card", "o1-card", Some("70")),
        ]
        .iter()
        .enumerate()
        {
            world.run(command, Time::from_seconds(index as i64)).unwrap();
        }
        world.run(&accept("1", vec![say("g o1-gift : sold 30")]), Time::default()).unwrap();
        world
    };
    let mut world = intents();
    world.run(&accept("2", vec![say("c o1-card : final declined")]), Time::default()).unwrap();
    assert_eq!(world.view("o1").summary.outcome, Outcome::Undecided);
    let mut world = intents();
    world.run(&accept("2", vec![say("c o1-card : sold 70")]), Time::default()).unwrap();
    assert_eq!(world.view("o1").summary.status, PaymentStatus::Successful);
    assert_eq!(world.view("o1").conditions, []);
}

#[test]
fn a_duplicate_payment_is_open_until_one_is_given_back() {
    let mut world = MemoryWorld::default();
    world.run(&create_order("o1", "100"), Time::default()).unwrap();
    for (event, text) in [("1", "p1 o1 : sold 100"), ("2", "p2 o1 : sold 100")] {
        let mut statement = say(text);
        statement.provider_time = Some(Time::from_seconds(event.parse().unwrap()));
        world.run(&accept(event, vec![statement]), Time::default()).unwrap();
    }
    let view = world.view("o1");
    assert_eq!(view.conditions[0].kind, ConditionKind::DuplicatePayment);
    let later = view.attempts.iter().find(|a| a.ids[0].value.as_str() == "p2").unwrap();
    assert_eq!(view.conditions[0].attempt_names[0], later.name, "the later one is to be reversed");
    world.run(&accept("3", vec![say("p2 : refund r1 ok 100")]), Time::default()).unwrap();
    assert_eq!(world.view("o1").conditions, []);
}

#[test]
fn contradictions_are_conflicts_unless_the_table_lists_them() {
    let intents = [create_order("o1", "100")];
    let kinds = |row| {
        let view = every_order(&intents, row);
        view.conditions.iter().map(|c| c.kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds("final declined; sold 100"), [ConditionKind::Conflict]);
    assert_eq!(kinds("try declined; sold 100"), []);
    assert_eq!(
        kinds("sold 100; refund r1 ok 10; refund r1 declined 10"),
        [ConditionKind::Conflict]
    );
    assert_eq!(kinds("sold 100; refund r1 ok 10; refund r1 corrected 10"), []);
}

#[test]
fn an_operation_takes_the_strongest_statement() {
    let intents = [create_order("o1", "100")];
    for (row, status) in [
        ("refund r1 pending; refund r1 error", OperationStatus::Error),
        ("refund r1 error; refund r1 canceled", OperationStatus::Canceled),
        ("refund r1 canceled; refund r1 declined", OperationStatus::Declined),
        ("refund r1 declined; refund r1 ok 10", OperationStatus::Successful),
        ("refund r1 ok 10; refund r1 corrected 10", OperationStatus::Error),
    ] {
        assert_eq!(every_order(&intents, row).operations[0].status, status, "{row}");
    }
}

#[test]
fn a_weakly_signed_webhook_settles_only_operations_that_were_recorded() {
    let mut world = MemoryWorld::default();
    let run = |world: &mut MemoryWorld, command: &Command| {
        world.run(command, Time::default()).unwrap();
    };
    run(&mut world, &create_order("o1", "100"));
    let weak = |event, text| accept_from(Basis::WeakWebhook, event, vec![say(text)]);
    run(&mut world, &weak("1", "p1 o1 : sold 100"));
    run(&mut world, &weak("2", "p1 o1 : refund r1 ok 10"));
    run(&mut world, &weak("3", "p1 o1 : refund r2 ok 20"));
    let attempt = world.view("o1").attempts[0].name.clone();
    let refund = (OperationKind::Refund, "r2");
    run(&mut world, &create_operation("o1", &attempt, refund, Some("20")));
    let view = world.view("o1");
    assert_eq!(view.summary.status, PaymentStatus::Successful);
    assert_eq!(
        view.operation(OperationKind::Refund, "r2").unwrap().status,
        OperationStatus::Successful
    );
    let unrecorded = view.operations.iter().find(|o| o.created.is_none()).unwrap();
    assert_eq!(unrecorded.status, OperationStatus::Pending);
    run(&mut world, &accept_from(Basis::Poll, "4", vec![say("p1 o1 : refund r1 ok 10")]));
    assert_eq!(world.view("o1").attempts[0].amounts.refunded, Some(aud("30")));

    let doubtful = accept_from(Basis::DoubtfulWebhook, "5", vec![say("p2 o2 : sold 100")]);
    run(&mut world, &create_order("o2", "100"));
    run(&mut world, &doubtful);
    assert_eq!(world.view("o2").summary.status, PaymentStatus::Pending);
    run(&mut world, &accept_from(Basis::Poll, "6", vec![say("p2 o2 : sold 100")]));
    assert_eq!(world.view("o2").summary.status, PaymentStatus::Successful);
}

#[test]
fn record_and_evidence_are_paired_by_guess_until_an_id_joins_them() {
    let mut world = MemoryWorld::default();
    for (index, command) in [
        create_order("o1", "100"),
        create_attempt("o1", "a1", "ref", None),
        create_attempt("o1", "a2", "ref", None),
        accept("1", vec![say("p1 ref : final declined")]),
    ]
    .iter()
    .enumerate()
    {
        world.run(command, Time::from_seconds(index as i64)).unwrap();
    }
    let view = world.view("o1");
    let a1 = view.attempt("a1").unwrap();
    assert!(a1.paired_by_guess && a1.status == PaymentStatus::Declined, "the earlier one");
    assert_eq!(view.attempt("a2").unwrap().status, PaymentStatus::Pending);
    assert_eq!(view.attempts[0].key, recorded("a1"));
}

#[test]
fn two_recorded_attempts_are_never_merged() {
    let mut world = MemoryWorld::default();
    for (index, command) in [
        create_order("o1", "100"),
        create_attempt("o1", "a1", "r1", None),
        create_attempt("o1", "a2", "r2", None),
    ]
    .iter()
    .enumerate()
    {
        world.run(command, Time::from_seconds(index as i64)).unwrap();
    }
    for attempt in ["a1", "a2"] {
        let learned = Command::RecordReply(RecordReply {
            parent: parent("o1"),
            request: RequestId::parse(attempt).unwrap(),
            attempt: AttemptId::parse(attempt).unwrap(),
            said: ReplySaid::Payment(PaymentClaim::Pending),
            ids: vec![ProviderId::parse("payment", "p1").unwrap()],
            amount: None,
            reason: None,
            provider_time: None,
        });
        world.run(&learned, Time::default()).unwrap();
    }
    let view = world.view("o1");
    assert_eq!(view.attempts.len(), 2);
    assert_eq!(view.conditions[0].kind, ConditionKind::Conflict);
}

#[test]
fn an_id_of_two_recorded_orders_is_a_conflict_of_both() {
    for swap in [false, true] {
        let mut world = MemoryWorld::default();
        world.run(&create_order("o1", "100"), Time::default()).unwrap();
        world.run(&create_order("o2", "100"), Time::default()).unwrap();
        let mut events = ["p1 o1 : authorized 100", "p1 o2 : authorized 100"];
        if swap {
            events.swap(0, 1);
        }
        for event in events {
            world.run(&accept(event, vec![say(event)]), Time::default()).unwrap();
        }
        for order in ["o1", "o2"] {
            let view = world.view(order);
            assert_eq!(view.conditions[0].kind, ConditionKind::Conflict, "{order}");
            assert_eq!(view.summary.status, PaymentStatus::Authorized, "{order}");
        }
    }
}

#[test]
fn evidence_of_an_unknown_order_waits_for_it() {
    let mut world = MemoryWorld::default();
    let parked = world.run(&accept("1", vec![say("p1 : authorized 100")]), Time::default());
    assert_eq!(parked.unwrap().disposition, Some(Disposition::Parked));
    world.run(&create_order("o1", "100"), Time::default()).unwrap();
    assert_eq!(world.view("o1").summary.status, PaymentStatus::Pending, "nothing joins them yet");
    let joins = world.run(&accept("2", vec![say("p1 o1 : capture c1 ok 100")]), Time::default());
    assert_eq!(joins.unwrap().disposition, Some(Disposition::Applied));
    assert_eq!(world.view("o1").summary.status, PaymentStatus::Successful);
    assert_eq!(world.view("o1").attempts.len(), 1);
    let late = world.run(&accept("3", vec![say("p1 : refund r1 ok 100")]), Time::default());
    assert_eq!(late.unwrap().key, parent("o1").key());
}

#[test]
fn requests_are_replayed_or_refused() {
    let mut world = MemoryWorld::default();
    let now = Time::from_seconds(1_000_000);
    assert!(!world.run(&create_order("o1", "100"), now).unwrap().replayed);
    assert!(world.run(&create_order("o1", "100"), now).unwrap().replayed);
    assert_eq!(world.run(&create_order("o1", "99"), now), Err(Refusal::RequestIdReused));
    let after_31_days = Time::from_seconds(1_000_000 + 31 * 24 * 3600);
    let forgotten = world.run(&create_order("o1", "99"), after_31_days);
    assert_eq!(forgotten, Err(Refusal::OrderIdTaken { what: "another amount" }));
    let unknown = world.run(&create_attempt("o9", "a1", "o9", None), now);
    assert_eq!(unknown, Err(Refusal::OrderNotFound));
    let refund = (OperationKind::Refund, "r1");
    let none = world.run(&create_operation("o1", "a1", refund, None), now);
    assert_eq!(none, Err(Refusal::AttemptNotFound));
    world.run(&create_attempt("o1", "a1", "o1", None), now).unwrap();
    let early = world.run(&create_operation("o1", "a1", refund, None), now).unwrap();
    assert!(early.warning.is_some() && !early.replayed, "never refused for what is known");
    world.run(&create_order("o2", "100"), now).unwrap();
    let taken = world.run(&create_attempt("o2", "a1", "o1", None), now);
    assert_eq!(taken, Err(Refusal::ReferenceTaken));
}

#[test]
fn an_attempt_keeps_the_rule_that_fits_its_currency() {
    let within = |text| crate::domain::fact::AmountRule::Within(aud(text));
    for (rules, stated, accepted) in [
        (vec![within("0.05")], "100.05", true),
        (vec![within("0.05")], "99.94", false),
        (vec![crate::domain::fact::AmountRule::AtLeast], "120", true),
        (vec![crate::domain::fact::AmountRule::AtLeast], "99.99", false),
        (vec![], "100.01", false),
    ] {
        let mut world = MemoryWorld::default();
        world.run(&create_order("o1", "100"), Time::default()).unwrap();
        let Command::CreateAttempt(mut attempt) = create_attempt("o1", "a1", "o1", None) else {
            panic!()
        };
        attempt.rules = rules.clone();
        attempt.reference_is_id = true;
        world.run(&Command::CreateAttempt(attempt), Time::default()).unwrap();
        let text = format!("- o1 : sold {stated}");
        world.run(&accept("1", vec![say(&text)]), Time::default()).unwrap();
        let status = world.view("o1").attempt("a1").unwrap().status;
        assert_eq!(status == PaymentStatus::Successful, accepted, "{rules:?} {stated}");
    }
}

//! The order of effects, and what is recorded of what is asked.

use std::sync::Arc;

use crate::{
    domain::{
        command::{Disposition, Refusal},
        fact::Fact,
        ids::OrderKey,
        statement::OperationKind,
        testing::{accept, create_attempt, create_operation, create_order, parent, say},
        time::Time,
        view::{Outcome, PaymentStatus},
    },
    engine::{Error, Preview, Refused},
    hub::{Recent, Topic},
    journal::{Journal as _, memory::Fault},
    record::Record,
};

use super::bench::{Bench, ask, job, received};

#[test]
fn nothing_is_seen_or_answered_before_it_is_durable() {
    let mut bench = Bench::new();
    let (control, store) = (bench.control.clone(), bench.store.clone());
    let (hub, reader) = (bench.hub.clone(), bench.journal.reader());
    let relay = crate::hub::Relay::new(hub.clone());
    let watcher = relay.subscribe(Topic::Order(parent("o1").key()));
    control.add(Fault::Stall);
    let (job, mut answer) = job(ask(&create_order("o1", "100")));
    let engine = std::thread::spawn(move || {
        bench.engine.step(&mut vec![job]).unwrap();
        bench
    });
    control.wait_until_stalled();
    assert_eq!((store.applied(), hub.head(), reader.head()), (0, 0, 0));
    relay.wake();
    assert!(answer.try_recv().is_err() && !watcher.is_touched());
    control.release();
    let _bench = engine.join().unwrap();
    let answer = received(answer).unwrap();
    assert_eq!((answer.position, answer.replayed), (Some(1), false));
    assert_eq!((store.applied(), hub.head(), reader.head()), (1, 1, 1));
    relay.wake();
    assert!(watcher.is_touched());
    assert_eq!(store.find_order(&parent("o1").key()).unwrap(), answer.order);
    assert!(matches!(hub.recent(0), Recent::Here(records) if records[0].position == 1));
}

#[test]
fn each_job_of_a_batch_is_decided_on_those_before() {
    let mut bench = Bench::new();
    let answers = bench.run([
        ask(&create_order("o1", "100")),
        ask(&create_attempt("o1", "a1", "o1", None)),
        ask(&accept("1", vec![say("p1 o1 : authorized 100")])),
        ask(&create_operation("o1", "a1", (OperationKind::Capture, "c1"), Some("40"))),
        ask(&create_order("o1", "100")),
    ]);
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    let positions: Vec<_> = answers.iter().map(|answer| answer.position).collect();
    assert_eq!(positions, [Some(1), Some(2), Some(3), Some(4), None]);
    assert!(answers[4].replayed);
    assert_eq!(answers[2].disposition, Some(Disposition::Applied));
    assert_eq!(answers[2].order.as_ref().unwrap().view.summary.outcome, Outcome::Approved);
    assert_eq!(answers[4].order.as_ref().unwrap().version, 4, "the object as it is now");
    assert_eq!(bench.order("o1").positions, [1, 2, 3, 4]);
    bench.verify();
}

#[test]
fn repeats_and_refusals_record_nothing() {
    let mut bench = Bench::new();
    bench.accept(&create_order("o1", "100"));
    let answers = bench.run([
        ask(&create_order("o1", "100")),
        ask(&create_order("o1", "99")),
        ask(&create_attempt("o2", "a1", "o2", None)),
    ]);
    let refused = |refusal| Err(Error::Refused(Refused::Order(refusal)));
    assert!(answers[0].as_ref().unwrap().replayed);
    assert_eq!(answers[1], refused(Refusal::RequestIdReused));
    assert_eq!(answers[2], refused(Refusal::OrderNotFound));
    let mut preview = Preview::new(Arc::clone(&bench.store));
    let paid = accept("1", vec![say("p1 o1 : sold 100")]);
    let first = preview.decide(&paid, Time::from_seconds(1)).unwrap();
    assert_eq!(first.orders[0].status, (PaymentStatus::Pending, PaymentStatus::Successful));
    assert!(!first.changes.is_empty());
    let again = preview.decide(&paid, Time::from_seconds(1)).unwrap();
    assert!(again.replayed && again.orders.is_empty(), "each is on top of those before");
    assert_eq!(bench.records().len(), 1);
    assert_eq!((bench.store.applied(), bench.hub.head()), (1, 1));
    assert_eq!(bench.order("o1").view.summary.status, PaymentStatus::Pending);
}

#[test]
fn a_repeat_of_a_webhook_is_recorded_without_its_body_and_a_bounded_number_of_times() {
    let mut bench = Bench::new();
    bench.accept(&create_order("o1", "100"));
    let webhook = accept("1", vec![say("p1 o1 : sold 100")]);
    assert_eq!(bench.accept(&webhook).disposition, Some(Disposition::Applied));
    for _ in 0..20 {
        let answer = bench.accept(&webhook);
        assert_eq!((answer.replayed, answer.disposition), (true, Some(Disposition::Repeat)));
    }
    let records = bench.records();
    assert_eq!(records.len(), 2 + 8);
    assert_eq!(records[1].0.attachments.len(), 1);
    assert!(records[2..].iter().all(|(stored, _)| stored.attachments.is_empty()));
    bench.verify();
}

/// Positions of the records that absorb, and of those that forward.
fn moves(bench: &Bench) -> (Vec<u64>, Vec<u64>) {
    let with = |wanted: fn(&Fact) -> bool| {
        let is_one = |record: &Record| match record {
            Record::Order(record) => record.decided.facts.iter().any(wanted),
            _ => false,
        };
        let records = bench.records();
        records.iter().filter(|(_, r)| is_one(r)).map(|(s, _)| s.position).collect()
    };
    let is_absorbed = |fact: &Fact| matches!(fact, Fact::Absorbed { .. });
    (with(is_absorbed), with(|fact| matches!(fact, Fact::ForwardedTo(_))))
}

#[test]
fn an_unclaimed_order_moves_whole_or_not_at_all() {
    let mut bench = Bench::new();
    bench.accept(&accept("1", vec![say("p1 o1 : authorized 100")]));
    let mut rival = Bench::on(&bench.journal);
    // The unclaimed order changes between the decision to absorb it and the append.
    bench.before_append(move || {
        rival.accept(&accept("2", vec![say("p1 : capture c1 ok 100")]));
    });
    let answer = bench.accept(&create_order("o1", "100"));
    assert_eq!(answer.position, Some(3), "after the other writer's record");
    assert_eq!(moves(&bench), (vec![3], vec![4]));
    let order = bench.order("o1");
    assert_eq!(answer.order, Some(order.clone()), "as the journal has it");
    assert_eq!(order.view.summary.status, PaymentStatus::Successful, "with what came between");
    let (_, first) = &bench.records()[0];
    let Record::Order(first) = first else { panic!() };
    assert!(matches!(first.key, OrderKey::Unclaimed { .. }));
    let left = bench.store.find_order(&first.key).unwrap().unwrap();
    assert_eq!(left.forwarded_to, Some(parent("o1").key()));
    bench.verify();
}

//! Writes that fail, stall, conflict, crash, or end in an unknown way.

use std::sync::Arc;

use crate::{
    domain::testing::{accept, create_attempt, create_order, parent, say},
    engine::{Ask, Engine, Error, Fatal},
    journal::{self, Journal as _, memory::Fault},
    record::Record,
};

use super::bench::{Bench, NOW, ask, job, open_store, received};

fn three() -> [Ask; 3] {
    [
        ask(&create_order("o1", "100")),
        ask(&create_attempt("o1", "a1", "o1", None)),
        ask(&accept("1", vec![say("p2 : authorized 100")])),
    ]
}

#[test]
fn after_a_failed_write_everyone_hears_unavailable() {
    for written in [false, true] {
        let mut bench = Bench::new();
        bench.accept(&create_order("o0", "100"));
        bench.control.add(Fault::Error { written });
        let (stepped, answers) = bench.step(three());
        assert!(matches!(stepped, Err(Fatal::Journal(journal::Error::Io { .. }))));
        assert_eq!(answers, [const { Err(Error::Unavailable) }; 3]);
        assert_eq!((bench.store.applied(), bench.hub.head()), (1, 1), "nothing was announced");
        let (stepped, answers) = bench.step([ask(&create_order("o2", "100"))]);
        let again = bench.journal.reader().head() > 1;
        assert_eq!(again, written);
        assert!(matches!(stepped, Err(Fatal::Journal(journal::Error::Stopped))));
        assert_eq!(answers, [Err(Error::Unavailable)]);
        // The same request again, after a restart, is safe whatever had happened.
        let mut bench = bench.restart();
        let answers = bench.run(three());
        assert!(answers.iter().all(|a| a.as_ref().unwrap().replayed == written), "{answers:?}");
        bench.verify();
    }
}

#[test]
fn a_stopped_engine_says_so_in_its_health_and_refuses() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let bench = Bench::new();
    let control = bench.control.clone();
    let (handle, running) = bench.engine.start().unwrap();
    runtime.block_on(async {
        handle.ask(ask(&create_order("o1", "100"))).await.unwrap();
        assert!(handle.health().is_good());
        control.add(Fault::Error { written: false });
        let failed = handle.ask(ask(&create_order("o2", "100"))).await;
        assert_eq!(failed, Err(Error::Unavailable));
        handle.health().stopped().await;
        assert!(!handle.health().is_good());
        let refused = handle.ask(ask(&create_order("o3", "100"))).await;
        assert_eq!(refused, Err(Error::Unavailable));
    });
    running.join();
}

#[test]
fn a_panic_stops_the_engine_as_an_error_does() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let bench = Bench::new();
    bench.before_append(|| panic!("a test asked for this"));
    let (handle, running) = bench.engine.start().unwrap();
    runtime.block_on(async {
        let failed = handle.ask(ask(&create_order("o1", "100"))).await;
        assert_eq!(failed, Err(Error::Unavailable));
        handle.health().stopped().await;
    });
    running.join();
}

#[test]
fn an_unknown_write_is_found_or_done_again_but_never_doubled() {
    for unknowns in [vec![true], vec![false], vec![false, false, true], vec![false; 99]] {
        let mut bench = Bench::new();
        for written in &unknowns {
            bench.control.add(Fault::Unknown { written: *written });
        }
        let answers = bench.run(three());
        let positions: Vec<_> = answers.iter().map(|a| a.as_ref().unwrap().position).collect();
        assert_eq!(positions, [Some(1), Some(2), Some(3)], "{unknowns:?}");
        assert!(answers.iter().all(|answer| !answer.as_ref().unwrap().replayed));
        assert_eq!(bench.records().len(), 3);
        assert_eq!((bench.store.applied(), bench.hub.head()), (3, 3));
        bench.verify();
    }
}

#[test]
fn a_journal_that_takes_nothing_makes_callers_wait_only_so_long() {
    let mut bench = Bench::new();
    (0..100).for_each(|_| bench.control.add(Fault::Unknown { written: false }));
    assert_eq!(bench.run(three()), [const { Err(Error::Unavailable) }; 3]);
    assert!(bench.run(three()).iter().all(Result::is_ok), "and then it goes on");
}

/// Another writer records an attempt between decision and append. The third job was decided on
/// the second, whose version is taken; that its own version fits by chance must not help it.
#[test]
fn what_another_writer_did_is_followed_and_decided_upon() {
    let mut bench = Bench::new();
    bench.accept(&create_order("o1", "100"));
    let mut rival = Bench::on(&bench.journal);
    bench.before_append(move || {
        rival.accept(&create_attempt("o1", "rival", "o1-r", None));
    });
    let answers = bench.run([
        ask(&create_order("o2", "100")),
        ask(&create_attempt("o1", "a1", "o1", None)),
        ask(&accept("1", vec![say("p1 o1 : authorized 100")])),
    ]);
    let positions: Vec<_> = answers.iter().map(|a| a.as_ref().unwrap().position).collect();
    assert_eq!(positions, [Some(3), Some(4), Some(5)], "where they really are");
    let order = answers[2].as_ref().unwrap().order.clone().unwrap();
    assert_eq!(order.positions, [1, 2, 4, 5]);
    assert_eq!(order.view.attempts.len(), 2);
    assert_eq!(answers[0].as_ref().unwrap().order.as_ref().unwrap().positions, [3]);
    assert_eq!((bench.store.applied(), bench.hub.head()), (5, 5));
    bench.verify();
}

#[test]
fn two_writers_that_record_the_same_order_agree_on_the_first() {
    let mut bench = Bench::new();
    let mut rival = Bench::on(&bench.journal);
    bench.before_append(move || {
        rival.accept(&create_order("o1", "100"));
    });
    let answer = bench.accept(&create_order("o1", "100"));
    assert!(answer.replayed && answer.position.is_none());
    assert_eq!(bench.records().len(), 1);
    // Recorded elsewhere long ago: nobody is refused because this node has not seen it yet.
    let mut rival = Bench::on(&bench.journal);
    rival.accept(&create_order("o2", "100"));
    bench.accept(&create_attempt("o2", "a1", "o2", None));
    bench.verify();
}

/// Evidence that names an order waits under its reference if the order is not recorded. When
/// both are recorded at the same moment, neither writer sees the other's; still the evidence
/// must find its order.
#[test]
fn evidence_and_its_order_meet_when_they_are_recorded_at_the_same_moment() {
    let order = create_order("o1", "100");
    let evidence = accept("1", vec![say("p1 o1 : sold 100")]);
    for (mine, other) in [(&order, evidence.clone()), (&evidence, order.clone())] {
        let mut bench = Bench::new();
        let mut rival = Bench::on(&bench.journal);
        bench.before_append(move || drop(rival.accept(&other)));
        bench.accept(mine);
        assert_eq!(bench.order("o1").facts.statements.len(), 1);
        bench.verify();
    }
}

#[test]
fn whoever_waits_for_a_stalled_write_is_answered_when_it_goes_on() {
    let mut bench = Bench::new();
    let control = bench.control.clone();
    for fault in [Fault::Stall, Fault::Stall, Fault::Unknown { written: true }] {
        control.add(fault);
    }
    let (mut jobs, mut answers): (Vec<_>, Vec<_>) = three().into_iter().map(job).unzip();
    let engine = std::thread::spawn(move || bench.engine.step(&mut jobs).map(|()| bench));
    for _ in 0..2 {
        control.wait_until_stalled();
        assert!(answers.iter_mut().all(|answer| answer.try_recv().is_err()));
        control.release();
    }
    let bench = engine.join().unwrap().unwrap();
    assert!(answers.into_iter().all(|answer| received(answer).is_ok()));
    assert_eq!(bench.records().len(), 3);
}

#[test]
fn what_a_crash_left_between_journal_and_view_is_caught_up_with() {
    let mut bench = Bench::new();
    bench.run(three());
    bench.store.write_step().unwrap();
    bench.control.add(Fault::Error { written: true });
    let (stepped, _) = bench.step([
        ask(&accept("2", vec![say("p2 o1 : sold 100")])),
        Ask::Keep(Box::new(super::subjects::kept()), Vec::new()),
    ]);
    assert!(stepped.is_err());
    assert_eq!(bench.store.applied(), 3);
    let folder = bench.crashed_folder();
    let (store, _writer) = open_store(folder.path(), &bench.journal);
    assert_eq!(store.applied(), 6, "an order, the unclaimed one it absorbed, and one kept");
    store.verify(&*bench.journal.reader(), |_| {}).unwrap();
    let order = store.find_order(&parent("o1").key()).unwrap().unwrap();
    assert_eq!(order.positions, [1, 2, 4]);
    let last = bench.records().pop().unwrap().1;
    assert!(matches!(last, Record::Kept(_)));
}

#[test]
fn a_new_engine_announces_what_it_follows() {
    let mut bench = Bench::new();
    let follower = Bench::on(&bench.journal);
    bench.run(three());
    let Bench { store, hub, journal, .. } = &follower;
    let mut engine = Engine::new(
        Box::new(journal.clone()),
        Arc::clone(store),
        Arc::clone(hub),
        Arc::new(|| NOW),
    );
    assert_eq!(engine.follow().unwrap().len(), 3);
    assert_eq!((store.applied(), hub.head()), (3, 3));
}

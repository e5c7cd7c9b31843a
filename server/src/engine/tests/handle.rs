//! The handle: a full queue, what a job lacks, who hears what at the end.

use futures_util::FutureExt as _;
use tokio::sync::oneshot;

use crate::{
    domain::{
        command::Command,
        testing::{accept, create_attempt, create_order, parent, say},
    },
    engine::{Error, JOBS_MAX, Job, handle::FETCHES_MAX, replies::Outcome},
    journal::{Journal as _, memory::Fault},
    store::{AtHand, Lacking},
};

use super::bench::{Bench, ask, job};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

#[test]
fn a_full_queue_is_told_at_once() {
    let bench = Bench::new();
    let control = bench.control.clone();
    control.add(Fault::Stall);
    let (handle, running) = bench.engine.start().unwrap();
    let ask_order = |n: usize| handle.ask(ask(&create_order(&format!("o{n}"), "100")));
    let runtime = runtime();
    runtime.block_on(async {
        let mut waiting = vec![Box::pin(ask_order(0))];
        assert!(waiting[0].as_mut().now_or_never().is_none());
        control.wait_until_stalled();
        for n in 1..=JOBS_MAX {
            let mut asked = Box::pin(ask_order(n));
            assert!(asked.as_mut().now_or_never().is_none(), "{n} waits");
            waiting.push(asked);
        }
        let refused = ask_order(JOBS_MAX + 1).now_or_never();
        assert_eq!(refused, Some(Err(Error::Busy)));
        control.release();
        for asked in waiting {
            asked.await.unwrap();
        }
        ask_order(JOBS_MAX + 1).await.unwrap();
        // When the engine ends, whoever still waits hears that it is not known.
        control.add(Fault::Stall);
        let mut last = Box::pin(ask_order(JOBS_MAX + 2));
        assert!(last.as_mut().now_or_never().is_none());
        control.wait_until_stalled();
        let mut queued = Box::pin(ask_order(JOBS_MAX + 3));
        assert!(queued.as_mut().now_or_never().is_none());
        control.crash();
        assert_eq!(last.await, Err(Error::Unavailable));
        assert_eq!(queued.await, Err(Error::Unavailable));
    });
    running.join();
}

#[test]
fn the_engine_ends_with_its_last_handle_and_answers_first() {
    let bench = Bench::new();
    let control = bench.control.clone();
    control.add(Fault::Stall);
    let (handle, running) = bench.engine.start().unwrap();
    let other = handle.clone();
    let command = create_order("o1", "100");
    let mut asked = Box::pin(async move { handle.ask(ask(&command)).await });
    assert!(asked.as_mut().now_or_never().is_none());
    control.wait_until_stalled();
    drop(other);
    control.release();
    assert!(runtime().block_on(asked).is_ok());
    running.join();
}

/// Each thread gives out the answers of its own callers, and nobody else's wait for it.
#[test]
fn a_thread_takes_its_answers_together() {
    let bench = Bench::new();
    let (handle, running) = bench.engine.start().unwrap();
    let ((busy, replies), (idle, never_run)) = (handle.of_thread(), handle.of_thread());
    let order = |n: usize| ask(&create_order(&format!("o{n}"), "100"));
    runtime().block_on(async {
        let mut stuck = Box::pin(idle.ask(order(0)));
        assert!(stuck.as_mut().now_or_never().is_none());
        let asked: Vec<_> = (1..100).map(|n| busy.ask(order(n))).collect();
        let asked = futures_util::future::join_all(asked);
        let answers = tokio::select! {
            answers = asked => answers,
            () = replies.run() => unreachable!("the engine lives"),
        };
        assert!(answers.iter().all(Result::is_ok));
        // It was asked before them, so it is decided; but its thread gives it to nobody.
        handle.ask(order(100)).await.unwrap();
        assert!(stuck.as_mut().now_or_never().is_none());
        drop(never_run);
        assert_eq!(stuck.await, Err(Error::Unavailable));
    });
    drop((handle, busy, idle));
    running.join();
}

/// Has a batch decided on what is in memory; gives what each lacked.
fn lacking(bench: &mut Bench, commands: &[&Command]) -> Vec<Option<Lacking>> {
    let jobs = commands.iter().map(|command| job(ask(command)));
    let (jobs, outcomes): (Vec<_>, Vec<_>) = jobs.unzip();
    let in_memory = jobs.into_iter().map(|job| Job { may_read: false, ..job });
    bench.engine.step(&mut in_memory.collect()).unwrap();
    let lacking = |mut outcome: oneshot::Receiver<Outcome>| match outcome.try_recv().unwrap() {
        Outcome::Answered(answer, _) => answer.map(|_| None).unwrap(),
        Outcome::Lacks(_, lacking) => Some(lacking),
    };
    outcomes.into_iter().map(lacking).collect()
}

#[test]
fn what_a_job_lacks_is_fetched_while_others_are_decided() {
    let mut bench = Bench::new();
    bench.run([
        // Two unclaimed orders in turn, before the order they are about is known.
        ask(&accept("1", vec![say("p1 : authorized 100")])),
        ask(&accept("2", vec![say("p1 o1-b : pending")])),
        ask(&create_order("o1", "100")),
        ask(&create_attempt("o1", "a1", "o1-b", None)),
        ask(&create_order("o2", "100")),
    ]);
    let (late, new) = (accept("3", vec![say("p1 : sold 100")]), create_order("o3", "100"));
    let mut bench = bench.restart();
    let head = bench.journal.reader().head();
    let mut lacks = lacking(&mut bench, &[&late, &new, &late]);
    assert_eq!(lacks[1], None, "surely new");
    assert_eq!(bench.journal.reader().head(), head + 1, "only that is recorded");
    assert!(lacks[0].is_some() && lacks[0] == lacks[2], "{lacks:?}");
    let mut fetches = 0;
    while let Some(lacking_now) = lacks.remove(0) {
        assert!(bench.store.fetch(&lacking_now).unwrap());
        fetches += 1;
        lacks = lacking(&mut bench, &[&late]);
    }
    assert!((1..=FETCHES_MAX).contains(&fetches), "{fetches}");
    assert_eq!(bench.order("o1").facts.readings.len(), 3);
    bench.verify();
}

#[test]
fn a_handle_fetches_what_its_job_lacks() {
    let mut bench = Bench::new();
    bench.run([
        ask(&accept("1", vec![say("p1 o1 : authorized 100")])),
        ask(&create_order("o1", "100")),
        ask(&create_order("o2", "100")),
    ]);
    let bench = bench.restart();
    let store = bench.store.clone();
    let (handle, running) = bench.engine.start().unwrap();
    let late = accept("2", vec![say("p1 : sold 100")]);
    let answer = runtime().block_on(handle.ask(ask(&late))).unwrap();
    assert_eq!(answer.order.unwrap().key, parent("o1").key());
    let at_hand = |order| store.order_at_hand(&parent(order).key());
    assert!(matches!(at_hand("o1"), AtHand::Found(_)));
    assert_eq!(at_hand("o2"), AtHand::NotInMemory, "only what was asked for");
    assert_eq!(at_hand("o3"), AtHand::Unknown);
    drop(handle);
    running.join();
}

/// A claim in memory whose order is not.
#[test]
fn the_order_of_a_known_claim_may_be_lacking() {
    let mut bench = Bench::new();
    bench.accept(&create_order("o1", "100"));
    bench.accept(&accept("1", vec![say("p1 o1 : pending")]));
    let mut bench = bench.restart();
    let late = accept("2", vec![say("p1 : sold 100")]);
    let lacks = lacking(&mut bench, &[&late]).remove(0).unwrap();
    assert!(lacks.orders.is_empty() && lacks.claims.len() == 1, "{lacks:?}");
    bench.store.find_claimant(&lacks.claims[0]).unwrap();
    let lacks = lacking(&mut bench, &[&late]).remove(0).unwrap();
    assert!(lacks.orders.contains(&parent("o1").key()) && lacks.claims.is_empty(), "{lacks:?}");
}

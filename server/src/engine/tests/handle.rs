//! The handle: a full queue, what is fetched beforehand, who hears what at the end.

use futures_util::FutureExt as _;

use crate::{
    domain::{
        command::Command,
        testing::{accept, create_attempt, create_order, parent, say},
    },
    engine::{Error, JOBS_MAX},
    journal::memory::Fault,
};

use super::bench::{Bench, ask};

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

/// What a command looks up, wherever it stands now.
fn is_cold(bench: &Bench, command: &Command) -> bool {
    let (orders, claims) = command.looks_up();
    bench.store.is_cold(&orders, &claims)
}

#[test]
fn cold_orders_are_fetched_before_the_engine_is_asked() {
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
    assert!(!is_cold(&bench, &late));
    let bench = bench.restart();
    assert!(is_cold(&bench, &late), "nothing is in memory");
    assert!(!is_cold(&bench, &new), "surely new");
    let (orders, claims) = late.looks_up();
    bench.store.warm(&orders, &claims).unwrap();
    assert!(!is_cold(&bench, &late));
    let o1 = bench.store.find_order(&parent("o1").key()).unwrap();
    let bench = bench.restart();
    let store = bench.store.clone();
    let (handle, running) = bench.engine.start().unwrap();
    let answer = runtime().block_on(handle.ask(ask(&late))).unwrap();
    assert_eq!(answer.order.unwrap().key, o1.unwrap().key);
    drop(handle);
    running.join();
    assert!(!store.is_cold(&orders, &claims));
    assert!(store.is_cold(&[parent("o2").key()], &[]), "only what was asked for");
}

/// A claim in memory whose order is not: the engine would have to read sled.
#[test]
fn a_known_claim_of_a_cold_order_is_cold() {
    let mut bench = Bench::new();
    bench.accept(&create_order("o1", "100"));
    bench.accept(&accept("1", vec![say("p1 o1 : pending")]));
    let bench = bench.restart();
    let late = accept("2", vec![say("p1 : sold 100")]);
    let (_, claims) = late.looks_up();
    bench.store.find_claimant(&claims[0]).unwrap();
    assert!(is_cold(&bench, &late));
}

//! One merchant's changes to very many streams.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use paystatus_proto::v1;
use prost::Message as _;

use crate::{
    http::Poster, latency::plan, options::Options, process::ServerProcess, stats::Latencies,
    streams::Streams, webhook::Webhooks,
};

const CONNECTIONS: usize = 10;
/// Changes that go to all streams one at a time.
const BURSTS: usize = 30;
/// Webhooks that the average stream may lack before the next one is sent.
const AHEAD_MAX: u64 = 32;

pub(crate) fn measure(options: &Options) {
    let server = ServerProcess::start(Duration::from_secs(15));
    let streams = options.streams as u64;
    let changes = Arc::new(AtomicU64::new(0));
    let bytes = Arc::new(AtomicU64::new(0));
    let looked = (Arc::clone(&changes), Arc::clone(&bytes));
    let all = Streams::open(&plan(&server, CONNECTIONS, options.streams), move |message| {
        looked.0.fetch_add(changes_in(message), Ordering::Relaxed);
        looked.1.fetch_add(message.len() as u64, Ordering::Relaxed);
    });
    println!("{streams} streams over {CONNECTIONS} connections");
    let mut webhooks = Webhooks::of_orders(0..200_000);
    let mut poster = Poster::connect(server.http);
    let mut request = Vec::new();
    let mut sent = 0;

    let mut latencies = Latencies::default();
    for _ in 0..BURSTS {
        webhooks.next_order(&mut request);
        let start = Instant::now();
        poster.post(&request);
        sent += 1;
        let last = all.wait(|arrived| arrived.sets == sent * streams);
        latencies.add(last.saturating_duration_since(start));
    }
    println!("one change set to all, until the last has it: {}", latencies.summary());

    server.settle();
    let (cpu, before, start) = (server.cpu_us(), all.arrived(), Instant::now());
    let seen = [&changes, &bytes].map(|count| count.load(Ordering::Relaxed));
    let sets_before = sent;
    while start.elapsed() < Duration::from_secs(options.seconds) {
        webhooks.next_order(&mut request);
        poster.post(&request);
        sent += 1;
        all.wait(|arrived| arrived.sets + AHEAD_MAX * streams >= sent * streams);
    }
    all.wait(|arrived| arrived.sets == sent * streams);
    let time = start.elapsed().as_secs_f64();
    let sets = (all.arrived().sets - before.sets) as f64;
    let server_us = (server.cpu_us() - cpu) as f64 / sets;
    let per_set = |count: &AtomicU64, before: u64| {
        (count.load(Ordering::Relaxed) - before) as f64 / probed(&sent, sets_before)
    };
    // Two streams are looked at, one of each reading thread.
    let (changes, bytes) = (per_set(&changes, seen[0]) / 2.0, per_set(&bytes, seen[1]) / 2.0);
    println!(
        "as fast as it goes: {:.0} change sets/s, {:.0} changes/s ({changes:.0} changes and \
         {bytes:.0} bytes a set), server {server_us:.2} us a set",
        sets / time,
        sets * changes / time,
    );
}

fn probed(sent: &u64, before: u64) -> f64 {
    (sent - before) as f64
}

fn changes_in(message: &[u8]) -> u64 {
    let response = v1::WatchChangesResponse::decode(message).expect("a frame");
    match response.frame.and_then(|frame| frame.content) {
        Some(v1::frame::Content::ChangeSet(set)) => set.changes.len() as u64,
        _ => 0,
    }
}

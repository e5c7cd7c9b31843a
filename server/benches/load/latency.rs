//! From sending a webhook to its change at a subscriber on another connection.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use paystatus_proto::v1;

use crate::{
    h2,
    http::Poster,
    options::Options,
    process::{ServerProcess, pause},
    stats::Latencies,
    streams::{Plan, Streams},
    webhook::{MERCHANT, Webhooks, order_id},
};

/// Webhooks sent one after the other.
const ALONE: usize = 2_000;
/// Webhooks a second of the second part, and over how many connections.
const PER_SECOND: usize = 1_000;
const POSTERS: usize = 32;

/// When each order's webhook was sent, and its change seen.
type Times = Arc<Mutex<Vec<(Option<Instant>, Option<Instant>)>>>;

pub(crate) fn measure(options: &Options) {
    let server = ServerProcess::start(Duration::from_secs(15));
    let seconds = usize::try_from(options.seconds).unwrap_or(5) * 2;
    let count = ALONE + PER_SECOND * seconds;
    let times: Times = Arc::new(Mutex::new(vec![(None, None); count]));
    let seen = Arc::clone(&times);
    let stream = Streams::open(&plan(&server, 1, 1), move |message| {
        let now = Instant::now();
        if let Some(number) = number_of(message) {
            seen.lock().expect("times")[number].1 = Some(now);
        }
    });

    let mut webhooks = Webhooks::of_orders(0..ALONE as u64);
    let mut poster = Poster::connect(server.http);
    let mut request = Vec::new();
    for number in 0..ALONE {
        webhooks.next_order(&mut request);
        times.lock().expect("times")[number].0 = Some(Instant::now());
        poster.post(&request);
        stream.wait(|arrived| arrived.sets > number as u64);
    }
    println!("one at a time: {}", latencies(&times, 0..ALONE).summary());

    let start = Instant::now() + Duration::from_millis(100);
    std::thread::scope(|scope| {
        for part in 0..POSTERS {
            let (server, times) = (&server, &times);
            scope.spawn(move || paced(server, start, part, times, ALONE..count));
        }
    });
    stream.wait(|arrived| arrived.sets == count as u64);
    let mut latencies = latencies(&times, ALONE..count);
    println!("{PER_SECOND} a second: {}", latencies.summary());
}

/// Streams of everything of the merchant, from now on.
pub(crate) fn plan(server: &ServerProcess, connections: usize, streams: usize) -> Plan {
    let filter = v1::ChangeFilter { merchant_id: MERCHANT.to_owned(), ..Default::default() };
    let request = v1::WatchChangesRequest { filter: Some(filter), ..Default::default() };
    Plan {
        address: server.grpc,
        connections,
        headers: h2::headers("/paystatus.v1.ChangeService/WatchChanges", &server.key),
        messages: vec![h2::message(&request); streams],
    }
}

/// One of several connections that together send at an even pace.
fn paced(
    server: &ServerProcess,
    start: Instant,
    part: usize,
    times: &Times,
    numbers: std::ops::Range<usize>,
) {
    let mut poster = Poster::connect(server.http);
    let mut request = Vec::new();
    for number in numbers.clone().skip(part).step_by(POSTERS) {
        let mut webhook = Webhooks::of_orders(number as u64..number as u64 + 1);
        webhook.next_order(&mut request);
        let turn = u32::try_from(number - numbers.start).expect("a small number");
        let due = start + Duration::from_secs(1) * turn / PER_SECOND as u32;
        pause(due.saturating_duration_since(Instant::now()));
        times.lock().expect("times")[number].0 = Some(Instant::now());
        poster.post(&request);
    }
}

/// The number of the order that a message is about.
fn number_of(message: &[u8]) -> Option<usize> {
    let name = b"order-";
    let at = message.windows(name.len()).position(|window| window == name)?;
    let digits = message.get(at..at + order_id(0).len())?.split_at(name.len()).1;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn latencies(times: &Times, numbers: std::ops::Range<usize>) -> Latencies {
    let mut latencies = Latencies::default();
    for (sent, seen) in &times.lock().expect("times")[numbers] {
        let (sent, seen) = (sent.expect("sent"), seen.expect("seen"));
        latencies.add(seen.saturating_duration_since(sent));
    }
    latencies
}

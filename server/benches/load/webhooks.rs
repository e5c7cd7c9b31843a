//! Durable webhooks a second, against the same handler without storing.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::{
    http::{self, Seen, Window},
    options::Options,
    process::{ServerProcess, pause},
    stats::{Latencies, median},
    webhook::Webhooks,
};

/// As wrk with `-t2`: one thread cannot load two cores.
const THREADS: usize = 2;
/// Before the clock runs.
pub(crate) const WARM_UP: Duration = Duration::from_millis(500);
/// Orders signed for each second of a round, and thread: more than can be used up.
const ORDERS_A_SECOND: usize = 30_000;
/// Orders that the webhooks of one thread may come to in all.
const ORDERS_OF_THREAD: u64 = 1_000_000_000;

/// What a round of either side came to.
pub(crate) struct Round {
    pub(crate) per_second: f64,
    /// CPU time of the server, with what it does after its answers, such as writing the view.
    pub(crate) server_us: f64,
    pub(crate) latencies: Latencies,
}

pub(crate) fn measure(options: &Options) {
    println!("bodies of about {} bytes, three webhooks an order", Webhooks::body_bytes());
    let counts = options.connections.map_or_else(|| vec![64, 256], |count| vec![count]);
    for connections in counts {
        let server = ServerProcess::start(Duration::from_secs(15));
        let time = Duration::from_secs(options.seconds);
        let mut idle = Side::new(server.idle_http, connections, time);
        let mut durable = Side::new(server.http, connections, time);
        let mut pair = || (idle.round(&server), durable.round(&server));
        // Not counted: as many orders must be under way as in all later rounds.
        pair();
        let pairs = (0..options.pairs).map(|_| pair()).collect();
        report(&format!("{connections} connections"), ["not stored", "durable"], pairs);
    }
}

/// One side of the comparison. Its webhooks go on from round to round: each may be about an order
/// that an earlier round began.
struct Side {
    address: SocketAddr,
    connections: usize,
    time: Duration,
    of_threads: Vec<Webhooks>,
}

impl Side {
    fn new(address: SocketAddr, connections: usize, time: Duration) -> Self {
        let first = |thread: usize| thread as u64 * ORDERS_OF_THREAD;
        let webhooks = |thread| Webhooks::of_orders(first(thread)..first(thread));
        Self { address, connections, time, of_threads: (0..THREADS).map(webhooks).collect() }
    }

    fn round(&mut self, server: &ServerProcess) -> Round {
        let orders = ORDERS_A_SECOND * (self.time.as_secs() as usize + 1);
        self.of_threads.iter_mut().for_each(|webhooks| webhooks.sign_ahead(orders));
        server.settle();
        let cpu = server.cpu_us();
        let from = Instant::now() + WARM_UP;
        let window = Window::opens_at(from);
        let mut seen = Seen::default();
        let mut counted = Duration::ZERO;
        let (address, connections) = (self.address, self.connections / THREADS);
        std::thread::scope(|scope| {
            let run = |w| || http::run(address, connections, &window, w);
            let threads: Vec<_> = self.of_threads.iter_mut().map(|w| scope.spawn(run(w))).collect();
            pause(WARM_UP + self.time);
            // Under load, and at its cost: a round that left this to the time after it would be
            // one that nobody can go on with.
            server.write_view();
            window.close();
            counted = from.elapsed();
            for thread in threads {
                let part = thread.join().expect("a load thread");
                seen.accepted.merge(part.accepted);
                seen.refused += part.refused;
                seen.total += part.total;
            }
        });
        if seen.refused > 0 {
            println!("{} of {} webhooks were not accepted", seen.refused, seen.total);
        }
        server.settle();
        let server_us = (server.cpu_us() - cpu) as f64 / seen.total as f64;
        let per_second = seen.accepted.count() as f64 / counted.as_secs_f64();
        Round { per_second, server_us, latencies: seen.accepted }
    }
}

/// Prints both sides of all pairs, and the median of the ratios.
pub(crate) fn report(what: &str, names: [&str; 2], mut pairs: Vec<(Round, Round)>) {
    let ratios: Vec<f64> = pairs.iter().map(|(a, b)| b.per_second / a.per_second).collect();
    let cpu: Vec<f64> = pairs.iter().map(|(a, b)| b.server_us / a.server_us).collect();
    let all = ratios.iter().map(|ratio| format!("{ratio:.2}")).collect::<Vec<_>>().join(" ");
    for (side, name) in names.into_iter().enumerate() {
        let of = |pair: &mut (Round, Round), get: fn(&mut Round) -> f64| match side {
            0 => get(&mut pair.0),
            _ => get(&mut pair.1),
        };
        let mut middle =
            |get: fn(&mut Round) -> f64| median(pairs.iter_mut().map(|p| of(p, get)).collect());
        println!(
            "{what}, {name}: {:.0}/s, p50 {:.2} ms, p99 {:.2} ms, server {:.1} us each",
            middle(|round| round.per_second),
            middle(|round| round.latencies.percentile_ms(0.5)),
            middle(|round| round.latencies.percentile_ms(0.99)),
            middle(|round| round.server_us),
        );
    }
    println!(
        "{what}, ratio: {:.2} (pairs: {all}); server CPU {:.1}-fold",
        median(ratios),
        median(cpu)
    );
}

/// Creates orders in order of their numbers, over a few connections.
pub(crate) fn create_orders(server: &ServerProcess, count: usize) {
    const POSTERS: usize = 32;
    std::thread::scope(|scope| {
        for poster in 0..POSTERS {
            scope.spawn(move || {
                let part = |at: usize| (count * at / POSTERS) as u64;
                let numbers = part(poster)..part(poster + 1);
                let mut webhooks = Webhooks::of_orders(numbers.clone());
                let mut connection = http::Poster::connect(server.http);
                let mut request = Vec::new();
                for _ in numbers {
                    webhooks.next_order(&mut request);
                    connection.post(&request);
                }
            });
        }
    });
}

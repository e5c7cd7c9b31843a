//! GetOrder calls a second, against a service that answers the same without looking.

use std::time::{Duration, Instant};

use paystatus_proto::v1;

use crate::{
    calls::{self, Calls},
    h2,
    http::Window,
    options::Options,
    process::{ServerProcess, pause},
    stats::Latencies,
    webhook::{MERCHANT, order_id},
    webhooks::{Round, WARM_UP, create_orders, report},
};

/// Orders that are asked for in turn.
const ORDERS: usize = 10_000;
const CONNECTIONS: usize = 16;
const IN_FLIGHT: usize = 16;
const THREADS: usize = 2;

pub(crate) fn measure(options: &Options) {
    let server = ServerProcess::start(Duration::from_secs(15));
    create_orders(&server, ORDERS);
    let connections = options.connections.unwrap_or(CONNECTIONS);
    let message = |number| {
        let (merchant_id, order_id) = (MERCHANT.to_owned(), order_id(number as u64));
        h2::message(&v1::GetOrderRequest { merchant_id, order_id, max_age: None })
    };
    let calls = |address| Calls {
        address,
        connections: connections / THREADS,
        in_flight: IN_FLIGHT,
        headers: h2::headers("/paystatus.v1.OrderService/GetOrder", &server.key),
        messages: (0..ORDERS).map(message).collect(),
    };
    let (real, idle) = (calls(server.grpc), calls(server.idle_grpc));
    let reply = calls::once(&real);
    server.tell(&hex::encode(&reply));
    println!("replies of {} bytes, {IN_FLIGHT} in flight a connection", reply.len());
    let seconds = Duration::from_secs(options.seconds);
    let pairs = (0..options.pairs)
        .map(|_| (round(&server, &idle, seconds), round(&server, &real, seconds)))
        .collect();
    assert_eq!(calls::once(&idle), reply, "both sides send the same");
    report(&format!("{connections} connections"), ["no-op", "GetOrder"], pairs);
}

fn round(server: &ServerProcess, calls: &Calls, time: Duration) -> Round {
    server.settle();
    let cpu = server.cpu_us();
    let from = Instant::now() + WARM_UP;
    let window = Window::opens_at(from);
    let (mut latencies, mut total) = (Latencies::default(), 0);
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..THREADS).map(|_| scope.spawn(|| calls::run(calls, &window))).collect();
        pause(WARM_UP + time);
        window.close();
        for thread in threads {
            let (part, count) = thread.join().expect("a load thread");
            latencies.merge(part);
            total += count;
        }
    });
    let server_us = (server.cpu_us() - cpu) as f64 / total as f64;
    Round { per_second: latencies.count() as f64 / time.as_secs_f64(), server_us, latencies }
}

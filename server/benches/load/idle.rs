//! Memory of streams on which nothing happens.

use std::time::Duration;

use paystatus_proto::v1;

use crate::{
    h2,
    options::Options,
    process::{ServerProcess, pause},
    streams::{Plan, Streams},
    webhook::{MERCHANT, order_id},
    webhooks::create_orders,
};

/// Short, so that some pass while it is measured.
const HEARTBEAT: Duration = Duration::from_secs(2);
const HEARTBEATS: u32 = 4;

pub(crate) fn measure(options: &Options) {
    one(10, options.streams);
    let few = options.streams / 10;
    one(few, few);
}

fn one(connections: usize, streams: usize) {
    let server = ServerProcess::start(HEARTBEAT);
    create_orders(&server, streams);
    let message = |number| {
        let (merchant_id, order_id) = (MERCHANT.to_owned(), order_id(number as u64));
        h2::message(&v1::WatchOrderRequest { merchant_id, order_id, start: None })
    };
    let plan = |streams: usize, connections: usize| Plan {
        address: server.grpc,
        connections,
        headers: h2::headers("/paystatus.v1.OrderService/WatchOrder", &server.key),
        messages: (0..streams).map(message).collect(),
    };
    // What the first stream needs is not counted to the others.
    drop(Streams::open(&plan(1, 1), |_| {}));
    server.settle();
    let before = server.rss_bytes();
    let open = Streams::open(&plan(streams, connections), |_| {});
    pause(HEARTBEAT * HEARTBEATS);
    let after = server.rss_bytes();
    let messages = open.arrived().messages;
    let cpu = server.cpu_us();
    pause(HEARTBEAT * HEARTBEATS);
    let heartbeats = (open.arrived().messages - messages).max(1);
    let cpu_us = (server.cpu_us() - cpu) as f64 / heartbeats as f64;
    let each = (after - before) as f64 / streams as f64 / 1024.0;
    println!(
        "{streams} WatchOrder streams over {connections} connections: {each:.1} KB each \
         (RSS {:.1} to {:.1} MB), {cpu_us:.1} us a heartbeat",
        before as f64 / 1e6,
        after as f64 / 1e6,
    );
}

//! Unary calls, many in flight.

use std::{net::SocketAddr, time::Instant};

use mio::{Events, Interest, Poll, Token};

use crate::{
    h2::{Connection, Event},
    http::Window,
    stats::Latencies,
};

/// Calls of one connection whose starts are remembered; more than are ever in flight.
const STARTS: usize = 4096;

/// Calls to be made in a loop.
#[derive(Clone)]
pub(crate) struct Calls {
    pub(crate) address: SocketAddr,
    pub(crate) connections: usize,
    pub(crate) in_flight: usize,
    pub(crate) headers: Vec<u8>,
    pub(crate) messages: Vec<Vec<u8>>,
}

struct Caller {
    connection: Connection,
    starts: Vec<Instant>,
    turn: usize,
    waiting: usize,
}

impl Caller {
    fn call(&mut self, calls: &Calls, now: Instant) {
        let message = &calls.messages[self.turn % calls.messages.len()];
        self.turn += 1;
        let stream = self.connection.call(&calls.headers, message);
        self.starts[stream as usize / 2 % STARTS] = now;
        self.waiting += 1;
    }
}

/// Calls until the window closes; returns the latencies within it and the calls in all.
pub(crate) fn run(calls: &Calls, window: &Window) -> (Latencies, u64) {
    let mut poll = Poll::new().expect("epoll");
    let mut callers: Vec<Caller> = Vec::new();
    let start = Instant::now();
    for index in 0..calls.connections {
        let mut connection = Connection::open(calls.address);
        let registry = poll.registry();
        let interest = Interest::READABLE | Interest::WRITABLE;
        registry.register(&mut connection.stream, Token(index), interest).expect("epoll");
        let turn = index * calls.messages.len() / calls.connections;
        let mut caller = Caller { connection, starts: vec![start; STARTS], turn, waiting: 0 };
        (0..calls.in_flight).for_each(|_| caller.call(calls, start));
        caller.connection.flush();
        callers.push(caller);
    }
    let (mut latencies, mut answers, mut total) = (Latencies::default(), 0_u64, 0_u64);
    let mut events = Events::with_capacity(1024);
    while callers.iter().any(|caller| caller.waiting > 0) {
        poll.poll(&mut events, None).expect("epoll");
        for event in &events {
            let caller = &mut callers[event.token().0];
            let now = Instant::now();
            let mut ended = 0;
            let starts = &caller.starts;
            caller.connection.receive(|event| match event {
                Event::Data(..) => answers += 1,
                Event::End(stream) => {
                    ended += 1;
                    let sent = starts[stream as usize / 2 % STARTS];
                    if window.holds(sent) {
                        latencies.add(now - sent);
                    }
                }
            });
            total += ended as u64;
            caller.waiting -= ended;
            if window.is_open() {
                (0..ended).for_each(|_| caller.call(calls, now));
            }
            caller.connection.flush();
        }
    }
    assert_eq!(answers, total, "an error has no message");
    (latencies, total)
}

/// Makes one call; returns its message.
pub(crate) fn once(calls: &Calls) -> Vec<u8> {
    let mut poll = Poll::new().expect("epoll");
    let mut connection = Connection::open(calls.address);
    poll.registry().register(&mut connection.stream, Token(0), Interest::READABLE).expect("epoll");
    connection.call(&calls.headers, &calls.messages[0]);
    connection.flush();
    let (mut answer, mut is_over) = (Vec::new(), false);
    let mut events = Events::with_capacity(8);
    while !is_over {
        poll.poll(&mut events, None).expect("epoll");
        connection.receive(|event| match event {
            Event::Data(_, bytes) => answer.extend_from_slice(bytes),
            Event::End(_) => is_over = true,
        });
    }
    assert!(answer.len() > 5, "the call failed");
    answer.split_off(5)
}

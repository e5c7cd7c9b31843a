//! Many streams, read as cheaply as they can be: what a stream sends is counted, not decoded.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token};

use crate::h2::{Connection, Event};

/// Streams that are opened before the first of them has answered.
const OPENING_MAX: usize = 500;
/// How often a reader looks whether it is to end.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The fields of a frame that are told apart.
const CHANGE_SET: u8 = 3 << 3 | 2;
const CAUGHT_UP: u8 = 6 << 3 | 2;

/// Streams to be opened.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) address: SocketAddr,
    pub(crate) connections: usize,
    pub(crate) headers: Vec<u8>,
    /// The request of each stream.
    pub(crate) messages: Vec<Vec<u8>>,
}

/// What arrived so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Arrived {
    /// Streams that know everything up to now.
    pub(crate) caught_up: usize,
    /// Change sets, over all streams.
    pub(crate) sets: u64,
    /// Messages of any kind, over all streams.
    pub(crate) messages: u64,
}

#[derive(Default)]
struct Shared {
    arrived: Mutex<(Arrived, Option<Instant>)>,
    more: Condvar,
    ends: AtomicBool,
}

/// Open streams, read by threads of their own until dropped.
pub(crate) struct Streams {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Streams {
    /// Opens them on two threads, and returns once all have caught up. Every change set of the
    /// first stream of each thread is shown to `look`.
    pub(crate) fn open(plan: &Plan, look: impl Fn(&[u8]) + Clone + Send + 'static) -> Self {
        let shared = Arc::new(Shared::default());
        let threads = if plan.connections > 1 { 2 } else { 1 };
        let count = plan.messages.len();
        let threads = (0..threads)
            .map(|thread| {
                let part = |all: usize| all * thread / threads..all * (thread + 1) / threads;
                let messages = plan.messages[part(count)].to_vec();
                let connections = part(plan.connections).len();
                let plan = Plan { connections, messages, ..plan.clone() };
                let (shared, look) = (Arc::clone(&shared), look.clone());
                std::thread::spawn(move || read(&plan, &shared, look))
            })
            .collect();
        let streams = Self { shared, threads };
        streams.wait(|arrived| arrived.caught_up == count);
        streams
    }

    pub(crate) fn arrived(&self) -> Arrived {
        self.shared.arrived.lock().expect("a reader").0
    }

    /// Waits until enough arrived; returns when that was.
    pub(crate) fn wait(&self, is_enough: impl Fn(&Arrived) -> bool) -> Instant {
        let mut arrived = self.shared.arrived.lock().expect("a reader");
        loop {
            if is_enough(&arrived.0) {
                return arrived.1.unwrap_or_else(Instant::now);
            }
            let waited = self.shared.more.wait_timeout(arrived, Duration::from_secs(60));
            let (next, result) = waited.expect("a reader");
            assert!(!result.timed_out(), "nothing arrives any more: {:?}", next.0);
            arrived = next;
        }
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            thread.join().expect("a reader");
        }
    }
}

/// One thread: opens its streams, then reads.
fn read(plan: &Plan, shared: &Shared, look: impl Fn(&[u8])) {
    let mut poll = Poll::new().expect("epoll");
    let mut connections: Vec<Connection> = Vec::new();
    for index in 0..plan.connections {
        let mut connection = Connection::open(plan.address);
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut connection.stream, Token(index), interest).expect("epoll");
        connections.push(connection);
    }
    let mut partial: HashMap<(usize, u32), Vec<u8>> = HashMap::new();
    let (mut opened, mut caught_up) = (0, 0);
    let mut events = Events::with_capacity(1024);
    while !shared.ends.load(Ordering::Relaxed) {
        while opened < plan.messages.len() && opened - caught_up < OPENING_MAX {
            let connection = &mut connections[opened % plan.connections];
            connection.call(&plan.headers, &plan.messages[opened]);
            opened += 1;
        }
        connections.iter_mut().filter(|c| c.has_unsent()).for_each(Connection::flush);
        poll.poll(&mut events, Some(LOOK_EVERY)).expect("epoll");
        let mut new = Arrived::default();
        for event in &events {
            let index = event.token().0;
            connections[index].receive(|event| match event {
                Event::Data(stream, bytes) => {
                    let is_first = (index, stream) == (0, 1);
                    take(&mut partial, (index, stream), bytes, |message| {
                        new.messages += 1;
                        match kind(message) {
                            CHANGE_SET => {
                                new.sets += 1;
                                if is_first {
                                    look(message);
                                }
                            }
                            CAUGHT_UP => new.caught_up += 1,
                            _ => {}
                        }
                    });
                }
                Event::End(stream) => panic!("the server ended stream {stream}"),
            });
        }
        caught_up += new.caught_up;
        if new.messages > 0 {
            let mut arrived = shared.arrived.lock().expect("the other reader");
            arrived.0.caught_up += new.caught_up;
            arrived.0.sets += new.sets;
            arrived.0.messages += new.messages;
            arrived.1 = Some(Instant::now());
            drop(arrived);
            shared.more.notify_all();
        }
    }
}

/// Takes the complete gRPC messages of one stream; what is left waits for the rest.
fn take(
    partial: &mut HashMap<(usize, u32), Vec<u8>>,
    stream: (usize, u32),
    bytes: &[u8],
    mut on: impl FnMut(&[u8]),
) {
    let joined;
    let mut rest = bytes;
    if !partial.is_empty()
        && let Some(mut before) = partial.remove(&stream)
    {
        before.extend_from_slice(bytes);
        joined = before;
        rest = &joined;
    }
    while let Some((head, tail)) = rest.split_at_checked(5) {
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let Some((message, next)) = tail.split_at_checked(length) else { break };
        on(message);
        rest = next;
    }
    if !rest.is_empty() {
        partial.insert(stream, rest.to_vec());
    }
}

/// The tag of what a frame says: it stands after the cursor, which every frame has.
fn kind(message: &[u8]) -> u8 {
    // The response's field 1 is the frame; its length takes one byte or more.
    let length_bytes = 1 + message[1..].iter().take_while(|byte| **byte & 0x80 != 0).count();
    let frame = &message[1 + length_bytes..];
    let cursor = usize::from(frame[1]);
    frame.get(2 + cursor).copied().unwrap_or(0)
}

//! HTTP/1.1 load: kept-alive connections, one request in flight on each, nothing parsed that
//! need not be.

use std::{
    io::{ErrorKind, Read, Write},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Instant,
};

use mio::{Events, Interest, Poll, Token, net::TcpStream};

use crate::{stats::Latencies, webhook::Webhooks};

/// Bytes that an answer may have.
const ANSWER_BYTES_MAX: usize = 1024;

/// When a round counts, after its warm-up, and whether it is over.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    from: Instant,
    is_over: Arc<AtomicBool>,
}

impl Window {
    pub(crate) fn opens_at(from: Instant) -> Self {
        Self { from, is_over: Arc::default() }
    }

    /// Ends the round; what is still on its way does not count.
    pub(crate) fn close(&self) {
        self.is_over.store(true, Relaxed);
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.is_over.load(Relaxed)
    }

    /// True for an answer that comes in now.
    pub(crate) fn holds(&self, sent: Instant) -> bool {
        sent >= self.from && self.is_open()
    }
}

/// What one thread saw.
#[derive(Default)]
pub(crate) struct Seen {
    /// Within the window.
    pub(crate) accepted: Latencies,
    /// Answers other than 200, whenever.
    pub(crate) refused: u64,
    /// Answers in all, before and after the window too.
    pub(crate) total: u64,
}

struct Connection {
    stream: TcpStream,
    sent: Instant,
    answer: [u8; ANSWER_BYTES_MAX],
    filled: usize,
}

/// Sends webhooks over some connections until the window closes, and waits for the answers.
pub(crate) fn run(
    address: SocketAddr,
    connections: usize,
    window: &Window,
    webhooks: &mut Webhooks,
) -> Seen {
    let mut poll = Poll::new().expect("epoll");
    let mut connections: Vec<Connection> = (0..connections).map(|_| connect(address)).collect();
    let mut request = Vec::new();
    for (index, connection) in connections.iter_mut().enumerate() {
        let registry = poll.registry();
        let registered =
            registry.register(&mut connection.stream, Token(index), Interest::READABLE);
        registered.expect("epoll");
        webhooks.next(&mut request);
        connection.send(&request);
    }
    let (mut seen, mut waiting) = (Seen::default(), connections.len());
    let mut events = Events::with_capacity(1024);
    while waiting > 0 {
        poll.poll(&mut events, None).expect("epoll");
        for event in &events {
            let connection = &mut connections[event.token().0];
            let Some(is_accepted) = connection.receive() else { continue };
            let now = Instant::now();
            seen.total += 1;
            seen.refused += u64::from(!is_accepted);
            if is_accepted && window.holds(connection.sent) {
                seen.accepted.add(now - connection.sent);
            }
            if window.is_open() {
                webhooks.next(&mut request);
                connection.send(&request);
            } else {
                waiting -= 1;
            }
        }
    }
    seen
}

fn connect(address: SocketAddr) -> Connection {
    let stream = std::net::TcpStream::connect(address).expect("a connection");
    stream.set_nodelay(true).expect("nodelay");
    stream.set_nonblocking(true).expect("nonblocking");
    let stream = TcpStream::from_std(stream);
    Connection { stream, sent: Instant::now(), answer: [0; ANSWER_BYTES_MAX], filled: 0 }
}

impl Connection {
    fn send(&mut self, request: &[u8]) {
        self.sent = Instant::now();
        let written = self.stream.write(request).expect("a connection that stays");
        assert_eq!(written, request.len(), "an empty socket takes a whole webhook");
    }

    /// Reads what is there; returns whether an answer, if it is complete, is a 200.
    fn receive(&mut self) -> Option<bool> {
        match self.stream.read(&mut self.answer[self.filled..]) {
            Ok(0) => panic!("the server closed a connection"),
            Ok(read) => self.filled += read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
            Err(error) => panic!("{error}"),
        }
        let is_accepted = is_accepted(&self.answer[..self.filled])?;
        self.filled = 0;
        Some(is_accepted)
    }
}

/// Whether an answer is a 200, once it is complete. A 200 has no body here.
fn is_accepted(answer: &[u8]) -> Option<bool> {
    if !answer.starts_with(b"HTTP/1.1 200") {
        return (answer.len() > 12 && answer.ends_with(b"\n")).then_some(false);
    }
    answer.ends_with(b"\r\n\r\n").then_some(true)
}

/// One connection that waits for each answer.
pub(crate) struct Poster(std::net::TcpStream);

impl Poster {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = std::net::TcpStream::connect(address).expect("a connection");
        stream.set_nodelay(true).expect("nodelay");
        Self(stream)
    }

    /// Sends a webhook; returns once it is accepted.
    pub(crate) fn post(&mut self, request: &[u8]) {
        self.0.write_all(request).expect("a connection that stays");
        let mut answer = [0; ANSWER_BYTES_MAX];
        let mut filled = 0;
        loop {
            filled += self.0.read(&mut answer[filled..]).expect("an answer");
            if let Some(is_accepted) = is_accepted(&answer[..filled]) {
                let text = String::from_utf8_lossy(&answer[..filled]);
                assert!(is_accepted, "a webhook was not accepted: {text}");
                return;
            }
        }
    }
}

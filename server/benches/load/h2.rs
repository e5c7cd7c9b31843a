//! The least HTTP/2 that gRPC calls need: frames built beforehand, headers never decoded.

use std::{
    io::{ErrorKind, Read, Write},
    net::SocketAddr,
};

use mio::net::TcpStream;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const INITIAL_WINDOW_SIZE: u8 = 4;
const WINDOW_MAX: u32 = (1 << 31) - 1;
const WINDOW_DEFAULT: u32 = 65_535;
const READ_BYTES: usize = 256 * 1024;
/// Received bytes after which the connection's window is opened again.
const REFILL_BYTES: u32 = 1 << 30;
const FRAME_HEAD: usize = 9;

/// A frame that a caller wants to know of.
pub(crate) enum Event<'a> {
    /// Part of the answer of a stream.
    Data(u32, &'a [u8]),
    /// The stream is over.
    End(u32),
}

/// One connection.
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    next_stream: u32,
    out: Vec<u8>,
    input: Vec<u8>,
    filled: usize,
    received: u32,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = std::net::TcpStream::connect(address).expect("a connection");
        stream.set_nodelay(true).expect("nodelay");
        stream.set_nonblocking(true).expect("nonblocking");
        let mut out = PREFACE.to_vec();
        let window = [&[0, INITIAL_WINDOW_SIZE][..], &WINDOW_MAX.to_be_bytes()].concat();
        frame(&mut out, SETTINGS, 0, 0, &window);
        let more = (WINDOW_MAX - WINDOW_DEFAULT).to_be_bytes();
        frame(&mut out, WINDOW_UPDATE, 0, 0, &more);
        Self {
            stream: TcpStream::from_std(stream),
            next_stream: 1,
            out,
            input: vec![0; READ_BYTES],
            filled: 0,
            received: 0,
        }
    }

    /// Adds a call to what will be flushed; returns its stream.
    pub(crate) fn call(&mut self, headers: &[u8], message: &[u8]) -> u32 {
        let id = self.next_stream;
        self.next_stream += 2;
        frame(&mut self.out, HEADERS, END_HEADERS, id, headers);
        frame(&mut self.out, DATA, END_STREAM, id, message);
        id
    }

    /// Writes what there is to write, as far as the socket takes it.
    pub(crate) fn flush(&mut self) {
        while !self.out.is_empty() {
            match self.stream.write(&self.out) {
                Ok(written) => drop(self.out.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// True if a flush did not write everything.
    pub(crate) fn has_unsent(&self) -> bool {
        !self.out.is_empty()
    }

    /// Reads all that is there.
    pub(crate) fn receive(&mut self, mut on: impl FnMut(Event<'_>)) {
        loop {
            match self.stream.read(&mut self.input[self.filled..]) {
                Ok(0) => panic!("the server closed a connection"),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("{error}"),
            }
            let is_full = self.filled == self.input.len();
            self.take_frames(&mut on);
            if !is_full {
                // An edge-triggered socket that gave less than it could is empty.
                return;
            }
        }
    }

    fn take_frames(&mut self, on: &mut impl FnMut(Event<'_>)) {
        let mut rest = &self.input[..self.filled];
        while let Some((head, tail)) = rest.split_at_checked(FRAME_HEAD) {
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let Some((payload, next)) = tail.split_at_checked(length) else { break };
            let (kind, flags) = (head[3], head[4]);
            let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            match kind {
                DATA => {
                    self.received += length as u32;
                    on(Event::Data(stream, payload));
                }
                SETTINGS if flags & ACK == 0 => frame(&mut self.out, SETTINGS, ACK, 0, &[]),
                PING if flags & ACK == 0 => frame(&mut self.out, PING, ACK, 0, payload),
                RST_STREAM | GOAWAY => panic!("the server gave up a stream"),
                _ => {}
            }
            if matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0 {
                on(Event::End(stream));
            }
            rest = next;
        }
        let taken = self.filled - rest.len();
        self.input.copy_within(taken..self.filled, 0);
        self.filled -= taken;
        if self.received > REFILL_BYTES {
            frame(&mut self.out, WINDOW_UPDATE, 0, 0, &self.received.to_be_bytes());
            self.received = 0;
        }
        self.flush();
    }
}

fn frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    out.extend_from_slice(&(payload.len() as u32).to_be_bytes()[1..]);
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
}

/// The headers of a call: static names, literal values, no table.
pub(crate) fn headers(path: &str, key: &str) -> Vec<u8> {
    const METHOD_POST: u8 = 0x83;
    const SCHEME_HTTP: u8 = 0x86;
    const AUTHORITY: &[u8] = &[0x01];
    const PATH: &[u8] = &[0x04];
    const CONTENT_TYPE: &[u8] = &[0x0f, 0x10];
    const AUTHORIZATION: &[u8] = &[0x0f, 0x08];
    const NEW_NAME: &[u8] = &[0x00];
    let mut headers = vec![METHOD_POST, SCHEME_HTTP];
    let mut text = |name: &[u8], text: &str| {
        assert!(text.len() < 127, "a length of one byte");
        headers.extend_from_slice(name);
        headers.push(text.len() as u8);
        headers.extend_from_slice(text.as_bytes());
    };
    text(AUTHORITY, "localhost");
    text(PATH, path);
    text(CONTENT_TYPE, "application/grpc");
    text(AUTHORIZATION, &format!("Bearer {key}"));
    text(NEW_NAME, "te");
    // The value of the name just written.
    text(&[], "trailers");
    headers
}

/// A message as gRPC frames it.
pub(crate) fn message(message: &impl prost::Message) -> Vec<u8> {
    let bytes = message.encode_to_vec();
    let mut framed = vec![0];
    framed.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
    framed.extend_from_slice(&bytes);
    framed
}

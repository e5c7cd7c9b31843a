//! A TCP connection for gRPC. It has its frames gathered before they are written, it gives up on a
//! peer that says nothing at first, and it holds its place as long as it lives.
//!
//! h2 hands a frame of 256 bytes or more to the socket by itself if the socket can write
//! scattered buffers: one system call for each change on each stream. For a socket that cannot,
//! it copies frames of up to 1 KiB into its buffer of 16 KiB, and writes that. To thousands of
//! streams on one connection the copy is by far the cheaper.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    time::{Sleep, sleep},
};
use tonic::transport::server::Connected;

/// Bytes that every peer sends at first: the preface of HTTP/2 and the head of its settings; a
/// request of HTTP/1.1 or the greeting of TLS is longer.
const FIRST_BYTES: usize = 24 + 9;

/// A connection that claims to write one buffer at a time, which is the trait's default.
pub(super) struct Gathered {
    stream: TcpStream,
    first: Option<First>,
    _place: OwnedSemaphorePermit,
}

/// What is still awaited of a peer, and until when.
struct First {
    missing: usize,
    until: Pin<Box<Sleep>>,
}

impl Gathered {
    /// A connection that was just accepted; its first bytes must come within a time.
    pub(super) fn new(stream: TcpStream, within: Duration, place: OwnedSemaphorePermit) -> Self {
        let first = First { missing: FIRST_BYTES, until: Box::pin(sleep(within)) };
        Self { stream, first: Some(first), _place: place }
    }
}

impl AsyncRead for Gathered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if let Some(first) = &mut self.first {
            first.missing = first.missing.saturating_sub(buffer.filled().len() - before);
            if first.missing == 0 {
                self.first = None;
            } else if read.is_pending() && first.until.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        read
    }
}

impl AsyncWrite for Gathered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Connected for Gathered {
    type ConnectInfo = <TcpStream as Connected>::ConnectInfo;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.stream.connect_info()
    }
}

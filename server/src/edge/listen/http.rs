//! The public listener: webhooks and pages over HTTP/1.1 and HTTP/2, from anybody.
//!
//! Tens of thousands of pages hold a connection each and wait, so what a connection costs counts:
//! small buffers, and nothing kept that only the opening needs. Every step has a time limit, and
//! every connection a place that it gives back.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{body::Body, response::Response};
use http::{HeaderMap, HeaderValue, Request, header};
use http_body_util::BodyExt as _;
use hyper::{body::Incoming, server::conn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::server::TlsStream;
use tower::ServiceExt as _;

use super::{Error, HEADER_BYTES_MAX, Shared, accept};
use crate::config::Streams;

/// Requests at once on one HTTP/2 connection.
const H2_STREAMS_MAX: u32 = 128;
/// Bytes of answers that one HTTP/2 stream may have waiting.
const H2_SEND_BYTES: usize = 16 * 1024;
/// What HTTP/2 begins with, as far as no method of HTTP/1.1 does.
const H2_BEGINS: &[u8] = b"PRI";
/// The name of HTTP/2 in TLS (RFC 9113, 3.2).
pub(super) const H2: &[u8] = b"h2";

/// What every connection needs.
struct Public {
    shared: Shared,
    /// The longest time that a handshake or headers may take, and that a connection may be idle.
    slowest: Duration,
}

/// Serves HTTP until the drain begins, and then until its requests are done.
///
/// # Errors
/// [`Error`].
pub async fn serve_http(shared: Shared, socket: std::net::TcpListener) -> Result<(), Error> {
    let address = socket.local_addr().unwrap_or(shared.config.http_address);
    let listener =
        TcpListener::from_std(socket).map_err(|source| Error::Bind { address, source })?;
    let graceful = GracefulShutdown::new();
    let mut drain = shared.drain.clone();
    let slowest = shared.config.limits.webhook_read;
    let public = Arc::new(Public { shared, slowest });
    loop {
        let (stream, peer, place) = tokio::select! {
            accepted = accept(&listener, &public.shared.http_places, "http") => accepted,
            _ = drain.wait_for(|drains| *drains) => break,
        };
        let (public, watcher) = (Arc::clone(&public), graceful.watcher());
        tokio::spawn(async move {
            let _place = place;
            match Box::pin(public.open(stream)).await {
                Some(Opened::H1(stream)) => public.serve_h1(stream, peer, watcher).await,
                Some(Opened::H2(stream)) => public.serve_h2(stream, peer, watcher).await,
                Some(Opened::TlsH1(stream)) => public.serve_h1(*stream, peer, watcher).await,
                Some(Opened::TlsH2(stream)) => public.serve_h2(*stream, peer, watcher).await,
                None => {}
            }
        });
    }
    drop(listener);
    graceful.shutdown().await;
    Ok(())
}

/// A connection of which it is known what it speaks.
enum Opened {
    H1(TcpStream),
    H2(TcpStream),
    TlsH1(Box<TlsStream<TcpStream>>),
    TlsH2(Box<TlsStream<TcpStream>>),
}

impl Public {
    /// Learns what a connection speaks. `None` if it does not say in time, or the server drains.
    async fn open(&self, stream: TcpStream) -> Option<Opened> {
        let mut drain = self.shared.drain.clone();
        let opened = async {
            let Some(tls) = &self.shared.http_tls else {
                let mut begins = [0; H2_BEGINS.len()];
                // All of it comes at once from all who speak it. What is shorter is HTTP/1.1.
                let length = timeout(self.slowest, stream.peek(&mut begins)).await.ok()?.ok()?;
                return Some(match &begins[..length] {
                    [] => return None,
                    begins if begins == H2_BEGINS => Opened::H2(stream),
                    _ => Opened::H1(stream),
                });
            };
            let stream = Box::new(timeout(self.slowest, tls.accept(stream)).await.ok()?.ok()?);
            let is_h2 = stream.get_ref().1.alpn_protocol() == Some(H2);
            Some(if is_h2 { Opened::TlsH2(stream) } else { Opened::TlsH1(stream) })
        };
        tokio::select! {
            opened = opened => opened,
            _ = drain.wait_for(|drains| *drains) => None,
        }
    }

    /// A small future: it is all that an idle page holds beside its connection.
    fn serve_h1(
        self: Arc<Self>,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: SocketAddr,
        watcher: Watcher,
    ) -> impl Future<Output = ()> + Send {
        let mut builder = conn::http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(self.slowest)
            .max_buf_size(HEADER_BYTES_MAX);
        let service = hyper::service::service_fn(move |request| {
            let public = Arc::clone(&self);
            // Boxed: the connection keeps room for it as long as it lives.
            Box::pin(async move { public.answer(request, peer).await })
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let connection = Box::pin(watcher.watch(connection));
        async move { ended(connection.await) }
    }

    async fn serve_h2(
        self: Arc<Self>,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: SocketAddr,
        watcher: Watcher,
    ) {
        let Streams { keep_alive, heartbeat, .. } = self.shared.config.streams;
        let slowest = self.slowest;
        let mut builder = conn::http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(H2_STREAMS_MAX)
            .max_header_list_size(u32::try_from(HEADER_BYTES_MAX).unwrap_or(u32::MAX))
            .max_send_buf_size(H2_SEND_BYTES)
            .keep_alive_interval(keep_alive)
            .keep_alive_timeout(keep_alive);
        let activity = Arc::new(Activity::default());
        let requests = Arc::clone(&activity);
        let service = hyper::service::service_fn(move |request| {
            let (public, request_under_way) = (Arc::clone(&self), requests.begin());
            async move {
                let answer = public.answer(request, peer).await?;
                request_under_way.answered();
                Ok::<_, std::convert::Infallible>(answer.map(|body| {
                    // The request is under way as long as its answer is.
                    Body::new(body.map_frame(move |frame| {
                        request_under_way.taken();
                        frame
                    }))
                }))
            }
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        tokio::select! {
            result = Box::pin(watcher.watch(connection)) => ended(result),
            () = activity.idle(slowest) => {}
            () = activity.stalled(heartbeat + slowest) => {}
        }
    }

    async fn answer(
        &self,
        mut request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<Response, std::convert::Infallible> {
        request.extensions_mut().insert(peer);
        let mut response = self.shared.router.clone().oneshot(request).await?;
        harden(response.headers_mut(), self.shared.http_tls.is_some());
        Ok(response)
    }
}

fn ended(result: hyper::Result<()>) {
    if let Err(error) = result {
        tracing::debug!(%error, "an HTTP connection ended");
    }
}

/// What every public answer says to browsers, unless its route said otherwise: nothing here is to
/// be guessed at, run, framed, or taken by other sites.
fn harden(answer: &mut HeaderMap, is_tls: bool) {
    let usual = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    let only_tls = (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    for (name, value) in usual.into_iter().chain(is_tls.then_some(only_tls)) {
        answer.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// What happens on a connection that carries many requests.
#[derive(Default)]
struct Activity {
    begun: AtomicU64,
    /// Of these, how many have the head of their answer.
    answered: AtomicU64,
    /// Parts of answers that there was room to send.
    taken: AtomicU64,
    ended: AtomicU64,
}

/// A request under way; ended when dropped.
struct UnderWay(Arc<Activity>);

impl Activity {
    fn begin(self: &Arc<Self>) -> UnderWay {
        self.begun.fetch_add(1, Relaxed);
        UnderWay(Arc::clone(self))
    }

    /// Returns once nothing was under way for so long.
    async fn idle(&self, limit: Duration) {
        loop {
            let before = self.begun.load(Relaxed);
            tokio::time::sleep(limit).await;
            let begun = self.begun.load(Relaxed);
            if begun == before && self.ended.load(Relaxed) == begun {
                return;
            }
        }
    }

    /// Returns once nothing happened for so long but that answers waited to be taken, which takes
    /// a client that wants none of them: the shortest has room at once, the longest says something
    /// with every heartbeat.
    async fn stalled(&self, limit: Duration) {
        let all = || [&self.begun, &self.taken, &self.ended].map(|count| count.load(Relaxed));
        loop {
            let before = all();
            tokio::time::sleep(limit).await;
            let [begun, ..] = before;
            if all() == before && self.answered.load(Relaxed) == begun {
                return;
            }
        }
    }
}

impl UnderWay {
    fn answered(&self) {
        self.0.answered.fetch_add(1, Relaxed);
    }

    fn taken(&self) {
        self.0.taken.fetch_add(1, Relaxed);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Relaxed);
    }
}

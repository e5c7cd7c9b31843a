//! Listeners: one single-threaded runtime per core, each with its own sockets on the same
//! ports (SO_REUSEPORT). That way all replies that are ready leave a connection in one write,
//! which serves about twice the calls of one runtime over all cores.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
};
use tokio_rustls::{TlsAcceptor, rustls};
use tokio_stream::{StreamExt as _, wrappers::TcpListenerStream};
use tonic::{
    service::Routes,
    transport::{Identity, Server, ServerTlsConfig},
};
use tower::ServiceExt as _;

use super::socket::Gathered;
use crate::config::{Config, Tls};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 4096;
/// Bytes of headers of an HTTP request, and the buffer of a connection.
const HTTP_BUFFER_BYTES: usize = 8 * 1024;
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Why a listener does not work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be bound.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// Which.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Certificate or key cannot be used.
    #[error("the TLS file {path} cannot be used: {what}")]
    Tls {
        /// Which.
        path: String,
        /// Why.
        what: String,
    },
    /// The gRPC server failed.
    #[error("the gRPC server failed: {0}")]
    Grpc(#[from] tonic::transport::Error),
}

/// Sockets of both listeners, one pair a thread.
pub struct Sockets {
    /// One for each thread.
    pub pairs: Vec<(std::net::TcpListener, std::net::TcpListener)>,
    /// Where gRPC is served.
    pub grpc_address: SocketAddr,
    /// Where HTTP is served.
    pub http_address: SocketAddr,
}

impl Sockets {
    /// Binds both addresses, port 0 included.
    ///
    /// # Errors
    /// [`Error::Bind`].
    pub fn bind(config: &Config, threads: usize) -> Result<Self, Error> {
        let grpc = bind(config.grpc_address, threads)?;
        let http = bind(config.http_address, threads)?;
        let address = |sockets: &[std::net::TcpListener], asked: SocketAddr| {
            sockets.first().and_then(|s| s.local_addr().ok()).unwrap_or(asked)
        };
        Ok(Self {
            grpc_address: address(&grpc, config.grpc_address),
            http_address: address(&http, config.http_address),
            pairs: grpc.into_iter().zip(http).collect(),
        })
    }
}

fn bind(address: SocketAddr, count: usize) -> Result<Vec<std::net::TcpListener>, Error> {
    let mut sockets: Vec<std::net::TcpListener> = Vec::with_capacity(count);
    for _ in 0..count {
        // With port 0 the system chooses for the first; the others share its choice.
        let address = sockets.first().and_then(|s| s.local_addr().ok()).unwrap_or(address);
        let socket = listening(address).map_err(|source| Error::Bind { address, source })?;
        sockets.push(socket);
    }
    Ok(sockets)
}

fn listening(address: SocketAddr) -> std::io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// What every thread serves, and with what.
#[derive(Clone)]
pub struct Shared {
    /// The gRPC services.
    pub routes: Routes,
    /// The HTTP routes.
    pub router: axum::Router,
    /// Every setting.
    pub config: Arc<Config>,
    /// TLS for HTTP, if it is configured.
    pub http_tls: Option<TlsAcceptor>,
    /// Places for HTTP connections, over all threads.
    pub http_places: Arc<Semaphore>,
    /// Turns true when the server shuts down.
    pub drain: watch::Receiver<bool>,
}

/// Serves gRPC until the drain begins, and then until its calls are done.
///
/// # Errors
/// [`Error`].
pub async fn serve_grpc(shared: Shared, socket: std::net::TcpListener) -> Result<(), Error> {
    let address = socket.local_addr().unwrap_or(shared.config.grpc_address);
    let listener =
        TcpListener::from_std(socket).map_err(|source| Error::Bind { address, source })?;
    let config = &shared.config;
    let streams = config.streams;
    let mut server = Server::builder()
        // Pages and browsers speak gRPC-Web over HTTP/1.1.
        .accept_http1(true)
        .tcp_nodelay(true)
        .http2_keepalive_interval(Some(streams.keep_alive))
        .http2_keepalive_timeout(Some(streams.keep_alive))
        .max_connection_age(streams.connection_age)
        .max_connection_age_grace(streams.connection_grace)
        .max_concurrent_streams(Some(config.limits.streams_per_connection));
    if let Some(tls) = &config.tls {
        let identity = Identity::from_pem(read(&tls.certificate)?, read(&tls.key)?);
        server = server.tls_config(ServerTlsConfig::new().identity(identity))?;
    }
    let mut drain = shared.drain.clone();
    let incoming = TcpListenerStream::new(listener).map(|stream| stream.map(Gathered));
    server
        .layer(tonic_web::GrpcWebLayer::new())
        .add_routes(shared.routes)
        .serve_with_incoming_shutdown(incoming, async move {
            drop(drain.wait_for(|drains| *drains).await);
        })
        .await?;
    Ok(())
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
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = drain.wait_for(|drains| *drains) => break,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of file descriptors, most likely: give the others time to finish.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = Arc::clone(&shared.http_places).try_acquire_owned() else {
            tracing::warn!("an HTTP connection was refused: there are too many");
            continue;
        };
        let router = shared.router.clone();
        let (tls, watcher) = (shared.http_tls.clone(), graceful.watcher());
        let slowest = shared.config.limits.webhook_read;
        tokio::spawn(async move {
            serve_connection((stream, peer), tls, router, watcher, slowest).await;
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
    Ok(())
}

async fn serve_connection(
    (stream, peer): (TcpStream, SocketAddr),
    tls: Option<TlsAcceptor>,
    router: axum::Router,
    watcher: hyper_util::server::graceful::Watcher,
    slowest: Duration,
) {
    drop(stream.set_nodelay(true));
    let service = hyper::service::service_fn(move |mut request: http::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        router.clone().oneshot(request)
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(slowest).max_buf_size(HTTP_BUFFER_BYTES);
    let result = match tls {
        None => watcher.watch(builder.serve_connection(TokioIo::new(stream), service)).await,
        Some(tls) => match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
            Ok(Ok(stream)) => {
                watcher.watch(builder.serve_connection(TokioIo::new(stream), service)).await
            }
            _ => return,
        },
    };
    if let Err(error) = result {
        tracing::debug!(%error, "an HTTP connection ended");
    }
}

/// TLS for HTTP from the two settings.
///
/// # Errors
/// [`Error::Tls`] names the file.
pub fn http_tls(tls: Option<&Tls>) -> Result<Option<TlsAcceptor>, Error> {
    use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
    let Some(tls) = tls else { return Ok(None) };
    let unusable = |path: &std::path::Path, what: &dyn std::fmt::Display| Error::Tls {
        path: path.display().to_string(),
        what: what.to_string(),
    };
    let chain = CertificateDer::pem_slice_iter(&read(&tls.certificate)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unusable(&tls.certificate, &error))?;
    let key = PrivateKeyDer::from_pem_slice(&read(&tls.key)?)
        .map_err(|error| unusable(&tls.key, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| unusable(&tls.certificate, &error))?;
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

fn read(path: &std::path::Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path)
        .map_err(|error| Error::Tls { path: path.display().to_string(), what: error.to_string() })
}

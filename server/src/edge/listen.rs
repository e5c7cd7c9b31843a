//! Listeners: one single-threaded runtime per core, each with its own sockets on the same
//! ports (SO_REUSEPORT). That way all replies that are ready leave a connection in one write,
//! which serves about twice the calls of one runtime over all cores.

mod http;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use futures_util::stream;
use metrics::counter;
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};
use tokio_rustls::{TlsAcceptor, rustls};
use tonic::{
    service::Routes,
    transport::{Certificate, Identity, Server, ServerTlsConfig},
};

pub use self::http::serve_http;
use super::socket::Gathered;
use crate::config::{Config, Tls};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 4096;
/// Bytes of headers of a request, and of the buffer that reads them.
const HEADER_BYTES_MAX: usize = 8 * 1024;
/// How long what was sent may stay unacknowledged, or a silent peer unheard, before the system
/// gives the connection up.
const GONE: Duration = Duration::from_secs(60);
/// How long to wait when no connection can be taken: out of file descriptors, most likely.
const PAUSE: Duration = Duration::from_millis(50);
/// Counts connections that found no place.
pub(super) const REFUSED: &str = "paystatus_connections_refused_total";

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
    // What is accepted takes these over.
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(GONE))?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(GONE))?;
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
    /// Places for gRPC connections, over all threads.
    pub grpc_places: Arc<Semaphore>,
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
    let (streams, slowest) = (config.streams, config.limits.webhook_read);
    let mut server = Server::builder()
        // Pages and browsers speak gRPC-Web over HTTP/1.1.
        .accept_http1(true)
        .tcp_nodelay(true)
        .http2_keepalive_interval(Some(streams.keep_alive))
        .http2_keepalive_timeout(Some(streams.keep_alive))
        .max_connection_age(streams.connection_age)
        .max_connection_age_grace(streams.connection_grace)
        .max_concurrent_streams(Some(config.limits.streams_per_connection))
        .http2_max_header_list_size(u32::try_from(HEADER_BYTES_MAX).unwrap_or(u32::MAX));
    if let Some(tls) = &config.tls {
        let identity = Identity::from_pem(read(&tls.certificate)?, read(&tls.key)?);
        let mut own = ServerTlsConfig::new().identity(identity).timeout(slowest);
        if let Some(ca) = &tls.client_ca {
            // Whoever has an API key needs no certificate.
            let ca = Certificate::from_pem(read(ca)?);
            own = own.client_ca_root(ca).client_auth_optional(true);
        }
        server = server.tls_config(own)?;
    }
    let mut drain = shared.drain.clone();
    let places = shared.grpc_places;
    let incoming = stream::unfold((listener, places), move |(listener, places)| async move {
        let (stream, _, place) = accept(&listener, &places, "grpc").await;
        let connection = Gathered::new(stream, slowest, place);
        Some((Ok::<_, std::io::Error>(connection), (listener, places)))
    });
    server
        .layer(tonic_web::GrpcWebLayer::new())
        .add_routes(shared.routes)
        .serve_with_incoming_shutdown(incoming, async move {
            drop(drain.wait_for(|drains| *drains).await);
        })
        .await?;
    Ok(())
}

/// The next connection that finds a place; the others are closed at once.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    name: &'static str,
) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => match Arc::clone(places).try_acquire_owned() {
                Ok(place) => return (stream, peer, place),
                Err(_) => {
                    counter!(REFUSED, "listener" => name).increment(1);
                    tracing::debug!(name, "a connection was refused: there are too many");
                }
            },
            Err(error) => {
                tracing::warn!(name, %error, "a connection cannot be taken");
                tokio::time::sleep(PAUSE).await;
            }
        }
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
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| unusable(&tls.certificate, &error))?;
    config.alpn_protocols = vec![http::H2.to_vec(), b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

fn read(path: &std::path::Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path)
        .map_err(|error| Error::Tls { path: path.display().to_string(), what: error.to_string() })
}

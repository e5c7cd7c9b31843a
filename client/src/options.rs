//! Every setting of a client, with its default, checked once.

use std::time::Duration;

use tonic::{
    metadata::{Ascii, MetadataValue},
    transport::{self, Certificate, ClientTlsConfig, Endpoint},
};

use crate::{
    client::Client,
    error::{Error, ErrorKind},
    retry::RetryPolicy,
};

/// How much of one stream may wait unread, in bytes …
const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
/// … and of all together. A hundred readers that are slow leave room for everybody else.
const CONNECTION_WINDOW_BYTES: u32 = 32 * 1024 * 1024;

/// Makes a [`Client`]: see [`Client::builder`].
#[derive(Clone)]
#[must_use]
pub struct ClientBuilder {
    endpoint: String,
    api_key: Option<String>,
    merchant_id: String,
    tls: Option<Tls>,
    settings: Settings,
}

/// How the server's certificate is checked. Without it an `https` address is checked against the
/// operating system's certificates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Trust this authority (PEM) instead of the operating system's.
    pub ca_pem: Option<String>,
    /// Expect this name in the certificate instead of the one in the address.
    pub domain_name: Option<String>,
    /// Show this certificate of our own, instead of an API key.
    pub identity: Option<Identity>,
}

/// A certificate of our own, which a server that lists its name takes instead of an API key.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, with those that lead to its authority (PEM).
    pub certificate_pem: String,
    /// Its private key (PEM).
    pub key_pem: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The private key stays out of logs.
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// Limits in time, with their defaults.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    pub(crate) connect_timeout: Duration,
    pub(crate) call_timeout: Duration,
    pub(crate) keep_alive_interval: Duration,
    pub(crate) keep_alive_timeout: Duration,
    pub(crate) ack_interval: Duration,
    pub(crate) await_slice: Duration,
    pub(crate) retry: RetryPolicy,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            call_timeout: Duration::from_secs(10),
            keep_alive_interval: Duration::from_secs(20),
            keep_alive_timeout: Duration::from_secs(10),
            ack_interval: Duration::from_secs(1),
            await_slice: Duration::from_secs(60),
            retry: RetryPolicy::default(),
        }
    }
}

impl ClientBuilder {
    pub(crate) fn new(endpoint: String) -> Self {
        Self {
            endpoint,
            api_key: None,
            merchant_id: String::new(),
            tls: None,
            settings: Settings::default(),
        }
    }

    /// The API key that every call carries.
    pub fn api_key(mut self, secret: impl Into<String>) -> Self {
        self.api_key = Some(secret.into());
        self
    }

    /// The merchant of every call. Not needed with a key that is for one merchant only.
    pub fn merchant(mut self, merchant_id: impl Into<String>) -> Self {
        self.merchant_id = merchant_id.into();
        self
    }

    /// How the server's certificate is checked.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// How long connecting may take: 5 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connect_timeout = timeout;
        self
    }

    /// How long a call may take with all its tries, and a stream to open: 10 s.
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.settings.call_timeout = timeout;
        self
    }

    /// How often the connection is tested (every 20 s), and how long that may take.
    pub fn keep_alive(mut self, interval: Duration, timeout: Duration) -> Self {
        self.settings.keep_alive_interval = interval;
        self.settings.keep_alive_timeout = timeout;
        self
    }

    /// How often at most confirmed deliveries are written or acknowledged: once a second.
    pub fn ack_interval(mut self, interval: Duration) -> Self {
        self.settings.ack_interval = interval;
        self
    }

    /// How long one call of [`Client::await_outcome`] is held by the server: 60 s. Shorten it
    /// where something on the way cuts long calls.
    pub fn await_slice(mut self, slice: Duration) -> Self {
        self.settings.await_slice = slice;
        self
    }

    /// When calls are tried again.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.settings.retry = policy;
        self
    }

    /// Connects now.
    ///
    /// # Errors
    /// `InvalidArgument` if a setting is wrong, `Unavailable` if the server cannot be reached.
    pub async fn connect(self) -> Result<Client, Error> {
        let channel = self.endpoint()?.connect().await.map_err(Error::connecting)?;
        Ok(Client::new(channel, self.authorization()?, &self.merchant_id, self.settings))
    }

    /// Connects with the first call. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// `InvalidArgument` if a setting is wrong.
    pub fn connect_lazy(self) -> Result<Client, Error> {
        let channel = self.endpoint()?.connect_lazy();
        Ok(Client::new(channel, self.authorization()?, &self.merchant_id, self.settings))
    }

    fn endpoint(&self) -> Result<Endpoint, Error> {
        let settings = &self.settings;
        let endpoint = Endpoint::from_shared(self.endpoint.clone())
            .map_err(|e| Error::settings("the address is wrong", e))?
            .user_agent(concat!("paystatus-client/", env!("CARGO_PKG_VERSION")))
            .map_err(|e| Error::settings("the user agent is wrong", e))?
            .connect_timeout(settings.connect_timeout)
            .http2_keep_alive_interval(settings.keep_alive_interval)
            .keep_alive_timeout(settings.keep_alive_timeout)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .tcp_nodelay(true);
        let is_https = endpoint.uri().scheme_str() == Some("https");
        let tls = match &self.tls {
            // Otherwise the key would travel in the clear although TLS was asked for.
            Some(_) if !is_https => {
                let message = "TLS needs an address that begins with https://";
                return Err(Error::local(ErrorKind::InvalidArgument, message));
            }
            Some(tls) => tls.config(),
            None if is_https => ClientTlsConfig::new().with_native_roots(),
            None => return Ok(endpoint),
        };
        endpoint.tls_config(tls).map_err(|e| Error::settings("the TLS settings are wrong", e))
    }

    fn authorization(&self) -> Result<Option<MetadataValue<Ascii>>, Error> {
        let Some(secret) = &self.api_key else {
            return Ok(None);
        };
        let mut value: MetadataValue<Ascii> = format!("Bearer {secret}").parse().map_err(|_| {
            Error::local(ErrorKind::InvalidArgument, "the API key holds characters that none has")
        })?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

impl std::fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The API key stays out of logs.
        f.debug_struct("ClientBuilder")
            .field("endpoint", &self.endpoint)
            .field("merchant_id", &self.merchant_id)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Tls {
    fn config(&self) -> ClientTlsConfig {
        let config = match &self.ca_pem {
            Some(pem) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)),
            None => ClientTlsConfig::new().with_native_roots(),
        };
        let config = match &self.identity {
            Some(Identity { certificate_pem, key_pem }) => {
                config.identity(transport::Identity::from_pem(certificate_pem, key_pem))
            }
            None => config,
        };
        match &self.domain_name {
            Some(name) => config.domain_name(name),
            None => config,
        }
    }
}

//! Every setting, with its default, checked once at start.

mod account;
mod files;
mod status_api;
mod tls;

use std::{net::SocketAddr, path::Path, path::PathBuf, time::Duration};

use serde::Deserialize;

pub use self::{
    account::{AccountConfig, AmountConfig, EnvironmentConfig, SecretConfig},
    status_api::StatusApiConfig,
    tls::{Client, ClientConfig, Tls},
};
use crate::{accounts::Accounts, hub};

/// All settings. `Config::default()` serves on loopback with data in `./paystatus-data`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Folder of the journal and the view.
    pub data: PathBuf,
    /// Where gRPC is served.
    pub grpc_address: SocketAddr,
    /// Where webhooks are taken.
    pub http_address: SocketAddr,
    /// Where metrics and health are served for those who run it; 127.0.0.1:9464 if it is free.
    pub admin_address: Option<SocketAddr>,
    /// Certificate chain and private key, both PEM files. Both or neither.
    pub tls: Option<Tls>,
    /// Streams.
    pub streams: Streams,
    /// Limits.
    pub limits: Limits,
    /// Bytes of memory for the view's cache. Budget three times as much.
    pub view_cache_bytes: u64,
    /// Bytes of one journal file.
    pub segment_bytes: u64,
    /// Threads that serve; 0 is one per core.
    pub threads: usize,
    /// Order-confirmation pages.
    pub pages: Pages,
    /// Provider accounts.
    pub accounts: Vec<AccountConfig>,
}

/// Order-confirmation pages.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pages {
    /// Keys of page tokens: the first signs, each verifies. Without any the server makes one,
    /// in the data folder. To take one away revokes its tokens and closes pages that are open
    /// with them, as soon as the configuration is read again.
    pub keys: Vec<PageKeyConfig>,
    /// Origins whose scripts may read the state of an order, and leave receipts by cookie:
    /// `https://shop.example`, as browsers write it (small letters, no path, no usual port).
    pub origins: Vec<String>,
    /// How long a page stays connected after a refusal: the customer may pay again.
    #[serde(with = "humantime_serde")]
    pub settle: Duration,
    /// How long after an outcome a page may show it before the customer counts as not informed
    /// (`CUSTOMER_NOT_INFORMED`, for the merchant's mailer): `"60s"`, at most a day, or `"off"`
    /// for never. Counts for every recorded order, also where no page token was made.
    #[serde(deserialize_with = "span_or_off")]
    pub not_informed: Option<Duration>,
    /// Pages open at once with one token.
    pub open_per_token: usize,
    /// Pages open at once from one address.
    pub open_per_address: usize,
}

/// A key of page tokens.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageKeyConfig {
    /// Its name, which each token carries.
    pub id: String,
    /// At least 32 bytes that nobody can guess.
    #[serde(default)]
    pub secret: Option<String>,
    /// A file that holds the secret instead.
    #[serde(default)]
    pub file: Option<PathBuf>,
}

/// The secret is not printed.
impl std::fmt::Debug for PageKeyConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PageKeyConfig").field("id", &self.id).finish_non_exhaustive()
    }
}

/// How streams and connections live.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Streams {
    /// The longest silence of a stream.
    #[serde(with = "humantime_serde")]
    pub heartbeat: Duration,
    /// How often an idle connection is probed (HTTP/2 ping).
    #[serde(with = "humantime_serde")]
    pub keep_alive: Duration,
    /// How old a connection may grow before its client is asked to open another.
    #[serde(with = "humantime_serde")]
    pub connection_age: Duration,
    /// How long its streams may go on after that.
    #[serde(with = "humantime_serde")]
    pub connection_grace: Duration,
    /// How long a shutdown waits for streams and calls to end.
    #[serde(with = "humantime_serde")]
    pub drain: Duration,
    /// How many records stay in memory for readers; one that is further behind reads the journal.
    pub memory_records: usize,
}

/// Limits of requests.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of a webhook's body.
    pub webhook_bytes: usize,
    /// Bytes of a gRPC request.
    pub request_bytes: usize,
    /// HTTP connections at once. Above `pages`: what is between is kept for webhooks.
    pub http_connections: usize,
    /// Pages open at once.
    pub pages: usize,
    /// gRPC connections at once.
    pub grpc_connections: usize,
    /// Streams of one gRPC connection.
    pub streams_per_connection: u32,
    /// How long a request's headers and body may take to arrive, and how long a connection without
    /// a request is kept.
    #[serde(with = "humantime_serde")]
    pub webhook_read: Duration,
}

/// The longest time that a page may take to show an outcome.
const NOT_INFORMED_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// Accounts that one merchant may have: each order claims its name at all of them.
const ACCOUNTS_PER_MERCHANT_MAX: usize = 100;

impl Default for Config {
    fn default() -> Self {
        Self {
            data: "./paystatus-data".into(),
            grpc_address: SocketAddr::from(([127, 0, 0, 1], 50051)),
            http_address: SocketAddr::from(([127, 0, 0, 1], 8080)),
            admin_address: None,
            tls: None,
            streams: Streams::default(),
            limits: Limits::default(),
            view_cache_bytes: 256 * 1024 * 1024,
            segment_bytes: 128 * 1024 * 1024,
            threads: 0,
            pages: Pages::default(),
            accounts: Vec::new(),
        }
    }
}

impl Default for Pages {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            origins: Vec::new(),
            settle: Duration::from_secs(15 * 60),
            not_informed: Some(Duration::from_secs(60)),
            open_per_token: 8,
            open_per_address: 1000,
        }
    }
}

impl Default for Streams {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(15),
            keep_alive: Duration::from_secs(20),
            connection_age: Duration::from_secs(1800),
            connection_grace: Duration::from_secs(60),
            drain: Duration::from_secs(10),
            memory_records: hub::RECENT_MAX,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            webhook_bytes: 256 * 1024,
            request_bytes: 1024 * 1024,
            http_connections: 20_000,
            pages: 16_000,
            grpc_connections: 10_000,
            streams_per_connection: 100_000,
            webhook_read: Duration::from_secs(10),
        }
    }
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or an environment variable does not fit.
    #[error("the configuration cannot be read: {0}")]
    Unreadable(#[from] config::ConfigError),
    /// A setting has an impossible value.
    #[error("the setting {setting} {problem}")]
    Invalid {
        /// Which.
        setting: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
}

/// A span such as `60s`, or `off`.
fn span_or_off<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    match String::deserialize(from)?.as_str() {
        "off" => Ok(None),
        span => humantime::parse_duration(span).map(Some).map_err(serde::de::Error::custom),
    }
}

/// True for what a browser sends as the origin of a page, and no more: neither `*` nor `null`, which
/// would be anybody, nor what would mean more in a content security policy.
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_in_hosts =
        |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b':' | b'[' | b']');
    host.is_some_and(|host| !host.is_empty() && host.bytes().all(is_in_hosts))
}

pub(crate) fn invalid(setting: impl Into<String>, problem: impl Into<String>) -> Error {
    Error::Invalid { setting: setting.into(), problem: problem.into() }
}

impl Config {
    /// Reads the defaults, then a TOML file if one is named, then variables such as
    /// `PAYSTATUS_GRPC_ADDRESS` and `PAYSTATUS_STREAMS__HEARTBEAT`.
    ///
    /// # Errors
    /// [`Error`] names the setting.
    pub fn load(file: Option<&Path>) -> Result<Self, Error> {
        let mut builder = config::Config::builder();
        if let Some(file) = file {
            builder = builder.add_source(config::File::from(file));
        }
        let environment =
            config::Environment::with_prefix("PAYSTATUS").prefix_separator("_").separator("__");
        let ignored = ["api_key", "server", "log", "log_format", "merchant"];
        let loaded = builder.add_source(environment.try_parsing(true)).build()?;
        let mut table = loaded.try_deserialize::<config::Map<String, config::Value>>()?;
        // Variables of the command line and the log share the prefix.
        table.retain(|name, _| !ignored.contains(&name.as_str()));
        let value = config::Value::new(None, config::ValueKind::Table(table));
        Ok(value.try_deserialize()?)
    }

    /// Refuses values that cannot work.
    fn check(&self) -> Result<(), Error> {
        let max = crate::journal::ATTACHMENT_BYTES_MAX;
        if self.limits.webhook_bytes > max {
            return Err(invalid("limits.webhook_bytes", format!("must be at most {max}")));
        }
        if self.limits.pages >= self.limits.http_connections {
            let problem =
                "must be below limits.http_connections: pages must leave room for webhooks";
            return Err(invalid("limits.pages", problem));
        }
        if self.streams.heartbeat < Duration::from_millis(10) {
            return Err(invalid("streams.heartbeat", "must be at least 10ms"));
        }
        if let Some(wrong) = self.pages.origins.iter().find(|origin| !is_origin(origin)) {
            let problem = format!("must be like https://shop.example, without a path: {wrong:?}");
            return Err(invalid("pages.origins", problem));
        }
        if self.pages.not_informed.is_some_and(|span| span > NOT_INFORMED_MAX) {
            return Err(invalid("pages.not_informed", "must be at most 24h, or off"));
        }
        Ok(())
    }

    /// Settings that differ from those of the start and that reading them again does not replace.
    #[must_use]
    pub fn needing_restart(&self, start: &Self) -> Vec<&'static str> {
        let differences = [
            ("data", self.data != start.data),
            ("grpc_address", self.grpc_address != start.grpc_address),
            ("http_address", self.http_address != start.http_address),
            ("admin_address", self.admin_address != start.admin_address),
            ("tls", tls::needs_restart(self.tls.as_ref(), start.tls.as_ref())),
            ("streams", self.streams != start.streams),
            ("limits", self.limits != start.limits),
            ("view_cache_bytes", self.view_cache_bytes != start.view_cache_bytes),
            ("segment_bytes", self.segment_bytes != start.segment_bytes),
            ("threads", self.threads != start.threads),
            ("pages.not_informed", self.pages.not_informed != start.pages.not_informed),
        ];
        differences.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }

    /// The accounts, checked.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the account and the setting.
    pub fn accounts(&self) -> Result<Accounts, Error> {
        self.check()?;
        let mut accounts = Accounts::default();
        for (index, config) in self.accounts.iter().enumerate() {
            let account = config.check(index)?;
            let id = account.id.clone();
            let merchant = account.merchant.clone();
            if accounts.insert(account).is_some() {
                return Err(invalid(format!("accounts.{id}"), "is there twice"));
            }
            if accounts.of_merchant(&merchant).len() > ACCOUNTS_PER_MERCHANT_MAX {
                let problem =
                    format!("of one merchant must be at most {ACCOUNTS_PER_MERCHANT_MAX}");
                return Err(invalid("accounts", problem));
            }
        }
        Ok(accounts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn not_informed(setting: &str) -> Result<Option<Duration>, Error> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("paystatus.toml");
        std::fs::write(&file, format!("pages = {{ {setting} }}")).unwrap();
        let config = Config::load(Some(&file))?;
        config.check()?;
        Ok(config.pages.not_informed)
    }

    #[test]
    fn how_long_a_page_may_take_is_a_span_or_off() {
        let span = |setting: &str| not_informed(setting).ok().flatten();
        assert_eq!(span("settle = \"1m\""), Some(Duration::from_secs(60)));
        assert_eq!(span("not_informed = \"1500ms\""), Some(Duration::from_millis(1500)));
        assert_eq!(span("not_informed = \"24h\""), Some(NOT_INFORMED_MAX));
        assert!(matches!(not_informed("not_informed = \"off\""), Ok(None)));
        for wrong in ["never", "-1s", "25h", "60"] {
            assert!(not_informed(&format!("not_informed = \"{wrong}\"")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn origins_are_written_as_browsers_write_them() {
        let origins = |origin: &str| {
            let origins = vec!["https://shop.example".to_owned(), origin.to_owned()];
            Config { pages: Pages { origins, ..Pages::default() }, ..Config::default() }.check()
        };
        for origin in ["https://a.example:8443", "http://127.0.0.1:8080", "http://[::1]:1"] {
            assert!(origins(origin).is_ok(), "{origin}");
        }
        let wrong = ["", "*", "null", "https://", "https://*", "https://*.example", "a.example"];
        for origin in wrong.into_iter().chain(["https://a.example/", "HTTPS://A", "https://a b"]) {
            let refused = origins(origin).expect_err(origin).to_string();
            assert!(refused.contains("pages.origins"), "{refused}");
        }
    }
}

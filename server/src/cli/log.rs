//! The log: to standard error, filtered by `PAYSTATUS_LOG` (`info` if it is not set), as JSON
//! if `PAYSTATUS_LOG_FORMAT` is `json`.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Starts the log.
pub(super) fn start() {
    let filter = EnvFilter::try_from_env("PAYSTATUS_LOG");
    let builder = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(filter.unwrap_or_else(|_| EnvFilter::new("info")));
    if std::env::var("PAYSTATUS_LOG_FORMAT").is_ok_and(|format| format == "json") {
        builder.json().init();
    } else {
        builder.init();
    }
}

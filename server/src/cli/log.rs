//! The log: to standard error, filtered by `PAYSTATUS_LOG`, as JSON if `PAYSTATUS_LOG_FORMAT` is
//! `json`.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Starts the log, at this level if `PAYSTATUS_LOG` is not set.
pub(super) fn start(level: &str) {
    let filter = EnvFilter::try_from_env("PAYSTATUS_LOG");
    let is_coloured = std::io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let builder = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(is_coloured)
        .with_env_filter(filter.unwrap_or_else(|_| EnvFilter::new(level)));
    if std::env::var("PAYSTATUS_LOG_FORMAT").is_ok_and(|format| format == "json") {
        builder.json().init();
    } else {
        builder.init();
    }
}

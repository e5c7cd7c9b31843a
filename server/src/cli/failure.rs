//! What can go wrong on the command line, in plain words, and what to do about it.

use std::io;

use paystatus_client::ErrorKind;

use super::accounts;
use crate::{config, demo, journal, serve, simulate, store};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The server refused, or cannot be reached.
    #[error("{error}")]
    Call {
        #[source]
        error: Box<paystatus_client::Error>,
        /// What to do.
        hint: Option<String>,
    },
    /// A file cannot be read.
    #[error("{path} cannot be read: {source}")]
    File {
        path: String,
        #[source]
        source: io::Error,
    },
    /// The output cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(#[from] io::Error),
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The server does not start, or stopped.
    #[error(transparent)]
    Serve(#[from] serve::Error),
    /// There is nothing to verify.
    #[error("{path} holds no data of a server")]
    NoData { path: String },
    /// View and journal disagree.
    #[error("the view does not agree with the journal: {0}")]
    Verify(#[from] store::verify::Failure),
    /// A secret was not rotated.
    #[error(transparent)]
    Rotate(#[from] accounts::Error),
    /// The demo could not be held.
    #[error(transparent)]
    Demo(#[from] demo::Error),
    /// The simulation could not be played.
    #[error(transparent)]
    Simulate(#[from] simulate::Error),
    /// Orders are not what they must be.
    #[error("{0} orders are not what they must be; see above")]
    Differs(usize),
}

impl Failure {
    /// True if whoever read the output went away.
    pub(super) fn is_broken_pipe(&self) -> bool {
        let source = match self {
            Self::Output(source) | Self::Demo(demo::Error::Output(source)) => source,
            _ => return false,
        };
        source.kind() == io::ErrorKind::BrokenPipe
    }

    /// What to do about it.
    pub(super) fn hint(&self) -> Option<&str> {
        match self {
            Self::Call { hint, .. } => hint.as_deref(),
            Self::Simulate(simulate::Error::Missing { .. }) => Some(
                "Does the account in the configuration fit? `paystatus simulate PROVIDER \
                 --print-config` prints one that does. Where no webhook comes, its \
                 status_api.url must point at --status-api, and --patience must reach beyond its \
                 first poll.",
            ),
            Self::NoData { .. } => Some("Name the folder of a server's data with --data."),
            Self::Serve(serve::Error::Journal(journal::Error::InUse { .. })) => {
                Some("Is a server still running on it? Only one process may open a data folder.")
            }
            Self::Verify(store::verify::Failure::Differs { .. }) => Some(
                "The journal is the truth. Delete the folder `view` inside the data folder: the \
                 next start rebuilds it. Keep a copy for a bug report first.",
            ),
            _ => None,
        }
    }

    /// A call that failed. `has_key` says whether one was sent.
    pub(super) fn of_call(error: paystatus_client::Error, server: &str, has_key: bool) -> Self {
        let hint = hint(&error, server, has_key);
        Self::Call { error: Box::new(error), hint }
    }
}

fn hint(error: &paystatus_client::Error, server: &str, has_key: bool) -> Option<String> {
    let names_merchant = |v: &paystatus_client::Violation| v.field == "merchant_id";
    Some(match error.kind() {
        ErrorKind::Unavailable => format!(
            "No server answers at {server}. Start one with `paystatus serve`, or name another \
             with --server or PAYSTATUS_SERVER."
        ),
        ErrorKind::Unauthenticated if !has_key => {
            "This needs an API key: give it with --key or PAYSTATUS_API_KEY. The first start of \
             `paystatus serve` prints the owner key, once; with it `paystatus keys create` makes \
             more."
                .to_owned()
        }
        ErrorKind::Unauthenticated => {
            "The server does not know this key. Is it whole, of this server, and not revoked? \
             An owner sees all keys with `paystatus keys list`."
                .to_owned()
        }
        ErrorKind::InvalidArgument if error.violations().iter().any(names_merchant) => {
            "Say whose orders: --merchant or PAYSTATUS_MERCHANT.".to_owned()
        }
        ErrorKind::PermissionDenied => {
            "Use a key that may do this; an owner makes one with `paystatus keys create`."
                .to_owned()
        }
        ErrorKind::NotFound => {
            "Is it another merchant's (--merchant)? Orders that only webhooks know are listed by \
             `paystatus orders --unclaimed`."
                .to_owned()
        }
        ErrorKind::DeadlineExceeded => format!("{server} was reached but is too slow."),
        _ => return None,
    })
}

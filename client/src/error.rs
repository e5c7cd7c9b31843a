//! What can go wrong, named after what the caller can do about it.

use std::{collections::HashMap, time::Duration};

use tonic::Code;
use tonic_types::StatusExt as _;

/// What kind of failure it is, and so what can be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client, or the stream, was closed by this program. A mutation that was under way may
    /// have taken effect.
    Closed,
    /// The server cannot be reached or asks to come back later; repeats did not help.
    Unavailable,
    /// No answer within the time allowed. A mutation may have taken effect: repeat it with the
    /// same request id, or look.
    DeadlineExceeded,
    /// The server has too much to do, or a limit is reached.
    ResourceExhausted,
    /// The API key is missing, unknown or revoked.
    Unauthenticated,
    /// The API key may not do this.
    PermissionDenied,
    /// What was named does not exist.
    NotFound,
    /// The id is taken by something with other content.
    AlreadyExists,
    /// The request, the settings or an amount are wrong; see [`Error::violations`].
    InvalidArgument,
    /// The state of things does not allow it; see [`Error::reason`].
    FailedPrecondition,
    /// The server does not know this method.
    Unimplemented,
    /// Another reader took over the named subscription. Do not reconnect by yourself.
    TakenOver,
    /// The named subscription was deleted while it was read.
    SubscriptionDeleted,
    /// The cursor store failed.
    CursorStore,
    /// Something is wrong at the server, or its answer cannot be understood.
    Server,
}

/// A failure: its [`kind`](Error::kind) for the program, its text and source for the log.
///
/// ```
/// # use paystatus_client::{Client, Error, ErrorKind};
/// # async fn example(client: Client) -> Result<(), Error> {
/// match client.get_order("order-1").await {
///     Err(error) if error.kind() == ErrorKind::NotFound => println!("not recorded yet"),
///     other => println!("{}", other?.status),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
    details: Box<Details>,
    #[source]
    source: Option<Box<Source>>,
}

/// A field of a request that the server refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field, as a path of names.
    pub field: String,
    /// What is wrong with it.
    pub description: String,
}

#[derive(Debug, Default)]
struct Details {
    reason: Option<String>,
    metadata: HashMap<String, String>,
    violations: Vec<Violation>,
    retry_after: Option<Duration>,
}

#[derive(Debug, thiserror::Error)]
enum Source {
    #[error(transparent)]
    Status(#[from] tonic::Status),
    #[error(transparent)]
    Transport(#[from] tonic::transport::Error),
    #[error(transparent)]
    CursorStore(#[from] crate::CursorStoreError),
}

impl Error {
    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The server's stable reason, such as `ORDER_ID_TAKEN`, if the server answered.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.details.reason.as_deref()
    }

    /// What the server adds to its reason.
    #[must_use]
    pub fn metadata(&self) -> &HashMap<String, String> {
        &self.details.metadata
    }

    /// The fields that the server refused.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.details.violations
    }

    /// How long the server asks to wait before trying again.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.details.retry_after
    }

    pub(crate) fn local(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), details: Box::default(), source: None }
    }

    pub(crate) fn closed() -> Self {
        Self::local(ErrorKind::Closed, "the client was closed")
    }

    pub(crate) fn no_answer(allowed: Duration) -> Self {
        Self::local(ErrorKind::DeadlineExceeded, format!("no answer within {allowed:?}"))
    }

    /// For an answer that lacks what the contract promises.
    pub(crate) fn incomplete(what: &str) -> Self {
        Self::local(ErrorKind::Server, format!("the server's answer has no {what}"))
    }

    pub(crate) fn connecting(source: tonic::transport::Error) -> Self {
        Self::caused(ErrorKind::Unavailable, "cannot connect", source.into())
    }

    pub(crate) fn settings(what: &str, source: tonic::transport::Error) -> Self {
        Self::caused(ErrorKind::InvalidArgument, what, source.into())
    }

    fn caused(kind: ErrorKind, message: &str, source: Source) -> Self {
        let message = format!("{message}: {source}");
        Self { kind, message, details: Box::default(), source: Some(Box::new(source)) }
    }
}

impl From<tonic::Status> for Error {
    fn from(status: tonic::Status) -> Self {
        let details = Details::of(&status);
        let mut message = match status.message() {
            "" => status.code().description().to_owned(),
            text => text.to_owned(),
        };
        if let Some(reason) = &details.reason {
            message = format!("{message} ({reason})");
        }
        Self {
            kind: kind_of(&status),
            message,
            details: Box::new(details),
            source: Some(Box::new(status.into())),
        }
    }
}

impl From<crate::CursorStoreError> for Error {
    fn from(error: crate::CursorStoreError) -> Self {
        Self::caused(ErrorKind::CursorStore, "the cursor store failed", error.into())
    }
}

impl Details {
    fn of(status: &tonic::Status) -> Self {
        let details = status.get_error_details();
        let (reason, metadata) = match details.error_info() {
            Some(info) => (Some(info.reason.clone()), info.metadata.clone()),
            None => (None, HashMap::new()),
        };
        let violations = details.bad_request().map(|refused| &refused.field_violations[..]);
        let violation = |v: &tonic_types::FieldViolation| Violation {
            field: v.field.clone(),
            description: v.description.clone(),
        };
        Self {
            reason,
            metadata,
            violations: violations.unwrap_or_default().iter().map(violation).collect(),
            retry_after: details.retry_info().and_then(|info| info.retry_delay),
        }
    }
}

fn kind_of(status: &tonic::Status) -> ErrorKind {
    use std::error::Error as _;

    // A status with a source was made on this side: our time ran out, or a connection broke.
    let mut cause = status.source();
    while let Some(error) = cause {
        if error.is::<tonic::TimeoutExpired>() {
            return ErrorKind::DeadlineExceeded;
        }
        cause = error.source();
    }
    let broken = status.source().is_some();
    match status.code() {
        Code::Unknown | Code::Internal | Code::Cancelled if broken => ErrorKind::Unavailable,
        Code::Unavailable => ErrorKind::Unavailable,
        Code::DeadlineExceeded => ErrorKind::DeadlineExceeded,
        Code::ResourceExhausted => ErrorKind::ResourceExhausted,
        Code::Unauthenticated => ErrorKind::Unauthenticated,
        Code::PermissionDenied => ErrorKind::PermissionDenied,
        Code::NotFound => ErrorKind::NotFound,
        Code::AlreadyExists => ErrorKind::AlreadyExists,
        Code::InvalidArgument | Code::OutOfRange => ErrorKind::InvalidArgument,
        Code::FailedPrecondition | Code::Aborted => ErrorKind::FailedPrecondition,
        Code::Unimplemented => ErrorKind::Unimplemented,
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss | Code::Cancelled => {
            ErrorKind::Server
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tonic::{Code, Status};
    use tonic_types::{ErrorDetails, StatusExt as _};

    use super::{Error, ErrorKind};

    #[test]
    fn details_of_the_server_are_kept() {
        let mut details = ErrorDetails::new();
        details
            .set_error_info("FIELD_INVALID", "paystatus", [("limit".into(), "16".into())])
            .add_bad_request_violation("labels", "at most 16")
            .set_retry_info(Some(Duration::from_secs(2)));
        let status = Status::with_error_details(Code::InvalidArgument, "labels: too many", details);

        let error = Error::from(status);

        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert_eq!(error.reason(), Some("FIELD_INVALID"));
        assert_eq!(error.metadata()["limit"], "16");
        assert_eq!(error.violations()[0].field, "labels");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(2)));
        assert_eq!(error.to_string(), "labels: too many (FIELD_INVALID)");
    }

    #[test]
    fn an_unknown_error_of_the_server_is_not_taken_for_a_broken_connection() {
        assert_eq!(Error::from(Status::unknown("x")).kind(), ErrorKind::Server);
        let broken = Status::from_error(Box::new(std::io::Error::other("reset")));
        assert_eq!(Error::from(broken).kind(), ErrorKind::Unavailable);
    }
}

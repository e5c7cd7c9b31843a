//! Why the view cannot be used.

use crate::{journal::Position, record};

/// Why the view cannot be used. The journal is not affected: delete the view and it comes back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Somebody else has it open.
    #[error("the view in {path} is open elsewhere: stop whoever has it open, then start again")]
    Locked {
        /// The folder.
        path: String,
    },
    /// sled failed.
    #[error("the view in {path} cannot be {doing}: {what}. It is rebuilt at the next start")]
    Sled {
        /// The folder.
        path: String,
        /// What was being done.
        doing: &'static str,
        /// What sled said.
        what: String,
    },
    /// The journal could not be read.
    #[error(transparent)]
    Journal(#[from] crate::journal::Error),
    /// A record cannot be read.
    #[error("the record at position {position} cannot be read: {source}")]
    Record {
        /// Where.
        position: Position,
        /// Why.
        #[source]
        source: record::Unreadable,
    },
    /// A stored state cannot be read.
    #[error("a state in the view cannot be read: {0}. Delete the view folder; it is rebuilt")]
    State(#[source] record::Unreadable),
    /// The writer stopped after an error.
    #[error("the view's writer stopped after an error; restart to rebuild")]
    Stopped,
}

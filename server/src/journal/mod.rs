//! The truth: an append-only log of decisions, behind a trait that a replicated log can
//! implement as well.
//!
//! This module knows subjects, versions and bytes; what the bytes say is the business of
//! [`crate::record`]. It keeps out every rule about payments.

pub mod file;
mod limits;
pub mod memory;

use std::sync::Arc;

use bytes::Bytes;

/// Number of a record, from 1, without gaps. 0 stands for "before the first".
pub type Position = u64;

/// Records that one `append` may carry.
pub const APPEND_ENTRIES_MAX: usize = 1024;
/// [`Entry::bytes`] that one `append` may carry; the largest single entry fits.
pub const APPEND_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes after which one `read` stops, but it always gives at least one record.
pub const READ_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of one subject.
pub const SUBJECT_BYTES_MAX: usize = 1024;
/// Claims that one entry may make.
pub const CLAIMS_MAX: usize = 256;
/// Bytes of one claim.
pub const CLAIM_BYTES_MAX: usize = 1024;
/// Bytes of one record, without its attachments.
pub const RECORD_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of one attachment.
pub const ATTACHMENT_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Attachments of one record.
pub const ATTACHMENTS_MAX: usize = 16;

/// What a journal says of itself; it never changes while the journal lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Chosen at random when the journal was created. A restore chooses a new one, so that a
    /// cursor from before cannot silently point elsewhere.
    pub epoch: u64,
}

/// One decision about one subject, to be appended.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What the decision is about: an order, a key, a subscription.
    pub subject: Bytes,
    /// The subject's version that the decision was based on; the record gets the next one.
    pub expected_version: u64,
    /// Chosen by the writer. Tells whether a write of unknown outcome took place.
    pub entry_id: [u8; 16],
    /// Things that belong to the first subject that claims them, for ever. A claim that
    /// another subject holds is a conflict.
    pub claims: Vec<Bytes>,
    /// True if this entry and the one after it take effect together or not at all. Says nothing
    /// on the last entry of an append.
    pub linked_to_next: bool,
    /// The decision, encoded.
    pub record: Bytes,
    /// Bytes that the record refers to by hash, and that may be erased later.
    pub attachments: Vec<Attachment>,
}

impl Entry {
    /// What the entry counts towards [`APPEND_BYTES_MAX`], so that a batch can be ended in time.
    pub fn bytes(&self) -> usize {
        let claims: usize = self.claims.iter().map(Bytes::len).sum();
        let attachments: usize =
            self.attachments.iter().filter_map(|a| a.bytes.as_ref()).map(Bytes::len).sum();
        self.subject.len() + claims + self.record.len() + attachments
    }
}

/// Bytes that a record refers to by hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// What it is; the record says what each kind means.
    pub kind: u8,
    /// The bytes, or `None` if they were erased.
    pub bytes: Option<Bytes>,
}

/// What became of one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It is durable, at this position.
    Committed(Position),
    /// The subject had another version, or a claim belongs to another subject. Nothing was
    /// written. Also the answer for what is linked to such an entry.
    Conflict,
    /// The log did not say. Read what follows and look for the entry id.
    Unknown,
}

/// One record as it is read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its position.
    pub position: Position,
    /// What it is about.
    pub subject: Bytes,
    /// The subject's version after it.
    pub version: u64,
    /// The writer's id of it.
    pub entry_id: [u8; 16],
    /// The claims it made.
    pub claims: Vec<Bytes>,
    /// The decision, encoded.
    pub record: Bytes,
    /// The bytes it refers to.
    pub attachments: Vec<Attachment>,
}

/// Why a journal cannot be used. After an error of `append` it refuses all further writes, unless
/// the error is [`Error::TooLarge`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A call of the operating system failed.
    #[error("the journal cannot {doing} {path}: {source}")]
    Io {
        /// What was being done, as a verb.
        doing: &'static str,
        /// The file or folder.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Something other than the tail is damaged.
    #[error(
        "the journal is damaged at position {position}, in {path} at byte {offset}: {what}. \
         Nothing was changed. Restore this file from a backup"
    )]
    Damaged {
        /// The first position that cannot be read.
        position: Position,
        /// The segment file.
        path: String,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        what: String,
    },
    /// The directory was written by a newer version of this program.
    #[error(
        "{path} has format {found}, and this program reads up to {known}. \
         Start the newer version; nothing was changed"
    )]
    NewerFormat {
        /// The folder.
        path: String,
        /// Its format.
        found: u32,
        /// The newest format known here.
        known: u32,
    },
    /// Another process holds the directory.
    #[error("another process uses {path}. Stop it first, or choose another data directory")]
    InUse {
        /// The folder.
        path: String,
    },
    /// An earlier write failed, so the state of the disk is unknown.
    #[error("the journal stopped after an earlier error; restart to continue")]
    Stopped,
    /// An entry breaks a limit of this module.
    #[error("an entry is too large: {what}")]
    TooLarge {
        /// Which limit.
        what: &'static str,
    },
}

/// The writing end. One owner; everyone else has a [`Reader`].
pub trait Journal: Send + 'static {
    /// Appends entries in order and makes them durable, with one write and one sync.
    ///
    /// Answers one result an entry. After a `Conflict` or `Unknown`, later entries about the same
    /// subject (also of what is linked to it) fail as well, even where their version fits by
    /// chance: they were decided on what did not come to be. Entries about other subjects go on.
    ///
    /// # Errors
    /// An [`Error`] means that nothing is known of any entry, and that every later call fails
    /// with [`Error::Stopped`]. Only [`Error::TooLarge`] is found before anything is written and
    /// leaves the journal as it was.
    fn append(&mut self, entries: &[Entry]) -> Result<Vec<Appended>, Error>;

    /// A handle for reading, valid as long as the journal is open.
    fn reader(&self) -> Arc<dyn Reader>;
}

/// The reading end; cheap to share.
pub trait Reader: Send + Sync + 'static {
    /// Up to `limit` records after `after`, oldest first, without gaps. Empty at the head, and
    /// only there; it may hold fewer than `limit` anywhere, see [`READ_BYTES_MAX`].
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Damaged`].
    fn read(&self, after: Position, limit: usize) -> Result<Vec<Stored>, Error>;

    /// The record at `position`, or `None` if there is none yet.
    ///
    /// # Errors
    /// As [`Reader::read`].
    fn read_one(&self, position: Position) -> Result<Option<Stored>, Error> {
        match position.checked_sub(1) {
            Some(after) => Ok(self.read(after, 1)?.pop()),
            None => Ok(None),
        }
    }

    /// Position of the newest durable record; 0 if there is none.
    fn head(&self) -> Position;

    /// Which journal this is.
    fn identity(&self) -> Identity;
}

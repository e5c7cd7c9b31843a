//! The 64 bytes that begin every segment, and that the identity file consists of.
//!
//! Their layout is fixed for ever, so that any program can tell what it cannot read:
//!
//! ```text
//!  0  8  what the file is         24  8  position of its first record
//!  8  4  format                   32  8  a random number, see `seed`
//! 12  4  zero                     40 20  zero
//! 16  8  epoch of the journal     60  4  CRC-32C of the 60 bytes before
//! ```

use std::{fs::File, os::unix::fs::FileExt, path::Path};

use super::{
    directory::io,
    layout::{u32_at, u64_at},
};
use crate::journal::{Error, Position};

/// Bytes of a head.
pub(super) const HEAD_BYTES: usize = 64;
/// The newest format that this program reads and writes.
pub(super) const FORMAT: u32 = 1;

/// What a file with a head is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The one file that says which journal a directory holds.
    Identity,
    /// A run of records.
    Segment,
}

/// The beginning of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: Kind,
    pub(super) epoch: u64,
    pub(super) first: Position,
    pub(super) salt: u64,
}

impl Head {
    /// A head for a new file.
    pub(super) fn new(kind: Kind, epoch: u64, first: Position) -> Self {
        Self { kind, epoch, first, salt: rand::random() }
    }

    /// What every checksum in the file starts from. It depends on the salt, so bytes of another
    /// file never look like records of this one, nor does anything that arrived from outside.
    pub(super) fn seed(&self) -> u32 {
        u32_at(&self.encode(), 60)
    }

    /// The head as bytes.
    pub(super) fn encode(&self) -> [u8; HEAD_BYTES] {
        let mut bytes = [0; HEAD_BYTES];
        bytes[0..8].copy_from_slice(self.kind.magic());
        bytes[8..12].copy_from_slice(&FORMAT.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.first.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.salt.to_le_bytes());
        let checksum = crc32c::crc32c(&bytes[..60]);
        bytes[60..64].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Reads the head of `file`; `first` is the position that damage is reported at.
    pub(super) fn read(file: &File, path: &Path, kind: Kind, first: u64) -> Result<Self, Error> {
        let damaged = |what: &str| Error::Damaged {
            position: first,
            path: path.display().to_string(),
            offset: 0,
            what: what.to_owned(),
        };
        let mut bytes = [0; HEAD_BYTES];
        match file.read_exact_at(&mut bytes, 0) {
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Err(damaged("the file is too short"));
            }
            read => read.map_err(io("read", path))?,
        }
        if crc32c::crc32c(&bytes[..60]) != u32_at(&bytes, 60) {
            return Err(damaged("the checksum of the file's head is wrong"));
        }
        if bytes[0..8] != *kind.magic() {
            return Err(damaged("this is another kind of file"));
        }
        let found = u32_at(&bytes, 8);
        if found > FORMAT {
            let path = path.display().to_string();
            return Err(Error::NewerFormat { path, found, known: FORMAT });
        }
        Ok(Self {
            kind,
            epoch: u64_at(&bytes, 16),
            first: u64_at(&bytes, 24),
            salt: u64_at(&bytes, 32),
        })
    }
}

impl Kind {
    fn magic(self) -> &'static [u8; 8] {
        match self {
            Self::Identity => b"paystjid",
            Self::Segment => b"paystjlg",
        }
    }
}

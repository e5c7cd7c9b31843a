//! What ends a full segment: a sign that another one follows, so that losing the newest segments
//! is noticed, and the index, so that opening need not read every record.
//!
//! ```text
//!  0  4  "seal"                          20  4  offsets in the index
//!  4  4  CRC-32C of what follows         24  .  the index, 4 bytes an offset
//!  8  8  position of the next record      .  4  where the seal begins in the file
//! 16  4  zero                             .  4  "done"
//! ```

use std::{fs::File, io, os::unix::fs::FileExt};

use super::{
    head::{HEAD_BYTES, Head},
    layout::{u32_at, u64_at},
};
use crate::journal::Position;

const MAGIC: [u8; 4] = *b"seal";
const LAST: [u8; 4] = *b"done";
const FIXED_BYTES: usize = 24;
const TRAILER_BYTES: usize = 8;

/// The end of a segment that will not grow.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seal {
    /// The first position of the segment after this one.
    pub(super) next: Position,
    /// Where the records end and the seal begins.
    pub(super) start: u64,
    /// See [`super::segment::Segment`].
    pub(super) index: Vec<u32>,
}

impl Seal {
    /// Ends the file with the seal, durably.
    pub(super) fn write(&self, file: &File, head: &Head) -> io::Result<()> {
        let bytes = self.encode(head.seed());
        file.write_all_at(&bytes, self.start)?;
        file.set_len(self.start + bytes.len() as u64)?;
        file.sync_all()
    }

    /// The seal of a file, if it ends with one.
    pub(super) fn read(file: &File, head: &Head) -> io::Result<Option<Self>> {
        let length = file.metadata()?.len();
        let smallest = (HEAD_BYTES + FIXED_BYTES + TRAILER_BYTES) as u64;
        if length < smallest {
            return Ok(None);
        }
        let mut trailer = [0; TRAILER_BYTES];
        file.read_exact_at(&mut trailer, length - TRAILER_BYTES as u64)?;
        let start = u64::from(u32_at(&trailer, 0));
        let fits = (HEAD_BYTES as u64..=length - smallest + HEAD_BYTES as u64).contains(&start);
        if trailer[4..] != LAST || !fits {
            return Ok(None);
        }
        let mut bytes = vec![0; (length - start) as usize];
        file.read_exact_at(&mut bytes, start)?;
        Ok(Self::decode(&bytes, start, head.seed()))
    }

    fn encode(&self, seed: u32) -> Vec<u8> {
        let mut out = Vec::with_capacity(FIXED_BYTES + self.index.len() * 4 + TRAILER_BYTES);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&self.next.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&(self.index.len() as u32).to_le_bytes());
        for offset in &self.index {
            out.extend_from_slice(&offset.to_le_bytes());
        }
        out.extend_from_slice(&(self.start as u32).to_le_bytes());
        out.extend_from_slice(&LAST);
        let checksum = crc32c::crc32c_append(seed, &out[8..]);
        out[4..8].copy_from_slice(&checksum.to_le_bytes());
        out
    }

    fn decode(bytes: &[u8], start: u64, seed: u32) -> Option<Self> {
        let offsets = bytes.get(FIXED_BYTES..bytes.len() - TRAILER_BYTES)?;
        let sound = bytes[0..4] == MAGIC
            && crc32c::crc32c_append(seed, &bytes[8..]) == u32_at(bytes, 4)
            && offsets.len() == u32_at(bytes, 20) as usize * 4;
        let index = || offsets.chunks_exact(4).map(|offset| u32_at(offset, 0)).collect();
        sound.then(|| Self { next: u64_at(bytes, 8), start, index: index() })
    }
}

//! One record as bytes.
//!
//! ```text
//! header, 64 bytes                       body, padded to 8       one for each attachment
//!  0  4  "recd"                          a row an attachment:     0  4  "kept" or "gone"
//!  4  4  CRC-32C of the 56 that follow    0  1  kind              4  4  CRC-32C of what follows
//!  8  8  position                         1  3  zero              8  .  bytes, padded to 8
//! 16  8  version                          4  4  length
//! 24 16  entry id                         8 32  SHA-256
//! 40  2  place in its append             a claim each:
//! 42  2  flags: 1 = linked to next        0  2  length, bytes
//! 44  2  length of the subject           the subject
//! 46  2  claims                           0  4  length, bytes of the record
//! 48  2  attachments, then 2 zero
//! 52  4  bytes of the body
//! 56  4  bytes of all attachments
//! 60  4  CRC-32C of the body
//! ```
//!
//! Numbers are little-endian. The record's checksums cover an attachment's kind, length and hash
//! but not its bytes, so erasing them is no damage. The place in its append tells which records
//! were synced together: see `tail`.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::layout::{padded, u16_at, u32_at, u64_at};
use crate::journal::{
    ATTACHMENT_BYTES_MAX, ATTACHMENTS_MAX, Attachment, CLAIM_BYTES_MAX, CLAIMS_MAX, Position,
    RECORD_BYTES_MAX, SUBJECT_BYTES_MAX, Stored,
};

/// Bytes of a record's header.
pub(super) const HEADER_BYTES: usize = 64;
/// Bytes before an attachment's own.
pub(super) const MARK_BYTES: usize = 8;

const MAGIC: [u8; 4] = *b"recd";
/// The first half of the mark of an attachment that is there.
pub(super) const KEPT: [u8; 4] = *b"kept";
const LINKED: u16 = 1;
/// What the body says of one attachment.
pub(super) const ROW_BYTES: usize = 40;
/// No header that claims more is believed.
const FRAME_BYTES_MAX: usize = HEADER_BYTES
    + padded(ATTACHMENTS_MAX * ROW_BYTES + CLAIMS_MAX * (2 + CLAIM_BYTES_MAX))
    + padded(SUBJECT_BYTES_MAX + 4 + RECORD_BYTES_MAX)
    + ATTACHMENTS_MAX * (MARK_BYTES + padded(ATTACHMENT_BYTES_MAX));
/// The mark of an erased attachment, with no checksum.
pub(super) const GONE_MARK: [u8; MARK_BYTES] = *b"gone\0\0\0\0";

/// The fixed part of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) position: Position,
    pub(super) linked_to_next: bool,
    pub(super) version: u64,
    pub(super) entry_id: [u8; 16],
    pub(super) batch_index: u16,
    pub(super) subject_bytes: u16,
    pub(super) claims: u16,
    pub(super) attachments: u16,
    pub(super) body_bytes: u32,
    pub(super) attachments_bytes: u32,
    pub(super) body_checksum: u32,
}

impl Header {
    /// Bytes of the whole frame.
    pub(super) fn frame_bytes(&self) -> usize {
        HEADER_BYTES + self.body_bytes as usize + self.attachments_bytes as usize
    }

    /// Position of the first record of the same append.
    pub(super) fn batch_first(&self) -> Position {
        self.position.saturating_sub(u64::from(self.batch_index))
    }

    /// The header as bytes.
    pub(super) fn encode(&self, seed: u32) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        out[0..4].copy_from_slice(&MAGIC);
        out[8..16].copy_from_slice(&self.position.to_le_bytes());
        out[16..24].copy_from_slice(&self.version.to_le_bytes());
        out[24..40].copy_from_slice(&self.entry_id);
        out[40..42].copy_from_slice(&self.batch_index.to_le_bytes());
        out[42..44].copy_from_slice(&u16::from(self.linked_to_next).to_le_bytes());
        out[44..46].copy_from_slice(&self.subject_bytes.to_le_bytes());
        out[46..48].copy_from_slice(&self.claims.to_le_bytes());
        out[48..50].copy_from_slice(&self.attachments.to_le_bytes());
        out[52..56].copy_from_slice(&self.body_bytes.to_le_bytes());
        out[56..60].copy_from_slice(&self.attachments_bytes.to_le_bytes());
        out[60..64].copy_from_slice(&self.body_checksum.to_le_bytes());
        let checksum = crc32c::crc32c_append(seed, &out[8..]);
        out[4..8].copy_from_slice(&checksum.to_le_bytes());
        out
    }

    /// The header at the start of `bytes`, or `None` if no header of this segment is there.
    pub(super) fn decode(bytes: &[u8], seed: u32) -> Option<Self> {
        let bytes = bytes.first_chunk::<HEADER_BYTES>()?;
        if bytes[0..4] != MAGIC || crc32c::crc32c_append(seed, &bytes[8..]) != u32_at(bytes, 4) {
            return None;
        }
        let header = Self {
            position: u64_at(bytes, 8),
            version: u64_at(bytes, 16),
            entry_id: *bytes[24..].first_chunk()?,
            batch_index: u16_at(bytes, 40),
            linked_to_next: u16_at(bytes, 42) & LINKED != 0,
            subject_bytes: u16_at(bytes, 44),
            claims: u16_at(bytes, 46),
            attachments: u16_at(bytes, 48),
            body_bytes: u32_at(bytes, 52),
            attachments_bytes: u32_at(bytes, 56),
            body_checksum: u32_at(bytes, 60),
        };
        (header.frame_bytes() <= FRAME_BYTES_MAX).then_some(header)
    }

    fn body<'a>(&self, frame: &'a [u8]) -> Option<&'a [u8]> {
        frame.get(HEADER_BYTES..HEADER_BYTES + self.body_bytes as usize)
    }

    /// Checks the whole frame; `Err` says what is wrong.
    pub(super) fn check(&self, frame: &[u8], seed: u32) -> Result<(), &'static str> {
        self.check_body(frame, seed)?;
        self.parts(frame).map(drop)
    }

    fn check_body(&self, frame: &[u8], seed: u32) -> Result<(), &'static str> {
        let body = self.body(frame).ok_or(CUT_OFF)?;
        let sound = crc32c::crc32c_append(seed, body) == self.body_checksum;
        sound.then_some(()).ok_or("the checksum of the record is wrong")
    }

    /// Checks that the attachments are what the record says, by their hashes.
    pub(super) fn check_hashes(&self, frame: &[u8]) -> Result<(), &'static str> {
        let intact = |part: &Part<'_>| {
            part.bytes.is_none_or(|bytes| Sha256::digest(bytes).as_slice() == part.hash)
        };
        let all = self.parts(frame)?.iter().all(intact);
        all.then_some(()).ok_or("the hash of an attachment is wrong")
    }

    /// The attachments of a frame whose body is sound, each checked.
    pub(super) fn parts<'a>(&self, frame: &'a [u8]) -> Result<Vec<Part<'a>>, &'static str> {
        let mut parts = Vec::with_capacity(usize::from(self.attachments));
        let body = self.body(frame).ok_or(CUT_OFF)?;
        let mut at = HEADER_BYTES + body.len();
        for index in 0..usize::from(self.attachments) {
            let row = body.get(index * ROW_BYTES..(index + 1) * ROW_BYTES).ok_or(MALFORMED)?;
            let length = u32_at(row, 4) as usize;
            let stored = padded(length);
            let mark = frame.get(at..at + MARK_BYTES).ok_or(CUT_OFF)?;
            let bytes = frame.get(at + MARK_BYTES..at + MARK_BYTES + stored).ok_or(CUT_OFF)?;
            let kept = mark[0..4] == KEPT;
            if !kept && mark != GONE_MARK {
                return Err("the mark of an attachment is unknown");
            }
            if kept && attachment_checksum(self.body_checksum, index, bytes) != u32_at(mark, 4) {
                return Err("the checksum of an attachment is wrong");
            }
            parts.push(Part {
                kind: row[0],
                hash: &row[8..],
                bytes: kept.then(|| &bytes[..length]),
                at,
                stored,
            });
            at += MARK_BYTES + stored;
        }
        if at == self.frame_bytes() { Ok(parts) } else { Err(MALFORMED) }
    }

    /// Checks the frame and copies its contents out: the record in one piece, and each attachment
    /// in another, so that keeping one does not keep the other.
    pub(super) fn read(&self, frame: &[u8], seed: u32) -> Result<Stored, &'static str> {
        self.check_body(frame, seed)?;
        let attachments = self
            .parts(frame)?
            .iter()
            .map(|part| Attachment {
                kind: part.kind,
                bytes: part.bytes.map(Bytes::copy_from_slice),
            })
            .collect();
        let skipped = usize::from(self.attachments) * ROW_BYTES;
        let body = self.body(frame).and_then(|body| body.get(skipped..)).ok_or(MALFORMED)?;
        let mut body = Bytes::copy_from_slice(body);
        let mut claims = Vec::with_capacity(usize::from(self.claims));
        for _ in 0..self.claims {
            let length = take(&mut body, 2)?;
            claims.push(take(&mut body, usize::from(u16_at(&length, 0)))?);
        }
        let subject = take(&mut body, usize::from(self.subject_bytes))?;
        let length = u32_at(&take(&mut body, 4)?, 0);
        let record = take(&mut body, length as usize)?;
        let (position, version, entry_id) = (self.position, self.version, self.entry_id);
        Ok(Stored { position, subject, version, entry_id, claims, record, attachments })
    }
}

/// One attachment as it lies in a frame.
pub(super) struct Part<'a> {
    kind: u8,
    hash: &'a [u8],
    bytes: Option<&'a [u8]>,
    /// Where its mark is in the frame.
    pub(super) at: usize,
    /// Bytes it takes after the mark.
    pub(super) stored: usize,
}

/// The checksum of an attachment; its seed binds it to its record and place.
pub(super) fn attachment_checksum(seed: u32, index: usize, bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(seed.wrapping_add(index as u32), bytes)
}

const CUT_OFF: &str = "the record is cut off";
const MALFORMED: &str = "the parts of the record do not fit together";

fn take(bytes: &mut Bytes, length: usize) -> Result<Bytes, &'static str> {
    if length <= bytes.len() { Ok(bytes.split_to(length)) } else { Err(MALFORMED) }
}

//! Writes an entry as the frame that `frame` describes.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::{
    frame::{GONE_MARK, HEADER_BYTES, Header, KEPT, MARK_BYTES, ROW_BYTES, attachment_checksum},
    layout::padded,
};
use crate::journal::{Attachment, Entry, Position};

const HASH_BYTES: usize = 32;

/// Where an entry is written.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) position: Position,
    /// Its number in its append, from 0.
    pub(super) batch_index: u16,
    pub(super) linked_to_next: bool,
    /// See `Head::seed`.
    pub(super) seed: u32,
}

/// Bytes that `encode` will add.
pub(super) fn encoded_bytes(entry: &Entry) -> usize {
    let attachments: usize = entry
        .attachments
        .iter()
        .map(|a| MARK_BYTES + padded(a.bytes.as_ref().map_or(0, Bytes::len)))
        .sum();
    HEADER_BYTES + padded(body_bytes(entry)) + attachments
}

fn body_bytes(entry: &Entry) -> usize {
    let claims: usize = entry.claims.iter().map(|claim| 2 + claim.len()).sum();
    entry.attachments.len() * ROW_BYTES + claims + entry.subject.len() + 4 + entry.record.len()
}

/// Adds an entry that keeps the limits.
pub(super) fn encode(entry: &Entry, place: Place, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + HEADER_BYTES, 0);
    encode_body(entry, out);
    let body_bytes = out.len() - start - HEADER_BYTES;
    let body_checksum = crc32c::crc32c_append(place.seed, &out[start + HEADER_BYTES..]);
    for (index, attachment) in entry.attachments.iter().enumerate() {
        encode_attachment(attachment, body_checksum, index, out);
    }
    let attachments_bytes = out.len() - start - HEADER_BYTES - body_bytes;
    let header = Header {
        position: place.position,
        version: entry.expected_version + 1,
        entry_id: entry.entry_id,
        batch_index: place.batch_index,
        linked_to_next: place.linked_to_next,
        subject_bytes: entry.subject.len() as u16,
        claims: entry.claims.len() as u16,
        attachments: entry.attachments.len() as u16,
        body_bytes: body_bytes as u32,
        attachments_bytes: attachments_bytes as u32,
        body_checksum,
    };
    out[start..start + HEADER_BYTES].copy_from_slice(&header.encode(place.seed));
}

fn encode_body(entry: &Entry, out: &mut Vec<u8>) {
    for attachment in &entry.attachments {
        let length = attachment.bytes.as_ref().map_or(0, Bytes::len) as u32;
        out.extend_from_slice(&[attachment.kind, 0, 0, 0]);
        out.extend_from_slice(&length.to_le_bytes());
        match &attachment.bytes {
            Some(bytes) => out.extend_from_slice(&Sha256::digest(bytes)),
            None => out.extend_from_slice(&[0; HASH_BYTES]),
        }
    }
    for claim in &entry.claims {
        out.extend_from_slice(&(claim.len() as u16).to_le_bytes());
        out.extend_from_slice(claim);
    }
    out.extend_from_slice(&entry.subject);
    out.extend_from_slice(&(entry.record.len() as u32).to_le_bytes());
    out.extend_from_slice(&entry.record);
    pad(out);
}

fn encode_attachment(attachment: &Attachment, seed: u32, index: usize, out: &mut Vec<u8>) {
    let Some(bytes) = &attachment.bytes else {
        out.extend_from_slice(&GONE_MARK);
        return;
    };
    let start = out.len();
    out.extend_from_slice(&KEPT);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(bytes);
    pad(out);
    let checksum = attachment_checksum(seed, index, &out[start + MARK_BYTES..]);
    out[start + 4..start + MARK_BYTES].copy_from_slice(&checksum.to_le_bytes());
}

/// A buffer holds whole frames only, so its length stands for the place in the file.
fn pad(out: &mut Vec<u8>) {
    out.resize(padded(out.len()), 0);
}

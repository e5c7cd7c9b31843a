//! What follows the last sound record of the last segment: nothing, a torn append, or records
//! behind damage.
//!
//! An append is one write and one sync, and the next one begins only after that sync. So after a
//! power failure any part of the last append may be missing, also from its middle, but nothing
//! before it. Every record tells where its append began, hence the rule for an unsound record:
//!
//! 1. A header of a later append anywhere behind it: it was durable once. Damage.
//! 2. Headers of its own append behind it: torn if a sector of it was never written, which then
//!    still holds the zeros that the space was allocated with; otherwise damage.
//! 3. No header behind it: torn.
//!
//! Damage to the very last append in the manner of 3 looks like a torn write, and no log can
//! tell; whoever kept the position of an acknowledged record can.

use std::{fs::File, io};

use rustix::{fs::SeekFrom, io::Errno};

use super::{
    frame::{HEADER_BYTES, Header},
    head::Head,
    layout::ALIGNMENT,
    walk::Walk,
    window::Window,
};

/// What a disk writes as a whole.
const SECTOR_BYTES: u64 = 512;
const CHUNK_BYTES: usize = 64 * 1024;
static ZEROS: [u8; CHUNK_BYTES] = [0; CHUNK_BYTES];

/// What follows the last sound record.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// Zeros, or the end of the file.
    Clean,
    /// Part of an append that was never acknowledged.
    Torn,
    /// Records that cannot be reached.
    Damaged,
}

/// Looks at everything behind the sound records of the last segment.
pub(super) fn examine(file: &File, head: &Head, walk: &Walk) -> io::Result<Tail> {
    let Some(written_end) = last_written(file, walk.end)? else {
        return Ok(Tail::Clean);
    };
    let mut window = Window::new(file, written_end);
    let mut offset = walk.end + ALIGNMENT as u64;
    let mut same_append = None;
    while offset < written_end {
        let bytes = window.at(offset, HEADER_BYTES)?;
        if let Some(header) = Header::decode(bytes, head.seed()) {
            if header.batch_first() > walk.next {
                return Ok(Tail::Damaged);
            }
            if header.position > walk.next {
                same_append.get_or_insert(offset);
            }
        }
        offset += ALIGNMENT as u64;
    }
    match same_append {
        Some(next) if !lacks_sector(&mut window, walk.end, next)? => Ok(Tail::Damaged),
        _ => Ok(Tail::Torn),
    }
}

/// The end of the last chunk from `start` on that is not all zeros.
fn last_written(file: &File, start: u64) -> io::Result<Option<u64>> {
    let end = file.metadata()?.len();
    let (mut offset, mut found) = (start, None);
    let mut window = Window::new(file, end);
    while let Some(data) = next_data(file, offset)?.filter(|data| *data < end) {
        let chunk = window.at(data, CHUNK_BYTES)?;
        if chunk.is_empty() {
            break;
        }
        offset = data + chunk.len() as u64;
        if *chunk != ZEROS[..chunk.len()] {
            found = Some(offset);
        }
    }
    Ok(found)
}

/// The next place at or after `offset` that may hold something else than zeros. Allocated space
/// that was never written need not be read.
fn next_data(file: &File, offset: u64) -> io::Result<Option<u64>> {
    match rustix::fs::seek(file, SeekFrom::Data(offset)) {
        Ok(data) => Ok(Some(data.max(offset))),
        Err(Errno::NXIO) => Ok(None),
        Err(Errno::INVAL | Errno::OPNOTSUPP) => Ok(Some(offset)),
        Err(error) => Err(error.into()),
    }
}

fn lacks_sector(window: &mut Window<'_>, start: u64, end: u64) -> io::Result<bool> {
    let mut offset = start;
    while offset < end {
        let sector_end = (offset + 1).next_multiple_of(SECTOR_BYTES).min(end);
        let sector = window.at(offset, (sector_end - offset) as usize)?;
        if sector.iter().all(|byte| *byte == 0) {
            return Ok(true);
        }
        offset = sector_end;
    }
    Ok(false)
}

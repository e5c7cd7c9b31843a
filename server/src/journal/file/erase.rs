//! Erases the bytes of an attachment in place.

use std::os::unix::fs::FileExt;

use super::{
    directory::io,
    frame::{GONE_MARK, MARK_BYTES},
    reader::header_at,
    segment::Segment,
    window::Window,
};
use crate::journal::{Error, Position};

/// Erases in the segment that holds `position`. False if there is no such attachment.
pub(super) fn erase(
    segment: &Segment,
    position: Position,
    attachment: usize,
) -> Result<bool, Error> {
    let mut window = Window::new(&segment.file, segment.end());
    let (mut at, mut offset) = segment.locate(position);
    let mut header = header_at(&mut window, segment, at, offset)?;
    while at < position {
        offset += header.frame_bytes() as u64;
        at += 1;
        header = header_at(&mut window, segment, at, offset)?;
    }
    let frame = window.at(offset, header.frame_bytes()).map_err(io("read", &segment.path))?;
    let damaged = |what| segment.damaged(position, offset, what);
    header.check(frame, segment.seed).map_err(damaged)?;
    let parts = header.parts(frame).map_err(damaged)?;
    let Some(part) = parts.get(attachment) else {
        return Ok(false);
    };
    let mark = offset + part.at as u64;
    // The mark first, and durable: bytes that are gone without it would be damage.
    let erase = || {
        segment.file.write_all_at(&GONE_MARK, mark)?;
        segment.file.sync_data()?;
        segment.file.write_all_at(&vec![0; part.stored], mark + MARK_BYTES as u64)?;
        segment.file.sync_data()
    };
    erase().map_err(io("erase in", &segment.path))?;
    Ok(true)
}

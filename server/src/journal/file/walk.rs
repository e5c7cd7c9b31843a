//! Goes through the records of a segment until one is not sound.

use std::{fs::File, io};

use super::{
    frame::{HEADER_BYTES, Header},
    head::{HEAD_BYTES, Head},
    segment::INDEX_EVERY,
    window::Window,
};
use crate::journal::Position;

/// How far the sound records of a segment reach.
pub(super) struct Walk {
    /// See [`super::segment::Segment`].
    pub(super) index: Vec<u32>,
    /// Where the first byte is that belongs to no sound record.
    pub(super) end: u64,
    /// The position that would be there.
    pub(super) next: Position,
    /// What is there instead.
    pub(super) what: &'static str,
    /// Where the last append began.
    pub(super) batch_start: u64,
    /// The start of a linked group whose last record is missing.
    open_group: Option<(Position, u64)>,
}

impl Walk {
    /// Walks up to the offset `until`.
    pub(super) fn through(file: &File, head: &Head, until: u64, hashes: bool) -> io::Result<Self> {
        let (seed, start) = (head.seed(), HEAD_BYTES as u64);
        let mut walk = Self {
            index: Vec::new(),
            end: start,
            next: head.first,
            what: "there is no record",
            batch_start: start,
            open_group: None,
        };
        let mut window = Window::new(file, until);
        while let Some(header) = Header::decode(window.at(walk.end, HEADER_BYTES)?, seed) {
            if header.position != walk.next {
                walk.what = "another record is in its place";
                break;
            }
            let frame = window.at(walk.end, header.frame_bytes())?;
            let hashed = |()| {
                if hashes { header.check_hashes(frame) } else { Ok(()) }
            };
            if let Err(what) = header.check(frame, seed).and_then(hashed) {
                walk.what = what;
                break;
            }
            walk.step(&header, head.first);
        }
        Ok(walk)
    }

    /// Goes back to before a linked group that is not complete: it must not take effect.
    pub(super) fn drop_open_group(&mut self, first: Position) {
        if let Some((position, offset)) = self.open_group.take() {
            (self.next, self.end) = (position, offset);
            self.index.truncate((position - first).div_ceil(INDEX_EVERY) as usize);
        }
    }

    fn step(&mut self, header: &Header, first: Position) {
        if (self.next - first).is_multiple_of(INDEX_EVERY) {
            self.index.push(self.end as u32);
        }
        if header.batch_first() == self.next {
            self.batch_start = self.end;
        }
        if !header.linked_to_next {
            self.open_group = None;
        } else if self.open_group.is_none() {
            self.open_group = Some((self.next, self.end));
        }
        self.end += header.frame_bytes() as u64;
        self.next += 1;
    }
}

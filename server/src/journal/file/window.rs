//! Reads a file front to back with few calls, and may skip ahead.

use std::{fs::File, io, os::unix::fs::FileExt};

const READ_AHEAD_BYTES_MIN: usize = 64 * 1024;
const READ_AHEAD_BYTES_MAX: usize = 1024 * 1024;

/// A part of a file, held in memory.
pub(super) struct Window<'a> {
    file: &'a File,
    /// Where reading ends, however long the file is.
    end: u64,
    start: u64,
    bytes: Vec<u8>,
    read_ahead: usize,
}

impl<'a> Window<'a> {
    /// A window that shows nothing after `end`.
    pub(super) fn new(file: &'a File, end: u64) -> Self {
        Self { file, end, start: 0, bytes: Vec::new(), read_ahead: READ_AHEAD_BYTES_MIN }
    }

    /// The bytes at `offset`: `length` of them, fewer only if the file ends.
    pub(super) fn at(&mut self, offset: u64, length: usize) -> io::Result<&[u8]> {
        let held = self.start..self.start + self.bytes.len() as u64;
        if offset < held.start || offset + length as u64 > held.end {
            self.load(offset, length)?;
        }
        let from = (offset - self.start) as usize;
        let to = (from + length).min(self.bytes.len());
        Ok(&self.bytes[from.min(to)..to])
    }

    /// Forgets what it holds, so that the next call sees the file as it is then.
    pub(super) fn forget(&mut self) {
        self.bytes.clear();
    }

    fn load(&mut self, offset: u64, length: usize) -> io::Result<()> {
        let left = self.end.saturating_sub(offset);
        let wanted = (length.max(self.read_ahead) as u64).min(left) as usize;
        self.read_ahead = (self.read_ahead * 2).min(READ_AHEAD_BYTES_MAX);
        self.start = offset;
        self.bytes.resize(wanted, 0);
        let mut read = 0;
        while read < wanted {
            match self.file.read_at(&mut self.bytes[read..], offset + read as u64) {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.bytes.clear();
                    return Err(error);
                }
            }
        }
        self.bytes.truncate(read);
        Ok(())
    }
}

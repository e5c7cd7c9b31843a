//! One segment at opening: what is found, whether it is sound, and how it is made ready.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use super::{
    Check, Options,
    directory::{io, segment_path},
    head::{Head, Kind},
    seal::Seal,
    segment::Segment,
    spare::allocate,
    tail::{self, Tail},
    walk::Walk,
};
use crate::journal::{Error, Position};

/// A segment that was found sound.
pub(super) struct Found {
    pub(super) path: PathBuf,
    file: File,
    pub(super) head: Head,
    index: Vec<u32>,
    /// Where its records end.
    pub(super) end: u64,
    /// The position after them.
    pub(super) next: Position,
    /// Where its last append began, if that was looked for.
    batch_start: u64,
    pub(super) is_sealed: bool,
    is_torn: bool,
}

impl Found {
    /// Checks the segment that begins at `first`, where `expected` must; `following` begins the one
    /// after it. Changes nothing.
    pub(super) fn check(
        directory: &Path,
        first: Position,
        expected: Position,
        following: Option<Position>,
        epoch: u64,
        options: &Options,
    ) -> Result<Self, Error> {
        if first != expected {
            return Err(missing(directory, expected));
        }
        let path = segment_path(directory, first);
        let file = File::options().read(true).write(true).open(&path).map_err(io("open", &path))?;
        let head = Head::read(&file, &path, Kind::Segment, first)?;
        if head.epoch != epoch {
            return Err(damaged(first, &path, "it belongs to another journal"));
        }
        if head.first != first {
            return Err(damaged(first, &path, "its name and its first position differ"));
        }
        let seal = Seal::read(&file, &head).map_err(io("read", &path))?;
        match (seal, following) {
            (Some(seal), Some(following)) if seal.next == following => {
                Self::check_sealed(path, file, head, seal, options.check)
            }
            (Some(seal), _) => Err(missing(directory, seal.next)),
            (None, Some(following)) => Self::check_unsealed(path, file, head, following),
            (None, None) => Self::check_last(path, file, head, options.check),
        }
    }

    fn check_sealed(
        path: PathBuf,
        file: File,
        head: Head,
        seal: Seal,
        check: Check,
    ) -> Result<Self, Error> {
        if check != Check::Tail {
            let hashes = check == Check::Hashes;
            let walk =
                Walk::through(&file, &head, seal.start, hashes).map_err(io("read", &path))?;
            if (walk.next, walk.end) != (seal.next, seal.start) || walk.index != seal.index {
                return Err(unreadable(&walk, &path));
            }
        }
        let Seal { next, start: end, index } = seal;
        let (batch_start, is_sealed, is_torn) = (end, true, false);
        Ok(Self { path, file, head, index, end, next, batch_start, is_sealed, is_torn })
    }

    /// All its records must be there: the next segment was begun only when they were durable.
    fn check_unsealed(
        path: PathBuf,
        file: File,
        head: Head,
        following: Position,
    ) -> Result<Self, Error> {
        let walk = walk(&file, &head, &path, false)?;
        if walk.next != following {
            return Err(unreadable(&walk, &path));
        }
        Ok(Self::walked(path, file, head, walk, false))
    }

    fn check_last(path: PathBuf, file: File, head: Head, check: Check) -> Result<Self, Error> {
        let mut walk = walk(&file, &head, &path, check == Check::Hashes)?;
        let tail = tail::examine(&file, &head, &walk).map_err(io("read", &path))?;
        if tail == Tail::Damaged {
            return Err(unreadable(&walk, &path));
        }
        let sound_end = walk.end;
        walk.drop_open_group(head.first);
        let is_torn = tail == Tail::Torn || walk.end != sound_end;
        Ok(Self::walked(path, file, head, walk, is_torn))
    }

    fn walked(path: PathBuf, file: File, head: Head, walk: Walk, is_torn: bool) -> Self {
        let Walk { index, end, next, batch_start, .. } = walk;
        Self { path, file, head, index, end, next, batch_start, is_sealed: false, is_torn }
    }

    /// Makes the last segment ready to be written to.
    pub(super) fn repair(self, options: &Options) -> Result<Segment, Error> {
        self.repair_file(options).map_err(io("repair", &self.path))?;
        Ok(Segment::new(self.path, self.file, self.head, self.index, self.end))
    }

    fn repair_file(&self, options: &Options) -> std::io::Result<()> {
        if self.is_torn {
            // What is cut off must never be read again, so it becomes zeros.
            self.file.set_len(self.end)?;
        }
        allocate(&self.file, options.segment_bytes)?;
        // If the sync of the last append failed, the system may take its bytes for written though
        // they are not, and they have been found sound in memory only.
        let mut last = vec![0; self.end.saturating_sub(self.batch_start) as usize];
        self.file.read_exact_at(&mut last, self.batch_start)?;
        self.file.write_all_at(&last, self.batch_start)?;
        self.file.sync_all()
    }

    /// Ends a full segment if a crash prevented that.
    pub(super) fn reseal(self, next: Position) -> Result<Segment, Error> {
        if !self.is_sealed {
            let seal = Seal { next, start: self.end, index: self.index.clone() };
            seal.write(&self.file, &self.head).map_err(io("seal", &self.path))?;
        }
        Ok(Segment::new(self.path, self.file, self.head, self.index, self.end))
    }
}

fn walk(file: &File, head: &Head, path: &Path, hashes: bool) -> Result<Walk, Error> {
    let end = file.metadata().map_err(io("read", path))?.len();
    Walk::through(file, head, end, hashes).map_err(io("read", path))
}

fn unreadable(walk: &Walk, path: &Path) -> Error {
    let (path, what) = (path.display().to_string(), walk.what.to_owned());
    Error::Damaged { position: walk.next, path, offset: walk.end, what }
}

/// Says that a file is not what it must be.
pub(super) fn damaged(position: Position, path: &Path, what: &str) -> Error {
    let (path, what) = (path.display().to_string(), what.to_owned());
    Error::Damaged { position, path, offset: 0, what }
}

/// Says that a segment is not there.
pub(super) fn missing(directory: &Path, first: Position) -> Error {
    damaged(first, &segment_path(directory, first), "the file is missing")
}

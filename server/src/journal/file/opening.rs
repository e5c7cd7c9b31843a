//! Opening a directory: first everything is checked, and only then is anything changed.

use std::{
    fs::{self, File},
    io::ErrorKind,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Check, Options,
    directory::{self, io, segment_path, spare_path},
    head::{HEAD_BYTES, Head, Kind},
    seal::Seal,
    segment::Segment,
    spare::allocate,
    tail::{self, Tail},
    walk::Walk,
};
use crate::journal::{Error, Position};

/// A journal that is ready for the next record.
pub(super) struct Opened {
    pub(super) epoch: u64,
    /// In order; the last one is written to.
    pub(super) segments: Vec<Arc<Segment>>,
    pub(super) next: Position,
}

/// Opens what is in `directory`, or makes a new journal there.
pub(super) fn open(directory: &Path, options: &Options) -> Result<Opened, Error> {
    let identity = directory::read_identity(directory)?;
    let names = directory::segments(directory)?;
    let Some(epoch) = epoch(directory, identity, &names)? else {
        return create(directory, options);
    };
    let mut found = Vec::with_capacity(names.len());
    for (place, first) in names.iter().enumerate() {
        let following = names.get(place + 1).copied();
        let expected = found.last().map_or(1, |before: &Found| before.next);
        found.push(Found::check(
            directory, *first, expected, following, epoch, options,
        )?);
    }
    refuse_lost_seals(&found)?;
    if identity.is_none() {
        if found.last().is_some_and(|only| only.next > 1) {
            return Err(damaged(
                1,
                &directory::identity_path(directory),
                "the file is missing",
            ));
        }
        directory::write_identity(directory, epoch)?;
    }
    remove_spare(directory)?;
    let next = found.last().map_or(1, |last| last.next);
    let last = found.len() - 1;
    let repaired = found.into_iter().enumerate().map(|(place, found)| {
        let repaired = if place == last {
            found.repair(options)
        } else {
            found.reseal(next)
        };
        repaired.map(Arc::new)
    });
    Ok(Opened {
        epoch,
        segments: repaired.collect::<Result<_, _>>()?,
        next,
    })
}

/// Which journal this is, or `None` if there is none yet.
fn epoch(dir: &Path, identity: Option<Head>, names: &[u64]) -> Result<Option<u64>, Error> {
    match (identity, names) {
        (None, []) => Ok(None),
        (Some(_), []) => Err(missing(dir, 1)),
        (Some(identity), _) => Ok(Some(identity.epoch)),
        // The identity file is the last thing that making a journal makes.
        (None, [first, ..]) => {
            let path = segment_path(dir, *first);
            let file = File::open(&path).map_err(io("open", &path))?;
            Ok(Some(Head::read(&file, &path, Kind::Segment, *first)?.epoch))
        }
    }
}

fn create(directory: &Path, options: &Options) -> Result<Opened, Error> {
    let head = Head::new(Kind::Segment, rand::random(), 1);
    remove_spare(directory)?;
    let file = super::spare::Spare::new(directory, options.segment_bytes).take()?;
    let segment = begin_segment(directory, file, head)?;
    directory::write_identity(directory, head.epoch)?;
    Ok(Opened {
        epoch: head.epoch,
        segments: vec![Arc::new(segment)],
        next: 1,
    })
}

/// Makes a spare file a segment. Only files with a durable head ever get a segment's name.
pub(super) fn begin_segment(directory: &Path, file: File, head: Head) -> Result<Segment, Error> {
    let (spare, path) = (spare_path(directory), segment_path(directory, head.first));
    let begin = || {
        file.write_all_at(&head.encode(), 0)?;
        file.sync_all()?;
        fs::rename(&spare, &path)
    };
    begin().map_err(io("begin", &path))?;
    directory::sync(directory)?;
    Ok(Segment::empty(path, file, head))
}

fn remove_spare(directory: &Path) -> Result<(), Error> {
    let path = spare_path(directory);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(io("remove", &path)(error)),
        _ => Ok(()),
    }
}

/// A segment that was found sound.
struct Found {
    path: PathBuf,
    file: File,
    head: Head,
    index: Vec<u32>,
    /// Where its records end.
    end: u64,
    /// The position after them.
    next: Position,
    /// Where its last append began, if that was looked for.
    batch_start: u64,
    is_sealed: bool,
    is_torn: bool,
}

impl Found {
    fn check(
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
        let file = File::options()
            .read(true)
            .write(true)
            .open(&path)
            .map_err(io("open", &path))?;
        let head = Head::read(&file, &path, Kind::Segment, first)?;
        if head.epoch != epoch {
            return Err(damaged(first, &path, "it belongs to another journal"));
        }
        if head.first != first {
            return Err(damaged(
                first,
                &path,
                "its name and its first position differ",
            ));
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
        let Seal {
            next,
            start: end,
            index,
        } = seal;
        let (batch_start, is_sealed, is_torn) = (end, true, false);
        Ok(Self {
            path,
            file,
            head,
            index,
            end,
            next,
            batch_start,
            is_sealed,
            is_torn,
        })
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
        let Walk {
            index,
            end,
            next,
            batch_start,
            ..
        } = walk;
        Self {
            path,
            file,
            head,
            index,
            end,
            next,
            batch_start,
            is_sealed: false,
            is_torn,
        }
    }

    /// Makes the last segment ready to be written to.
    fn repair(self, options: &Options) -> Result<Segment, Error> {
        self.repair_file(options)
            .map_err(io("repair", &self.path))?;
        Ok(Segment::new(
            self.path, self.file, self.head, self.index, self.end,
        ))
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
    fn reseal(self, next: Position) -> Result<Segment, Error> {
        if !self.is_sealed {
            let seal = Seal {
                next,
                start: self.end,
                index: self.index.clone(),
            };
            seal.write(&self.file, &self.head)
                .map_err(io("seal", &self.path))?;
        }
        Ok(Segment::new(
            self.path, self.file, self.head, self.index, self.end,
        ))
    }
}

/// A segment is sealed before the next one gets a record, so only the last but one may lack it.
fn refuse_lost_seals(found: &[Found]) -> Result<(), Error> {
    let Some((last, full)) = found.split_last() else {
        return Ok(());
    };
    let may_lack_seal = |place| place + 1 == full.len() && last.next == last.head.first;
    for (place, segment) in full.iter().enumerate() {
        if !segment.is_sealed && !may_lack_seal(place) {
            let (position, path) = (segment.next, segment.path.display().to_string());
            let what = "the end of the segment is unreadable".to_owned();
            return Err(Error::Damaged {
                position,
                path,
                offset: segment.end,
                what,
            });
        }
    }
    Ok(())
}

fn walk(file: &File, head: &Head, path: &Path, hashes: bool) -> Result<Walk, Error> {
    let end = file.metadata().map_err(io("read", path))?.len();
    debug_assert!(end >= HEAD_BYTES as u64, "the head was read");
    Walk::through(file, head, end, hashes).map_err(io("read", path))
}

fn unreadable(walk: &Walk, path: &Path) -> Error {
    let (path, what) = (path.display().to_string(), walk.what.to_owned());
    Error::Damaged {
        position: walk.next,
        path,
        offset: walk.end,
        what,
    }
}

fn damaged(position: Position, path: &Path, what: &str) -> Error {
    let (path, what) = (path.display().to_string(), what.to_owned());
    Error::Damaged {
        position,
        path,
        offset: 0,
        what,
    }
}

fn missing(directory: &Path, first: Position) -> Error {
    damaged(
        first,
        &segment_path(directory, first),
        "the file is missing",
    )
}

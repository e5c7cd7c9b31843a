//! Opening a directory: first everything is checked, and only then is anything changed.

use std::{
    fs::{self, File},
    io::ErrorKind,
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
};

use super::{
    Options,
    directory::{self, io, segment_path, spare_path},
    found::{Found, damaged, missing},
    head::{Head, Kind},
    segment::Segment,
    spare::Spare,
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
        found.push(Found::check(directory, *first, expected, following, epoch, options)?);
    }
    refuse_lost_seals(&found)?;
    if identity.is_none() {
        if found.last().is_some_and(|only| only.next > 1) {
            return Err(damaged(1, &directory::identity_path(directory), "the file is missing"));
        }
        directory::write_identity(directory, epoch)?;
    }
    remove_spare(directory)?;
    let next = found.last().map_or(1, |last| last.next);
    let last = found.len() - 1;
    let repaired = found.into_iter().enumerate().map(|(place, found)| {
        let repaired = if place == last { found.repair(options) } else { found.reseal(next) };
        repaired.map(Arc::new)
    });
    Ok(Opened { epoch, segments: repaired.collect::<Result<_, _>>()?, next })
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
    let file = Spare::new(directory, options.segment_bytes).take()?;
    let segment = begin_segment(directory, file, head)?;
    directory::write_identity(directory, head.epoch)?;
    Ok(Opened { epoch: head.epoch, segments: vec![Arc::new(segment)], next: 1 })
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
            return Err(Error::Damaged { position, path, offset: segment.end, what });
        }
    }
    Ok(())
}

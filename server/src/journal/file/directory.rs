//! The directory of a journal: its lock, its file names, and what must be synced beside the
//! files themselves.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use super::head::{Head, Kind};
use crate::journal::{Error, Position};

/// Digits of a segment's name; every position fits, so names sort as positions do.
const NAME_DIGITS: usize = 20;
/// What follows the digits.
const NAME_SUFFIX: &str = ".log";

/// Names what failed, for `map_err`.
pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Io { doing, path: path.display().to_string(), source }
}

/// Makes the directory if need be, and takes it for this process until the file is closed.
pub(super) fn lock(directory: &Path) -> Result<File, Error> {
    if !directory.is_dir() {
        fs::create_dir_all(directory).map_err(io("create", directory))?;
        if let Some(parent) = directory.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync(parent)?;
        }
    }
    let path = directory.join("lock");
    let file = File::options()
        .create(true)
        .write(true)
        .truncate(false)
        .open(&path)
        .map_err(io("create", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Error::InUse { path: directory.display().to_string() })
        }
        Err(TryLockError::Error(source)) => Err(io("lock", &path)(source)),
    }
}

/// Makes the names in a directory durable.
pub(super) fn sync(directory: &Path) -> Result<(), Error> {
    File::open(directory).and_then(|opened| opened.sync_all()).map_err(io("sync", directory))
}

/// Where the segment that begins at `first` is.
pub(super) fn segment_path(directory: &Path, first: Position) -> PathBuf {
    directory.join(format!("{first:0NAME_DIGITS$}{NAME_SUFFIX}"))
}

/// Where the next segment is prepared before it has a name.
pub(super) fn spare_path(directory: &Path) -> PathBuf {
    directory.join("spare")
}

/// Where the identity file is.
pub(super) fn identity_path(directory: &Path) -> PathBuf {
    directory.join("identity")
}

/// First positions of the segments there are, in order.
pub(super) fn segments(directory: &Path) -> Result<Vec<Position>, Error> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(io("list", directory))? {
        let name = entry.map_err(io("list", directory))?.file_name();
        let digits = name.to_str().and_then(|name| name.strip_suffix(NAME_SUFFIX));
        if let Some(digits) = digits.filter(|digits| digits.len() == NAME_DIGITS) {
            found.extend(digits.parse::<Position>().ok());
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// What the directory says it holds; `None` if it does not say.
pub(super) fn read_identity(directory: &Path) -> Result<Option<Head>, Error> {
    let path = identity_path(directory);
    match File::open(&path) {
        Ok(file) => Head::read(&file, &path, Kind::Identity, 1).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io("open", &path)(error)),
    }
}

/// Says durably which journal the directory holds, all at once.
pub(super) fn write_identity(directory: &Path, epoch: u64) -> Result<(), Error> {
    let path = identity_path(directory);
    let unfinished = path.with_extension("new");
    let write = || {
        fs::write(&unfinished, Head::new(Kind::Identity, epoch, 1).encode())?;
        File::open(&unfinished)?.sync_all()?;
        fs::rename(&unfinished, &path)
    };
    write().map_err(io("write", &path))?;
    sync(directory)
}

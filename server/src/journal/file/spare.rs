//! Makes the next segment file ahead of need, so that no append waits for its space.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
};

use rustix::{
    fs::{FallocateFlags, fallocate},
    io::Errno,
};

use super::directory::{io as failed, spare_path};
use crate::journal::Error;

/// The next segment file, perhaps being made right now.
#[derive(Debug)]
pub(super) struct Spare {
    path: PathBuf,
    bytes: u64,
    worker: Option<JoinHandle<io::Result<File>>>,
}

impl Spare {
    /// Nothing is made yet.
    pub(super) fn new(directory: &Path, bytes: u64) -> Self {
        Self { path: spare_path(directory), bytes, worker: None }
    }

    /// Begins to make the file, once.
    pub(super) fn prepare(&mut self) {
        if self.worker.is_none() {
            let (path, bytes) = (self.path.clone(), self.bytes);
            let make = move || make(&path, bytes);
            // Without a thread `take` makes the file.
            self.worker = thread::Builder::new().name("journal-spare".into()).spawn(make).ok();
        }
    }

    /// The file, empty, still without its name.
    pub(super) fn take(&mut self) -> Result<File, Error> {
        let made = self.worker.take().and_then(|worker| worker.join().ok());
        // What failed a while ago, such as a full disk, may work now.
        match made {
            Some(Ok(file)) => Ok(file),
            _ => make(&self.path, self.bytes).map_err(failed("allocate", &self.path)),
        }
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        // The directory is given up after this; nothing may happen in it then.
        if let Some(worker) = self.worker.take() {
            let _unused = worker.join();
        }
    }
}

fn make(path: &Path, bytes: u64) -> io::Result<File> {
    let mut options = File::options();
    let file = options.read(true).write(true).create(true).truncate(true).open(path)?;
    allocate(&file, bytes)?;
    file.sync_all()?;
    Ok(file)
}

/// Reserves space up to `bytes`; what is new reads as zeros.
pub(super) fn allocate(file: &File, bytes: u64) -> io::Result<()> {
    if file.metadata()?.len() >= bytes {
        return Ok(());
    }
    match fallocate(file, FallocateFlags::empty(), 0, bytes) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => file.set_len(bytes),
        result => result.map_err(io::Error::from),
    }
}

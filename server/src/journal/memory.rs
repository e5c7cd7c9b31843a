//! A journal in memory, for tests.
//!
//! It stands for a replicated log: every clone is another writer on the same records, so here
//! versions and claims are really checked and appends do conflict. And it fails on demand: see
//! [`Control`]. It keeps out files, and forgets everything with its last handle.

mod log;
#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use self::log::Log;
use super::{Appended, Entry, Error, Journal, Reader, limits};

/// A writer on a log in memory. A clone is a second writer on the same log, with no faults of its
/// own and still working when this one crashed: another node, or this one after a restart.
#[derive(Debug)]
pub struct MemoryJournal {
    log: Arc<Log>,
    control: Control,
}

/// What happens to one append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails and the journal stops, as after a failed sync.
    Error {
        /// Whether the entries take effect all the same.
        written: bool,
    },
    /// Every entry is answered with [`Appended::Unknown`].
    Unknown {
        /// Whether the entries take effect, as far as they do not conflict.
        written: bool,
    },
    /// It waits for [`Control::release`], and is then subject to the next fault.
    Stall,
}

/// Steers one writer from outside, also when an engine owns it.
#[derive(Clone, Debug, Default)]
pub struct Control {
    shared: Arc<(Mutex<Script>, Condvar)>,
}

#[derive(Debug, Default)]
struct Script {
    faults: VecDeque<Fault>,
    is_stalled: bool,
    is_stopped: bool,
}

impl MemoryJournal {
    /// An empty log of its own, with a random epoch.
    pub fn new() -> Self {
        Self { log: Arc::new(Log::new(rand::random())), control: Control::default() }
    }

    /// What steers this writer, but not its clones.
    pub fn control(&self) -> Control {
        self.control.clone()
    }
}

impl Default for MemoryJournal {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for MemoryJournal {
    fn clone(&self) -> Self {
        Self { log: self.log.clone(), control: Control::default() }
    }
}

impl Journal for MemoryJournal {
    fn append(&mut self, entries: &[Entry]) -> Result<Vec<Appended>, Error> {
        self.control.refuse_if_stopped()?;
        limits::check(entries)?;
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        match self.control.next_fault()? {
            None => Ok(self.log.append(entries)),
            Some(Fault::Unknown { written }) => {
                if written {
                    self.log.append(entries);
                }
                Ok(vec![Appended::Unknown; entries.len()])
            }
            Some(Fault::Error { written }) => {
                if written {
                    self.log.append(entries);
                }
                self.control.script().is_stopped = true;
                let source = io::Error::other("a test asked for this");
                Err(Error::Io { doing: "write", path: "memory".to_owned(), source })
            }
            Some(Fault::Stall) => unreachable!("a stall is waited for, not answered"),
        }
    }

    fn reader(&self) -> Arc<dyn Reader> {
        self.log.clone()
    }
}

impl Control {
    /// Adds a fault: the first one added happens to the next append, and so on.
    pub fn add(&self, fault: Fault) {
        self.script().faults.push_back(fault);
    }

    /// Ends this writer: an append that is stalled takes no effect, and all later ones fail with
    /// [`Error::Stopped`]. The log and its readers live on.
    pub fn crash(&self) {
        self.script().is_stopped = true;
        self.shared.1.notify_all();
    }

    /// Returns when an append is stalled.
    pub fn wait_until_stalled(&self) {
        let waited = self.shared.1.wait_while(self.script(), |script| !script.is_stalled);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Lets a stalled append go on.
    pub fn release(&self) {
        self.script().is_stalled = false;
        self.shared.1.notify_all();
    }

    fn refuse_if_stopped(&self) -> Result<(), Error> {
        if self.script().is_stopped { Err(Error::Stopped) } else { Ok(()) }
    }

    /// The fault of this append, after all stalls before it.
    fn next_fault(&self) -> Result<Option<Fault>, Error> {
        let mut script = self.script();
        loop {
            let fault = script.faults.pop_front();
            if fault != Some(Fault::Stall) {
                return Ok(fault);
            }
            script.is_stalled = true;
            self.shared.1.notify_all();
            let is_held = |script: &mut Script| script.is_stalled && !script.is_stopped;
            let waited = self.shared.1.wait_while(script, is_held);
            script = waited.unwrap_or_else(PoisonError::into_inner);
            if script.is_stopped {
                return Err(Error::Stopped);
            }
        }
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

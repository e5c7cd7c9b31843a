//! The one writer. Takes what is waiting; decides each job against the state left by the one
//! before; makes the batch durable; applies it to the store; tells the hub; answers. In that
//! order, in [`Engine::step`].

mod ask;
mod decide;
mod handle;

#[cfg(test)]
mod tests;

use std::{
    sync::{Arc, OnceLock},
    thread::JoinHandle,
};

use tokio::sync::{mpsc, oneshot};

use crate::{
    domain::time::Time,
    hub::{Committed, Hub},
    journal::{self, Appended, Entry, Journal},
    store::{self, Applied, Store},
};
use decide::{Decided, Overlay};

pub use ask::{Answer, Ask, AskKey, AskSubscription, Evidence, Refused};
pub use handle::{Error, Handle, Health};

/// Jobs that may wait for the engine; one more is refused at once.
pub const JOBS_MAX: usize = 4096;
/// Jobs decided and made durable together.
pub const BATCH_MAX: usize = 256;
/// How often a batch is decided again after conflicts before its callers hear "unavailable".
const ROUNDS_MAX: usize = 100;

/// Reads the clock. A test hands in its own.
pub type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

/// One job: what is asked, and where the answer goes.
pub(crate) struct Job {
    ask: Ask,
    reply: oneshot::Sender<Result<Answer, Error>>,
}

/// The writer. Owned by one thread.
pub struct Engine {
    journal: Box<dyn Journal>,
    store: Arc<Store>,
    hub: Arc<Hub>,
    clock: Clock,
}

/// Why the engine stopped for good.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fatal {
    /// The journal failed: the state of the disk is unknown until it is opened again.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// The view failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// The running engine; ends when the last [`Handle`] is gone.
pub struct Running {
    thread: JoinHandle<()>,
}

impl Running {
    /// Waits until every job taken is answered and the journal is closed.
    pub fn join(self) {
        if self.thread.join().is_err() {
            tracing::error!("the engine panicked");
        }
    }
}

impl Engine {
    /// An engine over a journal and the view that is up to date with it.
    #[must_use]
    pub fn new(journal: Box<dyn Journal>, store: Arc<Store>, hub: Arc<Hub>, clock: Clock) -> Self {
        Self { journal, store, hub, clock }
    }

    /// Starts the engine's thread.
    ///
    /// # Errors
    /// The system's, if it gives no thread.
    pub fn start(self) -> std::io::Result<(Handle, Running)> {
        let (sender, receiver) = mpsc::channel(JOBS_MAX);
        let health = Health::default();
        let handle = Handle::new(sender, Arc::clone(&self.store), health.clone());
        let builder = std::thread::Builder::new().name("engine".into());
        let thread = builder.spawn(move || self.run(receiver, &health))?;
        Ok((handle, Running { thread }))
    }

    fn run(mut self, mut jobs: mpsc::Receiver<Job>, health: &Health) {
        // Whatever ends this thread, also a panic, must show: nobody may believe that it lives.
        let _stopped = health.stops_when_dropped();
        let mut batch = Vec::with_capacity(BATCH_MAX);
        while jobs.blocking_recv_many(&mut batch, BATCH_MAX) > 0 {
            if let Err(error) = self.step(std::mem::take(&mut batch)) {
                tracing::error!(%error, "the engine stops; restart to continue");
                return;
            }
        }
    }

    /// Decides a batch, makes it durable, applies it, announces it, answers it.
    pub(crate) fn step(&mut self, mut waiting: Vec<Job>) -> Result<(), Fatal> {
        for _ in 0..ROUNDS_MAX {
            if waiting.is_empty() {
                return Ok(());
            }
            let mut overlay = Overlay::new(Arc::clone(&self.store), (self.clock)());
            let decided: Vec<(Job, Decided)> = waiting
                .drain(..)
                .map(|job| {
                    let decided = overlay.decide(&job.ask);
                    (job, decided)
                })
                .collect();
            let (entries, applied) = overlay.finish();
            let appended = match self.append(&entries) {
                Ok(appended) => appended,
                Err(error) => {
                    fail_all(decided.into_iter().map(|(job, _)| job));
                    return Err(error.into());
                }
            };
            if follows(&appended, self.store.applied()) {
                self.publish(applied)?;
                answer_all(decided);
            } else {
                waiting = self.settle(&entries, decided)?;
            }
        }
        tracing::warn!(jobs = waiting.len(), "the journal does not take a batch");
        fail_all(waiting.into_iter());
        Ok(())
    }

    fn append(&mut self, entries: &[Entry]) -> Result<Vec<Appended>, journal::Error> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        self.journal.append(entries)
    }

    /// Another writer came between, or an outcome is unknown: follows the journal, answers what
    /// turns out to be written, and returns what has to be decided again.
    fn settle(
        &mut self,
        entries: &[Entry],
        decided: Vec<(Job, Decided)>,
    ) -> Result<Vec<Job>, Fatal> {
        let written = self.follow()?;
        let is_written = |index: usize| written.contains(&entries[index].entry_id);
        let mut again = Vec::new();
        for (job, decision) in decided {
            // What was decided on a batch that did not come to be is decided again too.
            let has_entries = !decision.entries.is_empty();
            if has_entries && decision.entries.clone().all(is_written) {
                answer(job, decision);
            } else {
                again.push(job);
            }
        }
        Ok(again)
    }

    /// Applies and announces everything the journal has beyond the store; returns the ids of
    /// those entries.
    pub(crate) fn follow(&mut self) -> Result<Vec<[u8; 16]>, Fatal> {
        let reader = self.journal.reader();
        let mut seen = Vec::new();
        loop {
            let records = reader.read(self.store.applied(), BATCH_MAX)?;
            if records.is_empty() {
                return Ok(seen);
            }
            for stored in &records {
                seen.push(stored.entry_id);
                let applied = self.store.replay(stored)?;
                self.publish(vec![applied])?;
            }
        }
    }

    fn publish(&self, applied: Vec<Applied>) -> Result<(), Fatal> {
        let committed = |applied: &Applied| {
            Arc::new(Committed {
                position: applied.position,
                version: applied.version,
                record: Arc::clone(&applied.record),
                encoded: OnceLock::new(),
                message: OnceLock::new(),
            })
        };
        let announced = applied.iter().map(committed).collect();
        self.store.apply(applied)?;
        self.hub.announce(announced);
        Ok(())
    }
}

/// True if everything was committed, right after what is applied.
fn follows(appended: &[Appended], applied: journal::Position) -> bool {
    (applied + 1..).zip(appended).all(|(next, a)| *a == Appended::Committed(next))
}

fn answer_all(decided: Vec<(Job, Decided)>) {
    decided.into_iter().for_each(|(job, decided)| answer(job, decided));
}

fn answer(job: Job, decided: Decided) {
    // A caller that went away is no concern of the others.
    drop(job.reply.send(decided.answer.map_err(Error::Refused)));
}

fn fail_all(jobs: impl Iterator<Item = Job>) {
    jobs.for_each(|job| drop(job.reply.send(Err(Error::Unavailable))));
}

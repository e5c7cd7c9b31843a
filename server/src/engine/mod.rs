//! The one writer. Takes what is waiting; decides each job against the state left by the one
//! before; makes the batch durable; applies it to the store; tells the hub; answers. In that
//! order, in one function: `Engine::step`.

mod ask;
mod decide;
mod handle;

#[cfg(test)]
pub(crate) mod tests;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, OnceLock},
    thread::JoinHandle,
};

use tokio::sync::{mpsc, oneshot};

use crate::{
    domain::{command::World as _, time::Time},
    hub::{Committed, Hub},
    journal::{self, Appended, Entry, Journal, Position, RECORD_BYTES_MAX, Reader},
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
    reader: Arc<dyn Reader>,
    store: Arc<Store>,
    hub: Arc<Hub>,
    clock: Clock,
}

/// Jobs with what was decided of them; what is to be written; what that leaves behind.
type Batch = (Vec<(Job, Decided)>, Vec<Entry>, Vec<Applied>);

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
        Self { reader: journal.reader(), journal, store, hub, clock }
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

    /// Decides a batch, makes it durable, applies it, announces it, answers it. What does not fit
    /// into one append takes several.
    pub(crate) fn step(&mut self, batch: Vec<Job>) -> Result<(), Fatal> {
        let mut waiting = VecDeque::from(batch);
        let (mut jobs_max, mut conflicts) = (BATCH_MAX, 0);
        while !waiting.is_empty() && conflicts < ROUNDS_MAX {
            // Nobody is refused for lack of what another writer recorded before.
            self.follow()?;
            let (decided, entries, applied) = self.decide(&mut waiting, jobs_max);
            match self.append(&entries) {
                Ok(appended) if follows(&appended, self.store.applied()) => {
                    self.publish(applied)?;
                    answer_all(decided);
                }
                Ok(_) => {
                    conflicts += 1;
                    put_back(self.settle(&entries, decided)?, &mut waiting);
                }
                Err(journal::Error::TooLarge { what }) => {
                    // Found before anything was written. Only who asks too much is refused.
                    tracing::warn!(jobs = decided.len(), what, "an append is too large");
                    jobs_max = 1;
                    if decided.len() == 1 {
                        decided.into_iter().for_each(refuse_too_large);
                    } else {
                        put_back(decided.into_iter().map(|(job, _)| job).collect(), &mut waiting);
                    }
                }
                Err(error) => {
                    fail_all(decided.into_iter().map(|(job, _)| job).chain(waiting));
                    return Err(error.into());
                }
            }
        }
        if !waiting.is_empty() {
            tracing::warn!(jobs = waiting.len(), "the journal does not take a batch");
            fail_all(waiting.into_iter());
        }
        Ok(())
    }

    /// Decides as many of the waiting jobs as one append holds.
    fn decide(&self, waiting: &mut VecDeque<Job>, jobs_max: usize) -> Batch {
        let mut overlay = Overlay::new(Arc::clone(&self.store), (self.clock)());
        let mut decided = Vec::with_capacity(waiting.len().min(jobs_max));
        while decided.len() < jobs_max && !overlay.is_full() {
            let Some(job) = waiting.pop_front() else { break };
            let decision = overlay.decide(&job.ask);
            decided.push((job, decision));
        }
        let (entries, applied) = overlay.finish();
        (decided, entries, applied)
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
        let mut again = Vec::new();
        for (job, mut decision) in decided {
            let ids = entries[decision.entries.clone()].iter().map(|entry| entry.entry_id);
            let positions: Option<Vec<Position>> =
                ids.map(|id| written.get(&id).copied()).collect();
            match positions.as_deref() {
                Some([first, ..]) => {
                    self.place(&mut decision, *first);
                    answer(job, decision);
                }
                // What was decided on a batch that did not come to be is decided again too.
                _ => again.push(job),
            }
        }
        Ok(again)
    }

    /// The answer as the journal has it: others may have come between.
    fn place(&self, decision: &mut Decided, position: Position) {
        if let Ok(answer) = &mut decision.answer {
            answer.position = Some(position);
            answer.order = answer.order.take().and_then(|order| self.store.order(&order.key));
        }
    }

    /// Applies and announces everything the journal has beyond the store; returns where those
    /// entries are, by their ids.
    pub(crate) fn follow(&mut self) -> Result<HashMap<[u8; 16], Position>, Fatal> {
        let mut seen = HashMap::new();
        while self.reader.head() > self.store.applied() {
            for stored in self.reader.read(self.store.applied(), BATCH_MAX)? {
                seen.insert(stored.entry_id, stored.position);
                let applied = self.store.replay(&stored)?;
                self.publish(vec![applied])?;
            }
        }
        Ok(seen)
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
fn follows(appended: &[Appended], applied: Position) -> bool {
    (applied + 1..).zip(appended).all(|(next, a)| *a == Appended::Committed(next))
}

fn answer_all(decided: Vec<(Job, Decided)>) {
    decided.into_iter().for_each(|(job, decided)| answer(job, decided));
}

fn answer(job: Job, decided: Decided) {
    // A caller that went away is no concern of the others.
    drop(job.reply.send(decided.answer.map_err(Error::Refused)));
}

/// In front of what waits, in the order it had.
fn put_back(jobs: Vec<Job>, waiting: &mut VecDeque<Job>) {
    jobs.into_iter().rev().for_each(|job| waiting.push_front(job));
}

fn refuse_too_large((job, _): (Job, Decided)) {
    let refused = Refused::TooMany { what: "bytes in one record", max: RECORD_BYTES_MAX };
    drop(job.reply.send(Err(Error::Refused(refused))));
}

fn fail_all(jobs: impl Iterator<Item = Job>) {
    jobs.for_each(|job| drop(job.reply.send(Err(Error::Unavailable))));
}

//! The one writer. Takes what is waiting; decides each job against the state left by the one
//! before; makes the batch durable; applies it to the store; tells the hub; answers. In that
//! order, in one function: `Engine::step`.

mod ask;
mod decide;
mod handle;
mod preview;
mod replies;

#[cfg(test)]
pub(crate) mod tests;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, OnceLock},
    thread::JoinHandle,
};

use tokio::sync::mpsc;

use crate::{
    domain::{command::World as _, time::Time},
    hub::{Committed, Hub},
    journal::{self, Appended, Journal, Position, RECORD_BYTES_MAX, Reader},
    store::{self, Applied, Store},
};
use decide::{Decided, Overlay};
use replies::{Outgoing, WayBack};

pub use ask::{Answer, Ask, AskKey, AskOperator, AskSubscription, Evidence, Refused};
pub use decide::{KEYS_MAX, KEYS_PER_OPERATOR_MAX, OPERATORS_MAX};
pub use handle::{Error, Handle, Health};
pub use preview::{Moved, Preview, Previewed};
pub use replies::Replies;

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
    /// Boxed: a job changes hands some times.
    ask: Box<Ask>,
    way: WayBack,
    /// True if sled may be read for it: what it lacked was fetched.
    may_read: bool,
}

/// The writer. Owned by one thread.
pub struct Engine {
    journal: Box<dyn Journal>,
    reader: Arc<dyn Reader>,
    store: Arc<Store>,
    hub: Arc<Hub>,
    clock: Clock,
    /// The batch in hand. Kept from one to the next, as the memory of it is large and fresh
    /// memory is dear.
    overlay: Overlay,
    /// Its jobs, with what was decided of them.
    decided: Vec<(Job, Decided)>,
    outgoing: Outgoing,
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
        let overlay = Overlay::new(Arc::clone(&store));
        let decided = Vec::with_capacity(BATCH_MAX);
        let outgoing = Outgoing::default();
        Self { reader: journal.reader(), journal, store, hub, clock, overlay, decided, outgoing }
    }

    /// Starts the engine's thread.
    ///
    /// # Errors
    /// The system's, if it gives no thread.
    pub fn start(self) -> std::io::Result<(Handle, Running)> {
        let (sender, receiver) = mpsc::channel(JOBS_MAX);
        let (health, threads) = (Health::default(), self.outgoing.threads());
        let handle = Handle::new(sender, Arc::clone(&self.store), (health.clone(), threads));
        let builder = std::thread::Builder::new().name("engine".into());
        let thread = builder.spawn(move || self.run(receiver, &health))?;
        Ok((handle, Running { thread }))
    }

    fn run(mut self, mut jobs: mpsc::Receiver<Job>, health: &Health) {
        // Whatever ends this thread, also a panic, must show: nobody may believe that it lives.
        let _stopped = health.stops_when_dropped();
        let mut batch = Vec::with_capacity(BATCH_MAX);
        while jobs.blocking_recv_many(&mut batch, BATCH_MAX) > 0 {
            if let Err(error) = self.step(&mut batch) {
                tracing::error!(%error, "the engine stops; restart to continue");
                return;
            }
        }
    }

    /// Decides a batch, makes it durable, applies it, announces it, answers it. What does not fit
    /// into one append takes several. Empties the batch, and leaves its memory.
    pub(crate) fn step(&mut self, batch: &mut Vec<Job>) -> Result<(), Fatal> {
        let mut waiting = VecDeque::from(std::mem::take(batch));
        let (mut jobs_max, mut conflicts) = (BATCH_MAX, 0);
        while !waiting.is_empty() && conflicts < ROUNDS_MAX {
            // Nobody is refused for lack of what another writer recorded before.
            self.follow()?;
            self.decide(&mut waiting, jobs_max);
            match self.append() {
                Ok(appended) if follows(&appended, self.store.applied()) => {
                    publish(&self.store, &self.hub, &mut self.overlay.applied)?;
                    for (job, decided) in self.decided.drain(..) {
                        self.outgoing.put(job, decided.answer.map_err(Error::Refused));
                    }
                    self.overlay.clear();
                }
                Ok(_) => {
                    conflicts += 1;
                    put_back(self.settle()?, &mut waiting);
                }
                Err(journal::Error::TooLarge { what }) => {
                    // Found before anything was written. Only who asks too much is refused.
                    tracing::warn!(jobs = self.decided.len(), what, "an append is too large");
                    jobs_max = 1;
                    if self.decided.len() == 1 {
                        let refused = self.decided.drain(..).map(|(job, _)| job);
                        refused.for_each(|job| self.outgoing.put(job, Err(too_large())));
                    } else {
                        put_back(self.decided.drain(..).map(|(job, _)| job), &mut waiting);
                    }
                }
                Err(error) => {
                    let failed = self.decided.drain(..).map(|(job, _)| job).chain(waiting);
                    failed.for_each(|job| self.outgoing.put(job, Err(Error::Unavailable)));
                    self.outgoing.send();
                    return Err(error.into());
                }
            }
            self.outgoing.send();
        }
        if !waiting.is_empty() {
            tracing::warn!(jobs = waiting.len(), "the journal does not take a batch");
            waiting.drain(..).for_each(|job| self.outgoing.put(job, Err(Error::Unavailable)));
            self.outgoing.send();
        }
        *batch = waiting.into();
        Ok(())
    }

    /// Decides as many of the waiting jobs as one append holds.
    fn decide(&mut self, waiting: &mut VecDeque<Job>, jobs_max: usize) {
        self.overlay.begin((self.clock)());
        while self.decided.len() < jobs_max && !self.overlay.is_full() {
            let Some(job) = waiting.pop_front() else { break };
            match self.overlay.decide(&job.ask, job.may_read) {
                Ok(decided) => self.decided.push((job, decided)),
                // Others need not wait for sled.
                Err(lacking) => self.outgoing.put_lacking(job, lacking),
            }
        }
    }

    fn append(&mut self) -> Result<Vec<Appended>, journal::Error> {
        if self.overlay.entries.is_empty() {
            return Ok(Vec::new());
        }
        self.journal.append(&self.overlay.entries)
    }

    /// Another writer came between, or an outcome is unknown: follows the journal, answers what
    /// turns out to be written, and returns what has to be decided again.
    fn settle(&mut self) -> Result<Vec<Job>, Fatal> {
        let written = self.follow()?;
        let mut again = Vec::new();
        for (job, mut decision) in std::mem::take(&mut self.decided) {
            let entries = &self.overlay.entries[decision.entries.clone()];
            let ids = entries.iter().map(|entry| entry.entry_id);
            let positions: Option<Vec<Position>> =
                ids.map(|id| written.get(&id).copied()).collect();
            match positions.as_deref() {
                Some([first, ..]) => {
                    self.place(&mut decision, *first);
                    self.outgoing.put(job, decision.answer.map_err(Error::Refused));
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
                publish(&self.store, &self.hub, &mut vec![applied])?;
            }
        }
        Ok(seen)
    }
}

/// Makes durable records visible, and announces them.
fn publish(store: &Store, hub: &Hub, applied: &mut Vec<Applied>) -> Result<(), Fatal> {
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
    store.apply(applied)?;
    hub.announce(announced);
    Ok(())
}

/// True if everything was committed, right after what is applied.
fn follows(appended: &[Appended], applied: Position) -> bool {
    (applied + 1..).zip(appended).all(|(next, a)| *a == Appended::Committed(next))
}

/// In front of what waits, in the order it had.
fn put_back(
    jobs: impl IntoIterator<Item = Job, IntoIter: DoubleEndedIterator>,
    waiting: &mut VecDeque<Job>,
) {
    jobs.into_iter().rev().for_each(|job| waiting.push_front(job));
}

fn too_large() -> Error {
    Error::Refused(Refused::TooMany { what: "bytes in one record", max: RECORD_BYTES_MAX })
}

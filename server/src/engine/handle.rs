//! How the rest of the server reaches the engine: a cheap handle, a bounded queue, one answer
//! per question.

use std::sync::{Arc, atomic::AtomicBool};

use tokio::sync::{Notify, mpsc, oneshot};

use super::{
    Answer, Ask, Job, Refused, Replies,
    replies::{Outcome, Thread, Threads, WayBack},
};
use crate::store::{self, Lacking, Store};
use std::sync::atomic::Ordering::{Acquire, Release};

/// How often what a job lacks is fetched, before the engine reads sled for it. Each time shows
/// more of what it needs; what was fetched may be dropped from memory before it is used. It reads
/// sled as well to see that something is not there, which the filter is sometimes wrong about.
pub(super) const FETCHES_MAX: u32 = 4;

/// Why a job was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It was refused for what it says; nothing was recorded.
    #[error(transparent)]
    Refused(Refused),
    /// Too much is waiting; nothing was recorded. Try again soon.
    #[error("too much is waiting; try again soon")]
    Busy,
    /// Whether it was recorded is not known. The same request again is safe.
    #[error("the journal cannot be written; whether this was recorded is not known")]
    Unavailable,
    /// The view could not be read; nothing was recorded.
    #[error("the view cannot be read: {0}")]
    View(String),
}

/// Whether the engine still works.
#[derive(Clone, Default)]
pub struct Health(Arc<HealthInner>);

#[derive(Default)]
struct HealthInner {
    has_stopped: AtomicBool,
    stopped: Notify,
}

impl Health {
    /// True until the engine has stopped for good.
    #[must_use]
    pub fn is_good(&self) -> bool {
        !self.0.has_stopped.load(Acquire)
    }

    /// Returns once the engine has stopped for good.
    pub async fn stopped(&self) {
        let notified = self.0.stopped.notified();
        tokio::pin!(notified);
        notified.as_mut().enable();
        if self.is_good() {
            notified.await;
        }
    }

    pub(super) fn stops_when_dropped(&self) -> impl Drop + use<> {
        struct Stop(Health);
        impl Drop for Stop {
            fn drop(&mut self) {
                self.0.0.has_stopped.store(true, Release);
                self.0.0.stopped.notify_waiters();
            }
        }
        Stop(self.clone())
    }
}

/// A way to the engine. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    jobs: mpsc::Sender<Job>,
    store: Arc<Store>,
    health: Health,
    threads: Threads,
    thread: Option<Thread>,
}

impl Handle {
    pub(super) fn new(
        jobs: mpsc::Sender<Job>,
        store: Arc<Store>,
        (health, threads): (Health, Threads),
    ) -> Self {
        Self { jobs, store, health, threads, thread: None }
    }

    /// A handle for many callers of one thread, and what gives them their answers: that thread has
    /// to run it.
    pub fn of_thread(&self) -> (Self, Replies) {
        let (thread, replies) = self.threads.add();
        (Self { thread: Some(thread), ..self.clone() }, replies)
    }

    /// Whether the engine still works.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Asks, and waits until the answer is on disk.
    ///
    /// # Errors
    /// [`Error`]; only `Unavailable` leaves open whether it was recorded.
    pub fn ask(
        &self,
        ask: impl Into<Box<Ask>>,
    ) -> impl Future<Output = Result<Answer, Error>> + Send {
        let mut ask = ask.into();
        async move {
            let (mut fetches, mut may_read) = (0, false);
            loop {
                let (caller, outcome) = oneshot::channel();
                let way = WayBack { caller, thread: self.thread };
                let job = Job { ask, way, may_read };
                self.jobs.try_send(job).map_err(|error| match error {
                    mpsc::error::TrySendError::Full(_) => Error::Busy,
                    mpsc::error::TrySendError::Closed(_) => Error::Unavailable,
                })?;
                match outcome.await.map_err(|_| Error::Unavailable)? {
                    Outcome::Answered(answer, asked) => {
                        drop(asked);
                        return answer;
                    }
                    Outcome::Lacks(back, lacking) => {
                        fetches += 1;
                        may_read = !self.fetch(lacking).await? || fetches == FETCHES_MAX;
                        ask = back;
                    }
                }
            }
        }
    }

    /// Fetches into memory what a decision lacked: the engine does not wait for sled. False if
    /// there is none of it.
    async fn fetch(&self, lacking: Lacking) -> Result<bool, Error> {
        let store = Arc::clone(&self.store);
        let fetched = tokio::task::spawn_blocking(move || store.fetch(&lacking)).await;
        let failed = |error: store::Error| Error::View(error.to_string());
        fetched.map_err(|_| Error::Unavailable)?.map_err(failed)
    }
}

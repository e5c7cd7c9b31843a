//! How the rest of the server reaches the engine: a cheap handle, a bounded queue, one answer
//! per question.

use std::sync::{Arc, atomic::AtomicBool};

use tokio::sync::{Notify, mpsc, oneshot};

use super::{
    Answer, Ask, Job, Refused, Replies,
    replies::{Thread, Threads},
};
use crate::store::{self, Store};
use std::sync::atomic::Ordering::{Acquire, Release};

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
        let ask = ask.into();
        async move {
            self.prefetch(&ask).await?;
            let (caller, answer) = oneshot::channel();
            let job = Job { ask, caller, thread: self.thread };
            self.jobs.try_send(job).map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => Error::Busy,
                mpsc::error::TrySendError::Closed(_) => Error::Unavailable,
            })?;
            answer.await.unwrap_or(Err(Error::Unavailable))
        }
    }

    /// Fetches into memory what the decision will look up: the engine must never wait for sled.
    async fn prefetch(&self, ask: &Ask) -> Result<(), Error> {
        let (orders, claims) = ask.looks_up();
        if !self.store.is_cold(&orders, &claims) {
            return Ok(());
        }
        let store = Arc::clone(&self.store);
        let warmed = tokio::task::spawn_blocking(move || store.warm(&orders, &claims)).await;
        let failed = |error: store::Error| Error::View(error.to_string());
        warmed.map_err(|_| Error::Unavailable)?.map_err(failed)
    }
}

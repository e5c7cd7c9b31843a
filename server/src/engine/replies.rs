//! Answers on their way back to those who asked.
//!
//! To wake a task of another thread costs a call of the system. So the engine hands all answers of
//! a batch that are for one thread to that thread at once, and a task there gives them out for
//! nothing.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{mpsc, oneshot};

use super::{Answer, Ask, Error, Job};
use crate::store::Lacking;

/// What comes back to a caller.
pub(super) enum Outcome {
    /// An answer. What was asked comes with it: its memory goes back to the thread it came from.
    Answered(Result<Answer, Error>, Box<Ask>),
    /// What was asked, undecided, for lack of something that is not in memory.
    Lacks(Box<Ask>, Lacking),
}

/// Where an outcome goes.
pub(super) struct WayBack {
    /// Who waits for it.
    pub(super) caller: oneshot::Sender<Outcome>,
    /// The thread of the caller, if that takes its answers together.
    pub(super) thread: Option<Thread>,
}

/// An outcome, and who waits for it.
struct Reply {
    outcome: Outcome,
    caller: oneshot::Sender<Outcome>,
}

/// Answers for one thread, a batch at a time. As many as it has jobs with the engine, which are
/// bounded.
type Inbox = mpsc::UnboundedSender<Vec<Reply>>;

/// The threads that take their answers together.
#[derive(Clone, Default)]
pub(super) struct Threads(Arc<RwLock<Vec<Inbox>>>);

/// One of [`Threads`].
#[derive(Clone, Copy)]
pub(super) struct Thread(usize);

/// Gives out the answers for the callers of one thread.
#[must_use = "nobody gets an answer before this runs"]
pub struct Replies(mpsc::UnboundedReceiver<Vec<Reply>>);

impl Threads {
    /// One more thread.
    pub(super) fn add(&self) -> (Thread, Replies) {
        let (inbox, replies) = mpsc::unbounded_channel();
        let mut inboxes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        inboxes.push(inbox);
        (Thread(inboxes.len() - 1), Replies(replies))
    }
}

impl Replies {
    /// Gives out answers until the engine is gone. To be run by the thread whose answers they are.
    pub async fn run(mut self) {
        while let Some(batch) = self.0.recv().await {
            batch.into_iter().for_each(Reply::give);
        }
    }
}

impl Reply {
    fn give(self) {
        // A caller that went away is no concern of the others.
        drop(self.caller.send(self.outcome));
    }
}

/// The answers of a batch that are not sent yet.
#[derive(Default)]
pub(super) struct Outgoing {
    threads: Threads,
    of_threads: Vec<Vec<Reply>>,
}

impl Outgoing {
    /// Where it goes.
    pub(super) fn threads(&self) -> Threads {
        self.threads.clone()
    }

    /// Answers a job.
    pub(super) fn put(&mut self, Job { ask, way, .. }: Job, answer: Result<Answer, Error>) {
        self.send_back(way, Outcome::Answered(answer, ask));
    }

    /// Gives a job back undecided.
    pub(super) fn put_lacking(&mut self, Job { ask, way, .. }: Job, lacking: Lacking) {
        self.send_back(way, Outcome::Lacks(ask, lacking));
    }

    /// At once, or together with the others of the thread.
    fn send_back(&mut self, WayBack { caller, thread }: WayBack, outcome: Outcome) {
        let reply = Reply { outcome, caller };
        let Some(Thread(thread)) = thread else {
            return reply.give();
        };
        if self.of_threads.len() <= thread {
            self.of_threads.resize_with(thread + 1, Vec::new);
        }
        self.of_threads[thread].push(reply);
    }

    /// Sends what waits.
    pub(super) fn send(&mut self) {
        let inboxes = self.threads.0.read().unwrap_or_else(PoisonError::into_inner);
        for (inbox, replies) in inboxes.iter().zip(&mut self.of_threads) {
            if !replies.is_empty() {
                // A thread that ended has no callers left.
                drop(inbox.send(std::mem::take(replies)));
            }
        }
    }
}

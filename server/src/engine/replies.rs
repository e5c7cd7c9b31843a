//! Answers on their way back to those who asked.
//!
//! To wake a task of another thread costs a call of the system. So the engine hands all answers of
//! a batch that are for one thread to that thread at once, and a task there gives them out for
//! nothing.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{mpsc, oneshot};

use super::{Answer, Ask, Error, Job};

/// An answer, and who waits for it.
struct Reply {
    answer: Result<Answer, Error>,
    caller: oneshot::Sender<Result<Answer, Error>>,
    /// What was asked: its memory goes back to the thread that it came from.
    _ask: Box<Ask>,
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
        drop(self.caller.send(self.answer));
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

    /// Answers a job: at once, or together with those of its thread.
    pub(super) fn put(&mut self, job: Job, answer: Result<Answer, Error>) {
        let reply = Reply { answer, caller: job.caller, _ask: job.ask };
        let Some(Thread(thread)) = job.thread else {
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

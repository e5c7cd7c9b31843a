//! How far an application confirmed what it was given, and so how far may be acknowledged: never
//! beyond.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// A position that may be acknowledged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) cursor: String,
    /// The reader's newest generation, for named subscriptions.
    pub(crate) generation: i64,
}

/// Counts deliveries and confirmations, and announces the newest position to acknowledge.
#[derive(Debug)]
pub(crate) struct Progress {
    state: Mutex<State>,
    target: watch::Sender<Option<Target>>,
}

#[derive(Debug, Default)]
struct State {
    /// Deliveries so far; the newest has this number.
    delivered: u64,
    /// Everything up to this delivery is confirmed.
    confirmed: u64,
    /// The cursor of the newest frame that follows no unconfirmed delivery but `delivered`.
    newest_cursor: String,
    generation: i64,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::default(), target: watch::Sender::new(None) }
    }

    /// The newest position to acknowledge, from now on.
    pub(crate) fn targets(&self) -> watch::Receiver<Option<Target>> {
        self.target.subscribe()
    }

    /// A reader of this generation takes over from here.
    pub(crate) fn opened(&self, generation: i64) {
        self.lock().generation = generation;
        // What waits to be acknowledged will be, by the new reader: nobody need be woken for it.
        self.target.send_if_modified(|target| {
            if let Some(target) = target {
                target.generation = generation;
            }
            false
        });
    }

    /// A frame with something to confirm; returns its number.
    pub(crate) fn delivered(&self, cursor: &str) -> u64 {
        let mut state = self.lock();
        state.delivered += 1;
        cursor.clone_into(&mut state.newest_cursor);
        state.delivered
    }

    /// A frame with nothing to confirm: its position may be acknowledged with the delivery before.
    pub(crate) fn passed(&self, cursor: &str) {
        let mut state = self.lock();
        if cursor.is_empty() {
            return;
        }
        cursor.clone_into(&mut state.newest_cursor);
        if state.confirmed == state.delivered {
            self.announce(&state, cursor);
        }
    }

    /// Everything up to the delivery with this number and cursor is confirmed.
    pub(crate) fn confirmed(&self, number: u64, cursor: &str) {
        let mut state = self.lock();
        if number <= state.confirmed {
            return;
        }
        state.confirmed = number;
        let is_newest = number == state.delivered;
        self.announce(&state, if is_newest { &state.newest_cursor } else { cursor });
    }

    fn announce(&self, state: &State, cursor: &str) {
        if !cursor.is_empty() {
            let target = Target { cursor: cursor.to_owned(), generation: state.generation };
            self.target.send_replace(Some(target));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::Progress;

    fn target(progress: &Progress) -> Option<String> {
        progress.targets().borrow().clone().map(|target| target.cursor)
    }

    #[test]
    fn nothing_is_acknowledged_beyond_what_was_confirmed() {
        let progress = Progress::new();
        let first = progress.delivered("c1");
        progress.passed("c1-heartbeat");
        let second = progress.delivered("c2");
        progress.passed("c2-heartbeat");
        assert_eq!(target(&progress), None);

        progress.confirmed(first, "c1");
        assert_eq!(target(&progress).as_deref(), Some("c1"));
        progress.passed("c2-later");
        assert_eq!(target(&progress).as_deref(), Some("c1"), "the second is not confirmed");

        progress.confirmed(second, "c2");
        assert_eq!(target(&progress).as_deref(), Some("c2-later"), "nothing lies between");
        progress.passed("c3-heartbeat");
        assert_eq!(target(&progress).as_deref(), Some("c3-heartbeat"), "all is confirmed");
    }

    #[test]
    fn confirming_covers_what_came_before_and_never_goes_back() {
        let progress = Progress::new();
        let first = progress.delivered("c1");
        let second = progress.delivered("c2");
        progress.delivered("c3");
        progress.confirmed(second, "c2");
        progress.confirmed(first, "c1");
        assert_eq!(target(&progress).as_deref(), Some("c2"));
    }
}

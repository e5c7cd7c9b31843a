//! What came to each account since the start: how many webhooks were accepted and rejected, and
//! the last rejections with their explanation. In memory only, and bounded.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
};

use super::{forensics::Finding, intake::What};
use crate::{
    domain::{command::Disposition, ids::AccountId, time::Time},
    providers::Rejected,
};

/// Rejections that are kept for each account.
pub const REJECTIONS_MAX: usize = 10;
/// Rejections of an account that are explained at once; after them one a second is.
const EXPLAINED_AT_ONCE: u32 = 10;

/// What can become of an accepted webhook.
const DISPOSITIONS: [What; 6] = [
    What::Evidence(Disposition::Applied),
    What::Evidence(Disposition::Parked),
    What::Evidence(Disposition::Superseded),
    What::Evidence(Disposition::Repeat),
    What::Kept,
    What::Unreadable,
];

/// The tallies of all accounts.
#[derive(Debug)]
pub struct Tallies {
    /// Since when they count.
    pub since: Time,
    by_account: RwLock<BTreeMap<AccountId, Arc<Tally>>>,
}

/// The tally of one account.
#[derive(Debug, Default)]
pub struct Tally {
    accepted: [AtomicU64; DISPOSITIONS.len()],
    /// Microseconds since 1970; 0 if there was none.
    last_accepted: AtomicI64,
    rejected: Mutex<Rejections>,
}

#[derive(Debug, Default)]
struct Rejections {
    by_reason: BTreeMap<&'static str, u64>,
    recent: VecDeque<Rejection>,
    allowance: Option<(u32, Time)>,
    unexplained: u64,
}

/// A request that did not verify.
#[derive(Clone, Debug)]
pub struct Rejection {
    /// When it came.
    pub time: Time,
    /// Why it was rejected.
    pub rejected: Rejected,
    /// Names of its headers.
    pub header_names: Vec<String>,
    /// Bytes of its body.
    pub body_bytes: usize,
    /// What would have made it verify.
    pub findings: Vec<Finding>,
}

impl Tallies {
    /// Nothing came yet.
    #[must_use]
    pub fn new(since: Time) -> Self {
        Self { since, by_account: RwLock::default() }
    }

    /// The tally of an account.
    #[must_use]
    pub fn of(&self, account: &AccountId) -> Arc<Tally> {
        let known = self.by_account.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(tally) = known.get(account) {
            return Arc::clone(tally);
        }
        drop(known);
        let mut all = self.by_account.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(account.clone()).or_default())
    }
}

impl Tally {
    /// Counts a webhook that was accepted.
    pub fn accepted(&self, what: What, now: Time) {
        if let Some(place) = DISPOSITIONS.iter().position(|known| *known == what) {
            self.accepted[place].fetch_add(1, Relaxed);
        }
        self.last_accepted.fetch_max(now.as_micros(), Relaxed);
    }

    /// Counts a request that was rejected. Returns how many were not explained since the last
    /// that was, if this one is to be explained: in a flood only one a second is.
    pub fn rejected(&self, rejected: &Rejected, now: Time) -> Option<u64> {
        let mut rejections = self.rejections();
        *rejections.by_reason.entry(rejected.word()).or_default() += 1;
        let (left, at) = rejections.allowance.unwrap_or((EXPLAINED_AT_ONCE, now));
        let seconds = now.as_seconds().saturating_sub(at.as_seconds());
        let more = u32::try_from(seconds.max(0)).unwrap_or(u32::MAX);
        let left = left.saturating_add(more).min(EXPLAINED_AT_ONCE);
        rejections.allowance = Some((left.saturating_sub(1), now.max(at)));
        if left == 0 {
            rejections.unexplained += 1;
            return None;
        }
        Some(std::mem::take(&mut rejections.unexplained))
    }

    /// Keeps a rejection that was explained.
    pub fn keep(&self, rejection: Rejection) {
        let mut rejections = self.rejections();
        rejections.recent.push_front(rejection);
        rejections.recent.truncate(REJECTIONS_MAX);
    }

    /// Accepted webhooks by what became of them; only those there were.
    #[must_use]
    pub fn accepted_counts(&self) -> Vec<(What, u64)> {
        let counts = self.accepted.iter().map(|count| count.load(Relaxed));
        DISPOSITIONS.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect()
    }

    /// Rejected requests by reason.
    #[must_use]
    pub fn rejected_counts(&self) -> Vec<(&'static str, u64)> {
        self.rejections().by_reason.iter().map(|(reason, count)| (*reason, *count)).collect()
    }

    /// The last rejections that were explained, newest first.
    #[must_use]
    pub fn recent_rejections(&self) -> Vec<Rejection> {
        self.rejections().recent.iter().cloned().collect()
    }

    /// When the last webhook was accepted.
    #[must_use]
    pub fn last_accepted(&self) -> Option<Time> {
        let micros = self.last_accepted.load(Relaxed);
        (micros > 0).then(|| Time::from_micros(micros))
    }

    fn rejections(&self) -> MutexGuard<'_, Rejections> {
        self.rejected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_flood_one_a_second_is_explained_and_all_are_counted() {
        let tally = Tally::default();
        let at = |second: i64| Time::from_seconds(1_000_000 + second);
        let explained = |second, count: usize| -> Vec<u64> {
            let all = (0..count).map(|_| tally.rejected(&Rejected::Mismatch, at(second)));
            all.flatten().collect()
        };
        assert_eq!(explained(0, 1000), [0; 10]);
        assert_eq!(explained(1, 1000), [990]);
        assert!(explained(1, 1000).is_empty());
        assert_eq!(explained(4, 5), [1999, 0, 0]);
        assert!(explained(0, 1).is_empty(), "a clock that goes back gives nothing");
        assert_eq!(explained(1000, 11).len(), 10, "no more than that is saved up");
        assert_eq!(tally.rejected_counts(), [("mismatch", 1000 + 2000 + 5 + 1 + 11)]);
    }

    #[test]
    fn few_rejections_are_kept() {
        let tally = Tally::default();
        for second in 0..25 {
            tally.keep(Rejection {
                time: Time::from_seconds(second),
                rejected: Rejected::Mismatch,
                header_names: Vec::new(),
                body_bytes: 0,
                findings: Vec::new(),
            });
        }
        let kept = tally.recent_rejections();
        let seconds: Vec<i64> = kept.iter().map(|r| r.time.as_seconds()).collect();
        assert_eq!(seconds, (15..25).rev().collect::<Vec<_>>());
    }

    #[test]
    fn what_was_accepted_is_counted_by_what_became_of_it() {
        let tally = Tally::default();
        assert_eq!((tally.accepted_counts(), tally.last_accepted()), (vec![], None));
        tally.accepted(What::Kept, Time::from_seconds(7));
        tally.accepted(What::Unreadable, Time::from_seconds(5));
        tally.accepted(What::Kept, Time::from_seconds(6));
        assert_eq!(tally.accepted_counts(), [(What::Kept, 2), (What::Unreadable, 1)]);
        assert_eq!(tally.last_accepted(), Some(Time::from_seconds(7)));
    }
}

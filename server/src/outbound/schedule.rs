//! When a provider is asked about what is undecided. Pure: the moments follow from when
//! something was last heard and from nothing else, so a restart neither forgets nor postpones
//! one.

use std::time::Duration;

use crate::domain::time::Time;

/// Part of a gap by which a moment may come later, so that orders of one second do not stay
/// together for ever.
const JITTER: f64 = 0.1;
/// Moments that a list may name.
pub const MOMENTS_MAX: usize = 64;
/// The least factor of a back-off that grows at all.
pub const FACTOR_MIN: f64 = 1.1;

/// When to ask, counted from when something was last heard of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// How moments follow one another.
    pub moments: Moments,
    /// After this nobody asks any more.
    pub until: Duration,
}

/// How moments follow one another.
#[derive(Clone, Debug, PartialEq)]
pub enum Moments {
    /// Each gap is larger than the one before.
    BackOff {
        /// The first gap.
        first: Duration,
        /// How much larger; 1, or at least [`FACTOR_MIN`].
        factor: f64,
        /// The largest gap.
        most: Duration,
    },
    /// At these, rising; then again after each gap like the last one.
    At(Vec<Duration>),
}

impl Default for Schedule {
    fn default() -> Self {
        let (first, most) = (Duration::from_secs(30), Duration::from_secs(6 * 60 * 60));
        Self {
            moments: Moments::BackOff { first, factor: 2.0, most },
            until: Duration::from_secs(30 * 24 * 60 * 60),
        }
    }
}

impl Schedule {
    /// The first moment after `now`, of an order that was last heard of at `heard`. `None` when
    /// nobody is to ask any more. The seed stands for the order.
    #[must_use]
    pub fn next(&self, heard: Time, now: Time, seed: u64) -> Option<Time> {
        let age = micros(now.since(heard));
        let (leading, steady) = self.gaps();
        let gap = |index: usize| leading.get(index).copied().unwrap_or(steady);
        let (mut index, mut offset) = (0, gap(0));
        loop {
            let moment = offset + late(gap(index).min(gap(index + 1)), seed, index);
            if moment > age {
                let is_within = moment <= micros(self.until);
                return is_within.then(|| heard.plus(Duration::from_micros(moment)));
            }
            // Among equal gaps there is no need to count one by one.
            let skipped = if index >= leading.len() { (age - offset) / steady } else { 0 };
            let skipped = skipped.saturating_sub(1);
            index += 1 + usize::try_from(skipped).unwrap_or(usize::MAX / 2);
            offset = offset.saturating_add(steady.saturating_mul(skipped));
            offset = offset.saturating_add(gap(index));
        }
    }

    /// How long to wait after so many failures in a row.
    #[must_use]
    pub fn retry(&self, failures: u32) -> Duration {
        let (leading, steady) = self.gaps();
        let first = leading.first().copied().unwrap_or(steady);
        let doubled = first.saturating_mul(1 << failures.saturating_sub(1).min(10));
        Duration::from_micros(doubled)
    }

    /// The gaps at the beginning, and the one that all others have; in microseconds.
    fn gaps(&self) -> (Vec<u64>, u64) {
        match &self.moments {
            Moments::BackOff { first, factor, most } => {
                let (mut gap, most) = (micros(*first), micros(*most));
                let mut leading = Vec::new();
                while gap < most && *factor > 1.0 {
                    leading.push(gap);
                    gap = micros(Duration::from_micros(gap).mul_f64(*factor)).min(most);
                }
                (leading, gap.max(1))
            }
            Moments::At(moments) => {
                let before = std::iter::once(Duration::ZERO).chain(moments.iter().copied());
                let gaps = moments.iter().zip(before).map(|(at, before)| at.saturating_sub(before));
                let leading: Vec<u64> = gaps.map(micros).collect();
                let steady = leading.last().copied().unwrap_or(1).max(1);
                (leading, steady)
            }
        }
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX / 4).min(u64::MAX / 4)
}

/// How much later the moment of an index comes: the same for the same order, always.
fn late(gap: u64, seed: u64, index: usize) -> u64 {
    // splitmix64: one well-mixed number for each index.
    let mut mixed = seed.wrapping_add((index as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^= mixed >> 31;
    let part = (mixed >> 11) as f64 / (1_u64 << 53) as f64;
    (gap as f64 * JITTER * part) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: u64) -> Time {
        Time::from_seconds(1_000_000).plus(SECOND * u32::try_from(seconds).unwrap())
    }

    /// Moments in seconds after it was heard, each asked for at the one before.
    fn moments(schedule: &Schedule, seed: u64) -> Vec<f64> {
        let mut found = Vec::new();
        let mut now = at(0);
        while let Some(next) = schedule.next(at(0), now, seed) {
            found.push(next.since(at(0)).as_secs_f64());
            now = next;
        }
        found
    }

    fn back_off(first: u64, factor: f64, most: u64, until: u64) -> Schedule {
        let moments =
            Moments::BackOff { first: SECOND * first as u32, factor, most: SECOND * most as u32 };
        Schedule { moments, until: SECOND * until as u32 }
    }

    fn list(seconds: &[u64], until: u64) -> Schedule {
        let moments = seconds.iter().map(|s| Duration::from_secs(*s)).collect();
        Schedule { moments: Moments::At(moments), until: Duration::from_secs(until) }
    }

    #[test]
    fn moments_come_a_little_after_these() {
        for (schedule, expected) in [
            (back_off(30, 2.0, 600, 3000), vec![30, 90, 210, 450, 930, 1530, 2130, 2730]),
            (back_off(10, 1.0, 60, 45), vec![10, 20, 30, 40]),
            (back_off(60, 3.0, 60, 200), vec![60, 120, 180]),
            (list(&[300, 3600, 86400], 300_000), vec![300, 3600, 86400, 169_200, 252_000]),
            (list(&[5], 21), vec![5, 10, 15, 20]),
            (list(&[100], 99), vec![]),
        ] {
            for seed in [0, 1, u64::MAX] {
                let found = moments(&schedule, seed);
                assert_eq!(found.len(), expected.len(), "{schedule:?}: {found:?}");
                for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
                    let expected = *expected as f64;
                    let early = *found < expected;
                    assert!(!early && *found <= expected * 1.1, "{index}: {found} {expected}");
                }
            }
        }
    }

    #[test]
    fn retries_wait_longer_each_time() {
        let waits = [1, 2, 3, 4, 99].map(|n| back_off(30, 2.0, 600, 3000).retry(n).as_secs());
        assert_eq!(waits, [30, 60, 120, 240, 30720]);
    }

    fn any_schedule() -> impl Strategy<Value = Schedule> {
        let back_off = (1..100_u64, prop_oneof![Just(1.0), 1.1..10.0], 0..5000_u64)
            .prop_map(|(first, factor, more)| back_off(first, factor, first + more, 3_000_000));
        let list = prop::collection::btree_set(1..100_000_u64, 1..10)
            .prop_map(|set| list(&set.into_iter().collect::<Vec<_>>(), 3_000_000));
        prop_oneof![back_off, list]
    }

    proptest! {
        /// However often it is asked, and from whatever moment on: the moments are the same.
        #[test]
        fn a_restart_forgets_and_postpones_nothing(
            schedule in any_schedule(),
            seed in any::<u64>(),
            restarts in prop::collection::vec(0..200_000_u64, 1..20),
        ) {
            for restart in restarts {
                let now = at(restart);
                let next = schedule.next(at(0), now, seed).unwrap();
                prop_assert!(next > now);
                // Anybody who asks between finds the same one.
                let between = now.plus(next.since(now).mul_f64(0.5));
                prop_assert_eq!(schedule.next(at(0), between, seed), Some(next));
                let just_before = Time::from_micros(next.as_micros() - 1);
                prop_assert_eq!(schedule.next(at(0), just_before, seed), Some(next));
                prop_assert!(schedule.next(at(0), next, seed).unwrap() > next);
            }
        }

        #[test]
        fn a_clock_that_was_put_back_asks_first_things_first(schedule in any_schedule()) {
            let first = schedule.next(at(0), at(0), 7);
            prop_assert_eq!(schedule.next(at(0), Time::from_seconds(5), 7), first);
        }
    }
}

//! When a provider is silent: it says nothing for far longer than it usually does, although
//! payments wait for news of it. Pure.

use crate::domain::time::Time;

/// No shorter silence is one, in seconds.
pub const SHORTEST: i64 = 600;
/// How many of its usual pauses a silence must be longer than.
pub const PAUSES: i64 = 10;
/// What is allowed of an account whose habits are not known, in seconds.
pub const UNKNOWN: i64 = 3600;

/// How long an account may say nothing, in seconds, given its longest usual pause.
#[must_use]
pub fn allowed(usual_pause: Option<i64>) -> i64 {
    usual_pause.map_or(UNKNOWN, |pause| pause.saturating_mul(PAUSES).max(SHORTEST))
}

/// Since when a provider is silent, and how many payments wait; nothing if it is not.
///
/// A payment waits for news if it was begun after the last that was heard, or not longer before
/// it than a silence is allowed to last: what somebody gave up long ago waits for nothing, and an
/// account without payments may be as quiet as it likes.
#[must_use]
pub fn since(
    heard: Option<Time>,
    undecided: impl Iterator<Item = Time>,
    allowed: i64,
    now: Time,
) -> Option<(Time, u64)> {
    let begins = heard.map(|heard| heard.minus_seconds(allowed));
    let waiting = undecided.filter(|begun| begins.is_none_or(|begins| *begun > begins));
    let (mut oldest, mut count) = (None::<Time>, 0);
    for begun in waiting {
        oldest = Some(oldest.map_or(begun, |oldest| oldest.min(begun)));
        count += 1;
    }
    let since = oldest?.max(heard.unwrap_or_default());
    (since < now.minus_seconds(allowed)).then_some((since, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Last heard, payments begun, usual pause, now: all in seconds. Silent since, and who waits.
    type Case = (Option<i64>, &'static [i64], Option<i64>, i64, Option<(i64, u64)>);

    const CASES: &[Case] = &[
        // Nobody waits.
        (Some(10_000), &[], Some(5), 1_000_000, None),
        (None, &[], None, 1_000_000, None),
        // Ten minutes at the least.
        (Some(10_000), &[9_990], Some(5), 10_600, None),
        (Some(10_000), &[9_990], Some(5), 10_601, Some((10_000, 1))),
        // Ten times the usual pause if that is more.
        (Some(10_000), &[9_990], Some(100), 11_000, None),
        (Some(10_000), &[9_990, 9_001, 9_000], Some(100), 11_001, Some((10_000, 2))),
        // It counts from the first payment that can have had news.
        (Some(10_000), &[20_000, 20_100], Some(5), 20_600, None),
        (Some(10_000), &[20_000, 20_100], Some(5), 20_601, Some((20_000, 2))),
        // What was given up long before waits for nothing.
        (Some(10_000), &[9_400], Some(5), 50_000, None),
        (Some(10_000), &[9_401], Some(5), 50_000, Some((10_000, 1))),
        (Some(10_000), &[9_400, 49_990], Some(5), 50_000, None),
        // Nothing was ever heard, or its habits are not known.
        (None, &[5_000, 6_000], None, 8_600, None),
        (None, &[5_000, 6_000], None, 8_601, Some((5_000, 2))),
        (Some(5_000), &[5_500], None, 9_100, None),
        (Some(5_000), &[5_500], None, 9_101, Some((5_500, 1))),
        // A clock that was set back.
        (Some(10_000), &[10_000], Some(5), 5_000, None),
        (Some(10_000), &[10_000], Some(i64::MAX), 1_000_000, None),
    ];

    #[test]
    fn the_rule() {
        for case in CASES {
            let (heard, undecided, pause, now, expected) = *case;
            let undecided = undecided.iter().map(|second| Time::from_seconds(*second));
            let heard = heard.map(Time::from_seconds);
            let found = since(heard, undecided, allowed(pause), Time::from_seconds(now));
            let found = found.map(|(since, count)| (since.as_seconds(), count));
            assert_eq!(found, expected, "{case:?}");
        }
    }
}

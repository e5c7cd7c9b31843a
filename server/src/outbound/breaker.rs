//! Leaves a provider alone that is down: after some failures in a row nobody asks for a while,
//! then one may try. Pure: time comes in.

use std::time::{Duration, Instant};

/// The longest time that nobody asks.
pub const PAUSE_MAX: Duration = Duration::from_secs(10 * 60);
/// How long the others wait to hear what became of the one who tries.
const TRY_WAIT: Duration = Duration::from_secs(1);

/// When it opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Failures in a row.
    pub failures: u32,
    /// How long nobody asks at first; each failed try doubles it, up to [`PAUSE_MAX`].
    pub pause: Duration,
}

/// Counts failures in a row.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: u32,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    until: Instant,
    pause: Duration,
    is_tried: bool,
}

impl Breaker {
    /// True if nobody is asked but to try.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// When to come back, if nobody may ask now.
    pub(super) fn closed_until(&self, now: Instant) -> Option<Instant> {
        match &self.open {
            Some(open) if now < open.until => Some(open.until),
            Some(open) if open.is_tried => Some(now + TRY_WAIT),
            _ => None,
        }
    }

    /// May somebody ask now? If not, when to come back. Who may must say what came of it.
    pub(super) fn ask(&mut self, now: Instant) -> Result<(), Instant> {
        if let Some(until) = self.closed_until(now) {
            return Err(until);
        }
        if let Some(open) = &mut self.open {
            open.is_tried = true;
        }
        Ok(())
    }

    /// The provider answered.
    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// The provider failed.
    pub(super) fn failed(&mut self, limits: Limits, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        match &mut self.open {
            Some(open) if open.is_tried => {
                let pause = (open.pause * 2).min(PAUSE_MAX.max(limits.pause));
                *open = Open { until: now + pause, pause, is_tried: false };
            }
            // Somebody who asked before it opened.
            Some(_) => {}
            None if self.failures >= limits.failures => {
                let pause = limits.pause;
                self.open = Some(Open { until: now + pause, pause, is_tried: false });
            }
            None => {}
        }
    }

    /// Nothing came of it that says anything about the provider.
    pub(super) fn abandoned(&mut self) {
        if let Some(open) = &mut self.open {
            open.is_tried = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs steps at seconds: `?` asks and may, `x` asks and may not, `+` `-` `~` say what came.
    fn run(steps: &[(u64, &str)]) {
        let limits = Limits { failures: 3, pause: Duration::from_secs(10) };
        let start = Instant::now();
        let mut breaker = Breaker::default();
        for (index, (second, step)) in steps.iter().enumerate() {
            let now = start + Duration::from_secs(*second);
            match *step {
                "?" => assert_eq!(breaker.ask(now), Ok(()), "step {index} at {second}"),
                "x" => assert!(breaker.ask(now).unwrap_err() > now, "step {index} at {second}"),
                "+" => breaker.succeeded(),
                "-" => breaker.failed(limits, now),
                "~" => breaker.abandoned(),
                _ => panic!("{step}"),
            }
        }
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_lets_one_try() {
        // A success between them begins the count again.
        run(&[(0, "-"), (0, "-"), (0, "+"), (0, "-"), (0, "-"), (0, "?"), (0, "-"), (1, "x")]);
        // One tries, the others wait; it works, all may.
        let opened = [(0, "-"), (0, "-"), (0, "-"), (9, "x"), (10, "?"), (10, "x")];
        run(&[&opened[..], &[(11, "+"), (11, "?"), (11, "?")]].concat());
        // It fails: twice the pause.
        run(&[&opened[..], &[(11, "-"), (20, "x"), (30, "x"), (31, "?")]].concat());
        // It came to nothing: another may try.
        run(&[&opened[..], &[(11, "~"), (11, "?")]].concat());
        // Failures of those who asked before it opened change nothing.
        run(&[(0, "-"), (0, "-"), (0, "-"), (5, "-"), (10, "?")]);
    }

    #[test]
    fn a_pause_has_an_end() {
        let limits = Limits { failures: 1, pause: Duration::from_secs(10) };
        let mut now = Instant::now();
        let mut breaker = Breaker::default();
        breaker.failed(limits, now);
        for _ in 0..50 {
            let until = breaker.ask(now).unwrap_err();
            assert!(until - now <= PAUSE_MAX);
            now = until;
            assert_eq!(breaker.ask(now), Ok(()));
            breaker.failed(limits, now);
        }
        assert!(breaker.is_open());
    }
}

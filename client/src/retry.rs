//! Whether to try again, and how long to wait: a pure decision. The waiting is done elsewhere.

use std::time::Duration;

use crate::error::{Error, ErrorKind};

/// When calls are tried again. Only what is safe and may help is: UNAVAILABLE, and
/// RESOURCE_EXHAUSTED when the server says how long to wait. Mutations carry one request id over
/// all their tries, so that they take effect once.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    /// How often a call is tried at most; 1 means never again.
    pub attempts_max: u32,
    /// The wait before the second try is chosen at random between nothing and this; it doubles
    /// with each further one.
    pub backoff_initial: Duration,
    /// The doubling stops here.
    pub backoff_max: Duration,
    /// How many failures the whole client may have in store before it stops trying again. Each
    /// failure takes one token, tries stop at half, each success gives back a tenth.
    pub budget_tokens: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts_max: 5,
            backoff_initial: Duration::from_millis(100),
            backoff_max: Duration::from_secs(5),
            budget_tokens: 20,
        }
    }
}

impl RetryPolicy {
    /// Never tries again.
    #[must_use]
    pub fn never() -> Self {
        Self { attempts_max: 1, ..Self::default() }
    }

    /// Full jitter: anything between nothing and the doubled wait. `random` is in `0.0..1.0`.
    pub(crate) fn backoff(&self, attempt: u32, random: f64) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        let ceiling = self.backoff_initial.saturating_mul(1 << doublings).min(self.backoff_max);
        ceiling.mul_f64(random)
    }
}

/// What to do after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Try again after this long.
    Wait(Duration),
    /// Hand the error to the caller.
    GiveUp,
}

/// All that the decision depends on beside the error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation {
    /// How often the call was tried so far, from 1.
    pub(crate) attempt: u32,
    /// What is left of the time allowed for the whole call.
    pub(crate) remaining: Duration,
    /// Whether the budget allows one more try.
    pub(crate) within_budget: bool,
    /// Chance, in `0.0..1.0`.
    pub(crate) random: f64,
}

/// Decides what to do after `error`.
pub(crate) fn decide(policy: &RetryPolicy, error: &Error, now: Situation) -> Decision {
    if !is_transient(error) || !now.within_budget || now.attempt >= policy.attempts_max {
        return Decision::GiveUp;
    }
    let wait = wait(policy, error.retry_after(), now.attempt, now.random);
    if wait < now.remaining { Decision::Wait(wait) } else { Decision::GiveUp }
}

/// How long to wait: never less than the server asks for, and never all clients at once.
pub(crate) fn wait(
    policy: &RetryPolicy,
    asked: Option<Duration>,
    attempt: u32,
    random: f64,
) -> Duration {
    asked.unwrap_or_default() + policy.backoff(attempt, random)
}

/// Whether the same call may succeed a little later, and was not carried out or may be repeated.
pub(crate) fn is_transient(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Unavailable => true,
        ErrorKind::ResourceExhausted => error.retry_after().is_some(),
        _ => false,
    }
}

/// Tokens for further tries, shared by all calls of a client: when most calls fail, trying again
/// only makes it worse.
#[derive(Debug)]
pub(crate) struct Budget {
    /// In tenths, so that a success can give back a tenth of a token.
    tenths: u32,
    tenths_max: u32,
}

impl Budget {
    pub(crate) fn new(tokens: u32) -> Self {
        let tenths = tokens.saturating_mul(10);
        Self { tenths, tenths_max: tenths }
    }

    pub(crate) fn succeeded(&mut self) {
        self.tenths = (self.tenths + 1).min(self.tenths_max);
    }

    /// Takes a token for a failure, and says whether another try is allowed.
    pub(crate) fn failed(&mut self) -> bool {
        self.tenths = self.tenths.saturating_sub(10);
        self.tenths > self.tenths_max / 2
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tonic::{Code, Status};
    use tonic_types::{ErrorDetails, StatusExt as _};

    use super::{Budget, Decision, RetryPolicy, Situation, decide};
    use crate::error::Error;

    const POLICY: RetryPolicy = RetryPolicy {
        attempts_max: 4,
        backoff_initial: Duration::from_millis(100),
        backoff_max: Duration::from_millis(300),
        budget_tokens: 10,
    };

    /// A row: code, the server's RetryInfo in ms (- none), tries so far, time left in ms, budget,
    /// and the decision with the largest jitter: a wait in ms, or x.
    fn check(table: &str) {
        for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
            let cells: Vec<&str> = row.split_whitespace().collect();
            let [code, asked, attempt, remaining, budget, expected] = cells[..] else {
                panic!("six cells: {row}")
            };
            let now = Situation {
                attempt: attempt.parse().expect(row),
                remaining: Duration::from_millis(remaining.parse().expect(row)),
                within_budget: budget == "yes",
                random: 1.0,
            };
            let decided = match decide(&POLICY, &error(code, asked.parse().ok()), now) {
                Decision::Wait(wait) => wait.as_millis().to_string(),
                Decision::GiveUp => "x".to_owned(),
            };
            assert_eq!(decided, expected, "{row}");
        }
    }

    fn error(code: &str, asked_ms: Option<u64>) -> Error {
        let code = (0..17).map(Code::from_i32).find(|c| format!("{c:?}") == code).expect(code);
        let mut details = ErrorDetails::new();
        if let Some(asked) = asked_ms {
            details.set_retry_info(Some(Duration::from_millis(asked)));
        }
        Status::with_error_details(code, "", details).into()
    }

    #[test]
    fn only_what_is_safe_and_may_help_is_tried_again() {
        check(
            "
            Unavailable        -    1 9000 yes 100
            Unavailable        -    2 9000 yes 200
            Unavailable        -    3 9000 yes 300
            Unavailable        -    4 9000 yes x
            Unavailable        -    1 9000 no  x
            Unavailable        -    1  100 yes x
            Unavailable        500  1 9000 yes 600
            Unavailable        9000 1 9000 yes x
            ResourceExhausted  -    1 9000 yes x
            ResourceExhausted  500  1 9000 yes 600
            DeadlineExceeded   -    1 9000 yes x
            Internal           -    1 9000 yes x
            Unknown            -    1 9000 yes x
            Aborted            -    1 9000 yes x
            Cancelled          -    1 9000 yes x
            InvalidArgument    500  1 9000 yes x
            NotFound           -    1 9000 yes x
            AlreadyExists      -    1 9000 yes x
            FailedPrecondition -    1 9000 yes x
            PermissionDenied   -    1 9000 yes x
            Unauthenticated    -    1 9000 yes x
        ",
        );
    }

    #[test]
    fn jitter_takes_any_part_of_the_wait() {
        assert_eq!(POLICY.backoff(1, 0.0), Duration::ZERO);
        assert_eq!(POLICY.backoff(2, 0.5), Duration::from_millis(100));
        assert_eq!(POLICY.backoff(u32::MAX, 1.0), Duration::from_millis(300));
    }

    #[test]
    fn the_budget_stops_at_half_and_recovers_slowly() {
        let mut budget = Budget::new(10);
        let allowed = (0..10).filter(|_| budget.failed()).count();
        assert_eq!(allowed, 4);
        (0..60).for_each(|_| budget.succeeded());
        assert!(!budget.failed(), "60 successes give back 6 tokens, one failure takes one: 5");
        (0..20).for_each(|_| budget.succeeded());
        assert!(budget.failed());
    }
}

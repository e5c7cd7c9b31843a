//! Waiting until an order, or one attempt, is decided. A time-out is an answer: undecided.

use std::time::Duration;

use paystatus_proto::v1;
use tokio::time::{Instant, sleep, timeout};

use crate::{
    client::{Client, Phase},
    error::{Error, ErrorKind},
    order::Order,
    retry,
    status::Outcome,
};

/// How long an answer may be on its way beyond the time that the server holds the call.
const GRACE: Duration = Duration::from_secs(5);
/// How long a call is held while polling for an attempt.
const POLL_HOLD: Duration = Duration::from_secs(1);
/// Less than this is not worth another call.
const WAIT_MIN: Duration = Duration::from_millis(20);
/// The wait between polls is chosen at random up to this, which doubles with each …
const POLL_INTERVAL_INITIAL: Duration = Duration::from_millis(500);
/// … up to this.
const POLL_INTERVAL_MAX: Duration = Duration::from_secs(10);
/// So many long calls in a row fail before polling takes their place.
const LONG_FAILURES_MAX: u32 = 3;

/// What to wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwaitTarget {
    order_id: String,
    /// Empty for the whole order.
    attempt_id: String,
}

/// How a wait ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct Awaited {
    /// The outcome of the order, or of the attempt that was named. `Undecided` after a time-out.
    pub outcome: Outcome,
    /// The order as it was last seen. `None` if no call got through.
    pub order: Option<Order>,
    /// What went wrong last, if the time ran out before a call got through again.
    pub last_error: Option<Error>,
}

impl AwaitTarget {
    /// A whole order.
    pub fn order(order_id: impl Into<String>) -> Self {
        Self { order_id: order_id.into(), attempt_id: String::new() }
    }

    /// One attempt of an order.
    pub fn attempt(order_id: impl Into<String>, attempt_id: impl Into<String>) -> Self {
        Self { order_id: order_id.into(), attempt_id: attempt_id.into() }
    }
}

impl From<&str> for AwaitTarget {
    fn from(order_id: &str) -> Self {
        Self::order(order_id)
    }
}

impl From<String> for AwaitTarget {
    fn from(order_id: String) -> Self {
        Self::order(order_id)
    }
}

impl From<&Order> for AwaitTarget {
    fn from(order: &Order) -> Self {
        Self::order(&order.order_id)
    }
}

impl Client {
    /// Waits until an order or attempt is approved, refused or withdrawn, at most for `limit`.
    /// When the time runs out the answer is undecided, never a failure: also if the server could
    /// not be reached all the while. Where long calls do not get through, it polls.
    ///
    /// ```
    /// # async fn run(client: paystatus_client::Client) -> Result<(), paystatus_client::Error> {
    /// use std::time::Duration;
    /// use paystatus_client::Outcome;
    ///
    /// match client.await_outcome("order-1", Duration::from_secs(90)).await?.outcome {
    ///     Outcome::Approved => println!("paid"),
    ///     Outcome::Refused => println!("try another card"),
    ///     Outcome::Withdrawn => println!("taken back"),
    ///     _ => println!("not known yet: keep the order, look later"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Only what waiting cannot mend: `NotFound`, `Unauthenticated`, `PermissionDenied`,
    /// `InvalidArgument`, and `Closed`.
    pub async fn await_outcome(
        &self,
        target: impl Into<AwaitTarget>,
        limit: Duration,
    ) -> Result<Awaited, Error> {
        let mut wait = Wait::new(self, target.into(), limit);
        let result = tokio::select! {
            biased;
            () = self.reached(Phase::Draining) => Err(Error::closed()),
            result = timeout(limit, wait.until_decided()) => result.unwrap_or(Ok(())),
        };
        result.map(|()| wait.seen)
    }
}

/// One wait under way.
struct Wait<'a> {
    client: &'a Client,
    target: AwaitTarget,
    ends: Instant,
    seen: Awaited,
    approach: Approach,
    /// Rounds without an answer that was held: each makes the next pause longer.
    pauses: u32,
}

/// Whether to make long calls, or to poll.
#[derive(Debug, Default, PartialEq)]
struct Approach {
    /// Long calls that failed in a row.
    long_failures: u32,
    /// Something on the way cuts long calls: the next one would be cut too.
    is_cut: bool,
}

impl<'a> Wait<'a> {
    fn new(client: &'a Client, target: AwaitTarget, limit: Duration) -> Self {
        // A limit that no clock can hold is as good as a year.
        let year = Duration::from_secs(365 * 86_400);
        let ends = Instant::now() + limit.min(year);
        let seen = Awaited { outcome: Outcome::Undecided, order: None, last_error: None };
        Self { client, target, ends, seen, approach: Approach::default(), pauses: 0 }
    }

    async fn until_decided(&mut self) -> Result<(), Error> {
        loop {
            let began = Instant::now();
            let left = self.ends.saturating_duration_since(began);
            if left < WAIT_MIN {
                return Ok(());
            }
            let is_polling = self.approach.is_polling();
            let hold = left.min(self.client.settings().await_slice);
            let answer = if is_polling { self.poll(left).await } else { self.ask(hold).await };
            self.approach.note(is_polling, answer.as_ref().err());
            match answer {
                Ok((outcome, order)) => {
                    self.seen = Awaited { outcome, order: Some(order), last_error: None };
                    if outcome.is_decided() {
                        return Ok(());
                    }
                    if !is_polling && began.elapsed() >= hold / 2 {
                        self.pauses = 0;
                    } else {
                        // Nothing held it: without a pause the next call would follow at once.
                        self.pause(None).await;
                    }
                }
                Err(error) if is_final(error.kind()) => return Err(error),
                Err(error) => {
                    tracing::debug!(%error, is_polling, "waiting for the outcome goes on");
                    let asked = error.retry_after();
                    self.seen.last_error = Some(error);
                    self.pause(asked).await;
                }
            }
        }
    }

    /// A long call: the server answers once it is decided, or after `hold`.
    async fn ask(&self, hold: Duration) -> Result<(Outcome, Order), Error> {
        let request = v1::AwaitOrderRequest {
            merchant_id: self.client.merchant_id().to_owned(),
            order_id: self.target.order_id.clone(),
            attempt_id: self.target.attempt_id.clone(),
            // A little less, so that the answer is here before the time is over.
            timeout: (hold - hold / 20).try_into().ok(),
        };
        let send = async |rpc: crate::client::Rpc, request| rpc.orders().await_order(request).await;
        let answer = self.client.once(request, hold + GRACE, &send).await?;
        let order = answer.order.ok_or_else(|| Error::incomplete("order"))?;
        Ok((Outcome::from_number(answer.outcome), Order::from_wire(order)))
    }

    /// A short call.
    async fn poll(&self, left: Duration) -> Result<(Outcome, Order), Error> {
        if !self.target.attempt_id.is_empty() {
            // An order does not tell the outcome of one attempt: only the server decides it.
            return self.ask(POLL_HOLD.min(left)).await;
        }
        let request = v1::GetOrderRequest {
            merchant_id: self.client.merchant_id().to_owned(),
            order_id: self.target.order_id.clone(),
            max_age: None,
        };
        let send = async |rpc: crate::client::Rpc, request| rpc.orders().get_order(request).await;
        let answer = self.client.once(request, left, &send).await?;
        let order = Order::from_wire(answer.order.ok_or_else(|| Error::incomplete("order"))?);
        Ok((order.outcome, order))
    }

    async fn pause(&mut self, asked: Option<Duration>) {
        self.pauses += 1;
        let policy = crate::RetryPolicy {
            backoff_initial: POLL_INTERVAL_INITIAL,
            backoff_max: POLL_INTERVAL_MAX,
            ..crate::RetryPolicy::default()
        };
        sleep(retry::wait(&policy, asked, self.pauses, rand::random())).await;
    }
}

impl Approach {
    fn is_polling(&self) -> bool {
        self.is_cut || self.long_failures >= LONG_FAILURES_MAX
    }

    /// Learns from how a call ended.
    fn note(&mut self, was_polling: bool, error: Option<&Error>) {
        match (was_polling, error.map(Error::kind)) {
            (false, None) => self.long_failures = 0,
            (false, Some(ErrorKind::DeadlineExceeded | ErrorKind::Unimplemented)) => {
                self.is_cut = true;
            }
            (false, Some(_)) => self.long_failures += 1,
            // The server is back: one long call may show that they get through again.
            (true, None) => self.long_failures = LONG_FAILURES_MAX - 1,
            (true, Some(_)) => {}
        }
    }
}

/// Whether waiting longer cannot mend it.
fn is_final(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NotFound
            | ErrorKind::Unauthenticated
            | ErrorKind::PermissionDenied
            | ErrorKind::InvalidArgument
            | ErrorKind::Closed
    )
}

#[cfg(test)]
mod tests {
    use super::Approach;
    use crate::error::{Error, ErrorKind};

    /// Rows: the calls so far, and whether the next one polls. `+` answered, `u` unavailable,
    /// `d` deadline exceeded; each is made as the approach before it says.
    #[test]
    fn polling_takes_the_place_of_long_calls_that_fail() {
        for (calls, expected) in [
            ("", false),
            ("uu", false),
            ("uuu", true),
            ("uu+uu", false),
            ("d", true),
            ("uuuu", true),
            ("uuu+", false),
            ("uuu+u", true),
            ("uuu++uu", false),
            ("d++++", true),
        ] {
            let mut approach = Approach::default();
            for call in calls.chars() {
                let kind = match call {
                    'u' => Some(ErrorKind::Unavailable),
                    'd' => Some(ErrorKind::DeadlineExceeded),
                    _ => None,
                };
                let error = kind.map(|kind| Error::local(kind, ""));
                approach.note(approach.is_polling(), error.as_ref());
            }
            assert_eq!(approach.is_polling(), expected, "`{calls}`");
        }
    }
}

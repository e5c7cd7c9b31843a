//! Waits for an outcome, and answers in time whatever is known by then.

use std::{sync::Arc, time::Duration};

use paystatus_proto::v1;
use tokio::time::Instant;
use tonic::{Code, Status, metadata::MetadataMap};

use super::{errors, leave::Leave, to_wire};
use crate::{
    domain::{ids::OrderKey, order::Order, view::Outcome},
    edge::Context,
    hub::Topic,
};

/// How long to wait if the caller does not say.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);
/// How long a caller may ask to wait.
pub(super) const TIMEOUT_MAX: Duration = Duration::from_secs(300);

/// How long to wait: as asked, but so that the answer comes before the call's own deadline.
pub(super) fn timeout(
    asked: Option<prost_types::Duration>,
    metadata: &MetadataMap,
) -> Result<Duration, Status> {
    let asked = match asked {
        None => TIMEOUT_DEFAULT,
        Some(asked) => Duration::try_from(asked)
            .map_err(|_| errors::field("timeout", "must not be negative"))?
            .min(TIMEOUT_MAX),
    };
    let deadline = metadata.get("grpc-timeout").and_then(|text| deadline(text.to_str().ok()?));
    Ok(match deadline {
        // A tenth, up to a second, is left for the way back.
        Some(deadline) => asked.min(deadline - (deadline / 10).min(Duration::from_secs(1))),
        None => asked,
    })
}

/// The value of `grpc-timeout`: up to eight digits and a unit.
fn deadline(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let amount = u64::from(digits.parse::<u32>().ok()?);
    Some(match unit {
        "H" => Duration::from_secs(amount * 3600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

/// Waits until the outcome is decided or the time is up.
///
/// # Errors
/// NOT_FOUND; those of [`Leave::check`] once the caller may not read any more.
pub(super) async fn wait(
    context: &Context,
    mut leave: Leave,
    key: OrderKey,
    attempt: &str,
    timeout: Duration,
) -> Result<v1::AwaitOrderResponse, Status> {
    let until = Instant::now() + timeout;
    // Before the state is read, so that no change can fall between.
    let mut touched = context.relay.subscribe(Topic::Order(key.clone()));
    let mut drain = context.drain.clone();
    loop {
        let found = context.store.find_order(&key).map_err(|e| errors::internal(&e))?;
        let order = found.filter(|order| order.facts.order.is_some());
        let order = order.ok_or_else(|| {
            errors::error(Code::NotFound, "ORDER_NOT_FOUND", "no such order is recorded")
        })?;
        let outcome = outcome(&order, attempt)?;
        let is_last = outcome != Outcome::Undecided || Instant::now() >= until || *drain.borrow();
        if is_last {
            return Ok(v1::AwaitOrderResponse {
                outcome: to_wire::order::outcome(outcome) as i32,
                outcome_number: i64::try_from(order.view.summary.outcome_number)
                    .unwrap_or(i64::MAX),
                order: Some(to_wire::order::checked(&order, context.outbound.checks(&order))),
            });
        }
        tokio::select! {
            () = touched.touched() => {}
            () = tokio::time::sleep_until(until) => {}
            _ = drain.wait_for(|drains| *drains) => {}
            () = leave.is_doubtful() => {}
        }
        leave.check(context)?;
    }
}

fn outcome(order: &Arc<Order>, attempt: &str) -> Result<Outcome, Status> {
    if attempt.is_empty() {
        return Ok(order.view.summary.outcome);
    }
    let found = order.view.attempt(attempt);
    let attempt = found.ok_or_else(|| {
        errors::error(Code::NotFound, "ATTEMPT_NOT_FOUND", "the order has no such attempt")
    })?;
    Ok(Outcome::of(attempt.status, attempt.was_approved))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_comes_before_the_calls_own_deadline() {
        let asked = |seconds| Some(prost_types::Duration { seconds, nanos: 0 });
        let mut metadata = MetadataMap::new();
        assert_eq!(timeout(None, &metadata).unwrap(), TIMEOUT_DEFAULT);
        assert_eq!(timeout(asked(1000), &metadata).unwrap(), TIMEOUT_MAX);
        assert!(timeout(asked(-1), &metadata).is_err());
        metadata.insert("grpc-timeout", "5S".parse().unwrap());
        assert_eq!(timeout(asked(60), &metadata).unwrap(), Duration::from_millis(4500));
        metadata.insert("grpc-timeout", "60000000u".parse().unwrap());
        assert_eq!(timeout(asked(300), &metadata).unwrap(), Duration::from_secs(59));
        for text in ["", "S", "5X", "99999999999S"] {
            assert_eq!(deadline(text), None, "{text:?}");
        }
    }
}

//! Requests: the very same one again is an answer, not an error.

use crate::domain::{
    command::{Decision, Draft, Refusal},
    digest::ContentId,
    fact::RequestKey,
    ids::OrderKey,
    order::{Order, REQUEST_KEPT_SECONDS},
    time::Time,
};

/// True if the very same request was accepted in the last 30 days.
pub(super) fn accepted_before(
    order: &Order,
    request: &RequestKey,
    fingerprint: ContentId,
    now: Time,
) -> Result<bool, Refusal> {
    let oldest = now.minus_seconds(REQUEST_KEPT_SECONDS);
    match order.requests.get(request) {
        Some((_, accepted)) if *accepted < oldest => Ok(false),
        Some((known, _)) if *known == fingerprint => Ok(true),
        Some(_) => Err(Refusal::RequestIdReused),
        None => Ok(false),
    }
}

/// The answer to a command that took effect before.
pub(super) fn replay(key: OrderKey) -> Decision {
    Decision { replayed: true, ..Decision::new(key, Vec::new()) }
}

/// The answer to a command that takes effect now.
pub(super) fn accepted(key: OrderKey, drafts: Vec<Draft>, warning: Option<String>) -> Decision {
    Decision { warning, ..Decision::new(key, drafts) }
}

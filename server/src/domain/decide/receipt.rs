//! Receipts and the deadline for them: each is decided against the order as it is at that moment,
//! so of the two exactly one comes first. No status follows from either, so nothing is projected.

use super::{
    intent::recorded,
    request::{accepted, accepted_before, replay},
};
use crate::domain::{
    change::Change,
    command::{Decision, Draft, PassDeadline, RecordReceipt, Refusal, World},
    digest::Digest,
    fact::{Fact, Method, RequestKey},
    order::{Decided, Order},
    receipt::Received,
    time::Time,
};

pub(super) fn record(
    world: &dyn World,
    command: &RecordReceipt,
    now: Time,
) -> Result<Decision, Refusal> {
    let key = command.parent.key();
    let order = recorded(world, &key)?;
    let mut facts = Vec::new();
    if let Some(request) = &command.request {
        let key = RequestKey { method: Method::RecordReceipt, request: request.clone() };
        let fingerprint = command.fingerprint();
        // One that was accepted before is a repeat by what is known of the outcome.
        if !accepted_before(&order, &key, fingerprint, now)? {
            facts.push(Fact::Request { key, fingerprint });
        }
    }
    let received = order.receive(command.outcome_number)?;
    let (is_late, changes) = match received {
        Received::InTime => (false, vec![Change::CustomerInformed]),
        Received::Late { is_news: true } => (true, Vec::new()),
        Received::Repeat | Received::Late { is_news: false } | Received::NotNeeded => {
            return Ok(Decision { received: Some(received), ..replay(key) });
        }
    };
    facts.insert(0, Fact::Receipt { outcome_number: command.outcome_number, is_late });
    let drafts = vec![draft(&order, facts, changes, now)];
    Ok(Decision { received: Some(received), ..accepted(key, drafts, None) })
}

pub(super) fn pass_deadline(
    world: &dyn World,
    command: &PassDeadline,
    now: Time,
) -> Result<Decision, Refusal> {
    let key = command.parent.key();
    let order = recorded(world, &key)?;
    let is_present = order.view.summary.outcome_number == command.outcome_number;
    if !is_present || !order.awaits_receipt() {
        return Ok(replay(key));
    }
    let facts = vec![Fact::NotInformed(command.outcome_number)];
    let drafts = vec![draft(&order, facts, vec![Change::CustomerNotInformed], now)];
    Ok(accepted(key, drafts, None))
}

fn draft(order: &Order, facts: Vec<Fact>, changes: Vec<Change>, now: Time) -> Draft {
    Draft {
        key: order.key.clone(),
        expected_version: order.version,
        decided: Decided { facts, changes, summary: order.view.summary, time: now },
        after: None,
        claims: Vec::new(),
    }
}

impl RecordReceipt {
    /// What it says, whatever its request id.
    fn fingerprint(&self) -> crate::domain::digest::ContentId {
        let digest = Digest::new("record receipt v1");
        digest.number(i64::try_from(self.outcome_number).unwrap_or(i64::MAX)).finish()
    }
}

//! Evidence: accepted whatever it says, wherever it belongs, however often it comes.

use super::{
    news,
    request::{accepted_before, replay},
    route::{self, Route},
    settle,
};
use crate::domain::{
    command::{
        AcceptEvidence, Decision, Disposition, RecordReply, Refusal, ReplySaid, Reread, World,
    },
    digest::Digest,
    fact::{Evidence, Fact, Method, OrderIntent, RecordedBy, RequestKey},
    ids::OrderKey,
    order::Order,
    statement::{Basis, OperationClaimed, Said, StatedAmount, Statement},
    time::Time,
};

/// Repeats of one reading that are recorded; later ones are answered without a record.
pub(crate) const REPEATS_RECORDED_MAX: u32 = 8;

pub(super) fn accept(world: &dyn World, command: &AcceptEvidence, now: Time) -> Decision {
    let evidence = &command.evidence;
    let route = route::find(world, &command.merchant, evidence, command.creates_orders);
    let order = settle::load(world, &route.target);
    if let Some(known) = order.facts.readings.get(&evidence.id)
        && route.absorbs.is_empty()
    {
        // The same answer to the same question is no event.
        let is_recorded = known.repeats < REPEATS_RECORDED_MAX && evidence.basis != Basis::Poll;
        let facts = vec![Fact::Repeated(evidence.id)];
        let draft = is_recorded.then(|| settle::draft(&order, facts, Vec::new(), now));
        let drafts = draft.into_iter().collect();
        return Decision { drafts, ..repeat(route.target) };
    }
    if news::is_none(&order, &route, evidence) {
        let disposition = Some(Disposition::Superseded);
        return Decision { disposition, ..Decision::new(route.target, Vec::new()) };
    }
    let mut facts = Vec::new();
    let is_created = route.target.is_recorded() && order.facts.order.is_none();
    if is_created {
        let by = RecordedBy::Webhook;
        let labels = std::collections::BTreeMap::new();
        facts.push(Fact::Order(OrderIntent { by, amount: None, labels, time: now }));
    }
    facts.push(settle::as_fact(&order, evidence.clone()));
    join(world, &order, facts, route, now)
}

/// Records facts with an order, and all that joins it by them.
fn join(
    world: &dyn World,
    order: &Order,
    mut facts: Vec<Fact>,
    route: Route,
    now: Time,
) -> Decision {
    let forwards = settle::absorb(world, order, &mut facts, (&route.absorbs, now));
    let is_news = |(claim, _): &&(_, _)| !order.facts.shared.contains_key(claim);
    facts.extend(
        route
            .shared
            .iter()
            .filter(is_news)
            .map(|(claim, other)| Fact::IdShared { claim: claim.clone(), with: other.clone() }),
    );
    let told = settle::tell_shared(world, &route.target, &route.shared, now);
    let draft = settle::draft(order, facts, route.claims, now);
    let disposition = match (&route.target, draft.decided.changes.is_empty()) {
        (_, true) => Disposition::Superseded,
        (OrderKey::Unclaimed { .. }, _) => Disposition::Parked,
        (OrderKey::Recorded { .. }, false) => Disposition::Applied,
    };
    let mut drafts = vec![draft];
    drafts.extend(forwards);
    drafts.extend(told);
    Decision { disposition: Some(disposition), ..Decision::new(route.target, drafts) }
}

/// What says the same as was known before.
fn repeat(key: OrderKey) -> Decision {
    Decision { disposition: Some(Disposition::Repeat), ..replay(key) }
}

pub(super) fn reread(world: &dyn World, command: &Reread, now: Time) -> Result<Decision, Refusal> {
    let holder = route::follow(world, command.holder.clone());
    let order = settle::load(world, &holder);
    let Some(known) = order.facts.readings.get(&command.evidence.id) else {
        return Err(Refusal::OrderNotFound);
    };
    let mut evidence = command.evidence.clone();
    evidence.revision = known.revision + 1;
    let says: Vec<_> = evidence.statements.iter().map(|held| held.content_id()).collect();
    if says == known.statements {
        return Ok(repeat(holder));
    }
    let route = route::to_order(world, holder, &evidence);
    let facts = vec![settle::as_fact(&order, evidence)];
    Ok(join(world, &order, facts, route, now))
}

pub(super) fn record_reply(
    world: &dyn World,
    command: &RecordReply,
    now: Time,
) -> Result<Decision, Refusal> {
    let key = command.parent.key();
    let order = world.order(&key).filter(|order| order.facts.order.is_some());
    let order = order.ok_or(Refusal::OrderNotFound)?;
    let request = RequestKey { method: Method::RecordReply, request: command.request.clone() };
    let attempt = order.facts.attempts.get(&command.attempt).ok_or(Refusal::AttemptNotFound)?;
    let statement = statement(&order, command)?;
    let evidence = |statement| {
        let event = command.request.as_str();
        Evidence::first(attempt.account.clone(), Basis::Reply, event, vec![statement])
    };
    let evidence = statement.map(evidence);
    let fingerprint = match &evidence {
        Some(evidence) => evidence.id,
        None => Digest::new("no answer").text(command.attempt.as_str()).finish(),
    };
    if accepted_before(&order, &request, fingerprint, now)? {
        return Ok(replay(key));
    }
    let request = Fact::Request { key: request, fingerprint };
    Ok(match evidence {
        None => {
            let facts = vec![Fact::NoAnswer(command.attempt.clone()), request];
            let drafts = vec![settle::draft(&order, facts, Vec::new(), now)];
            Decision::new(key, drafts)
        }
        Some(evidence) => {
            let route = route::to_order(world, key, &evidence);
            let facts = vec![settle::as_fact(&order, evidence), request];
            join(world, &order, facts, route, now)
        }
    })
}

/// The reply as a statement; `None` if there was no answer.
fn statement(order: &Order, command: &RecordReply) -> Result<Option<Statement>, Refusal> {
    let said = match &command.said {
        ReplySaid::NoAnswer => return Ok(None),
        ReplySaid::Payment(claim) => Said::Payment(*claim),
        ReplySaid::Operation { kind, operation, ids, claim } => {
            let known = order.facts.operations.get(&(*kind, operation.clone()));
            known.ok_or(Refusal::OperationNotFound)?;
            Said::Operation(OperationClaimed {
                kind: *kind,
                ids: ids.clone(),
                reference: None,
                operation: Some(operation.clone()),
                takes_back_captured: false,
                claim: *claim,
            })
        }
    };
    Ok(Some(Statement {
        ids: command.ids.clone(),
        reference: None,
        attempt: Some(command.attempt.clone()),
        said,
        amount: command.amount.map(|money| StatedAmount { money, too_precise: false }),
        provider_time: command.provider_time,
        reason: command.reason.clone(),
    }))
}

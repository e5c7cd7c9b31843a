//! Whether the answer of a provider that was asked says anything that is not held already.
//!
//! A provider is asked again and again while a payment is under way, and answers "under way".
//! Such an answer is not recorded if what an order holds says as much: then nothing could ever
//! follow from it, whatever comes later and in whatever order (design 3.1 b).

use super::route::Route;
use crate::domain::{
    fact::Evidence,
    ids::{ProviderId, REFERENCE_KIND},
    order::Order,
    statement::{
        Basis, Held, OperationClaim, OperationClaimed, PaymentClaim, Said, StatedAmount, Statement,
    },
};

/// True if a poll need not be recorded.
pub(super) fn is_none(order: &Order, route: &Route, evidence: &Evidence) -> bool {
    let is_known = |(claim, _): &(_, _)| order.facts.shared.contains_key(claim);
    let joins_nothing =
        route.claims.is_empty() && route.absorbs.is_empty() && route.shared.iter().all(is_known);
    evidence.basis == Basis::Poll
        && joins_nothing
        && evidence.statements.iter().all(|new| {
            is_under_way(&new.statement)
                && order.facts.statements.values().any(|held| covers(held, new))
        })
}

fn is_under_way(statement: &Statement) -> bool {
    match &statement.said {
        Said::Payment(claim) => *claim == PaymentClaim::Pending,
        Said::Operation(operation) => operation.claim == OperationClaim::Pending,
    }
}

/// True if all that follows from "under way" follows from what is held: it names no more, and
/// says no other amount or time.
fn covers(held: &Held, new: &Held) -> bool {
    let (known, said) = (&held.statement, &new.statement);
    let names_no_more = held.account == new.account
        && said.reference == known.reference
        && said.attempt == known.attempt
        && said.ids.iter().all(|id| known.ids.contains(id))
        && said.ids.is_empty() == known.ids.is_empty()
        // These say whose statement it is where several recorded attempts are joined.
        && references(said).eq(references(known));
    let says_no_other = (said.amount.is_none() || said.amount == known.amount)
        && (said.provider_time.is_none() || said.provider_time == known.provider_time);
    names_no_more
        && says_no_other
        && match (&known.said, &said.said) {
            (Said::Payment(_), Said::Payment(_)) => true,
            (Said::Operation(a), Said::Operation(b)) => covers_operation(held, a, b, said),
            _ => false,
        }
}

fn references(statement: &Statement) -> impl Iterator<Item = &ProviderId> {
    statement.ids.iter().filter(|id| id.kind.as_str() == REFERENCE_KIND)
}

/// The reason and the amount of an operation are those of the strongest statement that counts,
/// which "under way" can be.
fn covers_operation(
    held: &Held,
    known: &OperationClaimed,
    new: &OperationClaimed,
    said: &Statement,
) -> bool {
    let amount = |stated: Option<StatedAmount>| stated.map(|stated| stated.money);
    let counts_alike = held.basis.settles_operations()
        && known.claim == OperationClaim::Pending
        && amount(said.amount) == amount(held.statement.amount)
        && said.reason == held.statement.reason;
    let adds_nothing = said.amount.is_none() && said.reason.is_none();
    known.kind == new.kind
        && known.reference == new.reference
        && known.operation == new.operation
        && new.ids.iter().all(|id| known.ids.contains(id))
        && (known.takes_back_captured || !new.takes_back_captured)
        && (counts_alike || adds_nothing)
}

#[cfg(test)]
mod tests {
    use crate::domain::{
        command::{Command, Disposition},
        statement::Basis,
        testing::{MemoryWorld, accept, accept_from, create_attempt, create_order, say},
        time::Time,
    };

    /// What a poll comes to where this was said before: its records, and its disposition.
    fn poll(before: &[Command], event: &str, text: &str) -> (usize, Option<Disposition>) {
        let mut world = MemoryWorld::default();
        let placed = [create_order("o1", "100"), create_attempt("o1", "a1", "o1", None)];
        for command in placed.iter().chain(before) {
            world.run(command, Time::default()).unwrap();
        }
        let poll = accept_from(Basis::Poll, event, vec![say(text)]);
        let decision = world.run(&poll, Time::default()).unwrap();
        (decision.drafts.len(), decision.disposition)
    }

    #[test]
    fn a_poll_that_says_nothing_new_makes_no_record() {
        let pending = || accept("w", vec![say("p1 o1 : pending 100")]);
        let polled = |text: &str| accept_from(Basis::Poll, "p", vec![say(text)]);
        let (nothing, repeat) = (Some(Disposition::Superseded), Some(Disposition::Repeat));
        for (records, disposition, before, text) in [
            (1, Some(Disposition::Applied), vec![], "p1 o1 : pending 100"),
            (0, nothing, vec![pending()], "p1 o1 : pending 100"),
            (0, nothing, vec![pending()], "p1 o1 : pending"),
            (1, nothing, vec![pending()], "p1 o1 : pending 99"),
            (1, Some(Disposition::Applied), vec![pending()], "p2 o1 : pending 100"),
            (0, repeat, vec![polled("p1 o1 : sold 100")], "p1 o1 : sold 100"),
            (0, nothing, vec![polled("p1 o1 : sold 100")], "p1 o1 : pending"),
            (1, Some(Disposition::Applied), vec![pending()], "p1 o1 : sold 100"),
            (1, nothing, vec![accept("w", vec![say("p1 o1 : sold 100")])], "p1 o1 : sold 100"),
            (1, Some(Disposition::Applied), vec![pending()], "p1 o1 : refund r1 pending"),
            (
                0,
                nothing,
                vec![accept("w", vec![say("p1 o1 : refund r1 ok 40")])],
                "p1 o1 : refund r1 pending",
            ),
        ] {
            assert_eq!(poll(&before, "p", text), (records, disposition), "{text} after {before:?}");
        }
    }

    #[test]
    fn a_webhook_that_comes_again_is_still_recorded() {
        let mut world = MemoryWorld::default();
        let webhook = accept("w", vec![say("p1 o1 : pending")]);
        world.run(&webhook, Time::default()).unwrap();
        let again = world.run(&webhook, Time::default()).unwrap();
        assert_eq!((again.drafts.len(), again.disposition), (1, Some(Disposition::Repeat)));
    }
}

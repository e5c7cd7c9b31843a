//! Which attempts are not decided yet, so that their provider should be asked.

use super::{
    ids::ProviderId,
    order::Order,
    statement::{Basis, Held, PaymentClaim, Said},
    view::{AttemptView, OperationStatus, PaymentStatus},
};

impl Order {
    /// True if a provider could say more of one of its attempts than is known.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        self.undecided().next().is_some()
    }

    /// The attempts that are under way, have an operation under way, or were spoken of by a
    /// weakly signed webhook that nothing confirmed.
    pub fn undecided(&self) -> impl Iterator<Item = &AttemptView> {
        let is_here = self.forwarded_to.is_none();
        self.view.attempts.iter().filter(move |attempt| {
            is_here
                && (attempt.status == PaymentStatus::Pending
                    || self.has_open_operation(attempt)
                    || self.awaits_confirmation(attempt))
        })
    }

    fn has_open_operation(&self, attempt: &AttemptView) -> bool {
        self.view.operations.iter().any(|operation| {
            operation.status == OperationStatus::Pending
                && operation.attempt.as_ref() == Some(&attempt.key)
        })
    }

    /// What a doubtful webhook says of an operation that nobody recorded leaves it PENDING. Of a
    /// payment that is decided it may say something else, which counts for nothing so far.
    fn awaits_confirmation(&self, attempt: &AttemptView) -> bool {
        let said = || self.facts.statements.values().map(AsRef::as_ref);
        let doubtful = said().filter(|held: &&Held| held.basis == Basis::DoubtfulWebhook);
        doubtful.filter(|held| is_of(held, attempt)).any(|doubtful| {
            let claim = payment_claim(doubtful);
            let confirms = |held: &Held| {
                held.basis.settles_payments()
                    && payment_claim(held) == claim
                    && is_of(held, attempt)
            };
            claim.is_some_and(|claim| claim != PaymentClaim::Pending) && !said().any(confirms)
        })
    }
}

fn payment_claim(held: &Held) -> Option<PaymentClaim> {
    match held.statement.said {
        Said::Payment(claim) => Some(claim),
        Said::Operation(_) => None,
    }
}

fn is_of(held: &Held, attempt: &AttemptView) -> bool {
    let is_own = |id: &ProviderId| attempt.ids.contains(id);
    let by_reference = held.statement.ids.is_empty()
        && held.statement.reference.is_some()
        && held.statement.reference == attempt.reference;
    held.account == attempt.account && (by_reference || held.statement.ids.iter().any(is_own))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        command::{Command, World as _},
        statement::OperationKind,
        testing::{
            MemoryWorld, accept_from, create_attempt, create_operation, create_order, parent, say,
        },
        time::Time,
    };

    /// Whether an order of 100 with one attempt is undecided after some more.
    fn is_undecided(more: &[Command]) -> bool {
        let mut world = MemoryWorld::default();
        let placed = [create_order("o1", "100"), create_attempt("o1", "a1", "o1", None)];
        for command in placed.iter().chain(more) {
            world.run(command, Time::default()).unwrap();
        }
        world.order(&parent("o1").key()).unwrap().is_undecided()
    }

    #[test]
    fn what_a_provider_could_say_more_of_is_undecided() {
        let said = |basis, text: &str| accept_from(basis, text, vec![say(text)]);
        let refund = create_operation("o1", "a1", (OperationKind::Refund, "r1"), Some("40"));
        let (signed, weak, doubtful, poll) =
            (Basis::Webhook, Basis::WeakWebhook, Basis::DoubtfulWebhook, Basis::Poll);
        for (undecided, more) in [
            (true, vec![]),
            (true, vec![said(signed, "p1 o1 : pending")]),
            (false, vec![said(signed, "p1 o1 : sold 100")]),
            (true, vec![said(signed, "p1 o1 : sold 99")]),
            (false, vec![said(signed, "p1 o1 : final declined")]),
            (false, vec![said(weak, "p1 o1 : sold 100")]),
            (true, vec![said(signed, "p1 o1 : sold 100"), refund.clone()]),
            (
                false,
                vec![
                    said(signed, "p1 o1 : sold 100"),
                    refund,
                    said(poll, "p1 o1 : refund r1 ok 40"),
                ],
            ),
            (true, vec![said(signed, "p1 o1 : sold 100"), said(weak, "p1 : refund r2 ok 40")]),
            (true, vec![said(doubtful, "p1 o1 : sold 100")]),
            (false, vec![said(doubtful, "p1 o1 : sold 100"), said(poll, "p1 o1 : sold 100")]),
            (true, vec![said(poll, "p1 o1 : authorized 100"), said(doubtful, "p1 : sold 100")]),
            (false, vec![said(poll, "p1 o1 : sold 100"), said(doubtful, "p1 : pending")]),
        ] {
            assert_eq!(is_undecided(&more), undecided, "{more:#?}");
        }
    }

    #[test]
    fn without_an_attempt_there_is_nobody_to_ask() {
        let mut world = MemoryWorld::default();
        world.run(&create_order("o1", "100"), Time::default()).unwrap();
        assert!(!world.order(&parent("o1").key()).unwrap().is_undecided());
    }
}

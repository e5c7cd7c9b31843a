//! Pairs what was recorded with what was observed where no id joins them: by account,
//! reference and amount, in order of creation. Computed anew each time, never stored.

use std::{collections::BTreeMap, sync::Arc};

use super::group::{self, Group};
use crate::domain::{
    fact::AttemptIntent,
    ids::AttemptId,
    money::Money,
    order::Facts,
    statement::{Held, Said},
    time::Time,
    view::AttemptKey,
};

type Statements = Vec<Arc<Held>>;

/// Makes one group of each recorded attempt and one of each observed one that found no
/// partner.
pub(super) fn recorded_with_observed(
    facts: &Facts,
    of_recorded: BTreeMap<AttemptId, Statements>,
    mut observed: Vec<Statements>,
) -> Vec<Group> {
    observed.sort_by_cached_key(|statements| (earliest(statements), group::ids_of(statements)));
    let mut recorded: Vec<_> = of_recorded.into_iter().collect();
    let time = |attempt: &AttemptId| facts.attempts.get(attempt).map(|a| a.time);
    recorded.sort_by_cached_key(|(attempt, _)| (time(attempt), attempt.clone()));

    let mut groups = Vec::new();
    for (attempt, mut statements) in recorded {
        let intent = &facts.attempts[&attempt];
        let is_joined = statements.iter().any(|held| !held.statement.ids.is_empty());
        let partner = (!is_joined)
            .then(|| observed.iter().position(|o| is_partner(facts, intent, o)))
            .flatten();
        let paired_by_guess = partner.is_some();
        statements.extend(partner.map(|index| observed.remove(index)).unwrap_or_default());
        let ids = group::ids_of(&statements);
        let key = AttemptKey::Recorded(attempt);
        groups.push(Group { key, statements, ids, paired_by_guess });
    }
    groups.extend(observed.into_iter().filter_map(observed_group));
    groups
}

fn observed_group(statements: Statements) -> Option<Group> {
    let ids = group::ids_of(&statements);
    let account = statements.first()?.account.clone();
    let key = AttemptKey::Observed(account, ids.first()?.clone());
    Some(Group { key, statements, ids, paired_by_guess: false })
}

fn is_partner(facts: &Facts, intent: &AttemptIntent, observed: &Statements) -> bool {
    let same_account = observed.iter().all(|held| held.account == intent.account);
    let same_reference =
        observed.iter().any(|held| held.statement.reference.as_ref() == Some(&intent.reference));
    let expected = intent.amount.or(facts.order.as_ref().and_then(|order| order.amount));
    let mut stated = observed.iter().filter_map(|held| payment_amount(held)).peekable();
    let same_amount = match expected {
        Some(expected) => {
            stated.peek().is_none() || stated.any(|s| intent.rule.admits(&s, &expected))
        }
        None => true,
    };
    same_account && same_reference && same_amount
}

fn payment_amount(held: &Held) -> Option<Money> {
    let is_payment = matches!(held.statement.said, Said::Payment(_));
    held.statement.amount.filter(|_| is_payment).map(|amount| amount.money)
}

/// When a payment was first spoken of, by the provider's clock; unknown comes last.
fn earliest(statements: &Statements) -> (bool, Option<Time>) {
    let first = statements.iter().filter_map(|held| held.statement.provider_time).min();
    (first.is_none(), first)
}

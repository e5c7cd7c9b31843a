//! From the set of facts to the view. A pure function of the set: no history, no clock.

mod attempt;
mod condition;
mod group;
mod join;
mod operation;
mod pair;
mod total;

use super::{fact::OperationIntent, order::Facts, view::View};

/// Computes everything that follows from a set of facts, without names and outcome numbers.
#[must_use]
pub fn project(facts: &Facts) -> View {
    let joined = join::attempts(facts);
    let mut conditions = joined.conditions;
    let operations = operation::derive(facts, &joined.groups, &mut conditions);
    let attempts: Vec<_> = joined
        .groups
        .iter()
        .map(|group| attempt::derive(facts, group, &operations, &mut conditions))
        .collect();
    let summary = total::summarize(facts, &attempts);
    condition::of_order(facts, &attempts, &mut conditions);
    let operations = operations.into_iter().map(|derived| derived.view).collect();
    let mut view = View { summary, attempts, operations, conditions };
    view.sort();
    view.conditions.dedup_by_key(|c| c.id);
    view
}

/// The recorded operation of a key, if it was recorded.
fn recorded_operation<'a>(
    facts: &'a Facts,
    key: &super::view::OperationKey,
) -> Option<&'a OperationIntent> {
    match key {
        super::view::OperationKey::Recorded(kind, id) => facts.operations.get(&(*kind, id.clone())),
        super::view::OperationKey::Observed(..) => None,
    }
}

//! Which statements are about which attempt. Statements that share an id belong together,
//! whichever came first; two recorded attempts never become one.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use super::{
    condition,
    group::{self, Group, names},
    pair,
};
use crate::domain::{
    fact::AttemptIntent,
    ids::{AccountId, AttemptId, ProviderId},
    order::Facts,
    statement::Held,
    view::Condition,
};

/// The attempts of an order, and what stood in the way of joining.
pub(super) struct Joined {
    pub(super) groups: Vec<Group>,
    pub(super) conditions: Vec<Condition>,
}

/// Joins statements and recorded attempts.
pub(super) fn attempts(facts: &Facts) -> Joined {
    let mut conditions = Vec::new();
    let mut of_recorded: BTreeMap<_, Vec<Arc<Held>>> =
        facts.attempts.keys().map(|attempt| (attempt.clone(), Vec::new())).collect();
    let mut observed = Vec::new();
    for component in components(facts) {
        let touching: Vec<&AttemptIntent> =
            facts.attempts.values().filter(|a| component.iter().any(|s| touches(a, s))).collect();
        match touching.as_slice() {
            [] => observed.push(component),
            [only] => of_recorded.entry(only.attempt.clone()).or_default().extend(component),
            several => {
                conditions.push(condition::joins_recorded(several, &component));
                for statement in component {
                    let owner = owner(several, &statement);
                    of_recorded.entry(owner.attempt.clone()).or_default().push(statement);
                }
            }
        }
    }
    let groups = pair::recorded_with_observed(facts, of_recorded, observed);
    Joined { groups, conditions }
}

/// Statements connected by ids, each component in order of content.
fn components(facts: &Facts) -> Vec<Vec<Arc<Held>>> {
    let statements: Vec<&Arc<Held>> = facts.statements.values().collect();
    group::components(&statements, links)
}

/// What connects two statements: an id at an account, or the attempt that a caller named.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Link<'a> {
    Id(&'a AccountId, Cow<'a, ProviderId>),
    Named(&'a AttemptId),
}

fn links(held: &Held) -> impl Iterator<Item = Link<'_>> {
    let named = held.statement.attempt.as_ref();
    // A reply that names its attempt needs no reference to find it.
    let is_needed =
        move |id: &Cow<'_, ProviderId>| named.is_none() || matches!(id, Cow::Borrowed(_));
    let ids = names(held).filter(is_needed).map(move |id| Link::Id(&held.account, id));
    ids.chain(named.map(Link::Named))
}

/// True if a statement is about a recorded attempt by name or by id.
fn touches(intent: &AttemptIntent, held: &Held) -> bool {
    names_it(intent, held) || shares_id(intent, held)
}

fn names_it(intent: &AttemptIntent, held: &Held) -> bool {
    held.statement.attempt.as_ref() == Some(&intent.attempt)
}

fn shares_id(intent: &AttemptIntent, held: &Held) -> bool {
    let reference = ProviderId::from_reference(&intent.reference);
    intent.reference_is_id
        && intent.account == held.account
        && names(held).any(|id| *id == reference)
}

/// Which of several recorded attempts a statement belongs to: the one it names, else the
/// earliest whose id it has, else the earliest.
fn owner<'a>(several: &[&'a AttemptIntent], held: &Held) -> &'a AttemptIntent {
    let by_time = |a: &&&AttemptIntent| (a.time, a.attempt.clone());
    let named = several.iter().find(|a| names_it(a, held));
    let sharing = || several.iter().filter(|a| shares_id(a, held)).min_by_key(by_time);
    let earliest = || several.iter().min_by_key(by_time);
    named.or_else(sharing).or_else(earliest).expect("the caller found several")
}

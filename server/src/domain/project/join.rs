//! Which statements are about which attempt. Statements that share an id belong together,
//! whichever came first; two recorded attempts never become one.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    condition,
    group::{DisjointSets, Group, names},
    pair,
};
use crate::domain::{
    fact::AttemptIntent,
    ids::{Claim, ProviderId},
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
    let mut sets = DisjointSets::new(statements.len());
    let mut first_with: BTreeMap<Link, usize> = BTreeMap::new();
    for (index, held) in statements.iter().enumerate() {
        for link in links(held) {
            let first = *first_with.entry(link).or_insert(index);
            sets.join(first, index);
        }
    }
    let mut components: BTreeMap<usize, Vec<Arc<Held>>> = BTreeMap::new();
    for (index, held) in statements.iter().enumerate() {
        components.entry(sets.root(index)).or_default().push(Arc::clone(held));
    }
    components.into_values().collect()
}

/// What connects two statements: an id at an account, or the attempt that a caller named.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Link {
    Id(Claim),
    Named(crate::domain::ids::AttemptId),
}

fn links(held: &Held) -> Vec<Link> {
    let id = |id| Link::Id(Claim { account: held.account.clone(), id });
    let mut links: Vec<Link> = match held.statement.attempt {
        // A reply that names its attempt needs no reference to find it.
        Some(_) => held.statement.ids.iter().cloned().map(id).collect(),
        None => names(held).into_iter().map(id).collect(),
    };
    links.extend(held.statement.attempt.clone().map(Link::Named));
    links
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
    intent.reference_is_id && intent.account == held.account && names(held).contains(&reference)
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

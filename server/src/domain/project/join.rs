//! Which statements are about which attempt. Statements that share an id belong together,
//! whichever came first; two recorded attempts never become one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{condition, pair};
use crate::domain::{
    fact::AttemptIntent,
    ids::{Claim, ProviderId},
    order::Facts,
    statement::Held,
    view::{AttemptKey, Condition},
};

/// One attempt with the statements about it.
#[derive(Debug)]
pub(super) struct Group {
    /// What it is known by.
    pub(super) key: AttemptKey,
    /// What they say, in order of content.
    pub(super) statements: Vec<Arc<Held>>,
    /// True if record and evidence were paired by guess.
    pub(super) paired_by_guess: bool,
}

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

/// The names of the payment in a statement: its ids, or its reference where it has none.
pub(super) fn names(held: &Held) -> Vec<ProviderId> {
    let statement = &held.statement;
    match (&statement.reference, statement.ids.is_empty()) {
        (Some(reference), true) => vec![ProviderId::from_reference(reference)],
        _ => statement.ids.clone(),
    }
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

/// All ids that some statements name, sorted.
pub(super) fn ids_of(statements: &[Arc<Held>]) -> Vec<ProviderId> {
    let ids: BTreeSet<_> = statements.iter().flat_map(|held| names(held)).collect();
    ids.into_iter().collect()
}

/// Union-find over indexes.
pub(super) struct DisjointSets(Vec<usize>);

impl DisjointSets {
    pub(super) fn new(length: usize) -> Self {
        Self((0..length).collect())
    }

    pub(super) fn root(&mut self, mut index: usize) -> usize {
        while self.0[index] != index {
            self.0[index] = self.0[self.0[index]];
            index = self.0[index];
        }
        index
    }

    pub(super) fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}

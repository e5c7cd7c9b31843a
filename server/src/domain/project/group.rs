//! What statements are gathered into, and how they are connected.

use std::{collections::BTreeSet, sync::Arc};

use crate::domain::{ids::ProviderId, statement::Held, view::AttemptKey};

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

/// The names of the payment in a statement: its ids, or its reference where it has none.
pub(super) fn names(held: &Held) -> Vec<ProviderId> {
    let statement = &held.statement;
    match (&statement.reference, statement.ids.is_empty()) {
        (Some(reference), true) => vec![ProviderId::from_reference(reference)],
        _ => statement.ids.clone(),
    }
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

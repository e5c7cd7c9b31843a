//! What statements are gathered into, and how they are connected.

use std::{borrow::Cow, sync::Arc};

use crate::domain::{
    ids::ProviderId,
    statement::{Held, Statement},
    view::AttemptKey,
};

/// One attempt with the statements about it.
#[derive(Debug)]
pub(super) struct Group {
    /// What it is known by.
    pub(super) key: AttemptKey,
    /// What they say, in order of content.
    pub(super) statements: Vec<Arc<Held>>,
    /// All ids that these name, sorted.
    pub(super) ids: Vec<ProviderId>,
    /// True if record and evidence were paired by guess.
    pub(super) paired_by_guess: bool,
}

/// The names of the payment in a statement: its ids, or its reference where it has none.
pub(super) fn names(held: &Held) -> impl Iterator<Item = Cow<'_, ProviderId>> {
    let Statement { ids, reference, .. } = &held.statement;
    let reference = reference.as_ref().filter(|_| ids.is_empty());
    let reference = reference.map(ProviderId::from_reference).map(Cow::Owned);
    ids.iter().map(Cow::Borrowed).chain(reference)
}

/// All ids that some statements name, sorted.
pub(super) fn ids_of(statements: &[Arc<Held>]) -> Vec<ProviderId> {
    sorted(statements.iter().flat_map(|held| names(held)))
}

/// Ids in order, each once.
pub(super) fn sorted<'a>(ids: impl Iterator<Item = Cow<'a, ProviderId>>) -> Vec<ProviderId> {
    let mut ids: Vec<_> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter().map(Cow::into_owned).collect()
}

/// Statements that are connected by what links them, each component in its order.
pub(super) fn components<'a, L: Ord, I: Iterator<Item = L>>(
    statements: &[&'a Arc<Held>],
    links: impl Fn(&'a Held) -> I,
) -> Vec<Vec<Arc<Held>>> {
    let of_each = statements.iter().enumerate();
    let links = of_each.flat_map(|(index, held)| links(held).map(move |link| (link, index)));
    let mut links: Vec<_> = links.collect();
    links.sort_unstable();
    let mut sets = DisjointSets::new(statements.len());
    for pair in links.windows(2) {
        if let [(a, first), (b, second)] = pair
            && a == b
        {
            sets.join(*first, *second);
        }
    }
    let mut components: Vec<(usize, Vec<Arc<Held>>)> = Vec::with_capacity(statements.len());
    for (index, held) in statements.iter().enumerate() {
        let root = sets.root(index);
        match components.iter_mut().find(|(of, _)| *of == root) {
            Some((_, component)) => component.push(Arc::clone(held)),
            None => components.push((root, vec![Arc::clone(held)])),
        }
    }
    components.into_iter().map(|(_, component)| component).collect()
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

//! A map in layers: what is not yet in sled, what is on its way there, and a bounded memory
//! of what is.

use std::{hash::Hash, sync::Arc};

use foldhash::fast::RandomState;

/// Names come from outside, but only those that were recorded get in here; and the hash is
/// seeded at random.
pub(super) type HashMap<K, V> = std::collections::HashMap<K, V, RandomState>;

/// States of one kind, newest first.
pub(super) struct Layered<K, V> {
    /// Not yet written. Never dropped.
    pending: HashMap<K, V>,
    /// Being written now. Never dropped before that is done.
    writing: Arc<HashMap<K, V>>,
    /// Written; two generations, the older one goes when the younger is full. A large step is a
    /// generation of its own: so the memory of many states is not moved one by one.
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    /// How often an older generation was dropped.
    drops: u64,
}

/// A moment at which a value was looked for in vain, see [`Layered::keep`].
#[derive(Clone, Copy)]
pub(super) struct Missed(u64);

/// Written states that make a generation.
const GENERATION: usize = 50_000;

impl<K, V> Default for Layered<K, V> {
    fn default() -> Self {
        let (pending, writing) = (HashMap::default(), Arc::default());
        Self { pending, writing, young: HashMap::default(), old: HashMap::default(), drops: 0 }
    }
}

impl<K: Eq + Hash + Clone, V: Clone> Layered<K, V> {
    /// The newest value.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        [&self.pending, &self.writing, &self.young, &self.old].into_iter().find_map(|m| m.get(key))
    }

    /// Sets a value that is to be written; answers the one that waited to be written before.
    pub(super) fn put(&mut self, key: K, value: V) -> Option<V> {
        self.pending.insert(key, value)
    }

    /// The present moment, for somebody who found no value and is going to ask sled.
    pub(super) fn missed(&self) -> Missed {
        Missed(self.drops)
    }

    /// Remembers a value that was read from sled, unless a newer one came since it was missed
    /// here: that one is still here, or something was dropped meanwhile, and it may be in sled
    /// already.
    pub(super) fn keep(&mut self, key: K, value: &V, since: Missed) {
        if self.drops == since.0 && self.get(&key).is_none() {
            self.remember(key, value.clone());
        }
    }

    /// How many values are not yet written.
    pub(super) fn unwritten(&self) -> usize {
        self.pending.len() + self.writing.len()
    }

    /// Takes what is to be written; it stays visible until [`Layered::wrote`].
    pub(super) fn begin_write(&mut self) -> Arc<HashMap<K, V>> {
        debug_assert!(self.writing.is_empty(), "one write at a time");
        // The next step will be about as large: no need to grow to it again, value by value.
        let next = HashMap::with_capacity_and_hasher(self.pending.len(), RandomState::default());
        self.writing = Arc::new(std::mem::replace(&mut self.pending, next));
        Arc::clone(&self.writing)
    }

    /// True for a step that becomes a generation as it is; of any other, [`Layered::wrote_some`]
    /// is to be told.
    pub(super) fn is_generation(step: &HashMap<K, V>) -> bool {
        step.len() >= GENERATION / 2
    }

    /// Remembers some of what was taken and is in sled now.
    pub(super) fn wrote_some<'a>(&mut self, some: impl IntoIterator<Item = (&'a K, &'a V)>)
    where
        K: 'a,
        V: 'a,
    {
        some.into_iter().for_each(|(key, value)| self.remember(key.clone(), value.clone()));
    }

    /// All that was taken is in sled now, and nobody else holds it any more. Answers what is
    /// forgotten by that, to be freed where nobody waits.
    pub(super) fn wrote(&mut self) -> HashMap<K, V> {
        let step = Arc::unwrap_or_clone(std::mem::take(&mut self.writing));
        if !Self::is_generation(&step) {
            return step;
        }
        self.drops += 1;
        let old = std::mem::replace(&mut self.young, step);
        std::mem::replace(&mut self.old, old)
    }

    fn remember(&mut self, key: K, value: V) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
            self.drops += 1;
        }
        self.old.remove(&key);
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unwritten_values_are_never_dropped_and_the_newest_is_seen() {
        let mut map = Layered::default();
        for n in 0..3 * GENERATION {
            map.put(n, 1);
        }
        let taken = map.begin_write();
        assert_eq!(taken.len(), 3 * GENERATION);
        map.put(0, 2);
        assert_eq!((map.get(&0), map.get(&1)), (Some(&2), Some(&1)));
        assert!(Layered::is_generation(&taken));
        drop(taken);
        map.wrote();
        assert_eq!(map.get(&0), Some(&2), "what is pending wins");
        assert_eq!(map.unwritten(), 1);
        map.keep(0, &9, map.missed());
        assert_eq!(map.get(&0), Some(&2), "what was read from sled is never newer");
    }

    fn write<K: Eq + Hash + Clone, V: Clone>(map: &mut Layered<K, V>) {
        let taken = map.begin_write();
        if !Layered::is_generation(&taken) {
            map.wrote_some(&*taken);
        }
        drop(taken);
        map.wrote();
    }

    #[test]
    fn two_generations_are_remembered_whatever_they_are_made_of() {
        for step in [1, GENERATION / 2 - 1, GENERATION / 2, GENERATION, 2 * GENERATION] {
            let mut map = Layered::default();
            for n in 0..5 * GENERATION {
                map.put(n, n);
                map.put(0, n);
                if n % step == step - 1 {
                    write(&mut map);
                    assert_eq!(map.get(&0), Some(&n), "of step {step}");
                }
            }
            write(&mut map);
            let kept = (0..5 * GENERATION).filter(|n| map.get(n).is_some()).count();
            let bounds = GENERATION..=2 * GENERATION.max(step) + 1;
            assert!(bounds.contains(&kept), "{kept} in steps of {step}");
        }
    }

    /// A reader misses a value and reads it from sled; before it comes back, a newer one is
    /// set, written and dropped from memory. The older one must not take its place.
    #[test]
    fn an_older_value_from_sled_never_hides_a_newer_one_that_was_dropped() {
        let mut map = Layered::default();
        let missed = map.missed();
        for n in 0..2 * GENERATION + 1 {
            map.put(n, 2);
            write(&mut map);
        }
        let dropped = (0..2 * GENERATION).find(|n| map.get(n).is_none()).unwrap();
        map.keep(dropped, &1, missed);
        assert_eq!(map.get(&dropped), None);
        map.keep(dropped, &2, map.missed());
        assert_eq!(map.get(&dropped), Some(&2));
    }
}

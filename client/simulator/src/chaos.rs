//! What goes wrong between a provider and its merchant, drawn from a seed.

use std::{collections::BTreeSet, fmt, ops::Range, str::FromStr};

use rand::{Rng, seq::SliceRandom as _};

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// Webhooks come late.
    Late,
    /// Webhooks come again.
    Twice,
    /// The webhooks of an order come in another order.
    Reorder,
    /// No webhook of an order comes.
    Drop,
    /// Somebody who does not know the secret sends one.
    Forge,
    /// A bit of what is signed flips on the way.
    Flip,
    /// The provider collects another amount than it was asked for.
    Amount,
}

/// All of it, with the word for each.
const WORDS: [(Trouble, &str); 7] = [
    (Trouble::Late, "late"),
    (Trouble::Twice, "twice"),
    (Trouble::Reorder, "reorder"),
    (Trouble::Drop, "drop"),
    (Trouble::Forge, "forge"),
    (Trouble::Flip, "flip"),
    (Trouble::Amount, "amount"),
];

/// Milliseconds between two webhooks of an order …
const PAUSE_MS: Range<u64> = 5..60;
/// … and where one is late.
const LATE_MS: Range<u64> = 300..1500;

/// What may go wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chaos(BTreeSet<Trouble>);

/// A word that names no trouble.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is none of: late, twice, reorder, drop, forge, flip, amount, all, none")]
pub struct UnknownTrouble {
    /// The word.
    pub word: String,
}

impl FromStr for Chaos {
    type Err = UnknownTrouble;

    /// Words with commas between them, or `all`, or `none`.
    fn from_str(text: &str) -> Result<Self, UnknownTrouble> {
        let mut chaos = Self::default();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match (word, WORDS.iter().find(|(_, known)| *known == word)) {
                (_, Some((trouble, _))) => drop(chaos.0.insert(*trouble)),
                ("all", _) => chaos = Self::all(),
                ("none", _) => {}
                _ => return Err(UnknownTrouble { word: word.to_owned() }),
            }
        }
        Ok(chaos)
    }
}

impl fmt::Display for Chaos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = WORDS.iter().filter(|(trouble, _)| self.has(*trouble)).map(|(_, word)| *word);
        let words: Vec<&str> = words.collect();
        f.write_str(if words.is_empty() { "none".to_owned() } else { words.join(",") }.as_str())
    }
}

/// How a webhook is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// As the provider sends it.
    Honest,
    /// Once more.
    Again,
    /// Signed with another secret. Must be refused.
    Forged,
    /// With a bit of what is signed changed. Must be refused.
    Flipped,
}

/// One webhook to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Which event of the order.
    pub event: usize,
    /// How.
    pub how: How,
    /// How long after the one before.
    pub pause_ms: u64,
}

/// What is sent of one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// In this order.
    pub deliveries: Vec<Delivery>,
    /// True if nothing honest is.
    pub is_dropped: bool,
}

impl Chaos {
    /// Everything goes wrong.
    #[must_use]
    pub fn all() -> Self {
        Self(WORDS.iter().map(|(trouble, _)| *trouble).collect())
    }

    /// True if this may go wrong.
    #[must_use]
    pub fn has(&self, trouble: Trouble) -> bool {
        self.0.contains(&trouble)
    }

    /// Another amount than the one that was asked for, now and then.
    pub fn other_amount(&self, asked: u64, random: &mut impl Rng) -> Option<u64> {
        let other = asked + random.random_range(1..=asked.max(1));
        self.strikes(Trouble::Amount, 4, random).then_some(other)
    }

    /// What is sent of an order that has so many events.
    pub fn plan(&self, event_count: usize, random: &mut impl Rng) -> Plan {
        let honest = |event| Delivery { event, how: How::Honest, pause_ms: 0 };
        let mut deliveries: Vec<Delivery> = (0..event_count).map(honest).collect();
        let is_dropped = self.strikes(Trouble::Drop, 4, random);
        if is_dropped {
            deliveries.clear();
        }
        if self.strikes(Trouble::Reorder, 2, random) {
            deliveries.shuffle(random);
        }
        for event in deliveries.clone().iter().map(|delivery| delivery.event) {
            if self.strikes(Trouble::Twice, 3, random) {
                let first = deliveries.iter().position(|d| d.event == event).unwrap_or_default();
                let place = random.random_range(first + 1..=deliveries.len());
                deliveries.insert(place, Delivery { how: How::Again, ..honest(event) });
            }
        }
        for (trouble, how) in [(Trouble::Forge, How::Forged), (Trouble::Flip, How::Flipped)] {
            if event_count > 0 && self.strikes(trouble, 3, random) {
                let place = random.random_range(0..=deliveries.len());
                let event = random.random_range(0..event_count);
                deliveries.insert(place, Delivery { how, ..honest(event) });
            }
        }
        for delivery in &mut deliveries {
            let is_late = self.strikes(Trouble::Late, 3, random);
            delivery.pause_ms = random.random_range(if is_late { LATE_MS } else { PAUSE_MS });
        }
        Plan { deliveries, is_dropped }
    }

    /// Once in so many times, if this may go wrong at all. Draws in any case, so that one
    /// trouble does not change how the others strike.
    fn strikes(&self, trouble: Trouble, once_in: u32, random: &mut impl Rng) -> bool {
        random.random_ratio(1, once_in) && self.has(trouble)
    }
}

/// Flips one bit within one of the places of a body. False if there is no place.
pub fn flip(body: &mut [u8], places: &[Range<usize>], random: &mut impl Rng) -> bool {
    let bytes: Vec<usize> =
        places.iter().cloned().flatten().filter(|at| *at < body.len()).collect();
    if bytes.is_empty() {
        return false;
    }
    let at = bytes[random.random_range(0..bytes.len())];
    // Of the lower bits only: the byte stays ASCII, so the body stays text.
    body[at] ^= 1 << random.random_range(0..5);
    true
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng as _, rngs::StdRng};

    use super::*;

    fn plans(chaos: &str, seed: u64) -> Vec<Plan> {
        let chaos: Chaos = chaos.parse().expect("the words are known");
        let mut random = StdRng::seed_from_u64(seed);
        (0..100).map(|_| chaos.plan(4, &mut random)).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_run() {
        assert_eq!(plans("all", 7), plans("all", 7));
        assert_ne!(plans("all", 7), plans("all", 8));
    }

    #[test]
    fn without_chaos_all_is_sent_once_and_in_order() {
        for plan in plans("none", 1) {
            let events: Vec<usize> = plan.deliveries.iter().map(|d| d.event).collect();
            assert_eq!((events, plan.is_dropped), (vec![0, 1, 2, 3], false));
        }
    }

    #[test]
    fn each_trouble_strikes_some_and_not_all() {
        type Struck = fn(&Plan) -> bool;
        let troubles: [(&str, Struck); 6] = [
            ("late", |p| p.deliveries.iter().any(|d| d.pause_ms >= LATE_MS.start)),
            ("twice", |p| p.deliveries.iter().any(|d| d.how == How::Again)),
            ("reorder", |p| !p.deliveries.is_sorted_by_key(|d| d.event)),
            ("drop", |p| p.is_dropped),
            ("forge", |p| p.deliveries.iter().any(|d| d.how == How::Forged)),
            ("flip", |p| p.deliveries.iter().any(|d| d.how == How::Flipped)),
        ];
        for (word, struck) in troubles {
            let count = plans(word, 1).iter().filter(|plan| struck(plan)).count();
            assert!((1..100).contains(&count), "{word} struck {count} of 100");
            assert!(!plans("none", 1).iter().any(struck), "{word}");
        }
    }

    #[test]
    fn other_amounts_are_other_amounts() {
        let mut random = StdRng::seed_from_u64(1);
        let chaos: Chaos = "amount".parse().expect("it is known");
        let others: Vec<u64> =
            (0..100).filter_map(|_| chaos.other_amount(100, &mut random)).collect();
        assert!(!others.is_empty() && !others.contains(&100), "{others:?}");
    }

    #[test]
    fn words_come_back_as_they_were_said() {
        for text in ["late,flip", "none", "late,twice,reorder,drop,forge,flip,amount"] {
            assert_eq!(text.parse::<Chaos>().expect(text).to_string(), text);
        }
        assert_eq!("all".parse(), Ok(Chaos::all()));
        assert!("later".parse::<Chaos>().is_err());
    }

    #[test]
    fn a_flip_changes_one_bit_where_it_may() {
        let mut random = StdRng::seed_from_u64(1);
        for _ in 0..100 {
            let mut body = *b"0123456789";
            assert!(flip(&mut body, &[2..4, 7..8], &mut random));
            let changed: Vec<usize> =
                (0..10).filter(|at| body[*at] != b"0123456789"[*at]).collect();
            assert!(matches!(changed[..], [2 | 3 | 7]), "{changed:?}");
        }
        assert!(!flip(&mut [1, 2], &[], &mut random));
    }
}

//! So many requests a second, and no more. Pure: time comes in. (GCRA, as `governor` has it;
//! these few lines can be asked for a place in the future, and bring no other crates.)

use std::time::{Duration, Instant};

/// How many.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// Requests a second, more than nothing.
    pub per_second: f64,
    /// Requests that may come at once after a pause.
    pub burst: u32,
}

impl Limit {
    /// So many a second; those of one second may come at once.
    #[must_use]
    pub fn per_second(per_second: f64) -> Self {
        Self { per_second, burst: per_second.ceil().clamp(1.0, 1000.0) as u32 }
    }
}

/// Hands out places.
#[derive(Debug, Default)]
pub(super) struct Rate {
    /// When the next place would be, if nobody had a burst.
    next: Option<Instant>,
}

impl Rate {
    /// The moment of the next place, which is taken. If it would be after `latest`, nothing is
    /// taken, and the moment is the error.
    pub(super) fn take(
        &mut self,
        limit: Limit,
        now: Instant,
        latest: Instant,
    ) -> Result<Instant, Instant> {
        let gap = Duration::from_secs_f64(1.0 / limit.per_second);
        let next = self.next.map_or(now, |next| next.max(now));
        let ahead = gap * limit.burst.saturating_sub(1);
        let place = next.checked_sub(ahead).map_or(now, |place| place.max(now));
        if place > latest {
            return Err(place);
        }
        self.next = Some(next + gap);
        Ok(place)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_burst_then_one_after_the_other() {
        let start = Instant::now();
        let limit = Limit { per_second: 2.0, burst: 3 };
        let mut rate = Rate::default();
        let far = start + Duration::from_secs(100);
        let places: Vec<u128> =
            (0..6).map(|_| (rate.take(limit, start, far).unwrap() - start).as_millis()).collect();
        assert_eq!(places, [0, 0, 0, 500, 1000, 1500]);
        assert_eq!(rate.take(limit, start, start), Err(start + Duration::from_secs(2)));
        let later = start + Duration::from_secs(2);
        assert_eq!(rate.take(limit, later, later), Ok(later), "a refusal took no place");
    }

    proptest! {
        /// In no span of time are there more than its share and one burst.
        #[test]
        fn the_limit_holds(
            gaps in prop::collection::vec(0..400_u64, 2..100),
            per_second in 0.5..20.0_f64,
            burst in 1..10_u32,
        ) {
            let limit = Limit { per_second, burst };
            let start = Instant::now();
            let (mut now, mut rate) = (start, Rate::default());
            let mut places = Vec::new();
            for gap in gaps {
                now += Duration::from_millis(gap);
                places.extend(rate.take(limit, now, now + Duration::from_secs(1)));
            }
            for (i, from) in places.iter().enumerate() {
                for (count, to) in places[i..].iter().enumerate() {
                    let share = (*to - *from).as_secs_f64() * per_second;
                    prop_assert!((count as f64) < share + f64::from(burst) + 0.001);
                }
            }
        }
    }
}

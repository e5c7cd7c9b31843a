//! Medians and percentiles.

/// Latencies in microseconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latencies(Vec<u32>);

impl Latencies {
    pub(crate) fn add(&mut self, time: std::time::Duration) {
        self.0.push(u32::try_from(time.as_micros()).unwrap_or(u32::MAX));
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The value that this share of all is not above, in milliseconds.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(crate) fn percentile_ms(&mut self, share: f64) -> f64 {
        if self.0.is_empty() {
            return f64::NAN;
        }
        let at = ((self.0.len() - 1) as f64 * share) as usize;
        let (_, value, _) = self.0.select_nth_unstable(at);
        f64::from(*value) / 1000.0
    }

    /// The middle, 99 of 100 and the worst, for a table.
    pub(crate) fn summary(&mut self) -> String {
        let [p50, p99, worst] = [0.5, 0.99, 1.0].map(|share| self.percentile_ms(share));
        format!("p50 {p50:.2} ms, p99 {p99:.2} ms, worst {worst:.1} ms")
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

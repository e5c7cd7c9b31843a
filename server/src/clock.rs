//! The one place that reads the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::time::Time;

/// The present moment.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "everything else gets its time from here")]
pub fn now() -> Time {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
}

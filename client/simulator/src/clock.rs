//! The one place that asks what time it is.

/// Seconds since 1970.
#[must_use]
pub fn now_seconds() -> i64 {
    jiff::Timestamp::now().as_second()
}

//! Finds the part of the journal that is of a time, and reads apart from what serves.

use std::sync::Arc;

use tonic::Status;

use super::errors;
use crate::{
    domain::time::Time,
    hub::Hub,
    journal::{Position, Reader},
    record,
};

/// How far two records may be in the wrong order of their times: a clock may have been set back.
const CLOCK_SECONDS_OFF: i64 = 600;

/// What cannot be read.
pub(super) type Failed = Box<dyn std::fmt::Display + Send>;

/// Does something that reads the journal, apart from what serves.
pub(super) async fn reading<T: Send + 'static>(
    hub: &Hub,
    read: impl FnOnce(&dyn Reader) -> Result<T, Failed> + Send + 'static,
) -> Result<T, Status> {
    let journal = Arc::clone(hub.journal());
    let done = tokio::task::spawn_blocking(move || read(&*journal)).await;
    done.map_err(|error| errors::internal(&error))?.map_err(|error| errors::internal(&error))
}

/// Positions from the first one to before the second, outside of which no record is of the times
/// from the first one to before the second.
pub(super) fn bounds(
    journal: &dyn Reader,
    since: Option<Time>,
    until: Option<Time>,
) -> Result<(Position, Position), Failed> {
    let first = since.map_or(Ok(1), |since| first_at(journal, since))?;
    let head = journal.head();
    Ok((first, until.map_or(Ok(head + 1), |until| end_at(journal, until))?))
}

/// The first position whose record, and all after it, may be of a time or later.
pub(super) fn first_at(journal: &dyn Reader, time: Time) -> Result<Position, Failed> {
    let time = time.minus_seconds(CLOCK_SECONDS_OFF);
    let (mut low, mut high) = (1, journal.head() + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let Some(stored) = journal.read_one(middle).map_err(boxed)? else { break };
        match record::decode(&stored.record).map_err(boxed)?.time() < time {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    Ok(low)
}

/// The first position after which no record is of before a time.
fn end_at(journal: &dyn Reader, time: Time) -> Result<Position, Failed> {
    // Twice as far off, and to the other side.
    first_at(journal, time.minus_seconds(-2 * CLOCK_SECONDS_OFF))
}

pub(super) fn boxed(error: impl std::fmt::Display + Send + 'static) -> Failed {
    Box::new(error)
}

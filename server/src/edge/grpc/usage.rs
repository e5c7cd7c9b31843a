//! What each caller did since the start: how often it called which method, when last, and how
//! often it was refused.

use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock, Mutex, PoisonError, RwLock,
        atomic::{
            AtomicI64, AtomicU64,
            Ordering::{AcqRel, Acquire, Relaxed},
        },
    },
    time::Duration,
};

use prost::Message as _;
use prost_types::FileDescriptorSet;
use tokio::time::Instant;

use crate::{domain::time::Time, engine::KEYS_MAX};

/// The use of a key is recorded at most once in this time.
const RECORD_EVERY: Duration = Duration::from_secs(60 * 60);
/// Refusals of one caller are recorded up to a number in this time …
const REFUSALS_EVERY: Duration = Duration::from_secs(60);
/// … which is this.
const REFUSALS_MAX: u32 = 10;
/// Callers that are remembered: every key, and as many that are gone or have a certificate.
const CALLERS_MAX: usize = 2 * KEYS_MAX;

/// Every method of the API.
struct Methods {
    /// `OrderService/GetOrder`
    names: Vec<String>,
    /// By `/paystatus.v1.OrderService/GetOrder`.
    by_path: HashMap<String, usize>,
}

static METHODS: LazyLock<Methods> = LazyLock::new(|| {
    let files = FileDescriptorSet::decode(paystatus_proto::DESCRIPTORS).unwrap_or_default().file;
    let (mut names, mut by_path) = (Vec::new(), HashMap::new());
    for file in &files {
        for service in &file.service {
            for method in &service.method {
                let name = format!("{}/{}", service.name(), method.name());
                by_path.insert(format!("/{}.{name}", file.package()), names.len());
                names.push(name);
            }
        }
    }
    Methods { names, by_path }
});

/// The method of a path, if there is one.
pub(super) fn method(path: &str) -> Option<usize> {
    METHODS.by_path.get(path).copied()
}

/// A method's name, such as `OrderService/GetOrder`.
pub(super) fn method_name(method: usize) -> &'static str {
    METHODS.names.get(method).map_or("", String::as_str)
}

/// What every caller did.
#[derive(Default)]
pub struct Usage(RwLock<HashMap<String, Arc<Used>>>);

/// What one caller did.
pub(super) struct Used {
    last: AtomicI64,
    recorded: AtomicI64,
    calls: Box<[AtomicU64]>,
    refusals: Mutex<Refusals>,
}

struct Refusals {
    since: Instant,
    recorded: u32,
    left_out: u64,
}

/// What is to be done about a refusal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Note {
    /// Record it.
    Record,
    /// Record it at that moment, with all that are left out until then.
    RecordAt(Instant),
    /// It is counted; nothing.
    Count,
}

impl Usage {
    /// What a caller did, which begins now if nothing is known; `recorded` is what the journal
    /// says of its last use.
    pub(super) fn of(&self, id: &str, recorded: Option<Time>) -> Arc<Used> {
        if let Some(used) = self.known(id) {
            return used;
        }
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= CALLERS_MAX {
            // Only with many callers that are gone. The counts begin anew, which they say.
            all.clear();
        }
        let new = || Arc::new(Used::new(recorded));
        Arc::clone(all.entry(id.to_owned()).or_insert_with(new))
    }

    /// What a caller did, if it did anything.
    pub(super) fn known(&self, id: &str) -> Option<Arc<Used>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
}

impl Used {
    fn new(recorded: Option<Time>) -> Self {
        let refusals = Refusals { since: Instant::now(), recorded: 0, left_out: 0 };
        let recorded = recorded.map_or(i64::MIN, Time::as_micros);
        Self {
            last: AtomicI64::new(recorded),
            recorded: AtomicI64::new(recorded),
            calls: METHODS.names.iter().map(|_| AtomicU64::new(0)).collect(),
            refusals: Mutex::new(refusals),
        }
    }

    /// Counts a call. If its time is to be recorded, answers which was recorded before.
    pub(super) fn called(&self, method: usize, now: Time) -> Option<i64> {
        if let Some(count) = self.calls.get(method) {
            count.fetch_add(1, Relaxed);
        }
        let now = now.as_micros();
        self.last.fetch_max(now, AcqRel);
        let before = self.recorded.load(Acquire);
        let every = i64::try_from(RECORD_EVERY.as_micros()).unwrap_or(i64::MAX);
        let is_due = now.saturating_sub(before) >= every;
        let is_first = || self.recorded.compare_exchange(before, now, AcqRel, Acquire).is_ok();
        (is_due && is_first()).then_some(before)
    }

    /// Takes back that it was recorded.
    pub(super) fn not_recorded(&self, before: i64) {
        self.recorded.store(before, Relaxed);
    }

    /// When it called last.
    pub(super) fn last(&self) -> Option<Time> {
        Some(self.last.load(Acquire)).filter(|last| *last != i64::MIN).map(Time::from_micros)
    }

    /// How often it called each method that it did call.
    pub(super) fn calls(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.calls.iter().map(|count| count.load(Relaxed)).enumerate();
        counts.filter(|(_, count)| *count > 0).map(|(method, count)| (method_name(method), count))
    }

    /// Counts a refusal.
    pub(super) fn refused(&self, now: Instant) -> Note {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        if refusals.left_out == 0 && now - refusals.since >= REFUSALS_EVERY {
            (refusals.since, refusals.recorded) = (now, 0);
        }
        if refusals.recorded < REFUSALS_MAX {
            refusals.recorded += 1;
            return Note::Record;
        }
        refusals.left_out += 1;
        match refusals.left_out {
            1 => Note::RecordAt(refusals.since + REFUSALS_EVERY),
            _ => Note::Count,
        }
    }

    /// How many refusals were not recorded; the count begins anew.
    pub(super) fn take_left_out(&self) -> u64 {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut refusals.left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_has_a_name_and_no_other_path_has_one() {
        let get = method("/paystatus.v1.OrderService/GetOrder").expect("it is a method");
        assert_eq!(method_name(get), "OrderService/GetOrder");
        for path in ["", "/", "/paystatus.v1.OrderService/Nothing", "/grpc.health.v1.Health/Check"]
        {
            assert_eq!(method(path), None, "{path}");
        }
    }

    #[test]
    fn uses_are_counted_each_and_recorded_once_an_hour() {
        let used = Used::new(None);
        assert_eq!(used.last(), None);
        let at = |seconds| Time::from_seconds(seconds);
        assert_eq!(used.called(1, at(100)), Some(i64::MIN), "the first is recorded");
        assert_eq!(used.called(0, at(3699)), None);
        assert_eq!(used.called(1, at(3700)), Some(at(100).as_micros()));
        assert_eq!(used.called(1, at(3701)), None);
        used.not_recorded(at(100).as_micros());
        assert!(used.called(1, at(3702)).is_some(), "what failed is tried again");
        assert_eq!(used.last(), Some(at(3702)));
        let calls = [(method_name(0), 1), (method_name(1), 4)];
        assert_eq!(used.calls().collect::<Vec<_>>(), calls);
        assert_eq!(Used::new(Some(at(100))).called(0, at(101)), None, "also over a restart");
    }

    #[test]
    fn a_flood_of_refusals_is_recorded_in_part_and_counted_whole() {
        let used = Used::new(None);
        let begin = used.refusals.lock().expect("no panic").since;
        for _ in 0..REFUSALS_MAX {
            assert_eq!(used.refused(begin), Note::Record);
        }
        let end = begin + REFUSALS_EVERY;
        assert_eq!(used.refused(begin), Note::RecordAt(end));
        for _ in 0..99 {
            assert_eq!(used.refused(begin), Note::Count);
        }
        assert_eq!(used.refused(end), Note::Count, "it is taken with the others");
        assert_eq!(used.take_left_out(), 101);
        assert_eq!(used.refused(end), Note::Record, "a new minute begins");
    }
}

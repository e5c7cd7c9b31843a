//! From the wire to the domain: text becomes names and amounts once, here. All that is wrong
//! with a request is said at once.

pub(super) mod intent;
pub(super) mod reply;
pub(super) mod stream;

use std::{collections::BTreeMap, fmt::Display, time::Duration};

use paystatus_proto::v1;
use tonic::Status;
use tonic_types::FieldViolation;

use super::errors;
use crate::domain::{
    fact::{LABEL_BYTES_MAX, LABELS_MAX},
    ids::{InvalidName, ProviderId},
    money::{Currency, Money},
    time::Time,
};

/// How old what is known may be; `None` is any age.
pub(super) fn max_age(wire: Option<prost_types::Duration>) -> Result<Option<Duration>, Status> {
    let negative = |_| errors::field("max_age", "must not be negative");
    wire.map(|wire| Duration::try_from(wire).map_err(negative)).transpose()
}

/// How long a page token is valid if the caller does not say, in seconds.
const PAGE_TOKEN_SECONDS: i64 = 30 * 60;
/// How long it may be valid, in seconds.
const PAGE_TOKEN_SECONDS_MAX: i64 = 24 * 60 * 60;

/// How long a page token is to be valid, in seconds.
pub(super) fn page_token_seconds(ttl: Option<prost_types::Duration>) -> Result<i64, Status> {
    let Some(ttl) = ttl else { return Ok(PAGE_TOKEN_SECONDS) };
    match ttl.seconds {
        1..=PAGE_TOKEN_SECONDS_MAX if ttl.nanos >= 0 => Ok(ttl.seconds),
        _ => Err(errors::field("ttl", "must be 1 second to 24 hours")),
    }
}

/// Collects what is wrong with a request.
#[derive(Default)]
pub(super) struct Violations(Vec<FieldViolation>);

impl Violations {
    /// Notes a problem of a field.
    pub(super) fn add(&mut self, field: &str, problem: impl Display) {
        self.0.push(FieldViolation::new(field, problem.to_string()));
    }

    /// The value, or a note of why there is none.
    pub(super) fn take<T, E: Display>(&mut self, field: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|problem| self.add(field, problem)).ok()
    }

    /// A required name.
    pub(super) fn name<T>(
        &mut self,
        field: &str,
        text: &str,
        parse: fn(&str) -> Result<T, InvalidName>,
    ) -> Option<T> {
        if text.is_empty() {
            self.add(field, "is required");
            return None;
        }
        self.take(field, parse(text))
    }

    /// An amount that may be absent; `Some(None)` is absent.
    pub(super) fn amount(
        &mut self,
        field: &str,
        money: Option<&v1::Money>,
    ) -> Option<Option<Money>> {
        let Some(wire) = money else { return Some(None) };
        let currency = self.take(field, Currency::parse(&wire.currency_code))?;
        let exponent = u8::try_from(wire.exponent);
        let exponent = self.take(field, exponent.map_err(|_| "exponent must be 0 to 18"))?;
        let amount = self.take(field, Money::new(currency, wire.minor_units, exponent))?;
        if amount.is_zero() {
            self.add(field, "must be more than zero");
            return None;
        }
        Some(Some(amount))
    }

    /// Labels within their limits.
    pub(super) fn labels(
        &mut self,
        labels: std::collections::HashMap<String, String>,
    ) -> BTreeMap<String, String> {
        if labels.len() > LABELS_MAX {
            self.add("labels", format!("must be at most {LABELS_MAX}"));
        }
        let fits = |t: &str| t.len() <= LABEL_BYTES_MAX && !t.chars().any(char::is_control);
        if !labels.iter().all(|(key, value)| !key.is_empty() && fits(key) && fits(value)) {
            let problem = format!("keys and values must be 1 to {LABEL_BYTES_MAX} printable bytes");
            self.add("labels", problem);
        }
        labels.into_iter().collect()
    }

    /// Provider ids, sorted and without repeats.
    pub(super) fn ids(
        &mut self,
        field: &str,
        ids: &[v1::ProviderId],
        max: usize,
    ) -> Vec<ProviderId> {
        if ids.len() > max {
            self.add(field, format!("must be at most {max}"));
        }
        let parse = |id: &v1::ProviderId| self.take(field, ProviderId::parse(&id.kind, &id.value));
        let mut ids: Vec<ProviderId> = ids.iter().filter_map(parse).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// A moment that may be absent.
    pub(super) fn time(
        &mut self,
        field: &str,
        time: Option<&prost_types::Timestamp>,
    ) -> Option<Time> {
        let time = time?;
        let micros = time.seconds.checked_mul(1_000_000);
        let micros = micros.and_then(|m| m.checked_add(i64::from(time.nanos / 1000)));
        let is_sound = (0..1_000_000_000).contains(&time.nanos);
        match micros.filter(|_| is_sound) {
            Some(micros) => Some(Time::from_micros(micros)),
            None => {
                self.add(field, "is not a valid time");
                None
            }
        }
    }

    /// Refuses the request if anything is wrong with it.
    pub(super) fn check(self) -> Result<(), Status> {
        if self.0.is_empty() { Ok(()) } else { Err(errors::fields(self.0)) }
    }

    /// The value, if nothing is wrong with the request.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, Status> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(errors::fields(self.0)),
        }
    }
}

/// How many to return.
pub(super) fn page_size(asked: i32, default: usize, max: usize) -> Result<usize, Status> {
    match usize::try_from(asked) {
        Ok(0) => Ok(default),
        Ok(size) => Ok(size.min(max)),
        Err(_) => Err(errors::field("page_size", "must not be negative")),
    }
}

//! Between the messages of the API and the nouns of this crate. Only here and in `calls` is a
//! message type seen.

mod access;
mod account;
mod change;
pub(crate) mod frame;
mod order;
mod subscription;
#[cfg(test)]
mod tests;
mod timeline;
mod webhook;

use std::time::{Duration, SystemTime};

use paystatus_proto::v1;
use prost_types::Timestamp;

use crate::{error::Error, money::Money};

/// A time on the wire. One that no clock can hold counts as not stated.
pub(crate) fn time_from_wire(time: Option<Timestamp>) -> Option<SystemTime> {
    SystemTime::try_from(time?).ok()
}

pub(crate) fn time_to_wire(time: SystemTime) -> Timestamp {
    time.into()
}

/// A duration on the wire. One too long for it is as long as it can say.
pub(crate) fn duration_to_wire(duration: Duration) -> prost_types::Duration {
    let longest = prost_types::Duration { seconds: i64::MAX, nanos: 0 };
    duration.try_into().unwrap_or(longest)
}

/// What a message promises to hold.
pub(crate) fn required<T>(value: Option<T>, what: &str) -> Result<T, Error> {
    value.ok_or_else(|| Error::incomplete(what))
}

impl Money {
    pub(crate) fn from_wire(wire: v1::Money) -> Self {
        // A negative exponent is outside the contract; it is shown as the bare minor units.
        let exponent = u32::try_from(wire.exponent).unwrap_or_default();
        Self::stated(wire.currency_code, wire.minor_units, exponent)
    }

    pub(crate) fn to_wire(&self) -> v1::Money {
        v1::Money {
            currency_code: self.currency_code().to_owned(),
            minor_units: self.minor_units(),
            exponent: i32::try_from(self.exponent()).unwrap_or(i32::MAX),
        }
    }
}

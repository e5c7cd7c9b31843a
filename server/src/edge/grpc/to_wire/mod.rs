//! From the domain to the wire, by noun.

pub(crate) mod change;
pub(crate) mod order;
pub(crate) mod page;
pub(crate) mod timeline;
pub(crate) mod webhook;

use paystatus_proto::v1;

use crate::domain::{ids::ProviderId, money::Money, time::Time};

pub(crate) fn time(time: Time) -> prost_types::Timestamp {
    let micros = time.as_micros();
    prost_types::Timestamp {
        seconds: micros.div_euclid(1_000_000),
        nanos: i32::try_from(micros.rem_euclid(1_000_000) * 1000).unwrap_or_default(),
    }
}

pub(crate) fn duration(duration: std::time::Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(duration.subsec_nanos()).unwrap_or_default(),
    }
}

pub(crate) fn money(money: Money) -> v1::Money {
    v1::Money {
        currency_code: money.currency().as_str().to_owned(),
        minor_units: money.minor_units(),
        exponent: i32::from(money.exponent()),
    }
}

pub(crate) fn ids(ids: &[ProviderId]) -> Vec<v1::ProviderId> {
    let one = |id: &ProviderId| v1::ProviderId {
        kind: id.kind.as_str().to_owned(),
        value: id.value.as_str().to_owned(),
    };
    ids.iter().map(one).collect()
}

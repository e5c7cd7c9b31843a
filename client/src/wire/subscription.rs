//! Filters, starts and subscriptions, from and to their messages.

use paystatus_proto::v1;

use super::time_from_wire;
use crate::{
    change::ChangeKind,
    subscription::{Filter, Start, Subscription},
};

impl Subscription {
    pub(crate) fn from_wire(wire: v1::Subscription) -> Self {
        Self {
            merchant_id: wire.merchant_id,
            subscription_id: wire.subscription_id,
            filter: Filter::from_wire(wire.filter.unwrap_or_default()),
            acknowledged_cursor: wire.acknowledged_cursor,
            backlog_records: wire.backlog_records,
            create_time: time_from_wire(wire.create_time),
            acknowledge_time: time_from_wire(wire.acknowledge_time),
            connected: wire.connected,
        }
    }
}

impl Filter {
    fn from_wire(wire: v1::ChangeFilter) -> Self {
        Self {
            order_ids: wire.order_ids,
            account_ids: wire.account_ids,
            labels: wire.labels.into_iter().collect(),
            kinds: wire.kinds.into_iter().map(ChangeKind::from_number).collect(),
        }
    }

    pub(crate) fn to_wire(&self, merchant_id: &str) -> v1::ChangeFilter {
        v1::ChangeFilter {
            merchant_id: merchant_id.to_owned(),
            order_ids: self.order_ids.clone(),
            account_ids: self.account_ids.clone(),
            labels: self.labels.clone().into_iter().collect(),
            kinds: self.kinds.iter().map(|kind| kind.number()).collect(),
        }
    }
}

impl Start {
    pub(crate) fn into_wire(self) -> v1::StreamStart {
        use v1::stream_start::Start as Wire;
        let place = |place: v1::StreamPlace| Wire::Place(place as i32);
        let start = match self {
            Self::Now => place(v1::StreamPlace::Now),
            Self::Beginning => place(v1::StreamPlace::Beginning),
            Self::Snapshot => place(v1::StreamPlace::Snapshot),
            Self::Cursor(cursor) => Wire::Cursor(cursor),
        };
        v1::StreamStart { start: Some(start) }
    }
}

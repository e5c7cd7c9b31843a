//! Webhooks on the wire.

use paystatus_proto::v1;

use super::{order, time};
use crate::{
    domain::command::Disposition,
    domain::ids::OrderKey,
    edge::intake::What,
    engine::Moved,
    record::{KeptAs, Record, Source},
};

/// The id that callers see of the webhook recorded at a position.
pub(crate) fn id(position: u64) -> String {
    format!("wh_{position}")
}

/// The position of a webhook's record.
pub(crate) fn position(id: &str) -> Option<u64> {
    id.strip_prefix("wh_")?.parse().ok().filter(|position| *position > 0)
}

pub(crate) fn disposition(disposition: Disposition) -> v1::Disposition {
    match disposition {
        Disposition::Applied => v1::Disposition::Applied,
        Disposition::Parked => v1::Disposition::Parked,
        Disposition::Superseded => v1::Disposition::Superseded,
        Disposition::Repeat => v1::Disposition::Repeat,
    }
}

pub(crate) fn what(what: What) -> v1::Disposition {
    match what {
        What::Evidence(evidence) => disposition(evidence),
        What::Kept => v1::Disposition::Ignored,
        What::Unreadable => v1::Disposition::Unreadable,
    }
}

/// A record as a webhook; `None` if it is not of one.
pub(crate) fn webhook(position: u64, record: &Record) -> Option<v1::Webhook> {
    let mut wire = v1::Webhook {
        webhook_id: id(position),
        receive_time: Some(time(record.time())),
        ..v1::Webhook::default()
    };
    match record {
        Record::Kept(kept) => {
            wire.account_id = kept.account.as_str().to_owned();
            wire.event_id.clone_from(&kept.event_id);
            wire.event_name.clone_from(&kept.event_name);
            wire.body_sha256 = hex::encode(kept.body_sha256);
            wire.reason.clone_from(&kept.reason);
            wire.disposition = match kept.kept_as {
                KeptAs::Unreadable => v1::Disposition::Unreadable,
                KeptAs::Ignored => v1::Disposition::Ignored,
            } as i32;
        }
        Record::Order(record) => {
            let meta = record.webhook.as_ref()?;
            wire.account_id = meta.account.as_str().to_owned();
            wire.event_id.clone_from(&meta.event_id);
            wire.event_name.clone_from(&meta.event_name);
            wire.body_sha256 = hex::encode(meta.body_sha256);
            wire.disposition = disposition(meta.disposition) as i32;
            wire.reread = record.source == Source::Reread;
            if let OrderKey::Recorded { .. } = record.key {
                (wire.merchant_id, wire.order_id) = order::names(&record.key);
            }
        }
        _ => return None,
    }
    Some(wire)
}

/// How an order was altered.
pub(crate) fn moved(moved: &Moved) -> v1::ReplayedOrder {
    let (merchant_id, order_id) = order::names(&moved.key);
    v1::ReplayedOrder {
        merchant_id,
        order_id,
        previous_status: order::status(moved.status.0) as i32,
        status: order::status(moved.status.1) as i32,
        previous_outcome: order::outcome(moved.outcome.0) as i32,
        outcome: order::outcome(moved.outcome.1) as i32,
    }
}

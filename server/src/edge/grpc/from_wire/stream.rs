//! Filters and starts of streams on the wire.

use paystatus_proto::v1;
use tonic::Status;

use super::Violations;
use crate::{
    domain::ids::{AccountId, MerchantId, OrderId},
    edge::grpc::{
        cursor::Cursor,
        errors,
        filter::{Filter, sorted},
    },
};

/// Orders that one filter may name.
pub(crate) const FILTER_ORDERS_MAX: usize = 100;
/// Accounts and kinds that one filter may name.
pub(crate) const FILTER_LIST_MAX: usize = 32;

/// Where a stream is to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// After a cursor.
    After(Cursor),
    /// What changes from now on.
    Now,
    /// Everything ever recorded.
    Beginning,
    /// The present state first.
    Snapshot,
}

pub(crate) fn filter(
    filter: Option<v1::ChangeFilter>,
    merchant: MerchantId,
) -> Result<Filter, Status> {
    let filter = filter.unwrap_or_default();
    let mut wrong = Violations::default();
    for (field, length, max) in [
        ("filter.order_ids", filter.order_ids.len(), FILTER_ORDERS_MAX),
        ("filter.account_ids", filter.account_ids.len(), FILTER_LIST_MAX),
        ("filter.kinds", filter.kinds.len(), FILTER_LIST_MAX),
    ] {
        if length > max {
            wrong.add(field, format!("must be at most {max}"));
        }
    }
    for order in &filter.order_ids {
        wrong.take("filter.order_ids", OrderId::parse(order));
    }
    for account in &filter.account_ids {
        wrong.take("filter.account_ids", AccountId::parse(account));
    }
    let is_unknown = |kind: &i32| *kind <= 0 || v1::ChangeKind::try_from(*kind).is_err();
    if filter.kinds.iter().any(is_unknown) {
        wrong.add("filter.kinds", "must be kinds that this version knows");
    }
    let labels = wrong.labels(filter.labels);
    wrong.check()?;
    Ok(Filter {
        merchant,
        orders: sorted(filter.order_ids),
        accounts: sorted(filter.account_ids),
        labels: labels.into_iter().collect(),
        kinds: sorted(filter.kinds),
    })
}

/// The start that a request names. A cursor of another filter is refused: what it would skip
/// is not what this stream carries.
pub(crate) fn start(
    start: Option<v1::StreamStart>,
    default: Start,
    filter: &Filter,
) -> Result<Start, Status> {
    use v1::{StreamPlace as Place, stream_start::Start as Wire};
    let named = start.and_then(|start| start.start);
    Ok(match named {
        None => default,
        Some(Wire::Place(place)) => match Place::try_from(place) {
            Ok(Place::Unspecified | Place::Now) => Start::Now,
            Ok(Place::Beginning) => Start::Beginning,
            Ok(Place::Snapshot) => Start::Snapshot,
            Err(_) => return Err(errors::field("start", "is not a place this version knows")),
        },
        Some(Wire::Cursor(text)) => {
            let cursor = Cursor::decode(&text);
            let cursor = cursor.ok_or_else(|| errors::field("start", "is not a cursor of ours"))?;
            if cursor.filter != filter.hash() {
                return Err(errors::field("start", "the cursor was issued for another filter"));
            }
            Start::After(cursor)
        }
    })
}

//! What a page sees of its order on the wire.

use paystatus_proto::v1;

use super::{money, order, time};
use crate::edge::pages::view::PageView;

pub(crate) fn page_order(view: &PageView) -> v1::PageOrder {
    v1::PageOrder {
        outcome: order::outcome(view.outcome) as i32,
        outcome_number: i64::try_from(view.outcome_number).unwrap_or(i64::MAX),
        status: order::status(view.status) as i32,
        amount: view.amount.map(money),
        order_id: view.order.clone(),
        outcome_time: Some(time(view.time)),
        reason: view.reason().to_owned(),
        missed: view.missed,
    }
}

//! RecordReceipt.

use paystatus_proto::v1;
use tonic::{Request, Status};

use super::{
    auth::{self, Caller},
    errors,
    from_wire::Violations,
    to_wire,
};
use crate::{
    domain::{
        command::Parent,
        ids::{OrderId, OrderKey, RequestId},
        receipt::Received,
    },
    edge::{
        Context,
        pages::token::Grant,
        receipt::{self, By},
    },
};

/// Records what a page says, or a checkout service of its own page.
pub(super) async fn record(
    context: &Context,
    request: Request<v1::RecordReceiptRequest>,
) -> Result<v1::RecordReceiptResponse, Status> {
    let (key, number, by) = match auth::page(&request) {
        Some(grant) => of_page(grant, request.get_ref())?,
        None => of_service(&Caller::of(&request)?, request.get_ref())?,
    };
    let recorded = receipt::record(context, &key, number, by).await;
    let receipt = recorded.map_err(errors::of_engine)?;
    Ok(v1::RecordReceiptResponse {
        disposition: disposition(receipt.received) as i32,
        customer_informed_time: receipt.informed.map(to_wire::time),
    })
}

/// A page need not make up an id for its request: its receipt is safe to repeat as it is.
fn of_page(
    grant: &Grant,
    request: &v1::RecordReceiptRequest,
) -> Result<(OrderKey, u64, By), Status> {
    auth::check_order(grant, &request.merchant_id, &request.order_id)?;
    let mut wrong = Violations::default();
    let number = wrong.take("outcome_number", number(request));
    Ok((grant.order.clone(), wrong.finish(number)?, By::Page))
}

fn of_service(
    caller: &Caller,
    request: &v1::RecordReceiptRequest,
) -> Result<(OrderKey, u64, By), Status> {
    let merchant = caller.merchant(&request.merchant_id)?;
    let mut wrong = Violations::default();
    let id = wrong.name("request_id", &request.request_id, RequestId::parse);
    let order = wrong.name("order_id", &request.order_id, OrderId::parse);
    let number = wrong.take("outcome_number", number(request));
    let ((id, order), number) = wrong.finish(id.zip(order).zip(number))?;
    Ok((Parent { merchant, order }.key(), number, By::Caller(caller.actor(), id)))
}

fn number(request: &v1::RecordReceiptRequest) -> Result<u64, &'static str> {
    let number = u64::try_from(request.outcome_number).ok().filter(|number| *number > 0);
    number.ok_or("is required, and 1 or more")
}

fn disposition(received: Received) -> v1::ReceiptDisposition {
    match received {
        Received::InTime => v1::ReceiptDisposition::Recorded,
        Received::Repeat => v1::ReceiptDisposition::Repeat,
        Received::Late { .. } => v1::ReceiptDisposition::Late,
        Received::NotNeeded => v1::ReceiptDisposition::NotNeeded,
    }
}

//! RecordReceipt.

use paystatus_proto::v1;
use tonic::Status;

use super::{auth::Caller, errors, from_wire::Violations, to_wire};
use crate::{
    domain::{
        command::Parent,
        ids::{OrderId, RequestId},
        receipt::Received,
    },
    edge::{
        Context,
        receipt::{self, By},
    },
};

/// Records what a checkout service says of its own page.
pub(super) async fn record(
    context: &Context,
    caller: &Caller,
    request: v1::RecordReceiptRequest,
) -> Result<v1::RecordReceiptResponse, Status> {
    let merchant = caller.merchant(&request.merchant_id)?;
    let mut wrong = Violations::default();
    let id = wrong.name("request_id", &request.request_id, RequestId::parse);
    let order = wrong.name("order_id", &request.order_id, OrderId::parse);
    let number = u64::try_from(request.outcome_number).ok().filter(|number| *number > 0);
    let number = wrong.take("outcome_number", number.ok_or("is required, and 1 or more"));
    let ((id, order), number) = wrong.finish(id.zip(order).zip(number))?;
    let key = Parent { merchant, order }.key();
    let recorded = receipt::record(context, &key, number, By::Key(caller.name(), id)).await;
    let receipt = recorded.map_err(errors::of_engine)?;
    Ok(v1::RecordReceiptResponse {
        disposition: disposition(receipt.received) as i32,
        customer_informed_time: receipt.informed.map(to_wire::time),
    })
}

fn disposition(received: Received) -> v1::ReceiptDisposition {
    match received {
        Received::InTime => v1::ReceiptDisposition::Recorded,
        Received::Repeat => v1::ReceiptDisposition::Repeat,
        Received::Late { .. } => v1::ReceiptDisposition::Late,
        Received::NotNeeded => v1::ReceiptDisposition::NotNeeded,
    }
}

//! What a provider answered to the checkout service, on the wire.

use paystatus_proto::v1;
use tonic::Status;

use super::Violations;
use crate::domain::{
    command::{Parent, RecordReply, ReplySaid},
    ids::{AttemptId, MerchantId, OperationId, OrderId, ProviderId, RequestId},
    statement::{
        Ended, IDS_PER_STATEMENT_MAX, Negative, OperationClaim, OperationKind, PaymentClaim,
        clip_reason,
    },
};

pub(crate) fn record_reply(
    request: v1::RecordProviderReplyRequest,
    merchant: MerchantId,
) -> Result<RecordReply, Status> {
    let mut wrong = Violations::default();
    let id = wrong.name("request_id", &request.request_id, RequestId::parse);
    let order = wrong.name("order_id", &request.order_id, OrderId::parse);
    let attempt = wrong.name("attempt_id", &request.attempt_id, AttemptId::parse);
    let ids = wrong.ids("ids", &request.ids, IDS_PER_STATEMENT_MAX);
    let operation_ids = wrong.ids("operation_ids", &request.operation_ids, IDS_PER_STATEMENT_MAX);
    let amount = wrong.amount("amount", request.amount.as_ref());
    let provider_time = wrong.time("provider_time", request.provider_time.as_ref());
    let said = said(&mut wrong, &request, operation_ids);
    let parts = id.zip(order).zip(attempt).zip(amount).zip(said);
    let ((((id, order), attempt), amount), said) = wrong.finish(parts)?;
    Ok(RecordReply {
        parent: Parent { merchant, order },
        request: id,
        attempt,
        said,
        ids,
        amount,
        reason: clip_reason(&request.reason),
        provider_time,
    })
}

fn said(
    wrong: &mut Violations,
    request: &v1::RecordProviderReplyRequest,
    ids: Vec<ProviderId>,
) -> Option<ReplySaid> {
    use v1::{OperationKind as Kind, ReplyResult as Result};
    let Ok(result) = Result::try_from(request.result) else {
        wrong.add("result", "is not a result that this version knows");
        return None;
    };
    if result == Result::NoAnswer {
        return Some(ReplySaid::NoAnswer);
    }
    let kind = match Kind::try_from(request.operation_kind) {
        Ok(Kind::Unspecified) => return payment(wrong, result, &request.operation_id),
        Ok(Kind::Capture) => OperationKind::Capture,
        Ok(Kind::Refund) => OperationKind::Refund,
        Ok(Kind::Void) => OperationKind::Void,
        Err(_) => {
            wrong.add("operation_kind", "is not a kind that this version knows");
            return None;
        }
    };
    let operation = wrong.name("operation_id", &request.operation_id, OperationId::parse)?;
    let claim = match result {
        Result::Pending | Result::Unspecified | Result::NoAnswer => OperationClaim::Pending,
        Result::Successful => OperationClaim::Successful,
        Result::Declined => OperationClaim::Failed(Negative::Declined, false),
        Result::Canceled => OperationClaim::Failed(Negative::Canceled, false),
        Result::Error => OperationClaim::Failed(Negative::Error, false),
        Result::Authorized => {
            wrong.add("result", "AUTHORIZED is for payments, not for operations");
            return None;
        }
    };
    Some(ReplySaid::Operation { kind, operation, ids, claim })
}

fn payment(
    wrong: &mut Violations,
    result: v1::ReplyResult,
    operation_id: &str,
) -> Option<ReplySaid> {
    use v1::ReplyResult as Result;
    if !operation_id.is_empty() {
        wrong.add("operation_kind", "is required with an operation_id");
        return None;
    }
    // A later try may succeed, so nothing that a reply says ends an attempt for good.
    let ended = |negative| PaymentClaim::Failed(negative, Ended::Try { conclusive: false });
    Some(ReplySaid::Payment(match result {
        Result::Unspecified | Result::Pending | Result::NoAnswer => PaymentClaim::Pending,
        Result::Authorized => PaymentClaim::Authorized,
        Result::Successful => PaymentClaim::Sold,
        Result::Declined => ended(Negative::Declined),
        Result::Canceled => ended(Negative::Canceled),
        Result::Error => ended(Negative::Error),
    }))
}

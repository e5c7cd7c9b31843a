//! Intents on the wire.

use paystatus_proto::v1;
use tonic::Status;

use super::Violations;
use crate::{
    accounts::Accounts,
    domain::{
        command::{CreateAttempt, CreateOperation, CreateOrder, Parent},
        ids::{AttemptId, MerchantId, OperationId, OrderId, Reference, RequestId},
        statement::OperationKind,
    },
    edge::grpc::errors,
};

pub(crate) fn create_order(
    request: v1::CreateOrderRequest,
    merchant: MerchantId,
    accounts: &Accounts,
) -> Result<CreateOrder, Status> {
    let mut wrong = Violations::default();
    let id = wrong.name("request_id", &request.request_id, RequestId::parse);
    let order = wrong.name("order_id", &request.order_id, OrderId::parse);
    let amount = wrong.amount("amount", request.amount.as_ref());
    if amount == Some(None) {
        wrong.add("amount", "is required");
    }
    let labels = wrong.labels(request.labels);
    let parts = id.zip(order).zip(amount.flatten());
    let ((request, order), amount) = wrong.finish(parts)?;
    let accounts = accounts.of_merchant(&merchant);
    Ok(CreateOrder { parent: Parent { merchant, order }, request, amount, labels, accounts })
}

pub(crate) fn create_attempt(
    request: v1::CreateAttemptRequest,
    merchant: MerchantId,
    accounts: &Accounts,
) -> Result<CreateAttempt, Status> {
    let mut wrong = Violations::default();
    let id = wrong.name("request_id", &request.request_id, RequestId::parse);
    let order = wrong.name("order_id", &request.order_id, OrderId::parse);
    let attempt = wrong.name("attempt_id", &request.attempt_id, AttemptId::parse);
    let account = accounts.get(&request.account_id).filter(|a| a.merchant == merchant);
    if account.is_none() {
        wrong.add("account_id", "must be a configured account of this merchant");
    }
    let reference = if request.reference.is_empty() {
        wrong.take("order_id", Reference::parse(&request.order_id))
    } else {
        wrong.take("reference", Reference::parse(&request.reference))
    };
    let amount = wrong.amount("amount", request.amount.as_ref());
    let parts = id.zip(order).zip(attempt).zip(account).zip(reference).zip(amount);
    let (((((request, order), attempt), account), reference), amount) = wrong.finish(parts)?;
    Ok(CreateAttempt {
        parent: Parent { merchant, order },
        request,
        attempt,
        account: account.id.clone(),
        reference,
        reference_is_id: account.provider.reference_identifies_attempt(),
        amount,
        rules: account.amount_rules.clone(),
    })
}

/// The three requests that create an operation, as one.
pub(crate) struct OperationRequest {
    pub(crate) kind: OperationKind,
    pub(crate) id_field: &'static str,
    pub(crate) request_id: String,
    pub(crate) order_id: String,
    pub(crate) attempt_id: String,
    pub(crate) operation_id: String,
    pub(crate) amount: Option<v1::Money>,
    pub(crate) reference: String,
}

macro_rules! operation_request {
    ($request:ty, $kind:expr, $id:ident) => {
        impl From<$request> for OperationRequest {
            fn from(request: $request) -> Self {
                Self {
                    kind: $kind,
                    id_field: stringify!($id),
                    request_id: request.request_id,
                    order_id: request.order_id,
                    attempt_id: request.attempt_id,
                    operation_id: request.$id,
                    amount: request.amount,
                    reference: request.reference,
                }
            }
        }
    };
}

operation_request!(v1::CreateCaptureRequest, OperationKind::Capture, capture_id);
operation_request!(v1::CreateRefundRequest, OperationKind::Refund, refund_id);
operation_request!(v1::CreateVoidRequest, OperationKind::Void, void_id);

pub(crate) fn create_operation(
    request: OperationRequest,
    merchant: MerchantId,
) -> Result<CreateOperation, Status> {
    let mut wrong = Violations::default();
    let id = wrong.name("request_id", &request.request_id, RequestId::parse);
    let order = wrong.name("order_id", &request.order_id, OrderId::parse);
    let operation = wrong.name(request.id_field, &request.operation_id, OperationId::parse);
    if request.attempt_id.is_empty() {
        wrong.add("attempt_id", "is required");
    }
    let reference = if request.reference.is_empty() {
        wrong.take(request.id_field, Reference::parse(&request.operation_id))
    } else {
        wrong.take("reference", Reference::parse(&request.reference))
    };
    let amount = wrong.amount("amount", request.amount.as_ref());
    let parts = id.zip(order).zip(operation).zip(reference).zip(amount);
    let ((((id, order), operation), reference), amount) = wrong.finish(parts)?;
    Ok(CreateOperation {
        parent: Parent { merchant, order },
        request: id,
        kind: request.kind,
        operation,
        attempt: request.attempt_id,
        reference,
        amount,
    })
}

/// The order that a request names.
pub(crate) fn parent(merchant: MerchantId, order_id: &str) -> Result<Parent, Status> {
    let order = OrderId::parse(order_id);
    let order = order.map_err(|problem| errors::field("order_id", problem.to_string()))?;
    Ok(Parent { merchant, order })
}

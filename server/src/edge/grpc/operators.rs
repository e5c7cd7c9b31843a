//! The operators of AccessService.

use std::sync::Arc;

use paystatus_proto::v1;
use tonic::{Code, Status};

use super::{
    access::{display_name, merchant_ids},
    auth::{Caller, denied},
    errors,
    from_wire::{self, Violations},
    page, to_wire,
};
use crate::{
    domain::{
        digest::{ContentId, Digest},
        ids::{MerchantId, OperatorId, RequestId},
    },
    edge::Context,
    engine::{Ask, AskOperator},
    record::{KeyRecord, OperatorRecord},
};

/// Operators of one page if the caller does not say, and at most.
const PAGE: (usize, usize) = (50, 500);

/// What is stated of an operator, checked.
struct Stated {
    operator: OperatorId,
    display_name: String,
    merchants: Vec<MerchantId>,
    request: (RequestId, ContentId),
}

/// An operator that the caller may manage.
///
/// # Errors
/// NOT_FOUND; PERMISSION_DENIED to an owner of some merchants, also for one that does not exist:
/// nobody may probe.
pub(super) fn managed(
    context: &Context,
    caller: &Caller,
    operator: &OperatorId,
) -> Result<Arc<OperatorRecord>, Status> {
    match context.store.operator(operator) {
        Some(known) if caller.may_manage(&known.merchants) => Ok(known),
        None if caller.is_for_all() => {
            Err(errors::error(Code::NotFound, "OPERATOR_NOT_FOUND", "there is no such operator"))
        }
        _ => Err(denied("the key is not for this operator")),
    }
}

pub(super) async fn create(
    context: &Context,
    caller: &Caller,
    request: v1::CreateOperatorRequest,
) -> Result<v1::CreateOperatorResponse, Status> {
    let v1::CreateOperatorRequest { operator_id, display_name, merchant_ids, request_id } = request;
    let new = checked((&operator_id, &request_id), display_name, &merchant_ids, "create operator")?;
    may_grant(caller, &new.merchants)?;
    let Stated { operator, display_name, merchants, request } = new;
    let id = operator.clone();
    let ask = AskOperator::Create { operator, display_name, merchants, request };
    let replayed = record(context, caller, ask).await?;
    // It may reach further by now than the caller who made it.
    let operator = managed(context, caller, &id)?;
    let operator = Some(wire(&operator, &context.store.keys()));
    Ok(v1::CreateOperatorResponse { operator, replayed })
}

pub(super) async fn update(
    context: &Context,
    caller: &Caller,
    request: v1::UpdateOperatorRequest,
) -> Result<v1::UpdateOperatorResponse, Status> {
    let v1::UpdateOperatorRequest { operator_id, display_name, merchant_ids, request_id } = request;
    let new = checked((&operator_id, &request_id), display_name, &merchant_ids, "update operator")?;
    managed(context, caller, &new.operator)?;
    may_grant(caller, &new.merchants)?;
    let Stated { operator, display_name, merchants, request } = new;
    let id = operator.clone();
    let ask = AskOperator::Update { operator, display_name, merchants, request };
    let replayed = record(context, caller, ask).await?;
    let operator = managed(context, caller, &id)?;
    let operator = Some(wire(&operator, &context.store.keys()));
    Ok(v1::UpdateOperatorResponse { operator, replayed })
}

pub(super) fn list(
    context: &Context,
    caller: &Caller,
    request: &v1::ListOperatorsRequest,
) -> Result<v1::ListOperatorsResponse, Status> {
    let size = from_wire::page_size(request.page_size, PAGE.0, PAGE.1)?;
    let digest = || Digest::new("list operators").text(caller.id());
    let mut all = context.store.operators();
    all.retain(|operator| caller.may_manage(&operator.merchants));
    let (page, next_page_token) = page::of(&all, size, &request.page_token, digest)?;
    let keys = context.store.keys();
    let operators = page.iter().map(|operator| wire(operator, &keys)).collect();
    Ok(v1::ListOperatorsResponse { operators, next_page_token })
}

pub(super) async fn delete(
    context: &Context,
    caller: &Caller,
    request: &v1::DeleteOperatorRequest,
) -> Result<v1::DeleteOperatorResponse, Status> {
    let mut wrong = Violations::default();
    let id = wrong.name("request_id", &request.request_id, RequestId::parse);
    let operator = wrong.name("operator_id", &request.operator_id, OperatorId::parse);
    let (_, operator) = wrong.finish(id.zip(operator))?;
    match context.store.operator(&operator) {
        Some(known) if caller.may_manage(&known.merchants) => {}
        _ => return Ok(v1::DeleteOperatorResponse { replayed: true }),
    }
    let replayed = record(context, caller, AskOperator::Delete { operator }).await?;
    Ok(v1::DeleteOperatorResponse { replayed })
}

async fn record(context: &Context, caller: &Caller, ask: AskOperator) -> Result<bool, Status> {
    let ask = Ask::Operator(ask, Some(caller.actor()));
    let answer = context.engine.ask(ask).await.map_err(errors::of_engine)?;
    Ok(answer.replayed)
}

fn checked(
    (operator_id, request_id): (&str, &str),
    name: String,
    merchants: &[String],
    purpose: &'static str,
) -> Result<Stated, Status> {
    let mut wrong = Violations::default();
    let id = wrong.name("request_id", request_id, RequestId::parse);
    let operator = wrong.name("operator_id", operator_id, OperatorId::parse);
    display_name(&mut wrong, "display_name", &name);
    if merchants.is_empty() {
        wrong.add("merchant_ids", "is required");
    }
    let merchants = merchant_ids(&mut wrong, merchants);
    let (id, operator) = wrong.finish(id.zip(operator))?;
    let digest = Digest::new(purpose).text(operator.as_str()).text(&name);
    let fingerprint = merchants.iter().fold(digest, |d, m| d.text(m.as_str())).finish();
    Ok(Stated { operator, display_name: name, merchants, request: (id, fingerprint) })
}

/// Refuses to grant what the caller has not itself.
fn may_grant(caller: &Caller, merchants: &[MerchantId]) -> Result<(), Status> {
    merchants.iter().try_for_each(|merchant| caller.merchant(merchant.as_str()).map(drop))
}

fn wire(operator: &OperatorRecord, keys: &[KeyRecord]) -> v1::Operator {
    let own = keys.iter().filter(|key| key.operator.as_ref() == Some(&operator.operator));
    v1::Operator {
        operator_id: operator.operator.as_str().to_owned(),
        display_name: operator.display_name.clone(),
        merchant_ids: operator.merchants.iter().map(|m| m.as_str().to_owned()).collect(),
        create_time: Some(to_wire::time(operator.create_time)),
        key_count: i32::try_from(own.count()).unwrap_or(i32::MAX),
    }
}

//! AccessService. Operators and the audit list have files of their own.

use std::sync::Arc;

use paystatus_proto::{server::access_service_server::AccessService, v1};
use tonic::{Request, Response, Status};

use super::{
    audit,
    auth::{self, Caller},
    errors,
    from_wire::{self, Violations},
    operators, page, to_wire,
};
use crate::{
    clock,
    domain::{
        digest::{ContentId, Digest, short_name},
        ids::{InvalidName, MerchantId, OperatorId, RequestId},
    },
    edge::Context,
    engine::{Ask, AskKey},
    record::{KeyRecord, Role},
};

/// Keys of one page if the caller does not say, and at most.
const PAGE: (usize, usize) = (50, 500);
/// Bytes of the name of a key or an operator.
const NAME_BYTES_MAX: usize = 64;
/// Merchants of one key or operator.
const MERCHANTS_MAX: usize = 64;
/// Seconds that a key may be valid, if it expires: a hundred years.
const TTL_SECONDS_MAX: i64 = 100 * 366 * 24 * 60 * 60;

pub(super) struct Access(pub(super) Arc<Context>);

#[tonic::async_trait]
impl AccessService for Access {
    async fn create_key(
        &self,
        request: Request<v1::CreateKeyRequest>,
    ) -> Result<Response<v1::CreateKeyResponse>, Status> {
        let caller = owner(&request)?;
        let request = request.into_inner();
        let new = checked(&request)?;
        for merchant in &new.merchants {
            caller.merchant(merchant.as_str())?;
        }
        match &new.operator {
            Some(operator) => drop(operators::managed(&self.0, &caller, operator)?),
            None if new.merchants.is_empty() => caller.require_all()?,
            None => {}
        }
        // The id comes from the request, so that a repeat finds the key it made before.
        let id = Digest::new("key id").text(caller.id()).text(new.request.as_str()).finish();
        let key_id = format!("key_{}", short_name(&id));
        let secret = auth::new_secret();
        let ask = AskKey::Create {
            key_id: key_id.clone(),
            name: request.name,
            role: new.role,
            merchants: new.merchants,
            secret_sha256: auth::hash(&secret),
            request: Some((new.request, new.fingerprint)),
            expire_time: new.ttl_seconds.map(|seconds| clock::now().minus_seconds(-seconds)),
            operator: new.operator,
        };
        let ask = Ask::Key(ask, Some(caller.actor()));
        let answer = self.0.engine.ask(ask).await.map_err(errors::of_engine)?;
        let key = self.0.store.key(&key_id);
        let key = key.ok_or_else(|| errors::internal(&"a new key is not there"))?;
        Ok(Response::new(v1::CreateKeyResponse {
            key: Some(self.wire(&key)),
            secret: if answer.replayed { String::new() } else { secret },
            replayed: answer.replayed,
        }))
    }

    async fn list_keys(
        &self,
        request: Request<v1::ListKeysRequest>,
    ) -> Result<Response<v1::ListKeysResponse>, Status> {
        let caller = owner(&request)?;
        let request = request.into_inner();
        let size = from_wire::page_size(request.page_size, PAGE.0, PAGE.1)?;
        let digest = || Digest::new("list keys").text(caller.id()).text(&request.operator_id);
        let mut keys = self.0.store.keys();
        let is_asked_for = |key: &KeyRecord| {
            let operator = key.operator.as_ref().map_or("", OperatorId::as_str);
            request.operator_id.is_empty() || operator == request.operator_id
        };
        keys.retain(|key| is_asked_for(key) && caller.may_manage(&self.merchants_of(key)));
        let (page, next_page_token) = page::of(&keys, size, &request.page_token, digest)?;
        let keys = page.iter().map(|key| self.wire(key)).collect();
        Ok(Response::new(v1::ListKeysResponse { keys, next_page_token }))
    }

    async fn delete_key(
        &self,
        request: Request<v1::DeleteKeyRequest>,
    ) -> Result<Response<v1::DeleteKeyResponse>, Status> {
        let caller = owner(&request)?;
        let request = request.into_inner();
        let mut wrong = Violations::default();
        wrong.name("request_id", &request.request_id, RequestId::parse);
        if request.key_id.is_empty() {
            wrong.add("key_id", "is required");
        }
        wrong.check()?;
        match self.0.store.key(&request.key_id) {
            Some(key) if caller.may_manage(&self.merchants_of(&key)) => {}
            _ => return Ok(Response::new(v1::DeleteKeyResponse { replayed: true })),
        }
        let ask = AskKey::Delete { key_id: request.key_id };
        let ask = Ask::Key(ask, Some(caller.actor()));
        let answer = self.0.engine.ask(ask).await.map_err(errors::of_engine)?;
        Ok(Response::new(v1::DeleteKeyResponse { replayed: answer.replayed }))
    }

    async fn create_operator(
        &self,
        request: Request<v1::CreateOperatorRequest>,
    ) -> Result<Response<v1::CreateOperatorResponse>, Status> {
        let caller = owner(&request)?;
        operators::create(&self.0, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn update_operator(
        &self,
        request: Request<v1::UpdateOperatorRequest>,
    ) -> Result<Response<v1::UpdateOperatorResponse>, Status> {
        let caller = owner(&request)?;
        operators::update(&self.0, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn list_operators(
        &self,
        request: Request<v1::ListOperatorsRequest>,
    ) -> Result<Response<v1::ListOperatorsResponse>, Status> {
        let caller = owner(&request)?;
        operators::list(&self.0, &caller, &request.into_inner()).map(Response::new)
    }

    async fn delete_operator(
        &self,
        request: Request<v1::DeleteOperatorRequest>,
    ) -> Result<Response<v1::DeleteOperatorResponse>, Status> {
        let caller = owner(&request)?;
        operators::delete(&self.0, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn list_audit_entries(
        &self,
        request: Request<v1::ListAuditEntriesRequest>,
    ) -> Result<Response<v1::ListAuditEntriesResponse>, Status> {
        let caller = owner(&request)?;
        audit::list(&self.0, caller, request.into_inner()).await.map(Response::new)
    }
}

/// The caller, who must be an owner.
fn owner<T>(request: &Request<T>) -> Result<Caller, Status> {
    let caller = Caller::of(request)?;
    caller.require(Role::Owner)?;
    Ok(caller)
}

impl Access {
    /// The merchants that a key may touch now; empty is all. Those of an operator's key are the
    /// operator's.
    fn merchants_of(&self, key: &KeyRecord) -> Vec<MerchantId> {
        match &key.operator {
            None => key.merchants.clone(),
            Some(id) => self.0.store.operator(id).map(|o| o.merchants.clone()).unwrap_or_default(),
        }
    }

    fn wire(&self, key: &KeyRecord) -> v1::Key {
        let used = self.0.usage.known(&key.key_id);
        let last = used.as_ref().and_then(|used| used.last()).max(key.last_use_time);
        let calls = used.iter().flat_map(|used| used.calls().collect::<Vec<_>>());
        v1::Key {
            key_id: key.key_id.clone(),
            name: key.name.clone(),
            role: match key.role {
                Role::Checkout => v1::Role::Checkout,
                Role::Operator => v1::Role::Operator,
                Role::Owner => v1::Role::Owner,
            } as i32,
            merchant_ids: self.merchants_of(key).iter().map(|m| m.as_str().to_owned()).collect(),
            create_time: Some(to_wire::time(key.create_time)),
            expire_time: key.expire_time.map(to_wire::time),
            operator_id: key.operator.as_ref().map_or("", OperatorId::as_str).to_owned(),
            last_use_time: last.map(to_wire::time),
            calls: calls
                .map(|(method, count)| v1::MethodCalls {
                    method: method.to_owned(),
                    count: i64::try_from(count).unwrap_or(i64::MAX),
                })
                .collect(),
        }
    }
}

struct NewKey {
    role: Role,
    merchants: Vec<MerchantId>,
    request: RequestId,
    fingerprint: ContentId,
    ttl_seconds: Option<i64>,
    operator: Option<OperatorId>,
}

fn checked(request: &v1::CreateKeyRequest) -> Result<NewKey, Status> {
    let mut wrong = Violations::default();
    let id = wrong.name("request_id", &request.request_id, RequestId::parse);
    display_name(&mut wrong, "name", &request.name);
    let role = match v1::Role::try_from(request.role) {
        Ok(v1::Role::Checkout) => Some(Role::Checkout),
        Ok(v1::Role::Operator) => Some(Role::Operator),
        Ok(v1::Role::Owner) => Some(Role::Owner),
        Ok(v1::Role::Unspecified) | Err(_) => {
            wrong.add("role", "must be CHECKOUT, OPERATOR or OWNER");
            None
        }
    };
    let operator = match request.operator_id.as_str() {
        "" => None,
        id => wrong.take("operator_id", OperatorId::parse(id)),
    };
    if operator.is_some() {
        if role != Some(Role::Operator) {
            wrong.add("role", "must be OPERATOR for the key of an operator");
        }
        if !request.merchant_ids.is_empty() {
            wrong.add("merchant_ids", "must be empty: they are those of the operator");
        }
    } else if request.merchant_ids.is_empty() && role != Some(Role::Owner) {
        wrong.add("merchant_ids", "is required, except for owners");
    }
    let merchants = merchant_ids(&mut wrong, &request.merchant_ids);
    let ttl_seconds = request.ttl.and_then(|ttl| match ttl.seconds {
        1..=TTL_SECONDS_MAX if ttl.nanos >= 0 => Some(ttl.seconds),
        _ => {
            wrong.add("ttl", "must be 1 second to 100 years");
            None
        }
    });
    let (request_id, role) = wrong.finish(id.zip(role))?;
    let digest = Digest::new("create key v1").text(&request.name).number(request.role.into());
    let mut digest = merchants.iter().fold(digest, |d, m| d.text(m.as_str()));
    // Left out where they are not stated, as they were before there were any.
    if ttl_seconds.is_some() || operator.is_some() {
        let operator = operator.as_ref().map(OperatorId::as_str);
        digest = digest.number(ttl_seconds.unwrap_or(0)).maybe(operator);
    }
    let (request, fingerprint) = (request_id, digest.finish());
    Ok(NewKey { role, merchants, request, fingerprint, ttl_seconds, operator })
}

/// Notes what is wrong with a name for people.
pub(super) fn display_name(wrong: &mut Violations, field: &str, name: &str) {
    wrong.name(field, name, |text| {
        let fits = text.len() <= NAME_BYTES_MAX && !text.chars().any(char::is_control);
        fits.then_some(()).ok_or(InvalidName { expected: "1 to 64 printable characters" })
    });
}

/// Merchants, and notes of what is wrong with them.
pub(super) fn merchant_ids(wrong: &mut Violations, ids: &[String]) -> Vec<MerchantId> {
    if ids.len() > MERCHANTS_MAX {
        wrong.add("merchant_ids", format!("must be at most {MERCHANTS_MAX}"));
    }
    let parse = |id: &String| wrong.take("merchant_ids", MerchantId::parse(id));
    ids.iter().filter_map(parse).collect()
}

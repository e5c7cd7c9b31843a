//! AccessService.

use paystatus_proto::{server::access_service_server::AccessService, v1};
use tonic::{Request, Response, Status};

use super::{
    auth::{self, Caller},
    errors,
    from_wire::{self, Violations},
    page, to_wire,
};
use crate::{
    domain::{
        digest::{Digest, short_name},
        ids::{InvalidName, MerchantId, RequestId},
    },
    edge::Context,
    engine::{Ask, AskKey},
    record::{KeyRecord, Role},
};

/// Keys of one page if the caller does not say, and at most.
const PAGE: (usize, usize) = (50, 500);
/// Bytes of a key's name.
const NAME_BYTES_MAX: usize = 64;
/// Merchants of one key.
const MERCHANTS_MAX: usize = 64;

pub(super) struct Access(pub(super) Context);

#[tonic::async_trait]
impl AccessService for Access {
    async fn create_key(
        &self,
        request: Request<v1::CreateKeyRequest>,
    ) -> Result<Response<v1::CreateKeyResponse>, Status> {
        let caller = Caller::of(&request)?;
        caller.require(Role::Owner)?;
        let request = request.into_inner();
        let new = checked(&request)?;
        for merchant in &new.merchants {
            caller.merchant(merchant.as_str())?;
        }
        if new.merchants.is_empty() {
            caller.require_all()?;
        }
        // The id comes from the request, so that a repeat finds the key it made before.
        let id = Digest::new("key id").text(caller.key_id()).text(new.request.as_str()).finish();
        let key_id = format!("key_{}", short_name(&id));
        let secret = auth::new_secret();
        let ask = Ask::Key(AskKey::Create {
            key_id: key_id.clone(),
            name: request.name,
            role: new.role,
            merchants: new.merchants,
            secret_sha256: auth::hash(&secret),
            request: Some((new.request, new.fingerprint)),
        });
        let answer = self.0.engine.ask(ask).await.map_err(errors::of_engine)?;
        let key = self.0.store.key(&key_id);
        let key = key.ok_or_else(|| errors::internal(&"a new key is not there"))?;
        Ok(Response::new(v1::CreateKeyResponse {
            key: Some(wire(&key)),
            secret: if answer.replayed { String::new() } else { secret },
            replayed: answer.replayed,
        }))
    }

    async fn list_keys(
        &self,
        request: Request<v1::ListKeysRequest>,
    ) -> Result<Response<v1::ListKeysResponse>, Status> {
        let caller = Caller::of(&request)?;
        caller.require(Role::Owner)?;
        let request = request.into_inner();
        let size = from_wire::page_size(request.page_size, PAGE.0, PAGE.1)?;
        let digest = || Digest::new("list keys").text(caller.key_id());
        let after = page::after(&request.page_token, digest())?;
        let mut keys = self.0.store.keys();
        keys.retain(|key| caller.may_manage(key));
        let skip = usize::try_from(after).unwrap_or(usize::MAX);
        let page: Vec<_> = keys.iter().skip(skip).take(size).map(wire).collect();
        let next = skip.saturating_add(page.len());
        let token = (next < keys.len()).then(|| page::token(next as u64, digest()));
        let next_page_token = token.unwrap_or_default();
        Ok(Response::new(v1::ListKeysResponse { keys: page, next_page_token }))
    }

    async fn delete_key(
        &self,
        request: Request<v1::DeleteKeyRequest>,
    ) -> Result<Response<v1::DeleteKeyResponse>, Status> {
        let caller = Caller::of(&request)?;
        caller.require(Role::Owner)?;
        let request = request.into_inner();
        let mut wrong = Violations::default();
        wrong.name("request_id", &request.request_id, RequestId::parse);
        if request.key_id.is_empty() {
            wrong.add("key_id", "is required");
        }
        wrong.check()?;
        match self.0.store.key(&request.key_id) {
            Some(key) if caller.may_manage(&key) => {}
            _ => return Ok(Response::new(v1::DeleteKeyResponse { replayed: true })),
        }
        let ask = Ask::Key(AskKey::Delete { key_id: request.key_id });
        let answer = self.0.engine.ask(ask).await.map_err(errors::of_engine)?;
        Ok(Response::new(v1::DeleteKeyResponse { replayed: answer.replayed }))
    }
}

struct NewKey {
    role: Role,
    merchants: Vec<MerchantId>,
    request: RequestId,
    fingerprint: crate::domain::digest::ContentId,
}

fn checked(request: &v1::CreateKeyRequest) -> Result<NewKey, Status> {
    let mut wrong = Violations::default();
    let id = wrong.name("request_id", &request.request_id, RequestId::parse);
    wrong.name("name", &request.name, |text| {
        let fits = text.len() <= NAME_BYTES_MAX && !text.chars().any(char::is_control);
        fits.then_some(()).ok_or(InvalidName { expected: "1 to 64 printable characters" })
    });
    let role = match v1::Role::try_from(request.role) {
        Ok(v1::Role::Checkout) => Some(Role::Checkout),
        Ok(v1::Role::Operator) => Some(Role::Operator),
        Ok(v1::Role::Owner) => Some(Role::Owner),
        Ok(v1::Role::Unspecified) | Err(_) => {
            wrong.add("role", "must be CHECKOUT, OPERATOR or OWNER");
            None
        }
    };
    if request.merchant_ids.len() > MERCHANTS_MAX {
        wrong.add("merchant_ids", format!("must be at most {MERCHANTS_MAX}"));
    }
    if request.merchant_ids.is_empty() && role != Some(Role::Owner) {
        wrong.add("merchant_ids", "is required, except for owners");
    }
    let parse = |id: &String| wrong.take("merchant_ids", MerchantId::parse(id));
    let merchants: Vec<MerchantId> = request.merchant_ids.iter().filter_map(parse).collect();
    let (request_id, role) = wrong.finish(id.zip(role))?;
    let digest = Digest::new("create key v1").text(&request.name).number(request.role.into());
    let fingerprint = merchants.iter().fold(digest, |d, m| d.text(m.as_str())).finish();
    Ok(NewKey { role, merchants, request: request_id, fingerprint })
}

fn wire(key: &KeyRecord) -> v1::Key {
    v1::Key {
        key_id: key.key_id.clone(),
        name: key.name.clone(),
        role: match key.role {
            Role::Checkout => v1::Role::Checkout,
            Role::Operator => v1::Role::Operator,
            Role::Owner => v1::Role::Owner,
        } as i32,
        merchant_ids: key.merchants.iter().map(|m| m.as_str().to_owned()).collect(),
        create_time: Some(to_wire::time(key.create_time)),
    }
}

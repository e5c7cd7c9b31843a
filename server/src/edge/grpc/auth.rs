//! Who calls: API keys in `authorization: Bearer <secret>`, and pages by their tokens. Permission is
//! checked before existence, so that nobody can probe for what is not theirs.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::Rng as _;
use sha2::{Digest, Sha256};
use tonic::{Code, Request, Status};

use super::errors;
use crate::{
    accounts::{Account, Accounts},
    clock,
    domain::ids::{MerchantId, OrderKey},
    edge::pages::{
        self,
        token::{Grant, Refused},
    },
    record::{KeyRecord, Role},
    store::Store,
};

/// What secrets begin with, so that scanners recognise a leaked one.
const SECRET_PREFIX: &str = "psk_";
/// Bytes of randomness in a secret.
const SECRET_BYTES: usize = 32;

/// The caller of a request.
#[derive(Clone, Debug)]
pub struct Caller(Arc<KeyRecord>);

/// A new secret. With this much randomness a plain hash protects it.
#[must_use]
pub fn new_secret() -> String {
    let bytes: [u8; SECRET_BYTES] = rand::rng().random();
    format!("{SECRET_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// What is stored of a secret.
#[must_use]
pub fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// Finds the caller of a request and attaches it: a key, or a page.
///
/// # Errors
/// UNAUTHENTICATED.
pub(super) fn authenticate(
    store: &Store,
    pages: &pages::Live,
    mut request: Request<()>,
) -> Result<Request<()>, Status> {
    let secret = bearer(&request)
        .ok_or_else(|| unauthenticated("send the metadata authorization: Bearer <API key>"))?;
    if let Some(key) = store.key_by_secret(&hash(secret)) {
        request.extensions_mut().insert(Caller(key));
        return Ok(request);
    }
    match pages.load().keys.verify(secret, clock::now()) {
        Ok(grant) => {
            request.extensions_mut().insert(grant);
            Ok(request)
        }
        Err(Refused::Expired) => Err(page_refused(Refused::Expired)),
        Err(Refused::Invalid) => {
            Err(unauthenticated("the API key is not known; it may have been revoked"))
        }
    }
}

/// Finds the page of a request and attaches it. Keys are worth nothing here, whatever they may
/// elsewhere: so nobody can use one where everybody can call.
///
/// # Errors
/// UNAUTHENTICATED.
pub(super) fn authenticate_page(
    pages: &pages::Live,
    mut request: Request<()>,
) -> Result<Request<()>, Status> {
    let token = bearer(&request).unwrap_or_default();
    let grant = pages.load().keys.verify(token, clock::now()).map_err(page_refused)?;
    request.extensions_mut().insert(grant);
    Ok(request)
}

/// What the page of a request is granted, if it is a page that calls.
pub(super) fn page<T>(request: &Request<T>) -> Option<&Grant> {
    request.extensions().get()
}

/// A page may name the order of its token, and no other.
pub(super) fn check_order(grant: &Grant, merchant: &str, order: &str) -> Result<(), Status> {
    let OrderKey::Recorded { merchant: own_merchant, order: own_order } = &grant.order else {
        return Err(errors::internal(&"a page token names no order"));
    };
    let is = |named: &str, own: &str| named.is_empty() || named == own;
    if is(merchant, own_merchant.as_str()) && is(order, own_order.as_str()) {
        return Ok(());
    }
    Err(denied("the page token is for another order"))
}

/// What follows `Bearer`.
fn bearer(request: &Request<()>) -> Option<&str> {
    let text = request.metadata().get("authorization")?.to_str().ok()?;
    let (scheme, secret) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(secret.trim())
}

fn page_refused(refused: Refused) -> Status {
    match refused {
        Refused::Expired => errors::error(
            Code::Unauthenticated,
            "PAGE_TOKEN_EXPIRED",
            "the page token has ended; ask the shop for another link",
        ),
        Refused::Invalid => errors::error(
            Code::Unauthenticated,
            "PAGE_TOKEN_INVALID",
            "send the metadata authorization: Bearer <page token>, of a key that is still there",
        ),
    }
}

fn unauthenticated(message: &str) -> Status {
    errors::error(Code::Unauthenticated, "API_KEY_INVALID", message)
}

fn denied(message: &str) -> Status {
    errors::error(Code::PermissionDenied, "PERMISSION_DENIED", message)
}

impl Caller {
    /// The key of a request that was authenticated.
    ///
    /// # Errors
    /// PERMISSION_DENIED for a page; UNAUTHENTICATED, for a service that was not put behind [`authenticate`].
    pub(super) fn of<T>(request: &Request<T>) -> Result<Self, Status> {
        if page(request).is_some() {
            return Err(denied(
                "a page token is for WatchOrder and RecordReceipt of its own order, and nothing else",
            ));
        }
        request.extensions().get().cloned().ok_or_else(|| unauthenticated("no caller"))
    }

    /// The name of its key, for timelines.
    pub(super) fn name(&self) -> String {
        self.0.name.clone()
    }

    /// The public id of its key.
    pub(super) fn key_id(&self) -> &str {
        &self.0.key_id
    }

    /// True if it is for all merchants.
    fn is_for_all(&self) -> bool {
        self.0.role == Role::Owner && self.0.merchants.is_empty()
    }

    /// True if it may touch a merchant.
    pub(super) fn may_touch(&self, merchant: &MerchantId) -> bool {
        self.is_for_all() || self.0.merchants.contains(merchant)
    }

    /// Refuses callers below a role.
    ///
    /// # Errors
    /// PERMISSION_DENIED.
    pub(super) fn require(&self, role: Role) -> Result<(), Status> {
        if self.0.role < role {
            let needed = format!("{role:?}").to_lowercase();
            return Err(denied(&format!("this needs a key with the role {needed}")));
        }
        Ok(())
    }

    /// Refuses callers that are not for all merchants.
    ///
    /// # Errors
    /// PERMISSION_DENIED.
    pub(super) fn require_all(&self) -> Result<(), Status> {
        if self.is_for_all() { Ok(()) } else { Err(denied("only an owner of all may do this")) }
    }

    /// True if the caller may see and revoke a key: one for its own merchants only.
    pub(super) fn may_manage(&self, key: &KeyRecord) -> bool {
        let own = key.merchants.iter().all(|merchant| self.may_touch(merchant));
        self.is_for_all() || (own && !key.merchants.is_empty())
    }

    /// The merchant that a request names, or the only one of the key.
    ///
    /// # Errors
    /// INVALID_ARGUMENT, PERMISSION_DENIED.
    pub(super) fn merchant(&self, named: &str) -> Result<MerchantId, Status> {
        if named.is_empty() {
            return match self.0.merchants.as_slice() {
                [only] => Ok(only.clone()),
                _ => Err(errors::field("merchant_id", "is required: the key is for several")),
            };
        }
        let merchant = MerchantId::parse(named);
        let merchant = merchant.map_err(|e| errors::field("merchant_id", e.to_string()))?;
        if !self.may_touch(&merchant) {
            return Err(denied("the key is not for this merchant"));
        }
        Ok(merchant)
    }

    /// An account of a merchant that the caller may touch.
    ///
    /// # Errors
    /// PERMISSION_DENIED, also for an account that does not exist: nobody may probe.
    pub(super) fn account<'a>(
        &self,
        accounts: &'a Accounts,
        id: &str,
    ) -> Result<&'a Account, Status> {
        match accounts.get(id) {
            Some(account) if self.may_touch(&account.merchant) => Ok(account),
            None if self.is_for_all() => {
                Err(errors::error(Code::NotFound, "ACCOUNT_NOT_FOUND", "no such account"))
            }
            _ => Err(denied("the key is not for this account")),
        }
    }
}

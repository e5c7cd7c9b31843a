//! Who calls: API keys in `authorization: Bearer <secret>`, pages by their tokens, or services by
//! the certificate of their connection. Permission is checked before existence, so that nobody
//! can probe for what is not theirs.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::Rng as _;
use sha2::{Digest, Sha256};
use tonic::{Code, Request, Status};

use super::{
    certificates::{self, Certificates},
    errors,
};
use crate::{
    accounts::{Account, Accounts},
    clock,
    config::Client,
    domain::{
        ids::{MerchantId, OrderKey},
        time::Time,
    },
    edge::{
        Context,
        pages::{
            self,
            token::{Grant, Refused},
        },
    },
    record::{Actor, KeyRecord, OperatorRecord, Role},
    store::Store,
};

/// What secrets begin with, so that scanners recognise a leaked one.
const SECRET_PREFIX: &str = "psk_";
/// Bytes of randomness in a secret.
const SECRET_BYTES: usize = 32;

/// The caller of a request. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Caller(Identity);

#[derive(Clone, Debug)]
enum Identity {
    /// A key, and the operator whose it is.
    Key(Arc<KeyRecord>, Option<Arc<OperatorRecord>>),
    /// A certificate that the configuration lists.
    Certificate(Arc<Client>),
}

/// Whoever is known.
pub(super) enum Known {
    /// A key or a certificate.
    Caller(Caller),
    /// A page, and what its token grants.
    Page(Grant),
}

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

/// Finds who calls: by a key or a page token, or else by the certificate of the connection. Where
/// both are there the certificate counts for nothing.
///
/// # Errors
/// UNAUTHENTICATED.
pub(super) fn authenticate(
    context: &Context,
    request: &http::request::Parts,
) -> Result<Known, Status> {
    let Some(header) = request.headers.get("authorization") else {
        return match certificates::shown(&request.extensions) {
            Some(certificate) => {
                let client = context.certificates.client(&certificate)?;
                Ok(Known::Caller(Caller(Identity::Certificate(client))))
            }
            None => Err(unauthenticated("send the metadata authorization: Bearer <API key>")),
        };
    };
    let secret = bearer(header.to_str().ok());
    let secret =
        secret.ok_or_else(|| unauthenticated("authorization must read: Bearer <API key>"))?;
    if let Some(key) = context.store.key_by_secret(&hash(secret)) {
        return Caller::of_key(&context.store, key).map(Known::Caller);
    }
    match context.pages.load().keys.verify(secret, clock::now()) {
        Ok(grant) => Ok(Known::Page(grant)),
        Err(Refused::Expired) => Err(page_refused(Refused::Expired)),
        Err(Refused::Invalid) => Err(unknown()),
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
    let header = request.metadata().get("authorization");
    let token = bearer(header.and_then(|header| header.to_str().ok())).unwrap_or_default();
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
fn bearer(text: Option<&str>) -> Option<&str> {
    let (scheme, secret) = text?.split_once(' ')?;
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

fn unknown() -> Status {
    unauthenticated("the API key is not known; it may have been revoked")
}

pub(super) fn unauthenticated(message: &str) -> Status {
    errors::error(Code::Unauthenticated, "API_KEY_INVALID", message)
}

pub(super) fn denied(message: &str) -> Status {
    errors::error(Code::PermissionDenied, "PERMISSION_DENIED", message)
}

impl Caller {
    /// The holder of a key, if it still opens anything.
    fn of_key(store: &Store, key: Arc<KeyRecord>) -> Result<Self, Status> {
        if key.is_expired(clock::now()) {
            let message = "the API key has expired; ask an owner for a new one";
            return Err(errors::error(Code::Unauthenticated, "API_KEY_EXPIRED", message));
        }
        let operator = match &key.operator {
            Some(operator) => Some(store.operator(operator).ok_or_else(unknown)?),
            None => None,
        };
        Ok(Self(Identity::Key(key, operator)))
    }

    /// The same caller as it is now, for what goes on for long.
    ///
    /// # Errors
    /// UNAUTHENTICATED if it was revoked, has expired or is not listed any more.
    pub(super) fn again(&self, store: &Store, certificates: &Certificates) -> Result<Self, Status> {
        match &self.0 {
            Identity::Key(key, _) => {
                let key = store.key_by_secret(&key.secret_sha256);
                Self::of_key(store, key.ok_or_else(|| unauthenticated("the API key was revoked"))?)
            }
            Identity::Certificate(client) => {
                certificates.named(&client.name).map(|client| Self(Identity::Certificate(client)))
            }
        }
    }

    /// When it ends by itself.
    pub(super) fn expire_time(&self) -> Option<Time> {
        match &self.0 {
            Identity::Key(key, _) => key.expire_time,
            Identity::Certificate(_) => None,
        }
    }

    /// The caller of a request that was authenticated.
    ///
    /// # Errors
    /// PERMISSION_DENIED for a page; UNAUTHENTICATED for a service that was not put behind the
    /// gate.
    pub(super) fn of<T>(request: &Request<T>) -> Result<Self, Status> {
        if page(request).is_some() {
            return Err(denied(
                "a page token is for WatchOrder and RecordReceipt of its own order, and nothing else",
            ));
        }
        request.extensions().get().cloned().ok_or_else(|| unauthenticated("no caller"))
    }

    /// Who it is, for what is recorded.
    pub(super) fn actor(&self) -> Actor {
        match &self.0 {
            Identity::Key(key, _) => Actor {
                name: key.name.clone(),
                key_id: key.key_id.clone(),
                operator: key.operator.clone(),
            },
            Identity::Certificate(client) => {
                Actor { name: client.name.clone(), key_id: String::new(), operator: None }
            }
        }
    }

    /// The public id of its key; of a certificate its name.
    pub(super) fn id(&self) -> &str {
        match &self.0 {
            Identity::Key(key, _) => &key.key_id,
            Identity::Certificate(client) => &client.name,
        }
    }

    /// Its key, if it has one.
    pub(super) fn key(&self) -> Option<&KeyRecord> {
        match &self.0 {
            Identity::Key(key, _) => Some(key),
            Identity::Certificate(_) => None,
        }
    }

    fn role(&self) -> Role {
        match &self.0 {
            Identity::Key(key, _) => key.role,
            Identity::Certificate(client) => client.role,
        }
    }

    /// The merchants it may touch; empty is all, for an owner.
    pub(super) fn merchants(&self) -> &[MerchantId] {
        match &self.0 {
            Identity::Key(_, Some(operator)) => &operator.merchants,
            Identity::Key(key, None) => &key.merchants,
            Identity::Certificate(client) => &client.merchants,
        }
    }

    /// True if it is for all merchants.
    pub(super) fn is_for_all(&self) -> bool {
        self.role() == Role::Owner && self.merchants().is_empty()
    }

    /// True if it may touch a merchant.
    pub(super) fn may_touch(&self, merchant: &MerchantId) -> bool {
        self.is_for_all() || self.merchants().contains(merchant)
    }

    /// Refuses callers below a role.
    ///
    /// # Errors
    /// PERMISSION_DENIED.
    pub(super) fn require(&self, role: Role) -> Result<(), Status> {
        if self.role() < role {
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

    /// True if the caller may manage what is for some merchants; empty is all. Only what is for
    /// its own merchants alone.
    pub(super) fn may_manage(&self, merchants: &[MerchantId]) -> bool {
        let own = merchants.iter().all(|merchant| self.may_touch(merchant));
        self.is_for_all() || (own && !merchants.is_empty())
    }

    /// The merchant that a request names, or the only one of the key.
    ///
    /// # Errors
    /// INVALID_ARGUMENT, PERMISSION_DENIED.
    pub(super) fn merchant(&self, named: &str) -> Result<MerchantId, Status> {
        if named.is_empty() {
            return match self.merchants() {
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

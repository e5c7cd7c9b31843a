//! The first key: without one nobody could make others.

use super::Error;
use crate::{
    domain::digest::{Digest, short_name},
    edge::{Context, grpc},
    engine::{Ask, AskKey},
    record::{KeyRecord, Role},
};

/// Makes an owner key if there is none that is for all merchants and does not expire; returns its
/// secret.
///
/// # Errors
/// [`Error::FirstKey`].
pub(super) async fn made(context: &Context) -> Result<Option<String>, Error> {
    if context.store.keys().iter().any(KeyRecord::is_lasting_owner) {
        return Ok(None);
    }
    let secret = grpc::auth::new_secret();
    let id = Digest::new("first key").text(&secret).finish();
    let create = AskKey::Create {
        key_id: format!("key_{}", short_name(&id)),
        name: "first owner".to_owned(),
        role: Role::Owner,
        merchants: Vec::new(),
        secret_sha256: grpc::auth::hash(&secret),
        request: None,
        expire_time: None,
        operator: None,
    };
    context.engine.ask(Ask::Key(create, None)).await.map_err(Error::FirstKey)?;
    Ok(Some(secret))
}

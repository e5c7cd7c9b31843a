//! AccessService.

use paystatus_proto::v1;

use super::{page, page_size, page_token, stated};
use crate::{
    access::{CreatedKey, Key, NewKey},
    client::{Client, request_id},
    error::Error,
    requests::{Page, PageRequest},
    wire::required,
};

impl Client {
    /// Creates an API key. Its secret is in this answer and nowhere else.
    ///
    /// # Errors
    /// `PermissionDenied` without the role owner.
    pub async fn create_key(&self, key: NewKey) -> Result<CreatedKey, Error> {
        let request = v1::CreateKeyRequest {
            name: key.name,
            role: key.role.number(),
            merchant_ids: key.merchant_ids,
            request_id: request_id(key.request_id),
        };
        let answer =
            self.call(request, async |rpc, request| rpc.access().create_key(request).await).await?;
        let key = Key::from_wire(required(answer.key, "key")?);
        Ok(CreatedKey { key, secret: stated(answer.secret) })
    }

    /// Lists keys by id, a page at a time, without their secrets.
    ///
    /// # Errors
    /// `PermissionDenied` without the role owner.
    pub async fn list_keys(&self, list: PageRequest) -> Result<Page<Key>, Error> {
        let request =
            v1::ListKeysRequest { page_size: page_size(&list), page_token: page_token(list) };
        let answer =
            self.call(request, async |rpc, request| rpc.access().list_keys(request).await).await?;
        Ok(page(answer.keys, answer.next_page_token, Key::from_wire))
    }

    /// Revokes a key at once. Returns false if there was nothing to revoke.
    ///
    /// # Errors
    /// `FailedPrecondition`, reason `LAST_OWNER_KEY`, for the last key of an owner.
    pub async fn delete_key(&self, key_id: &str) -> Result<bool, Error> {
        let request =
            v1::DeleteKeyRequest { key_id: key_id.to_owned(), request_id: request_id(None) };
        let answer =
            self.call(request, async |rpc, request| rpc.access().delete_key(request).await).await?;
        Ok(!answer.replayed)
    }
}

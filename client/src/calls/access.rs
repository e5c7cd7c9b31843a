//! AccessService.

use paystatus_proto::v1;

use super::{page, page_size, page_token, stated};
use crate::{
    access::{AuditEntry, CreatedKey, Key, ListAuditEntries, NewKey, NewOperator, Operator},
    client::{Client, request_id},
    error::Error,
    requests::{Page, PageRequest},
    wire::{duration_to_wire, required, time_to_wire},
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
            ttl: key.ttl.map(duration_to_wire),
            operator_id: key.operator_id,
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
        let (page_size, page_token) = (page_size(&list), page_token(list));
        let request = v1::ListKeysRequest { page_size, page_token, ..Default::default() };
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

    /// Creates an operator.
    ///
    /// # Errors
    /// `AlreadyExists`, reason `NAME_TAKEN`, if the id is another operator's; `PermissionDenied`
    /// for a merchant that is not the caller's.
    pub async fn create_operator(&self, operator: NewOperator) -> Result<Operator, Error> {
        let request = v1::CreateOperatorRequest {
            operator_id: operator.operator_id,
            display_name: operator.display_name,
            merchant_ids: operator.merchant_ids,
            request_id: request_id(operator.request_id),
        };
        let answer = self
            .call(request, async |rpc, request| rpc.access().create_operator(request).await)
            .await?;
        Ok(Operator::from_wire(required(answer.operator, "operator")?))
    }

    /// Replaces name and merchants of an operator.
    ///
    /// # Errors
    /// `NotFound`, reason `OPERATOR_NOT_FOUND`; `PermissionDenied` for an operator or a merchant
    /// that is not the caller's.
    pub async fn update_operator(&self, operator: NewOperator) -> Result<Operator, Error> {
        let request = v1::UpdateOperatorRequest {
            operator_id: operator.operator_id,
            display_name: operator.display_name,
            merchant_ids: operator.merchant_ids,
            request_id: request_id(operator.request_id),
        };
        let answer = self
            .call(request, async |rpc, request| rpc.access().update_operator(request).await)
            .await?;
        Ok(Operator::from_wire(required(answer.operator, "operator")?))
    }

    /// Lists operators by id, a page at a time.
    ///
    /// # Errors
    /// `PermissionDenied` without the role owner.
    pub async fn list_operators(&self, list: PageRequest) -> Result<Page<Operator>, Error> {
        let (page_size, page_token) = (page_size(&list), page_token(list));
        let request = v1::ListOperatorsRequest { page_size, page_token };
        let answer = self
            .call(request, async |rpc, request| rpc.access().list_operators(request).await)
            .await?;
        Ok(page(answer.operators, answer.next_page_token, Operator::from_wire))
    }

    /// Deletes an operator and revokes its keys at once. Returns false if there was nothing to
    /// delete.
    ///
    /// # Errors
    /// `PermissionDenied` without the role owner.
    pub async fn delete_operator(&self, operator_id: &str) -> Result<bool, Error> {
        let (operator_id, request_id) = (operator_id.to_owned(), request_id(None));
        let request = v1::DeleteOperatorRequest { operator_id, request_id };
        let answer = self
            .call(request, async |rpc, request| rpc.access().delete_operator(request).await)
            .await?;
        Ok(!answer.replayed)
    }

    /// Lists who did what, newest first, a page at a time. A page may be empty before the end.
    ///
    /// # Errors
    /// `PermissionDenied` without the role owner.
    pub async fn list_audit_entries(
        &self,
        list: ListAuditEntries,
    ) -> Result<Page<AuditEntry>, Error> {
        let request = v1::ListAuditEntriesRequest {
            page_size: page_size(&list.page),
            page_token: page_token(list.page),
            key_id: list.key_id,
            operator_id: list.operator_id,
            merchant_id: list.merchant_id,
            since_time: list.since.map(time_to_wire),
            until_time: list.until.map(time_to_wire),
        };
        let answer = self
            .call(request, async |rpc, request| rpc.access().list_audit_entries(request).await)
            .await?;
        Ok(page(answer.entries, answer.next_page_token, AuditEntry::from_wire))
    }
}

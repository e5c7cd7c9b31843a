//! AccountService.

use paystatus_proto::v1;

use super::{page, page_size, page_token};
use crate::{
    account::{Account, ListAccounts},
    client::Client,
    error::Error,
    requests::Page,
};

impl Client {
    /// Lists the configured provider accounts by id, a page at a time.
    ///
    /// # Errors
    /// `PermissionDenied` without the role operator or owner.
    pub async fn list_accounts(&self, list: ListAccounts) -> Result<Page<Account>, Error> {
        let request = v1::ListAccountsRequest {
            merchant_id: list.merchant_id.unwrap_or_default(),
            page_size: page_size(&list.page),
            page_token: page_token(list.page),
        };
        let answer = self
            .call(request, async |rpc, request| rpc.accounts().list_accounts(request).await)
            .await?;
        Ok(page(answer.accounts, answer.next_page_token, Account::from_wire))
    }
}

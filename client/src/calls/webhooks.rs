//! WebhookService.

use paystatus_proto::v1;

use super::{page, page_size, page_token};
use crate::{
    client::{Client, request_id},
    error::Error,
    requests::Page,
    webhook::{
        ListWebhooks, NewWebhook, Replay, ReplayMode, SubmittedWebhook, Webhook, WebhookSelection,
    },
    wire::required,
};

impl Client {
    /// Submits a webhook as a provider sent it. Submitting it again is a repeat and harmless.
    ///
    /// # Errors
    /// `Unauthenticated`, reason `SIGNATURE_INVALID`, if it does not verify.
    pub async fn submit_webhook(&self, webhook: NewWebhook) -> Result<SubmittedWebhook, Error> {
        let answer = self
            .call(webhook.into_wire(), async |rpc, request| {
                rpc.webhooks().submit_webhook(request).await
            })
            .await?;
        Ok(SubmittedWebhook::from_wire(answer))
    }

    /// Lists accepted webhooks, newest first, a page at a time.
    ///
    /// # Errors
    /// `PermissionDenied` without the role operator or owner.
    pub async fn list_webhooks(&self, list: ListWebhooks) -> Result<Page<Webhook>, Error> {
        let request = v1::ListWebhooksRequest {
            account_id: list.account_id.unwrap_or_default(),
            dispositions: list.dispositions.iter().map(|d| d.number()).collect(),
            page_size: page_size(&list.page),
            page_token: page_token(list.page),
        };
        let answer = self
            .call(request, async |rpc, request| rpc.webhooks().list_webhooks(request).await)
            .await?;
        Ok(page(answer.webhooks, answer.next_page_token, Webhook::from_wire))
    }

    /// Returns one accepted webhook and its body.
    ///
    /// # Errors
    /// `NotFound` if there is none with this id.
    pub async fn get_webhook(&self, webhook_id: &str) -> Result<(Webhook, Vec<u8>), Error> {
        let request = v1::GetWebhookRequest { webhook_id: webhook_id.to_owned() };
        let answer = self
            .call(request, async |rpc, request| rpc.webhooks().get_webhook(request).await)
            .await?;
        let webhook = Webhook::from_wire(required(answer.webhook, "webhook")?);
        Ok((webhook, answer.body))
    }

    /// Reads accepted webhooks again with the present adapter.
    ///
    /// # Errors
    /// `PermissionDenied` without the role operator or owner.
    pub async fn replay_webhooks(
        &self,
        webhooks: WebhookSelection,
        mode: ReplayMode,
    ) -> Result<Replay, Error> {
        let request = webhooks.into_wire(mode, request_id(None));
        let answer = self
            .call(request, async |rpc, request| rpc.webhooks().replay_webhooks(request).await)
            .await?;
        Ok(Replay::from_wire(answer))
    }
}

//! WebhookService.

use paystatus_proto::v1;

use super::{page, page_size, page_token};
use crate::{
    client::{Client, request_id},
    error::Error,
    requests::Page,
    webhook::{
        ListWebhooks, NewWebhook, Replay, ReplayMode, SubmittedWebhook, Webhook, WebhookSelection,
        WebhookWithBody,
    },
    wire::time_to_wire,
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
            since_time: list.since.map(time_to_wire),
            until_time: list.until.map(time_to_wire),
            event_name: list.event_name.unwrap_or_default(),
            merchant_id: match list.order_id {
                Some(_) => self.merchant_id().to_owned(),
                None => String::new(),
            },
            order_id: list.order_id.unwrap_or_default(),
            page_size: page_size(&list.page),
            page_token: page_token(list.page),
        };
        let answer = self
            .call(request, async |rpc, request| rpc.webhooks().list_webhooks(request).await)
            .await?;
        Ok(page(answer.webhooks, answer.next_page_token, Webhook::from_wire))
    }

    /// Returns one accepted webhook and its body, card tokens removed.
    ///
    /// # Errors
    /// `NotFound` if there is none with this id.
    pub async fn get_webhook(&self, webhook_id: &str) -> Result<WebhookWithBody, Error> {
        self.webhook_with_body(webhook_id, false).await
    }

    /// The same with card tokens and other secrets of the body.
    ///
    /// # Errors
    /// `PermissionDenied` without the role owner.
    pub async fn get_whole_webhook(&self, webhook_id: &str) -> Result<WebhookWithBody, Error> {
        self.webhook_with_body(webhook_id, true).await
    }

    async fn webhook_with_body(
        &self,
        webhook_id: &str,
        include_card_tokens: bool,
    ) -> Result<WebhookWithBody, Error> {
        let request =
            v1::GetWebhookRequest { webhook_id: webhook_id.to_owned(), include_card_tokens };
        let answer = self
            .call(request, async |rpc, request| rpc.webhooks().get_webhook(request).await)
            .await?;
        WebhookWithBody::from_wire(answer)
    }

    /// Reads accepted webhooks again with the present adapter and settings; all of an account a
    /// page at a time.
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

//! Webhooks, and what reading them again did.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use paystatus_client::{ReplayedOrder, ReplayedWebhook, Webhook, WebhookWithBody};
use serde::Serialize;

use super::time;

#[derive(Serialize)]
pub(in crate::cli) struct WebhookJson<'a> {
    webhook_id: &'a str,
    account_id: &'a str,
    receive_time: Option<String>,
    disposition: String,
    event_id: &'a str,
    event_name: &'a str,
    merchant_id: &'a str,
    order_id: &'a str,
    body_sha256: &'a str,
    reason: &'a str,
    reread: bool,
}

#[derive(Serialize)]
pub(in crate::cli) struct WithBodyJson<'a> {
    #[serde(flatten)]
    webhook: WebhookJson<'a>,
    as_received: bool,
    /// The body, if it is UTF-8.
    body: Option<&'a str>,
    /// The body in base64, if it is not.
    body_base64: Option<String>,
}

#[derive(Serialize)]
pub(in crate::cli) struct ReplayedOrderJson<'a> {
    merchant_id: &'a str,
    order_id: &'a str,
    previous_status: String,
    status: String,
    previous_outcome: String,
    outcome: String,
}

/// One line of `webhooks replay`.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(in crate::cli) enum ReplayJson<'a> {
    /// One webhook that was read again.
    Webhook {
        webhook_id: &'a str,
        disposition: String,
        altered: bool,
        difference: &'a str,
        orders: Vec<ReplayedOrderJson<'a>>,
    },
    /// An order that the page before this line altered.
    Order {
        #[serde(flatten)]
        order: ReplayedOrderJson<'a>,
    },
    /// A page is done.
    Reached { time: Option<String>, webhooks: usize, altered: usize, done: bool },
}

pub(in crate::cli) fn webhook(webhook: &Webhook) -> WebhookJson<'_> {
    WebhookJson {
        webhook_id: &webhook.webhook_id,
        account_id: &webhook.account_id,
        receive_time: time(webhook.receive_time),
        disposition: webhook.disposition.to_string(),
        event_id: &webhook.event_id,
        event_name: &webhook.event_name,
        merchant_id: &webhook.merchant_id,
        order_id: &webhook.order_id,
        body_sha256: &webhook.body_sha256,
        reason: &webhook.reason,
        reread: webhook.reread,
    }
}

pub(in crate::cli) fn with_body(whole: &WebhookWithBody) -> WithBodyJson<'_> {
    let body = std::str::from_utf8(&whole.body).ok();
    WithBodyJson {
        webhook: webhook(&whole.webhook),
        as_received: whole.as_received,
        body,
        body_base64: body.is_none().then(|| BASE64.encode(&whole.body)),
    }
}

pub(in crate::cli) fn replayed(webhook: &ReplayedWebhook) -> ReplayJson<'_> {
    ReplayJson::Webhook {
        webhook_id: &webhook.webhook_id,
        disposition: webhook.disposition.to_string(),
        altered: webhook.altered,
        difference: &webhook.difference,
        orders: webhook.orders.iter().map(replayed_order).collect(),
    }
}

pub(in crate::cli) fn replayed_order(order: &ReplayedOrder) -> ReplayedOrderJson<'_> {
    ReplayedOrderJson {
        merchant_id: &order.merchant_id,
        order_id: &order.order_id,
        previous_status: order.previous_status.to_string(),
        status: order.status.to_string(),
        previous_outcome: order.previous_outcome.to_string(),
        outcome: order.outcome.to_string(),
    }
}

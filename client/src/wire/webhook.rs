//! Webhooks, from and to their messages.

use paystatus_proto::v1;

use super::{required, time_from_wire, time_to_wire};
use crate::{
    error::Error,
    requests::PageRequest,
    status::{Outcome, PaymentStatus},
    webhook::{
        Disposition, NewWebhook, Replay, ReplayMode, ReplayedOrder, ReplayedWebhook,
        SubmittedWebhook, Webhook, WebhookSelection, WebhookWithBody,
    },
};

impl Webhook {
    pub(crate) fn from_wire(wire: v1::Webhook) -> Self {
        Self {
            webhook_id: wire.webhook_id,
            account_id: wire.account_id,
            receive_time: time_from_wire(wire.receive_time),
            disposition: Disposition::from_number(wire.disposition),
            event_id: wire.event_id,
            event_name: wire.event_name,
            merchant_id: wire.merchant_id,
            order_id: wire.order_id,
            body_sha256: wire.body_sha256,
            reason: wire.reason,
            reread: wire.reread,
        }
    }
}

impl SubmittedWebhook {
    pub(crate) fn from_wire(wire: v1::SubmitWebhookResponse) -> Self {
        Self {
            webhook_id: wire.webhook_id,
            disposition: Disposition::from_number(wire.disposition),
            http_status: wire.http_status,
            http_body: wire.http_body,
        }
    }
}

impl WebhookWithBody {
    pub(crate) fn from_wire(wire: v1::GetWebhookResponse) -> Result<Self, Error> {
        Ok(Self {
            webhook: Webhook::from_wire(required(wire.webhook, "webhook")?),
            body: wire.body,
            as_received: wire.as_received,
        })
    }
}

impl ReplayedOrder {
    fn from_wire(wire: v1::ReplayedOrder) -> Self {
        Self {
            merchant_id: wire.merchant_id,
            order_id: wire.order_id,
            previous_status: PaymentStatus::from_number(wire.previous_status),
            status: PaymentStatus::from_number(wire.status),
            previous_outcome: Outcome::from_number(wire.previous_outcome),
            outcome: Outcome::from_number(wire.outcome),
        }
    }
}

impl ReplayedWebhook {
    fn from_wire(wire: v1::ReplayedWebhook) -> Self {
        Self {
            webhook_id: wire.webhook_id,
            disposition: Disposition::from_number(wire.disposition),
            altered: wire.altered,
            difference: wire.difference,
            orders: wire.orders.into_iter().map(ReplayedOrder::from_wire).collect(),
        }
    }
}

impl Replay {
    pub(crate) fn from_wire(wire: v1::ReplayWebhooksResponse) -> Self {
        Self {
            webhooks: wire.webhooks.into_iter().map(ReplayedWebhook::from_wire).collect(),
            orders: wire.orders.into_iter().map(ReplayedOrder::from_wire).collect(),
            next_page_token: Some(wire.next_page_token).filter(|token| !token.is_empty()),
            reached: time_from_wire(wire.reached_time),
        }
    }
}

impl NewWebhook {
    pub(crate) fn into_wire(self) -> v1::SubmitWebhookRequest {
        let header = |(name, value)| v1::Header { name, value };
        v1::SubmitWebhookRequest {
            account_id: self.account_id,
            headers: self.headers.into_iter().map(header).collect(),
            body: self.body,
        }
    }
}

impl WebhookSelection {
    pub(crate) fn into_wire(
        self,
        mode: ReplayMode,
        request_id: String,
    ) -> v1::ReplayWebhooksRequest {
        let (webhook_ids, account_id, since, page) = match self {
            Self::Ids(ids) => (ids, String::new(), None, PageRequest::default()),
            Self::Account { account_id, since, page } => (Vec::new(), account_id, since, page),
        };
        v1::ReplayWebhooksRequest {
            request_id,
            webhook_ids,
            account_id,
            since_time: since.map(time_to_wire),
            validate_only: mode == ReplayMode::DryRun,
            page_size: i32::try_from(page.size).unwrap_or(i32::MAX),
            page_token: page.token.unwrap_or_default(),
        }
    }
}

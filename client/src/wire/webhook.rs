//! Webhooks, from and to their messages.

use paystatus_proto::v1;

use super::{time_from_wire, time_to_wire};
use crate::webhook::{
    Disposition, NewWebhook, Replay, ReplayMode, ReplayedWebhook, SubmittedWebhook, Webhook,
    WebhookSelection,
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

impl Replay {
    pub(crate) fn from_wire(wire: v1::ReplayWebhooksResponse) -> Self {
        let webhook = |wire: v1::ReplayedWebhook| ReplayedWebhook {
            webhook_id: wire.webhook_id,
            disposition: Disposition::from_number(wire.disposition),
            altered: wire.altered,
            difference: wire.difference,
        };
        Self {
            webhooks: wire.webhooks.into_iter().map(webhook).collect(),
            next_since: time_from_wire(wire.next_since_time),
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
        let (webhook_ids, account_id, since) = match self {
            Self::Ids(ids) => (ids, String::new(), None),
            Self::Account { account_id, since } => (Vec::new(), account_id, since),
        };
        v1::ReplayWebhooksRequest {
            request_id,
            webhook_ids,
            account_id,
            since_time: since.map(time_to_wire),
            validate_only: mode == ReplayMode::DryRun,
        }
    }
}

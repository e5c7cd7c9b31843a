//! Provider accounts, from their messages.

use std::time::Duration;

use paystatus_proto::v1;

use super::time_from_wire;
use crate::{
    account::{
        Account, AccountException, AccountExceptionKind, Rejection, SigningSecret, WebhookDelay,
        WebhookLedger,
    },
    webhook::Disposition,
};

impl Account {
    pub(crate) fn from_wire(wire: v1::Account) -> Self {
        let accepted = wire.accepted.into_iter();
        let rejected = wire.rejected.into_iter();
        Self {
            account_id: wire.account_id,
            provider: wire.provider,
            merchant_id: wire.merchant_id,
            secrets: wire.secrets.into_iter().map(SigningSecret::from_wire).collect(),
            can_be_asked: wire.can_be_asked,
            keeps_raw_responses: wire.keeps_raw_responses,
            count_start: time_from_wire(wire.count_start_time),
            accepted: accepted
                .map(|counted| (Disposition::from_number(counted.disposition), counted.count))
                .collect(),
            rejected: rejected.map(|counted| (counted.reason, counted.count)).collect(),
            last_webhook: time_from_wire(wire.last_webhook_time),
            rejections: wire.rejections.into_iter().map(Rejection::from_wire).collect(),
            ledger: wire.ledger.map(WebhookLedger::from_wire).unwrap_or_default(),
            exceptions: wire.exceptions.into_iter().map(AccountException::from_wire).collect(),
        }
    }
}

impl WebhookLedger {
    fn from_wire(wire: v1::WebhookLedger) -> Self {
        Self {
            start: time_from_wire(wire.start_time),
            learned_by_poll_first: wire.learned_by_poll_first,
            followed_by_webhook: wire.followed_by_webhook,
            delay: wire.delay.map(WebhookDelay::from_wire).unwrap_or_default(),
            delay_after_poll: wire
                .delay_after_poll
                .map(WebhookDelay::from_wire)
                .unwrap_or_default(),
            usual_pause: duration(wire.usual_pause),
        }
    }
}

impl WebhookDelay {
    fn from_wire(wire: v1::WebhookDelay) -> Self {
        Self {
            sample_count: wire.sample_count,
            median: duration(wire.median),
            percentile_99: duration(wire.percentile_99),
        }
    }
}

impl AccountException {
    fn from_wire(wire: v1::AccountException) -> Self {
        Self {
            kind: AccountExceptionKind::from_number(wire.kind),
            since: time_from_wire(wire.since_time),
            allowed: duration(wire.allowed),
            waiting_attempts: wire.waiting_attempts,
        }
    }
}

/// A duration on the wire. A negative one counts as not stated.
fn duration(duration: Option<prost_types::Duration>) -> Option<Duration> {
    Duration::try_from(duration?).ok()
}

impl SigningSecret {
    fn from_wire(wire: v1::SigningSecret) -> Self {
        Self {
            from: time_from_wire(wire.from_time),
            until: time_from_wire(wire.until_time),
            active: wire.active,
        }
    }
}

impl Rejection {
    fn from_wire(wire: v1::Rejection) -> Self {
        Self {
            receive_time: time_from_wire(wire.receive_time),
            reason: wire.reason,
            message: wire.message,
            header_names: wire.header_names,
            body_bytes: wire.body_bytes,
            findings: wire.findings,
        }
    }
}

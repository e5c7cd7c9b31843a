//! Provider accounts, from their messages.

use paystatus_proto::v1;

use super::time_from_wire;
use crate::{
    account::{Account, Rejection, SigningSecret},
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
        }
    }
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

//! What can happen to an order at any provider.

use paystatus_simulator::{
    Action, Amount, Ledger, OperationKind, OperationState, Payment, voice::Speaker, voice::Voice,
};

/// One sort of thing that happens.
#[derive(Debug)]
pub struct Story {
    /// What happens, in a few words.
    pub about: &'static str,
    /// What happens, in this order, each to the first or second payment.
    pub(super) steps: &'static [(Which, What)],
}

/// Which payment of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Which {
    First,
    Second,
}

/// What happens to a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Pend,
    Authorize,
    Pay,
    Decline,
    Cancel,
    Expire,
    ExpireAuthorization,
    CaptureThird,
    CaptureRest,
    RefundThird,
    RefundFailsAfterAll,
    VoidRest,
}

use What::{
    Authorize, Cancel, CaptureRest, CaptureThird, Decline, Expire, ExpireAuthorization, Pay, Pend,
    RefundFailsAfterAll, RefundThird, VoidRest,
};
use Which::{First, Second};

/// All stories.
pub const STORIES: &[Story] = &[
    Story { about: "paid", steps: &[(First, Pend), (First, Pay)] },
    Story { about: "paid at once", steps: &[(First, Pay)] },
    Story { about: "authorised, not captured yet", steps: &[(First, Authorize)] },
    Story {
        about: "authorised, then captured",
        steps: &[(First, Authorize), (First, CaptureRest)],
    },
    Story {
        about: "captured in two parts",
        steps: &[(First, Authorize), (First, CaptureThird), (First, CaptureRest)],
    },
    Story { about: "authorised, then voided", steps: &[(First, Authorize), (First, VoidRest)] },
    Story {
        about: "nobody captured in time",
        steps: &[(First, Authorize), (First, ExpireAuthorization)],
    },
    Story { about: "paid, refunded in part", steps: &[(First, Pay), (First, RefundThird)] },
    Story {
        about: "captured, refunded in part",
        steps: &[(First, Authorize), (First, CaptureRest), (First, RefundThird)],
    },
    Story {
        about: "paid, refund failed after all",
        steps: &[(First, Pay), (First, RefundThird), (First, RefundFailsAfterAll)],
    },
    Story { about: "declined", steps: &[(First, Pend), (First, Decline)] },
    Story { about: "customer gives up", steps: &[(First, Cancel)] },
    Story { about: "customer takes too long", steps: &[(First, Expire)] },
    Story { about: "nothing final", steps: &[(First, Pend)] },
    Story { about: "declined, then paid", steps: &[(First, Decline), (Second, Pay)] },
    Story { about: "paid twice", steps: &[(First, Pay), (Second, Pay)] },
];

impl Story {
    /// True if the provider has a webhook for each step.
    #[must_use]
    pub fn can_be_told(&self, voice: &dyn Voice) -> bool {
        let (_, secret) = voice.secrets(1);
        let speaker = Speaker { secret, ..Speaker::default() };
        let mut ledger = Ledger::new(1);
        let (currency, exponent) = voice.currency();
        let amount = Amount { currency: currency.to_owned(), minor_units: 9_999, exponent };
        let ids = ["o-1", "o-2"].map(|reference| ledger.open(reference, amount.clone(), 1));
        self.steps.iter().all(|(which, what)| {
            let id = &ids[*which as usize];
            let Some(payment) = ledger.payment(id) else { return false };
            let action = what.action(payment, "o");
            let event = ledger.act(id, &action, 2);
            event.is_ok_and(|event| voice.webhook(&event, &speaker).is_some())
        })
    }

    /// True if nothing but the payment itself happens, so that another amount than the one asked
    /// for is all there is to notice.
    pub(super) fn is_plain(&self) -> bool {
        self.steps.iter().all(|(which, what)| {
            *which == First && matches!(what, Pend | Authorize | Pay | Decline | Cancel | Expire)
        })
    }
}

impl What {
    /// The same as something that happens to a payment as it stands. Operations are named after
    /// the order.
    pub(super) fn action(self, payment: &Payment, order_id: &str) -> Action {
        let third = payment.amount.minor_units / 3;
        match self {
            Self::Pend => Action::Pend,
            Self::Authorize => Action::Authorize,
            Self::Pay => Action::Pay,
            Self::Decline => Action::Decline,
            Self::Cancel => Action::Cancel,
            Self::Expire => Action::Expire,
            Self::ExpireAuthorization => Action::ExpireAuthorization,
            Self::CaptureThird => Action::capture(&format!("{order_id}-c1"), third),
            Self::CaptureRest => {
                let rest = payment.room(OperationKind::Capture);
                Action::capture(&format!("{order_id}-c2"), rest)
            }
            Self::RefundThird => Action::refund(&format!("{order_id}-r1"), third),
            Self::RefundFailsAfterAll => Action::Operate {
                kind: OperationKind::Refund,
                reference: format!("{order_id}-r1"),
                minor_units: third,
                state: OperationState::Corrected,
            },
            Self::VoidRest => {
                let rest = payment.room(OperationKind::Void);
                Action::void(&format!("{order_id}-v1"), rest)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use paystatus_simulator::voices;

    use super::STORIES;

    /// Standard Webhooks has a word for everything; Optty has none for what it does not document.
    #[test]
    fn a_provider_plays_what_it_can_tell() {
        let told = |name: &str| {
            let voice = voices::by_name(name).expect("it is known");
            STORIES.iter().filter(|story| story.can_be_told(voice)).count()
        };
        assert_eq!(told("standard-webhooks"), STORIES.len());
        assert_eq!(told("optty"), STORIES.len() - 2);
    }
}

//! What can happen to a payment, as stories: what the shop does, what the provider says and how
//! badly it says it, and what the order must be in the end.

use paystatus_client::{
    ConditionKind, OperationKind,
    Outcome::{self, Approved, Refused, Undecided, Withdrawn},
    PaymentStatus::{self, Authorized, Canceled, Declined, Expired, Pending, Successful},
};

/// One sort of thing that happens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Story {
    /// What its orders are called, with a number.
    pub(super) name: &'static str,
    /// What happens, in a few words.
    pub(super) about: &'static str,
    /// What happens, in this order.
    pub(super) steps: &'static [Step],
    /// What must come of it.
    pub(super) meant: Meant,
}

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// The shop records the order.
    Order,
    /// The shop records its attempt with this number.
    Attempt(u8),
    /// The shop records that it will ask for this, of the first attempt.
    Ask(OperationKind),
    /// Nothing, for longer than usual.
    Wait,
    /// The provider says this of an attempt, and perhaps says something old again.
    Tell(u8, Word),
    /// It says it three times at the same moment.
    TellAtOnce(u8, Word),
    /// It says all of these of attempts, in whatever order.
    TellInAnyOrder(&'static [(u8, Word)]),
    /// Somebody who does not know the secret says it.
    Forge(u8, Word),
    /// Somebody who saw a signature says it with another amount.
    Alter(u8, Word),
}

/// What the provider says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Pending,
    Authorized,
    Paid,
    Declined,
    CanceledByUser,
    TimedOut,
    Captured,
    Voided,
    RefundPending,
    Refunded,
}

/// What an order must be in the end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meant {
    pub(super) status: PaymentStatus,
    /// What a waiting customer may be told, the last one being what stays true.
    pub(super) outcomes: &'static [Outcome],
    pub(super) captured: Share,
    pub(super) refunded: Share,
    pub(super) voided: Share,
    pub(super) conditions: &'static [ConditionKind],
}

/// How much of the order's amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    Nothing,
    Third,
    Whole,
    Double,
}

impl Share {
    /// So much of an amount, in minor units.
    pub(super) fn of(self, minor_units: i64) -> i64 {
        match self {
            Self::Nothing => 0,
            Self::Third => minor_units / 3,
            Self::Whole => minor_units,
            Self::Double => minor_units * 2,
        }
    }
}

const fn meant(status: PaymentStatus, outcomes: &'static [Outcome]) -> Meant {
    let nothing = Share::Nothing;
    Meant {
        status,
        outcomes,
        captured: nothing,
        refunded: nothing,
        voided: nothing,
        conditions: &[],
    }
}

/// Paid, as it should be.
const PAID: Meant = Meant { captured: Share::Whole, ..meant(Successful, &[Approved]) };

use Step::{Alter, Ask, Attempt, Forge, Order, Tell, TellAtOnce, TellInAnyOrder, Wait};

/// All stories. An order plays one of them, in turn.
pub(super) const STORIES: &[Story] = &[
    Story {
        name: "paid",
        about: "paid at once",
        steps: &[Order, Attempt(1), Tell(1, Word::Pending), Tell(1, Word::Paid)],
        meant: PAID,
    },
    Story {
        name: "late",
        about: "told late",
        steps: &[Order, Attempt(1), Tell(1, Word::Pending), Wait, Tell(1, Word::Paid)],
        meant: PAID,
    },
    Story {
        name: "thrice",
        about: "told three times at once",
        steps: &[Order, Attempt(1), TellAtOnce(1, Word::Paid)],
        meant: PAID,
    },
    Story {
        name: "backwards",
        about: "PENDING told after the end",
        steps: &[Order, Attempt(1), Tell(1, Word::Paid), Tell(1, Word::Pending)],
        meant: PAID,
    },
    Story {
        name: "early",
        about: "told before the order exists",
        steps: &[Tell(1, Word::Paid), Order, Attempt(1)],
        meant: PAID,
    },
    Story {
        name: "forged",
        about: "forged as paid",
        steps: &[Order, Attempt(1), Forge(1, Word::Paid), Tell(1, Word::Declined)],
        meant: meant(Declined, &[Refused]),
    },
    Story {
        name: "altered",
        about: "told with another amount",
        steps: &[Order, Attempt(1), Alter(1, Word::Paid)],
        meant: Meant {
            conditions: &[ConditionKind::AmountMismatch],
            ..meant(Pending, &[Undecided])
        },
    },
    Story {
        name: "silent",
        about: "told nothing",
        steps: &[Order, Attempt(1)],
        meant: meant(Pending, &[Undecided]),
    },
    Story {
        name: "declined",
        about: "declined",
        steps: &[Order, Attempt(1), Tell(1, Word::Pending), Tell(1, Word::Declined)],
        meant: meant(Declined, &[Refused]),
    },
    Story {
        name: "left",
        about: "customer gives up",
        steps: &[Order, Attempt(1), Tell(1, Word::CanceledByUser)],
        meant: meant(Canceled, &[Refused]),
    },
    Story {
        name: "expired",
        about: "customer takes too long",
        steps: &[Order, Attempt(1), Tell(1, Word::Pending), Tell(1, Word::TimedOut)],
        meant: meant(Expired, &[Refused]),
    },
    Story {
        name: "again",
        about: "declined, then another card",
        steps: &[Order, Attempt(1), Tell(1, Word::Declined), Attempt(2), Tell(2, Word::Paid)],
        meant: Meant { captured: Share::Whole, ..meant(Successful, &[Refused, Approved]) },
    },
    Story {
        name: "held",
        about: "authorised, not captured yet",
        steps: &[Order, Attempt(1), Tell(1, Word::Authorized)],
        meant: meant(Authorized, &[Approved]),
    },
    Story {
        name: "captured",
        about: "capture told before payment",
        steps: &[
            Order,
            Attempt(1),
            Ask(OperationKind::Capture),
            TellInAnyOrder(&[(1, Word::Pending), (1, Word::Authorized), (1, Word::Captured)]),
        ],
        meant: PAID,
    },
    Story {
        name: "voided",
        about: "authorised, then voided",
        steps: &[
            Order,
            Attempt(1),
            Tell(1, Word::Authorized),
            Ask(OperationKind::Void),
            Tell(1, Word::Voided),
        ],
        meant: Meant { voided: Share::Whole, ..meant(Canceled, &[Approved, Withdrawn]) },
    },
    Story {
        name: "refunded",
        about: "paid, then refunded in part",
        steps: &[
            Order,
            Attempt(1),
            Tell(1, Word::Paid),
            Ask(OperationKind::Refund),
            TellInAnyOrder(&[(1, Word::RefundPending), (1, Word::Refunded)]),
        ],
        meant: Meant { refunded: Share::Third, ..PAID },
    },
    Story {
        name: "double",
        about: "customer pays twice",
        steps: &[
            Order,
            Attempt(1),
            Attempt(2),
            TellInAnyOrder(&[(1, Word::Paid), (2, Word::Paid)]),
        ],
        meant: Meant {
            captured: Share::Double,
            conditions: &[ConditionKind::DuplicatePayment],
            ..PAID
        },
    },
    Story {
        name: "torn",
        about: "told two different ends",
        steps: &[Order, Attempt(1), TellInAnyOrder(&[(1, Word::Declined), (1, Word::Paid)])],
        meant: Meant {
            captured: Share::Whole,
            conditions: &[ConditionKind::Conflict],
            ..meant(Successful, &[Refused, Approved])
        },
    },
];

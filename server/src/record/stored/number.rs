//! Enums as numbers. A number that was ever written keeps its meaning for ever: new variants
//! get new numbers. 0 is never used, so that a lost field is noticed.

use super::{Unreadable, invalid};
use crate::{
    domain::{
        command::Disposition,
        fact::{Method, RecordedBy},
        statement::{Basis, Ended, Negative, OperationClaim, OperationKind, PaymentClaim},
        view::{ConditionKind, OperationStatus, Outcome, PaymentStatus},
    },
    record::{Audited, KeptAs, KeyEvent, Role, Source},
};

/// An enum that is stored as a number.
pub(super) trait Number: Sized {
    /// Its number.
    fn number(&self) -> u32;

    /// The variant of a number.
    fn of_number(number: u32) -> Result<Self, Unreadable>;
}

/// Both directions from one list. A variant that is missing here does not compile.
macro_rules! numbers {
    ($($name:ident, $what:literal { $([$($variant:tt)+] = $number:literal,)+ })+) => {$(
        impl Number for $name {
            fn number(&self) -> u32 {
                match self {
                    $(Self::$($variant)+ => $number,)+
                }
            }

            fn of_number(number: u32) -> Result<Self, Unreadable> {
                match number {
                    $($number => Ok(Self::$($variant)+),)+
                    _ => Err(invalid($what)),
                }
            }
        }
    )+};
}

numbers! {
    PaymentStatus, "number of a payment's status" {
        [Pending] = 1,
        [Authorized] = 2,
        [Successful] = 3,
        [Declined] = 4,
        [Canceled] = 5,
        [Expired] = 6,
        [Error] = 7,
    }
    OperationStatus, "number of an operation's status" {
        [Pending] = 1,
        [Successful] = 2,
        [Declined] = 3,
        [Canceled] = 4,
        [Error] = 5,
    }
    Outcome, "number of an outcome" {
        [Undecided] = 1,
        [Approved] = 2,
        [Refused] = 3,
        [Withdrawn] = 4,
    }
    ConditionKind, "number of a kind of condition" {
        [Conflict] = 1,
        [DuplicatePayment] = 2,
        [AmountMismatch] = 3,
        [EvidenceLimit] = 4,
    }
    OperationKind, "number of a kind of operation" {
        [Capture] = 1,
        [Refund] = 2,
        [Void] = 3,
    }
    Basis, "number of a basis" {
        [Webhook] = 1,
        [WeakWebhook] = 2,
        [DoubtfulWebhook] = 3,
        [Poll] = 4,
        [Reply] = 5,
        [Deadline] = 6,
    }
    RecordedBy, "number of who recorded an order" {
        [Webhook] = 1,
        [Merchant] = 2,
    }
    Disposition, "number of a disposition" {
        [Applied] = 1,
        [Parked] = 2,
        [Superseded] = 3,
        [Repeat] = 4,
    }
    Source, "number of a source" {
        [Intent] = 1,
        [Webhook] = 2,
        [Reread] = 3,
        [Reply] = 4,
        [Consequence] = 5,
        [Poll] = 6,
        [Page] = 7,
        [Deadline] = 8,
    }
    KeptAs, "number of why a webhook is kept" {
        [Unreadable] = 1,
        [Ignored] = 2,
    }
    Role, "number of a role" {
        [Checkout] = 1,
        [Operator] = 2,
        [Owner] = 3,
    }
    KeyEvent, "number of what was done with a key" {
        [Granted] = 1,
        [Used] = 2,
    }
    Audited, "number of why a call is audited" {
        [Shown] = 1,
        [Refused] = 2,
    }
    Method, "number of a method" {
        [CreateOrder] = 1,
        [CreateAttempt] = 2,
        [RecordReply] = 3,
        [CreateOperation(OperationKind::Capture)] = 4,
        [CreateOperation(OperationKind::Refund)] = 5,
        [CreateOperation(OperationKind::Void)] = 6,
        [RecordReceipt] = 7,
    }
    PaymentClaim, "number of a claim about a payment" {
        [Pending] = 1,
        [Authorized] = 2,
        [Sold] = 3,
        [SaleCorrected] = 4,
        [DeadlinePassed] = 5,
        [Failed(Negative::Expired, Ended::Try { conclusive: false })] = 6,
        [Failed(Negative::Error, Ended::Try { conclusive: false })] = 7,
        [Failed(Negative::Canceled, Ended::Try { conclusive: false })] = 8,
        [Failed(Negative::Declined, Ended::Try { conclusive: false })] = 9,
        [Failed(Negative::Expired, Ended::Try { conclusive: true })] = 10,
        [Failed(Negative::Error, Ended::Try { conclusive: true })] = 11,
        [Failed(Negative::Canceled, Ended::Try { conclusive: true })] = 12,
        [Failed(Negative::Declined, Ended::Try { conclusive: true })] = 13,
        [Failed(Negative::Expired, Ended::Authorization)] = 14,
        [Failed(Negative::Error, Ended::Authorization)] = 15,
        [Failed(Negative::Canceled, Ended::Authorization)] = 16,
        [Failed(Negative::Declined, Ended::Authorization)] = 17,
    }
    OperationClaim, "number of a claim about an operation" {
        [Pending] = 1,
        [Successful] = 2,
        [Corrected] = 3,
        [Failed(Negative::Expired, false)] = 4,
        [Failed(Negative::Error, false)] = 5,
        [Failed(Negative::Canceled, false)] = 6,
        [Failed(Negative::Declined, false)] = 7,
        [Failed(Negative::Expired, true)] = 8,
        [Failed(Negative::Error, true)] = 9,
        [Failed(Negative::Canceled, true)] = 10,
        [Failed(Negative::Declined, true)] = 11,
    }
}

//! What the API says in one word: statuses, outcomes and kinds of an order.

use crate::open_enum::open_enum;

open_enum! {
    /// Status of an order or of an attempt to pay it. One you do not know is undecided, never a
    /// failure.
    PaymentStatus {
        /// Not known yet. A time-out leaves a payment here.
        Pending = 1 "PENDING",
        /// The provider holds the money; nothing is captured yet.
        Authorized = 2 "AUTHORIZED",
        /// Money was captured.
        Successful = 3 "SUCCESSFUL",
        /// The provider or the issuer refused.
        Declined = 4 "DECLINED",
        /// Given up before payment, or voided after authorisation.
        Canceled = 5 "CANCELED",
        /// A time limit passed.
        Expired = 6 "EXPIRED",
        /// The provider reports a technical failure of its own.
        Error = 7 "ERROR",
    }
}

open_enum! {
    /// Status of a capture, refund or void.
    OperationStatus {
        /// Asked for, or under way; the result is not known yet.
        Pending = 1 "PENDING",
        /// Done.
        Successful = 2 "SUCCESSFUL",
        /// Refused.
        Declined = 3 "DECLINED",
        /// Given up.
        Canceled = 4 "CANCELED",
        /// Failed for a technical reason, or failed after it had succeeded.
        Error = 5 "ERROR",
    }
}

open_enum! {
    /// What a customer needs to know of an order.
    Outcome {
        /// Not known yet. Keep waiting; a time-out is not a refusal.
        Undecided = 1 "UNDECIDED",
        /// Authorised or captured: the customer has paid.
        Approved = 2 "APPROVED",
        /// Every attempt ended without an approval. A new attempt may still be made.
        Refused = 3 "REFUSED",
        /// Approved once, but not any more.
        Withdrawn = 4 "WITHDRAWN",
    }
}

open_enum! {
    /// What an operation does to an attempt.
    OperationKind {
        /// Collects authorised money.
        Capture = 1 "CAPTURE",
        /// Gives captured money back.
        Refund = 2 "REFUND",
        /// Releases an authorisation.
        Void = 3 "VOID",
    }
}

open_enum! {
    /// What sort of evidence there was.
    EvidenceSource {
        /// A webhook.
        Webhook = 1 "WEBHOOK",
        /// The provider's answer to a status request of the server.
        Poll = 2 "POLL",
        /// The provider's answer to a call of a checkout service, passed on by it.
        ProviderReply = 3 "PROVIDER_REPLY",
    }
}

open_enum! {
    /// What a receipt came to.
    ReceiptDisposition {
        /// The customer was told in time, and it is recorded.
        Recorded = 1 "RECORDED",
        /// That was recorded before.
        Repeat = 2 "REPEAT",
        /// It came after the deadline, or after a newer outcome. It changes nothing.
        Late = 3 "LATE",
        /// Of this outcome nobody has to be told.
        NotNeeded = 4 "NOT_NEEDED",
    }
}

open_enum! {
    /// What kind of thing a person should look at.
    ConditionKind {
        /// Two final statements contradict each other, or one id names two recorded things.
        Conflict = 1 "CONFLICT",
        /// Attempts that still hold money cover more than the order: reverse the later one.
        DuplicatePayment = 2 "DUPLICATE_PAYMENT",
        /// A provider stated an amount other than the recorded one.
        AmountMismatch = 3 "AMOUNT_MISMATCH",
        /// The order holds as much evidence as it can.
        EvidenceLimit = 4 "EVIDENCE_LIMIT",
    }
}

impl Outcome {
    /// Whether waiting is over: approved, refused or withdrawn. An outcome that this version does
    /// not know is not.
    #[must_use]
    pub fn is_decided(self) -> bool {
        matches!(self, Self::Approved | Self::Refused | Self::Withdrawn)
    }
}

#[cfg(test)]
mod tests {
    use super::{Outcome, PaymentStatus};

    #[test]
    fn an_unknown_value_keeps_its_number() {
        let status = PaymentStatus::from_number(42);
        assert_eq!(status, PaymentStatus::Unrecognized(42));
        assert_eq!(status.number(), 42);
        assert_eq!(status.to_string(), "UNRECOGNIZED(42)");
        assert_eq!(PaymentStatus::from_number(0), PaymentStatus::Unrecognized(0));
    }

    #[test]
    fn only_what_is_known_to_be_decided_is_decided() {
        for (number, decided) in
            [(0, false), (1, false), (2, true), (3, true), (4, true), (9, false)]
        {
            assert_eq!(Outcome::from_number(number).is_decided(), decided, "{number}");
        }
    }
}

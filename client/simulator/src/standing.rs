//! What a payment comes to: its state and its operations in one word, as an order's status has
//! them.

use crate::life::{OperationKind, OperationState, Payment, PaymentState};

/// A payment in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Under way.
    Pending,
    /// The money is held.
    Authorized,
    /// Money was captured.
    Successful,
    /// Refused.
    Declined,
    /// Given up, or voided.
    Canceled,
    /// A time limit passed.
    Expired,
    /// A technical failure.
    Error,
}

impl Payment {
    /// What it comes to. Refunds change sums, never this; a sale that failed after all leaves
    /// its authorisation.
    #[must_use]
    pub fn standing(&self) -> Standing {
        if self.captured() > 0 {
            return Standing::Successful;
        }
        match self.state {
            PaymentState::Pending => Standing::Pending,
            PaymentState::Authorized if self.is_voided() => Standing::Canceled,
            PaymentState::Authorized | PaymentState::Paid | PaymentState::Corrected => {
                Standing::Authorized
            }
            PaymentState::Declined => Standing::Declined,
            PaymentState::Canceled => Standing::Canceled,
            PaymentState::Expired | PaymentState::AuthorizationExpired => Standing::Expired,
            PaymentState::Error => Standing::Error,
        }
    }

    /// What was captured and stands, in minor units.
    #[must_use]
    pub fn captured(&self) -> u64 {
        match self.state {
            PaymentState::Paid => self.amount.minor_units,
            _ => self.total(OperationKind::Capture),
        }
    }

    /// What was refunded, in minor units.
    #[must_use]
    pub fn refunded(&self) -> u64 {
        self.total(OperationKind::Refund)
    }

    /// How much a new operation of that kind may be of, in minor units.
    #[must_use]
    pub fn room(&self, kind: OperationKind) -> u64 {
        let live = |kind| {
            let is_live =
                |state| matches!(state, OperationState::Pending | OperationState::Succeeded);
            let of_kind = self.operations.iter().filter(|o| o.kind == kind && is_live(o.state));
            of_kind.map(|operation| operation.amount.minor_units).sum::<u64>()
        };
        let (whole, taken) = match (kind, self.state) {
            (OperationKind::Capture | OperationKind::Void, PaymentState::Authorized) => {
                (self.amount.minor_units, live(OperationKind::Capture) + live(OperationKind::Void))
            }
            (OperationKind::Capture | OperationKind::Void, _) => (0, 0),
            (OperationKind::Refund, _) => (self.captured(), live(OperationKind::Refund)),
        };
        whole.saturating_sub(taken)
    }

    /// True if voids released all that was authorised.
    fn is_voided(&self) -> bool {
        self.total(OperationKind::Void) >= self.amount.minor_units
    }
}

//! What happens to payments at a provider, in words that all providers have.

/// An amount in minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    /// ISO 4217 code, or a token symbol.
    pub currency: String,
    /// `minor_units / 10^exponent` of it.
    pub minor_units: u64,
    /// Digits after the point, by ISO 4217. A voice whose provider has others converts.
    pub exponent: u8,
}

impl Amount {
    /// In major units, with all digits: `12.99`.
    #[must_use]
    pub fn major(&self) -> String {
        let digits = usize::from(self.exponent);
        let units = format!("{:0width$}", self.minor_units, width = digits + 1);
        let (whole, fraction) = units.split_at(units.len() - digits);
        if digits == 0 { whole.to_owned() } else { format!("{whole}.{fraction}") }
    }
}

/// Where a payment stands at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentState {
    /// Under way.
    Pending,
    /// The money is held.
    Authorized,
    /// Authorised and captured in one.
    Paid,
    /// It was paid, and that failed after all.
    Corrected,
    /// Refused, before any authorisation.
    Declined,
    /// Given up, before any authorisation.
    Canceled,
    /// A time limit passed, before any authorisation.
    Expired,
    /// A technical failure, before any authorisation.
    Error,
    /// Nobody captured the authorisation in time.
    AuthorizationExpired,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// Collects authorised money.
    Capture,
    /// Gives captured money back.
    Refund,
    /// Releases an authorisation.
    Void,
}

/// Where an operation stands at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationState {
    /// Under way.
    Pending,
    /// Done.
    Succeeded,
    /// Refused.
    Declined,
    /// Given up.
    Canceled,
    /// A technical failure.
    Error,
    /// It had succeeded, and failed after all.
    Corrected,
}

/// A capture, refund or void.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// What it does.
    pub kind: OperationKind,
    /// The provider's id of it, unique at the provider; a voice may dress it (`re_…`).
    pub id: String,
    /// What the merchant gave as its reference.
    pub reference: String,
    /// How much.
    pub amount: Amount,
    /// Where it stands.
    pub state: OperationState,
    /// When it came there, in seconds since 1970.
    pub changed_seconds: i64,
}

/// A payment as the provider knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The provider's id, unique at the provider; a voice may dress it (`pi_…`).
    pub id: String,
    /// What the merchant gave as its reference.
    pub reference: String,
    /// How much is to be collected.
    pub amount: Amount,
    /// Where it stands, its operations apart.
    pub state: PaymentState,
    /// When it was made, in seconds since 1970.
    pub created_seconds: i64,
    /// When it came to its state, in seconds since 1970.
    pub changed_seconds: i64,
    /// Its operations, oldest first.
    pub operations: Vec<Operation>,
}

impl Payment {
    /// The sum of the operations of a kind that succeeded, in minor units.
    #[must_use]
    pub fn total(&self, kind: OperationKind) -> u64 {
        let done = self.operations.iter().filter(|operation| {
            operation.kind == kind && operation.state == OperationState::Succeeded
        });
        done.map(|operation| operation.amount.minor_units).sum()
    }
}

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The payment came to its state.
    Payment,
    /// The operation at this index came to its state.
    Operation(usize),
}

/// Something that happened, with the payment as it stood right after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Unique at the provider, and the same in every delivery.
    pub id: String,
    /// What it is about.
    pub about: About,
    /// The payment, right after it.
    pub payment: Payment,
    /// When it happened, in seconds since 1970.
    pub seconds: i64,
}

impl Event {
    /// The operation that it is about.
    #[must_use]
    pub fn operation(&self) -> Option<&Operation> {
        match self.about {
            About::Payment => None,
            About::Operation(index) => self.payment.operations.get(index),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Amount;

    #[test]
    fn major_units_have_all_their_digits() {
        let major = |minor_units, exponent| {
            Amount { currency: "EUR".to_owned(), minor_units, exponent }.major()
        };
        assert_eq!([major(5, 2), major(1299, 2), major(7, 0)], ["0.05", "12.99", "7"]);
    }
}

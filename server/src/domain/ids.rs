//! Names of things: bounded, parsed once at the edge, cheap to clone.

use std::fmt;

use smol_str::SmolStr;

/// Why a text cannot be the name it was meant to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be {expected}")]
pub struct InvalidName {
    /// What would be accepted, for people.
    pub expected: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $max:literal, $accepts:expr, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(SmolStr);

        impl $name {
            /// Longest accepted length, in bytes.
            pub const BYTES_MAX: usize = $max;

            /// Accepts a text that fits.
            ///
            /// # Errors
            /// [`InvalidName`] says what would be accepted.
            pub fn parse(text: &str) -> Result<Self, InvalidName> {
                let accepts: fn(&str) -> bool = $accepts;
                if text.is_empty() || text.len() > $max || !accepts(text) {
                    return Err(InvalidName { expected: $expected });
                }
                Ok(Self(text.into()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

fn is_token(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

fn is_printable(text: &str) -> bool {
    text.trim() == text && !text.chars().any(char::is_control)
}

fn is_own_name(text: &str) -> bool {
    is_printable(text) && !text.starts_with('~')
}

fn is_ascii_printable(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_graphic())
}

fn is_kind(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

name!(
    /// Owner of orders. Sandbox and production are two merchants.
    MerchantId, 64, is_token, "1 to 64 of a-z A-Z 0-9 . _ -"
);
name!(
    /// A configured account at a provider.
    AccountId, 64, is_token, "1 to 64 of a-z A-Z 0-9 . _ -"
);
name!(
    /// The merchant's own id of an order, unique for ever.
    OrderId, 128, is_printable, "1 to 128 printable characters without spaces at the ends"
);
name!(
    /// The merchant's own id of an attempt, unique within its order.
    AttemptId, 64, is_own_name, "1 to 64 printable characters, not beginning with ~"
);
name!(
    /// The merchant's own id of a capture, refund or void, unique within its order and kind.
    OperationId, 64, is_own_name, "1 to 64 printable characters, not beginning with ~"
);
name!(
    /// What was given to a provider as the merchant's own reference.
    Reference, 256, is_printable, "1 to 256 printable characters without spaces at the ends"
);
name!(
    /// Makes a call safe to repeat.
    RequestId, 64, is_ascii_printable, "1 to 64 printable ASCII characters; a UUID is best"
);
name!(
    /// What sort of id a provider's id is, in the provider's words.
    IdKind, 32, is_kind, "1 to 32 of a-z 0-9 _"
);
name!(
    /// An id that a provider gave.
    IdValue, 256, is_printable, "1 to 256 printable characters without spaces at the ends"
);
name!(
    /// A person who settles exceptions.
    OperatorId, 64, is_token, "1 to 64 of a-z A-Z 0-9 . _ -"
);
name!(
    /// A reader's own name for its subscription.
    SubscriptionId, 64, is_token, "1 to 64 of a-z A-Z 0-9 . _ -"
);

/// The kind of id that a merchant's reference counts as where it identifies the attempt.
pub const REFERENCE_KIND: &str = "reference";

/// An id that a provider gave to an attempt or an operation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderId {
    /// What sort of id it is.
    pub kind: IdKind,
    /// The id.
    pub value: IdValue,
}

impl ProviderId {
    /// Accepts two texts that fit.
    ///
    /// # Errors
    /// [`InvalidName`] says what would be accepted.
    pub fn parse(kind: &str, value: &str) -> Result<Self, InvalidName> {
        Ok(Self { kind: IdKind::parse(kind)?, value: IdValue::parse(value)? })
    }

    /// A reference as an id, for providers where it identifies the attempt.
    #[must_use]
    pub fn from_reference(reference: &Reference) -> Self {
        Self {
            kind: IdKind(SmolStr::new_static(REFERENCE_KIND)),
            value: IdValue(reference.0.clone()),
        }
    }
}

/// What an order's state is kept under.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrderKey {
    /// An order that a merchant recorded.
    Recorded {
        /// Its merchant.
        merchant: MerchantId,
        /// The merchant's id of it.
        order: OrderId,
    },
    /// An order that only webhooks name so far.
    Unclaimed {
        /// Where they came to.
        account: AccountId,
        /// The first reference or id they named.
        anchor: ProviderId,
    },
}

impl OrderKey {
    /// True for an order that a merchant recorded.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        matches!(self, Self::Recorded { .. })
    }
}

/// Something that belongs to the first order that names it, for ever.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claim {
    /// Where it is unique.
    pub account: AccountId,
    /// The reference (as an id) or the provider's id of a payment.
    pub id: ProviderId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded_at_their_edges() {
        assert!(OrderId::parse(&"x".repeat(128)).is_ok());
        assert!(OrderId::parse(&"x".repeat(129)).is_err());
        assert!(OrderId::parse("").is_err());
        assert!(OrderId::parse(" x").is_err());
        assert!(OrderId::parse("a\nb").is_err());
        assert!(OrderId::parse("Bestellung 7/ä").is_ok());
        assert!(AttemptId::parse("~x").is_err());
        assert!(MerchantId::parse("shop/1").is_err());
        assert!(RequestId::parse("a b").is_err());
        assert!(IdKind::parse("Payment").is_err());
    }
}

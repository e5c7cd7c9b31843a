//! What one piece of evidence says of one authorisation, capture, refund or void.

use super::{
    digest::{ContentId, Digest},
    ids::{AccountId, AttemptId, OperationId, ProviderId, Reference},
    money::Money,
    time::Time,
};

/// Distinct statements that one order holds; at the bound an exception is raised.
pub const STATEMENTS_PER_ORDER_MAX: usize = 256;
/// Of these, how many may come from webhooks whose signature does not bind what they say: whoever
/// holds one can write more of them, and must not keep out what a poll says.
pub const WEAK_STATEMENTS_PER_ORDER_MAX: usize = 64;
/// Ids that one statement may name, of the payment and of the operation each.
pub const IDS_PER_STATEMENT_MAX: usize = 8;
/// Characters of a provider's reason that are kept.
pub const REASON_CHARS_MAX: usize = 256;

/// How far a piece of evidence can be trusted, and where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// A webhook whose signature binds what it says.
    Webhook,
    /// A webhook whose signature does not bind the kind of operation: what it says of
    /// operations that nobody recorded counts as PENDING until something stronger says so.
    WeakWebhook,
    /// The same, and what it says of payments is held back as well.
    DoubtfulWebhook,
    /// The provider's answer to a question of ours.
    Poll,
    /// The provider's answer to the checkout service.
    Reply,
    /// Our own clock.
    Deadline,
}

impl Basis {
    /// Goes into content ids, and therefore never changes.
    fn number(self) -> i64 {
        match self {
            Self::Webhook => 0,
            Self::WeakWebhook => 1,
            Self::DoubtfulWebhook => 2,
            Self::Poll => 3,
            Self::Reply => 4,
            Self::Deadline => 5,
        }
    }

    /// True if the evidence alone may settle an operation that nobody recorded.
    #[must_use]
    pub fn settles_operations(self) -> bool {
        !matches!(self, Self::WeakWebhook | Self::DoubtfulWebhook)
    }

    /// True if the evidence alone may settle a payment.
    #[must_use]
    pub fn settles_payments(self) -> bool {
        self != Self::DoubtfulWebhook
    }
}

/// What an operation does to an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperationKind {
    /// Collects authorised money.
    Capture,
    /// Gives captured money back.
    Refund,
    /// Releases an authorisation.
    Void,
}

impl OperationKind {
    /// Goes into content ids, and therefore never changes.
    pub(super) fn number(self) -> i64 {
        match self {
            Self::Capture => 1,
            Self::Refund => 2,
            Self::Void => 3,
        }
    }
}

/// A word for "it did not work", in order of strength.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Negative {
    /// A time limit passed.
    Expired,
    /// A technical failure.
    Error,
    /// Given up.
    Canceled,
    /// Refused.
    Declined,
}

/// What a negative statement about a payment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ended {
    /// A try, before any authorisation: a later try may still succeed.
    Try {
        /// True if the provider's table lists no success after it, so that one is a conflict.
        conclusive: bool,
    },
    /// An authorisation: its uncaptured rest is released.
    Authorization,
}

/// What is said of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PaymentClaim {
    /// Under way.
    Pending,
    /// The money is held, not captured.
    Authorized,
    /// Authorised and captured in one.
    Sold,
    /// A sale failed after it had succeeded.
    SaleCorrected,
    /// It did not work, or is over.
    Failed(Negative, Ended),
    /// Our own time limit passed; the provider said nothing.
    DeadlinePassed,
}

/// What is said of a capture, refund or void, in order of strength.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperationClaim {
    /// Asked for or under way.
    Pending,
    /// It did not work.
    Failed(Negative, /* conclusive: a success is a conflict */ bool),
    /// Done.
    Successful,
    /// It failed after it had succeeded, or a success was denied.
    Corrected,
}

/// An operation as a statement names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationClaimed {
    /// What it does.
    pub kind: OperationKind,
    /// Ids the provider gave it.
    pub ids: Vec<ProviderId>,
    /// What the merchant gave the provider as its reference.
    pub reference: Option<Reference>,
    /// The recorded operation, where the caller named it.
    pub operation: Option<OperationId>,
    /// For voids: whether it also takes back captured money once nothing uncaptured is left.
    pub takes_back_captured: bool,
    /// What is said of it.
    pub claim: OperationClaim,
}

/// What a statement says, and of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Of the payment as a whole.
    Payment(PaymentClaim),
    /// Of one capture, refund or void.
    Operation(OperationClaimed),
}

/// An amount as the evidence names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatedAmount {
    /// The amount, with the digits it needs.
    pub money: Money,
    /// True if it has more digits than the provider's table gives its currency.
    pub too_precise: bool,
}

/// What one piece of evidence says of one authorisation, capture, refund or void.
///
/// It names the payment by at least one of `ids`, `reference` and `attempt`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Ids that name the payment. Sorted, without repeats.
    pub ids: Vec<ProviderId>,
    /// The merchant's reference of the payment.
    pub reference: Option<Reference>,
    /// The recorded attempt, where the caller named it.
    pub attempt: Option<AttemptId>,
    /// What it says.
    pub said: Said,
    /// The amount it names.
    pub amount: Option<StatedAmount>,
    /// The provider's own time of it.
    pub provider_time: Option<Time>,
    /// The provider's reason, cut to [`REASON_CHARS_MAX`].
    pub reason: Option<String>,
}

/// A statement as an order holds it. Not altered once it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    id: ContentId,
    /// The account it came from.
    pub account: AccountId,
    /// How far it can be trusted.
    pub basis: Basis,
    /// What it says.
    pub statement: Statement,
}

impl Held {
    /// A statement with where it came from.
    #[must_use]
    pub fn new(account: AccountId, basis: Basis, statement: Statement) -> Self {
        let mut held = Self { id: ContentId::default(), account, basis, statement };
        held.id = held.digest();
        held
    }

    /// An id made of all it says.
    #[must_use]
    pub fn content_id(&self) -> ContentId {
        self.id
    }

    fn digest(&self) -> ContentId {
        let s = &self.statement;
        let digest =
            Digest::new("statement").text(self.account.as_str()).number(self.basis.number());
        let digest = with_ids(digest, &s.ids)
            .maybe(s.reference.as_ref().map(Reference::as_str))
            .maybe(s.attempt.as_ref().map(AttemptId::as_str))
            .maybe(s.reason.as_deref())
            .number(s.provider_time.map_or(i64::MIN, Time::as_micros));
        let digest = match s.amount {
            Some(amount) => digest
                .number(if amount.too_precise { 2 } else { 1 })
                .text(amount.money.currency().as_str())
                .number(amount.money.minor_units())
                .number(i64::from(amount.money.exponent())),
            None => digest.number(0),
        };
        with_said(digest, &s.said).finish()
    }
}

fn with_ids(digest: Digest, ids: &[ProviderId]) -> Digest {
    let count = i64::try_from(ids.len()).unwrap_or(i64::MAX);
    ids.iter().fold(digest.number(count), |digest, id| {
        digest.text(id.kind.as_str()).text(id.value.as_str())
    })
}

fn with_said(digest: Digest, said: &Said) -> Digest {
    match said {
        Said::Payment(claim) => digest.number(0).text(payment_word(*claim)),
        Said::Operation(op) => with_ids(digest.number(op.kind.number()), &op.ids)
            .maybe(op.reference.as_ref().map(Reference::as_str))
            .maybe(op.operation.as_ref().map(OperationId::as_str))
            .number(i64::from(op.takes_back_captured))
            .text(operation_word(op.claim)),
    }
}

/// The claim as one word; distinct for distinct claims.
#[must_use]
pub fn payment_word(claim: PaymentClaim) -> &'static str {
    use Negative::{Canceled, Declined, Error, Expired};
    match claim {
        PaymentClaim::Pending => "PENDING",
        PaymentClaim::Authorized => "AUTHORIZED",
        PaymentClaim::Sold => "SOLD",
        PaymentClaim::SaleCorrected => "SALE_CORRECTED",
        PaymentClaim::DeadlinePassed => "DEADLINE_PASSED",
        PaymentClaim::Failed(negative, Ended::Authorization) => match negative {
            Expired => "AUTHORIZATION_EXPIRED",
            Error => "AUTHORIZATION_ERROR",
            Canceled => "AUTHORIZATION_CANCELED",
            Declined => "AUTHORIZATION_DECLINED",
        },
        PaymentClaim::Failed(negative, Ended::Try { conclusive: false }) => match negative {
            Expired => "TRY_EXPIRED",
            Error => "TRY_ERROR",
            Canceled => "TRY_CANCELED",
            Declined => "TRY_DECLINED",
        },
        PaymentClaim::Failed(negative, Ended::Try { conclusive: true }) => match negative {
            Expired => "EXPIRED",
            Error => "ERROR",
            Canceled => "CANCELED",
            Declined => "DECLINED",
        },
    }
}

/// The claim as one word; distinct for distinct claims.
#[must_use]
pub fn operation_word(claim: OperationClaim) -> &'static str {
    use Negative::{Canceled, Declined, Error, Expired};
    match claim {
        OperationClaim::Pending => "PENDING",
        OperationClaim::Successful => "SUCCESSFUL",
        OperationClaim::Corrected => "CORRECTED",
        OperationClaim::Failed(negative, true) => match negative {
            Expired => "EXPIRED",
            Error => "ERROR",
            Canceled => "CANCELED",
            Declined => "DECLINED",
        },
        OperationClaim::Failed(negative, false) => match negative {
            Expired => "TRY_EXPIRED",
            Error => "TRY_ERROR",
            Canceled => "TRY_CANCELED",
            Declined => "TRY_DECLINED",
        },
    }
}

/// A provider's reason, cut to what is kept.
#[must_use]
pub fn clip_reason(reason: &str) -> Option<String> {
    let clean: String = reason.chars().filter(|c| !c.is_control()).take(REASON_CHARS_MAX).collect();
    (!clean.trim().is_empty()).then(|| clean.trim().to_owned())
}

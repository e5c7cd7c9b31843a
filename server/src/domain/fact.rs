//! What is known: intents and evidence, each recorded once.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    digest::{ContentId, Digest},
    ids::{AccountId, AttemptId, Claim, OperationId, OrderKey, ProviderId, Reference, RequestId},
    money::Money,
    statement::{Basis, Held, OperationKind, Statement},
    time::Time,
    view::AttemptKey,
};

/// Labels an order may have.
pub const LABELS_MAX: usize = 16;
/// Bytes of a label's key or value.
pub const LABEL_BYTES_MAX: usize = 64;

/// Who recorded an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordedBy {
    /// A webhook, at an account that is set to create orders.
    Webhook,
    /// The merchant; replaces what a webhook recorded.
    Merchant,
}

/// A merchant is going to collect this much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderIntent {
    /// Who recorded it.
    pub by: RecordedBy,
    /// How much. Known for every order a merchant recorded.
    pub amount: Option<Money>,
    /// The merchant's labels.
    pub labels: BTreeMap<String, String>,
    /// When.
    pub time: Time,
}

/// How far a stated amount may be from the recorded one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AmountRule {
    /// Not at all.
    #[default]
    Exact,
    /// It may be more (a tip, a surcharge).
    AtLeast,
    /// It may be this much off, either way.
    Within(Money),
}

/// A merchant is going to ask a provider for money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptIntent {
    /// The merchant's id of it.
    pub attempt: AttemptId,
    /// Where.
    pub account: AccountId,
    /// What is given to the provider as the merchant's reference.
    pub reference: Reference,
    /// True if that reference identifies the attempt at this provider.
    pub reference_is_id: bool,
    /// How much of the order; `None` is the whole.
    pub amount: Option<Money>,
    /// What stated amounts are accepted.
    pub rule: AmountRule,
    /// When.
    pub time: Time,
}

/// A merchant is going to ask a provider to capture, refund or void.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationIntent {
    /// What.
    pub kind: OperationKind,
    /// The merchant's id of it.
    pub operation: OperationId,
    /// Of which attempt.
    pub attempt: AttemptKey,
    /// At which account.
    pub account: AccountId,
    /// What is given to the provider as its reference.
    pub reference: Reference,
    /// How much; `None` is the whole.
    pub amount: Option<Money>,
    /// When.
    pub time: Time,
}

/// One reading of a webhook, poll or reply. Made by [`Evidence::first`] and [`Evidence::reading`],
/// so that its statements say where it came from too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Made of the account, the event id and what was first read.
    pub id: ContentId,
    /// Where it came from.
    pub account: AccountId,
    /// How far it can be trusted.
    pub basis: Basis,
    /// How many times it was read again.
    pub revision: u32,
    /// What it says.
    pub statements: Vec<Arc<Held>>,
}

impl AmountRule {
    /// The first rule that is for a currency; exact if none is.
    #[must_use]
    pub fn choose(rules: &[Self], expected: Option<&Money>) -> Self {
        let fits = |rule: &&Self| match rule {
            Self::Within(most) => expected.is_some_and(|e| e.currency() == most.currency()),
            Self::Exact | Self::AtLeast => true,
        };
        rules.iter().find(fits).copied().unwrap_or_default()
    }

    /// True if a stated amount is close enough to the expected one.
    #[must_use]
    pub fn admits(&self, stated: &Money, expected: &Money) -> bool {
        let Some(order) = stated.compare(expected) else {
            return false;
        };
        match self {
            Self::Exact => order.is_eq(),
            Self::AtLeast => order.is_ge(),
            Self::Within(tolerance) => {
                let (more, less) =
                    if order.is_ge() { (stated, expected) } else { (expected, stated) };
                let off = more.minus(less).and_then(|off| off.compare(tolerance));
                off.is_some_and(std::cmp::Ordering::is_le)
            }
        }
    }
}

impl Evidence {
    /// The first reading of an event.
    #[must_use]
    pub fn first(
        account: AccountId,
        basis: Basis,
        event_id: &str,
        statements: Vec<Statement>,
    ) -> Self {
        let mut evidence = Self::reading(ContentId::default(), account, basis, 0, statements);
        let digest = Digest::new("reading").text(evidence.account.as_str()).text(event_id);
        let ids = evidence.statements.iter().map(|held| held.content_id());
        evidence.id = ids.fold(digest, |digest, id| digest.id(&id)).finish();
        evidence
    }

    /// A reading whose id is known.
    #[must_use]
    pub fn reading(
        id: ContentId,
        account: AccountId,
        basis: Basis,
        revision: u32,
        statements: Vec<Statement>,
    ) -> Self {
        let held = |statement| Arc::new(Held::new(account.clone(), basis, statement));
        let statements = statements.into_iter().map(held).collect();
        Self { id, account, basis, revision, statements }
    }

    /// Everything of the payment that it names, and that therefore belongs to one order.
    #[must_use]
    pub fn claims(&self) -> Vec<Claim> {
        let mut claims: Vec<Claim> = Vec::new();
        for held in &self.statements {
            let statement = &held.statement;
            let reference = statement.reference.as_ref().map(ProviderId::from_reference);
            for id in reference.into_iter().chain(statement.ids.iter().cloned()) {
                let claim = Claim { account: self.account.clone(), id };
                if !claims.contains(&claim) {
                    claims.push(claim);
                }
            }
        }
        claims
    }
}

/// Which mutation a request id was used for; a request id is unique within one of these.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestKey {
    /// The method.
    pub method: Method,
    /// The caller's id.
    pub request: RequestId,
}

/// Mutations of an order by a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// CreateOrder.
    CreateOrder,
    /// CreateAttempt.
    CreateAttempt,
    /// CreateCapture, CreateRefund or CreateVoid.
    CreateOperation(OperationKind),
    /// RecordProviderReply.
    RecordReply,
    /// RecordReceipt.
    RecordReceipt,
}

/// Something that became known about an order. Recorded for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The order was recorded.
    Order(OrderIntent),
    /// An attempt was recorded.
    Attempt(AttemptIntent),
    /// An operation was recorded.
    Operation(OperationIntent),
    /// Evidence arrived, or was read again.
    Evidence(Evidence),
    /// The same evidence arrived again.
    Repeated(ContentId),
    /// Evidence arrived that the order has no room for. It is kept in its record only.
    BeyondLimit(Evidence),
    /// The provider did not answer the checkout service.
    NoAnswer(AttemptId),
    /// Evidence that was kept under another name belongs to this order.
    Absorbed {
        /// The unclaimed order that held it.
        from: OrderKey,
        /// All it held.
        evidence: Vec<Evidence>,
    },
    /// Everything known here belongs to another order, and is kept there from now on.
    ForwardedTo(OrderKey),
    /// An id is named by evidence of this and of another recorded order.
    IdShared {
        /// The id.
        claim: Claim,
        /// The other order.
        with: OrderKey,
    },
    /// A mutation was accepted under this request id.
    Request {
        /// Which.
        key: RequestKey,
        /// What it asked for.
        fingerprint: ContentId,
    },
    /// A page showed an outcome to the customer.
    Receipt {
        /// Which outcome.
        outcome_number: u64,
        /// True if that was too late to count.
        is_late: bool,
    },
    /// The time passed in which a page should have shown the outcome of this number.
    NotInformed(u64),
}

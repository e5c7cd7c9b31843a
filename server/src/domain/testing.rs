//! For tests: a world in memory, and statements written as text.

pub(crate) mod life;

use std::{collections::BTreeMap, sync::Arc};

use super::{
    command::{
        AcceptEvidence, Command, CreateAttempt, CreateOperation, CreateOrder, Decision, Parent,
        PassDeadline, RecordReceipt, Refusal, World,
    },
    decide::decide,
    fact::{AmountRule, Evidence},
    ids::{
        AccountId, AttemptId, Claim, MerchantId, OperationId, OrderId, OrderKey, ProviderId,
        Reference, RequestId,
    },
    money::{Currency, Money},
    order::Order,
    statement::{
        Basis, Ended, Negative, OperationClaim, OperationClaimed, OperationKind, PaymentClaim,
        Said, StatedAmount, Statement,
    },
    time::Time,
    view::{AttemptKey, View},
};

/// Orders and claims, applied at once.
#[derive(Clone, Default)]
pub(crate) struct MemoryWorld {
    pub(crate) orders: BTreeMap<OrderKey, Arc<Order>>,
    pub(crate) claims: BTreeMap<Claim, OrderKey>,
    pub(crate) position: u64,
}

impl World for MemoryWorld {
    fn order(&self, key: &OrderKey) -> Option<Arc<Order>> {
        self.orders.get(key).cloned()
    }

    fn claimant(&self, claim: &Claim) -> Option<OrderKey> {
        self.claims.get(claim).cloned()
    }
}

impl MemoryWorld {
    /// Decides and applies, and checks that copying the record gives what was decided.
    pub(crate) fn run(&mut self, command: &Command, now: Time) -> Result<Decision, Refusal> {
        let decision = decide(self, command, now)?;
        for draft in &decision.drafts {
            self.position += 1;
            let mut order = match self.orders.get(&draft.key) {
                Some(order) => (**order).clone(),
                None => Order::new(draft.key.clone()),
            };
            assert_eq!(order.version, draft.expected_version);
            order.apply(self.position, &draft.decided);
            let computed = super::project::project(&order.facts);
            assert_same(&unnamed(&order.view), &computed);
            for claim in &draft.claims {
                let before = self.claims.insert(claim.clone(), draft.key.clone());
                assert_eq!(before, None, "a claim belongs to the first order for ever");
            }
            self.orders.insert(draft.key.clone(), Arc::new(order));
        }
        Ok(decision)
    }

    /// The view of a recorded order.
    pub(crate) fn view(&self, order: &str) -> View {
        self.orders[&parent(order).key()].view.clone()
    }
}

/// Fails with the lines that differ, and only those.
pub(crate) fn assert_same<T: PartialEq + std::fmt::Debug>(left: &T, right: &T) {
    if left != right {
        let (left, right) = (format!("{left:#?}"), format!("{right:#?}"));
        let only = |a: &str, b: &str, sign| -> Vec<String> {
            a.lines()
                .filter(|l| !b.lines().any(|m| m == *l))
                .map(|l| format!("{sign}{l}"))
                .collect()
        };
        let lines = [only(&left, &right, '-'), only(&right, &left, '+')].concat();
        panic!("they differ:\n{}\n{left}", lines.join("\n"));
    }
}

/// A view without what history decides: names and the outcome's number. A forwarded order
/// keeps the view it had.
pub(crate) fn unnamed(view: &View) -> View {
    let mut view = view.clone();
    view.summary.outcome_number = 0;
    for attempt in &mut view.attempts {
        attempt.name.clear();
        attempt.aliases.clear();
    }
    for operation in &mut view.operations {
        operation.name.clear();
        operation.attempt_name.clear();
    }
    for condition in &mut view.conditions {
        condition.attempt_names.clear();
    }
    view
}

pub(crate) fn aud(text: &str) -> Money {
    Money::parse(text, Currency::parse("AUD").unwrap(), 2).unwrap()
}

pub(crate) fn parent(order: &str) -> Parent {
    Parent { merchant: MerchantId::parse("m").unwrap(), order: OrderId::parse(order).unwrap() }
}

pub(crate) fn account() -> AccountId {
    AccountId::parse("acc").unwrap()
}

fn request(text: &str) -> RequestId {
    RequestId::parse(&text.replace(' ', "_")).unwrap()
}

/// `order o1 100`
pub(crate) fn create_order(order: &str, amount: &str) -> Command {
    Command::CreateOrder(CreateOrder {
        parent: parent(order),
        request: request(&format!("order {order}")),
        amount: aud(amount),
        labels: BTreeMap::new(),
        accounts: vec![account()],
    })
}

pub(crate) fn create_attempt(
    order: &str,
    attempt: &str,
    reference: &str,
    amount: Option<&str>,
) -> Command {
    Command::CreateAttempt(CreateAttempt {
        parent: parent(order),
        request: request(&format!("attempt {order} {attempt}")),
        attempt: AttemptId::parse(attempt).unwrap(),
        account: account(),
        reference: Reference::parse(reference).unwrap(),
        reference_is_id: false,
        amount: amount.map(aud),
        rules: vec![AmountRule::Exact],
    })
}

pub(crate) fn create_operation(
    order: &str,
    attempt: &str,
    (kind, id): (OperationKind, &str),
    amount: Option<&str>,
) -> Command {
    Command::CreateOperation(CreateOperation {
        parent: parent(order),
        request: request(&format!("op {order} {id}")),
        kind,
        operation: OperationId::parse(id).unwrap(),
        attempt: attempt.to_owned(),
        reference: Reference::parse(id).unwrap(),
        amount: amount.map(aud),
    })
}

/// A page showed an outcome.
pub(crate) fn receipt(order: &str, outcome_number: u64) -> Command {
    Command::RecordReceipt(RecordReceipt { parent: parent(order), outcome_number, request: None })
}

/// The time passed to show an outcome.
pub(crate) fn deadline(order: &str, outcome_number: u64) -> Command {
    Command::PassDeadline(PassDeadline { parent: parent(order), outcome_number })
}

/// Evidence of one event, as a signed webhook.
pub(crate) fn accept(event: &str, statements: Vec<Statement>) -> Command {
    accept_from(Basis::Webhook, event, statements)
}

pub(crate) fn accept_from(basis: Basis, event: &str, statements: Vec<Statement>) -> Command {
    Command::AcceptEvidence(AcceptEvidence {
        merchant: parent("x").merchant,
        evidence: Evidence::first(account(), basis, event, statements),
        creates_orders: false,
    })
}

/// A statement from text: `PAYMENT [REFERENCE] : words`. Words: `authorized`, `sold`,
/// `sale-corrected`, `pending`, `deadline`, `try|authorization|final NEGATIVE`, or
/// `capture|refund|void|void! ID NEGATIVE|pending|ok|corrected`, then an amount.
pub(crate) fn say(text: &str) -> Statement {
    let (names, words) = text.split_once(':').expect("names : words");
    let mut names = names.split_whitespace();
    let id = names.next().filter(|id| *id != "-");
    let words: Vec<&str> = words.split_whitespace().collect();
    let (said, used) = said(&words);
    Statement {
        ids: id.map(|id| ProviderId::parse("payment", id).unwrap()).into_iter().collect(),
        reference: names.next().map(|r| Reference::parse(r).unwrap()),
        attempt: None,
        said,
        amount: words.get(used).map(|a| StatedAmount { money: aud(a), too_precise: false }),
        provider_time: None,
        reason: None,
    }
}

fn said(words: &[&str]) -> (Said, usize) {
    let payment = |claim, used| (Said::Payment(claim), used);
    match words {
        ["authorized", ..] => payment(PaymentClaim::Authorized, 1),
        ["sold", ..] => payment(PaymentClaim::Sold, 1),
        ["sale-corrected", ..] => payment(PaymentClaim::SaleCorrected, 1),
        ["pending", ..] => payment(PaymentClaim::Pending, 1),
        ["deadline", ..] => payment(PaymentClaim::DeadlinePassed, 1),
        ["try", what, ..] => {
            payment(PaymentClaim::Failed(negative(what), Ended::Try { conclusive: false }), 2)
        }
        ["final", what, ..] => {
            payment(PaymentClaim::Failed(negative(what), Ended::Try { conclusive: true }), 2)
        }
        ["authorization", what, ..] => {
            payment(PaymentClaim::Failed(negative(what), Ended::Authorization), 2)
        }
        [kind, id, claim, ..] => (Said::Operation(operation(kind, id, claim)), 3),
        _ => panic!("{words:?}"),
    }
}

fn operation(kind: &str, id: &str, claim: &str) -> OperationClaimed {
    OperationClaimed {
        kind: match kind {
            "capture" => OperationKind::Capture,
            "refund" => OperationKind::Refund,
            "void" | "void!" => OperationKind::Void,
            _ => panic!("{kind}"),
        },
        ids: vec![],
        reference: Some(Reference::parse(id).unwrap()),
        operation: None,
        takes_back_captured: kind == "void!",
        claim: match claim {
            "ok" => OperationClaim::Successful,
            "pending" => OperationClaim::Pending,
            "corrected" => OperationClaim::Corrected,
            what => OperationClaim::Failed(negative(what), true),
        },
    }
}

fn negative(word: &str) -> Negative {
    match word {
        "declined" => Negative::Declined,
        "canceled" => Negative::Canceled,
        "expired" => Negative::Expired,
        "error" => Negative::Error,
        _ => panic!("{word}"),
    }
}

/// The key of a recorded attempt.
pub(crate) fn recorded(attempt: &str) -> AttemptKey {
    AttemptKey::Recorded(AttemptId::parse(attempt).unwrap())
}

//! One of every fact, with every claim.

use std::collections::BTreeMap;

use super::{
    ATTEMPT, ORDER, PAYMENT, REQUEST, account, ago, aud, claim, content, id, labels, money,
    recorded, unclaimed,
};
use crate::domain::{
    fact::{
        AmountRule, AttemptIntent, Evidence, Fact, Method, OperationIntent, OrderIntent,
        RecordedBy, RequestKey,
    },
    ids::{AttemptId, OperationId, Reference, RequestId},
    statement::{
        Basis, Ended, Negative, OperationClaim, OperationClaimed, OperationKind, PaymentClaim,
        Said, StatedAmount, Statement,
    },
    view::AttemptKey,
};

const NEGATIVES: [Negative; 4] =
    [Negative::Expired, Negative::Error, Negative::Canceled, Negative::Declined];

fn evidence(byte: u8, basis: Basis, statements: Vec<Statement>) -> Evidence {
    Evidence::reading(content(byte), account(), basis, 0, statements)
}

pub(super) fn usual_evidence() -> Evidence {
    let statement = Statement {
        ids: vec![id("order", PAYMENT)],
        reference: Some(Reference::parse(ORDER).unwrap()),
        attempt: None,
        said: Said::Payment(PaymentClaim::Sold),
        amount: Some(StatedAmount { money: aud(14_624), too_precise: false }),
        provider_time: None,
        reason: None,
    };
    evidence(1, Basis::WeakWebhook, vec![statement])
}

/// A statement with every field set.
pub(super) fn statement() -> Statement {
    Statement {
        ids: vec![id("charge", "ch_1"), id("payment", PAYMENT)],
        reference: Some(Reference::parse("Bestellung 7/ä").unwrap()),
        attempt: Some(AttemptId::parse(ATTEMPT).unwrap()),
        said: Said::Payment(PaymentClaim::Pending),
        amount: Some(StatedAmount { money: money("USDT", i64::MAX, 18), too_precise: true }),
        provider_time: Some(ago(2)),
        reason: Some("insufficient funds".to_owned()),
    }
}

fn bare(said: Said) -> Statement {
    Statement {
        ids: Vec::new(),
        reference: None,
        attempt: None,
        said,
        amount: None,
        provider_time: None,
        reason: None,
    }
}

fn payment_claims() -> Vec<Statement> {
    let mut claims = vec![
        PaymentClaim::Pending,
        PaymentClaim::Authorized,
        PaymentClaim::Sold,
        PaymentClaim::SaleCorrected,
        PaymentClaim::DeadlinePassed,
    ];
    let ends =
        [Ended::Try { conclusive: false }, Ended::Try { conclusive: true }, Ended::Authorization];
    for ended in ends {
        claims.extend(NEGATIVES.map(|negative| PaymentClaim::Failed(negative, ended)));
    }
    claims.into_iter().map(|claim| bare(Said::Payment(claim))).collect()
}

fn operation_claims() -> Vec<Statement> {
    let mut claims =
        vec![OperationClaim::Pending, OperationClaim::Successful, OperationClaim::Corrected];
    for conclusive in [false, true] {
        claims.extend(NEGATIVES.map(|negative| OperationClaim::Failed(negative, conclusive)));
    }
    let kinds = [OperationKind::Capture, OperationKind::Refund, OperationKind::Void];
    let claimed = |(claim, kind)| {
        let is_void = kind == OperationKind::Void;
        bare(Said::Operation(OperationClaimed {
            kind,
            ids: vec![id("refund", "re_1")],
            reference: is_void.then(|| Reference::parse("void-1").unwrap()),
            operation: is_void.then(|| OperationId::parse("v1").unwrap()),
            takes_back_captured: is_void,
            claim,
        }))
    };
    claims.into_iter().zip(kinds.into_iter().cycle()).map(claimed).collect()
}

fn attempt(attempt: &str, rule: AmountRule) -> Fact {
    Fact::Attempt(AttemptIntent {
        attempt: AttemptId::parse(attempt).unwrap(),
        account: account(),
        reference: Reference::parse(ORDER).unwrap(),
        reference_is_id: rule == AmountRule::Exact,
        amount: (rule == AmountRule::Exact).then(|| aud(10)),
        rule,
        time: ago(30),
    })
}

fn operation(kind: OperationKind, attempt: AttemptKey) -> Fact {
    Fact::Operation(OperationIntent {
        kind,
        operation: OperationId::parse("op-1").unwrap(),
        attempt,
        account: account(),
        reference: Reference::parse("op-1").unwrap(),
        amount: (kind == OperationKind::Refund).then(|| money("EUR", 125, 1)),
        time: ago(20),
    })
}

fn requests() -> impl Iterator<Item = Fact> {
    let methods = [
        Method::CreateOrder,
        Method::CreateAttempt,
        Method::RecordReply,
        Method::CreateOperation(OperationKind::Capture),
        Method::CreateOperation(OperationKind::Refund),
        Method::CreateOperation(OperationKind::Void),
    ];
    methods.into_iter().map(|method| {
        let request = RequestId::parse(REQUEST).unwrap();
        Fact::Request { key: RequestKey { method, request }, fingerprint: content(5) }
    })
}

/// One of every fact, with every claim, basis and rule.
pub(super) fn all() -> Vec<Fact> {
    let own = AttemptKey::Recorded(AttemptId::parse(ATTEMPT).unwrap());
    let labels: BTreeMap<_, _> = labels().into_iter().collect();
    let order =
        |by, amount| Fact::Order(OrderIntent { by, amount, labels: labels.clone(), time: ago(40) });
    let mut all = vec![
        order(RecordedBy::Webhook, None),
        order(RecordedBy::Merchant, Some(aud(0))),
        attempt(ATTEMPT, AmountRule::Exact),
        attempt("a2", AmountRule::AtLeast),
        attempt("a3", AmountRule::Within(aud(5))),
        operation(OperationKind::Capture, own.clone()),
        operation(OperationKind::Refund, AttemptKey::Observed(account(), id("payment", PAYMENT))),
        operation(OperationKind::Void, own),
        Fact::Evidence(evidence(2, Basis::Webhook, payment_claims())),
        Fact::Evidence(evidence(3, Basis::WeakWebhook, operation_claims())),
        Fact::Evidence(evidence(4, Basis::DoubtfulWebhook, vec![statement()])),
        Fact::Evidence(Evidence { revision: 7, ..evidence(5, Basis::Poll, Vec::new()) }),
        Fact::Repeated(content(2)),
        Fact::BeyondLimit(evidence(6, Basis::Reply, vec![statement()])),
        Fact::NoAnswer(AttemptId::parse(ATTEMPT).unwrap()),
        Fact::Absorbed {
            from: unclaimed(),
            evidence: vec![evidence(7, Basis::Deadline, vec![statement()])],
        },
        Fact::ForwardedTo(recorded()),
        Fact::IdShared { claim: claim(), with: unclaimed() },
    ];
    all.extend(requests());
    all
}

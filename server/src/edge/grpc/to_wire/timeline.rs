//! Facts on the wire: what became known, in plain words, and what it changed.

use paystatus_proto::v1;

use super::{change, ids, money, order, time, webhook};
use crate::{
    domain::{
        fact::{Evidence, Fact, RecordedBy},
        statement::{Basis, OperationKind, Said, Statement, operation_word, payment_word},
    },
    hub::Committed,
    record::{OrderRecord, Source},
};

pub(crate) fn entry(committed: &Committed, record: &OrderRecord) -> v1::TimelineEntry {
    let facts = &record.decided.facts;
    let evidence: Vec<&Evidence> = facts.iter().flat_map(evidence_of).collect();
    let account = record.webhook.as_ref().map(|meta| meta.account.as_str().to_owned());
    let of_attempt = facts.iter().find_map(|fact| match fact {
        Fact::Attempt(intent) => Some(intent.account.as_str().to_owned()),
        Fact::Evidence(evidence) => Some(evidence.account.as_str().to_owned()),
        _ => None,
    });
    let actor = record.actor.as_ref();
    let operator = actor.and_then(|actor| actor.operator.as_ref());
    let held = evidence.iter().flat_map(|e| &e.statements);
    v1::TimelineEntry {
        order_version: i64::try_from(committed.version).unwrap_or(i64::MAX),
        source: source(record, &evidence) as i32,
        record_time: Some(time(record.decided.time)),
        summary: facts.iter().filter_map(in_words).collect::<Vec<_>>().join("; "),
        account_id: account.or(of_attempt).unwrap_or_default(),
        webhook_id: record
            .webhook
            .as_ref()
            .map(|_| webhook::id(committed.position))
            .unwrap_or_default(),
        actor: actor.map(|actor| actor.name.clone()).unwrap_or_default(),
        statements: held.map(|held| statement(&held.statement)).collect(),
        changes: change::changes(record, committed.version),
        notes: notes(record, &evidence),
        actor_key_id: actor.map(|actor| actor.key_id.clone()).unwrap_or_default(),
        actor_operator_id: operator.map(|id| id.as_str().to_owned()).unwrap_or_default(),
    }
}

fn evidence_of(fact: &Fact) -> &[Evidence] {
    match fact {
        Fact::Evidence(evidence) | Fact::BeyondLimit(evidence) => std::slice::from_ref(evidence),
        Fact::Absorbed { evidence, .. } => evidence,
        _ => &[],
    }
}

fn source(record: &OrderRecord, evidence: &[&Evidence]) -> v1::FactSource {
    let weak = evidence.iter().any(|e| !e.basis.settles_operations());
    match record.source {
        Source::Reply => v1::FactSource::ProviderReply,
        Source::Poll => v1::FactSource::Poll,
        Source::Webhook | Source::Reread if weak => v1::FactSource::WeaklySignedWebhook,
        Source::Webhook | Source::Reread => v1::FactSource::Webhook,
        Source::Consequence if weak => v1::FactSource::WeaklySignedWebhook,
        Source::Consequence => v1::FactSource::Webhook,
        Source::Intent => v1::FactSource::Intent,
        Source::Page => v1::FactSource::Page,
        Source::Deadline => v1::FactSource::Deadline,
    }
}

/// A fact in one plain sentence.
pub(crate) fn in_words(fact: &Fact) -> Option<String> {
    Some(match fact {
        Fact::Order(intent) => match (intent.by, intent.amount) {
            (RecordedBy::Merchant, Some(amount)) => format!("the order was recorded over {amount}"),
            (RecordedBy::Merchant, None) => "the order was recorded".to_owned(),
            (RecordedBy::Webhook, _) => "the order was created by a webhook".to_owned(),
        },
        Fact::Attempt(intent) => {
            format!("attempt {} at {} was recorded", intent.attempt, intent.account)
        }
        Fact::Operation(intent) => {
            let kind = kind(intent.kind);
            let amount = intent.amount.map_or("the whole".to_owned(), |a| a.to_string());
            format!("{kind} {} of {amount} was recorded", intent.operation)
        }
        Fact::Evidence(evidence) if evidence.revision > 0 => {
            format!("read again as: {}", said(evidence))
        }
        Fact::Evidence(evidence) => format!("{} said: {}", evidence.account, said(evidence)),
        Fact::Repeated(_) => "the same event came again".to_owned(),
        Fact::BeyondLimit(evidence) => format!("kept, not applied: {}", said(evidence)),
        Fact::NoAnswer(attempt) => format!("the provider did not answer about attempt {attempt}"),
        Fact::Absorbed { evidence, .. } => {
            let what: Vec<String> = evidence.iter().map(said).collect();
            format!("evidence that waited for this order was joined: {}", what.join(", "))
        }
        Fact::ForwardedTo(key) => format!("moved to order {}", order::names(key).1),
        Fact::IdShared { claim, with } => {
            format!("the id {} is also named by order {}", claim.id.value, order::names(with).1)
        }
        Fact::Receipt { outcome_number, is_late: false } => {
            format!("the customer was shown outcome {outcome_number}")
        }
        Fact::Receipt { outcome_number, is_late: true } => {
            format!("the customer was shown outcome {outcome_number}, too late to count")
        }
        Fact::NotInformed(outcome_number) => {
            format!("no page showed outcome {outcome_number} to the customer in time")
        }
        Fact::Request { .. } => return None,
    })
}

fn said(evidence: &Evidence) -> String {
    let words: Vec<String> = evidence
        .statements
        .iter()
        .map(|held| {
            let s = &held.statement;
            let amount = s.amount.map(|a| format!(" {}", a.money)).unwrap_or_default();
            match &s.said {
                Said::Payment(claim) => format!("{}{amount}", payment_word(*claim)),
                Said::Operation(op) => {
                    format!("{} {}{amount}", kind(op.kind), operation_word(op.claim))
                }
            }
        })
        .collect();
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}

fn kind(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Capture => "capture",
        OperationKind::Refund => "refund",
        OperationKind::Void => "void",
    }
}

fn statement(statement: &Statement) -> v1::Statement {
    use v1::StatementSubject as Subject;
    let (subject, claim, operation_ids) = match &statement.said {
        Said::Payment(claim) => (Subject::Payment, payment_word(*claim), Vec::new()),
        Said::Operation(op) => {
            let subject = match op.kind {
                OperationKind::Capture => Subject::Capture,
                OperationKind::Refund => Subject::Refund,
                OperationKind::Void => Subject::Void,
            };
            let reference = op.reference.iter().map(crate::domain::ids::ProviderId::from_reference);
            let named: Vec<_> = reference.chain(op.ids.iter().cloned()).collect();
            (subject, operation_word(op.claim), ids(&named))
        }
    };
    v1::Statement {
        subject: subject as i32,
        claim: claim.to_owned(),
        amount: statement.amount.map(|a| money(a.money)),
        ids: ids(&statement.ids),
        operation_ids,
        reference: statement.reference.as_ref().map(|r| r.as_str().to_owned()).unwrap_or_default(),
        reason: statement.reason.clone().unwrap_or_default(),
        provider_time: statement.provider_time.map(time),
    }
}

fn notes(record: &OrderRecord, evidence: &[&Evidence]) -> Vec<String> {
    use crate::domain::change::Change;
    let mut notes = Vec::new();
    if evidence.iter().any(|e| matches!(e.basis, Basis::WeakWebhook | Basis::DoubtfulWebhook)) {
        notes.push(
            "weakly signed: the signature binds neither the kind of event nor the amount".into(),
        );
    }
    for change in record.changes() {
        match change {
            Change::Attempt { attempt, .. } if attempt.paired_by_guess => notes.push(format!(
                "attempt {} is paired with this evidence by reference, amount and time: a guess",
                attempt.name
            )),
            Change::ConditionOpened(condition) => notes.push(condition.detail.clone()),
            _ => {}
        }
    }
    notes.sort();
    notes.dedup();
    notes
}

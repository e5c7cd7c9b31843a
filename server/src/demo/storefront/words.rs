//! Facts and what they changed, in plain words.

use std::{collections::BTreeSet, time::SystemTime};

use paystatus_client::{
    Change, ChangeKind, FactSource, PaymentStatus, Statement, StatementSubject, TimelineEntry,
};

use super::{
    shown::{Effect, ShownChange, ShownFact, Who},
    visit::Visit,
};

/// Every fact of an order in its order.
pub(super) fn facts(entries: &[TimelineEntry], visit: &Visit) -> Vec<ShownFact> {
    let mut told = Told::default();
    entries.iter().map(|entry| told.fact(entry, visit)).collect()
}

/// What the facts so far came to.
#[derive(Default)]
struct Told {
    /// Attempts that came to an end.
    ended: BTreeSet<String>,
    /// When the outcome changed last.
    outcome_time: Option<SystemTime>,
}

impl Told {
    fn fact(&mut self, entry: &TimelineEntry, visit: &Visit) -> ShownFact {
        let changes: Vec<ShownChange> = entry.changes.iter().filter_map(change).collect();
        let (who, text) = self.said(entry);
        let is_repeat = entry.statements.is_empty() && entry.changes.is_empty();
        let effect = match entry.source {
            FactSource::Webhook | FactSource::WeaklySignedWebhook if is_repeat => Effect::Repeat,
            FactSource::Webhook | FactSource::WeaklySignedWebhook if changes.is_empty() => {
                Effect::Nothing
            }
            _ => Effect::News,
        };
        for change in &entry.changes {
            if change.kind == ChangeKind::OutcomeChanged {
                self.outcome_time = change.change_time;
            }
            if let (ChangeKind::AttemptStatusChanged, Some(attempt)) =
                (change.kind, &change.attempt)
                && attempt.status != PaymentStatus::Pending
            {
                self.ended.insert(attempt.attempt_id.clone());
            }
        }
        let at = entry.record_time.map_or(0, |time| visit.at(time));
        ShownFact { at, who, text, effect, changes }
    }

    fn said(&self, entry: &TimelineEntry) -> (Who, String) {
        let changed = |kind| entry.changes.iter().any(|change| change.kind == kind);
        if changed(ChangeKind::CustomerInformed) {
            let seen = entry.record_time.zip(self.outcome_time);
            let after = seen.and_then(|(seen, known)| seen.duration_since(known).ok());
            let after = after.map(|time| format!(", {} ms after it was known", time.as_millis()));
            let after = after.unwrap_or_default();
            return (Who::Customer, format!("The page shows the outcome, and says so{after}."));
        }
        if changed(ChangeKind::CustomerNotInformed) {
            let text = "The time is over, and no page has said that it showed the outcome.";
            return (Who::Clock, text.to_owned());
        }
        match entry.source {
            FactSource::Intent => (Who::Shop, intent(entry)),
            FactSource::ProviderReply => {
                (Who::Provider, "It takes the payment on; nothing is decided.".to_owned())
            }
            FactSource::Webhook | FactSource::WeaklySignedWebhook => {
                (Who::Provider, self.webhook(entry))
            }
            FactSource::Deadline => (Who::Clock, sentence(&entry.summary)),
            _ => (Who::Customer, sentence(&entry.summary)),
        }
    }

    fn webhook(&self, entry: &TimelineEntry) -> String {
        let Some(statement) = entry.statements.first() else {
            return "The same webhook again.".to_owned();
        };
        let attempt = of_reference(&statement.reference);
        let said = said(statement);
        let is_late = statement.claim == "PENDING"
            && self.ended.iter().any(|ended| name(ended).eq_ignore_ascii_case(&attempt));
        let late = if is_late { " It comes late, and takes nothing back." } else { "" };
        format!("Webhook: {} {said}.{late}", attempt.to_lowercase())
    }
}

fn intent(entry: &TimelineEntry) -> String {
    let created = |kind| entry.changes.iter().find(|change| change.kind == kind);
    if created(ChangeKind::OrderCreated).is_some() {
        return "The order is recorded.".to_owned();
    }
    if let Some(change) = created(ChangeKind::AttemptCreated) {
        let attempt = change.attempt.as_ref().map(|attempt| name(&attempt.attempt_id));
        let attempt = attempt.unwrap_or_default().to_lowercase();
        return format!("{attempt} is recorded, then the provider is called.").as_sentence();
    }
    if created(ChangeKind::OperationCreated).is_some() {
        return "A refund is recorded, then the provider is called.".to_owned();
    }
    sentence(&entry.summary)
}

/// What a statement says of an attempt: `is paid`.
fn said(statement: &Statement) -> String {
    let claim = statement.claim.to_lowercase().replace('_', " ");
    let claim = claim.strip_prefix("try ").unwrap_or(&claim);
    let said = match (statement.subject, claim) {
        (StatementSubject::Refund, "successful") => "was refunded".to_owned(),
        (StatementSubject::Payment, "pending") => "is pending".to_owned(),
        (StatementSubject::Payment, "sold") => "is paid".to_owned(),
        (StatementSubject::Payment, claim) => format!("was {claim}"),
        (subject, claim) => format!("has a {} that is {claim}", subject.to_string().to_lowercase()),
    };
    match statement.reason.as_str() {
        "" => said,
        reason => format!("{said} ({reason})"),
    }
}

/// What a change altered, if that is worth a word.
fn change(change: &Change) -> Option<ShownChange> {
    let status = |status: Option<PaymentStatus>| status.map(|status| status.to_string());
    let order_or = |what: &str, before, after: String| {
        Some(ShownChange { what: what.to_owned(), before, after })
    };
    match change.kind {
        ChangeKind::OrderStatusChanged => {
            order_or("Order", status(change.previous_status), change.order_status.to_string())
        }
        ChangeKind::OutcomeChanged => {
            let before = change.previous_outcome.map(|outcome| outcome.to_string());
            order_or("Outcome", before, change.outcome.to_string())
        }
        ChangeKind::AttemptStatusChanged => {
            let attempt = change.attempt.as_ref()?;
            let what = name(&attempt.attempt_id);
            order_or(&what, status(change.previous_status), attempt.status.to_string())
        }
        ChangeKind::OperationStatusChanged => {
            let operation = change.operation.as_ref()?;
            let before = change.previous_operation_status.map(|status| status.to_string());
            let what = operation.kind.to_string().to_lowercase().as_sentence();
            order_or(&what, before, operation.status.to_string())
        }
        ChangeKind::ConditionOpened => {
            order_or("Look at this", None, change.condition.as_ref()?.kind.to_string())
        }
        ChangeKind::ConditionClosed => {
            let kind = change.condition.as_ref()?.kind.to_string();
            order_or("Look at this", Some(kind), "SETTLED".to_owned())
        }
        ChangeKind::CustomerInformed | ChangeKind::CustomerNotInformed => {
            order_or("Change", None, change.kind.to_string())
        }
        _ => None,
    }
}

/// An attempt as people call it: `Attempt 1`.
fn name(attempt_id: &str) -> String {
    match attempt_id.strip_prefix('a') {
        Some(number) => format!("Attempt {number}"),
        None => "An attempt nobody recorded".to_owned(),
    }
}

/// The attempt that a reference of the shop's is for.
fn of_reference(reference: &str) -> String {
    let number = reference.rsplit('-').next().unwrap_or_default();
    format!("Attempt {number}")
}

fn sentence(text: &str) -> String {
    format!("{text}.").as_sentence()
}

trait AsSentence {
    /// With its first letter in upper case.
    fn as_sentence(&self) -> String;
}

impl AsSentence for str {
    fn as_sentence(&self) -> String {
        let mut letters = self.chars();
        let first = letters.next().map(char::to_uppercase);
        first.into_iter().flatten().chain(letters).collect()
    }
}

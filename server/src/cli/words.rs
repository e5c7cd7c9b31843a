//! How things are shown to people: times, amounts, statuses, and changes in plain words.

use std::time::SystemTime;

use anstyle::{AnsiColor, Style};
use paystatus_client::{
    Change, ChangeKind, Money, OperationKind, OperationStatus, Outcome, PaymentStatus,
};

/// What stands where nothing is known.
const NOTHING: &str = "-";

/// Bold.
pub(crate) const BOLD: Style = Style::new().bold();
/// Not asking for attention.
pub(crate) const DIM: Style = Style::new().dimmed();
/// All is well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// To be looked at.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
/// Not known yet.
pub(crate) const OPEN: Style = AnsiColor::Yellow.on_default();

/// A moment, in UTC to the millisecond.
pub(crate) fn time(time: Option<SystemTime>) -> String {
    let time = time.and_then(|time| jiff::Timestamp::try_from(time).ok());
    time.map_or_else(|| NOTHING.to_owned(), |time| format!("{time:.3}"))
}

/// Only the time of day of it.
pub(crate) fn time_of_day(time: Option<SystemTime>) -> String {
    let time = time.and_then(|time| jiff::Timestamp::try_from(time).ok());
    time.map_or_else(|| NOTHING.to_owned(), |time| time.strftime("%H:%M:%S%.3f").to_string())
}

/// An amount.
pub(crate) fn money(money: Option<&Money>) -> String {
    money.map_or_else(|| NOTHING.to_owned(), Money::to_string)
}

/// The colour of a status.
pub(crate) fn style(status: PaymentStatus) -> Style {
    match status {
        PaymentStatus::Successful | PaymentStatus::Authorized => GOOD,
        PaymentStatus::Pending => OPEN,
        PaymentStatus::Unrecognized(_) => Style::new(),
        _ => BAD,
    }
}

/// The colour of an outcome.
pub(crate) fn outcome_style(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Approved => GOOD,
        Outcome::Undecided => OPEN,
        Outcome::Refused | Outcome::Withdrawn => BAD,
        _ => Style::new(),
    }
}

/// A status in its colour.
pub(crate) fn status(status: PaymentStatus) -> String {
    let style = style(status);
    format!("{style}{status}{style:#}")
}

/// An outcome in its colour.
pub(crate) fn outcome(outcome: Outcome) -> String {
    let style = outcome_style(outcome);
    format!("{style}{outcome}{style:#}")
}

/// The status of an operation in its colour.
pub(crate) fn operation_status(status: OperationStatus) -> String {
    let style = match status {
        OperationStatus::Successful => GOOD,
        OperationStatus::Pending => OPEN,
        _ => BAD,
    };
    format!("{style}{status}{style:#}")
}

/// The kind of an operation.
pub(crate) fn operation_kind(kind: OperationKind) -> String {
    kind.to_string().to_lowercase()
}

/// A change in plain words.
pub(crate) fn change(change: &Change) -> String {
    match change.kind {
        ChangeKind::OrderCreated => "recorded".to_owned(),
        ChangeKind::OrderStatusChanged => {
            let before = change.previous_status.map(status).unwrap_or_default();
            format!("order {before} → {}", status(change.order_status))
        }
        ChangeKind::OutcomeChanged => {
            let before = change.previous_outcome.map(outcome).unwrap_or_default();
            format!("outcome {before} → {} {}", outcome(change.outcome), number(change))
        }
        ChangeKind::AttemptCreated
        | ChangeKind::AttemptStatusChanged
        | ChangeKind::AttemptUpdated
        | ChangeKind::AttemptMerged
        | ChangeKind::AttemptRemoved => of_attempt(change),
        ChangeKind::OperationCreated
        | ChangeKind::OperationStatusChanged
        | ChangeKind::OperationUpdated
        | ChangeKind::OperationRemoved => of_operation(change),
        ChangeKind::ConditionOpened | ChangeKind::ConditionClosed => of_condition(change),
        ChangeKind::CustomerInformed => {
            format!("customer saw {} {}", outcome(change.outcome), number(change))
        }
        ChangeKind::CustomerNotInformed => {
            let outcome = outcome(change.outcome);
            format!("{BAD}customer did not see{BAD:#} {outcome} {} in time", number(change))
        }
        other => other.to_string().to_lowercase(),
    }
}

/// Which outcome it is.
fn number(change: &Change) -> String {
    format!("{DIM}(number {}){DIM:#}", change.outcome_number)
}

fn of_attempt(change: &Change) -> String {
    let Some(attempt) = &change.attempt else { return change.kind.to_string().to_lowercase() };
    let name = format!("attempt {}", attempt.attempt_id);
    let reason = because(&attempt.reason);
    match change.kind {
        ChangeKind::AttemptCreated => {
            let (account, status) = (&attempt.account_id, status(attempt.status));
            let same = attempt.aliases.iter().map(|alias| format!(", known before as {alias}"));
            format!("{name} at {account}, {status}{}", same.collect::<String>())
        }
        ChangeKind::AttemptStatusChanged => {
            let before = change.previous_status.map(status).unwrap_or_default();
            format!("{name} {before} → {}{reason}", status(attempt.status))
        }
        ChangeKind::AttemptMerged => {
            format!("{name} is the same as {}", attempt.aliases.join(", "))
        }
        ChangeKind::AttemptRemoved => format!("{name} is gone"),
        _ => format!(
            "{name} learned {}",
            totals(&attempt.totals).unwrap_or_else(|| "more".to_owned())
        ),
    }
}

/// What became of the money, if anything did.
pub(super) fn totals(totals: &paystatus_client::Totals) -> Option<String> {
    let parts = [
        ("authorized", &totals.authorized),
        ("captured", &totals.captured),
        ("refunded", &totals.refunded),
        ("voided", &totals.voided),
    ];
    let known = parts.iter().filter_map(|(word, money)| {
        let money = money.as_ref()?;
        Some(format!("{word} {money}"))
    });
    let known: Vec<String> = known.collect();
    (!known.is_empty()).then(|| known.join(", "))
}

fn of_operation(change: &Change) -> String {
    let Some(operation) = &change.operation else { return change.kind.to_string().to_lowercase() };
    let name = format!("{} {}", operation_kind(operation.kind), operation.operation_id);
    let reason = because(&operation.reason);
    match change.kind {
        ChangeKind::OperationCreated => {
            let amount = operation.amount.as_ref();
            let amount = amount.map_or_else(|| "the whole".to_owned(), Money::to_string);
            format!("{name} of {amount}, {}", operation_status(operation.status))
        }
        ChangeKind::OperationStatusChanged => {
            let before = change.previous_operation_status.map(operation_status);
            let before = before.unwrap_or_default();
            format!("{name} {before} → {}{reason}", operation_status(operation.status))
        }
        ChangeKind::OperationRemoved => format!("{name} is gone"),
        _ => format!("{name} learned more"),
    }
}

fn of_condition(change: &Change) -> String {
    let Some(condition) = &change.condition else { return change.kind.to_string().to_lowercase() };
    let (kind, detail) = (condition.kind, &condition.detail);
    if change.kind == ChangeKind::ConditionOpened {
        format!("{BAD}look at this: {kind}{BAD:#}, {detail}")
    } else {
        format!("{GOOD}no longer: {kind}{GOOD:#}")
    }
}

fn because(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(" {DIM}({reason}){DIM:#}") }
}

//! Every error of the API: a canonical code, a stable reason, and what to do. One `match` maps
//! refusals; nothing else makes a `Status`.

use std::{collections::HashMap, time::Duration};

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use crate::{
    domain::command::Refusal,
    engine::{self, Refused},
};

/// Whose reasons these are.
pub(super) const DOMAIN: &str = "paystatus";
/// How long to wait before the same call may go through, where waiting helps.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// An error with a reason.
pub(super) fn error(code: Code, reason: &str, message: impl Into<String>) -> Status {
    let details = ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new());
    Status::with_error_details(code, message, details)
}

/// An error of one field.
pub(super) fn field(name: &str, problem: impl Into<String>) -> Status {
    fields(vec![FieldViolation::new(name, problem.into())])
}

/// Errors of several fields, all at once.
pub(super) fn fields(violations: Vec<FieldViolation>) -> Status {
    let list: Vec<String> =
        violations.iter().map(|v| format!("{}: {}", v.field, v.description)).collect();
    let mut details = ErrorDetails::with_bad_request(violations);
    details.set_error_info("INVALID_FIELD", DOMAIN, HashMap::new());
    Status::with_error_details(Code::InvalidArgument, list.join("; "), details)
}

/// An error that says what state would be needed.
pub(super) fn precondition(reason: &str, subject: &str, message: &str) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new());
    details.add_precondition_failure_violation(reason, subject, message);
    Status::with_error_details(Code::FailedPrecondition, message, details)
}

/// An error that waiting may cure.
pub(super) fn retry(code: Code, reason: &str, message: impl Into<String>) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new());
    details.set_retry_info(Some(RETRY_AFTER));
    Status::with_error_details(code, message, details)
}

/// Something is wrong with us. The log has it; the caller learns only that.
pub(super) fn internal(what: &dyn std::fmt::Display) -> Status {
    tracing::error!(%what, "a call failed");
    error(Code::Internal, "INTERNAL", "the server could not read what it stored; see its log")
}

/// The error of a job that the engine did not do.
pub(super) fn of_engine(failed: engine::Error) -> Status {
    match failed {
        engine::Error::Refused(refused) => of_refused(&refused),
        engine::Error::Busy => retry(Code::ResourceExhausted, "BUSY", failed.to_string()),
        engine::Error::Unavailable => {
            retry(Code::Unavailable, "JOURNAL_UNAVAILABLE", failed.to_string())
        }
        engine::Error::View(_) => internal(&failed),
    }
}

fn of_refused(refused: &Refused) -> Status {
    let text = refused.to_string();
    match refused {
        Refused::Order(refusal) => of_refusal(refusal),
        Refused::NameTaken { .. } => error(Code::AlreadyExists, "NAME_TAKEN", text),
        Refused::RequestIdReused => error(Code::InvalidArgument, "REQUEST_ID_REUSED", text),
        Refused::NotFound { what: "operator" } => error(Code::NotFound, "OPERATOR_NOT_FOUND", text),
        Refused::NotFound { .. } => error(Code::NotFound, "SUBSCRIPTION_NOT_FOUND", text),
        Refused::LastOwnerKey => precondition("LAST_OWNER_KEY", "key", &text),
        Refused::TooMany { .. } => error(Code::ResourceExhausted, "TOO_MANY", text),
    }
}

fn of_refusal(refusal: &Refusal) -> Status {
    let (code, reason) = match refusal {
        Refusal::OrderNotFound => (Code::NotFound, "ORDER_NOT_FOUND"),
        Refusal::AttemptNotFound => (Code::NotFound, "ATTEMPT_NOT_FOUND"),
        Refusal::OutcomeNotFound { .. } => (Code::InvalidArgument, "OUTCOME_NOT_FOUND"),
        Refusal::OperationNotFound => (Code::NotFound, "OPERATION_NOT_FOUND"),
        Refusal::OrderIdTaken { .. } => (Code::AlreadyExists, "ORDER_ID_TAKEN"),
        Refusal::AttemptIdTaken => (Code::AlreadyExists, "ATTEMPT_ID_TAKEN"),
        Refusal::OperationIdTaken => (Code::AlreadyExists, "OPERATION_ID_TAKEN"),
        Refusal::ReferenceTaken => (Code::AlreadyExists, "REFERENCE_TAKEN"),
        Refusal::RequestIdReused => (Code::InvalidArgument, "REQUEST_ID_REUSED"),
        Refusal::TooMany { .. } => (Code::ResourceExhausted, "TOO_MANY"),
    };
    error(code, reason, refusal.to_string())
}

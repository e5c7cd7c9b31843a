//! What Gr4vy's events say, as statements. The table of `README.md` is this file and `resource.rs`
//! in words.

use super::{CAPTURES, GR4VY_ID, resource};
use crate::{
    domain::{digest::Digest, ids::IdValue, statement::OperationKind},
    providers::{
        AccountSettings, Content, Environment, Reading, Unreadable,
        json::{EVENT_NAME_BYTES_MAX, Object, event_name, unreadable},
    },
};

/// Reads a body of a known or unknown event.
pub(super) fn read(
    body: &Object<'_>,
    delivery: Option<&str>,
    settings: &AccountSettings,
) -> Result<Reading, Unreadable> {
    let name = body.required_text("name")?;
    let id = body.text("id")?;
    let id = id.as_deref().or(delivery).ok_or_else(|| unreadable("id", "is missing"))?;
    let content = match (Subject::of(&name), foreign(body, settings)?) {
        (Err(reason), _) | (Ok(_), Some(reason)) => Content::Ignored { reason: reason.to_owned() },
        (Ok(subject), None) => content(body, &name, subject, settings)?,
    };
    Ok(Reading { event_id: event_id(id), event_name: event_name(&name), content })
}

/// What an event is about.
#[derive(Clone, Copy)]
enum Subject {
    Transaction,
    Operation(OperationKind),
}

impl Subject {
    /// By the event's name; else why it says nothing to us.
    fn of(name: &str) -> Result<Self, &'static str> {
        const UNKNOWN: &str = "the event's name is not known";
        let (resource, word) = name.split_once('.').ok_or(UNKNOWN)?;
        let is_of_operation = ["declined", "failed", "pending", "succeeded"].contains(&word);
        match resource {
            "transaction" if TRANSACTION_WORDS.contains(&word) => Ok(Self::Transaction),
            "capture" if is_of_operation => Ok(Self::Operation(OperationKind::Capture)),
            "refund" if is_of_operation => Ok(Self::Operation(OperationKind::Refund)),
            "payout" => Err("a payout is no payment"),
            "payment-link" | "payment-method" | "buyer" | "shipping-details" | "gift-card"
            | "report-execution" | "monitoring" | "api-key-pair" => {
                Err("the event is not about a payment")
            }
            _ => Err(UNKNOWN),
        }
    }
}

/// All that is documented of transactions.
const TRANSACTION_WORDS: &[&str] = &[
    "authenticated",
    "authentication-pending",
    "authorized",
    "capture-failed",
    "capture-pending",
    "captured",
    "declined",
    "failed",
    "modified",
    "review-accepted",
    "settled",
    "void-declined",
    "void-failed",
    "void-pending",
    "voided",
];

/// Why an event is not for this account, if it is not.
fn foreign(
    body: &Object<'_>,
    settings: &AccountSettings,
) -> Result<Option<&'static str>, Unreadable> {
    let ours = match settings.environment {
        Environment::Live => "production",
        Environment::Sandbox => "sandbox",
    };
    let differs = |name: &str, ours: Option<&str>| -> Result<bool, Unreadable> {
        let theirs = body.text(name)?;
        Ok(theirs.as_deref().zip(ours).is_some_and(|(theirs, ours)| theirs != ours))
    };
    Ok(if differs("environment", Some(ours))? {
        Some("it is of another environment")
    } else if differs("merchant_account_id", settings.provider_merchant.as_deref())? {
        Some("it is of another merchant account")
    } else if differs("gr4vy_id", settings.option(GR4VY_ID))? {
        Some("it is of another instance")
    } else {
        None
    })
}

fn content(
    body: &Object<'_>,
    name: &str,
    subject: Subject,
    settings: &AccountSettings,
) -> Result<Content, Unreadable> {
    let target = body.object("target")?;
    let expected = match subject {
        Subject::Transaction => "transaction",
        Subject::Operation(OperationKind::Capture) => "capture",
        Subject::Operation(_) => "refund",
    };
    if target.text("type")?.is_some_and(|kind| kind != expected) {
        return Err(unreadable("target.type", "is not what the event's name says"));
    }
    let sums = resource::reads_sums(settings.option(CAPTURES));
    let statements = match subject {
        Subject::Transaction => resource::transaction(&target, name, sums)?,
        Subject::Operation(OperationKind::Capture) if sums => {
            let reason = "captures are read of transactions in this account";
            return Ok(Content::Ignored { reason: reason.to_owned() });
        }
        Subject::Operation(kind) => resource::operation(&target, kind)?.into_iter().collect(),
    };
    Ok(if statements.is_empty() {
        Content::Ignored { reason: "its status word is not known".to_owned() }
    } else {
        Content::Statements(statements)
    })
}

/// The event's id; in place of one that is too long or unprintable, an id made of it.
fn event_id(id: &str) -> String {
    if id.len() <= EVENT_NAME_BYTES_MAX && IdValue::parse(id).is_ok() {
        return id.to_owned();
    }
    hex::encode(Digest::new("gr4vy event id").text(id).finish())
}

//! What Stripe's events say, as statements. The table of `README.md` is this file and
//! `objects.rs` in words.

use super::{
    CONNECTED, WITHOUT_RELEASES,
    objects::{ChargeEvent, Scope},
};
use crate::{
    domain::statement::Statement,
    providers::{AccountSettings, Environment, Reading, Unreadable, json::Object, text},
};

/// Reads an event.
pub(super) fn read(
    body: &Object<'_>,
    settings: &AccountSettings,
) -> Result<Vec<Reading>, Unreadable> {
    let id = body.required_text("id")?;
    let name = body.required_text("type")?;
    let said = match ignored(body, &name, settings)? {
        Some(reason) => Err(reason),
        None => said(body, &name, settings)?,
    };
    Ok(text::in_readings(&id, &name, said))
}

/// Why an event is not looked into.
fn ignored(
    body: &Object<'_>,
    name: &str,
    settings: &AccountSettings,
) -> Result<Option<&'static str>, Unreadable> {
    if body.text("object")?.is_some_and(|object| object != "event") {
        return Ok(Some("a thin event holds no object, only where one is"));
    }
    if is_elsewhere(body, settings)? {
        return Ok(Some("it is of the other environment"));
    }
    if is_of_another(body, settings)? {
        return Ok(Some("it is of another Stripe account"));
    }
    Ok(match Subject::of(name) {
        Some(_) => None,
        None if name.starts_with("charge.dispute.") => Some("disputes are not followed"),
        None => Some("the event's name is not known"),
    })
}

/// True if an event or object says that it is of the environment that the account is not in.
pub(super) fn is_elsewhere(
    object: &Object<'_>,
    settings: &AccountSettings,
) -> Result<bool, Unreadable> {
    let is_live = settings.environment == Environment::Live;
    Ok(object.flag("livemode")?.is_some_and(|livemode| livemode != is_live))
}

/// Events of connected accounts name the account; those of the endpoint's own account do not.
fn is_of_another(body: &Object<'_>, settings: &AccountSettings) -> Result<bool, Unreadable> {
    let Some(own) = &settings.provider_merchant else { return Ok(false) };
    let is_connected = settings.option(CONNECTED) == Some("yes");
    Ok(body.text("account")?.map_or(is_connected, |account| account != *own))
}

/// What an event's object is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject {
    Intent { failed: bool },
    Charge(ChargeEvent),
    Refund,
}

impl Subject {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "payment_intent.payment_failed" => Self::Intent { failed: true },
            "payment_intent.created"
            | "payment_intent.processing"
            | "payment_intent.requires_action"
            | "payment_intent.amount_capturable_updated"
            | "payment_intent.partially_funded"
            | "payment_intent.succeeded"
            | "payment_intent.canceled" => Self::Intent { failed: false },
            "charge.pending" | "charge.succeeded" | "charge.failed" | "charge.updated" => {
                Self::Charge(ChargeEvent::State)
            }
            "charge.captured" => Self::Charge(ChargeEvent::Captured),
            "charge.expired" => Self::Charge(ChargeEvent::Expired),
            "charge.refunded" => Self::Charge(ChargeEvent::Refunded),
            "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
                Self::Refund
            }
            _ => return None,
        })
    }
}

fn said(
    body: &Object<'_>,
    name: &str,
    settings: &AccountSettings,
) -> Result<Result<Vec<Statement>, &'static str>, Unreadable> {
    let object = body.object("data")?.object("object")?;
    // Versions are dates, and names after them.
    let version = body.text("api_version")?.unwrap_or_default();
    let has_releases = version.as_str() < WITHOUT_RELEASES;
    let scope = Scope { settings, time: text::seconds(body, "created")?, has_releases };
    let (statements, silent) = match Subject::of(name) {
        Some(Subject::Intent { failed }) => {
            (scope.intent(&object, failed)?, "its status word is not known")
        }
        Some(Subject::Charge(event)) => {
            let silent = match event {
                ChargeEvent::Refunded => "it names no refund; the refund's own events do",
                _ => "its status word is not known",
            };
            (scope.charge(&object, event)?, silent)
        }
        Some(Subject::Refund) | None => {
            let refund = scope.refund(&object)?;
            (refund.into_iter().collect(), "its status word is not known")
        }
    };
    Ok(if statements.is_empty() { Err(silent) } else { Ok(statements) })
}

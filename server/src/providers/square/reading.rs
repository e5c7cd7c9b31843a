//! What Square's webhooks say, as statements. The table of `README.md` is this file in words.

use super::object;
use crate::{
    domain::{digest::Digest, statement::Statement},
    providers::{
        AccountSettings, Content, Reading, Unreadable,
        json::{EVENT_NAME_BYTES_MAX, Object, event_name},
    },
};

/// Reads an event.
pub(super) fn read(
    body: &Object<'_>,
    settings: &AccountSettings,
) -> Result<Vec<Reading>, Unreadable> {
    let name = body.required_text("type")?;
    let event_id = event_id(&body.required_text("event_id")?);
    let content = content(body, &name, settings)?;
    Ok(vec![Reading { event_id, event_name: event_name(&name), content }])
}

fn content(
    body: &Object<'_>,
    name: &str,
    settings: &AccountSettings,
) -> Result<Content, Unreadable> {
    let ignored = |reason: &str| Ok(Content::Ignored { reason: reason.to_owned() });
    let place = match name {
        "payment.created" | "payment.updated" => "payment",
        "refund.created" | "refund.updated" => "refund",
        _ => return ignored("the event's type is not one of a payment or refund"),
    };
    if settings.provider_merchant.is_some()
        && body.text("merchant_id")? != settings.provider_merchant
    {
        return ignored("it is of another merchant");
    }
    let object = body.object("data")?.object("object")?.object(place)?;
    if place == "refund" && object::is_unlinked(&object)? {
        return ignored("the refund is of no payment");
    }
    let statements: Option<Vec<Statement>> = match place {
        "payment" => object::payment(&object)?,
        _ => object::refund(&object)?.map(|one| vec![one]),
    };
    match statements {
        Some(statements) => Ok(Content::Statements(statements)),
        None => ignored("its status word is not known"),
    }
}

fn event_id(id: &str) -> String {
    let is_plain = id.len() <= EVENT_NAME_BYTES_MAX && id.bytes().all(|b| b.is_ascii_graphic());
    if is_plain {
        id.to_owned()
    } else {
        hex::encode(Digest::new("square event").text(id).finish())
    }
}

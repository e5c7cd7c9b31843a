//! What Mollie's webhooks say, as statements. The table of `README.md` is this file in words.

use super::entity;
use crate::{
    domain::{
        digest::Digest,
        ids::ProviderId,
        statement::{OperationKind, Statement},
    },
    providers::{
        AccountSettings, Content, Reading, Unreadable,
        json::{EVENT_NAME_BYTES_MAX, Object, event_name, unreadable},
    },
};

/// Reads a classic webhook: it names a payment, and says nothing of it.
pub(super) fn of_classic(id: &str) -> Result<Reading, Unreadable> {
    let content = match id.starts_with("tr_") {
        true => Content::Look(payment_id(id)?),
        false => Content::Ignored { reason: "it names no payment".to_owned() },
    };
    Ok(Reading { event_id: id.to_owned(), event_name: "classic".to_owned(), content })
}

/// What an entity is.
#[derive(Clone, Copy)]
enum Resource {
    Payment,
    Operation(OperationKind),
}

impl Resource {
    fn of(name: &str) -> Option<Self> {
        match name {
            "payment" => Some(Self::Payment),
            "refund" => Some(Self::Operation(OperationKind::Refund)),
            "capture" => Some(Self::Operation(OperationKind::Capture)),
            _ => None,
        }
    }
}

/// Reads a next-gen webhook: an event, or an entity by itself.
pub(super) fn read(
    body: &Object<'_>,
    settings: &AccountSettings,
) -> Result<Vec<Reading>, Unreadable> {
    let name = body.required_text("resource")?;
    if name == "event" {
        return read_event(body, settings);
    }
    let event = Event { id: snapshot_id(body, &name), name: event_name(&name) };
    match Resource::of(&name) {
        Some(resource) => event.of_entity(body, resource, settings),
        None => Ok(event.ignored("the resource is not a payment, refund or capture")),
    }
}

fn read_event(body: &Object<'_>, settings: &AccountSettings) -> Result<Vec<Reading>, Unreadable> {
    let id = body.required_text("id")?;
    let name = body.required_text("type")?;
    let event = Event { id: event_id(&id), name: event_name(&name) };
    let (resource_name, word) = name.split_once('.').unwrap_or((&name, ""));
    let Some(resource) = Resource::of(resource_name).filter(|_| is_known(resource_name, word))
    else {
        return Ok(event.ignored("the event's type is not one of a payment, refund or capture"));
    };
    if let Some(embedded) = body.maybe_object("_embedded")? {
        for place in [resource_name, "entity"] {
            if let Some(entity) = embedded.maybe_object(place)? {
                return event.of_entity(&entity, resource, settings);
            }
        }
    }
    let payment = match resource {
        Resource::Payment => payment_id(&body.required_text("entityId")?)?,
        Resource::Operation(_) => payment_in_links(body, resource_name)?,
    };
    Ok(event.says(Content::Look(payment)))
}

/// Events whose entity has a status that says something. What it says is read from the status.
fn is_known(resource: &str, word: &str) -> bool {
    let words: &[&str] = match resource {
        "payment" => &["paid", "authorized", "failed", "canceled", "expired", "pending"],
        "refund" => &["queued", "pending", "processing", "refunded", "failed", "canceled"],
        "capture" => &["succeeded", "failed"],
        _ => &[],
    };
    words.contains(&word)
}

/// An event's names.
struct Event {
    id: String,
    name: String,
}

impl Event {
    fn of_entity(
        &self,
        entity: &Object<'_>,
        resource: Resource,
        settings: &AccountSettings,
    ) -> Result<Vec<Reading>, Unreadable> {
        if let Some(reason) = entity::not_ours(entity, settings)? {
            return Ok(self.ignored(reason));
        }
        let statements = match resource {
            Resource::Payment => entity::payment(entity, settings)?,
            Resource::Operation(kind) => {
                entity::operation(entity, kind, settings)?.map(|one| vec![one])
            }
        };
        let Some(statements) = statements else {
            return Ok(self.ignored("its status word is not known"));
        };
        let payment = statements.first().and_then(|first| first.ids.first().cloned());
        let mut readings = self.each(statements);
        if let (Resource::Payment, Some(payment)) = (resource, payment)
            && entity::hides_captures(entity)?
        {
            readings.extend(self.says(Content::Look(payment)));
        }
        Ok(readings)
    }

    /// One reading for each statement: what says the same again is a repeat then, also beside
    /// something new.
    fn each(&self, statements: Vec<Statement>) -> Vec<Reading> {
        let says = |statement| self.says(Content::Statements(vec![statement]));
        statements.into_iter().flat_map(says).collect()
    }

    fn ignored(&self, reason: &str) -> Vec<Reading> {
        self.says(Content::Ignored { reason: reason.to_owned() })
    }

    fn says(&self, content: Content) -> Vec<Reading> {
        vec![Reading { event_id: self.id.clone(), event_name: self.name.clone(), content }]
    }
}

fn payment_id(text: &str) -> Result<ProviderId, Unreadable> {
    ProviderId::parse(entity::PAYMENT, text).map_err(|err| unreadable("the payment's id", err))
}

/// The payment of a refund or capture that is only named: its link goes through the payment,
/// `/v2/payments/tr_…/refunds/re_…`.
fn payment_in_links(body: &Object<'_>, resource: &str) -> Result<ProviderId, Unreadable> {
    let link = body.object("_links")?.object(resource)?.required_text("href")?;
    let mut parts = link.split('/').skip_while(|part| *part != "payments").skip(1);
    let place = format!("_links.{resource}.href");
    let id = parts.next().filter(|part| part.starts_with("tr_"));
    payment_id(id.ok_or_else(|| unreadable(&place, "names no payment"))?)
}

fn event_id(id: &str) -> String {
    let is_plain = id.len() <= EVENT_NAME_BYTES_MAX && id.bytes().all(|b| b.is_ascii_graphic());
    if is_plain {
        id.to_owned()
    } else {
        hex::encode(Digest::new("mollie event").text(id).finish())
    }
}

/// A snapshot has no id of its own: it is made of what it shows and what came of that.
fn snapshot_id(body: &Object<'_>, resource: &str) -> String {
    let text = |name| body.text(name).ok().flatten();
    let digest = Digest::new("mollie snapshot").text(resource);
    let digest = digest.maybe(text("id").as_deref()).maybe(text("status").as_deref());
    hex::encode(digest.finish())
}

//! Who did something.

use super::{
    Unreadable,
    part::Part,
    table::{Reader, Writer},
};
use crate::{domain::ids::OperatorId, record::Actor};

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredActor {
    #[prost(uint32, tag = "1")]
    name: u32,
    #[prost(uint32, tag = "2")]
    key_id: u32,
    #[prost(uint32, tag = "3")]
    operator: u32,
}

impl Part for StoredActor {
    type Domain = Actor;

    fn write<'a>(actor: &'a Actor, to: &mut Writer<'a>) -> Self {
        Self {
            name: to.text(&actor.name),
            key_id: to.text(&actor.key_id),
            operator: to.maybe_text(actor.operator.as_ref().map(OperatorId::as_str)),
        }
    }

    fn read(&self, from: &Reader<'_>) -> Result<Actor, Unreadable> {
        Ok(Actor {
            name: from.string(self.name)?,
            key_id: from.string(self.key_id)?,
            operator: maybe_operator(self.operator, from)?,
        })
    }
}

/// An operator that may be absent.
pub(super) fn maybe_operator(
    number: u32,
    from: &Reader<'_>,
) -> Result<Option<OperatorId>, Unreadable> {
    if number == 0 { Ok(None) } else { from.name(number, OperatorId::parse).map(Some) }
}

/// The actor of a record that has only its name.
pub(super) fn of_name(number: u32, from: &Reader<'_>) -> Result<Option<Actor>, Unreadable> {
    let name = from.maybe_string(number)?;
    Ok(name.map(|name| Actor { name, key_id: String::new(), operator: None }))
}

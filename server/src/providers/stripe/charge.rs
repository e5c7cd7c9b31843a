//! What a charge shows, where it stands in another object as a whole.

use crate::{
    domain::statement::StatedAmount,
    providers::{Unreadable, json::Object},
};

/// An object that stands there as a whole; `None` if it is only named.
pub(super) fn shown<'a>(object: &Object<'a>, name: &str) -> Result<Option<Object<'a>>, Unreadable> {
    let is_shown = object.value(name)?.is_some_and(|value| value.get().starts_with('{'));
    is_shown.then(|| object.object(name)).transpose()
}

/// True if a charge was authorised and never captured.
pub(super) fn is_held(charge: &Object<'_>) -> Result<bool, Unreadable> {
    let is_captured = charge.flag("captured")?.unwrap_or_default();
    Ok(charge.text("status")?.as_deref() == Some("succeeded") && !is_captured)
}

/// True unless less was captured.
pub(super) fn is_whole(whole: Option<StatedAmount>, captured: Option<StatedAmount>) -> bool {
    captured.is_none_or(|captured| whole.is_some_and(|whole| whole.money == captured.money))
}

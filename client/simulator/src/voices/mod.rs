//! The providers, one file each.

mod adyen;
mod mollie;
mod square;

use crate::voice::Voice;

/// All of them.
pub const ALL: &[&dyn Voice] = &[&adyen::Adyen, &mollie::Mollie, &square::Square];

/// The one of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Voice> {
    ALL.iter().copied().find(|voice| voice.name() == name)
}

//! The providers, one file each.

pub mod adyen;
pub mod checkout_com;
pub mod mollie;
pub mod paypal;
pub mod square;
pub mod stripe;

use crate::voice::Voice;

/// All of them.
pub const ALL: &[&dyn Voice] = &[
    &adyen::Adyen,
    &checkout_com::CheckoutCom,
    &mollie::Mollie,
    &paypal::Paypal,
    &square::Square,
    &stripe::Stripe,
];

/// The one of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Voice> {
    ALL.iter().copied().find(|voice| voice.name() == name)
}

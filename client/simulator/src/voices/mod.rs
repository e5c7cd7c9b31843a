//! The providers, one file each.

pub mod adyen;
pub mod blockatm;
pub mod checkout_com;
pub mod gr4vy;
pub mod mollie;
pub mod optty;
pub mod paypal;
pub mod square;
pub mod standard_webhooks;
pub mod stripe;

use crate::voice::Voice;

/// All of them.
pub const ALL: &[&dyn Voice] = &[
    &adyen::Adyen,
    &blockatm::BlockAtm,
    &checkout_com::CheckoutCom,
    &gr4vy::Gr4vy,
    &mollie::Mollie,
    &optty::Optty,
    &paypal::Paypal,
    &square::Square,
    &standard_webhooks::StandardWebhooks,
    &stripe::Stripe,
];

/// The one of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Voice> {
    ALL.iter().copied().find(|voice| voice.name() == name)
}

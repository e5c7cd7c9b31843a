//! Payment providers to test against: each sends its webhooks, signed as the real one signs, and
//! answers questions about a status, from one ledger of its own.
//!
//! A test of a checkout starts the provider beside paystatus and decides what becomes of each
//! payment:
//!
//! ```no_run
//! use paystatus_simulator::{Action, Amount, Fault, Simulator};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // Any adapter's name. The account in paystatus has the same secret, and the status API's
//!     // address in `status_api.url`.
//!     let optty = Simulator::builder("optty")?
//!         .webhooks_to("http://127.0.0.1:8080/webhooks/optty-test")
//!         .secret("the account's payment secret")
//!         .credential("client_id", "shop")
//!         .credential("client_secret", "s3cret")
//!         .status_api(([127, 0, 0, 1], 8090))
//!         .start()
//!         .await?;
//!
//!     // The checkout under test has recorded order `o-1` and calls the provider, which …
//!     let amount = Amount { currency: "AUD".to_owned(), minor_units: 14_624, exponent: 2 };
//!     let payment = optty.open("o-1", amount);
//!
//!     // … is paid, and says so until paystatus answers 2xx;
//!     let paid = optty.act(&payment, &Action::Pay)?;
//!     let sent = optty.tell(&paid).await.expect("optty has a webhook for it");
//!     assert!(sent.is_taken());
//!
//!     // … says it again, which must change nothing;
//!     optty.tell(&paid).await;
//!
//!     // … is impersonated, which must be refused;
//!     let forged = optty.forge(&paid).await.expect("optty signs");
//!     assert!(forged.is_refused());
//!
//!     // … refunds a part, tells nobody, and is away when it is asked first.
//!     optty.act(&payment, &Action::refund("refund-1", 1_000))?;
//!     optty.fail_next(Fault::ServerError);
//!     Ok(())
//! }
//! ```
//!
//! # Code map
//!
//! `life` has the nouns: payments, their operations, events. `ledger` is the book, with what can
//! happen to a payment; `standing` what it comes to in one word. `voice` is how a provider speaks,
//! `voices` has one file for each. `chaos` draws what goes wrong. All of these are pure; `deliver`
//! sends webhooks, `api` serves the status API, and `simulator` puts it together.
//!
//! Nothing here is shared with the server's adapters: what both understand, both were told by
//! the provider's documentation.

pub mod api;
pub mod chaos;
pub mod clock;
pub mod deliver;
pub mod ledger;
pub mod life;
pub mod simulator;
pub mod standing;
pub mod voice;
pub mod voices;

pub use self::{
    api::Fault,
    chaos::{Chaos, Trouble},
    deliver::{Retry, Sent},
    ledger::{Action, Ledger, Refused},
    life::{Amount, Event, OperationKind, OperationState, Payment, PaymentState},
    simulator::{Builder, Error, Simulator},
    standing::Standing,
};

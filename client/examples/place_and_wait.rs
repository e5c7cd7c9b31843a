//! Places an order and waits for its outcome.
//!
//! The order and the attempt are recorded *before* the payment provider is called. Then a
//! time-out, a crash or a closed browser leaves something that the provider's webhook can join,
//! and nobody has to guess.
//!
//! ```sh
//! PAYSTATUS_ENDPOINT=http://localhost:7070 PAYSTATUS_API_KEY=… \
//!     cargo run -p paystatus-client --example place_and_wait -- order-1 adyen-test
//! ```

use std::{env, error::Error, time::Duration};

use paystatus_client::{Client, Money, NewAttempt, NewOrder, Outcome, ProviderReply, ReplyResult};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let order_id = arguments.next().unwrap_or_else(|| "order-1".to_owned());
    let account_id = arguments.next().unwrap_or_else(|| "adyen-test".to_owned());

    let client = Client::builder(env::var("PAYSTATUS_ENDPOINT")?)
        .api_key(env::var("PAYSTATUS_API_KEY")?)
        .connect()
        .await?;

    // Record what is about to happen. A repeat of either call finds what is there already.
    let amount = Money::parse("146.24", "AUD")?;
    client.create_order(NewOrder::new(&order_id, amount).label("channel", "web")).await?;
    let attempt = client.create_attempt(NewAttempt::new(&order_id, "a1", &account_id)).await?;
    println!("give the provider the reference {}", attempt.value.reference);

    // Here the provider is called. Whatever it answers, say so; also when it does not answer.
    let reply = ProviderReply::new(&order_id, "a1").result(ReplyResult::NoAnswer);
    client.record_provider_reply(reply).await?;

    // The truth arrives later, by webhook or poll: this returns the moment it does.
    let awaited = client.await_outcome(order_id.as_str(), Duration::from_secs(60)).await?;
    match awaited.outcome {
        Outcome::Approved => println!("paid: ship it"),
        Outcome::Refused => println!("refused: offer another way to pay"),
        Outcome::Withdrawn => println!("taken back after it was approved: do not ship"),
        // Also what this version does not know. Never treat it as a failure.
        _ => println!("not known yet: keep the order, tell the customer, look again later"),
    }
    Ok(())
}

//! Asks for a refund when the provider may not answer in time.
//!
//! A refund that timed out is neither done nor failed. It is recorded before the provider is
//! called, its lack of an answer is recorded too, and then its own status tells, whenever the
//! provider's webhook arrives. What must never happen is a second refund "to be sure".
//!
//! ```sh
//! PAYSTATUS_ENDPOINT=http://localhost:7070 PAYSTATUS_API_KEY=… \
//!     cargo run -p paystatus-client --example refund_with_timeout -- order-1 a1
//! ```

use std::{env, error::Error, time::Duration};

use futures_util::StreamExt as _;
use paystatus_client::{
    Client, Event, Money, NewOperation, Operation, OperationKind, OperationStatus, ProviderReply,
    ReplyResult,
};
use tokio::time::timeout;

const REFUND: &str = "refund-1";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let order_id = arguments.next().unwrap_or_else(|| "order-1".to_owned());
    let attempt_id = arguments.next().unwrap_or_else(|| "a1".to_owned());

    let client = Client::builder(env::var("PAYSTATUS_ENDPOINT")?)
        .api_key(env::var("PAYSTATUS_API_KEY")?)
        .connect()
        .await?;

    // The refund's own id prevents a second one for ever, however often this is run.
    let refund =
        NewOperation::new(&order_id, &attempt_id, REFUND).amount(Money::parse("20.00", "AUD")?);
    let recorded = client.create_refund(refund).await?;
    if let Some(warning) = &recorded.warning {
        println!("look first: {warning}");
    }
    if recorded.replayed {
        println!("asked for before; it is {}", recorded.value.status);
    } else if timeout(Duration::from_secs(10), call_the_provider()).await.is_err() {
        // No answer says nothing about the refund, but that there was none is worth knowing.
        let reply = ProviderReply::new(&order_id, &attempt_id)
            .operation(OperationKind::Refund, REFUND)
            .result(ReplyResult::NoAnswer);
        client.record_provider_reply(reply).await?;
    }

    match timeout(Duration::from_secs(120), settled(&client, &order_id)).await {
        Ok(status) => println!("the refund is {}", status?),
        Err(_) => println!("not known yet: do not refund again, look later"),
    }
    Ok(())
}

/// Stands for the call of the provider's own API.
async fn call_the_provider() {
    std::future::pending().await
}

/// Watches the order until its refund is settled.
async fn settled(
    client: &Client,
    order_id: &str,
) -> Result<OperationStatus, paystatus_client::Error> {
    let mut events = client.watch(order_id);
    while let Some(event) = events.next().await {
        let operations: Vec<Operation> = match event? {
            Event::Snapshot(order) => order.operations,
            Event::Changes(changes) => changes.into_iter().filter_map(|c| c.operation).collect(),
            _ => continue,
        };
        let refund = operations
            .into_iter()
            .rfind(|o| o.kind == OperationKind::Refund && o.operation_id == REFUND);
        match refund.map(|refund| refund.status) {
            // A status that this version does not know is not settled either.
            None | Some(OperationStatus::Pending | OperationStatus::Unrecognized(_)) => {}
            Some(status) => return Ok(status),
        }
    }
    Ok(OperationStatus::Pending)
}

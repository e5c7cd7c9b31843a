//! Follows every change of a merchant, survives restarts, and never polls.
//!
//! The position is kept in a file and moves only with what was confirmed. Stop the program, let
//! changes happen, start it again: it goes on where it was. To keep the position beside the data
//! it stands for, implement `CursorStore` over your own database.
//!
//! ```sh
//! PAYSTATUS_ENDPOINT=http://localhost:7070 PAYSTATUS_API_KEY=… \
//!     cargo run -p paystatus-client --example subscribe_and_resume
//! ```

use std::{env, error::Error, sync::Arc};

use futures_util::StreamExt as _;
use paystatus_client::{Client, Event, FileCursorStore, Filter, Start, Subscribe};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let client = Client::builder(env::var("PAYSTATUS_ENDPOINT")?)
        .api_key(env::var("PAYSTATUS_API_KEY")?)
        .connect_lazy()?;

    // The first run begins with the present state of everything, later ones where this one ends.
    let store = Arc::new(FileCursorStore::open("cursors")?);
    let subscribe =
        Subscribe::changes(Filter::all()).start(Start::Snapshot).keep_cursor("example", store);
    let mut deliveries = client.subscribe(subscribe).await?;

    loop {
        let delivery = tokio::select! {
            delivery = deliveries.next() => delivery,
            _ = tokio::signal::ctrl_c() => break,
        };
        // Reconnecting goes on unseen. An error is one that trying again cannot mend.
        let Some(delivery) = delivery.transpose()? else { break };
        match delivery.event() {
            Event::Snapshot(order) => println!("{} is {}", order.order_id, order.status),
            Event::Changes(changes) => {
                for change in changes {
                    println!("{}: {}, {}", change.order_id, change.kind, change.outcome);
                }
            }
            Event::Reset { reason } => println!("start over, forget what you derived: {reason}"),
            Event::CaughtUp => println!("up to date"),
            // Later versions may tell more.
            _ => {}
        }
        // Only now may the position move: a crash before this line delivers the event again.
        delivery.confirm();
    }

    // What was confirmed is written down before the program ends.
    deliveries.shutdown().await?;
    Ok(())
}

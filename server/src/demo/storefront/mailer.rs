//! The shop's mailer: follows one kind of change, and writes to exactly those customers who never
//! saw the outcome of their order.

use futures_util::StreamExt as _;
use paystatus_client::{Change, ChangeKind, Client, ErrorKind, Event, Filter, Outcome, Subscribe};

use super::Storefront;

/// Writes until the stream ends.
pub(super) async fn run(storefront: Storefront, client: Client) {
    let filter = Filter::all().kind(ChangeKind::CustomerNotInformed);
    let mut deliveries = match client.subscribe(Subscribe::changes(filter)).await {
        Ok(deliveries) => deliveries,
        Err(error) => return tracing::error!(%error, "the demo's mailer hears nothing"),
    };
    while let Some(delivery) = deliveries.next().await {
        match delivery {
            Ok(delivery) => {
                if let Event::Changes(changes) = delivery.event() {
                    changes.iter().for_each(|change| write(&storefront, change));
                }
                delivery.confirm();
            }
            Err(error) if error.kind() == ErrorKind::Closed => return,
            Err(error) => return tracing::error!(%error, "the demo's mailer hears no more"),
        }
    }
}

fn write(storefront: &Storefront, change: &Change) {
    let Some(visit) = storefront.visit(|visit| visit.order_id == change.order_id) else { return };
    let order = &change.order_id;
    let (subject, text) = match change.outcome {
        Outcome::Approved => (
            format!("Your order {order} is paid"),
            "You had left before the page could tell you: the payment went through.",
        ),
        _ => (
            format!("Your order {order} is not paid"),
            "You had left before the page could tell you: the payment did not go through.",
        ),
    };
    visit.wrote(subject, text.to_owned());
}

//! Waits until an order is what it must be, and says how it differs if it does not come to that.

use std::time::Duration;

use futures_util::StreamExt as _;
use paystatus_client::{Client, Error, Order};
use paystatus_simulator::Amount;
use tokio::time::{Instant, timeout_at};

use super::{
    expect::{Expected, words_of},
    shop::Tally,
    story::Story,
};

/// What came of one order.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Its id.
    pub order_id: String,
    /// What happened.
    pub about: &'static str,
    /// What the customer was asked for: `146.24 AUD`.
    pub amount: String,
    /// What was sent.
    pub tally: Tally,
    /// What it had to become, in words.
    pub expected: String,
    /// What it became.
    pub became: String,
    /// What is not as it must be.
    pub problems: Vec<String>,
}

impl Judged {
    pub(super) fn new(order_id: &str, story: &Story, amount: &Amount) -> Self {
        Self {
            order_id: order_id.to_owned(),
            about: story.about,
            amount: format!("{} {}", amount.major(), amount.currency),
            tally: Tally::default(),
            expected: String::new(),
            became: "unknown".to_owned(),
            problems: Vec::new(),
        }
    }
}

/// Judges one order, of which everything was sent.
pub(super) async fn judge(
    client: &Client,
    expected: &Expected,
    patience: Duration,
    mut judged: Judged,
) -> Judged {
    let end = Instant::now() + patience;
    match wait(client, expected, &judged.order_id, end).await {
        Ok(order) => {
            judged.problems.extend(expected.differences(&order));
            judged.became = words_of(&order);
        }
        Err(error) => judged.problems.push(format!("it cannot be looked up: {error}")),
    }
    judged
}

/// The order, once it is as expected, or when the time is over.
async fn wait(
    client: &Client,
    expected: &Expected,
    order_id: &str,
    end: Instant,
) -> Result<Order, Error> {
    let order = client.get_order(order_id).await?;
    if expected.differences(&order).is_empty() {
        return Ok(order);
    }
    let mut changes = client.watch(order_id);
    loop {
        let order = client.get_order(order_id).await?;
        if expected.differences(&order).is_empty() {
            return Ok(order);
        }
        match timeout_at(end, changes.next()).await {
            Ok(Some(Ok(_))) => {}
            Ok(Some(Err(error))) => return Err(error),
            // A watch ends with an error, and only then; and no time is left.
            Ok(None) | Err(_) => return Ok(order),
        }
    }
}

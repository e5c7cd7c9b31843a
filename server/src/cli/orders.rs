//! `paystatus orders`

use clap::Args;
use paystatus_client::{ListOrders, Order, OrderScope, PageRequest, PaymentStatus};

use super::{
    connection::MerchantConnection,
    failure::Failure,
    json,
    out::{Cell, Out, talk},
    words,
};

/// Orders asked for at once.
const PAGE_ORDERS: usize = 200;

/// List orders, oldest first.
#[derive(Args)]
pub(super) struct Orders {
    /// Only this status: pending, authorized, successful, declined, canceled, expired, error.
    /// May be named several times.
    #[arg(long, value_name = "STATUS", value_parser = parse_status)]
    status: Vec<PaymentStatus>,
    /// Only orders with this label. May be named several times: all must fit.
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_label)]
    label: Vec<(String, String)>,
    /// Those that webhooks name and nobody recorded. Needs an operator's key.
    #[arg(long)]
    unclaimed: bool,
    /// How many at most.
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: MerchantConnection,
}

impl Orders {
    pub(super) fn run(self) -> Result<(), Failure> {
        self.connection.run(async |client| {
            let scope = if self.unclaimed { OrderScope::Unclaimed } else { OrderScope::Recorded };
            let mut found: Vec<Order> = Vec::new();
            let mut token = None;
            loop {
                let size = PAGE_ORDERS.min(self.limit - found.len());
                let list = ListOrders {
                    statuses: self.status.clone(),
                    labels: self.label.iter().cloned().collect(),
                    scope,
                    page: PageRequest { size: u32::try_from(size).unwrap_or(u32::MAX), token },
                };
                let page = client.list_orders(list).await?;
                found.extend(page.items);
                token = page.next_page_token;
                if token.is_none() || found.len() >= self.limit {
                    break;
                }
            }
            self.show(&found, token.is_some())?;
            Ok(())
        })
    }

    fn show(&self, orders: &[Order], are_more: bool) -> std::io::Result<()> {
        let mut out = Out::new();
        if self.json {
            for order in orders {
                out.json(&json::order(order))?;
            }
        } else if orders.is_empty() {
            talk(&"no orders");
        } else {
            let rows: Vec<Vec<Cell>> = orders.iter().map(row).collect();
            let heading = ["ORDER", "STATUS", "OUTCOME", "AMOUNT", "RECORDED", "LOOK AT"];
            out.table(&heading, &rows)?;
        }
        if are_more {
            talk(&"there are more: raise --limit, or narrow with --status or --label");
        }
        Ok(())
    }
}

fn row(order: &Order) -> Vec<Cell> {
    let conditions = order.conditions.iter().map(|condition| condition.kind.to_string());
    vec![
        Cell::text(&order.order_id),
        Cell::styled(order.status, words::style(order.status)),
        Cell::styled(order.outcome, words::outcome_style(order.outcome)),
        Cell::text(words::money(order.amount.as_ref())),
        Cell::dim(words::time(order.create_time)),
        Cell::styled(conditions.collect::<Vec<_>>().join(" "), words::BAD),
    ]
}

fn parse_status(text: &str) -> Result<PaymentStatus, String> {
    PaymentStatus::from_name(&text.to_uppercase()).ok_or_else(|| {
        let known = PaymentStatus::KNOWN.iter().map(|s| s.to_string().to_lowercase());
        format!("must be one of: {}", known.collect::<Vec<_>>().join(", "))
    })
}

fn parse_label(text: &str) -> Result<(String, String), &'static str> {
    let (key, value) = text.split_once('=').ok_or("must read KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

//! `paystatus watch`

use std::io;

use clap::Args;
use futures_util::StreamExt as _;
use paystatus_client::{Change, Event, Filter, Order, Start, Subscribe};

use super::{
    connection::MerchantConnection,
    failure::Failure,
    json::{self, EventJson},
    out::{Out, talk},
    words::{self, BOLD, DIM},
};

/// Print changes the moment they happen, one a line. Reconnects by itself; Ctrl-C ends it.
#[derive(Args)]
pub(super) struct Watch {
    /// Only this order.
    #[arg(long, value_name = "ID")]
    order: Option<String>,
    /// Where to begin: `now`, `beginning` (every change ever recorded), `snapshot` (the present
    /// state, then changes) or `cursor:…`, as --json prints it. [default: now; snapshot with
    /// --order]
    #[arg(long, value_name = "PLACE", value_parser = parse_start)]
    from: Option<Start>,
    /// One JSON object a line, each with the cursor to resume from.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: MerchantConnection,
}

impl Watch {
    pub(super) fn run(self) -> Result<(), Failure> {
        self.connection.run(async |client| {
            let mut filter = Filter::all();
            let mut start = Start::Now;
            if let Some(order_id) = &self.order {
                filter = filter.order(order_id);
                start = Start::Snapshot;
            }
            let start = self.from.clone().unwrap_or(start);
            let subscribe = Subscribe::changes(filter).start(start);
            let mut deliveries = client.subscribe(subscribe).await?;
            let mut out = Out::new();
            while let Some(delivery) = deliveries.next().await {
                let delivery = delivery?;
                if self.json {
                    print_json(&mut out, delivery.event(), delivery.cursor())?;
                } else {
                    self.print(&mut out, delivery.event())?;
                }
                delivery.confirm();
            }
            Ok(())
        })
    }

    fn print(&self, out: &mut Out, event: &Event) -> io::Result<()> {
        match event {
            Event::Snapshot(order) => print_order(out, order),
            Event::SnapshotEnd { entry_count: 0 } if self.order.is_some() => {
                talk(&"nobody recorded this order yet");
                Ok(())
            }
            Event::Changes(changes) => changes.iter().try_for_each(|it| print_change(out, it)),
            Event::CaughtUp => {
                talk(&format_args!("{DIM}up to date; waiting for changes{DIM:#}"));
                Ok(())
            }
            Event::Reset { reason } => {
                talk(&format_args!("begins anew with the present state: {reason}"));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn print_order(out: &mut Out, order: &Order) -> io::Result<()> {
    let time = words::time(order.update_time);
    let id = &order.order_id;
    let (status, outcome) = (words::status(order.status), words::outcome(order.outcome));
    out.line(format_args!("{DIM}{time}{DIM:#}  {BOLD}{id}{BOLD:#}  is {status}, {outcome}"))
}

fn print_change(out: &mut Out, change: &Change) -> io::Result<()> {
    let time = words::time(change.change_time);
    let (id, words) = (&change.order_id, words::change(change));
    out.line(format_args!("{DIM}{time}{DIM:#}  {BOLD}{id}{BOLD:#}  {words}"))
}

fn print_json(out: &mut Out, event: &Event, cursor: &str) -> io::Result<()> {
    match event {
        Event::Snapshot(order) => {
            out.json(&EventJson::Snapshot { cursor, order: Box::new(json::order(order)) })
        }
        Event::SnapshotEnd { entry_count } => {
            out.json(&EventJson::SnapshotEnd { cursor, entry_count: *entry_count })
        }
        Event::Changes(changes) => changes.iter().try_for_each(|change| {
            out.json(&EventJson::Change { cursor, change: Box::new(json::change(change)) })
        }),
        Event::CaughtUp => out.json(&EventJson::CaughtUp { cursor }),
        Event::Reset { reason } => out.json(&EventJson::Reset { cursor, reason }),
        _ => Ok(()),
    }
}

fn parse_start(text: &str) -> Result<Start, &'static str> {
    match text {
        "now" => Ok(Start::Now),
        "beginning" => Ok(Start::Beginning),
        "snapshot" => Ok(Start::Snapshot),
        _ => match text.strip_prefix("cursor:") {
            Some(cursor) if !cursor.is_empty() => Ok(Start::Cursor(cursor.to_owned())),
            _ => Err("must be now, beginning, snapshot, or cursor: and a cursor"),
        },
    }
}

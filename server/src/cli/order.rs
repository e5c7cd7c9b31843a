//! `paystatus order`

use std::{io, time::Duration};

use clap::Args;
use paystatus_client::{Freshness, Money, Order as Known, TimelineEntry};
use serde::Serialize;

use super::{
    connection::{MerchantConnection, every},
    failure::Failure,
    json,
    out::Out,
    words::{self, BAD, BOLD, DIM},
};

/// Show one order: its status, its money, and its timeline with what each fact changed.
#[derive(Args)]
pub(super) struct Order {
    /// The merchant's own id of the order.
    #[arg(value_name = "ID")]
    order_id: String,
    /// Ask the provider first, if the order is not decided and nothing younger is known: `0s`
    /// asks in any case.
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration)]
    max_age: Option<Duration>,
    /// One JSON object: `order` and `timeline`.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: MerchantConnection,
}

#[derive(Serialize)]
struct OrderWithTimeline<'a> {
    order: json::OrderJson<'a>,
    timeline: Vec<json::EntryJson<'a>>,
}

impl Order {
    pub(super) fn run(self) -> Result<(), Failure> {
        self.connection.run(async |client| {
            let order = match self.max_age {
                Some(max_age) => client.get_fresh_order(&self.order_id, max_age).await?,
                None => client.get_order(&self.order_id).await?,
            };
            let page = async |page| client.timeline(&self.order_id, page).await;
            let timeline = every(page).await?;
            let mut out = Out::new();
            if self.json {
                let timeline = timeline.iter().map(json::entry).collect();
                out.json(&OrderWithTimeline { order: json::order(&order), timeline })?;
            } else {
                show(&mut out, &order)?;
                show_timeline(&mut out, &timeline)?;
            }
            Ok(())
        })
    }
}

fn show(out: &mut Out, order: &Known) -> io::Result<()> {
    out.line(format_args!("{BOLD}order {}{BOLD:#}", order.order_id))?;
    field(out, "merchant", &order.merchant_id)?;
    field(out, "status", words::status(order.status))?;
    let number = order.outcome_number;
    let outcome = words::outcome(order.outcome);
    field(out, "outcome", format!("{outcome} {DIM}(number {number}){DIM:#}"))?;
    field(out, "amount", words::money(order.amount.as_ref()))?;
    if let Some(totals) = words::totals(&order.totals) {
        field(out, "so far", totals)?;
    }
    let labels = order.labels.iter().map(|(key, value)| format!("{key}={value}"));
    let labels = labels.collect::<Vec<_>>().join(", ");
    if !labels.is_empty() {
        field(out, "labels", labels)?;
    }
    field(out, "recorded", words::time(order.create_time))?;
    let changed = words::time(order.update_time);
    field(out, "newest", format!("{changed} {DIM}(version {}){DIM:#}", order.version))?;
    field(out, "heard", heard(&order.freshness))?;
    if order.customer_informed_time.is_some() {
        field(out, "customer", format!("saw it {}", words::time(order.customer_informed_time)))?;
    }
    for attempt in &order.attempts {
        let mut facts = vec![format!("at {}", attempt.account_id)];
        facts.push(format!("reference {}", attempt.reference));
        facts.extend(attempt.ids.iter().filter(|id| id.value != attempt.reference).map(id));
        facts.extend(words::totals(&attempt.totals));
        facts.extend(reason(&attempt.reason));
        facts.extend((!attempt.recorded).then(|| "known from evidence alone".to_owned()));
        facts.extend(attempt.paired_by_guess.then(|| "paired by guess".to_owned()));
        let status = words::status(attempt.status);
        let line = format!("{} {status}, {}", attempt.attempt_id, facts.join(", "));
        field(out, "attempt", line)?;
    }
    for operation in &order.operations {
        let kind = words::operation_kind(operation.kind);
        let amount = operation.amount.as_ref();
        let amount = amount.map_or_else(|| "the whole".to_owned(), Money::to_string);
        let mut facts = vec![format!("of {amount}"), format!("on {}", operation.attempt_id)];
        facts.extend(operation.ids.iter().filter(|id| id.value != operation.reference).map(id));
        facts.extend(reason(&operation.reason));
        facts.extend((!operation.recorded).then(|| "known from evidence alone".to_owned()));
        let status = words::operation_status(operation.status);
        field(out, &kind, format!("{} {status}, {}", operation.operation_id, facts.join(", ")))?;
    }
    for condition in &order.conditions {
        let (kind, detail) = (condition.kind, &condition.detail);
        field(out, "look at", format!("{BAD}{kind}{BAD:#}, {detail}"))?;
    }
    Ok(())
}

/// When something was last heard of an order, and when somebody asks next.
fn heard(freshness: &Freshness) -> String {
    let mut facts = Vec::new();
    match (freshness.last_evidence_time, freshness.last_evidence_source) {
        (Some(time), Some(source)) => {
            let source = source.to_string().to_lowercase().replace('_', " ");
            facts.push(format!("{} by {source}", words::time(Some(time))));
        }
        (Some(time), None) => facts.push(words::time(Some(time))),
        (None, _) => facts.push("nothing yet".to_owned()),
    }
    let asked = freshness.last_check_time.map(|time| format!("asked {}", words::time(Some(time))));
    let next = freshness.next_check_time.map(|time| format!("next {}", words::time(Some(time))));
    facts.extend(asked);
    facts.extend(next);
    facts.join(", ")
}

fn show_timeline(out: &mut Out, entries: &[TimelineEntry]) -> io::Result<()> {
    out.line(format_args!("\n{BOLD}timeline{BOLD:#}"))?;
    for entry in entries {
        let time = words::time(entry.record_time);
        let source = entry.source.to_string().to_lowercase().replace('_', " ");
        let by =
            if entry.actor.is_empty() { String::new() } else { format!(" by {}", entry.actor) };
        let summary = &entry.summary;
        out.line(format_args!("{DIM}{time}{DIM:#}  {summary} {DIM}({source}{by}){DIM:#}"))?;
        for change in &entry.changes {
            out.line(format_args!("    {}", words::change(change)))?;
        }
        if entry.changes.is_empty() {
            out.line(format_args!("    {DIM}changed nothing{DIM:#}"))?;
        }
        for note in &entry.notes {
            out.line(format_args!("    {DIM}note: {note}{DIM:#}"))?;
        }
    }
    Ok(())
}

fn field(out: &mut Out, name: &str, value: impl std::fmt::Display) -> io::Result<()> {
    out.line(format_args!("  {DIM}{name:<9}{DIM:#} {value}"))
}

fn id(id: &paystatus_client::ProviderId) -> String {
    format!("{} {}", id.kind, id.value)
}

fn reason(reason: &str) -> Option<String> {
    (!reason.is_empty()).then(|| format!("because: {reason}"))
}

//! `paystatus webhooks`

use std::{path::PathBuf, time::SystemTime};

use clap::{Args, Subcommand};
use paystatus_client::{
    Client, Disposition, ListWebhooks, PageRequest, Replay, ReplayMode, Webhook, WebhookSelection,
    WebhookWithBody,
};

use super::{
    connection::{Connection, MerchantConnection, Stopped},
    failure::Failure,
    json::{self, ReplayJson},
    out::{Cell, Out, talk},
    when, words,
};

/// Webhooks asked for at once.
const PAGE_WEBHOOKS: usize = 200;
/// Webhooks replayed by one call: each that reads otherwise is a write.
const REPLAY_WEBHOOKS: u32 = 200;
/// Webhooks of one dry run, which judges those of one call together.
const DRY_RUN_WEBHOOKS: u32 = 2000;

/// See webhooks that verified, and read them again. Needs an operator's key.
#[derive(Args)]
pub(super) struct Webhooks {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List accepted webhooks, newest first, with what became of each.
    List(List),
    /// One webhook with its body. Card tokens are removed.
    Show(Show),
    /// Read webhooks again with the present adapters and settings: what they say now replaces
    /// what they said before.
    Replay(ReplayArgs),
}

#[derive(Args)]
struct List {
    /// Only this provider account.
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Only these: applied, repeat, superseded, parked, unreadable, ignored. May be named several
    /// times.
    #[arg(long, value_name = "DISPOSITION", value_parser = parse_disposition)]
    disposition: Vec<Disposition>,
    /// Only those recorded since: 2026-11-21T12:00:00Z, 2026-11-21, or 2h (ago).
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    since: Option<SystemTime>,
    /// Only those recorded before.
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    until: Option<SystemTime>,
    /// Only events of this name, spelled as the provider does.
    #[arg(long, value_name = "NAME")]
    event: Option<String>,
    /// Only those about this order.
    #[arg(long, value_name = "ID")]
    order: Option<String>,
    /// How many at most.
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: MerchantConnection,
}

#[derive(Args)]
struct Show {
    /// The webhook, as `webhooks list` shows it.
    webhook_id: String,
    /// With card tokens and other secrets of the body. Needs an owner's key.
    #[arg(long)]
    card_tokens: bool,
    /// Write the body, and nothing else, to this file.
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    save: Option<PathBuf>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Args)]
struct ReplayArgs {
    /// These webhooks.
    #[arg(required_unless_present = "account", conflicts_with = "account")]
    webhook_ids: Vec<String>,
    /// All of this provider account.
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// With --account: only those recorded since: 2026-11-21T12:00:00Z, 2026-11-21, or 2h (ago).
    #[arg(long, value_name = "TIME", value_parser = when::parse, conflicts_with = "webhook_ids")]
    since: Option<SystemTime>,
    /// Tell what would change, per webhook and per order, and record nothing.
    #[arg(long)]
    dry_run: bool,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Webhooks {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::List(list) => list.run(),
            Command::Show(show) => show.run(),
            Command::Replay(replay) => replay.run(),
        }
    }
}

impl List {
    fn run(self) -> Result<(), Failure> {
        self.connection.run(async |client| {
            let mut found: Vec<Webhook> = Vec::new();
            let mut token = None;
            loop {
                let size = PAGE_WEBHOOKS.min(self.limit - found.len());
                let page = client.list_webhooks(self.page(size, token)).await?;
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

    fn page(&self, size: usize, token: Option<String>) -> ListWebhooks {
        ListWebhooks {
            account_id: self.account.clone(),
            dispositions: self.disposition.clone(),
            since: self.since,
            until: self.until,
            event_name: self.event.clone(),
            order_id: self.order.clone(),
            page: PageRequest { size: u32::try_from(size).unwrap_or(u32::MAX), token },
        }
    }

    fn show(&self, webhooks: &[Webhook], are_more: bool) -> std::io::Result<()> {
        let mut out = Out::new();
        if self.json {
            webhooks.iter().try_for_each(|webhook| out.json(&json::webhook(webhook)))?;
        } else if webhooks.is_empty() {
            talk(&"no webhooks");
        } else {
            let rows: Vec<Vec<Cell>> = webhooks.iter().map(row).collect();
            let heading = ["WEBHOOK", "RECEIVED", "ACCOUNT", "BECAME", "EVENT", "ORDER OR REASON"];
            out.table(&heading, &rows)?;
        }
        if are_more {
            talk(&"there are more: raise --limit, or narrow with --since, --account and others");
        }
        Ok(())
    }
}

fn row(webhook: &Webhook) -> Vec<Cell> {
    let about = match webhook.order_id.as_str() {
        "" => Cell::dim(&webhook.reason),
        order => Cell::text(order),
    };
    vec![
        Cell::text(&webhook.webhook_id),
        Cell::dim(words::time(webhook.receive_time)),
        Cell::text(&webhook.account_id),
        Cell::styled(became(webhook), disposition_style(webhook.disposition)),
        Cell::text(&webhook.event_name),
        about,
    ]
}

fn became(webhook: &Webhook) -> String {
    let reread = if webhook.reread { " (read again)" } else { "" };
    format!("{}{reread}", webhook.disposition)
}

fn disposition_style(disposition: Disposition) -> anstyle::Style {
    match disposition {
        Disposition::Applied => words::GOOD,
        Disposition::Parked => words::OPEN,
        Disposition::Unreadable => words::BAD,
        _ => words::DIM,
    }
}

fn parse_disposition(text: &str) -> Result<Disposition, String> {
    Disposition::from_name(&text.to_uppercase()).ok_or_else(|| {
        let known = Disposition::KNOWN.iter().map(|d| d.to_string().to_lowercase());
        format!("must be one of: {}", known.collect::<Vec<_>>().join(", "))
    })
}

impl Show {
    fn run(self) -> Result<(), Failure> {
        let whole = self.connection.run(async |client| {
            Ok(match self.card_tokens {
                true => client.get_whole_webhook(&self.webhook_id).await?,
                false => client.get_webhook(&self.webhook_id).await?,
            })
        })?;
        match &self.save {
            Some(file) => std::fs::write(file, &whole.body)?,
            None => self.show(&whole)?,
        }
        Ok(())
    }

    fn show(&self, whole: &WebhookWithBody) -> std::io::Result<()> {
        let mut out = Out::new();
        if self.json {
            return out.json(&json::with_body(whole));
        }
        let webhook = &whole.webhook;
        let body = match (whole.body.len(), whole.as_received) {
            (0, _) => "not here: a repeat's stands with the first".to_owned(),
            (bytes, true) => format!("{bytes} bytes, as received"),
            (bytes, false) => format!("{bytes} bytes, not all that was received"),
        };
        for (name, value) in [
            ("webhook", webhook.webhook_id.clone()),
            ("received", words::time(webhook.receive_time)),
            ("account", webhook.account_id.clone()),
            ("became", became(webhook)),
            ("reason", webhook.reason.clone()),
            ("event", format!("{} {}", webhook.event_name, webhook.event_id)),
            ("order", webhook.order_id.clone()),
            ("sha-256", webhook.body_sha256.clone()),
            ("body", body),
        ] {
            if !value.trim().is_empty() {
                out.line(format_args!("{name:<9} {value}"))?;
            }
        }
        out.line("")?;
        out.line(String::from_utf8_lossy(&whole.body))
    }
}

impl ReplayArgs {
    fn run(self) -> Result<(), Failure> {
        self.connection.run(async |client| {
            let mut reached = None;
            let replayed = self.replay(client, &mut reached).await;
            if let (Err(_), Some(_)) = (&replayed, reached) {
                let time = words::time(reached);
                talk(&format_args!("reached {time}: go on with --since {time}"));
            }
            replayed
        })
    }

    async fn replay(
        &self,
        client: &Client,
        reached: &mut Option<SystemTime>,
    ) -> Result<(), Stopped> {
        let mode = if self.dry_run { ReplayMode::DryRun } else { ReplayMode::Apply };
        let size = if self.dry_run { DRY_RUN_WEBHOOKS } else { REPLAY_WEBHOOKS };
        let (mut token, mut count, mut altered) = (None, 0, 0);
        let mut out = Out::new();
        loop {
            let selection = match &self.account {
                None => WebhookSelection::Ids(self.webhook_ids.clone()),
                Some(account_id) => WebhookSelection::Account {
                    account_id: account_id.clone(),
                    since: self.since,
                    page: PageRequest { size, token },
                },
            };
            let page = client.replay_webhooks(selection, mode).await?;
            *reached = page.reached.or(*reached);
            count += page.webhooks.len();
            altered += page.webhooks.iter().filter(|webhook| webhook.altered).count();
            let counts = (count, altered);
            if self.json {
                show_json(&mut out, &page, counts, *reached)?;
            } else {
                show(&mut out, &page)?;
                self.tell(&page, counts, *reached);
            }
            token = page.next_page_token;
            if token.is_none() {
                return Ok(());
            }
        }
    }

    fn tell(&self, page: &Replay, (count, altered): (usize, usize), reached: Option<SystemTime>) {
        let done = if self.dry_run { "would read otherwise now" } else { "read otherwise now" };
        let more = page.next_page_token.is_some();
        let so_far = match reached.filter(|_| more) {
            Some(_) => format!(", reached {}", words::time(reached)),
            None => String::new(),
        };
        talk(&format_args!("{count} webhooks read again, {altered} {done}{so_far}"));
        if more && self.dry_run {
            talk(&"more follow: each part is judged as if those before had changed nothing");
        }
    }
}

fn show(out: &mut Out, page: &Replay) -> std::io::Result<()> {
    for webhook in &page.webhooks {
        if webhook.altered || !webhook.difference.is_empty() {
            let mark = if webhook.altered { "*" } else { " " };
            let (id, difference) = (&webhook.webhook_id, &webhook.difference);
            out.line(format_args!("{mark} {id}  {}  {difference}", webhook.disposition))?;
        }
    }
    for order in &page.orders {
        let (before, after) = (order.previous_status, order.status);
        let (before, after) = (words::status(before), words::status(after));
        out.line(format_args!("order {}  {before} → {after}", order.order_id))?;
    }
    Ok(())
}

fn show_json(
    out: &mut Out,
    page: &Replay,
    (webhooks, altered): (usize, usize),
    reached: Option<SystemTime>,
) -> std::io::Result<()> {
    page.webhooks.iter().try_for_each(|webhook| out.json(&json::replayed(webhook)))?;
    let order = |order| ReplayJson::Order { order: json::replayed_order(order) };
    page.orders.iter().try_for_each(|one| out.json(&order(one)))?;
    let done = page.next_page_token.is_none();
    out.json(&ReplayJson::Reached { time: json::time(reached), webhooks, altered, done })
}

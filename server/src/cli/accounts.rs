//! `paystatus accounts`

mod rotate;

use clap::{Args, Subcommand};
use paystatus_client::{Account, AccountException, ListAccounts, Rejection, WebhookDelay};

pub(super) use self::rotate::Error;
use super::{
    connection::{Connection, every},
    failure::Failure,
    json,
    out::{Cell, Out, talk},
    words,
};

/// Provider accounts: how their webhooks fare, and their secrets. Needs an operator's key.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Accounts {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: List,
}

#[derive(Subcommand)]
enum Command {
    /// Put a new secret into a configuration file, and let the old ones end after a while. Needs
    /// no server.
    Rotate(rotate::Rotate),
}

#[derive(Args)]
struct List {
    /// Only those of this merchant.
    #[arg(long, value_name = "MERCHANT")]
    of: Option<String>,
    /// Explain every rejection that is kept, not only the last of each account.
    #[arg(long)]
    rejections: bool,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Accounts {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self.command {
            Some(Command::Rotate(rotate)) => rotate.run(),
            None => self.list.run(),
        }
    }
}

impl List {
    fn run(self) -> Result<(), Failure> {
        self.connection.run(async |client| {
            let list = |page| ListAccounts { merchant_id: self.of.clone(), page };
            let accounts = every(async |page| client.list_accounts(list(page)).await).await?;
            self.show(&accounts)?;
            Ok(())
        })
    }

    fn show(&self, accounts: &[Account]) -> std::io::Result<()> {
        let mut out = Out::new();
        if self.json {
            return accounts.iter().try_for_each(|account| out.json(&json::account(account)));
        }
        if accounts.is_empty() {
            talk(&"no accounts");
            return Ok(());
        }
        let rows: Vec<Vec<Cell>> = accounts.iter().map(row).collect();
        let heading = [
            "ACCOUNT",
            "PROVIDER",
            "MERCHANT",
            "SECRETS",
            "ASKED",
            "LAST WEBHOOK",
            "DELAY",
            "POLL FIRST",
            "ACCEPTED",
            "REJECTED",
        ];
        out.table(&heading, &rows)?;
        let shown = if self.rejections { usize::MAX } else { 1 };
        for account in accounts {
            for exception in &account.exceptions {
                warn(&mut out, &account.account_id, exception)?;
            }
            for rejection in account.rejections.iter().take(shown) {
                explain(&mut out, &account.account_id, rejection)?;
            }
        }
        Ok(())
    }
}

fn row(account: &Account) -> Vec<Cell> {
    let accepted = account.accepted.iter().map(|(what, count)| (what.to_string(), *count));
    let rejected = account.rejected.iter().map(|(reason, count)| (reason.clone(), *count));
    vec![
        Cell::text(&account.account_id),
        Cell::text(&account.provider),
        Cell::text(&account.merchant_id),
        Cell::text(secrets(account)),
        if account.can_be_asked { Cell::text("yes") } else { Cell::dim("no") },
        Cell::dim(words::time(account.last_webhook)),
        Cell::text(delay(account.ledger.delay)),
        Cell::number(u64::try_from(account.ledger.learned_by_poll_first).unwrap_or_default()),
        Cell::text(counts(accepted)),
        Cell::styled(counts(rejected), words::BAD),
    ]
}

/// How many count, and when the next of them ends.
fn secrets(account: &Account) -> String {
    let active = || account.secrets.iter().filter(|secret| secret.active);
    let others = account.secrets.len() - active().count();
    let mut text = format!("{} active", active().count());
    if let Some(end) = active().filter_map(|secret| secret.until).min() {
        text.push_str(&format!(", one until {}", words::time(Some(end))));
    }
    if others > 0 {
        text.push_str(&format!(", {others} not"));
    }
    text
}

fn counts(counts: impl Iterator<Item = (String, i64)>) -> String {
    let each = counts.map(|(what, count)| format!("{count} {}", what.to_lowercase()));
    each.collect::<Vec<_>>().join(", ")
}

/// The usual one, and the one that few exceed.
fn delay(delay: WebhookDelay) -> String {
    let (Some(median), Some(most)) = (delay.median, delay.percentile_99) else {
        return String::new();
    };
    format!("{:.1} s, 1 % over {:.1} s", median.as_secs_f64(), most.as_secs_f64())
}

fn warn(out: &mut Out, account: &str, exception: &AccountException) -> std::io::Result<()> {
    let (bad, end) = (words::BAD, anstyle::Reset);
    let (kind, since) = (exception.kind, words::time(exception.since));
    let allowed = exception.allowed.map(|allowed| humantime::format_duration(allowed).to_string());
    let (allowed, waiting) = (allowed.unwrap_or_default(), exception.waiting_attempts);
    out.line(format_args!("\n{bad}look at this{end} at {account}: {kind} since {since}"))?;
    out.line(format_args!("  {waiting} attempts wait; {allowed} of silence would be usual"))
}

fn explain(out: &mut Out, account: &str, rejection: &Rejection) -> std::io::Result<()> {
    let time = words::time(rejection.receive_time);
    let (bad, end) = (words::BAD, anstyle::Reset);
    out.line(format_args!("\n{bad}rejected{end} at {account}, {time}: {}", rejection.message))?;
    for finding in &rejection.findings {
        out.line(format_args!("  {finding}"))?;
    }
    let names = rejection.header_names.join(" ");
    out.line(format_args!("  {} bytes, headers: {names}", rejection.body_bytes))
}

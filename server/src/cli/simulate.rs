//! `paystatus simulate`

mod report;

use std::{io::IsTerminal as _, io::Write as _, net::SocketAddr, sync::Arc, time::Duration};

use clap::Args;
use paystatus_client::Client;
use paystatus_simulator::Chaos;

use super::{
    connection::{MerchantConnection, Stopped},
    failure::Failure,
    out::{Out, talk},
};
use crate::simulate::{
    self, Account, Board, Settings,
    account::STATUS_API,
    scenario::{self, Scenario, Stage},
};

/// What stands below the options.
const EXAMPLES: &str = "\
Try a provider in two commands (the second in another terminal, with the key that the first prints):
  paystatus simulate stripe --print-config > try.toml && paystatus serve --config try.toml
  paystatus simulate stripe --merchant sim-shop --chaos all --key psk_…

What chaos is made of:
  late     webhooks come seconds after the others
  twice    webhooks come again, signed anew
  reorder  the webhooks of an order come in another order
  drop     no webhook of an order comes: it stays undecided, unless paystatus asks (--status-api)
  forge    somebody who does not know the secret says that an order is paid: must be refused
  flip     a bit of what is signed flips on the way: must be refused
  amount   the provider collects another amount than was asked: a mismatch, never an approval

Exit code 0: every order ended as the provider's ledger says, and nothing forged was taken.";

/// Simulate a payment provider against a running paystatus, and compare what each order became.
///
/// Records orders, pays, declines, captures, refunds and voids them at a simulated provider, and
/// sends its webhooks, signed as the real one signs. A table at the end says what was sent and
/// what became of the orders. Everything is drawn from --seed: the same number, the same run.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Simulate {
    /// Which provider: the adapter's name.
    #[arg(value_name = "PROVIDER", value_parser = known_provider)]
    provider: String,
    /// Print an account for the configuration file, and do nothing else.
    #[arg(long)]
    print_config: bool,
    /// How many orders.
    #[arg(long, value_name = "N", default_value_t = 100)]
    orders: u32,
    /// Orders a second.
    #[arg(long, value_name = "N", default_value_t = 20)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
    rate: u32,
    /// What everything is drawn from.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// What goes wrong: some of late,twice,reorder,drop,forge,flip,amount; or all, or none.
    #[arg(long, value_name = "TROUBLES", default_value = "none")]
    chaos: Chaos,
    /// Play one of Gr4vy's time-outs instead: timeout-webhook, late-webhook-two-attempts, polling,
    /// operations-webhook, operations-polling, or its number from 1 to 5.
    #[arg(long, value_name = "NAME", value_parser = parse_scenario)]
    #[arg(conflicts_with_all = ["orders", "rate", "chaos"])]
    scenario: Option<Scenario>,
    /// How long an order may take to end as it must after its last webhook.
    #[arg(long, value_name = "TIME", default_value = "10s")]
    #[arg(value_parser = humantime::parse_duration)]
    patience: Duration,
    /// What order ids begin with. Ids are for ever: another run needs another name.
    /// [default: the provider and the time]
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    /// One JSON object for each order, and one for all.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    provider_account: ProviderAccount,
    #[command(flatten)]
    connection: MerchantConnection,
}

/// The account as paystatus has it configured. The defaults are those of --print-config.
#[derive(Args)]
#[command(next_help_heading = "Account")]
struct ProviderAccount {
    /// Where paystatus takes webhooks.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    target: String,
    /// The account that webhooks come to. [default: sim-PROVIDER]
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// What webhooks are signed with: the account's secret, or the private part of it.
    #[arg(long, env = "PAYSTATUS_SIMULATE_SECRET", hide_env_values = true, value_name = "SECRET")]
    secret: Option<String>,
    /// One of the account's options. May be named several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_pair)]
    option: Vec<(String, String)>,
    /// One of the credentials of the account's status API. May be named several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_pair)]
    credential: Vec<(String, String)>,
    /// Serve the provider's status API here; the account's status_api.url must point at it. Then
    /// orders of which no webhook came must be decided all the same: raise --patience beyond the
    /// account's first poll. Without it they must stay undecided.
    #[arg(long, value_name = "ADDRESS")]
    status_api: Option<SocketAddr>,
}

impl Simulate {
    pub(super) fn run(self) -> Result<(), Failure> {
        let account = self.account()?;
        if self.print_config {
            let address = self.provider_account.status_api.unwrap_or(default_status_api());
            return Ok(Out::new().text(&account.section(address))?);
        }
        let settings = Settings {
            account,
            target: self.provider_account.target.clone(),
            status_api: self.provider_account.status_api,
            orders: self.orders,
            orders_per_second: self.rate,
            seed: self.seed,
            chaos: self.chaos.clone(),
            run: self.run.clone().unwrap_or_else(|| run_name(&self.provider)),
            patience: self.patience,
        };
        self.connection.run(async |client| match self.scenario {
            Some(scenario) => self.play_scenario(client, &settings, scenario).await,
            None => self.play_orders(client, &settings).await,
        })
    }

    fn account(&self) -> Result<Account, Failure> {
        let given = &self.provider_account;
        let id = given.account.clone().unwrap_or_else(|| format!("sim-{}", self.provider));
        let target = given.target.trim_end_matches('/');
        let url = format!("http://{}", given.status_api.unwrap_or(default_status_api()));
        let mut account = Account::of(&self.provider, &id, target, &url).ok_or_else(|| {
            let name = self.provider.clone();
            simulate::Error::Simulator(paystatus_simulator::Error::UnknownProvider { name })
        })?;
        if let Some(secret) = &given.secret {
            account.secret.clone_from(secret);
            account.signing_secret.clone_from(secret);
        }
        account.options.extend(given.option.iter().cloned());
        account.credentials.extend(given.credential.iter().cloned());
        Ok(account)
    }

    async fn play_orders(&self, client: &Client, settings: &Settings) -> Result<(), Stopped> {
        let simulator = simulate::start(settings).await?;
        let board = Arc::new(Board::default());
        let judged = tokio::select! {
            judged = simulate::run(client, &simulator, settings, &board) => judged?,
            () = show(&board, settings.orders) => Vec::new(),
        };
        clear();
        let problems = report::orders(&judged, settings, self.json)?;
        if problems > 0 { Err(Failure::Differs(problems).into()) } else { Ok(()) }
    }

    async fn play_scenario(
        &self,
        client: &Client,
        settings: &Settings,
        scenario: Scenario,
    ) -> Result<(), Stopped> {
        if scenario.needs_polling() && settings.status_api.is_none() {
            talk(
                &"this scenario has no webhooks: serve the status API with --status-api, and \
                   point the account's status_api.url at it",
            );
        }
        let simulator = simulate::start(settings).await?;
        let account = settings.account.id.clone();
        let (run, patience) = (settings.run.clone(), settings.patience);
        let stage = Stage::new(client.clone(), simulator, account, run, patience);
        let played = scenario::play(scenario, &stage).await?;
        report::scenario(scenario, &played, self.json)?;
        Ok(())
    }
}

/// Shows how far it is, for ever; on a terminal only.
async fn show(board: &Board, orders: u32) {
    let mut ticks = tokio::time::interval(Duration::from_millis(200));
    loop {
        ticks.tick().await;
        if std::io::stderr().is_terminal() {
            let now = board.progress();
            let (recorded, webhooks, ended) = (now.orders, now.webhooks, now.ended);
            draw(&format!(
                "{recorded} of {orders} orders, {webhooks} webhooks, {ended} sent whole"
            ));
        }
    }
}

fn clear() {
    if std::io::stderr().is_terminal() {
        draw("");
    }
}

/// Over the line that is there. If nobody looks, nothing is lost.
fn draw(line: &str) {
    drop(write!(std::io::stderr(), "\r\x1b[2K{line}"));
}

fn default_status_api() -> SocketAddr {
    STATUS_API.parse().unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8090)))
}

/// A name that no other run has, in few letters.
fn run_name(provider: &str) -> String {
    let micros = crate::clock::now().as_micros();
    format!("{provider}-{:x}", micros / 100_000)
}

fn known_provider(text: &str) -> Result<String, String> {
    let names = simulate::account::names();
    if names.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(format!("must be one of: {}", names.join(", ")))
}

fn parse_scenario(text: &str) -> Result<Scenario, String> {
    Scenario::parse(text).ok_or_else(|| {
        let names: Vec<&str> = Scenario::ALL.iter().map(|scenario| scenario.name()).collect();
        format!("must be a number from 1 to 5, or one of: {}", names.join(", "))
    })
}

fn parse_pair(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("must read NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

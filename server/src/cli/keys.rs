//! `paystatus keys`

use clap::{Args, Subcommand, ValueEnum};
use paystatus_client::{Key, NewKey, PageRequest, Role};

use super::{
    connection::Connection,
    failure::Failure,
    json,
    out::{Cell, Out, talk},
    words,
};

/// Manage API keys. Needs an owner's key.
#[derive(Args)]
pub(super) struct Keys {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List keys, without their secrets.
    List(List),
    /// Create a key. Prints its secret, which is shown this once.
    Create(Create),
    /// Revoke a key at once.
    Revoke(Revoke),
}

#[derive(Args)]
struct List {
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Args)]
struct Create {
    /// A name for people; timelines show it.
    name: String,
    /// What the key may do.
    #[arg(long, value_enum)]
    role: RoleArg,
    /// A merchant that it may touch; may be named several times. Without any: all, which only
    /// owners may.
    #[arg(long = "merchant", value_name = "MERCHANT")]
    merchants: Vec<String>,
    /// One JSON object, with the secret.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Args)]
struct Revoke {
    /// The public id of the key, as `keys list` shows it.
    key_id: String,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleArg {
    /// Records and watches orders of its merchants.
    Checkout,
    /// Also sees webhooks and unclaimed orders, and replays webhooks.
    Operator,
    /// Also manages keys and sees card tokens.
    Owner,
}

#[derive(serde::Serialize)]
struct CreatedJson<'a> {
    key: json::KeyJson<'a>,
    secret: Option<&'a str>,
}

impl Keys {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::List(list) => list.run(),
            Command::Create(create) => create.run(),
            Command::Revoke(revoke) => revoke.run(),
        }
    }
}

impl List {
    fn run(self) -> Result<(), Failure> {
        self.connection.run(async |client| {
            let mut keys: Vec<Key> = Vec::new();
            let mut list = PageRequest::default();
            loop {
                let page = client.list_keys(list).await?;
                keys.extend(page.items);
                let Some(token) = page.next_page_token else { break };
                list = PageRequest { token: Some(token), ..PageRequest::default() };
            }
            let mut out = Out::new();
            if self.json {
                keys.iter().try_for_each(|key| out.json(&json::key(key)))?;
            } else {
                let rows: Vec<Vec<Cell>> = keys.iter().map(row).collect();
                out.table(&["KEY", "NAME", "ROLE", "MERCHANTS", "CREATED"], &rows)?;
            }
            Ok(())
        })
    }
}

fn row(key: &Key) -> Vec<Cell> {
    let merchants = key.merchant_ids.join(" ");
    vec![
        Cell::text(&key.key_id),
        Cell::text(&key.name),
        Cell::text(key.role.to_string().to_lowercase()),
        if merchants.is_empty() { Cell::dim("all") } else { Cell::text(merchants) },
        Cell::dim(words::time(key.create_time)),
    ]
}

impl Create {
    fn run(self) -> Result<(), Failure> {
        self.connection.run(async |client| {
            let role = match self.role {
                RoleArg::Checkout => Role::Checkout,
                RoleArg::Operator => Role::Operator,
                RoleArg::Owner => Role::Owner,
            };
            let new = NewKey::new(&self.name, role);
            let new = self.merchants.iter().fold(new, NewKey::merchant);
            let created = client.create_key(new).await?;
            let mut out = Out::new();
            if self.json {
                let secret = created.secret.as_deref();
                out.json(&CreatedJson { key: json::key(&created.key), secret })?;
            } else {
                let id = &created.key.key_id;
                talk(&format_args!("created {id}; its secret is shown this once:"));
                out.line(created.secret.as_deref().unwrap_or_default())?;
            }
            Ok(())
        })
    }
}

impl Revoke {
    fn run(self) -> Result<(), Failure> {
        self.connection.run(async |client| {
            let was_there = client.delete_key(&self.key_id).await?;
            let what = if was_there { "revoked" } else { "there was no key" };
            talk(&format_args!("{what} {}", self.key_id));
            Ok(())
        })
    }
}

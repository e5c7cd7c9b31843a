//! `paystatus keys`

use clap::{Args, Subcommand, ValueEnum};
use paystatus_client::{Key, NewKey, Role};

use super::{
    connection::{Connection, every},
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
    /// What the key may do. That of an operator's key is operator.
    #[arg(long, value_enum, required_unless_present = "operator", conflicts_with = "operator")]
    role: Option<RoleArg>,
    /// A merchant that it may touch; may be named several times. Without any: all, which only
    /// owners may.
    #[arg(long = "merchant", value_name = "MERCHANT", conflicts_with = "operator")]
    merchants: Vec<String>,
    /// Make it a key of this operator, for the merchants that the operator has at each moment.
    #[arg(long, value_name = "OPERATOR")]
    operator: Option<String>,
    /// Let it end after this time, such as 12h or 90days. Otherwise it does not.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    expires: Option<std::time::Duration>,
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
    /// Also manages keys and operators, and sees card tokens and the audit list.
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
            let keys = every(async |page| client.list_keys(page).await).await?;
            let heading =
                ["KEY", "NAME", "ROLE", "MERCHANTS", "CREATED", "EXPIRES", "LAST USE", "CALLS"];
            let json = self.json.then_some(json::key);
            Ok(Out::new().list(&keys, json, &heading, row)?)
        })
    }
}

fn row(key: &Key) -> Vec<Cell> {
    let merchants = key.merchant_ids.join(" ");
    let role = key.role.to_string().to_lowercase();
    let role = match key.operator_id.as_str() {
        "" => role,
        operator => format!("{role} {operator}"),
    };
    let time = |time: Option<_>, none: &str| match time {
        Some(_) => Cell::dim(words::time(time)),
        None => Cell::dim(none),
    };
    let calls: i64 = key.calls.iter().map(|calls| calls.count).sum();
    vec![
        Cell::text(&key.key_id),
        Cell::text(&key.name),
        Cell::text(role),
        if merchants.is_empty() { Cell::dim("all") } else { Cell::text(merchants) },
        Cell::dim(words::time(key.create_time)),
        time(key.expire_time, "never"),
        time(key.last_use_time, "never"),
        Cell::dim(calls.to_string()),
    ]
}

impl Create {
    fn run(self) -> Result<(), Failure> {
        self.connection.run(async |client| {
            let role = match self.role {
                Some(RoleArg::Checkout) => Role::Checkout,
                Some(RoleArg::Owner) => Role::Owner,
                Some(RoleArg::Operator) | None => Role::Operator,
            };
            let new = match &self.operator {
                Some(operator) => NewKey::of_operator(&self.name, operator),
                None => NewKey::new(&self.name, role),
            };
            let mut new = self.merchants.iter().fold(new, NewKey::merchant);
            if let Some(ttl) = self.expires {
                new = new.expires_after(ttl);
            }
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

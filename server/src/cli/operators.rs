//! `paystatus operators`

use clap::{Args, Subcommand};
use paystatus_client::{NewOperator, Operator};

use super::{
    connection::{Connection, Stopped, every},
    failure::Failure,
    json,
    out::{Cell, Out, talk},
    words,
};

/// Manage operators, and the merchants they act for. Needs an owner's key.
#[derive(Args)]
pub(super) struct Operators {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List operators.
    List(List),
    /// Create an operator. `keys create --operator` then makes its keys.
    Add(Stated),
    /// Replace the name and all merchants of an operator, at once for its keys too.
    Set(Stated),
    /// Delete an operator and revoke its keys at once.
    Remove(Remove),
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
struct Stated {
    /// Your id of the operator.
    operator_id: String,
    /// A name for people.
    #[arg(long)]
    name: String,
    /// A merchant that it acts for; may be named several times.
    #[arg(long = "merchant", value_name = "MERCHANT", required = true)]
    merchants: Vec<String>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Args)]
struct Remove {
    /// The operator's id.
    operator_id: String,
    #[command(flatten)]
    connection: Connection,
}

impl Operators {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::List(list) => list.run(),
            Command::Add(stated) => stated.connection.run(async |client| {
                stated.show("created", &client.create_operator(stated.operator()).await?)
            }),
            Command::Set(stated) => stated.connection.run(async |client| {
                stated.show("replaced", &client.update_operator(stated.operator()).await?)
            }),
            Command::Remove(remove) => remove.run(),
        }
    }
}

impl List {
    fn run(self) -> Result<(), Failure> {
        self.connection.run(async |client| {
            let operators = every(async |page| client.list_operators(page).await).await?;
            let heading = ["OPERATOR", "NAME", "MERCHANTS", "KEYS", "CREATED"];
            let json = self.json.then_some(json::operator);
            Ok(Out::new().list(&operators, json, &heading, row)?)
        })
    }
}

fn row(operator: &Operator) -> Vec<Cell> {
    vec![
        Cell::text(&operator.operator_id),
        Cell::text(&operator.display_name),
        Cell::text(operator.merchant_ids.join(" ")),
        Cell::text(operator.key_count.to_string()),
        Cell::dim(words::time(operator.create_time)),
    ]
}

impl Stated {
    fn operator(&self) -> NewOperator {
        let new = NewOperator::new(&self.operator_id, &self.name);
        self.merchants.iter().fold(new, NewOperator::merchant)
    }

    fn show(&self, what: &str, operator: &Operator) -> Result<(), Stopped> {
        if self.json {
            Out::new().json(&json::operator(operator))?;
        } else {
            let merchants = operator.merchant_ids.join(" ");
            talk(&format_args!("{what} {}, who acts for {merchants}", operator.operator_id));
        }
        Ok(())
    }
}

impl Remove {
    fn run(self) -> Result<(), Failure> {
        self.connection.run(async |client| {
            let was_there = client.delete_operator(&self.operator_id).await?;
            let what = if was_there { "removed" } else { "there was no operator" };
            talk(&format_args!("{what} {}", self.operator_id));
            Ok(())
        })
    }
}

//! `paystatus audit`

use std::time::SystemTime;

use clap::Args;
use paystatus_client::{AuditEntry, ListAuditEntries, PageRequest};

use super::{
    connection::Connection,
    failure::Failure,
    json,
    out::{Cell, Out},
    when, words,
};

/// Show who did what, newest first. Needs an owner's key.
#[derive(Args)]
pub(super) struct Audit {
    /// Only what was done with this key, by its id.
    #[arg(long = "of-key", value_name = "KEY_ID")]
    key_id: Option<String>,
    /// Only what was done with keys of this operator.
    #[arg(long, value_name = "OPERATOR")]
    operator: Option<String>,
    /// Only what concerns this merchant.
    #[arg(long = "of", value_name = "MERCHANT")]
    merchant: Option<String>,
    /// Only from then on: a time, a date, or how long ago.
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    since: Option<SystemTime>,
    /// Only before then.
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    until: Option<SystemTime>,
    /// How many at most.
    #[arg(long, default_value_t = 100, value_name = "COUNT")]
    limit: usize,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Audit {
    pub(super) fn run(self) -> Result<(), Failure> {
        self.connection.run(async |client| {
            let mut list = ListAuditEntries {
                key_id: self.key_id.clone().unwrap_or_default(),
                operator_id: self.operator.clone().unwrap_or_default(),
                merchant_id: self.merchant.clone().unwrap_or_default(),
                since: self.since,
                until: self.until,
                page: PageRequest::default(),
            };
            let mut entries: Vec<AuditEntry> = Vec::new();
            while entries.len() < self.limit {
                let page = client.list_audit_entries(list.clone()).await?;
                entries.extend(page.items);
                let Some(token) = page.next_page_token else { break };
                list.page.token = Some(token);
            }
            entries.truncate(self.limit);
            let heading = ["TIME", "WHO", "METHOD", "OBJECT", "OUTCOME", "WHAT"];
            let json = self.json.then_some(json::audit_entry);
            Ok(Out::new().list(&entries, json, &heading, row)?)
        })
    }
}

fn row(entry: &AuditEntry) -> Vec<Cell> {
    let who = match entry.operator_id.as_str() {
        "" => entry.actor.clone(),
        operator => format!("{} ({operator})", entry.actor),
    };
    let what = match entry.left_out_count {
        0 => entry.detail.clone(),
        count => format!("{}; and {count} more such", entry.detail),
    };
    vec![
        Cell::dim(words::time(entry.record_time)),
        Cell::text(who),
        Cell::text(&entry.method),
        Cell::text(&entry.object_id),
        Cell::text(entry.outcome.to_string().to_lowercase()),
        Cell::dim(what),
    ]
}

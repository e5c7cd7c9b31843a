//! `paystatus accounts rotate`: changes a configuration file and nothing else. Comments and layout
//! stay, and the file is replaced in one step, with the owner and the permissions that it had.

use std::{
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use clap::Args;
use jiff::Timestamp;
use rand::Rng as _;
use toml_edit::{Array, DocumentMut, InlineTable, Item, TableLike, Value};

use crate::{
    cli::{
        failure::Failure,
        out::{Out, talk},
    },
    clock,
    config::{self, Config},
};

/// Bytes of a secret that is read.
const SECRET_BYTES_MAX: u64 = 16 * 1024;
/// Bytes of randomness in one that is made.
const RANDOM_BYTES: usize = 32;

/// Put a new secret first, and let the old ones end.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("new").required(true).args(["secret_file", "stdin", "generate"]))]
pub(in crate::cli) struct Rotate {
    /// The account.
    account: String,
    /// The configuration file that holds it.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Read the new secret from this file.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Read the new secret from standard input.
    #[arg(long)]
    stdin: bool,
    /// Make a new secret and print it, this once: for senders that you configure yourself.
    #[arg(long)]
    generate: bool,
    /// How long the old secrets still count.
    #[arg(long, value_name = "DURATION", default_value = "24h")]
    #[arg(value_parser = humantime::parse_duration)]
    overlap: Duration,
}

/// Why a secret was not rotated. The file is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(in crate::cli) enum Error {
    /// A file cannot be read or written.
    #[error("{path} cannot be {doing}: {source}")]
    File {
        path: String,
        doing: &'static str,
        #[source]
        source: io::Error,
    },
    /// The file is not TOML. What stands in it is not shown.
    #[error("{path} is not a TOML file")]
    NotToml { path: String },
    /// The file has no such account.
    #[error("the file has no account {account}")]
    NoAccount { account: String },
    /// Secrets in another form than an array.
    #[error("the secrets of this account must stand in an array: secrets = [\"…\"]")]
    NotAnArray,
    /// There is no secret to put in.
    #[error("the new secret is empty")]
    Empty,
    /// It is there already.
    #[error("the account has this secret already")]
    Known,
    /// A date cannot be made.
    #[error("the overlap is too long")]
    TooLong,
    /// What came out does not work.
    #[error("the file would not work after this: {0}")]
    Unusable(#[from] config::Error),
}

/// What was done to a file.
#[derive(Debug, PartialEq, Eq)]
struct Rotated {
    text: String,
    /// Secrets that end with the overlap.
    ending: usize,
    /// True if secrets in files go on counting, which have no dates.
    has_files: bool,
}

impl Rotate {
    pub(in crate::cli) fn run(self) -> Result<(), Failure> {
        let secret = self.secret()?;
        let at = |doing| {
            let path = self.config.display().to_string();
            move |source| Error::File { path, doing, source }
        };
        // Where a link leads to: the link itself stays.
        let file = self.config.canonicalize().map_err(at("read"))?;
        let text = std::fs::read_to_string(&file).map_err(at("read"))?;
        let now = Timestamp::from_microsecond(clock::now().as_micros());
        let now = now.map_err(|_| Error::TooLong)?;
        let rotated = rotate(&text, &self.account, &secret, (now, self.overlap)).map_err(
            |error| match error {
                Error::NotToml { .. } => Error::NotToml { path: self.config.display().to_string() },
                error => error,
            },
        )?;
        replace(&file, &rotated.text)?;
        if self.generate {
            talk(&"the new secret, shown this once:");
            Out::new().line(&secret)?;
        }
        self.tell(&rotated);
        Ok(())
    }

    fn tell(&self, rotated: &Rotated) {
        let (account, file) = (&self.account, self.config.display());
        let overlap = humantime::format_duration(self.overlap);
        talk(&format_args!("{account} has a new secret in {file}."));
        if rotated.ending > 0 {
            talk(&format_args!("{} before it end in {overlap}.", rotated.ending));
        }
        if rotated.has_files {
            talk(&"Secrets in secret_files have no dates: take the old ones out once it is over.");
        }
        talk(&"Next: send SIGHUP to the server (kill -HUP PID), then give it to the provider.");
    }

    fn secret(&self) -> Result<String, Error> {
        if self.generate {
            let bytes: [u8; RANDOM_BYTES] = rand::rng().random();
            return Ok(format!("whsec_{}", BASE64.encode(bytes)));
        }
        let mut text = String::new();
        let (name, read) = match &self.secret_file {
            Some(file) => {
                let opened = std::fs::File::open(file);
                let read = opened.and_then(|f| f.take(SECRET_BYTES_MAX).read_to_string(&mut text));
                (file.display().to_string(), read)
            }
            None => {
                let read = io::stdin().lock().take(SECRET_BYTES_MAX).read_to_string(&mut text);
                ("standard input".to_owned(), read)
            }
        };
        read.map_err(|source| Error::File { path: name, doing: "read", source })?;
        match text.trim() {
            "" => Err(Error::Empty),
            secret => Ok(secret.to_owned()),
        }
    }
}

/// The text of a configuration with a new secret first, and an end for those before it.
fn rotate(
    text: &str,
    account: &str,
    secret: &str,
    (now, overlap): (Timestamp, Duration),
) -> Result<Rotated, Error> {
    let mut document: DocumentMut =
        text.parse().map_err(|_| Error::NotToml { path: String::new() })?;
    let end = now.checked_add(overlap).map_err(|_| Error::TooLong)?;
    let missing = || Error::NoAccount { account: account.to_owned() };
    let table = find(&mut document, account).ok_or_else(missing)?;
    let has_files = table.get("secret_files").is_some();
    let secrets = match table.get_mut("secrets") {
        None => {
            table.insert("secrets", Item::Value(Value::Array(Array::new())));
            table.get_mut("secrets").and_then(Item::as_array_mut)
        }
        Some(item) => item.as_array_mut(),
    };
    let secrets = secrets.ok_or(Error::NotAnArray)?;
    let is_new = |value: &Value| text_of(value) != Some(secret);
    if !secrets.iter().all(is_new) {
        return Err(Error::Known);
    }
    let mut ending = 0;
    for value in secrets.iter_mut() {
        ending += usize::from(end_at(value, now, end));
    }
    put_first(secrets, dated(secret, ("from", now)));
    Ok(Rotated { text: document.to_string(), ending, has_files })
}

/// The account's table, however it is written.
fn find<'a>(document: &'a mut DocumentMut, account: &str) -> Option<&'a mut dyn TableLike> {
    let is_meant = |table: &dyn TableLike| table.get("id").and_then(Item::as_str) == Some(account);
    match document.get_mut("accounts")? {
        Item::ArrayOfTables(tables) => tables
            .iter_mut()
            .find(|table| is_meant(*table))
            .map(|table| table as &mut dyn TableLike),
        Item::Value(Value::Array(tables)) => tables
            .iter_mut()
            .filter_map(Value::as_inline_table_mut)
            .find(|table| is_meant(*table))
            .map(|table| table as &mut dyn TableLike),
        _ => None,
    }
}

/// A secret with a date.
fn dated(secret: &str, (name, time): (&str, Timestamp)) -> Value {
    let mut table = InlineTable::new();
    table.insert("value", secret.into());
    table.insert(name, written(time).into());
    Value::InlineTable(table)
}

fn written(time: Timestamp) -> String {
    format!("{time:.0}")
}

fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::InlineTable(table) => table.get("value")?.as_str(),
        value => value.as_str(),
    }
}

/// Gives a secret an end, unless it has an earlier one or does not count yet. True if it did.
fn end_at(value: &mut Value, now: Timestamp, end: Timestamp) -> bool {
    let time_of = |table: &InlineTable, name: &str| -> Option<Timestamp> {
        table.get(name)?.as_str()?.parse().ok()
    };
    if let Value::InlineTable(table) = value {
        let is_coming = time_of(table, "from").is_some_and(|from| from > now);
        let ends_before = time_of(table, "until").is_some_and(|until| until <= end);
        if is_coming || ends_before {
            return false;
        }
        table.insert("until", written(end).into());
        // Only within its braces, where no comment can stand.
        table.fmt();
        return true;
    }
    let Some(text) = value.as_str() else { return false };
    let decor = value.decor().clone();
    let mut with_end = dated(text, ("until", end));
    *with_end.decor_mut() = decor;
    *value = with_end;
    true
}

/// Puts a value first, on a line of its own if the others have one each.
fn put_first(array: &mut Array, mut value: Value) {
    let prefix = array.get(0).and_then(|first| first.decor().prefix()).and_then(|p| p.as_str());
    let prefix = prefix.unwrap_or_default().to_owned();
    match prefix.rsplit_once('\n') {
        Some((_, indent)) => value.decor_mut().set_prefix(format!("\n{indent}")),
        None => {
            value.decor_mut().set_prefix("");
            if let Some(first) = array.get_mut(0) {
                first.decor_mut().set_prefix(" ");
            }
        }
    }
    array.insert_formatted(0, value);
}

/// Puts a text in the place of a file, in one step, once it is known to work.
fn replace(file: &Path, text: &str) -> Result<(), Error> {
    let at = |doing| {
        let path = file.display().to_string();
        move |source| Error::File { path, doing, source }
    };
    let folder = file.parent().unwrap_or(Path::new("."));
    // The name tells what it is when the settings are read from it.
    let mut next = tempfile::Builder::new()
        .prefix(".paystatus-")
        .suffix(".toml")
        .tempfile_in(folder)
        .map_err(at("replaced"))?;
    next.write_all(text.as_bytes()).map_err(at("written"))?;
    Config::load(Some(next.path()))?.accounts()?;
    let known = std::fs::metadata(file).map_err(at("read"))?;
    keep_owner(next.path(), &known).map_err(at("given to its owner"))?;
    next.as_file().set_permissions(known.permissions()).map_err(at("given its permissions"))?;
    next.as_file().sync_all().map_err(at("written"))?;
    next.persist(file).map_err(|error| at("replaced")(error.error))?;
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(at("synced"))
}

fn keep_owner(next: &Path, known: &std::fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let made = std::fs::metadata(next)?;
    if (made.uid(), made.gid()) == (known.uid(), known.gid()) {
        return Ok(());
    }
    chown(next, Some(known.uid()), Some(known.gid()))
}

#[cfg(test)]
mod tests;

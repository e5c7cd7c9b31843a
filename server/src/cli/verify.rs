//! `paystatus verify`

use std::{
    io::IsTerminal as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::Args;
use serde::Serialize;

use super::{
    failure::Failure,
    out::{Out, talk},
    words::{DIM, GOOD},
};
use crate::{
    config::Config,
    journal::{Journal as _, file::Check},
    serve,
    store::{Progress, verify::Report},
};

/// How often progress is told.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// Prove that the view of a stopped server agrees with its journal.
///
/// Reads every record and attachment of the journal, checks their checksums and hashes, computes
/// every order anew from its facts, and compares all of it with the view.
#[derive(Args)]
pub(super) struct Verify {
    /// Folder of the data.
    #[arg(long, value_name = "FOLDER", default_value = "./paystatus-data")]
    data: PathBuf,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct ReportJson {
    agrees: bool,
    records: u64,
    orders: u64,
    claims: u64,
    seconds: f64,
}

impl Verify {
    pub(super) fn run(self) -> Result<(), Failure> {
        super::log::start("warn");
        let started = Instant::now();
        if !serve::is_data(&self.data) {
            return Err(Failure::NoData { path: self.data.display().to_string() });
        }
        talk(&format_args!("{DIM}checking the checksums and hashes of the journal{DIM:#}"));
        let mut shown = Instant::now();
        let is_terminal = std::io::stderr().is_terminal();
        let report = verify(Config { data: self.data, ..Config::default() }, |progress| {
            if is_terminal && shown.elapsed() >= PROGRESS_INTERVAL {
                shown = Instant::now();
                let Progress { applied, head } = progress;
                talk(&format_args!("{DIM}folded {applied} of {head} records{DIM:#}"));
            }
        })?;
        let Report { records, orders, claims } = report;
        let seconds = started.elapsed().as_secs_f64();
        let mut out = Out::new();
        if self.json {
            out.json(&ReportJson { agrees: true, records, orders, claims, seconds })?;
        } else {
            out.line(format_args!(
                "{GOOD}the view agrees with the journal{GOOD:#}: {records} records, {orders} \
                 orders, {claims} claims, {seconds:.1} s"
            ))?;
        }
        Ok(())
    }
}

fn verify(config: Config, progress: impl FnMut(Progress)) -> Result<Report, Failure> {
    let data = serve::open(&config, Check::Hashes)?;
    let reader = data.journal.reader();
    Ok(data.store.verify(&*reader, progress)?)
}

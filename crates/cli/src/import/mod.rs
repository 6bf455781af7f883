//! Records of another system into a server or a folder, with progress, and the report of what became of them.
//!
//! Invariant: every record that the reader gives is handed over exactly once; the report comes after the last one is
//! durable.

mod report;
mod sink;
mod wire;

use std::{fs::File, io::BufReader};

use indicatif::ProgressBar;
use pegcount_domain::ids::SourceId;
use pegcount_import::{ContactRecord, bank::BankReader};

use crate::{
    args::{BankArgs, Format},
    error::CliError,
    output,
    progress::styled,
    target::{self, Missing, Target},
    when,
};
use report::Outcome;
use sink::Sink;

/// Records handed over at once: some 300 KiB as a message, well below what a server takes.
const RECORDS_PER_MESSAGE: usize = 500;

/// Records that are brought into the order of their times before they are handed over. Files come in any order, and
/// history that arrives in its own order is folded fastest. A longer file is ordered part by part.
const RECORDS_IN_ORDER: usize = 250_000;

/// `pegcount import bank`.
pub(crate) async fn bank(args: BankArgs) -> Result<(), CliError> {
    let zone = when::zone(&args.time_zone)?;
    let site = target::site(&args.site)?;
    let source = SourceId(target::name("--source", &args.source)?);
    let failed = |action| {
        let path = args.file.clone();
        move |source| CliError::File { action, path, source }
    };
    let file = File::open(&args.file).map_err(failed("open"))?;
    let bar = progress(file.metadata().map_err(failed("read"))?.len());
    let bank = |source| CliError::Bank { path: args.file.clone(), source };
    let mut reader = BankReader::new(bar.wrap_read(BufReader::new(file)), zone).map_err(bank)?;

    let target = Target::open(&args.target, Missing::Make).await?;
    let mut sink = Sink::open(&target, &site, &source);
    let mut part: Vec<ContactRecord> = Vec::new();
    for record in &mut reader {
        part.push(record.map_err(bank)?);
        if part.len() == RECORDS_IN_ORDER {
            hand_over(std::mem::take(&mut part), &mut sink).await?;
        }
    }
    bar.finish_and_clear();
    hand_over(part, &mut sink).await?;
    let done = sink.finish().await?;
    target.close().await?;

    let outcome = Outcome { file: args.file.display().to_string(), read: reader.into_report(), done };
    match args.format {
        Format::Table => output::line(report::text(&outcome, args.verbose)),
        Format::Csv => Ok(report::csv(&outcome, output::out())?),
        Format::Json => output::line(report::json(&outcome)),
    }
}

/// Hands records over in the order of their times.
async fn hand_over(mut records: Vec<ContactRecord>, sink: &mut Sink) -> Result<(), CliError> {
    records.sort_by_key(|record| record.facts.first().map(|(at, _)| *at));
    let bar = ProgressBar::new(records.len().try_into().unwrap_or(u64::MAX));
    let bar = styled(bar, "storing {bar:40} {percent:>3} % · {human_pos} of {human_len} records · {elapsed}");
    let mut records = records.into_iter();
    loop {
        let message: Vec<ContactRecord> = records.by_ref().take(RECORDS_PER_MESSAGE).collect();
        if message.is_empty() {
            bar.finish_and_clear();
            return Ok(());
        }
        bar.inc(message.len().try_into().unwrap_or(u64::MAX));
        sink.send(message).await?;
    }
}

/// A bar over the file's bytes.
fn progress(bytes: u64) -> ProgressBar {
    let form = "reading {bar:40} {percent:>3} % · {bytes} of {total_bytes} · {elapsed}";
    styled(ProgressBar::new(bytes), form)
}

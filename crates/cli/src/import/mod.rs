//! Records of another system into a server or a folder, with progress, and the report of what became of them.
//!
//! Invariant: every record that the reader gives is handed over exactly once; the report comes after the last one is
//! durable.

mod report;
mod sink;
mod wire;

use std::{fs::File, io::BufReader};

use indicatif::{ProgressBar, ProgressStyle};
use pegcount_domain::ids::SourceId;
use pegcount_import::{ContactRecord, bank::BankReader};

use crate::{
    args::{BankArgs, Format},
    error::CliError,
    output,
    target::{self, Missing, Target},
    when,
};
use report::Outcome;
use sink::Sink;

/// Records handed over at once: some 300 KiB as a message, well below what a server takes.
const RECORDS_PER_MESSAGE: usize = 500;

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
    let mut batch: Vec<ContactRecord> = Vec::with_capacity(RECORDS_PER_MESSAGE);
    for record in &mut reader {
        batch.push(record.map_err(bank)?);
        if batch.len() == RECORDS_PER_MESSAGE {
            sink.send(std::mem::take(&mut batch)).await?;
        }
    }
    if !batch.is_empty() {
        sink.send(batch).await?;
    }
    let done = sink.finish().await?;
    bar.finish_and_clear();
    target.close().await?;

    let outcome = Outcome { file: args.file.display().to_string(), read: reader.into_report(), done };
    match args.format {
        Format::Table => output::line(report::text(&outcome, args.verbose)),
        Format::Csv => Ok(report::csv(&outcome, output::out())?),
        Format::Json => output::line(report::json(&outcome)),
    }
}

/// A bar over the file's bytes; it draws itself only if standard error is a terminal.
fn progress(bytes: u64) -> ProgressBar {
    let bar = ProgressBar::new(bytes);
    let style = "{bar:40} {percent:>3} % · {bytes} of {total_bytes} · {elapsed}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar
}

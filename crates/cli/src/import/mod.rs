//! Records of another system into a server or a folder, with progress, and the report of what became of them.
//!
//! Invariant: every record that the reader gives is handed over exactly once; the report comes after the last one is
//! durable.

mod counts;
mod report;
mod sink;
mod ticket_report;
mod tickets;
mod wire;

pub(crate) use tickets::tickets;

use std::{fs::File, io::BufReader};

use indicatif::ProgressBar;
use pegcount_domain::{ids::SourceId, time::Micros};
use pegcount_import::{ContactRecord, bank::BankReader};

use crate::{
    args::BankArgs,
    error::CliError,
    progress::styled,
    target::{self, Missing, Target},
    when,
};
use report::Outcome;
use sink::{Contacts, Kind, Sink};

/// Records handed over at once: some 300 KiB as a message, well below what a server takes.
const RECORDS_PER_MESSAGE: usize = 500;

/// A message with about so many bytes gets no more records.
const MESSAGE_BYTES: usize = 512 * 1024;

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
    let mut sink = Sink::<Contacts>::open(&target, &site, &source);
    let mut part: Vec<ContactRecord> = Vec::new();
    for record in &mut reader {
        part.push(record.map_err(bank)?);
        if part.len() == RECORDS_IN_ORDER {
            hand_over(std::mem::take(&mut part), begins, &mut sink).await?;
        }
    }
    bar.finish_and_clear();
    hand_over(part, begins, &mut sink).await?;
    let done = sink.finish().await?;
    target.close().await?;

    let outcome = Outcome { file: args.file.display().to_string(), read: reader.into_report(), done };
    outcome.write(args.format, args.verbose)
}

fn begins(record: &ContactRecord) -> Option<Micros> {
    record.facts.first().map(|(at, _)| *at)
}

/// Hands records over in the order in which they begin.
async fn hand_over<K: Kind + 'static>(
    mut records: Vec<K::Record>,
    begins: impl Fn(&K::Record) -> Option<Micros>,
    sink: &mut Sink<K>,
) -> Result<(), CliError> {
    records.sort_by_key(begins);
    let bar = ProgressBar::new(records.len().try_into().unwrap_or(u64::MAX));
    let bar = styled(bar, "storing {bar:40} {percent:>3} % · {human_pos} of {human_len} records · {elapsed}");
    let mut records = records.into_iter().peekable();
    loop {
        let mut bytes = 0;
        let room = |record: &K::Record| {
            let has_room = bytes < MESSAGE_BYTES;
            bytes += K::bytes(record);
            has_room
        };
        let message: Vec<K::Record> = take_while(&mut records, room);
        if message.is_empty() {
            bar.finish_and_clear();
            return Ok(());
        }
        bar.inc(message.len().try_into().unwrap_or(u64::MAX));
        sink.send(message).await?;
    }
}

/// At most a message's records, as long as there is room.
fn take_while<R>(
    records: &mut std::iter::Peekable<impl Iterator<Item = R>>,
    mut room: impl FnMut(&R) -> bool,
) -> Vec<R> {
    let mut taken = Vec::new();
    while taken.len() < RECORDS_PER_MESSAGE
        && let Some(record) = records.next_if(&mut room)
    {
        taken.push(record);
    }
    taken
}

/// A bar over the file's bytes.
fn progress(bytes: u64) -> ProgressBar {
    let form = "reading {bar:40} {percent:>3} % · {bytes} of {total_bytes} · {elapsed}";
    styled(ProgressBar::new(bytes), form)
}

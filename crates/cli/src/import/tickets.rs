//! `pegcount import tickets`: histories of another system's tickets, by a map.
//!
//! Invariant: nothing is stored before the whole file and the map were read.

use std::{fs, fs::File, io::BufReader};

use pegcount_domain::{ids::SourceId, ticketing::TicketRecord, time::Micros};
use pegcount_import::tickets::{TicketMap, TicketReader};

use super::{
    RECORDS_IN_ORDER, hand_over, progress,
    sink::{Sink, Tickets},
    ticket_report::counted,
};
use crate::{
    args::TicketsArgs,
    error::CliError,
    target::{self, Missing, Target},
};

/// `pegcount import tickets`.
pub(crate) async fn tickets(args: TicketsArgs) -> Result<(), CliError> {
    let site = target::site(&args.site)?;
    let source = SourceId(target::name("--source", &args.source)?);
    let failed = |action, path: &std::path::Path| {
        let path = path.to_owned();
        move |source| CliError::File { action, path, source }
    };
    let text = fs::read_to_string(&args.map).map_err(failed("read", &args.map))?;
    let map = TicketMap::parse(&text)
        .map_err(|source| CliError::TicketMap { path: args.map.clone(), source: Box::new(source) })?;
    let file = File::open(&args.file).map_err(failed("open", &args.file))?;
    let bar = progress(file.metadata().map_err(failed("read", &args.file))?.len());
    let wrong = |source| CliError::Tickets { path: args.file.clone(), source };
    let mut reader = TicketReader::read(bar.wrap_read(BufReader::new(file)), &map).map_err(wrong)?;
    bar.finish_and_clear();

    let done = if args.dry_run {
        for record in &mut reader {
            record.map_err(wrong)?;
        }
        None
    } else {
        let target = Target::open(&args.target, Missing::Make).await?;
        let mut sink = Sink::<Tickets>::open(&target, &site, &source);
        let mut part: Vec<TicketRecord> = Vec::new();
        for record in &mut reader {
            part.push(record.map_err(wrong)?);
            if part.len() == RECORDS_IN_ORDER {
                hand_over(std::mem::take(&mut part), begins, &mut sink).await?;
            }
        }
        hand_over(part, begins, &mut sink).await?;
        let done = sink.finish().await?;
        target.close().await?;
        Some(done)
    };
    counted(args.file.display().to_string(), reader.into_report(), done).write(args.format, args.verbose)
}

fn begins(record: &TicketRecord) -> Option<Micros> {
    record.facts.first().map(|fact| fact.at)
}

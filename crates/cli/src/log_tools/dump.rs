//! `pegcount log dump`: every event out of a log, as lines of JSON or as protobuf.
//!
//! Invariant: the last thing that is written says how many events there were, so a dump that was cut short is noticed.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
};

use pegcount_domain::{envelope::Position, ids::Incarnation};
use pegcount_log::tools::{Events, StoredEvent};
use pegcount_proto::stored::{DumpEnd, DumpHeader, DumpItem, dump_item::Item};
use prost::Message;
use serde_json::json;

use super::{
    bar,
    events::{Line, message},
};
use crate::{
    args::{DumpArgs, DumpFormat},
    error::CliError,
    output,
};

/// The version of the form.
pub(super) const FORM: u32 = 1;

/// Writes the events that are asked for.
pub(crate) fn run(args: &DumpArgs) -> Result<(), CliError> {
    let events = Events::open(&args.dir)?;
    let Some(path) = &args.output else {
        return write(args, &events, &mut BufWriter::new(output::out()));
    };
    let failed = |action| move |source| CliError::File { action, path: path.clone(), source };
    let file = OpenOptions::new().write(true).create_new(true).open(path).map_err(failed("make"))?;
    let mut out = BufWriter::new(file);
    write(args, &events, &mut out).map_err(|error| match error {
        CliError::Output(source) => failed("write")(source),
        error => error,
    })?;
    let file: File = out.into_inner().map_err(|error| failed("write")(error.into_error()))?;
    file.sync_all().map_err(failed("sync"))
}

fn write(args: &DumpArgs, events: &Events, out: &mut impl Write) -> Result<(), CliError> {
    let mut writer = Writer { out, format: args.format, events: 0 };
    writer.header(events)?;
    let (from, to) = (Position(args.from.unwrap_or(1)), Position(args.to.unwrap_or(u64::MAX)));
    let mut written = Ok(());
    events.each(from, to, &bar("dumping"), |event| {
        written = writer.event(event);
        written.is_ok()
    })?;
    written?;
    writer.end()?;
    Ok(writer.out.flush()?)
}

struct Writer<'a, W> {
    out: &'a mut W,
    format: DumpFormat,
    events: u64,
}

impl<W: Write> Writer<'_, W> {
    fn header(&mut self, events: &Events) -> io::Result<()> {
        let Incarnation(incarnation) = events.incarnation();
        // Of a log that is whole there is nothing to say.
        let first = Some(events.first().0).filter(|first| *first > 1);
        match self.format {
            DumpFormat::Json => {
                let incarnation = format!("{incarnation:032x}");
                let mut header = json!({ "pegcount_dump": FORM, "incarnation": incarnation });
                if let (Some(first), Some(header)) = (first, header.as_object_mut()) {
                    header.insert("first".to_owned(), json!(first));
                }
                writeln!(self.out, "{header}")
            }
            DumpFormat::Protobuf => {
                let incarnation = incarnation.to_be_bytes().to_vec().into();
                self.item(Item::Header(DumpHeader { pegcount_dump: FORM, incarnation, first }))
            }
        }
    }

    fn event(&mut self, event: &StoredEvent) -> io::Result<()> {
        self.events += 1;
        match self.format {
            DumpFormat::Json => {
                serde_json::to_writer(&mut *self.out, &Line::of(event))?;
                self.out.write_all(b"\n")
            }
            DumpFormat::Protobuf => self.item(Item::Event(message(event))),
        }
    }

    fn end(&mut self) -> io::Result<()> {
        let events = self.events;
        match self.format {
            DumpFormat::Json => writeln!(self.out, "{}", json!({ "end": { "events": events } })),
            DumpFormat::Protobuf => self.item(Item::End(DumpEnd { events })),
        }
    }

    fn item(&mut self, item: Item) -> io::Result<()> {
        self.out.write_all(&DumpItem { item: Some(item) }.encode_length_delimited_to_vec())
    }
}

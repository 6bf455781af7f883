//! `pegcount log load`: a dump becomes a log.
//!
//! Invariant: what does not fit is named by its number in the file, and then nothing is made.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use indicatif::ProgressBar;
use pegcount_log::tools::{Load, Progress, StoredEvent, ToolError};
use pegcount_proto::stored::{DumpItem, dump_item::Item};
use prost::Message;
use serde_json::Value;

use super::{
    bar,
    dump::FORM,
    events::{Line, event},
};
use crate::{args::LoadArgs, error::CliError, figures::human::number, output};

/// The longest item or line that there can be, bytes: an event of 32 KiB in JSON, with its body in words.
const ITEM_BYTES_MAX: u64 = 1024 * 1024;

/// Loads, and says what came of it.
pub(crate) fn run(args: &LoadArgs) -> Result<(), CliError> {
    let failed = |action| move |source| CliError::File { action, path: args.file.clone(), source };
    let file = File::open(&args.file).map_err(failed("open"))?;
    let bar = bar("loading");
    bar.total(file.metadata().map_err(failed("read"))?.len());
    let mut dump = Dump::new(&args.file, file, &bar.0).map_err(failed("read"))?;
    dump.header()?;
    let mut load = Load::begin(&args.dir)?;
    let mut events = 0;
    loop {
        match dump.next()? {
            Next::Event(event) => load.push(&event).map_err(|error| match error {
                ToolError::Misfit { what } => dump.wrong(what),
                error => error.into(),
            })?,
            Next::End(said) if said == events => break,
            Next::End(said) => {
                return Err(dump.wrong(format!("it ends after {said} events, but there are {events}")));
            }
        }
        events += 1;
    }
    let done = load.finish()?;
    drop(bar);
    output::line(format_args!(
        "{}: everything up to position {}, incarnation {:032x}",
        done.dir.display(),
        number(done.end.0),
        done.incarnation.0,
    ))
}

/// Why no log can be made of a dump that begins at position `first`.
fn gone(first: u64) -> String {
    format!(
        "the log that was dumped begins at position {first}: what was before had been dropped from it, and without that a log would count versions and sources' numbers anew; restore a backup instead (`pegcount log restore`)"
    )
}

enum Next {
    Event(Box<StoredEvent>),
    End(u64),
}

/// A dump that is read.
struct Dump<'a> {
    path: &'a Path,
    reader: BufReader<indicatif::ProgressBarIter<File>>,
    is_json: bool,
    /// Of the line or item that was read last.
    number: u64,
}

impl<'a> Dump<'a> {
    fn new(path: &'a Path, file: File, bar: &ProgressBar) -> std::io::Result<Self> {
        let mut reader = BufReader::new(bar.wrap_read(file));
        // A protobuf dump begins with the length of its header, which is another number.
        let is_json = reader.fill_buf()?.first() == Some(&b'{');
        Ok(Self { path, reader, is_json, number: 0 })
    }

    fn wrong(&self, what: impl Into<String>) -> CliError {
        let unit = if self.is_json { "line" } else { "item" };
        CliError::Dump { path: self.path.to_owned(), unit, number: self.number, what: what.into() }
    }

    fn header(&mut self) -> Result<(), CliError> {
        const NONE: &str = "it does not begin as a dump of `pegcount log dump` does";
        let (form, first) = if self.is_json {
            let line: Value =
                serde_json::from_str(&self.line()?).map_err(|error| self.wrong(error.to_string()))?;
            let number = |name| line.get(name).and_then(Value::as_u64);
            (number("pegcount_dump").and_then(|form| u32::try_from(form).ok()), number("first"))
        } else {
            match self.item() {
                Ok(Some(Item::Header(header))) => (Some(header.pegcount_dump), header.first),
                _ => (None, None),
            }
        };
        match form {
            Some(FORM) => match first.filter(|first| *first > 1) {
                Some(first) => Err(self.wrong(gone(first))),
                None => Ok(()),
            },
            Some(form) => {
                Err(self.wrong(format!("its form is {form}; this program reads {FORM}: use a newer program")))
            }
            None => Err(self.wrong(NONE)),
        }
    }

    fn next(&mut self) -> Result<Next, CliError> {
        if !self.is_json {
            return match self.item()? {
                Some(Item::Event(message)) => {
                    Ok(Next::Event(Box::new(event(message).map_err(|what| self.wrong(what))?)))
                }
                Some(Item::End(end)) => Ok(Next::End(end.events)),
                Some(Item::Header(_)) | None => Err(self.wrong("it is neither an event nor the end")),
            };
        }
        let text = self.line()?;
        if text.starts_with(r#"{"end":"#) {
            let end: Value = serde_json::from_str(&text).map_err(|error| self.wrong(error.to_string()))?;
            let events = end.pointer("/end/events").and_then(Value::as_u64);
            return events
                .map(Next::End)
                .ok_or_else(|| self.wrong("it does not say how many events there are"));
        }
        let line: Line = serde_json::from_str(&text).map_err(|error| self.wrong(error.to_string()))?;
        Ok(Next::Event(Box::new(line.event().map_err(|what| self.wrong(what))?)))
    }

    fn line(&mut self) -> Result<String, CliError> {
        self.number += 1;
        let mut text = String::new();
        let read = (&mut self.reader).take(ITEM_BYTES_MAX).read_line(&mut text);
        read.map_err(|error| self.wrong(error.to_string()))?;
        if text.ends_with('\n') { Ok(text) } else { Err(self.wrong("the dump is cut short here")) }
    }

    fn item(&mut self) -> Result<Option<Item>, CliError> {
        self.number += 1;
        let mut length = Vec::new();
        // A varint ends with the first byte below 128.
        while length.last().is_none_or(|byte| *byte >= 0x80) && length.len() < 10 {
            length.extend_from_slice(&self.bytes(1)?);
        }
        let length = prost::decode_length_delimiter(length.as_slice());
        let length = length.map_err(|error| self.wrong(error.to_string()))?;
        let bytes = self.bytes(length.try_into().unwrap_or(u64::MAX))?;
        let item = DumpItem::decode(bytes.as_slice()).map_err(|error| self.wrong(error.to_string()))?;
        Ok(item.item)
    }

    fn bytes(&mut self, count: u64) -> Result<Vec<u8>, CliError> {
        if count > ITEM_BYTES_MAX {
            return Err(self.wrong(format!("it has {count} bytes; the limit is {ITEM_BYTES_MAX}")));
        }
        let mut bytes = Vec::new();
        let read = (&mut self.reader).take(count).read_to_end(&mut bytes);
        read.map_err(|error| self.wrong(error.to_string()))?;
        if u64::try_from(bytes.len()) == Ok(count) {
            Ok(bytes)
        } else {
            Err(self.wrong("the dump is cut short here"))
        }
    }
}

//! Makes pages: one stream's events, copied out of the frames that hold them, so that they are read together.
//!
//! Not for choosing what is paged: that is [`crate::pages`]'. A page's bytes are a frame's but for its magic and two numbers
//! for each record: how many positions, and how many seqs of its source, were left out (FORMAT.md).
//!
//! Invariant: decoding a page gives the events that were pushed, equal in all that they say.

use pegcount_domain::ids::{Epoch, Name};
use rustc_hash::FxHashMap;

use super::{
    Frame, NONE, Record, SourceEntry, StreamEntry, at,
    build::{EVENT_OVERHEAD_BYTES, TEXT_OVERHEAD_BYTES, squeezed},
    columns::Columns,
    encode::{FLAG_ZSTD, Head, PAGE_MAGIC, Times, body},
    number,
};
use crate::limits::FRAME_EVENTS_MAX;

/// What a text takes in memory beside its bytes.
const TEXT_MEMORY_BYTES: usize = 60;
/// What a page takes in memory beside its parts.
const PAGE_MEMORY_BYTES: usize = 400;

/// Collects events of one stream, in the order of their versions and without a hole. It keeps them encoded: while a page
/// grows, it takes little more memory than disk.
pub(crate) struct PageBuilder {
    /// The tables and payloads; it has no records.
    tables: Frame,
    text_numbers: FxHashMap<Name, u32>,
    records: Columns,
    first: u64,
    last: u64,
    count: usize,
    first_recorded_at: i64,
    before: Times,
}

impl PageBuilder {
    /// A page that begins with the event of `record`.
    pub(crate) fn new(frame: &Frame, record: u32) -> Option<Self> {
        let first = frame.records.get(at(record))?;
        let mut page = Self {
            tables: Frame::empty(),
            text_numbers: FxHashMap::default(),
            records: Columns::default(),
            first: first.position,
            last: first.position.saturating_sub(1),
            count: 0,
            first_recorded_at: first.recorded_at,
            before: Times::before_first(first),
        };
        page.push(frame, record)?;
        Some(page)
    }

    /// How many events it has.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn memory_bytes(&self) -> usize {
        let tables = self.tables.text.len() + self.tables.payload.len() + self.tables.names.len() * 4;
        tables + self.records.memory_bytes() + self.text_numbers.len() * TEXT_MEMORY_BYTES + PAGE_MEMORY_BYTES
    }

    /// Whether the event of `record` still fits into a page of `bytes_max`.
    pub(crate) fn fits(&self, frame: &Frame, record: u32, bytes_max: usize) -> bool {
        let bytes = frame.records.get(at(record)).map_or(0, |record| {
            let names = frame.names.get(at(record.names.0)..at(record.names.1)).unwrap_or_default();
            let texts = [record.actor, record.on_behalf_of].into_iter().chain(names.iter().copied());
            let texts: usize = texts.map(|text| frame.text(text).len() + TEXT_OVERHEAD_BYTES).sum();
            texts + at(record.payload.1 - record.payload.0) + EVENT_OVERHEAD_BYTES
        });
        self.count < FRAME_EVENTS_MAX
            && self.tables.tables_bytes() + self.records.bytes() + bytes <= bytes_max
    }

    /// Adds the event of `record`, the stream's next one. None, and nothing added, if there is no such record.
    pub(crate) fn push(&mut self, frame: &Frame, record: u32) -> Option<()> {
        let from = frame.records.get(at(record))?;
        let stream = frame.streams.get(at(from.stream))?;
        let names = frame.names.get(at(from.names.0)..at(from.names.1))?;
        let payload = frame.payload.get(at(from.payload.0)..at(from.payload.1))?;
        let source = frame.sources.get(at(from.source))?;
        self.stream(frame, stream, from.version);
        let (source, seqs_left_out) = self.source(frame.text(source.text), source.epoch, from);
        let names_start = number(self.tables.names.len());
        for name in names {
            let name = self.text(frame.text(*name));
            self.tables.names.push(name);
        }
        let payload_start = number(self.tables.payload.len());
        self.tables.payload.extend_from_slice(payload);
        let record = Record {
            stream: 0,
            source,
            actor: self.text(frame.text(from.actor)),
            on_behalf_of: if from.on_behalf_of == NONE {
                NONE
            } else {
                self.text(frame.text(from.on_behalf_of))
            },
            command: self.id(frame, from.command),
            correlation: self.id(frame, from.correlation),
            names: (names_start, number(self.tables.names.len())),
            payload: (payload_start, number(self.tables.payload.len())),
            ..*from
        };
        let positions_left_out = from.position.saturating_sub(self.last).saturating_sub(1);
        self.records.put_left_out(positions_left_out, seqs_left_out);
        self.records.put(&self.tables, &record, self.before);
        // They are in the record now.
        self.tables.names.clear();
        self.tables.ids.clear();
        self.before = Times::of(&record);
        self.last = from.position;
        self.count += 1;
        Some(())
    }

    /// Its bytes as they are so far, not compressed.
    pub(crate) fn raw(&self) -> Vec<u8> {
        let body = self.body();
        self.head(0).framed(&body, body.len())
    }

    /// Its bytes, compressed if that pays.
    pub(crate) fn finish(&self, compressor: &mut zstd::bulk::Compressor<'_>) -> Vec<u8> {
        let body = self.body();
        match squeezed(compressor, &body) {
            Some(stored) => self.head(FLAG_ZSTD).framed(&stored, body.len()),
            None => self.head(0).framed(&body, body.len()),
        }
    }

    fn body(&self) -> Vec<u8> {
        body(&self.tables, self.first_recorded_at, &self.records)
    }

    fn head(&self, flags: u8) -> Head {
        Head { magic: PAGE_MAGIC, flags, first: self.first, count: number(self.count) }
    }

    /// The stream stands in its table once, named by the first event.
    fn stream(&mut self, frame: &Frame, stream: &StreamEntry, version: u64) {
        if self.tables.streams.is_empty() {
            let (site, id) = (self.text(frame.text(stream.site)), self.text(frame.text(stream.id)));
            let entry = StreamEntry { site, id, kind: stream.kind, first: version, last: version };
            self.tables.streams.push(entry);
        }
    }

    /// The table entry of a source, and how many of its seqs lie before the event's; another entry if they go back.
    fn source(&mut self, name: &str, epoch: Option<Epoch>, record: &Record) -> (u32, u64) {
        let text = self.text(name);
        let next = record.seq_to.saturating_add(1);
        let sources = &mut self.tables.sources;
        let known = sources.iter().rposition(|entry| entry.text == text && entry.epoch == epoch);
        if let Some(found) = known
            && let Some(entry) = sources.get_mut(found)
        {
            if epoch.is_none() {
                return (number(found), 0);
            }
            if let Some(left_out) = record.seq.checked_sub(entry.next) {
                entry.next = next;
                return (number(found), left_out);
            }
        }
        let found = number(self.tables.sources.len());
        self.tables.sources.push(SourceEntry { text, epoch, first: record.seq, next });
        (found, 0)
    }

    fn text(&mut self, text: &str) -> u32 {
        if let Some(&found) = self.text_numbers.get(text) {
            return found;
        }
        let found = number(self.tables.text_ranges.len());
        let start = number(self.tables.text.len());
        self.tables.text.push_str(text);
        self.tables.text_ranges.push((start, number(self.tables.text.len())));
        // What would not be a name stands twice, which costs space only.
        if let Ok(name) = Name::new(text) {
            self.text_numbers.insert(name, found);
        }
        found
    }

    fn id(&mut self, frame: &Frame, id: u32) -> u32 {
        frame.id_at(id).map_or(NONE, |id| {
            self.tables.ids.push(id);
            number(self.tables.ids.len() - 1)
        })
    }
}

//! What a process left behind: the folder of its log, looked into from outside.
//!
//! Invariant: looking changes nothing but sled's snapshot; so whoever looks at a folder that is to be opened by a server
//! looks at a copy.

use std::{collections::HashMap, fs, path::Path};

use pegcount_domain::{
    envelope::{Position, SourceSeq},
    ids::Epoch,
};
use pegcount_log::{EventLog, Frame, FrameEvent, SledLog, SledOptions};

use crate::centre::Facts;

/// Copies a folder and all that is in it.
pub fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("room for a copy");
    for entry in fs::read_dir(from).expect("it can be read") {
        let entry = entry.expect("it can be read");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("it has one").is_dir() {
            copied(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("room for a copy");
        }
    }
}

/// The facts of clients in the log of a server's folder, each with its type, and with the contact that it is about.
/// Fails unless positions, the versions of every stream and the seqs of every source begin at 1 and have no hole: then
/// each is there once, and in order.
pub async fn facts_in(data: &Path) -> Facts {
    let options = SledOptions { read_only: true, ..SledOptions::new(data.join("log")) };
    let log = SledLog::open(options).expect("the log opens");
    let mut follow = Follow::default();
    while let Some(frame) = log.read(follow.end.next()).await.expect("it can be read") {
        frame.events().for_each(|event| follow.event(&frame, &event));
    }
    follow.facts
}

/// A log that is read from its first event on.
#[derive(Default)]
struct Follow {
    facts: Facts,
    end: Position,
    versions: HashMap<String, u64>,
    seqs: HashMap<(String, Epoch), u64>,
}

impl Follow {
    fn event(&mut self, frame: &Frame, event: &FrameEvent<'_>) {
        let envelope = &event.envelope;
        assert_eq!(envelope.position, self.end.next(), "positions have no hole");
        self.end = envelope.position;
        let version = self.versions.entry(envelope.stream.to_string()).or_default();
        *version += 1;
        assert_eq!(envelope.version.0, *version, "{} has no hole", envelope.stream);
        let Some(SourceSeq { epoch, seq }) = envelope.source_seq else { return };
        let next = self.seqs.entry((envelope.source.to_owned(), epoch)).or_default();
        *next += 1;
        assert_eq!(seq, *next, "{} at {} is there once and in its order", envelope.source, envelope.position);
        let texts = std::iter::once(&event.id).chain(&event.names).map(|text| frame.text(*text));
        let contact = texts.into_iter().find(|text| text.starts_with("call-")).unwrap_or_default();
        let fact = (envelope.event_type.name(), contact.to_owned());
        let before = self.facts.insert((envelope.source.to_owned(), seq), fact);
        assert_eq!(before, None, "{} begins one epoch only", envelope.source);
    }
}

/// Whether a log's folder was left in the middle of a sealing: it holds two databases that MANIFEST names, or a database or
/// a segment that it does not name.
pub fn is_half_sealed(log: &Path) -> bool {
    let manifest = fs::read_to_string(log.join("MANIFEST")).expect("a manifest");
    let (mut databases, mut segments) = (Vec::new(), Vec::new());
    for line in manifest.lines() {
        let number = || line.split(' ').nth(1).expect("a number").parse::<u64>().expect("a number");
        match line.split(':').next() {
            Some("hot") => databases.push(format!("hot-{:06}", number())),
            Some("segment") => segments.push(format!("segment-{:06}", number())),
            _ => {}
        }
    }
    let names = fs::read_dir(log).expect("it can be read").map(|entry| entry.expect("an entry").file_name());
    let unnamed = names.filter_map(|name| name.into_string().ok()).any(|name| {
        let of_log = name.starts_with("hot-") || name.starts_with("segment-");
        of_log && !databases.contains(&name) && !segments.contains(&name)
    });
    databases.len() > 1 || unnamed
}

//! One run of the load, as recorded: its writes, its notes, and the moments that are worth a cut.
//!
//! Not for what a cut leaves: that is [`crate::round`]. Invariant: a note stands after the acknowledgement that it is about.

use std::{
    collections::HashMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::ExitStatus,
};

use bytes::Bytes;

use crate::{
    check::Acknowledged,
    disk::Disk,
    round::Plan,
    shim::under_shim,
    trace::{Op, parse},
};

/// One run of the load, as recorded.
pub struct Record {
    /// The disk before its first step.
    pub disk: Disk,
    /// Its steps.
    pub ops: Vec<Op>,
    /// How it ended.
    pub ended: ExitStatus,
    paths: HashMap<u64, PathBuf>,
}

impl Record {
    /// Runs the load in `root` and records it.
    pub fn of_load(plan: &Plan<'_>, root: &Path, trace: &Path) -> Self {
        let disk = Disk::load(root);
        let mut paths = HashMap::new();
        paths_of(&root.canonicalize().expect("the folder is there"), &mut paths);
        let mut load = under_shim(plan.load, root, trace, &plan.faults);
        load.arg(root).arg(plan.seed.to_string()).arg(format!("{:?}", plan.shape));
        let ended = load.status().expect("the load can be started");
        let ops = parse(Bytes::from(fs::read(trace).expect("the shim has recorded")));
        Self { disk, ops, ended, paths }
    }

    /// Each write with its step and its file's path.
    pub fn writes(&self) -> impl Iterator<Item = (usize, PathBuf, u64, &Bytes)> {
        let mut paths = self.paths.clone();
        self.ops.iter().enumerate().filter_map(move |(step, op)| match op {
            Op::Create { path, inode } => {
                paths.insert(*inode, path.clone());
                None
            }
            Op::Write { inode, at, bytes } => Some((step, paths[inode].clone(), *at, bytes)),
            _ => None,
        })
    }

    /// What was noted, each with its step.
    pub fn notes(&self) -> Vec<(usize, String)> {
        let notes = self.writes().filter(|(_, path, ..)| path.ends_with("notes"));
        notes.map(|(step, _, _, bytes)| (step, String::from_utf8_lossy(bytes).trim().to_owned())).collect()
    }

    /// The steps in which sled began to write a segment again that it had written before.
    pub fn reuses(&self, segment_bytes: usize) -> Vec<usize> {
        let segment_bytes = u64::try_from(segment_bytes).expect("small");
        let mut written: HashMap<PathBuf, u64> = HashMap::new();
        let mut reuses = Vec::new();
        for (step, path, at, _) in self.writes().filter(|(_, path, ..)| path.ends_with("db")) {
            let segments = written.entry(path).or_default();
            if at.is_multiple_of(segment_bytes) && at / segment_bytes < *segments {
                reuses.push(step);
            }
            *segments = (*segments).max(at / segment_bytes + 1);
        }
        reuses
    }

    /// The steps of sealing: those that make, rename or remove a segment, a manifest or a database.
    pub fn sealing(&self) -> Vec<usize> {
        let begins = |path: &Path, with: &[&str]| {
            path.iter().any(|name| with.iter().any(|begin| name.to_string_lossy().starts_with(begin)))
        };
        let of_sealing = |op: &Op| match op {
            Op::Create { path, .. } | Op::Rename { from: path, .. } => {
                begins(path, &["segment-", "MANIFEST"])
            }
            Op::Unlink(path) | Op::RemoveDir(path) | Op::MakeDir { path, .. } => begins(path, &["hot-"]),
            _ => false,
        };
        self.ops.iter().enumerate().filter(|(_, op)| of_sealing(op)).map(|(step, _)| step).collect()
    }

    /// The steps of dropping: those that make, name or remove an archive or a stub, name a manifest, or remove a segment.
    pub fn dropping(&self) -> Vec<usize> {
        let begins = |path: &Path, with: &[&str]| {
            path.file_name()
                .is_some_and(|name| with.iter().any(|begin| name.to_string_lossy().starts_with(begin)))
        };
        let of_dropping = |op: &Op| match op {
            Op::Create { path, .. } | Op::Rename { from: path, .. } => begins(path, &["archive-", "stub-"]),
            Op::Unlink(path) => begins(path, &["archive-", "stub-", "segment-"]),
            _ => false,
        };
        self.ops.iter().enumerate().filter(|(_, op)| of_dropping(op)).map(|(step, _)| step).collect()
    }

    /// How many segments were sealed.
    pub fn sealed(&self) -> usize {
        let segment =
            |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("segment-"));
        self.ops.iter().filter(|op| matches!(op, Op::Rename { to, .. } if segment(to))).count()
    }

    /// How many files were made under blobs/.
    pub fn blobs(&self) -> usize {
        let blob =
            |op: &&Op| matches!(op, Op::Create { path, .. } if path.iter().any(|part| part == "blobs"));
        self.ops.iter().filter(blob).count()
    }
}

fn paths_of(path: &Path, paths: &mut HashMap<u64, PathBuf>) {
    paths.insert(fs::metadata(path).expect("the folder can be read").ino(), path.to_owned());
    if path.is_dir() {
        let entries = fs::read_dir(path).expect("the folder can be read");
        entries.for_each(|entry| paths_of(&entry.expect("the folder can be read").path(), paths));
    }
}

/// What the notes up to `step` acknowledge, after what had been acknowledged before.
pub fn acknowledged(before: &Acknowledged, notes: &[(usize, String)], step: usize) -> Acknowledged {
    let mut acknowledged = before.clone();
    for (_, note) in notes.iter().take_while(|(at, _)| *at < step) {
        let words: Vec<&str> = note.split(' ').collect();
        let number = |at: usize| words[at].parse::<u64>().expect("a number in a note");
        let small = |at| u32::try_from(number(at)).expect("a small number");
        match words[0] {
            "open" => acknowledged.end = acknowledged.end.max(number(1)),
            "dropped" => acknowledged.first = acknowledged.first.max(number(1)),
            "ack" => acknowledged.appends.push((small(1), small(2), number(3))),
            _ => {}
        }
    }
    let last = acknowledged.appends.iter().map(|(.., last)| *last).max();
    acknowledged.end = acknowledged.end.max(last.unwrap_or(0));
    acknowledged
}

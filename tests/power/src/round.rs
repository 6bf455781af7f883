//! Rounds: the load runs, and the power is cut in many places of what it did; the next round begins on the disk that one
//! of those cuts left, so that what opening writes after a cut is itself cut.
//!
//! Invariant: a failure says by which seed, round and cut it can be had again.

use std::{
    collections::HashMap,
    fmt, fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::ExitStatus,
};

use bytes::Bytes;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    check::{Acknowledged, Failure, check},
    disk::Disk,
    fate::Fate,
    load::Shape,
    shim::{Faults, under_shim},
    trace::{Op, parse},
    work_place,
};

/// How many steps before and after the beginning of a reuse of a segment, or a step of sealing, are cut, too.
const AROUND_STEPS: usize = 12;

/// What to try.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// The program that makes the load.
    pub load: &'a Path,
    /// Everything random follows from it, but for the order of the tasks.
    pub seed: u64,
    /// What is appended.
    pub shape: Shape,
    /// What the shim does besides recording.
    pub faults: Faults,
    /// How often the log is opened again after a cut, and cut again.
    pub rounds: usize,
    /// How many cuts in each round.
    pub cuts: usize,
}

/// A cut after which the log fell short.
#[derive(Clone, Debug)]
pub struct Fallen {
    /// The round, from 0.
    pub round: usize,
    /// How many steps were taken when the power went.
    pub step: usize,
    /// What was being done.
    pub during: &'static str,
    /// The seed of its [`Fate`].
    pub fate: u64,
    /// What is wrong.
    pub failure: Failure,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many cuts were tried, by what was being done.
    pub cuts: HashMap<&'static str, usize>,
    /// How often sled began to write a segment again.
    pub reuses: usize,
    /// How many segments were sealed.
    pub sealed: usize,
    /// How many appends were acknowledged.
    pub acknowledged: usize,
    /// How many files sled made under blobs/.
    pub blobs: usize,
    /// Where it fell short.
    pub fallen: Vec<Fallen>,
    /// The log fell short on the very disk that the next round would have begun on.
    no_way_on: bool,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cuts: usize = self.cuts.values().sum();
        writeln!(f, "{cuts} cuts {:?}, {} appends acknowledged", self.cuts, self.acknowledged)?;
        writeln!(
            f,
            "{} segments reused, {} sealed, {} blobs, {} cuts fell short",
            self.reuses,
            self.sealed,
            self.blobs,
            self.fallen.len()
        )?;
        self.fallen.iter().take(10).try_for_each(|fallen| writeln!(f, "  {fallen:?}"))
    }
}

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
            "ack" => acknowledged.appends.push((small(1), small(2), number(3))),
            _ => {}
        }
    }
    let last = acknowledged.appends.iter().map(|(.., last)| *last).max();
    acknowledged.end = acknowledged.end.max(last.unwrap_or(0));
    acknowledged
}

/// Tries all of a plan.
pub fn run(plan: &Plan<'_>) -> Report {
    let work = work_place();
    let mut random = StdRng::seed_from_u64(plan.seed);
    let mut report = Report::default();
    let mut before = Acknowledged::default();
    let mut root = work.path().join("root-0");
    fs::create_dir(&root).expect("room to work in");
    for round in 0..plan.rounds {
        let trace = work.path().join(format!("trace-{round}"));
        let mut record = Record::of_load(plan, &root, &trace);
        assert!(record.ended.success(), "the load ended with {}: {:?}", record.ended, record.notes().last());
        fs::remove_file(trace).expect("the record is there");
        let next_root = work.path().join(format!("root-{}", round + 1));
        fs::create_dir(&next_root).expect("room to work in");
        before = cut_round(plan, round, &mut record, &before, &next_root, &mut random, &mut report);
        record.disk.assert_seen_whole();
        fs::remove_dir_all(&root).expect("it is there");
        root = next_root;
        if report.no_way_on {
            break;
        }
    }
    report
}

/// Gives what was acknowledged when the disk that is left in `next_root` was cut.
fn cut_round(
    plan: &Plan<'_>,
    round: usize,
    record: &mut Record,
    before: &Acknowledged,
    next_root: &Path,
    random: &mut StdRng,
    report: &mut Report,
) -> Acknowledged {
    let notes = record.notes();
    let cuts = choose_cuts(plan, record, &notes, random, report);
    let next = random.random_range(0..cuts.len());
    let mut at_next = before.clone();
    for (index, (step, during)) in cuts.into_iter().enumerate() {
        while record.disk.steps() < step {
            record.disk.step(&record.ops[record.disk.steps()]);
        }
        let acknowledged = acknowledged(before, &notes, step);
        let fate = random.random();
        let dir = next_root.join("cut");
        // Nothing of the log need be left if not even its folder was durable; then an empty one is made.
        record.disk.leave("log", &dir, &mut Fate::new(fate));
        if index == next {
            record.disk.leave("log", &next_root.join("log"), &mut Fate::new(fate));
            at_next = acknowledged.clone();
        }
        *report.cuts.entry(during).or_default() += 1;
        if let Err(failure) = check(&dir, plan.shape, plan.seed, acknowledged) {
            let fallen = Fallen { round, step, during, fate, failure };
            println!("{fallen:?}");
            keep(&dir, &fallen);
            report.fallen.push(fallen);
            report.no_way_on |= index == next;
        }
        fs::remove_dir_all(&dir).expect("the log made its folder");
    }
    while record.disk.steps() < record.ops.len() {
        record.disk.step(&record.ops[record.disk.steps()]);
    }
    at_next
}

/// Keeps a disk as it was found for whoever wants to look into it; set `POWER_KEEP` to a folder.
fn keep(dir: &Path, fallen: &Fallen) {
    let Ok(place) = std::env::var("POWER_KEEP") else { return };
    let target =
        PathBuf::from(place).join(format!("round-{}-step-{}-{}", fallen.round, fallen.step, fallen.fate));
    copy(dir, &target);
}

/// Copies a folder and all that is in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("room for a copy");
    for entry in fs::read_dir(from).expect("it can be read") {
        let entry = entry.expect("it can be read");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("room for a copy");
        }
    }
}

/// A step near one of these, of `count`.
fn around(steps: &[usize], count: usize, random: &mut StdRng) -> usize {
    let step = steps[random.random_range(0..steps.len())];
    random.random_range(step.saturating_sub(AROUND_STEPS)..=(step + AROUND_STEPS).min(count))
}

/// Steps to cut at, in their order: during opening, right after an acknowledgement, around the reuse of a segment or a step
/// of sealing, anywhere.
fn choose_cuts(
    plan: &Plan<'_>,
    record: &Record,
    notes: &[(usize, String)],
    random: &mut StdRng,
    report: &mut Report,
) -> Vec<(usize, &'static str)> {
    let count = record.ops.len();
    let opened = notes.iter().find(|(_, note)| note.starts_with("open")).map_or(count, |(step, _)| *step);
    let acks: Vec<usize> =
        notes.iter().filter(|(_, note)| note.starts_with("ack")).map(|(step, _)| *step).collect();
    let reuses = record.reuses(plan.shape.segment_bytes());
    let sealing = record.sealing();
    report.reuses += reuses.len();
    report.sealed += record.sealed();
    report.acknowledged += acks.len();
    report.blobs += record.blobs();
    let mut cuts: Vec<_> = (0..plan.cuts)
        .map(|index| match index % 4 {
            0 => (random.random_range(0..=opened), "opening"),
            1 if !acks.is_empty() => (acks[random.random_range(0..acks.len())] + 1, "acknowledged"),
            2 if !reuses.is_empty() => (around(&reuses, count, random), "reuse"),
            2 if !sealing.is_empty() => (around(&sealing, count, random), "sealing"),
            _ => (random.random_range(0..=count), "anywhere"),
        })
        .collect();
    cuts.sort_unstable();
    cuts
}

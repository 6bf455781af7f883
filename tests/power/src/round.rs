//! Rounds: the load runs, and the power is cut in many places of what it did; the next round begins on the disk that one
//! of those cuts left, so that what opening writes after a cut is itself cut.
//!
//! Invariant: a failure says by which seed, round and cut it can be had again.

use std::{
    collections::HashMap,
    fmt, fs,
    path::{Path, PathBuf},
};

use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    check::{Acknowledged, Failure, check},
    fate::Fate,
    load::Shape,
    record::{Record, acknowledged},
    shim::Faults,
    work_place,
};

/// How many steps before and after the beginning of a reuse of a segment, or a step of sealing, are cut, too.
const AROUND_STEPS: usize = 12;
/// Each kind of cut has its turn in so many.
pub const KINDS_OF_CUTS: usize = 4;

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
    /// How often history was dropped.
    pub dropped: usize,
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
            "{} segments reused, {} sealed, {} drops, {} blobs, {} cuts fell short",
            self.reuses,
            self.sealed,
            self.dropped,
            self.blobs,
            self.fallen.len()
        )?;
        self.fallen.iter().take(10).try_for_each(|fallen| writeln!(f, "  {fallen:?}"))
    }
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

/// Steps to cut at, in their order: during opening, right after an acknowledgement, around the reuse of a segment, a step of
/// sealing or one of dropping, anywhere.
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
    let (sealing, dropping) = (record.sealing(), record.dropping());
    report.dropped += notes.iter().filter(|(_, note)| note.starts_with("dropped")).count();
    report.reuses += reuses.len();
    report.sealed += record.sealed();
    report.acknowledged += acks.len();
    report.blobs += record.blobs();
    let mut cuts: Vec<_> = (0..plan.cuts)
        .map(|index| match index % KINDS_OF_CUTS {
            0 => (random.random_range(0..=opened), "opening"),
            1 if !acks.is_empty() => (acks[random.random_range(0..acks.len())] + 1, "acknowledged"),
            2 if report.dropped > 0 && !dropping.is_empty() => (around(&dropping, count, random), "dropping"),
            2 if report.sealed > 0 && !sealing.is_empty() => (around(&sealing, count, random), "sealing"),
            2 if !reuses.is_empty() => (around(&reuses, count, random), "reuse"),
            _ => (random.random_range(0..=count), "anywhere"),
        })
        .collect();
    cuts.sort_unstable();
    cuts
}

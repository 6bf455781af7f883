//! What the spool keeps, whatever happens to its files.

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

const SETTINGS: Settings = Settings {
    durability: SpoolDurability::ProcessCrash,
    spool_bytes_max: 1 << 20,
    keep_acknowledged_bytes_max: 0,
    segment_bytes: 256,
};
const ALL: Limits = Limits { facts: usize::MAX, bytes: usize::MAX };

fn open_with(folder: &TempDir, settings: Settings) -> Spool {
    let source = SourceId(pegcount_domain::ids::Name::new("a/b").unwrap());
    match Spool::open(folder.path(), &SiteId::new("site").unwrap(), &source, settings).unwrap() {
        Opened::Spool(spool) => *spool,
        Opened::Locked(_) => panic!("locked"),
    }
}

fn open(folder: &TempDir) -> Spool {
    open_with(folder, SETTINGS)
}

fn fact(n: u64) -> v1::fact::Fact {
    v1::fact::Fact::Agent(v1::AgentFact { agent: format!("agent {n}"), action: None })
}

fn append(spool: &mut Spool, count: u64) {
    for _ in 0..count {
        let n = spool.next_seq();
        spool.append(vec![(fact(n), Micros(i64::try_from(n).unwrap()))]).unwrap();
    }
}

/// Every seq from `from` on: Ok for one that is there, Err for one that is lost.
fn contents(spool: &mut Spool, mut from: u64) -> Vec<Result<u64, u64>> {
    let mut found = Vec::new();
    while let Some(next) = spool.read(from, ALL).unwrap() {
        match next {
            Next::Gap { to, .. } => {
                found.extend((from..=to).map(Err));
                from = to + 1;
            }
            Next::Facts { facts, .. } => {
                for bytes in facts {
                    let read = v1::Fact::decode(&bytes[..]).unwrap();
                    assert_eq!(
                        read,
                        v1::Fact {
                            seq: from,
                            source_time_us: read.source_time_us,
                            fact: Some(fact(u64::try_from(read.source_time_us).unwrap()))
                        }
                    );
                    found.push(Ok(from));
                    from += 1;
                }
            }
        }
    }
    found
}

fn files(spool: &Spool) -> Vec<PathBuf> {
    let folder =
        fs::read_dir(&spool.folder).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_dir());
    let mut files: Vec<_> =
        fs::read_dir(folder.unwrap()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn all(range: std::ops::RangeInclusive<u64>) -> Vec<Result<u64, u64>> {
    range.map(Ok).collect()
}

#[test]
fn a_reopened_spool_goes_on_with_its_epoch_and_counter() {
    let folder = TempDir::new().unwrap();
    let mut spool = open(&folder);
    append(&mut spool, 30);
    let epoch = spool.epoch();
    drop(spool);
    let mut spool = open(&folder);
    assert_eq!((spool.epoch(), spool.next_seq(), spool.pending()), (epoch, 31, 30));
    append(&mut spool, 1);
    assert_eq!(contents(&mut spool, 1), all(1..=31));
}

#[test]
fn the_counter_outlives_every_acknowledged_fact() {
    let folder = TempDir::new().unwrap();
    let mut spool = open(&folder);
    append(&mut spool, 100);
    spool.acknowledge(100).unwrap();
    assert_eq!(files(&spool).len(), 1, "only the file that keeps the counter is left");
    spool.save().unwrap();
    drop(spool);
    let spool = open(&folder);
    assert_eq!((spool.next_seq(), spool.pending(), spool.acknowledged()), (101, 0, 100));
}

#[test]
fn acknowledged_facts_stay_as_far_as_the_settings_say_and_can_be_offered_again() {
    let folder = TempDir::new().unwrap();
    let mut spool = open_with(&folder, Settings { keep_acknowledged_bytes_max: 1 << 20, ..SETTINGS });
    append(&mut spool, 50);
    spool.acknowledge(50).unwrap();
    assert!(!spool.welcomed(20, 50).unwrap());
    assert_eq!(spool.pending(), 30);
    assert_eq!(contents(&mut spool, 21), all(21..=50));
}

#[test]
fn what_was_released_is_a_gap_with_a_reason_when_the_server_asks_for_it() {
    let folder = TempDir::new().unwrap();
    let mut spool = open(&folder);
    append(&mut spool, 50);
    spool.acknowledge(50).unwrap();
    spool.welcomed(0, 50).unwrap();
    let found = contents(&mut spool, 1);
    assert_eq!(found.len(), 50);
    assert_eq!(found[0], Err(1));
}

#[test]
fn a_torn_tail_is_cut_and_its_numbers_are_given_again() {
    let folder = TempDir::new().unwrap();
    let mut spool = open(&folder);
    append(&mut spool, 20);
    let last = files(&spool).pop().unwrap();
    drop(spool);
    let bytes = fs::read(&last).unwrap();
    fs::write(&last, &bytes[..bytes.len() - 3]).unwrap();
    let mut spool = open(&folder);
    assert_eq!(spool.next_seq(), 20);
    append(&mut spool, 3);
    assert_eq!(contents(&mut spool, 1), all(1..=22));
}

#[test]
fn damage_in_the_middle_loses_what_it_covers_and_says_so() {
    let folder = TempDir::new().unwrap();
    let mut spool = open(&folder);
    append(&mut spool, 20);
    let first = files(&spool).remove(0);
    drop(spool);
    let mut bytes = fs::read(&first).unwrap();
    bytes[40] ^= 0xFF;
    fs::write(&first, bytes).unwrap();
    let mut spool = open(&folder);
    let found = contents(&mut spool, 1);
    assert_eq!(found.len(), 20);
    assert_eq!(found[0], Err(1));
    assert_eq!(found.iter().filter(|seq| seq.is_err()).count(), 1);
    assert_eq!(contents(&mut spool, 2), all(2..=20), "the damage lies before what is asked for");
}

#[test]
fn a_lost_spool_starts_a_new_epoch() {
    let folder = TempDir::new().unwrap();
    let mut spool = open(&folder);
    append(&mut spool, 5);
    let (epoch, files) = (spool.epoch(), files(&spool));
    drop(spool);
    for file in files {
        fs::remove_file(file).unwrap();
    }
    let spool = open(&folder);
    assert_ne!(spool.epoch(), epoch);
    assert_eq!(spool.next_seq(), 1);
}

#[test]
fn a_server_that_knows_more_than_the_spool_means_a_new_epoch_with_what_is_new() {
    let folder = TempDir::new().unwrap();
    let mut spool = open(&folder);
    append(&mut spool, 5);
    let epoch = spool.epoch();
    drop(spool);
    let mut spool = open(&folder);
    append(&mut spool, 4);
    // 6..=9 are new; the server already has other facts under 6..=8, which the spool has lost.
    assert!(spool.welcomed(8, 0).unwrap());
    assert_ne!(spool.epoch(), epoch);
    assert_eq!((spool.next_seq(), spool.pending()), (5, 4));
    assert_eq!(contents(&mut spool, 1), all(1..=4));
    drop(spool);
    let spool = open(&folder);
    assert_eq!((spool.next_seq(), spool.pending()), (5, 4));
}

#[test]
fn a_new_epoch_goes_on_although_the_old_folder_cannot_be_removed() {
    let folder = TempDir::new().unwrap();
    // One file, which stays open, so that it can be read when its folder is gone.
    let open = |folder: &TempDir| open_with(folder, Settings { segment_bytes: 1 << 20, ..SETTINGS });
    let mut spool = open(&folder);
    append(&mut spool, 5);
    drop(spool);
    let mut spool = open(&folder);
    append(&mut spool, 4);
    // Something else stands where the folder was: removing it as a folder fails.
    let old = files(&spool)[0].parent().unwrap().to_owned();
    fs::rename(&old, folder.path().join("elsewhere")).unwrap();
    fs::write(&old, b"no folder").unwrap();
    assert!(spool.welcomed(8, 0).unwrap());
    let epoch = spool.epoch();
    assert_eq!(contents(&mut spool, 1), all(1..=4));
    drop(spool);
    let spool = open(&folder);
    assert_eq!((spool.epoch(), spool.pending()), (epoch, 4));
}

#[test]
fn a_spool_has_one_owner() {
    let folder = TempDir::new().unwrap();
    let _owner = open(&folder);
    let source = SourceId(pegcount_domain::ids::Name::new("a/b").unwrap());
    let second = Spool::open(folder.path(), &SiteId::new("site").unwrap(), &source, SETTINGS).unwrap();
    assert!(matches!(second, Opened::Locked(_)));
}

#[test]
fn a_full_spool_and_a_huge_fact_are_refused_with_the_numbers() {
    let folder = TempDir::new().unwrap();
    let mut spool = open_with(&folder, Settings { spool_bytes_max: 100, ..SETTINGS });
    append(&mut spool, 2);
    let full = spool.append(vec![(fact(3), Micros(3))]).unwrap_err();
    assert!(matches!(full, SpoolError::Full { limit: 100, .. }), "{full}");
    spool.acknowledge(2).unwrap();
    let huge = v1::fact::Fact::Agent(v1::AgentFact { agent: "x".repeat(FACT_BYTES_MAX), action: None });
    assert!(matches!(spool.append(vec![(huge, Micros(1))]), Err(SpoolError::TooLarge { .. })));
    append(&mut spool, 1);
    assert_eq!(spool.next_seq(), 4, "a refused fact uses up no number");
}

#[test]
fn names_that_differ_have_folders_that_differ() {
    let names = ["a", "A", "a/b", "a%2fb", "..", ".", "%2e.", "é"];
    let folders: std::collections::BTreeSet<_> = names.iter().map(|name| file_name(name)).collect();
    assert_eq!(folders.len(), names.len());
    assert!(folders.iter().all(|folder| !folder.contains('/') && folder != "." && folder != ".."));
}

#[derive(Clone, Debug)]
enum Act {
    Append(u64),
    Acknowledge(prop::sample::Index),
    Reopen,
    Cut(usize),
    Flip(prop::sample::Index, prop::sample::Index),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (1u64..20).prop_map(Act::Append),
        2 => any::<prop::sample::Index>().prop_map(Act::Acknowledge),
        2 => Just(Act::Reopen),
        1 => (1usize..40).prop_map(Act::Cut),
        1 => (any::<prop::sample::Index>(), any::<prop::sample::Index>()).prop_map(|(file, byte)| Act::Flip(file, byte)),
    ];
    prop::collection::vec(act, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever is appended, acknowledged, reopened, cut and damaged: reading from the first unacknowledged seq
    /// covers every seq up to the counter exactly once, and never shows a fact under another fact's number.
    #[test]
    fn every_number_comes_back_once_as_a_fact_or_as_a_gap(acts in acts()) {
        let folder = TempDir::new().unwrap();
        let mut spool = open(&folder);
        for act in acts {
            match act {
                Act::Append(count) => append(&mut spool, count),
                Act::Acknowledge(index) if spool.pending() > 0 => {
                    let some = index.index(usize::try_from(spool.pending()).unwrap());
                    let seq = spool.acknowledged() + 1 + u64::try_from(some).unwrap();
                    spool.acknowledge(seq).unwrap();
                }
                Act::Acknowledge(_) => {}
                Act::Reopen => { drop(spool); spool = open(&folder); }
                Act::Cut(count) => {
                    let last = files(&spool).pop().unwrap();
                    drop(spool);
                    let bytes = fs::read(&last).unwrap();
                    fs::write(&last, &bytes[..bytes.len().saturating_sub(count)]).unwrap();
                    spool = open(&folder);
                }
                Act::Flip(file, byte) => {
                    let files = files(&spool);
                    let path = &files[file.index(files.len())];
                    drop(spool);
                    let mut bytes = fs::read(path).unwrap();
                    if !bytes.is_empty() {
                        let at = byte.index(bytes.len());
                        bytes[at] ^= 0x10;
                        fs::write(path, bytes).unwrap();
                    }
                    spool = open(&folder);
                }
            }
            let from = spool.acknowledged() + 1;
            let covered: Vec<_> = contents(&mut spool, from).into_iter().map(|seq| seq.unwrap_or_else(|lost| lost)).collect();
            prop_assert_eq!(covered, (from..spool.next_seq()).collect::<Vec<_>>());
        }
    }
}

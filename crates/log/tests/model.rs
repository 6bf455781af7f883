#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

//! Random work on the log on sled, reopening included, gives what the log in memory gives. A failing case prints its
//! seed and shrinks.

mod suite;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use futures_util::StreamExt;
use pegcount_domain::{
    envelope::{Position, Version},
    time::Micros,
};
use pegcount_log::{
    Append, AppendError, Appended, Archive, Clock, Direction, Durability, EventLog, Expected, MemoryLog,
    PageRule, SledLog, SledOptions, blobs_empty,
};
use proptest::prelude::*;
use suite::{counted, event, kept, plain, stream, take};

/// What is done to both logs.
#[derive(Clone, Debug)]
enum Step {
    /// Handed in together, then awaited.
    Appends(Vec<Wish>),
    /// The clock moves, perhaps back.
    Clock(i64),
    Reopen,
    /// Whatever is there goes into a segment.
    Seal,
    /// What lies before some position goes, if it is in segments, and an archive of all that there is takes its place.
    Drop(prop::sample::Index),
    Subscribe(prop::sample::Index),
    /// A stream is read, a part of it or all, once pages have caught up or while they do.
    Read(u8, prop::sample::Index, bool, bool),
}

/// An append, relative to where things stand: most are right, some are late, early or wrong.
#[derive(Clone, Debug)]
struct Wish {
    source: Option<u8>,
    /// Added to the next seq: below 0 repeats, above leaves a gap.
    seq_offset: i8,
    skip: Option<u8>,
    /// Stream, content; the same content under the same seq is a repeat.
    events: Vec<(u8, Option<u8>)>,
    expected: Option<(u8, i8)>,
}

fn a_wish() -> impl Strategy<Value = Wish> {
    let offset = prop_oneof![6 => Just(0_i8), 3 => -4_i8..0, 1 => 1_i8..3];
    let content = prop_oneof![8 => Just(None), 1 => any::<u8>().prop_map(Some)];
    let expected = prop_oneof![3 => Just(None), 1 => (0_u8..4, prop_oneof![3 => Just(0_i8), 1 => -2_i8..3]).prop_map(Some)];
    let skip = prop_oneof![9 => Just(None), 1 => (0_u8..5).prop_map(Some)];
    (prop::option::of(0_u8..3), offset, skip, prop::collection::vec((0_u8..4, content), 0..6), expected)
        .prop_map(|(source, seq_offset, skip, events, expected)| Wish {
            source,
            seq_offset,
            skip,
            events,
            expected,
        })
}

fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => prop::collection::vec(a_wish(), 1..6).prop_map(Step::Appends),
        2 => (-5_i64..50).prop_map(Step::Clock),
        1 => Just(Step::Reopen),
        2 => Just(Step::Seal),
        1 => any::<prop::sample::Index>().prop_map(Step::Drop),
        1 => any::<prop::sample::Index>().prop_map(Step::Subscribe),
        4 => (0_u8..4, any::<prop::sample::Index>(), any::<bool>(), any::<bool>())
            .prop_map(|(id, from, back, paged)| Step::Read(id, from, back, paged)),
    ]
}

/// Makes the append that a wish means, by where `log` durably stands.
fn append_of(wish: &Wish, log: &dyn EventLog) -> Append {
    let source = wish.source.map(|source| format!("source {source}"));
    let next = source.as_ref().map_or(0, |source| suite::mark(log, source, 1).unwrap_or(0)) + 1;
    let first_seq = next.saturating_add_signed(i64::from(wish.seq_offset));
    let events = wish.events.iter().zip(first_seq..).map(|((to, content), seq)| {
        let content = content.unwrap_or(u8::try_from(seq % 251).unwrap());
        // A repeat goes to the stream that it went to.
        let to = if source.is_some() { u8::try_from(seq % 4).unwrap() } else { *to };
        event(&format!("stream {to}"), content)
    });
    let events = events.collect();
    let mut append =
        source.map_or_else(|| plain(Vec::new()), |source| counted(&source, 1, first_seq, Vec::new()));
    append.events = events;
    append.skip_to = wish.skip.map(|span| first_seq + u64::from(span));
    if let Some((to, offset)) = wish.expected {
        let stream = stream(&format!("stream {to}"));
        let Version(now) = log.version(&stream).unwrap();
        let version = now.saturating_add_signed(i64::from(offset));
        let expected = if version == 0 { Expected::NoStream } else { Expected::Version(Version(version)) };
        append.expected.push((stream, expected));
    }
    append
}

type Outcome = Result<Appended, String>;

async fn hand_in(log: &dyn EventLog, appends: Vec<Append>) -> Vec<Outcome> {
    let said = |error: AppendError| error.to_string();
    let mut pending = Vec::new();
    for append in appends {
        pending.push(log.submit(append).await);
    }
    let mut outcomes = Vec::new();
    for pending in pending {
        outcomes.push(match pending {
            Ok(pending) => pending.await.map_err(said),
            Err(error) => Err(said(error)),
        });
    }
    outcomes
}

/// What is said to whoever asks for what is gone.
async fn refusals(log: &dyn EventLog, from: Position) -> [String; 2] {
    let read = log.read(from).await.unwrap_err().to_string();
    let subscribed = log.subscribe(from).next().await.unwrap().unwrap_err().to_string();
    assert!(read.contains("has been dropped"), "{read}");
    [read, subscribed]
}

/// Pages of nothing (none), of what is worth them, or of everything: with memory for open ones and a longest page, bytes.
type Pages = Option<(u64, Option<usize>)>;

fn pages_of(pages: Pages) -> (u64, PageRule) {
    let Some((memory, tiny)) = pages else { return (0, PageRule::default()) };
    let all =
        |bytes_max| PageRule { skipped_events: 0, frames_min: 1, events_per_frame_max: u32::MAX, bytes_max };
    (memory, tiny.map_or(PageRule::default(), all))
}

/// The versions, positions and contents that a stream has from a version on.
async fn part_of(
    log: &dyn EventLog,
    id: &str,
    from: u64,
    direction: Direction,
) -> Result<Vec<suite::Seen>, String> {
    let page = log.read_stream(&stream(id), Version(from), direction, 40).await;
    let page = page.map_err(|error| error.to_string())?;
    Ok(page.events().map(|(frame, event)| suite::seen_event(frame, &event)).collect())
}

async fn both_agree(steps: Vec<Step>, seal_bytes: u64, pages: Pages) {
    let dir = tempfile::tempdir().unwrap();
    let now = Arc::new(AtomicI64::new(1_000));
    let clock: Clock = Arc::new({
        let now = Arc::clone(&now);
        move || Micros(now.load(Ordering::SeqCst))
    });
    let (page_memory_bytes, page_rule) = pages_of(pages);
    let options = SledOptions {
        durability: Durability::ProcessCrash,
        page_memory_bytes,
        page_rule,
        seal_bytes,
        // Of a few segments some filters are in memory and some are not.
        filter_bytes: 100,
        clock: Arc::clone(&clock),
        ..SledOptions::new(dir.path())
    };
    let model = MemoryLog::with_clock(clock);
    let mut log = SledLog::open(options.clone()).unwrap();
    for step in steps {
        match step {
            Step::Appends(wishes) => {
                let appends: Vec<_> = wishes.iter().map(|wish| append_of(wish, &model)).collect();
                assert_eq!(hand_in(&log, appends.clone()).await, hand_in(&model, appends).await);
            }
            Step::Clock(by) => drop(now.fetch_add(by, Ordering::SeqCst)),
            Step::Reopen => {
                drop(log);
                log = SledLog::open(options.clone()).unwrap();
            }
            Step::Seal => drop(log.seal().await.unwrap()),
            Step::Drop(up_to) => {
                let (end, before) = (model.end(), model.first());
                let up_to = Position(up_to.index(usize::try_from(end.0).unwrap() + 1) as u64);
                let archive = Archive { position: end, bytes: end.0.to_le_bytes().into() };
                let dropped = log.drop_history(up_to, archive.clone()).await.unwrap();
                assert!(dropped.first <= up_to.next().max(before));
                // How far it goes is the segments' affair; in memory every frame can go by itself.
                let gone = Position(dropped.first.0 - 1);
                let same = model.drop_history(gone, archive).await.unwrap();
                assert_eq!((dropped.first, dropped.events), (same.first, same.events));
            }
            Step::Read(id, from, back, caught_up) => {
                if caught_up {
                    log.paged().await;
                }
                let id = format!("stream {id}");
                let Version(last) = model.version(&stream(&id)).unwrap();
                let from = 1 + u64::try_from(from.index(usize::try_from(last).unwrap() + 1)).unwrap();
                let direction = if back { Direction::Backward } else { Direction::Forward };
                let got = part_of(&log, &id, from, direction).await;
                // A page of frames may hold fewer events than were asked for, but never none while there are some.
                let expected = part_of(&model, &id, from, direction).await;
                let (Ok(got), Ok(expected)) = (&got, &expected) else {
                    assert_eq!(got, expected);
                    continue;
                };
                assert!(got.len() == expected.len() || !got.is_empty());
                assert_eq!(got.as_slice(), &expected[..got.len()]);
            }
            Step::Subscribe(from) => {
                let count = usize::try_from(model.end().0).unwrap();
                let from = from.index(count + 1);
                if from < count {
                    let from = Position(u64::try_from(from + 1).unwrap());
                    if from < model.first() {
                        assert_eq!(refusals(&log, from).await, refusals(&model, from).await);
                        continue;
                    }
                    let rest = count + 1 - usize::try_from(from.0).unwrap();
                    let got = take(&mut log.subscribe(from), rest).await;
                    assert_eq!(got, take(&mut model.subscribe(from), rest).await);
                }
            }
        }
        assert_eq!((log.first(), log.end()), (model.first(), model.end()));
        assert_eq!(log.status().archives, model.status().archives);
        assert_eq!(log.archive(None).await.unwrap(), model.archive(None).await.unwrap());
        for id in 0..4 {
            let stream = stream(&format!("stream {id}"));
            assert_eq!(log.version(&stream).unwrap(), model.version(&stream).unwrap());
        }
        for id in 0..3 {
            let source = format!("source {id}");
            assert_eq!(suite::mark(&log, &source, 1), suite::mark(&model, &source, 1));
        }
    }
    assert_eq!(kept(&log).await, kept(&model).await);
    same_streams(&log, &model).await;
    log.paged().await;
    same_streams(&log, &model).await;
    drop(log);
    let log = SledLog::open(options.clone()).unwrap();
    assert_eq!(kept(&log).await, kept(&model).await);
    log.paged().await;
    same_streams(&log, &model).await;
    drop(log);
    // What lies there is read without being made anew.
    let log = SledLog::open(SledOptions { read_only: true, ..options }).unwrap();
    same_streams(&log, &model).await;
    assert!(blobs_empty(dir.path()).unwrap());
}

async fn same_streams(log: &dyn EventLog, model: &dyn EventLog) {
    for id in 0..4 {
        let id = format!("stream {id}");
        for direction in [Direction::Forward, Direction::Backward] {
            let got = suite::whole_stream(log, &id, direction, 5).await;
            assert_eq!(got, suite::whole_stream(model, &id, direction, 5).await);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_log_on_sled_does_what_the_log_in_memory_does(
        steps in prop::collection::vec(a_step(), 1..40),
        seal_bytes in prop_oneof![Just(u64::MAX), 1_u64..3_000],
        pages in prop_oneof![
            1 => Just(None),
            1 => Just(Some((1_000_000, None))),
            4 => (prop_oneof![Just(1_u64), 1_000_u64..9_000, Just(1_000_000)], prop_oneof![1_usize..900, Just(30_000)])
                .prop_map(|(memory, bytes_max)| Some((memory, Some(bytes_max)))),
        ],
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        runtime.block_on(both_agree(steps, seal_bytes, pages));
    }
}

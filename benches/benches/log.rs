//! The log by itself, in process: durable appends in batches of 256 events against a plain file that gets the same bytes,
//! one fdatasync per batch; then decoding frames. One process, one run, the sides in turn.
//!
//! Disks have moods: a ratio is taken within each short round, and the median of the rounds counts.
//!
//! `cargo bench -p pegcount-benches --bench log`; `BATCHES` sets the batches per round (default 200).
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::{fs::File, io::Write, path::Path, sync::Arc, time::Instant};

use futures_util::future::try_join_all;
use pegcount_benches::{
    Outcome,
    measure::{Others, float, median, median_ratio, number},
    table::{self, Line},
};
use pegcount_domain::{
    envelope::{Position, StreamKind, StreamName, Version},
    event::EventType,
    ids::{Epoch, Key, Name},
    time::Micros,
};
use pegcount_log::{
    Append, Durability, EventLog, Frame, FrameBuilder, NewEvent, SledLog, SledOptions, SourceBatch, Stamp,
    blobs_empty, limits::SEGMENT_BYTES,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use smallvec::SmallVec;

const BATCH_EVENTS: usize = 256;
const ROUNDS: usize = 7;
const SUBMITTERS: usize = 4;
/// What groups of 256 events should reach of a plain file that is synced as often.
const GROUPS_OF_256: f64 = 0.4;

fn main() -> Outcome<()> {
    let batches = usize::try_from(number("BATCHES", 200))?;
    let others = Others::begin();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let frames = encoded(batches)?;
    let mut plain = Vec::new();
    let mut on_sled = Vec::new();
    let mut alone = Vec::new();
    let mut grouped = Vec::new();
    let mut shared = Vec::new();
    let mut unsynced = Vec::new();
    for _ in 0..ROUNDS {
        plain.push(plain_file(&frames)?);
        on_sled.push(sled_alone(&frames)?);
        let durable = |dir: &Path| SledOptions::new(dir);
        let in_groups = |dir: &Path| SledOptions { group_events_max: BATCH_EVENTS, ..SledOptions::new(dir) };
        let process_crash =
            |dir: &Path| SledOptions { durability: Durability::ProcessCrash, ..SledOptions::new(dir) };
        alone.push(runtime.block_on(appended(batches, 1, durable))?);
        grouped.push(runtime.block_on(appended(batches, SUBMITTERS, in_groups))?);
        shared.push(runtime.block_on(appended(batches, SUBMITTERS, durable))?);
        unsynced.push(runtime.block_on(appended(batches, SUBMITTERS, process_crash))?);
    }
    let (alone_ratio, shared_ratio) = (median_ratio(&alone, &plain), median_ratio(&shared, &plain));
    let (sled_ratio, alone_to_sled) = (median_ratio(&on_sled, &plain), median_ratio(&alone, &on_sled));
    let grouped_ratio = median_ratio(&grouped, &plain);
    let (plain, alone, shared) = (median(&plain), median(&alone), median(&shared));
    let bytes: usize = frames.iter().map(Vec::len).sum();
    let others = others.share();
    table::print(
        &format!(
            "The log in process ({batches} batches of {BATCH_EVENTS} events, median of {ROUNDS} rounds; {others})"
        ),
        &[
            Line::plain(
                "bytes per event in a frame",
                format!("{:.1}", float(bytes) / float(batches * BATCH_EVENTS)),
            ),
            Line::plain("a plain file, the same bytes, one fdatasync per batch", table::per_second(plain)),
            Line::plain(
                "sled alone, the same frames, one fdatasync per frame, ratio to the plain file",
                format!("{sled_ratio:.2}"),
            ),
            Line::plain("durable appends, one submitter that waits", table::per_second(alone)),
            Line::plain(
                format!("durable appends, {SUBMITTERS} submitters, one batch a group"),
                table::per_second(median(&grouped)),
            ),
            Line::plain(
                format!("durable appends, {SUBMITTERS} submitters, groups as they come"),
                table::per_second(shared),
            ),
            Line::plain("the same, safe against a process crash alone", table::per_second(median(&unsynced))),
            Line::with_goal("ratio to the plain file, one batch a group", grouped_ratio, 2, GROUPS_OF_256),
            Line::with_goal(
                "ratio to the plain file, one submitter: nothing forms while a group syncs",
                alone_ratio,
                2,
                GROUPS_OF_256,
            ),
            Line::plain("ratio to sled alone, one submitter", format!("{alone_to_sled:.2}")),
            Line::with_goal("ratio to the plain file, groups as they come", shared_ratio, 2, 0.5),
            Line::with_goal("decoding frames, one core, events/s", decoded(&frames)?, 0, 3_000_000.0),
            Line::plain("reading decoded frames, events/s", table::per_second(walked(&frames)?)),
        ],
    );
    Ok(())
}

fn rate(events: usize, started: Instant) -> f64 {
    float(events) / started.elapsed().as_secs_f64()
}

/// What softphones and an exchange say of calls: about 150 bytes an event when each is written out by itself.
fn batch(submitter: usize, number: usize) -> Outcome<Vec<NewEvent>> {
    let types = [
        EventType::CONTACT_STARTED,
        EventType::QUEUE_ENTERED,
        EventType::LEG_RINGING,
        EventType::LEG_ANSWERED,
        EventType::QUEUE_LEFT,
        EventType::LEG_HELD,
        EventType::LEG_RETRIEVED,
        EventType::LEG_ENDED,
        EventType::CONTACT_ENDED,
        EventType::LEG_AFTER_CALL_ENDED,
    ];
    let site = Name::new("head office")?;
    let actor = Name::new("softphone gateway")?;
    // Calls interleave and nothing comes at even steps, or frames would shrink to nothing.
    let mut random = StdRng::seed_from_u64(u64::try_from(submitter * 1_000_000 + number)?);
    let mut time = Micros(1_700_000_000_000_000 + i64::try_from(number)? * 180_000);
    (0..BATCH_EVENTS)
        .zip(types.into_iter().cycle())
        .map(|(index, event_type)| {
            let call = (number * BATCH_EVENTS + index) / 200 * 20 + random.random_range(0..20);
            let contact = Name::new(&format!("{submitter}-{:016x}", Key::of(&call.to_string(), 1).0 >> 64))?;
            let agent = Name::new(&format!("agent-{submitter}-{:03}", call % 250))?;
            let of_agent = event_type.0 < 300;
            let (kind, id) =
                if of_agent { (StreamKind::Agent, agent) } else { (StreamKind::Contact, contact.clone()) };
            time = Micros(time.0 + random.random_range(0..1_400));
            Ok(NewEvent {
                stream: StreamName { site: site.clone(), kind, id },
                event_type,
                schema_version: 1,
                occurred_at: time,
                source_time: Micros(time.0 - 1_500 - random.random_range(0..300)),
                actor: actor.clone(),
                on_behalf_of: None,
                command_id: None,
                correlation: None,
                causation: None,
                names: SmallVec::from_iter([contact, Name::new("1")?, Name::new("service")?]),
                payload: SmallVec::from_slice(&[
                    8,
                    1,
                    16,
                    2,
                    40,
                    random.random_range(1..5),
                    48,
                    random.random(),
                ]),
            })
        })
        .collect()
}

/// The frames of one submitter's batches, one each.
fn encoded(batches: usize) -> Outcome<Vec<Vec<u8>>> {
    let mut builder = FrameBuilder::new(Some(1))?;
    let source = Name::new("gateway 0")?;
    let mut frames = Vec::new();
    let mut position = Position::START;
    for number in 0..batches {
        for event in batch(0, number)? {
            position = position.next();
            let stamp = Stamp {
                position,
                version: Version(position.0),
                recorded_at: Micros(1_700_000_000_000_000),
                source: &source,
                seqs: Some((Epoch(1), position.0, position.0)),
            };
            builder.push(&event, &stamp);
        }
        frames.push(builder.finish(false).1);
    }
    Ok(frames)
}

fn plain_file(frames: &[Vec<u8>]) -> Outcome<f64> {
    let dir = tempfile::tempdir()?;
    let mut file = File::create(dir.path().join("plain"))?;
    let started = Instant::now();
    for frame in frames {
        file.write_all(frame)?;
        file.sync_data()?;
    }
    Ok(rate(frames.len() * BATCH_EVENTS, started))
}

/// What no log on sled can pass: the same frames, one thread that does nothing else, one sync each.
fn sled_alone(frames: &[Vec<u8>]) -> Outcome<f64> {
    let dir = tempfile::tempdir()?;
    let config = sled::Config::new().path(dir.path()).segment_size(SEGMENT_BYTES).flush_every_ms(None);
    let db = config.open()?;
    let file = File::options().write(true).open(dir.path().join("db"))?;
    let started = Instant::now();
    for (number, frame) in (0_u64..).zip(frames) {
        db.insert(number.to_be_bytes(), frame.as_slice())?;
        db.flush()?;
        file.sync_data()?;
    }
    Ok(rate(frames.len() * BATCH_EVENTS, started))
}

async fn appended(batches: usize, submitters: usize, options: impl Fn(&Path) -> SledOptions) -> Outcome<f64> {
    let dir = tempfile::tempdir()?;
    let log = Arc::new(SledLog::open(options(dir.path()))?);
    let work: Vec<_> =
        (0..submitters).map(|submitter| appends(submitter, batches / submitters)).collect::<Outcome<_>>()?;
    let started = Instant::now();
    let tasks = work.into_iter().map(|appends| {
        let log = Arc::clone(&log);
        tokio::spawn(async move {
            for append in appends {
                log.append(append).await?;
            }
            Outcome::Ok(())
        })
    });
    for done in try_join_all(tasks).await? {
        done?;
    }
    let rate = rate(batches / submitters * submitters * BATCH_EVENTS, started);
    drop(log);
    assert_nothing_beside(dir.path())?;
    Ok(rate)
}

fn appends(submitter: usize, batches: usize) -> Outcome<Vec<Append>> {
    let append = |number: usize| {
        let first_seq = u64::try_from(number * BATCH_EVENTS + 1)?;
        Ok(Append {
            source: Name::new(&format!("gateway {submitter}"))?,
            batch: Some(SourceBatch { epoch: Epoch(1), first_seq }),
            skip_to: None,
            expected: SmallVec::new(),
            events: batch(submitter, number)?,
        })
    };
    (0..batches).map(append).collect()
}

fn assert_nothing_beside(dir: &Path) -> Outcome<()> {
    if blobs_empty(dir)? { Ok(()) } else { Err("sled has put pages beside the file that is synced".into()) }
}

fn decoded(frames: &[Vec<u8>]) -> Outcome<f64> {
    let mut rates = Vec::new();
    for _ in 0..9 {
        let started = Instant::now();
        let mut events = 0;
        for frame in frames {
            events += std::hint::black_box(Frame::decode(frame)?).len();
        }
        rates.push(rate(events, started));
    }
    Ok(median(&rates))
}

fn walked(frames: &[Vec<u8>]) -> Outcome<f64> {
    let frames = frames.iter().map(|frame| Frame::decode(frame)).collect::<Result<Vec<_>, _>>()?;
    let started = Instant::now();
    let mut events = 0;
    for event in frames.iter().flat_map(Frame::events) {
        std::hint::black_box(event);
        events += 1;
    }
    Ok(rate(events, started))
}

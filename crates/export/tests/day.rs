//! A day written out: equal to the live figures, the same bytes twice, published whole or not at all.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use jiff::{civil::Date, tz::TimeZone};
use pegcount_clock::Clock;
use pegcount_domain::{
    envelope::Position,
    ids::{Epoch, Name, SiteId, SourceId},
    time::Micros,
};
use pegcount_engine::{Engine, EngineOptions, FactBatch, SourceHello, SourceSession};
use pegcount_export::{
    ExportError, Format, Manifest, Outcome, Request, dictionary, publish, published, tables::Table,
};
use pegcount_kpi::{Dimension, Query, Value};
use pegcount_proto::v1::{self, agent_fact, contact_fact, fact, leg::Step};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tempfile::TempDir;

struct Place {
    engine: Arc<Engine>,
    clock: Clock,
    phone: SourceSession,
    seq: u64,
    dir: TempDir,
}

fn site() -> SiteId {
    SiteId::new("north").unwrap()
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn instant(text: &str) -> Micros {
    Micros(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
}

impl Place {
    /// A centre whose clock stands at `now`.
    async fn at(now: &str) -> Self {
        let (dir, clock) = (tempfile::tempdir().unwrap(), Clock::manual(instant(now)));
        let options =
            EngineOptions { clock: clock.clone(), ..EngineOptions::folder(dir.path().join("data")) };
        let engine = Engine::open(options).await.unwrap();
        let name = Name::new("exchange").unwrap();
        let hello = SourceHello {
            site: site(),
            source: SourceId(name.clone()),
            epoch: Epoch(7),
            incarnation: None,
            boot: "boot-1".to_owned(),
            client_time: None,
            agent: None,
            actor: name,
            only_agent: None,
        };
        let phone = engine.open_source(hello).unwrap().0;
        Self { engine, clock, phone, seq: 1, dir }
    }

    async fn send(&mut self, facts: Vec<(Micros, fact::Fact)>) {
        for some in facts.chunks(100) {
            let facts = some.iter().cloned().zip(self.seq..).map(|((at, fact), seq)| v1::Fact {
                seq,
                source_time_us: at.0,
                fact: Some(fact),
            });
            let batch = FactBatch { facts: facts.collect(), clock_offset: None };
            self.phone.submit(batch).await.unwrap().durable().await.unwrap();
            self.seq += u64::try_from(some.len()).unwrap();
        }
        self.engine.caught_up(self.engine.end()).await.unwrap();
    }

    fn dest(&self) -> PathBuf {
        self.dir.path().join("exports")
    }

    fn request(&self, day: &str, zone: &str) -> Request {
        Request {
            site: site(),
            date: date(day),
            zone: Some(TimeZone::get(zone).unwrap()),
            destination: self.dest(),
            formats: Format::ALL.to_vec(),
            bom: false,
            position: None,
        }
    }

    async fn publish(&self, request: &Request) -> Result<Outcome, ExportError> {
        publish(&self.engine, request, &AtomicBool::new(false), &mut |_| {}).await
    }

    /// The day's measures by a dimension, as `pegcount kpi` answers them.
    fn live(&self, manifest: &Manifest, by: Dimension) -> pegcount_kpi::Table {
        let (from, to) = (Micros(manifest.from_us), Micros(manifest.to_us));
        let query = Query { by: vec![by], ..Query::new(site(), from, to, Micros(manifest.as_of_us)) };
        self.engine.query(&query).unwrap()
    }
}

fn contact(id: &str, action: contact_fact::Action) -> fact::Fact {
    fact::Fact::Contact(v1::ContactFact { contact: id.to_owned(), action: Some(action) })
}

fn agent(id: &str, action: agent_fact::Action) -> fact::Fact {
    fact::Fact::Agent(v1::AgentFact { agent: id.to_owned(), action: Some(action) })
}

fn entered(id: &str, queue: &str) -> [fact::Fact; 2] {
    let started = v1::ContactStarted { channel: 1, direction: 1, ..Default::default() };
    let entered = v1::QueueEntered { visit: "1".into(), queue: queue.to_owned(), priority: 0 };
    [
        contact(id, contact_fact::Action::Started(started)),
        contact(id, contact_fact::Action::QueueEntered(entered)),
    ]
}

fn gave_up(id: &str) -> [fact::Fact; 2] {
    let left = v1::QueueLeft { visit: "1".into(), exit: v1::QueueExit::Abandoned.into(), ringing: false };
    [
        contact(id, contact_fact::Action::QueueLeft(left)),
        contact(id, contact_fact::Action::Ended(v1::ContactEnded::default())),
    ]
}

fn leg(id: &str, who: &str, queue: &str, step: Step) -> fact::Fact {
    let leg = v1::Leg {
        contact: id.to_owned(),
        leg: "1".to_owned(),
        agent: who.to_owned(),
        visit: "1".to_owned(),
        queue: queue.to_owned(),
        channel: 1,
        direction: 1,
        step: Some(step),
    };
    agent(who, agent_fact::Action::Leg(leg))
}

/// Agents who sign in at the day's first hours, and calls that they answer or that give up, drawn from `seed`.
fn shift(from: Micros, calls: usize, seed: u64) -> Vec<(Micros, fact::Fact)> {
    let mut draw = StdRng::seed_from_u64(seed);
    let nothing = v1::Nothing {};
    let mut facts = Vec::new();
    for who in ["ann", "ben", "cem"] {
        facts.push((from, agent(who, agent_fact::Action::SignedIn(nothing))));
        facts.push((from.plus(Micros::SECOND), agent(who, agent_fact::Action::Ready(nothing))));
    }
    let mut at = from.plus(Micros::MINUTE);
    for number in 0..calls {
        let (id, queue) = (format!("call-{seed}-{number}"), ["sales", "help"][draw.random_range(0..2)]);
        let who = ["ann", "ben", "cem"][number % 3];
        facts.extend(entered(&id, queue).map(|fact| (at, fact)));
        let mut later =
            |at: &mut Micros, most: i64| *at = at.plus(Micros(draw.random_range(1..most * 1_000_000)));
        later(&mut at, 40);
        if number % 4 == 0 {
            facts.extend(gave_up(&id).map(|fact| (at, fact)));
            continue;
        }
        for (step, most) in [
            (Step::Ringing(nothing), 9),
            (Step::Answered(nothing), 300),
            (Step::Held(nothing), 40),
            (Step::Retrieved(nothing), 200),
            (Step::Ended(v1::LegEnded { by: 1, after_call_expected: true }), 30),
            (Step::AfterCallEnded(nothing), 5),
        ] {
            facts.push((at, leg(&id, who, queue, step)));
            later(&mut at, most);
        }
        facts.push((at, contact(&id, contact_fact::Action::Ended(v1::ContactEnded::default()))));
    }
    facts.push((at, agent("ann", agent_fact::Action::NotReady(v1::NotReady { reason: "lunch".into() }))));
    facts
}

/// What stands in a CSV file: the header, and the rows.
fn csv_rows(dir: &Path, table: Table) -> Vec<BTreeMap<String, String>> {
    let path = dir.join(format!("{}.csv", table.name()));
    let mut reader = csv::Reader::from_path(path).unwrap();
    let header = reader.headers().unwrap().clone();
    let rows = reader.records().map(|record| {
        let record = record.unwrap();
        header.iter().map(str::to_owned).zip(record.iter().map(str::to_owned)).collect()
    });
    rows.collect()
}

fn sum(rows: &[BTreeMap<String, String>], column: &str) -> i64 {
    rows.iter().map(|row| row[column].parse::<i64>().unwrap()).sum()
}

fn new(outcome: Outcome) -> pegcount_export::Published {
    match outcome {
        Outcome::Published(published) => *published,
        Outcome::Unchanged(old) => panic!("nothing new: {}", old.place.display()),
    }
}

/// All files below a folder with their bytes, but for the lock.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else if !path.ends_with(".pegcount-export.lock") {
            found.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    found
}

#[tokio::test]
async fn the_rows_of_a_day_sum_to_the_live_figures() {
    let mut place = Place::at("2026-03-04T12:00:00Z").await;
    place.send(shift(instant("2026-03-02T08:00:00Z"), 60, 11)).await;
    let published = new(place.publish(&place.request("2026-03-02", "UTC")).await.unwrap());
    let manifest = &published.manifest;
    assert_eq!((manifest.revision, manifest.replaces.clone()), (1, None));
    for (table, by, columns) in [
        (Table::QueueInterval, Dimension::Queue, &["offered", "abandoned", "answered", "handled"][..]),
        (Table::Visit, Dimension::Queue, &["offered", "abandoned", "answered"]),
        (Table::Leg, Dimension::Agent, &["handled", "offers", "holds"]),
        (Table::AgentInterval, Dimension::Agent, &["handled", "sign_ins"]),
    ] {
        let (rows, live) = (csv_rows(&published.place, table), place.live(manifest, by));
        assert!(!rows.is_empty(), "{table:?}");
        for column in columns {
            let index = live.columns.iter().position(|known| known.name == *column).unwrap();
            let asked: i64 = live
                .rows
                .iter()
                .map(|row| if let Value::Amount(amount) = row.values[index] { amount } else { 0 })
                .sum();
            assert_eq!(sum(&rows, column), asked, "{table:?} {column}");
        }
    }
    let spans = csv_rows(&published.place, Table::AgentStateSpan);
    let live = place.live(manifest, Dimension::Agent);
    let signed_in = live.columns.iter().position(|known| known.name == "signed_in_clock").unwrap();
    for row in &live.rows {
        let who = row.keys[0].as_ref().unwrap().to_string();
        let own: Vec<_> = spans.iter().filter(|span| span["agent"] == who).cloned().collect();
        assert_eq!(Value::Amount(sum(&own, "signed_in_clock_us")), row.values[signed_in], "{who}");
    }
    assert!(spans.iter().any(|span| span["state"] == "away" && span["reason"] == "lunch"));
}

#[tokio::test]
async fn the_same_position_gives_the_same_bytes() {
    let mut place = Place::at("2026-03-04T12:00:00Z").await;
    place.send(shift(instant("2026-03-02T08:00:00Z"), 30, 12)).await;
    let request = place.request("2026-03-02", "UTC");
    let first = new(place.publish(&request).await.unwrap());
    let other = Request { destination: place.dir.path().join("other"), ..request };
    // What comes later is not counted at an earlier position, though the clock has gone on.
    place.clock.set(instant("2026-03-09T12:00:00Z"));
    place.send(shift(instant("2026-03-02T18:00:00Z"), 5, 13)).await;
    let position = Some(pegcount_domain::envelope::Position(first.manifest.position));
    let second = new(place.publish(&Request { position, ..other }).await.unwrap());
    let bytes = |dir: &Path| -> Vec<(PathBuf, Vec<u8>)> {
        let all = contents(dir).into_iter();
        all.map(|(path, bytes)| (path.strip_prefix(dir).unwrap().to_owned(), bytes)).collect()
    };
    assert!(bytes(&first.place) == bytes(&second.place), "the bytes differ");
}

#[tokio::test]
async fn a_day_that_has_not_changed_is_not_published_again() {
    let mut place = Place::at("2026-03-04T12:00:00Z").await;
    place.send(shift(instant("2026-03-02T08:00:00Z"), 10, 14)).await;
    let request = place.request("2026-03-02", "UTC");
    new(place.publish(&request).await.unwrap());
    let before = contents(&place.dest());
    // Another day's events change the position, not this day.
    place.send(shift(instant("2026-03-03T08:00:00Z"), 10, 15)).await;
    let again = place.publish(&request).await.unwrap();
    assert!(matches!(again, Outcome::Unchanged(_)));
    assert!(contents(&place.dest()) == before);
}

#[tokio::test]
async fn a_late_fact_makes_a_second_revision_that_says_what_differs_and_why() {
    let mut place = Place::at("2026-03-04T12:00:00Z").await;
    place.send(shift(instant("2026-03-02T08:00:00Z"), 10, 16)).await;
    let request = place.request("2026-03-02", "UTC");
    let first = new(place.publish(&request).await.unwrap());
    let late = instant("2026-03-02T20:05:00Z");
    let call = entered("late", "sales").into_iter().chain(gave_up("late"));
    place.send(call.map(|fact| (late, fact)).collect()).await;
    let second = new(place.publish(&request).await.unwrap());
    assert_eq!(second.manifest.revision, 2);
    let replaces = second.manifest.replaces.clone().unwrap();
    assert_eq!((replaces.revision, replaces.position), (1, first.manifest.position));
    let told = csv_rows(&second.place, Table::Correction);
    assert_eq!(u64::try_from(told.len()).unwrap(), replaces.differences);
    let of = |table: &str, column: &str| {
        told.iter()
            .find(|row| row["table"] == table && row["column"] == column)
            .unwrap_or_else(|| panic!("{table} {column}: {told:?}"))
    };
    let offered = of("queue_interval", "offered");
    assert_eq!(offered["key"], "2026-03-02T20:00:00.000000Z | 2026-03-02T20:00:00+00:00 | sales | voice");
    assert_eq!((&offered["before"][..], &offered["after"][..], &offered["cause"][..]), ("", "1", "facts"));
    assert!(!offered["causes"].is_empty());
    of("daily_summary", "abandoned");
    assert!(told.iter().all(|row| row["table"] != "agent_interval"), "no agent was touched: {told:?}");
    // The old revision stays as it was.
    assert_eq!(published::verify(&first.place, &first.manifest), Vec::<String>::new());
    assert_eq!(published::list(&place.dest()).unwrap().len(), 2);
}

#[tokio::test]
async fn days_are_the_sites_own_of_23_24_and_25_hours_east_and_west() {
    for (zone, day, hours) in [
        ("America/Montreal", "2026-03-08", 23),
        ("America/Montreal", "2025-11-02", 25),
        ("Asia/Jerusalem", "2025-10-26", 25),
        ("Pacific/Auckland", "2026-03-02", 24),
    ] {
        let mut place = Place::at("2026-03-20T12:00:00Z").await;
        let begin = date(day).to_zoned(TimeZone::get(zone).unwrap()).unwrap();
        let begin = Micros(begin.timestamp().as_microsecond());
        // One call before the day, one at its first instant, one in its last minute, one after it.
        let end = begin.plus(Micros(hours * Micros::HOUR.0));
        let times = [begin.minus(Micros::MINUTE), begin, end.minus(Micros::MINUTE), end];
        for (number, at) in times.into_iter().enumerate() {
            let id = format!("call-{number}");
            let call = entered(&id, "sales").into_iter().chain(gave_up(&id));
            place.send(call.map(|fact| (at, fact)).collect()).await;
        }
        let published = new(place.publish(&place.request(day, zone)).await.unwrap());
        let manifest = &published.manifest;
        assert_eq!(manifest.to_us - manifest.from_us, hours * Micros::HOUR.0, "{zone} {day}");
        let visits = csv_rows(&published.place, Table::Visit);
        assert_eq!(sum(&visits, "offered"), 2, "{zone} {day}");
        assert!(visits.iter().all(|row| row["date"] == day));
    }
}

#[tokio::test]
async fn an_empty_day_and_a_day_of_open_work_are_published_too() {
    let mut place = Place::at("2026-03-04T12:00:00Z").await;
    let unknown = place.publish(&place.request("2026-03-01", "UTC")).await.unwrap_err();
    assert_eq!(
        unknown.to_string(),
        format!("nothing has been recorded or defined at the site `{}`; there is no site yet", site())
    );
    assert!(contents(&place.dest()).is_empty());
    place
        .send(vec![(
            instant("2026-03-02T22:00:00Z"),
            agent("bob", agent_fact::Action::SignedIn(v1::Nothing {})),
        )])
        .await;
    place
        .send(vec![(
            instant("2026-03-02T22:00:01Z"),
            agent("bob", agent_fact::Action::SignedOut(v1::Nothing {})),
        )])
        .await;
    let empty = new(place.publish(&place.request("2026-03-01", "UTC")).await.unwrap());
    assert_eq!(csv_rows(&empty.place, Table::Visit).len(), 0);
    assert_eq!(published::verify(&empty.place, &empty.manifest), Vec::<String>::new());
    let at = instant("2026-03-02T23:00:00Z");
    place.send(entered("open", "sales").map(|fact| (at, fact)).to_vec()).await;
    place.send(vec![(at, agent("ann", agent_fact::Action::SignedIn(v1::Nothing {})))]).await;
    let open = new(place.publish(&place.request("2026-03-02", "UTC")).await.unwrap());
    let visits = csv_rows(&open.place, Table::Visit);
    assert_eq!((sum(&visits, "offered"), sum(&visits, "ended")), (1, 0));
    let spans = csv_rows(&open.place, Table::AgentStateSpan);
    assert_eq!(sum(&spans, "signed_in_clock_us"), Micros::HOUR.0 + 1_000_000);
}

#[tokio::test]
async fn what_cannot_be_published_is_refused_in_words_and_leaves_nothing() {
    let mut place = Place::at("2026-03-02T23:59:59Z").await;
    let at = instant("2026-03-02T22:00:00Z");
    place.send(vec![(at, agent("bob", agent_fact::Action::SignedIn(v1::Nothing {})))]).await;
    let goes_on = place.publish(&place.request("2026-03-02", "UTC")).await.unwrap_err();
    assert!(matches!(goes_on, ExportError::NotOver { .. }), "{goes_on}");
    let asked = place.request("2026-03-01", "UTC");
    let nowhere = place.publish(&Request { zone: None, ..asked.clone() }).await.unwrap_err();
    assert_eq!(
        nowhere.to_string(),
        format!(
            "no time zone is defined for the site `{}`: name one, or define the site's (`pegcount apply`)",
            site()
        )
    );
    let beyond = place.publish(&Request { position: Some(Position(99)), ..asked }).await.unwrap_err();
    assert_eq!(
        beyond.to_string(),
        format!("position 99 lies beyond the log's end, which is {}", place.engine.end())
    );
    assert!(contents(&place.dest()).is_empty());
}

#[tokio::test]
async fn who_cancels_leaves_nothing_and_a_killed_runs_leftovers_go_with_the_next() {
    let mut place = Place::at("2026-03-04T12:00:00Z").await;
    place.send(shift(instant("2026-03-02T08:00:00Z"), 10, 17)).await;
    let request = place.request("2026-03-02", "UTC");
    for table in [Table::QueueInterval, Table::Leg, Table::Definition] {
        let cancelled = AtomicBool::new(false);
        let mut tell = |now: pegcount_export::Progress| {
            if now.table == table {
                cancelled.store(true, Ordering::Relaxed);
            }
        };
        let ended = publish(&place.engine, &request, &cancelled, &mut tell).await;
        assert!(matches!(ended, Err(ExportError::Cancelled)), "{table:?}");
        assert!(contents(&place.dest()).is_empty(), "{table:?}");
    }
    let leftover = place.dest().join(".aside-killed");
    fs::create_dir_all(&leftover).unwrap();
    fs::write(leftover.join("visit.csv"), "half a").unwrap();
    new(place.publish(&request).await.unwrap());
    assert!(!leftover.exists());
}

#[tokio::test]
async fn every_flipped_byte_is_found() {
    let mut place = Place::at("2026-03-04T12:00:00Z").await;
    place.send(shift(instant("2026-03-02T08:00:00Z"), 5, 18)).await;
    let published = new(place.publish(&place.request("2026-03-02", "UTC")).await.unwrap());
    assert_eq!(published::verify(&published.place, &published.manifest), Vec::<String>::new());
    for file in published.manifest.files.iter().filter(|file| file.bytes > 0) {
        let path = published.place.join(&file.name);
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        fs::write(&path, flipped).unwrap();
        let wrong = published::verify(&published.place, &published.manifest);
        assert!(wrong.iter().any(|what| what.contains(&file.name)), "{}: {wrong:?}", file.name);
        fs::write(&path, whole).unwrap();
    }
}

#[test]
fn columns_are_only_added_within_a_major_version() {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/schema-1.txt");
    let (golden, now) = (fs::read_to_string(golden).unwrap(), dictionary::schema());
    let mut left = now.lines();
    for line in golden.lines() {
        assert!(
            left.any(|own| own == line),
            "`{line}` is gone, or stands elsewhere: that takes a new major version"
        );
    }
    let known = golden.lines().count();
    assert_eq!(
        now.lines().count(),
        known,
        "columns were added: add them to the golden file, and raise the minor version"
    );
}

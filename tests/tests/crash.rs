//! `kill -9` of the real server in full stream, also while it seals: what was acknowledged is there once and in order, and
//! figures are those of a fold from scratch.
//!
//! `PEGCOUNT_CRASH_ROUNDS` says how often it is killed (10 by default, about half a minute; 200 for a long run), `SEED`
//! when.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use pegcount_tests::{Centre, Csv, Facts, Server, copied, facts_in, free_port, is_half_sealed, run};
use rand::{RngExt, SeedableRng, rngs::StdRng};

const ROUNDS: u64 = 10;
const PHONES: usize = 4;
/// As often as the server allows: a thousand facts to a segment.
const SEAL_OFTEN: [&str; 2] = ["--seal-size", "4KiB"];
/// A sealing that takes longer to come hangs.
const SEALING_WAIT_MAX: Duration = Duration::from_mins(1);
/// Between two looks at a folder.
const LOOK_PAUSE: Duration = Duration::from_micros(200);

/// When the server dies.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// After so many more acknowledged facts of the exchange.
    Facts(u64),
    /// When a sealing has made its second database.
    SecondDatabase,
    /// When a segment is being written.
    Writing,
    /// When a segment has just got its name.
    Named,
}

impl Moment {
    /// Every other one within a sealing.
    fn of(round: u64, random: &mut StdRng) -> Self {
        let sealing = [Self::SecondDatabase, Self::Writing, Self::Named];
        if round.is_multiple_of(2) {
            Self::Facts(random.random_range(50..1_500))
        } else {
            sealing[random.random_range(0..sealing.len())]
        }
    }

    async fn comes(self, centre: &Centre, log: PathBuf) {
        if let Self::Facts(facts) = self {
            centre.acknowledges_more(facts).await;
        } else {
            tokio::task::spawn_blocking(move || self.shows(&log)).await.unwrap();
        }
    }

    /// Looks at the folder until it shows that the sealing is there.
    fn shows(self, log: &Path) {
        let begun = Instant::now();
        let before = names(log, is_segment);
        let is_there = || match self {
            Self::SecondDatabase => names(log, |name| name.starts_with("hot-")).len() > 1,
            Self::Writing => !names(log, |name| name.starts_with("segment-") && !is_segment(name)).is_empty(),
            Self::Named => names(log, is_segment) != before,
            Self::Facts(_) => true,
        };
        while !is_there() {
            assert!(begun.elapsed() < SEALING_WAIT_MAX, "nothing is sealed: {self:?} does not come");
            thread::sleep(LOOK_PAUSE);
        }
    }
}

fn is_segment(name: &str) -> bool {
    name.starts_with("segment-") && !name.contains('.')
}

fn names(dir: &Path, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<_> = names.filter(|name| wanted(name)).collect();
    names.sort_unstable();
    names
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable}={text}")))
}

fn seed() -> u64 {
    let by_time = || u64::from(jiff::Timestamp::now().subsec_nanosecond().unsigned_abs());
    let seed = number("SEED").unwrap_or_else(by_time);
    println!("SEED={seed}");
    seed
}

/// Every fact of `recorded` that `durable` covers is in `stored`, as it was.
fn assert_stored(stored: &Facts, recorded: &Facts, durable: impl Fn(&str) -> u64) {
    for (key, said) in recorded.iter().filter(|((source, seq), _)| *seq <= durable(source)) {
        assert_eq!(stored.get(key), Some(said), "{key:?}");
    }
}

/// Has `pegcount log verify` look at a server's folder: it ends with code 0, and says so.
fn assert_sound(data: &Path) {
    let said = run(["log", "verify", &data.display().to_string()]).success();
    assert!(said.ends_with("sound: nothing is damaged\n"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_9_once_and_figures_are_those_of_a_fold_from_scratch() {
    let mut random = StdRng::seed_from_u64(seed());
    let dir = tempfile::tempdir().unwrap();
    let (data, port) = (dir.path().join("data"), free_port());
    let mut server = Server::start_with(&data, port, &SEAL_OFTEN);
    let centre = Centre::open(&server, &dir.path().join("spools"), PHONES);

    let rounds = number("PEGCOUNT_CRASH_ROUNDS").unwrap_or(ROUNDS);
    let mut half_sealed = 0;
    for round in 1..=rounds {
        // When: the server dies while all of them stream, at some moment.
        let moment = Moment::of(round, &mut random);
        moment.comes(&centre, data.join("log")).await;
        server.kill();

        // Then: the log that the dead process left is sound, and holds what each of them had been told is durable, once
        // and in order.
        let durable = centre.acknowledged();
        let left = dir.path().join("left");
        copied(&data, &left);
        half_sealed += u64::from(is_half_sealed(&left.join("log")));
        assert_sound(&left);
        let stored = facts_in(&left).await;
        centre.recorded(|recorded| assert_stored(&stored, recorded, |source| durable[source]));
        println!("round {round}: {moment:?}, {} facts stored, {half_sealed} half sealed", stored.len());
        fs::remove_dir_all(&left).unwrap();
        server = Server::start_with(&data, port, &SEAL_OFTEN);
    }
    assert!(half_sealed > 0 || rounds == 0, "no sealing was interrupted");

    // When: everybody has gone home and all is acknowledged.
    let recorded = centre.closes().await;

    // Then: the server that lived through it gives the figures of one that folds the log from scratch.
    let cuts = ["", "agent,interval15", "queue,interval15", "hour,channel,direction"];
    let before: Vec<_> = cuts.iter().map(|cut| figures(cut, &server.target())).collect();
    assert_eq!(server.terminate(), Some(0));
    let kept = dir.path().join("kept");
    copied(&data, &kept);
    let folder = ["--data-dir".to_owned(), kept.display().to_string()];
    for (cut, before) in cuts.iter().zip(before) {
        assert_eq!(figures(cut, &folder), before, "by {cut}");
    }
    // And: every fact is there once, and counted once.
    assert_sound(&kept);
    let stored = facts_in(&kept).await;
    assert_eq!(stored.len(), recorded.len());
    assert_stored(&stored, &recorded, |_| u64::MAX);
    assert_counted_once(&recorded, &folder);
}

fn assert_counted_once(recorded: &Facts, target: &[String]) {
    let count =
        |wanted| recorded.values().filter(|(event_type, _)| *event_type == wanted).count().to_string();
    let all = Csv::read(&figures("", target));
    let counted = ["offered", "answered", "handled", "sign_ins"].map(|column| all.only(column).to_owned());
    let expected =
        ["contact.queue_entered", "contact.queue_left", "leg.after_call_ended", "agent.signed_in"].map(count);
    assert_eq!(counted, expected);
}

/// All figures of yesterday, today and tomorrow, as of a moment after everything.
fn figures(cut: &str, target: &[String]) -> String {
    let today = jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC).date();
    let [from, to] = [today.yesterday(), today.tomorrow()].map(|day| day.unwrap());
    let to = to.tomorrow().unwrap();
    let mut arguments: Vec<String> = ["kpi", "--site", "main", "--format", "csv"].map(str::to_owned).to_vec();
    arguments.extend(["--from".into(), from.to_string(), "--to".into(), to.to_string()]);
    arguments.extend(["--as-of".into(), to.to_string()]);
    if !cut.is_empty() {
        arguments.extend(["--by".into(), cut.into()]);
    }
    run(arguments.into_iter().chain(target.iter().cloned())).success()
}

//! `kill -9` of the real server in full stream: what was acknowledged is there once, and figures are those of a fold
//! from scratch.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use std::{
    collections::HashMap,
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use pegcount_client::{Exchange, Softphone, Source, SourceConfig, SpoolDurability, Start, Token};
use pegcount_domain::{
    event::{Channel, Direction, LegRef, Party, QueueExit},
    ids::{AgentId, ContactId, LegId, Name, QueueId, SiteId, VisitId},
};
use pegcount_tests::{Csv, Server, free_port, run};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::Value;

const ROUNDS: u64 = 5;
const PHONES: usize = 4;
/// Beyond this a writer waits for the server: the spools must not grow faster than the log.
const PENDING_MAX: u64 = 400;

/// What was recorded: (source, seq) to the event's type and the contact it is about.
type Recorded = HashMap<(String, u64), (&'static str, String)>;

struct Centre {
    recorded: Mutex<Recorded>,
    exchange: Exchange,
    stop: AtomicBool,
}

impl Centre {
    fn note(&self, source: &str, seq: u64, event_type: &'static str, contact: &str) {
        let before = self.recorded.lock().unwrap().insert((source.into(), seq), (event_type, contact.into()));
        assert_eq!(before, None, "{source} gave seq {seq} twice");
    }

    /// One agent takes calls until told to stop.
    async fn shift(self: Arc<Self>, phone: Softphone, number: usize) -> Softphone {
        let agent = AgentId::new(&format!("agent-{number}")).unwrap();
        let me = format!("phone-{number}");
        let queue = QueueId(Name::fixed("support"));
        let visit = VisitId(Name::fixed("1"));
        self.note(&me, phone.sign_in().unwrap().seq, "agent.signed_in", "");
        self.note(&me, phone.ready().unwrap().seq, "agent.ready", "");
        let mut phones = phone.source().status();
        let mut exchanges = self.exchange.source().status();
        let mut call = 0;
        while !self.stop.load(Ordering::Relaxed) {
            call += 1;
            let text = format!("call-{number}-{call}");
            let contact = ContactId::new(&text).unwrap();
            let at_exchange = |seq, event_type| self.note("exchange", seq, event_type, &text);
            let at_phone = |seq, event_type| self.note(&me, seq, event_type, &text);
            let leg = phone.leg(LegRef {
                contact: contact.clone(),
                leg: LegId(Name::fixed("1")),
                agent: Some(agent.clone()),
                visit: Some(visit.clone()),
                queue: Some(queue.clone()),
                channel: Some(Channel::Voice),
                direction: Some(Direction::Inbound),
            });
            let exchange = &self.exchange;
            at_exchange(exchange.started(&contact, &inbound()).unwrap().seq, "contact.started");
            at_exchange(
                exchange.queue_entered(&contact, &visit, &queue).unwrap().seq,
                "contact.queue_entered",
            );
            at_phone(leg.ringing().unwrap().seq, "leg.ringing");
            let left = exchange.queue_left(&contact, &visit, QueueExit::Answered, true);
            at_exchange(left.unwrap().seq, "contact.queue_left");
            at_phone(leg.answered().unwrap().seq, "leg.answered");
            at_phone(leg.ended_with_after_call(Party::Customer).unwrap().seq, "leg.ended");
            at_exchange(exchange.ended(&contact, Party::Customer, false).unwrap().seq, "contact.ended");
            at_phone(leg.after_call_ended().unwrap().seq, "leg.after_call_ended");
            phones.wait_for(|status| status.pending < PENDING_MAX).await.unwrap();
            exchanges.wait_for(|status| status.pending < PENDING_MAX).await.unwrap();
        }
        self.note(&me, phone.sign_out().unwrap().seq, "agent.signed_out", "");
        phone
    }
}

fn inbound() -> Start {
    Start {
        channel: Channel::Voice,
        direction: Direction::Inbound,
        entry: None,
        caller: None,
        journey: None,
        callback: false,
        priority: 0,
    }
}

/// What a source has been told is durable.
fn acknowledged(source: &Source) -> u64 {
    source.status().borrow().acknowledged.map_or(0, |seq| seq.seq)
}

/// The facts of clients in a folder's log; fails if one stands there twice.
fn facts_in_log(data: &Path) -> Recorded {
    let data = data.display().to_string();
    let printed = run(["log", "tail", "--from", "1", "--format", "json", "--data-dir", &data]).success();
    let mut facts = Recorded::new();
    for line in printed.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let seq = event["source_seq"].as_u64().unwrap();
        if seq == 0 {
            continue;
        }
        let source = event["source"].as_str().unwrap().to_owned();
        let event_type: &'static str = event["type"].as_str().unwrap().to_owned().leak();
        let said = format!("{} {}", event["stream"], event["body"]);
        let before = facts.insert((source.clone(), seq), (event_type, said));
        assert!(before.is_none(), "{source} {seq} is in the log twice");
    }
    facts
}

/// Every fact of `recorded` that `durable` covers is in `stored`, as it was.
fn assert_stored(stored: &Recorded, recorded: &Recorded, durable: impl Fn(&str) -> u64) {
    for ((source, seq), (event_type, contact)) in recorded {
        if *seq > durable(source) {
            continue;
        }
        let key = (source.clone(), *seq);
        let (stored_type, said) = stored.get(&key).unwrap_or_else(|| panic!("{source} {seq} is lost"));
        assert_eq!(stored_type, event_type, "{source} {seq}");
        let quoted = |text: &str| said.contains(&format!("{text}\""));
        assert!(contact.is_empty() || quoted(contact), "{source} {seq}: {said} is not about {contact}");
    }
}

fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copied(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_9_once_and_figures_are_those_of_a_fold_from_scratch() {
    let by_time = u64::from(jiff::Timestamp::now().subsec_nanosecond().unsigned_abs());
    let seed = std::env::var("SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(by_time);
    println!("SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let dir = tempfile::tempdir().unwrap();
    let (data, port) = (dir.path().join("data"), free_port());
    let mut server = Server::start_on(&data, port);

    let config = |source: &str| {
        let token = Token::new(server.token());
        let site = SiteId(Name::fixed("main"));
        let config = SourceConfig::new(server.url(), token, site, source, dir.path().join("spools")).unwrap();
        SourceConfig { durability: SpoolDurability::ProcessCrash, ..config }
    };
    let centre = Arc::new(Centre {
        recorded: Mutex::default(),
        exchange: Exchange::open(config("exchange")).unwrap(),
        stop: AtomicBool::new(false),
    });
    let mut shifts = Vec::new();
    let mut statuses = HashMap::new();
    for number in 0..PHONES {
        let agent = AgentId::new(&format!("agent-{number}")).unwrap();
        let phone = Softphone::open(config(&format!("phone-{number}")), agent).unwrap();
        statuses.insert(format!("phone-{number}"), phone.source().status());
        shifts.push(tokio::spawn(Arc::clone(&centre).shift(phone, number)));
    }
    statuses.insert("exchange".into(), centre.exchange.source().status());

    for round in 1..=ROUNDS {
        // When: the server dies while all of them stream, at some moment.
        let until = acknowledged(centre.exchange.source()) + random.random_range(50..1_500);
        let mut status = centre.exchange.source().status();
        status.wait_for(|status| status.acknowledged.is_some_and(|seq| seq.seq >= until)).await.unwrap();
        server.kill();

        // Then: what each of them had been told is durable is in the log that the dead process left, once.
        let durable: HashMap<_, _> = statuses
            .iter()
            .map(|(source, status)| (source.as_str(), status.borrow().acknowledged.map_or(0, |seq| seq.seq)))
            .collect();
        let left = dir.path().join(format!("left-{round}"));
        copied(&data, &left);
        let recorded = centre.recorded.lock().unwrap().clone();
        assert_stored(&facts_in_log(&left), &recorded, |source| durable[source]);
        server = Server::start_on(&data, port);
    }

    // When: everybody has gone home and all is acknowledged.
    centre.stop.store(true, Ordering::Relaxed);
    for shift in shifts {
        let phone = shift.await.unwrap();
        phone.source().flush().await.unwrap();
        phone.close().await;
    }
    centre.exchange.source().flush().await.unwrap();

    // Then: the server that lived through it gives the figures of one that folds the log from scratch.
    let kept = dir.path().join("kept");
    let cuts = ["", "agent,interval15", "queue,interval15", "hour,channel,direction"];
    let before: Vec<_> = cuts.iter().map(|cut| figures(cut, &server.target())).collect();
    assert_eq!(server.terminate(), Some(0));
    copied(&data, &kept);
    let folder = ["--data-dir".to_owned(), kept.display().to_string()];
    for (cut, before) in cuts.iter().zip(before) {
        assert_eq!(figures(cut, &folder), before, "by {cut}");
    }
    // And: every fact is there once, and counted once.
    let recorded = centre.recorded.lock().unwrap().clone();
    let stored = facts_in_log(&kept);
    assert_eq!(stored.len(), recorded.len());
    assert_stored(&stored, &recorded, |_| u64::MAX);
    let count =
        |wanted| recorded.values().filter(|(event_type, _)| *event_type == wanted).count().to_string();
    let all = Csv::read(&figures("", &folder));
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

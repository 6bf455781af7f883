//! Starts that go on from a checkpoint answer as starts that fold everything do, and bad checkpoints do no harm.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    clippy::unused_self,
    dead_code,
    reason = "tests"
)]

mod support;

use std::{fs, path::PathBuf};

use pegcount_clock::Clock;
use pegcount_domain::{envelope::Position, ids::ContactId, time::Micros};
use pegcount_engine::{Checkpointing, Correction, Engine, EngineOptions, TicketFilter, TicketOrder};
use pegcount_kpi::{Dimension, Query, Row};
use pegcount_proto::v1::{self, agent_fact::Action as AgentAction, contact_fact::Action, leg::Step};
use support::{
    MORNING, Place, agent, agent_fact, batch, command, contact_fact, name, place, ready, send, signed_in,
    site, started, tickets,
};

fn at(minutes: i64) -> Micros {
    MORNING.plus(Micros(minutes * Micros::MINUTE.0))
}

fn leg(contact: &str, step: Step) -> v1::fact::Fact {
    let leg = v1::Leg {
        contact: contact.to_owned(),
        leg: "1".to_owned(),
        queue: "sales".to_owned(),
        step: Some(step),
        ..v1::Leg::default()
    };
    agent_fact("ann", AgentAction::Leg(leg))
}

fn visit(contact: &str) -> [v1::fact::Fact; 2] {
    let entered = v1::QueueEntered { visit: "1".into(), queue: "sales".into(), priority: 0 };
    let left = v1::QueueLeft { visit: "1".into(), exit: v1::QueueExit::Answered.into(), ringing: false };
    [contact_fact(contact, Action::QueueEntered(entered)), contact_fact(contact, Action::QueueLeft(left))]
}

/// The first facts of the centre: who is there, what goes on for long, a ticket.
async fn opens(place: &Place) {
    place.clock.set(at(0));
    let (phones, pbx) = (place.session("phones"), place.session("pbx"));
    let first = vec![signed_in("ann"), ready("ann"), signed_in("bob")];
    send(&phones, batch(1, at(0), first)).await.unwrap();
    send(&pbx, batch(1, at(0), vec![started("mail", "carla@example.org")])).await.unwrap();
    tickets::open(&place.engine, tickets::repair("t1"), 1).await.unwrap();
    tickets::open(&place.engine, tickets::repair("t2"), 2).await.unwrap();
    for (ticket, first) in [("t1", 21), ("t2", 31)] {
        tickets::all(&place.engine, ticket, first, [tickets::accept(), tickets::classify()]).await;
    }
    tickets::all(&place.engine, "t2", 41, [tickets::resolve(), tickets::close()]).await;
}

/// The n-th call, which takes 5 minutes; of every third the agent's end comes a call later. Sources go on counting.
async fn call(place: &Place, number: u64) {
    let minute = 10 * i64::try_from(number).unwrap();
    place.clock.set(at(minute + 10));
    let (phones, pbx) = (place.session("phones"), place.session("pbx"));
    let id = format!("call {number}");
    let [entered, left] = visit(&id);
    let seq = 2 + number * 4;
    send(&pbx, batch(seq, at(minute), vec![started(&id, &format!("+49 {}", number % 5)), entered]))
        .await
        .unwrap();
    send(&pbx, batch(seq + 2, at(minute + 1), vec![left])).await.unwrap();
    send(
        &pbx,
        batch(seq + 3, at(minute + 5), vec![contact_fact(&id, Action::Ended(v1::ContactEnded::default()))]),
    )
    .await
    .unwrap();
    let nothing = v1::Nothing {};
    let ended = Step::Ended(v1::LegEnded { by: 2, after_call_expected: false });
    let seq = 4 + number * 3;
    send(&phones, batch(seq, at(minute), vec![leg(&id, Step::Ringing(nothing))])).await.unwrap();
    send(&phones, batch(seq + 1, at(minute + 1), vec![leg(&id, Step::Answered(nothing))])).await.unwrap();
    send(&phones, batch(seq + 2, at(minute + 5), vec![leg(&id, ended)])).await.unwrap();
}

fn questions(place: &Place) -> Vec<Query> {
    let cuts: [&[Dimension]; 4] = [
        &[],
        &[Dimension::Hour, Dimension::Queue],
        &[Dimension::Interval15, Dimension::Agent],
        &[Dimension::Hour, Dimension::Reason],
    ];
    let now = place.clock.now();
    let instants = [now, Micros(now.0 - 40 * Micros::MINUTE.0)];
    let asked = cuts.into_iter().flat_map(|by| instants.map(|as_of| (by, as_of)));
    let query = |(by, as_of): (&[Dimension], Micros)| {
        let asked = Query::new(site(), MORNING, at(24 * 60), as_of);
        Query { by: by.to_vec(), ..asked }
    };
    asked.map(query).collect()
}

async fn figures(place: &Place) -> Vec<Vec<Row>> {
    place.settled().await;
    questions(place).iter().map(|query| place.engine.query(query).unwrap().rows).collect()
}

/// What boards show of the present, in words.
async fn boards(place: &Place) -> String {
    place.settled().await;
    let engine = &place.engine;
    let agents: Vec<_> = ["ann", "bob"].iter().map(|id| engine.agent(&site(), &agent(id)).unwrap()).collect();
    let mut open: Vec<_> = engine.open_contacts(&site()).into_iter().map(|view| view.state).collect();
    open.sort_by(|one, other| one.contact.cmp(&other.contact));
    let ended = engine.contact(&site(), &ContactId::new("call 0").unwrap()).await.unwrap();
    let listed = engine.list_tickets(&site(), &TicketFilter::default(), TicketOrder::Oldest, None, 9).tickets;
    let ticket = (tickets::view(engine, "t1"), listed);
    let defined = engine.defined(&site());
    format!("{agents:?}\n{open:?}\n{ended:?}\n{ticket:?}\n{defined:?}")
}

fn folder(place: &Place) -> PathBuf {
    place.dir.path().join("checkpoints")
}

fn files(place: &Place) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder(place)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The same centre once more, folded from the beginning.
async fn folded_anew(place: Place) -> Place {
    place.engine.close().await.unwrap();
    fs::remove_dir_all(folder(&place)).unwrap();
    let place = place.restarted().await;
    assert_eq!(place.engine.began_at(), Position::START);
    place
}

#[tokio::test]
async fn a_start_goes_on_from_the_last_checkpoint_and_everything_is_as_it_was() {
    let mut place = place().await;
    opens(&place).await;
    for number in 0..24 {
        call(&place, number).await;
        place.settled().await;
        let (before, shown) = (figures(&place).await, boards(&place).await);
        if number % 3 == 1 {
            let made = place.engine.checkpoint().await.unwrap();
            assert_eq!(made, Some(place.engine.end()));
            place = place.restarted().await;
            assert_eq!(Some(place.engine.began_at()), made);
        }
        assert_eq!(figures(&place).await, before, "after call {number}");
        assert_eq!(boards(&place).await, shown, "after call {number}");
    }
    let (last, shown) = (figures(&place).await, boards(&place).await);
    let place = folded_anew(place).await;
    assert_eq!(figures(&place).await, last);
    assert_eq!(boards(&place).await, shown);
}

#[tokio::test]
async fn what_comes_after_a_start_from_a_checkpoint_counts_as_if_there_had_been_none() {
    let (mut place, whole) = (place().await, place().await);
    for one in [&place, &whole] {
        opens(one).await;
        for number in 0..8 {
            call(one, number).await;
        }
        one.settled().await;
    }
    place.engine.checkpoint().await.unwrap();
    place = place.restarted().await;
    assert!(place.engine.began_at() > Position::START);
    for one in [&place, &whole] {
        // A late fact, a correction of an old one, a command asked for twice, and more of the same.
        send(&one.session("late phone"), batch(1, at(7), vec![signed_in("dora"), ready("dora")]))
            .await
            .unwrap();
        let (reason, id) = ("a wrong key", command(7));
        one.engine.correct(&site(), Position(2), Correction::Annul, reason, &name("lead"), id).await.unwrap();
        for number in 8..12 {
            call(one, number).await;
        }
        let resolve = || tickets::ask(&one.engine, "t1", tickets::resolve(), None, 8);
        let (done, again) = (resolve().await.unwrap(), resolve().await.unwrap());
        tickets::ask(&one.engine, "t2", tickets::reopen(), None, 9).await.unwrap();
        assert_eq!(done.version, again.version);
    }
    assert_eq!(figures(&place).await, figures(&whole).await);
    let day = pegcount_domain::time::Span::new(MORNING, at(24 * 60));
    assert_eq!(
        place.engine.kpi_corrections(&site(), day).await.unwrap(),
        whole.engine.kpi_corrections(&site(), day).await.unwrap()
    );
    let welcome = |one: &Place| one.engine.open_source(one.hello("phones")).unwrap().1.last_committed_seq;
    assert_eq!(welcome(&place), welcome(&whole));
}

/// A centre with two checkpoints, at the positions given back.
async fn twice_checkpointed() -> (Place, [Position; 2]) {
    let place = place().await;
    opens(&place).await;
    let mut made = [Position::START; 2];
    for (number, made) in (0..).zip(&mut made) {
        call(&place, number * 2).await;
        call(&place, number * 2 + 1).await;
        place.settled().await;
        *made = place.engine.checkpoint().await.unwrap().unwrap();
    }
    call(&place, 4).await;
    (place, made)
}

#[tokio::test]
async fn a_damaged_checkpoint_is_passed_over_for_the_one_before_it() {
    let (mut place, [first, second]) = twice_checkpointed().await;
    let (expected, shown) = (figures(&place).await, boards(&place).await);
    let last = files(&place)[1].clone();
    let good = fs::read(&last).unwrap();
    // Flipped, cut, empty, and with something behind it, at places all over the file.
    let step = (good.len() / 12).max(1);
    for at in (0..good.len()).step_by(step) {
        for damage in 0..2 {
            let mut bytes = good.clone();
            match damage {
                0 => bytes[at] ^= 0x10,
                _ => bytes.truncate(at),
            }
            fs::write(&last, bytes).unwrap();
            place = place.restarted().await;
            assert_eq!(place.engine.began_at(), first, "byte {at}, damage {damage}");
            assert_eq!(figures(&place).await, expected, "byte {at}, damage {damage}");
        }
    }
    fs::write(&last, &good).unwrap();
    place = place.restarted().await;
    assert_eq!(place.engine.began_at(), second);
    assert_eq!((figures(&place).await, boards(&place).await), (expected, shown));
}

#[tokio::test]
async fn a_checkpoint_of_another_log_or_another_position_is_ignored() {
    let (place, [first, second]) = twice_checkpointed().await;
    let (other, _) = twice_checkpointed().await;
    let expected = figures(&place).await;
    // Another log's, under this one's names; and this one's, under another's.
    fs::copy(&files(&other)[1], &files(&place)[1]).unwrap();
    let place = place.restarted().await;
    assert_eq!(place.engine.began_at(), first);
    fs::copy(&files(&place)[0], &files(&place)[1]).unwrap();
    let place = place.restarted().await;
    assert_eq!(place.engine.began_at(), first);
    // One beyond the end of the log would be of a history that is lost: it goes, before other events come to stand there.
    let beyond = folder(&place).join(format!("{:020}.checkpoint", second.0 + 1_000));
    fs::copy(&files(&place)[0], &beyond).unwrap();
    let place = place.restarted().await;
    assert!(!beyond.exists());
    assert_eq!(place.engine.began_at(), first);
    assert_eq!(figures(&place).await, expected);
}

#[tokio::test]
async fn without_the_folder_a_start_folds_everything_and_answers_alike() {
    let (place, _) = twice_checkpointed().await;
    let (expected, shown) = (figures(&place).await, boards(&place).await);
    let place = folded_anew(place).await;
    assert_eq!((figures(&place).await, boards(&place).await), (expected, shown));
}

#[tokio::test]
async fn a_clean_stop_leaves_a_checkpoint_at_the_end_and_a_tool_that_only_reads_leaves_none() {
    let checkpointing = Checkpointing { stop_events: 10, ..Checkpointing::default() };
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::manual(MORNING);
    let options =
        || EngineOptions { clock: clock.clone(), checkpointing, ..EngineOptions::folder(dir.path()) };
    let mut ends = Vec::new();
    for (calls, serves) in [(0..2, false), (2..4, true), (4..4, true)] {
        let engine = Engine::open(options()).await.unwrap();
        let place = Place { engine, clock: clock.clone(), dir: tempfile::tempdir().unwrap() };
        if serves {
            place.engine.run_processes();
        } else {
            opens(&place).await;
        }
        for number in calls {
            call(&place, number).await;
        }
        place.settled().await;
        ends.push((place.engine.began_at(), place.engine.end()));
        place.engine.close().await.unwrap();
    }
    // Nothing was left after the first, all after the second.
    assert_eq!(ends[1].0, Position::START);
    assert_eq!(ends[2].0, ends[1].1);
}

#[tokio::test]
async fn one_is_made_in_the_background_when_enough_has_happened() {
    let checkpointing = Checkpointing { every_events: 30, ..Checkpointing::default() };
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::manual(MORNING);
    let options = EngineOptions { clock: clock.clone(), checkpointing, ..EngineOptions::folder(dir.path()) };
    let place = Place { engine: Engine::open(options).await.unwrap(), clock, dir };
    place.engine.run_processes();
    opens(&place).await;
    for number in 0..6 {
        call(&place, number).await;
    }
    let patience = std::time::Instant::now() + std::time::Duration::from_mins(1);
    while !folder(&place).is_dir()
        || !files(&place).iter().any(|path| path.extension().unwrap() == "checkpoint")
    {
        assert!(std::time::Instant::now() < patience, "no checkpoint was made");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let expected = figures(&place).await;
    let place = place.restarted().await;
    assert!(place.engine.began_at() > Position::START);
    assert_eq!(figures(&place).await, expected);
}

#[tokio::test]
async fn what_was_known_is_the_same_from_a_checkpoint_as_from_the_beginning() {
    let mut place = place().await;
    opens(&place).await;
    for number in 0..10 {
        call(&place, number).await;
        place.settled().await;
        if number % 4 == 1 {
            place.engine.checkpoint().await.unwrap();
        }
    }
    let end = place.engine.end().0;
    let mut answers = Vec::new();
    for with_checkpoints in [true, false] {
        place = if with_checkpoints { place.restarted().await } else { folded_anew(place).await };
        let mut own = Vec::new();
        // Backward, so that no kept prefix lies before the point asked about.
        for position in (1..=end).rev().step_by(7) {
            for query in questions(&place) {
                own.push(place.engine.query_at(query, Some(Position(position))).await.unwrap().rows);
            }
        }
        answers.push(own);
    }
    assert_eq!(answers[0], answers[1]);
}

//! Old history goes, and nothing that counts goes with it.
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

use pegcount_clock::Clock;
use pegcount_domain::{
    envelope::Position,
    ids::ContactId,
    ticketing::Status,
    time::{Micros, Span},
};
use pegcount_engine::{
    Engine, EngineError, EngineOptions, FactBatch, KnownAt, LogStore, Retained, Retention,
};
use pegcount_kpi::{Dimension, ExplainQuery, Query, QueryError, Table};
use pegcount_log::{ConsumerHello, ConsumerName, Filter, LogError};
use pegcount_proto::v1::{self, agent_fact, contact_fact::Action};
use support::{
    MORNING, Place, agent, agent_fact, batch, contact_fact, name, ready, send, signed_in, site, started,
    tickets,
};

const DAY: Micros = Micros(24 * Micros::HOUR.0);
/// Some days of this centre make a segment.
const SEAL_BYTES: u64 = 4_096;

fn day(number: i64) -> Micros {
    MORNING.plus(Micros(number * DAY.0))
}

async fn open_at(dir: tempfile::TempDir, clock: Clock) -> Place {
    let mut options = EngineOptions { clock: clock.clone(), ..EngineOptions::folder(dir.path()) };
    let LogStore::Folder { seal_bytes, .. } = &mut options.store;
    *seal_bytes = SEAL_BYTES;
    let engine = Engine::open(options).await.unwrap();
    Place { engine, clock, dir }
}

async fn restarted(place: Place) -> Place {
    place.engine.close().await.unwrap();
    let Place { engine, clock, dir } = place;
    drop(engine);
    open_at(dir, clock).await
}

async fn centre() -> Place {
    open_at(tempfile::tempdir().unwrap(), Clock::manual(MORNING)).await
}

fn leg(contact: &str, step: v1::leg::Step) -> agent_fact::Action {
    let leg = v1::Leg {
        contact: contact.to_owned(),
        leg: "1".to_owned(),
        queue: "sales".to_owned(),
        step: Some(step),
        ..v1::Leg::default()
    };
    agent_fact::Action::Leg(leg)
}

/// One day: `ann` works and answers four calls of the same four customers, each an hour after the other.
async fn a_day(place: &Place, number: i64) {
    use v1::leg::Step;
    let at = |minutes: i64| day(number).plus(Micros(minutes * Micros::MINUTE.0));
    place.clock.set(at(600));
    let (pbx, phone) = (place.session("pbx"), place.session("ann's phone"));
    let (days, mut exchange, mut own) = (u64::try_from(number).unwrap(), Vec::new(), Vec::new());
    own.push((at(0), signed_in("ann")));
    own.push((at(1), ready("ann")));
    for call in 0..4 {
        let (contact, begins) = (format!("call {number} {call}"), 10 + call * 60);
        let visit = || "1".to_owned();
        let enter = v1::QueueEntered { visit: visit(), queue: "sales".into(), priority: 0 };
        let leave = v1::QueueLeft { visit: visit(), exit: v1::QueueExit::Answered.into(), ringing: true };
        let facts = [
            (begins, started(&contact, &format!("+49 30 {call}"))),
            (begins, contact_fact(&contact, Action::QueueEntered(enter))),
            (begins + 1, contact_fact(&contact, Action::QueueLeft(leave))),
            (begins + 9, contact_fact(&contact, Action::Ended(v1::ContactEnded::default()))),
        ];
        exchange.extend(facts.map(|(minute, fact)| (at(minute), fact)));
        let ended = v1::LegEnded { by: v1::Party::Customer.into(), after_call_expected: false };
        own.push((at(begins + 1), agent_fact("ann", leg(&contact, Step::Answered(v1::Nothing {})))));
        own.push((at(begins + 9), agent_fact("ann", leg(&contact, Step::Ended(ended)))));
    }
    own.push((at(590), agent_fact("ann", agent_fact::Action::SignedOut(v1::Nothing {}))));
    for (session, facts) in [(&pbx, exchange), (&phone, own)] {
        let first = days * u64::try_from(facts.len()).unwrap() + 1;
        let facts = facts.into_iter().zip(first..).map(|((at, fact), seq)| v1::Fact {
            seq,
            source_time_us: at.0,
            fact: Some(fact),
        });
        let facts = FactBatch { facts: facts.collect(), clock_offset: None };
        send(session, facts).await.unwrap();
    }
}

/// What goes on for longer than any of this: an agent who never signs out, an e-mail, a ticket.
async fn what_goes_on(place: &Place) {
    let other = place.session("bob's phone");
    send(&other, batch(1, MORNING, vec![signed_in("bob"), ready("bob")])).await.unwrap();
    let mail = place.session("mail");
    let begun = v1::ContactStarted { channel: 3, direction: 1, ..Default::default() };
    let entered = v1::QueueEntered { visit: "1".into(), queue: "letters".into(), priority: 0 };
    let facts = vec![
        contact_fact("mail", Action::Started(begun)),
        contact_fact("mail", Action::QueueEntered(entered)),
    ];
    send(&mail, batch(1, MORNING, facts)).await.unwrap();
    place.settled().await;
    for (number, ticket) in ["open", "settled"].into_iter().enumerate() {
        let id = u128::try_from(number).unwrap() + 1;
        tickets::open(&place.engine, tickets::repair(ticket), id).await.unwrap();
        tickets::all(&place.engine, ticket, 10 * id, [tickets::accept(), tickets::classify()]).await;
    }
    tickets::all(&place.engine, "settled", 8, [tickets::resolve(), tickets::close()]).await;
}

fn days(number: i64, by: &[Dimension]) -> Query {
    let (from, to) = (Micros(MORNING.0 - 8 * Micros::HOUR.0), Micros(day(number).0 - 8 * Micros::HOUR.0));
    Query { by: by.to_vec(), ..Query::new(site(), from, to, day(number)) }
}

async fn tables(place: &Place, number: i64) -> Vec<Table> {
    place.settled().await;
    let cuts: [&[Dimension]; 4] = [
        &[],
        &[Dimension::Day, Dimension::Queue],
        &[Dimension::Hour, Dimension::Agent],
        &[Dimension::Day, Dimension::Reason],
    ];
    cuts.into_iter().map(|by| place.engine.query(&days(number, by)).unwrap()).collect()
}

fn rows(tables: Vec<Table>) -> Vec<Vec<pegcount_kpi::Row>> {
    tables.into_iter().map(|table| table.rows).collect()
}

/// Waits until the days so far are in segments, but for what is not full yet.
async fn sealed(place: &Place) {
    let enough = |place: &Place| place.engine.log_status().0.segments >= 4;
    for _ in 0..10_000 {
        if enough(place) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    panic!("nothing is sealed: {:?}", place.engine.log_status());
}

const AGE: Retention = Retention { age: Some(Micros(40 * DAY.0)), bytes: None };

async fn retained(place: &Place) -> Retained {
    sealed(place).await;
    let told = place.engine.retain(AGE, true).await.unwrap();
    let done = place.engine.retain(AGE, false).await.unwrap();
    assert_eq!(told, done, "what is told is what is done");
    assert!(done.segments > 0 && done.events > 0 && done.bytes > 0, "{done:?}");
    done
}

#[tokio::test]
async fn figures_of_dropped_time_stay_exact_and_go_on_after_a_restart() {
    let (mut dropped, whole) = (centre().await, centre().await);
    for place in [&dropped, &whole] {
        what_goes_on(place).await;
        for number in 0..60 {
            a_day(place, number).await;
        }
    }
    assert_eq!(rows(tables(&dropped, 60).await), rows(tables(&whole, 60).await));
    let first = retained(&dropped).await;
    assert_eq!(rows(tables(&dropped, 60).await), rows(tables(&whole, 60).await));
    dropped = restarted(dropped).await;
    assert_eq!(rows(tables(&dropped, 60).await), rows(tables(&whole, 60).await));
    for number in 60..80 {
        a_day(&dropped, number).await;
        a_day(&whole, number).await;
    }
    assert_eq!(rows(tables(&dropped, 80).await), rows(tables(&whole, 80).await));
    let second = retained(&dropped).await;
    assert!(second.first > first.first && second.closed_before > first.closed_before);
    dropped = restarted(dropped).await;
    assert_eq!(rows(tables(&dropped, 80).await), rows(tables(&whole, 80).await));
    assert_eq!(dropped.engine.log_status().0.first, second.first);
}

#[tokio::test]
async fn what_still_goes_on_is_there_after_its_events_have_gone() {
    let mut place = centre().await;
    what_goes_on(&place).await;
    for number in 0..60 {
        a_day(&place, number).await;
    }
    let before = retained(&place).await;
    assert!(before.first > Position(20), "{before:?}");
    place = restarted(place).await;
    let (engine, now) = (&place.engine, day(60));
    place.clock.set(now);
    assert!(engine.agent(&site(), &agent("bob")).unwrap().state.standing().is_some(), "bob is signed in");
    assert!(engine.agent(&site(), &agent("ann")).unwrap().state.standing().is_none(), "ann is signed out");
    let open: Vec<_> =
        engine.open_contacts(&site()).into_iter().map(|view| view.state.contact.to_string()).collect();
    assert_eq!(open, ["mail"]);
    assert_eq!(tickets::view(engine, "open").state.status, Status::Classified);
    let done = tickets::ask(engine, "open", tickets::resolve(), Some(3), 77).await.unwrap();
    assert_eq!(done.version.0, 4, "versions go on");
    // A source goes on counting, and is nobody else's.
    let other =
        engine.open_source(pegcount_engine::SourceHello { actor: name("thief"), ..place.hello("pbx") });
    assert!(matches!(other, Err(EngineError::SourceTaken { .. })));
    let (_, welcome) = engine.open_source(place.hello("pbx")).unwrap();
    assert_eq!(welcome.last_committed_seq, 60 * 16);
    // The e-mail ends, and its visit has waited since the first day.
    let mail = place.session("mail");
    let left = v1::QueueLeft { visit: "1".into(), exit: v1::QueueExit::Abandoned.into(), ringing: false };
    let facts = vec![
        contact_fact("mail", Action::QueueLeft(left)),
        contact_fact("mail", Action::Ended(v1::ContactEnded::default())),
    ];
    send(&mail, batch(3, now, facts)).await.unwrap();
    place.settled().await;
    let table = engine.query(&Query { as_of: day(61), ..days(61, &[]) }).unwrap();
    let column = table.columns.iter().position(|column| column.name == "wait_abandoned").unwrap();
    assert_eq!(table.rows[0].values[column], pegcount_kpi::Value::Amount(60 * DAY.0));
}

#[tokio::test]
async fn what_needs_events_that_are_gone_says_so() {
    let mut place = centre().await;
    for number in 0..60 {
        a_day(&place, number).await;
    }
    let done = retained(&place).await;
    let closed_before = done.closed_before.unwrap();
    for again in [false, true] {
        if again {
            place = restarted(place).await;
            place.clock.set(day(60));
        }
        let engine = &place.engine;
        let query = days(60, &[]);
        let explain = ExplainQuery { query, cell: Vec::new(), column: "handled".into(), skip: 0, limit: 9 };
        let refused = engine.explain(explain.clone(), None).await.unwrap_err();
        assert!(
            matches!(refused, EngineError::Query(QueryError::EventsGone { closed_before: known, .. }) if known == closed_before),
            "{refused}"
        );
        let from = Micros(day(50).0 - 8 * Micros::HOUR.0);
        let recent = ExplainQuery { query: Query { from, ..explain.query.clone() }, ..explain };
        let told = engine.explain(recent, None).await.unwrap();
        assert_eq!(told.explanation.value, pegcount_kpi::Value::Amount(40));
        let early = Query { as_of: day(3), ..days(4, &[]) };
        let refused = engine.query(&early).unwrap_err();
        assert!(matches!(refused, EngineError::Query(QueryError::Closed { .. })), "{refused}");
        let refused = engine.query_at(days(60, &[]), Some(Position(5))).await.unwrap_err();
        assert!(matches!(refused, EngineError::Log(LogError::Dropped { .. })), "{refused}");
        let refused = engine.contact(&site(), &ContactId::new("call 0 0").unwrap()).await;
        if again {
            let refused = refused.unwrap_err();
            assert!(matches!(refused, EngineError::Log(LogError::DroppedVersion { .. })), "{refused}");
        }
    }
    // What was known since the archive was made can still be asked.
    let end = place.engine.end();
    let moment = place.engine.moment(None, Some(KnownAt::Position(end))).await.unwrap();
    a_day(&place, 60).await;
    place.settled().await;
    let known = place.engine.query_at(days(60, &[]), moment.known).await.unwrap();
    assert_eq!(known.rows, place.engine.query(&days(60, &[])).unwrap().rows);
}

#[tokio::test]
async fn a_consumer_that_has_not_read_what_goes_is_named_and_told_that_it_is_gone() {
    let place = centre().await;
    for number in 0..60 {
        a_day(&place, number).await;
    }
    let hello = |id: &str, start| ConsumerHello {
        name: ConsumerName { site: Some(site().0), name: name(id) },
        owner: name("exporter"),
        start,
        filter: Filter::default(),
    };
    let forgotten = place.engine.consume(hello("forgotten", Some(Position(1)))).await.unwrap();
    let in_time = place.engine.consume(hello("in time", None)).await.unwrap();
    drop((forgotten, in_time));

    let done = retained(&place).await;
    let names: Vec<String> = done.left_behind.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["north/forgotten"]);
    let told = place.engine.consume(hello("forgotten", None)).await.err().unwrap().to_string();
    assert!(told.contains(&format!("begins at {}", done.first)), "{told}");
    let mut in_time = place.engine.consume(hello("in time", None)).await.unwrap();
    a_day(&place, 60).await;
    assert!(in_time.next().await.unwrap().is_ok());
}

#[tokio::test]
async fn a_fact_from_before_changes_nothing_whenever_it_is_folded() {
    let mut place = centre().await;
    for number in 0..60 {
        a_day(&place, number).await;
    }
    retained(&place).await;
    let before = rows(tables(&place, 60).await);
    send(&place.session("another"), batch(1, day(2), vec![signed_in("carl"), ready("carl")])).await.unwrap();
    assert_eq!(rows(tables(&place, 60).await), before);
    place = restarted(place).await;
    assert_eq!(rows(tables(&place, 60).await), before);
}

#[tokio::test]
async fn young_history_stays_whatever_its_size() {
    let place = centre().await;
    for number in 0..60 {
        a_day(&place, number).await;
    }
    sealed(&place).await;
    let too_young = Retention { age: Some(Micros(39 * DAY.0)), bytes: None };
    let refused = place.engine.retain(too_young, false).await.unwrap_err();
    assert_eq!(refused.to_string(), "keep_days is 39; at least 40 days of history are kept");
    let small = Retention { age: None, bytes: Some(1) };
    let done = place.engine.retain(small, false).await.unwrap();
    assert!(done.segments > 0);
    let written = done.closed_before.unwrap();
    assert!(written < day(20), "{written}");
    let large = Retention { age: None, bytes: Some(1 << 40) };
    assert_eq!(place.engine.retain(large, false).await.unwrap().segments, 0);
    assert_eq!(place.engine.retain(Retention::default(), false).await.unwrap().segments, 0);
}

#[tokio::test]
async fn what_is_left_after_dropping_is_checked_against_the_facts_and_what_is_gone_is_named() {
    let mut place = centre().await;
    what_goes_on(&place).await;
    for number in 0..60 {
        a_day(&place, number).await;
    }
    place.settled().await;
    let range = Span::new(days(60, &[]).from, days(60, &[]).to);
    let whole = place.engine.reconcile(&site(), range, &mut |_| {}).await.unwrap();
    assert_eq!((whole.differing, whole.compared_from), (0, None));
    let closed_before = retained(&place).await.closed_before.unwrap();
    place.settled().await;
    for _ in 0..2 {
        let left = place.engine.reconcile(&site(), range, &mut |_| {}).await.unwrap();
        assert_eq!((left.differing, left.left_out.len()), (0, 0), "{:?}", left.differences);
        let first = left.compared_from.unwrap();
        assert!(closed_before <= first && first < closed_before.plus(Micros(15 * Micros::MINUTE.0)));
        // `bob` has been signed in all the time, and the letter waits.
        assert!(0 < left.agent_lines && left.agent_lines < whole.agent_lines, "{left:?}");
        assert_eq!(place.engine.audit_now().await.unwrap().open, Vec::new());
        place = restarted(place).await;
    }
    let gone = Span::new(range.start, range.start.plus(DAY));
    let none = place.engine.reconcile(&site(), gone, &mut |_| {}).await.unwrap();
    assert_eq!((none.numbers, none.compared_from), (0, Some(gone.end)));
}

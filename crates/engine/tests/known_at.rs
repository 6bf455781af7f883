//! What was known then: figures over the log's first part, whatever came later.
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

use pegcount_domain::{envelope::Position, time::Micros};
use pegcount_engine::{Correction, EngineError, KnownAt};
use pegcount_kpi::{Attribution, Dimension, ExplainQuery, Query, Table, Value, Variant};
use pegcount_log::LogError;
use pegcount_proto::v1::{self, contact_fact::Action};
use support::{MORNING, Place, batch, command, contact_fact, name, place, send, signed_in, site, started};

fn at(minutes: i64) -> Micros {
    MORNING.plus(Micros(minutes * Micros::MINUTE.0))
}

/// The hour as it stands at its end, by queue.
fn hour() -> Query {
    Query {
        site: site(),
        from: MORNING,
        to: at(60),
        by: vec![Dimension::Queue],
        attribution: Attribution::Event,
        time_zone: jiff::tz::TimeZone::UTC,
        as_of: at(60),
        queues: Vec::new(),
        agents: Vec::new(),
        formula_version: None,
        variant: Variant::default(),
    }
}

async fn known(place: &Place, position: u64) -> Table {
    place.engine.query_at(hour(), Some(Position(position))).await.unwrap()
}

fn amount(table: &Table, column: &str) -> i64 {
    let index = table.columns.iter().position(|known| known.name == column).unwrap();
    match table.rows.first().map(|row| row.values[index]) {
        Some(Value::Amount(amount)) => amount,
        None => 0,
        other => panic!("{other:?}"),
    }
}

/// A call that gives up after `wait` minutes: four facts.
fn abandoned(contact: &str, wait: i64, first_seq: u64, entered: i64) -> Vec<pegcount_engine::FactBatch> {
    let visit = || "1".to_owned();
    let fact = |action| contact_fact(contact, action);
    let enter = v1::QueueEntered { visit: visit(), queue: "sales".into(), priority: 0 };
    let leave = v1::QueueLeft { visit: visit(), exit: v1::QueueExit::Abandoned.into(), ringing: false };
    let begin = vec![started(contact, ""), fact(Action::QueueEntered(enter))];
    let end = vec![fact(Action::QueueLeft(leave)), fact(Action::Ended(v1::ContactEnded::default()))];
    vec![batch(first_seq, at(entered), begin), batch(first_seq + 2, at(entered + wait), end)]
}

#[tokio::test]
async fn what_was_known_at_any_position_is_what_was_answered_then() {
    let place = place().await;
    place.clock.set(at(60));
    let session = place.session("pbx");
    let mut answered = vec![known(&place, 0).await];
    let mut seq = 1;
    // Each call began before the one that was told of first, so that every fact is late.
    for (number, entered) in [40, 30, 20, 35, 10, 5].into_iter().enumerate() {
        for facts in abandoned(&format!("c{number}"), 3, seq, entered) {
            send(&session, facts).await.unwrap();
            place.settled().await;
            let now = place.engine.query(&hour()).unwrap();
            while answered.len() < usize::try_from(place.engine.end().0).unwrap() {
                answered.push(now.clone());
            }
            answered.push(now);
        }
        seq += 4;
    }
    let end = place.engine.end().0;
    assert_eq!(answered.len(), usize::try_from(end).unwrap() + 1);
    // Forward, backward and to and fro: from a kept prefix, from none, from the nearest one. Each batch is one frame or
    // more, so only the positions at its end were ever seen.
    let seen: Vec<u64> = (0..=end / 2).map(|batch| batch * 2).collect();
    let back = seen.iter().rev();
    let both = seen.iter().zip(back.clone()).flat_map(|(low, high)| [low, high]);
    for position in seen.iter().chain(back.clone()).chain(both) {
        let expected = &answered[usize::try_from(*position).unwrap()];
        assert_eq!(&known(&place, *position).await, expected, "at {position}");
    }
}

#[tokio::test]
async fn a_position_inside_a_frame_counts_nothing_after_it() {
    let place = place().await;
    place.clock.set(at(60));
    let session = place.session("pbx");
    let facts: Vec<_> = (0..6).map(|n| started(&format!("c{n}"), "")).collect();
    send(&session, batch(1, at(1), facts)).await.unwrap();
    let enter = |n: i32| {
        let entered = v1::QueueEntered { visit: "1".into(), queue: "sales".into(), priority: 0 };
        contact_fact(&format!("c{n}"), Action::QueueEntered(entered))
    };
    send(&session, batch(7, at(2), (0..6).map(enter).collect())).await.unwrap();
    place.settled().await;
    for position in [9, 7, 12, 11, 8, 6] {
        let table = known(&place, position).await;
        assert_eq!(amount(&table, "offered"), i64::try_from(position - 6).unwrap(), "at {position}");
        assert_eq!(table.position, Position(position));
    }
}

#[tokio::test]
async fn a_late_fact_and_an_amendment_change_todays_figure_and_not_the_one_known_before_them() {
    let place = place().await;
    place.clock.set(at(60));
    let session = place.session("pbx");
    let [begin, end] = <[_; 2]>::try_from(abandoned("c1", 3, 1, 10)).unwrap();
    send(&session, begin).await.unwrap();
    let left = send(&session, end).await.unwrap().position.0 - 1;
    let first = place.engine.end().0;

    place.clock.set(at(120));
    for facts in abandoned("c2", 5, 5, 20) {
        send(&session, facts).await.unwrap();
    }
    let late = place.engine.end().0;
    place.clock.set(at(180));
    let amend = Correction::Amend { occurred_at: Some(at(11)), fact: None };
    let amended =
        place.engine.correct(&site(), Position(left), amend, "slow clock", &name("desk"), command(1)).await;
    assert_eq!(amended.unwrap(), Position(late + 1));

    let minutes = |table: &Table| amount(table, "wait_abandoned") / Micros::MINUTE.0;
    let told = [first, late, late + 1].map(|position| (position, Some(position)));
    let expected = [(1, 3), (2, 8), (2, 6)];
    for ((position, known_at), (abandoned, waited)) in told.into_iter().zip(expected) {
        let table = place.engine.query_at(hour(), known_at.map(Position)).await.unwrap();
        assert_eq!((amount(&table, "abandoned"), minutes(&table)), (abandoned, waited), "at {position}");
    }
    let today = place.engine.query_at(hour(), None).await.unwrap();
    assert_eq!((amount(&today, "abandoned"), minutes(&today)), (2, 6));

    // By the instants of recording.
    for (instant, position) in
        [(59, 0), (60, first), (119, first), (120, late), (180, late + 1), (999, late + 1)]
    {
        let moment = place.engine.moment(None, Some(KnownAt::Instant(at(instant)))).await.unwrap();
        assert_eq!(moment.known, Some(Position(position)), "at minute {instant}");
        assert_eq!(moment.as_of, at(instant.min(180)), "open work counts to the instant, never after now");
    }
}

#[tokio::test]
async fn an_instant_finds_its_position_over_many_frames() {
    let place = place().await;
    let session = place.session("pbx");
    for minute in 1..=40 {
        place.clock.set(at(minute));
        let facts = (0..3).map(|n| signed_in(&format!("a{n}"))).collect();
        send(&session, batch(u64::try_from(minute - 1).unwrap() * 3 + 1, at(minute), facts)).await.unwrap();
    }
    for minute in 0..=41 {
        let moment = place.engine.moment(None, Some(KnownAt::Instant(at(minute)))).await.unwrap();
        assert_eq!(moment.known.unwrap().0, u64::try_from(minute.min(40)).unwrap() * 3, "at minute {minute}");
    }
    let beyond = place.engine.moment(None, Some(KnownAt::Position(Position(121)))).await.unwrap_err();
    assert!(matches!(beyond, EngineError::Log(LogError::OutOfRange { .. })), "{beyond}");
    let moment = place.engine.moment(None, Some(KnownAt::Position(Position(7)))).await.unwrap();
    assert_eq!((moment.as_of, moment.known), (at(3), Some(Position(7))));
}

#[tokio::test]
async fn an_explanation_of_what_was_known_names_no_later_event() {
    let place = place().await;
    place.clock.set(at(60));
    let session = place.session("pbx");
    for facts in abandoned("c1", 3, 1, 10) {
        send(&session, facts).await.unwrap();
    }
    let first = place.engine.end();
    for facts in abandoned("c2", 5, 5, 20) {
        send(&session, facts).await.unwrap();
    }
    place.settled().await;
    let asked = |column: &str| ExplainQuery {
        query: Query { by: Vec::new(), ..hour() },
        cell: Vec::new(),
        column: column.to_owned(),
        skip: 0,
        limit: 100,
    };
    let then = place.engine.explain(asked("abandoned"), Some(first)).await.unwrap();
    assert_eq!((then.explanation.value, then.explanation.count), (Value::Amount(1), 1));
    assert_eq!(then.explanation.position, first);
    assert!(then.events.keys().all(|position| *position <= first), "{:?}", then.events);
    assert_eq!(then.events.len(), 4);
    let now = place.engine.explain(asked("abandoned"), None).await.unwrap();
    assert_eq!((now.explanation.value, now.explanation.count), (Value::Amount(2), 2));
}

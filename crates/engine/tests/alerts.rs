//! Tickets' targets act: warned and escalated once, over restarts and beside a second engine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    clippy::unused_self,
    clippy::unnecessary_wraps,
    dead_code,
    reason = "tests"
)]

mod support;

use pegcount_domain::{
    calendar::{CalendarDefinition, Weekday, Window},
    event::Event,
    ids::ReasonCode,
    ticketing::{FieldValue, Promiser, TargetKind, TicketCommand, TicketEvent, Urgency},
    time::Micros,
};
use pegcount_engine::Engine;
use support::{
    MORNING, Place, name, place, site,
    tickets::{accept, all, ask, classify, id, open, repair, resolve, view},
};

/// An urgent ticket: an answer is due in two hours, day and night.
async fn urgent() -> Place {
    let place = place().await;
    let mut urgent = repair("t1");
    urgent.opening.set.push(FieldValue::Urgency(Urgency::Urgent));
    open(&place.engine, urgent, 1).await.unwrap();
    place
}

fn minutes(minutes: i64) -> Micros {
    MORNING.plus(Micros(minutes * Micros::MINUTE.0))
}

/// What was told of the first answer, in order.
async fn alerts(engine: &Engine, ticket: &str) -> Vec<(u32, bool)> {
    let history = engine.ticket_history(&site(), &id(ticket)).await.unwrap();
    let alerts = history.steps.iter().filter_map(|step| match &step.event {
        TicketEvent::Alerted { target: TargetKind::FirstResponse, permille, escalation, .. } => {
            assert_eq!(step.by.as_str(), "engine");
            Some((*permille, *escalation))
        }
        _ => None,
    });
    alerts.collect()
}

#[tokio::test]
async fn an_urgent_ticket_is_warned_at_80_percent_and_escalated_when_due_and_after() {
    let place = urgent().await;
    place.engine.run_processes();
    place.clock.set(minutes(95));
    place.until(Micros(1), async || view(&place.engine, "t1").version.0 == 1).await;
    assert!(alerts(&place.engine, "t1").await.is_empty(), "80 % of two hours are 96 minutes");
    let told = [(96, (800, false)), (120, (1_000, true)), (180, (1_500, true)), (240, (2_000, true))];
    for (number, (at, _)) in told.iter().enumerate() {
        place.clock.set(minutes(*at));
        place.until(Micros(1), async || alerts(&place.engine, "t1").await.len() > number).await;
        let expected: Vec<_> = told.iter().take(number + 1).map(|(_, alert)| *alert).collect();
        assert_eq!(alerts(&place.engine, "t1").await, expected, "at minute {at}");
    }
    place.clock.set(minutes(10_000));
    while place.engine.alert_due_tickets().await.unwrap() > 0 {}
    assert_eq!(
        alerts(&place.engine, "t1").await.len(),
        4,
        "of the first answer there is nothing more to tell"
    );
}

#[tokio::test]
async fn after_a_restart_what_was_told_is_not_told_again_and_what_was_missed_is_told_once() {
    let place = urgent().await;
    place.clock.set(minutes(100));
    assert_eq!(place.engine.alert_due_tickets().await.unwrap(), 1);
    let place = place.restarted().await;
    assert_eq!(place.engine.alert_due_tickets().await.unwrap(), 0, "a restart repeats nothing");
    // The clock jumps while nobody looks: everything that is due by then is told, each step once.
    place.clock.set(minutes(200));
    let place = place.restarted().await;
    assert_eq!(alerts(&place.engine, "t1").await, [(800, false)], "opening a log tells nothing");
    assert_eq!(place.engine.alert_due_tickets().await.unwrap(), 1);
    assert_eq!(place.engine.alert_due_tickets().await.unwrap(), 0);
    assert_eq!(alerts(&place.engine, "t1").await, [(800, false), (1_000, true), (1_500, true)]);
    let version = view(&place.engine, "t1").version;
    place.clock.set(MORNING);
    assert_eq!(place.engine.alert_due_tickets().await.unwrap(), 0, "a clock set back repeats nothing");
    assert_eq!(view(&place.engine, "t1").version, version);
}

#[tokio::test]
async fn of_two_that_look_at_once_one_tells() {
    let place = urgent().await;
    for number in 2..40 {
        let mut one = repair(&format!("t{number}"));
        one.opening.set.push(FieldValue::Urgency(Urgency::Urgent));
        open(&place.engine, one, number).await.unwrap();
    }
    place.clock.set(minutes(130));
    // Both decide on what the boards say before either has written, as two engines on one log do.
    let (one, other) = tokio::join!(place.engine.alert_due_tickets(), place.engine.alert_due_tickets());
    assert_eq!(one.unwrap(), 39);
    assert!(other.unwrap() > 0, "the second has looked before the first was done");
    for number in 1..40 {
        assert_eq!(alerts(&place.engine, &format!("t{number}")).await, [(800, false), (1_000, true)]);
    }
}

#[tokio::test]
async fn a_fulfilled_target_tells_nothing_and_a_new_promise_begins_anew() {
    let place = urgent().await;
    let engine = &place.engine;
    place.clock.set(minutes(100));
    engine.alert_due_tickets().await.unwrap();
    let promise =
        |due| TicketCommand::Promise { target: TargetKind::FirstResponse, due, by: Promiser::Agent };
    ask(engine, "t1", promise(minutes(200)), None, 10).await.unwrap();
    place.clock.set(minutes(150));
    assert_eq!(engine.alert_due_tickets().await.unwrap(), 0, "what was promised outranks the policy");
    place.clock.set(minutes(180));
    assert_eq!(engine.alert_due_tickets().await.unwrap(), 1, "80 % of the time since it was promised");
    assert_eq!(alerts(engine, "t1").await, [(800, false), (800, false)], "of two rounds");
    all(engine, "t1", 20, [accept(), classify(), resolve()]).await;
    place.clock.set(minutes(5_000));
    assert_eq!(engine.alert_due_tickets().await.unwrap(), 0);
}

#[tokio::test]
async fn on_hold_the_clock_of_a_policy_stands() {
    let place = urgent().await;
    let engine = &place.engine;
    all(engine, "t1", 10, [accept(), classify()]).await;
    place.clock.set(minutes(60));
    let hold = TicketCommand::Hold { reason: ReasonCode(name("spare part")) };
    ask(engine, "t1", hold, None, 20).await.unwrap();
    place.clock.set(minutes(600));
    assert_eq!(engine.alert_due_tickets().await.unwrap(), 0);
    ask(engine, "t1", TicketCommand::Resume, None, 21).await.unwrap();
    place.clock.set(minutes(636));
    assert_eq!(engine.alert_due_tickets().await.unwrap(), 1, "36 minutes after an hour and a long pause");
}

#[tokio::test]
async fn another_calendar_moves_what_is_due_and_keeps_what_was_told() {
    let place = place().await;
    let engine = &place.engine;
    // A complaint that was spoken is answered by the end of the next working day: Tuesday 18:00 UTC.
    let mut complaint = repair("t1");
    complaint.opening.kind = pegcount_domain::ids::TicketKind(name("complaint"));
    complaint.opening.set.push(FieldValue::Channel(name("phone")));
    open(engine, complaint, 1).await.unwrap();
    let due = |engine: &Engine| view(engine, "t1").deadlines.clock(TargetKind::FirstResponse).unwrap().due;
    let hours = |hours: i64| Some(MORNING.plus(Micros(hours * Micros::HOUR.0)));
    assert_eq!(due(engine), hours(34));
    // Nobody works on Tuesdays any more: Wednesday 12:00.
    let window = |day| Window { day, from: 8 * 60, to: 12 * 60 };
    let calendar = Event::CalendarDefined(Box::new(CalendarDefinition {
        calendar: name("standard"),
        time_zone: name("UTC"),
        windows: [Weekday::Monday, Weekday::Wednesday].map(window).into(),
        holidays: Vec::new(),
        make_up_days: Vec::new(),
        valid_from: Micros(0),
    }));
    engine.define(&site(), &name("admin"), vec![calendar]).await.unwrap();
    assert_eq!(due(engine), hours(52));
    let (first, place) = (due(engine), place.restarted().await);
    assert_eq!(due(&place.engine), first, "a restart reckons the same");
}

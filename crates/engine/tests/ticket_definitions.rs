//! What tickets need is data: kinds, deadline policies, calendars with nights and one-off changes.
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
    calendar::{CalendarDefinition, Date, Weekday, Window},
    deadlines::{AlertStep, Amount, ClockKind, Conditions, Policy, PolicySet, Recipient, TargetRule},
    event::Event,
    ids::{ReasonCode, TicketKind},
    ticketing::{Evidence, Field, FieldValue, KindRules, TargetKind, TicketCommand, Urgency},
    time::Micros,
    working::{CalendarChange, DayChange, DayPlan, Hours},
};
use pegcount_engine::{Engine, EngineError};
use support::{
    MORNING, Place, name, place, site,
    tickets::{accept, all, ask, classify, close, open, repair, resolve, view},
};

async fn define(place: &Place, events: Vec<Event>) -> Result<usize, EngineError> {
    place.engine.define(&site(), &name("admin"), events).await.map(|(written, _)| written)
}

fn kind() -> KindRules {
    KindRules {
        fields: vec![Field::Place],
        evidence: vec![Evidence { kind: name("photo"), count: 2 }],
        levels: vec![name("team_lead"), name("floor_manager")],
        requester_accepts: true,
        ..KindRules::free(TicketKind(name("repair")))
    }
}

/// Nights from 22:00 to 6:00, UTC.
fn nights() -> Event {
    let window = |day| Window { day, from: 22 * 60, to: 6 * 60 };
    let days = [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];
    Event::CalendarDefined(Box::new(CalendarDefinition {
        calendar: name("nights"),
        time_zone: name("UTC"),
        windows: days.map(window).into(),
        holidays: Vec::new(),
        make_up_days: Vec::new(),
        valid_from: Micros(0),
    }))
}

/// A first response within so many hours of the nights.
fn within(hours: i64, valid_from: Micros) -> Event {
    let rule = TargetRule {
        target: TargetKind::FirstResponse,
        amount: Amount::Time(Micros(hours * Micros::HOUR.0)),
        clock: ClockKind::Working(name("nights")),
        pauses: Vec::new(),
        warnings: vec![AlertStep { permille: 500, recipients: vec![Recipient::Owner], working_hours: None }],
        escalations: Vec::new(),
    };
    let policy = Policy { name: name("nights"), when: Conditions::default(), targets: vec![rule] };
    Event::TicketPoliciesDefined(Box::new(PolicySet { policies: vec![policy], valid_from }))
}

fn due(engine: &Engine, ticket: &str) -> Option<Micros> {
    view(engine, ticket).deadlines.clock(TargetKind::FirstResponse).and_then(|clock| clock.due)
}

/// So many hours after Monday 08:00.
fn at(hours: i64) -> Option<Micros> {
    Some(MORNING.plus(Micros(hours * Micros::HOUR.0)))
}

#[tokio::test]
async fn a_kind_says_what_is_needed_before_a_ticket_is_resolved_and_closed() {
    let place = place().await;
    let engine = &place.engine;
    assert_eq!(define(&place, vec![Event::TicketKindDefined(Box::new(kind()))]).await.unwrap(), 1);
    assert_eq!(define(&place, vec![Event::TicketKindDefined(Box::new(kind()))]).await.unwrap(), 0);
    open(engine, repair("t1"), 1).await.unwrap();
    all(engine, "t1", 10, [accept(), classify()]).await;
    let short = ask(engine, "t1", resolve(), None, 20).await.unwrap_err().to_string();
    assert!(short.contains("place") && short.contains("evidence photo (0 of 2)"), "{short}");
    let photo = || TicketCommand::Attach { kind: name("photo"), reference: name("s_1") };
    let edit = TicketCommand::Edit { set: vec![FieldValue::Place(name("house 4"))] };
    all(engine, "t1", 30, [photo(), photo(), edit, resolve()]).await;
    let unaccepted = ask(engine, "t1", close(), None, 40).await.unwrap_err().to_string();
    assert!(unaccepted.contains("has to accept"), "{unaccepted}");
    all(engine, "t1", 50, [TicketCommand::Confirm { proof: None }, close()]).await;
    let escalate = TicketCommand::Escalate { to: None, reason: ReasonCode(name("angry")), emergency: false };
    open(engine, repair("t2"), 2).await.unwrap();
    ask(engine, "t2", escalate, None, 60).await.unwrap();
    assert_eq!(view(engine, "t2").state.level, 1);
}

#[tokio::test]
async fn a_site_has_the_standard_policies_until_its_own_are_in_force() {
    let place = place().await;
    let engine = &place.engine;
    let later = MORNING.plus(Micros::HOUR);
    define(&place, vec![nights(), within(3, later)]).await.unwrap();
    let mut urgent = repair("t1");
    urgent.opening.set.push(FieldValue::Urgency(Urgency::Urgent));
    open(engine, urgent.clone(), 1).await.unwrap();
    assert_eq!(due(engine, "t1"), at(2), "two hours, day and night");
    place.clock.set(later);
    urgent.ticket = support::tickets::id("t2");
    open(engine, urgent, 2).await.unwrap();
    assert_eq!(due(engine, "t2"), at(17), "three hours of a night that begins at 22:00");
    assert_eq!(due(engine, "t1"), at(2), "what began by the standard ones keeps to them");
}

#[tokio::test]
async fn until_a_sites_own_standard_calendar_begins_the_common_one_holds() {
    let place = place().await;
    open(&place.engine, repair("t1"), 1).await.unwrap();
    let by_the_common_one = due(&place.engine, "t1");
    assert!(by_the_common_one.is_some(), "two working days");
    let Event::CalendarDefined(mut own) = nights() else { panic!("nights are a calendar") };
    own.calendar = name("standard");
    own.valid_from = MORNING.plus(Micros(30 * 24 * Micros::HOUR.0));
    define(&place, vec![Event::CalendarDefined(own)]).await.unwrap();
    assert_eq!(due(&place.engine, "t1"), by_the_common_one);
    open(&place.engine, repair("t2"), 2).await.unwrap();
    assert_eq!(due(&place.engine, "t2"), by_the_common_one);
}

#[tokio::test]
async fn a_kind_that_nobody_has_defined_has_three_levels_and_a_repeated_complaint_goes_up_by_itself() {
    let place = place().await;
    let engine = &place.engine;
    let mut complaint = repair("t1");
    complaint.opening.kind = TicketKind(name("complaint"));
    open(engine, complaint, 1).await.unwrap();
    open(engine, repair("t2"), 2).await.unwrap();
    for (ticket, number) in [("t1", 10), ("t2", 20)] {
        ask(engine, ticket, TicketCommand::Repeat { contact: None }, None, number).await.unwrap();
    }
    assert_eq!((view(engine, "t1").state.level, view(engine, "t2").state.level), (1, 0));
    let escalate =
        || TicketCommand::Escalate { to: None, reason: ReasonCode(name("angry")), emergency: false };
    all(engine, "t2", 30, [escalate(), escalate(), escalate()]).await;
    assert_eq!(view(engine, "t2").state.level, 3);
    assert!(ask(engine, "t2", escalate(), None, 40).await.is_err(), "nobody is above the floor manager");
}

#[tokio::test]
async fn working_time_goes_past_midnight_and_a_changed_day_moves_what_is_due() {
    let place = place().await;
    define(&place, vec![nights(), within(10, Micros(0))]).await.unwrap();
    open(&place.engine, repair("t1"), 1).await.unwrap();
    assert_eq!(due(&place.engine, "t1"), at(40), "8 hours until Tuesday 6:00, and 2 from 22:00 on");
    let change = |plan| {
        let change = DayChange { date: Date(20_260_303), plan, valid_from: MORNING };
        Event::CalendarChanged(Box::new(CalendarChange { calendar: name("nights"), change }))
    };
    define(&place, vec![change(DayPlan::Closed)]).await.unwrap();
    assert_eq!(due(&place.engine, "t1"), at(64), "on Tuesday no work begins");
    define(&place, vec![change(DayPlan::Hours(vec![Hours::new(12 * 60, 13 * 60)]))]).await.unwrap();
    assert_eq!(due(&place.engine, "t1"), at(63), "an hour at noon");
    let place = place.restarted().await;
    assert_eq!(due(&place.engine, "t1"), at(63));
    define(&place, vec![change(DayPlan::AsUsual)]).await.unwrap();
    assert_eq!(due(&place.engine, "t1"), at(40));
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_with_its_place() {
    let place = place().await;
    let refused = async |event| define(&place, vec![event]).await.unwrap_err().to_string();
    let levels = vec![name("lead"), name("lead")];
    let twice = refused(Event::TicketKindDefined(Box::new(KindRules { levels, ..kind() }))).await;
    assert_eq!(
        twice,
        "definitions[0] (ticket_kind repair): levels says a level twice; say each once, the lowest first"
    );
    let Event::TicketPoliciesDefined(mut set) = within(3, Micros(0)) else { unreachable!() };
    set.policies[0].targets[0].clock = ClockKind::Calendar;
    set.policies[0].targets[0].amount = Amount::WorkingDays(2);
    let days = refused(Event::TicketPoliciesDefined(set)).await;
    assert!(days.contains("(ticket_policies): policies[0].targets[0].amount counts working days"), "{days}");
    let Event::CalendarDefined(mut calendar) = nights() else { unreachable!() };
    calendar.windows[0].to = calendar.windows[0].from;
    let empty = refused(Event::CalendarDefined(calendar)).await;
    assert!(empty.contains("(calendar nights): rules[0].week[0].hours"), "{empty}");
}

#[tokio::test]
async fn all_of_it_is_listed_as_it_was_defined() {
    let place = place().await;
    let change = DayChange { date: Date(20_260_303), plan: DayPlan::Closed, valid_from: MORNING };
    let change = CalendarChange { calendar: name("nights"), change };
    let events = vec![
        nights(),
        Event::CalendarChanged(Box::new(change)),
        Event::TicketKindDefined(Box::new(kind())),
        within(3, Micros(0)),
    ];
    assert_eq!(define(&place, events.clone()).await.unwrap(), 4);
    let place = place.restarted().await;
    assert_eq!(place.engine.defined(&site()).events(), events);
}

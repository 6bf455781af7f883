//! What other policies would have made of a ticket's past, one rule a test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod deadline_support;
mod ticket_support;
mod working_support;

use deadline_support::*;
use pegcount_domain::{
    deadlines::{Amount, ClockKind, Compared, Course, Fate, Happened, Replay, TargetRule, World},
    ticketing::*,
    time::Micros,
};
use ticket_support::{agent, name, opening, reason};
use working_support::hours;

use Fate::{Breached, Met, Running, Unreckonable, Withdrawn};
use TargetKind::{FirstResponse, NextUpdate, Resolve};

fn within(target: TargetKind, amount: i64) -> TargetRule {
    rule(target, Amount::Time(hours(amount)), ClockKind::Calendar)
}

/// The policies in force: answered within 2 h, told again within 4 h, settled within 8 h.
fn was() -> World {
    world(set(vec![within(FirstResponse, 2), within(NextUpdate, 4), within(Resolve, 8)]))
}

fn opened() -> TicketEvent {
    TicketEvent::Opened(Box::new(opening("repair")))
}

fn resolved() -> TicketEvent {
    TicketEvent::Resolved { way: Some(Way::Alone), agent: None, reason: None }
}

fn informed() -> TicketEvent {
    TicketEvent::Informed { contact: None }
}

fn reopened() -> TicketEvent {
    TicketEvent::Reopened { reason: Some(reason("again")), rework: None, agent: None }
}

/// A ticket opened on Friday at 10:00, with what happened then, as of `now`.
fn replayed(events: &[(&str, TicketEvent)], tried: &World, now: Micros) -> Vec<Compared> {
    let happened =
        |(when, event): &(&str, TicketEvent)| Happened { at: t(when), by: name("bob"), event: event.clone() };
    let world = was();
    let first = Happened { at: t("27 10:00"), by: name("ann"), event: opened() };
    let mut replay = Replay::open(&first, &world, tried).unwrap();
    for event in events {
        replay.apply(&happened(event));
    }
    replay.finish(now)
}

/// Of one target: what was, what would have been.
fn of(rows: &[Compared], target: TargetKind) -> Vec<(Option<Fate>, Option<Fate>)> {
    let fate = |course: Option<Course>| course.map(|course| course.fate);
    let rows = rows.iter().filter(|row| row.target == target);
    rows.map(|row| (fate(row.was), fate(row.would))).collect()
}

#[test]
fn the_same_policies_give_what_was() {
    let events = [("27 11:00", informed()), ("27 12:00", informed()), ("27 20:00", resolved())];
    let rows = replayed(&events, &was(), t("30 10:00"));
    assert!(rows.iter().all(|row| !row.differs()), "{rows:?}");
    assert_eq!(of(&rows, FirstResponse), [(Some(Met), Some(Met))]);
    // Told again after an hour; the second time is withdrawn, four hours overdue.
    assert_eq!(of(&rows, NextUpdate), [(Some(Met), Some(Met)), (Some(Breached), Some(Breached))]);
    assert_eq!(of(&rows, Resolve), [(Some(Breached), Some(Breached))]);
}

#[test]
fn every_activation_is_judged_for_itself() {
    let events = [("27 12:00", resolved()), ("27 13:00", reopened()), ("27 18:00", resolved())];
    let rows = replayed(&events, &world(set(vec![within(Resolve, 4)])), t("30 10:00"));
    assert_eq!(of(&rows, Resolve), [(Some(Met), Some(Met)), (Some(Met), Some(Breached))]);
    assert_eq!(rows.last().unwrap().activated_at, t("27 13:00"));
    assert_eq!(of(&rows, FirstResponse), [(Some(Met), None)], "nothing would have been asked");
}

#[test]
fn what_is_open_past_its_target_is_breached_and_what_is_not_due_runs() {
    let rows = replayed(&[], &world(set(vec![within(Resolve, 24)])), t("27 19:00"));
    assert_eq!(of(&rows, Resolve), [(Some(Breached), Some(Running))]);
    let later = replayed(&[], &world(set(vec![within(Resolve, 24)])), t("28 10:00"));
    assert_eq!(of(&later, Resolve), [(Some(Breached), Some(Running))], "within 24 h is in time");
}

#[test]
fn a_promise_outranks_what_is_tried_too() {
    let promised = TicketEvent::Promised { target: Resolve, due: t("27 20:00"), by: Promiser::Agent };
    let rows = replayed(
        &[("27 11:00", promised), ("27 19:00", resolved())],
        &world(set(vec![within(Resolve, 1)])),
        t("30 10:00"),
    );
    assert_eq!(of(&rows, Resolve), [(Some(Met), Some(Met))]);
    // Where no policy speaks of it, the promise alone begins it.
    let promised = TicketEvent::Promised { target: Resolve, due: t("27 20:00"), by: Promiser::Agent };
    let rows = replayed(&[("27 11:00", promised)], &world(set(vec![])), t("30 10:00"));
    assert_eq!(of(&rows, Resolve), [(Some(Breached), Some(Breached))]);
}

#[test]
fn pauses_are_those_of_each_policy() {
    let mut strict = within(Resolve, 8);
    strict.pauses.clear();
    let held = TicketEvent::Held { reason: reason("parts") };
    let events = [("27 11:00", held), ("27 20:00", TicketEvent::Resumed), ("27 21:00", resolved())];
    let rows = replayed(&events, &world(set(vec![strict])), t("30 10:00"));
    assert_eq!(of(&rows, Resolve), [(Some(Met), Some(Breached))]);
}

#[test]
fn what_is_given_up_in_time_is_withdrawn_and_what_no_calendar_reaches_cannot_be_reckoned() {
    let cancelled = TicketEvent::Cancelled { reason: reason("prank"), explanation: name("s_1") };
    let missing = rule(Resolve, Amount::Time(hours(1)), ClockKind::Working(name("nobody's")));
    let rows = replayed(&[("27 11:00", cancelled)], &world(set(vec![missing.clone()])), t("30 10:00"));
    assert_eq!(of(&rows, Resolve), [(Some(Withdrawn), Some(Withdrawn))]);
    let rows = replayed(&[("27 11:00", resolved())], &world(set(vec![missing.clone()])), t("30 10:00"));
    assert_eq!(of(&rows, Resolve), [(Some(Met), Some(Unreckonable))]);
    let rows = replayed(&[], &world(set(vec![missing])), t("30 10:00"));
    assert_eq!(of(&rows, Resolve), [(Some(Breached), Some(Unreckonable))]);
}

#[test]
fn what_opens_no_ticket_begins_no_replay() {
    let first =
        Happened { at: t("27 10:00"), by: name("ann"), event: TicketEvent::Accepted { owner: agent("bob") } };
    assert!(Replay::open(&first, &was(), &was()).is_none());
}

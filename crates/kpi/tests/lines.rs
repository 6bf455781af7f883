//! Customer lines: the repeat-contact form, tickets, first-contact resolution (KPIS.md §5).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod support;

use pegcount_domain::{
    envelope::StreamKind,
    event::{Channel, Direction, Event, QueueExit},
    ids::{AgentId, ContactId, CustomerId, TicketKind, WrapUpCode},
    ticketing::{Opening, TicketEvent},
};
use pegcount_kpi::{Dimension, Value};
use support::{Centre, column, t, value};

/// A call of a customer from `at` for five minutes, answered by `agent`.
fn call(centre: &mut Centre, contact: &str, customer: &str, at: &str, agent: &str) {
    let end = later(at, 300);
    centre.start(contact, at, "hotline", customer);
    centre.enter(contact, at, "v", "sales");
    centre.leave(contact, at, "v", QueueExit::Answered);
    centre.talk(agent, contact, "sales", at, &end);
    centre.end(contact, &end);
}

fn later(at: &str, seconds: i64) -> String {
    let whole = (t(at).0 - support::DAY.0) / 1_000_000 + seconds;
    format!("{}:{}:{}", whole / 3600, whole / 60 % 60, whole % 60)
}

fn ticket(centre: &mut Centre, id: &str, contact: &str, at: &str) {
    let opening = Opening {
        contact: Some(ContactId(centre.key(contact))),
        receiver: Some(AgentId(centre.key("ann"))),
        ..Opening::of(TicketKind(centre.key("repair")))
    };
    centre.record(StreamKind::Ticket, id, t(at), Event::Ticket(TicketEvent::Opened(Box::new(opening))));
}

fn step(centre: &mut Centre, id: &str, at: &str, reopened: bool) {
    let (agent, reason) = (Some(AgentId(centre.key("ann"))), None);
    let event = if reopened {
        TicketEvent::Reopened { reason, rework: None, agent }
    } else {
        TicketEvent::Resolved { way: None, agent, reason }
    };
    centre.record(StreamKind::Ticket, id, t(at), Event::Ticket(event));
}

/// Eligible, held, final as of an instant.
fn fcr(centre: &Centre, as_of: &str) -> (i64, i64, i64) {
    let at = |column| centre.amount_as_of("9", "10", as_of, column);
    (at("fcr_eligible"), at("fcr_held"), at("fcr_final"))
}

fn repeats(centre: &Centre, as_of: &str) -> (i64, i64, i64) {
    let at = |column| centre.amount_as_of("9", "10", as_of, column);
    (at("repeat_eligible"), at("repeat_none"), at("repeat_final"))
}

#[test]
fn an_answered_contact_is_provisional_for_seven_days_and_then_final() {
    let mut centre = Centre::new();
    call(&mut centre, "c", "x", "9:00", "ann");
    assert_eq!(repeats(&centre, "9:04"), (0, 0, 0), "not yet complete");
    assert_eq!(repeats(&centre, "9:05"), (1, 1, 0));
    assert_eq!(repeats(&centre, "177:05"), (1, 1, 0), "exactly seven days: a repeat may still come");
    assert_eq!(repeats(&centre, "177:05:00.000001"), (1, 1, 1));
}

#[test]
fn a_further_answered_contact_of_the_customer_within_seven_days_is_a_repeat() {
    let mut centre = Centre::new();
    call(&mut centre, "c", "x", "9:00", "ann");
    call(&mut centre, "d", "y", "9:10", "ann");
    call(&mut centre, "e", "x", "177:05", "bob");
    assert_eq!(repeats(&centre, "177:04"), (2, 2, 0));
    assert_eq!(repeats(&centre, "177:05"), (2, 1, 1));
    let row = &centre.ask("9", "10", &[Dimension::Agent]).rows[0];
    assert_eq!(value(row, "fcr_repeat_form"), Value::Ratio { numerator: 1, denominator: 2 });
    assert_eq!(value(row, "repeat_final_share"), Value::Ratio { numerator: 2, denominator: 2 });
}

#[test]
fn our_own_call_back_is_no_repeat() {
    let mut centre = Centre::new();
    call(&mut centre, "c", "x", "9:00", "ann");
    let customer = Some(CustomerId(centre.key("x")));
    let started = Event::ContactStarted {
        channel: Channel::Voice,
        direction: Direction::Outbound,
        entry: None,
        customer,
        journey: Some(ContactId(centre.key("c"))),
        callback: true,
        priority: 0,
    };
    centre.contact("back", "30:00", started);
    centre.talk("ann", "back", "sales", "30:00", "30:01");
    centre.end("back", "30:01");
    assert_eq!(repeats(&centre, "240"), (1, 1, 1));
}

#[test]
fn contacts_of_nobody_known_are_left_out_and_counted_until_the_customer_is_identified() {
    let mut centre = Centre::new();
    call(&mut centre, "c", "", "9:00", "ann");
    assert_eq!(centre.amount("9", "10", "fcr_unidentified"), 1);
    assert_eq!(repeats(&centre, "240"), (0, 0, 0));
    let customer = Some(CustomerId(centre.key("x")));
    centre.contact("c", "9:03", Event::ContactIdentified { customer, topic: None });
    assert_eq!(centre.amount("9", "10", "fcr_unidentified"), 0);
    assert_eq!(repeats(&centre, "240"), (1, 1, 1));
}

#[test]
fn a_ticket_resolved_by_the_end_of_its_first_contact_holds_until_it_is_reopened() {
    let mut centre = Centre::new();
    call(&mut centre, "c", "x", "9:00", "ann");
    ticket(&mut centre, "t", "c", "9:02");
    step(&mut centre, "t", "9:04", false);
    assert_eq!(fcr(&centre, "9:30"), (1, 1, 0));
    assert_eq!(fcr(&centre, "240"), (1, 1, 1));
    step(&mut centre, "t", "50:00", true);
    assert_eq!(fcr(&centre, "49:59"), (1, 1, 0), "held so far");
    assert_eq!(fcr(&centre, "50:00"), (1, 0, 1), "failed is final");
    assert_eq!(centre.amount("9", "10", "reopened"), 1, "counted where the resolution was");
}

#[test]
fn a_ticket_resolved_later_was_not_resolved_at_first_contact_and_an_open_one_is_not_final() {
    let mut centre = Centre::new();
    call(&mut centre, "c", "x", "9:00", "ann");
    ticket(&mut centre, "t", "c", "9:02");
    assert_eq!(fcr(&centre, "240"), (1, 0, 0));
    step(&mut centre, "t", "15:00", false);
    assert_eq!(fcr(&centre, "240"), (1, 0, 1));
}

#[test]
fn a_customer_who_comes_back_fails_the_issue_and_another_customer_does_not() {
    let mut centre = Centre::new();
    call(&mut centre, "c", "x", "9:00", "ann");
    ticket(&mut centre, "t", "c", "9:02");
    step(&mut centre, "t", "9:04", false);
    call(&mut centre, "other", "y", "20:00", "bob");
    assert_eq!(fcr(&centre, "240"), (1, 1, 1));
    call(&mut centre, "again", "x", "100:00", "bob");
    assert_eq!(fcr(&centre, "240"), (1, 0, 1));
}

#[test]
fn a_contact_with_no_ticket_is_resolved_when_its_wrap_up_code_says_so() {
    let mut centre = Centre::new();
    call(&mut centre, "c", "x", "9:00", "ann");
    let code = WrapUpCode(centre.key("done"));
    centre.contact("c", "9:05", Event::WrappedUp { code, topic: None, resolved: Some(true) });
    assert_eq!(fcr(&centre, "9:30"), (1, 1, 0));
    let by_agent = centre.ask("9", "10", &[Dimension::Agent]);
    assert_eq!(column(&by_agent, "fcr_held"), [1]);
}

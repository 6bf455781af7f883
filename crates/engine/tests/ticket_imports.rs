//! Tickets of other systems: in once, whoever brings them and in whatever order, and never over what happened here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    clippy::unused_self,
    clippy::assigning_clones,
    dead_code,
    reason = "tests"
)]

mod support;

use pegcount_domain::{
    ids::{AgentId, ReasonCode, SourceId, TicketId, TicketKind},
    ticketing::{
        Opening, Status, TicketCommand, TicketEvent, TicketFact, TicketRecord, Visibility, told::UNSEALED,
    },
    time::Micros,
};
use pegcount_engine::{ImportedTickets, OpenTicket, TicketAsker};
use support::{MORNING, Place, command, name, place, site};

const HELD_FOR: &str = "parts";

fn fact(minute: i64, event: TicketEvent) -> TicketFact {
    let at = MORNING.plus(Micros(minute * Micros::MINUTE.0));
    TicketFact { at, agent: Some(AgentId(name("anna"))), event, text: None }
}

fn opened() -> TicketEvent {
    TicketEvent::Opened(Box::new(Opening::of(TicketKind(name("repair")))))
}

fn accepted() -> TicketEvent {
    TicketEvent::Accepted { owner: AgentId(name("anna")) }
}

fn resolved() -> TicketEvent {
    TicketEvent::Resolved { way: None, agent: Some(AgentId(name("anna"))), reason: None }
}

/// Opened, accepted, held and settled, of which the first `facts`.
fn record(ticket: &str, facts: usize) -> TicketRecord {
    let held = TicketEvent::Held { reason: ReasonCode(name(HELD_FOR)) };
    let all = [fact(0, opened()), fact(1, accepted()), fact(2, held), fact(3, resolved())];
    TicketRecord {
        ticket: TicketId(name(ticket)),
        caller: Some("555".to_owned()),
        facts: all.into_iter().take(facts).collect(),
    }
}

async fn import(place: &Place, records: Vec<TicketRecord>) -> ImportedTickets {
    let (site, source, actor) = (site(), SourceId(name("desk")), name("importer"));
    let done = place.engine.import_tickets(&site, &source, &actor, records).await.unwrap();
    place.engine.caught_up(place.engine.end()).await.unwrap();
    done
}

fn status(place: &Place, ticket: &str) -> Status {
    place.engine.ticket(&site(), &TicketId(name(ticket))).unwrap().state.status
}

async fn types(place: &Place, ticket: &str) -> Vec<String> {
    let history = place.engine.ticket_history(&site(), &TicketId(name(ticket))).await.unwrap();
    history.steps.iter().map(|step| step.event.event_type().name().to_owned()).collect()
}

#[tokio::test]
async fn a_second_import_adds_nothing_in_whatever_order_and_twice_in_one_counts_once() {
    let place = place().await;
    let first = import(&place, vec![record("a", 4), record("b", 4), record("a", 4)]).await;
    assert_eq!((first.added, first.present, first.events), (2, 1, 8));
    let second = import(&place, vec![record("b", 4), record("a", 4)]).await;
    assert_eq!(second, ImportedTickets { present: 2, ..ImportedTickets::default() });
    assert_eq!(status(&place, "a"), Status::Resolved);
}

#[tokio::test]
async fn a_record_that_grew_is_appended_from_where_it_stood_whatever_happened_here_meanwhile() {
    let place = place().await;
    import(&place, vec![record("a", 2)]).await;
    let asker = TicketAsker { actor: &name("lead"), command_id: command(1) };
    let note = TicketCommand::Note { visibility: Visibility::Internal, text: name("s_1") };
    place.engine.ticket_command(&site(), &TicketId(name("a")), note, None, &asker).await.unwrap();
    let grown = import(&place, vec![record("a", 4)]).await;
    assert_eq!((grown.grown, grown.events), (1, 2), "the note here is no fact of the record");
    assert_eq!(
        types(&place, "a").await,
        ["ticket.opened", "ticket.accepted", "ticket.noted", "ticket.held", "ticket.resolved"]
    );
    let shorter = import(&place, vec![record("a", 1)]).await;
    assert_eq!((shorter.present, shorter.events), (1, 0));
}

#[tokio::test]
async fn a_fact_that_comes_late_between_known_ones_is_appended_alone() {
    let place = place().await;
    let mut without = record("a", 4);
    without.facts.remove(2);
    import(&place, vec![without]).await;
    let grown = import(&place, vec![record("a", 4)]).await;
    assert_eq!((grown.grown, grown.events), (1, 1));
    assert_eq!(types(&place, "a").await.last().unwrap(), "ticket.held");
}

#[tokio::test]
async fn a_record_that_contradicts_what_is_stored_is_refused_with_what_differs() {
    let place = place().await;
    import(&place, vec![record("a", 3)]).await;
    let mut other = record("a", 4);
    other.facts[1] = fact(1, TicketEvent::WorkStarted);
    let done = import(&place, vec![other]).await;
    assert_eq!((done.events, done.refusals.len()), (0, 1));
    let reason = &done.refusals[0].1;
    assert!(reason.contains("ticket.accepted at ") && reason.contains("another map"), "{reason}");
}

#[tokio::test]
async fn a_ticket_that_was_opened_here_is_not_taken_for_an_imported_one() {
    let place = place().await;
    let asker = TicketAsker { actor: &name("lead"), command_id: command(1) };
    let opening = Opening::of(TicketKind(name("repair")));
    let open = OpenTicket { ticket: TicketId(name("a")), opening, caller: None, description: None };
    place.engine.open_ticket(&site(), open, &asker).await.unwrap();
    let done = import(&place, vec![record("a", 4)]).await;
    assert_eq!(done.events, 0);
    assert!(done.refusals[0].1.contains("was opened here"), "{:?}", done.refusals);
}

#[tokio::test]
async fn what_the_rules_would_refuse_is_kept_as_it_happened() {
    let place = place().await;
    let closed = || TicketEvent::Closed { agent: None, reason: None };
    let facts = vec![fact(0, opened()), fact(1, closed()), fact(2, accepted()), fact(3, closed())];
    let done = import(&place, vec![TicketRecord { ticket: TicketId(name("a")), caller: None, facts }]).await;
    assert_eq!((done.added, done.events, done.refusals.len()), (1, 4, 0));
    assert_eq!(status(&place, "a"), Status::Closed);
}

#[tokio::test]
async fn texts_are_sealed_once_under_the_customers_key_or_the_tickets_own() {
    let place = place().await;
    let noted = |minute, text: &str| {
        let event = TicketEvent::Noted { visibility: Visibility::Internal, text: UNSEALED };
        TicketFact { text: Some(text.to_owned()), ..fact(minute, event) }
    };
    let records = || {
        let mut known = record("a", 2);
        known.facts.push(noted(2, "she called twice"));
        let mut unknown = record("b", 2);
        unknown.caller = None;
        unknown.facts.push(noted(2, "nobody knows who"));
        vec![known, unknown]
    };
    let done = import(&place, records()).await;
    assert_eq!((done.added, done.sealed), (2, 2));
    let again = import(&place, records()).await;
    assert_eq!((again.present, again.sealed), (2, 0));
    let mut references = Vec::new();
    for ticket in ["a", "b"] {
        let history = place.engine.ticket_history(&site(), &TicketId(name(ticket))).await.unwrap();
        let TicketEvent::Noted { text, .. } = &history.steps[2].event else { panic!("{history:?}") };
        references.push(text.clone());
    }
    assert!(references[0] != references[1] && !references.contains(&UNSEALED), "{references:?}");
}

#[tokio::test]
async fn a_record_that_cannot_be_one_is_refused_and_the_others_go_in() {
    let place = place().await;
    let mut early = record("early", 2);
    early.facts[0].at = Micros(0);
    let headless = TicketRecord { facts: vec![fact(0, accepted())], ..record("headless", 0) };
    let done = import(&place, vec![early, headless, record("good", 4)]).await;
    assert_eq!((done.added, done.refusals.len()), (1, 2));
    assert!(done.refusals[0].1.contains("before 1980"), "{:?}", done.refusals);
}

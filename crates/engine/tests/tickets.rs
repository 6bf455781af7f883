//! Commands on tickets: decided once, told precisely who was first, one append for two tickets; lists and watches.
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
    envelope::{Position, StreamKind, Version},
    ids::{CategoryId, ContactId, TeamId},
    ticketing::{
        FieldValue, LinkKind, Promiser, Severity, Status, TargetKind, TicketCommand, TicketRefusal, Urgency,
    },
    time::Micros,
};
use pegcount_engine::{
    Engine, EngineError, OneTicket, OpenTicket, TicketAsker, TicketFilter, TicketOrder, TicketUpdate,
    WATCHED_TICKETS_MAX,
};
use support::{
    MORNING, Place, agent, command, name, place, site,
    tickets::{accept, all, ask, classify, close, id, open, reopen, repair, resolve, view},
};

async fn worked_on(ticket: &str) -> Place {
    let place = place().await;
    open(&place.engine, repair(ticket), 1).await.unwrap();
    all(&place.engine, ticket, 2, [accept(), classify()]).await;
    place
}

#[tokio::test]
async fn a_ticket_is_opened_once_resolved_reopened_and_closed_and_comes_back_from_there() {
    let place = worked_on("t1").await;
    let engine = &place.engine;
    let twice = open(engine, repair("t1"), 9).await.unwrap_err();
    assert_eq!(twice.to_string(), "ticket t1 exists already");
    all(engine, "t1", 10, [resolve(), reopen(), resolve(), close()]).await;
    let closed = view(engine, "t1");
    assert_eq!((closed.state.status, closed.state.reopened, closed.version), (Status::Closed, 1, Version(7)));
    assert_eq!((closed.state.receiver, closed.state.owner), (Some(agent("ann")), Some(agent("bob"))));
    all(engine, "t1", 20, [reopen()]).await;
    let back = view(engine, "t1");
    assert_eq!((back.state.status, back.state.reopened, back.version), (Status::Classified, 2, Version(8)));
}

#[tokio::test]
async fn a_customer_comes_from_the_number_given_and_never_stands_in_plain_words() {
    let place = place().await;
    let with_caller = OpenTicket { caller: Some("+86 10 5555".to_owned()), ..repair("t1") };
    open(&place.engine, with_caller.clone(), 1).await.unwrap();
    open(&place.engine, OpenTicket { ticket: id("t2"), ..with_caller }, 2).await.unwrap();
    let customer = |ticket| view(&place.engine, ticket).state.facts.customer.unwrap();
    assert_eq!(customer("t1"), customer("t2"), "the same number is the same customer");
    assert!(!customer("t1").to_string().contains("5555"));
}

#[tokio::test]
async fn a_stale_edit_is_told_who_did_what_since() {
    let place = worked_on("t1").await;
    let set = vec![FieldValue::Severity(Severity::Major)];
    let edit = TicketCommand::Edit { set };
    ask(&place.engine, "t1", edit.clone(), Some(3), 10).await.unwrap();
    let stale = ask(&place.engine, "t1", close(), Some(3), 11).await.unwrap_err();
    let EngineError::Ticket { refusal, .. } = &stale else { panic!("{stale}") };
    assert!(matches!(**refusal, TicketRefusal::Stale { .. }));
    let told = stale.to_string();
    assert!(told.contains("expects version 3, and the ticket is at version 4 now"), "{told}");
    assert!(told.contains("version 4 by lead at 2026-03-02") && told.contains("edit (severity)"), "{told}");
    let same = ask(&place.engine, "t1", edit, None, 12).await.unwrap();
    assert_eq!((same.position, same.version), (Position::START, Version(4)), "it is so already");
}

#[tokio::test]
async fn a_refusal_says_what_stands_against_it_and_what_to_do() {
    let place = place().await;
    open(&place.engine, repair("t1"), 1).await.unwrap();
    let refused = ask(&place.engine, "t1", resolve(), None, 2).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "ticket t1: cannot resolve a ticket that is new: nobody has accepted it: accept it first"
    );
    let absent = ask(&place.engine, "t9", resolve(), None, 3).await.unwrap_err();
    assert_eq!(absent.to_string(), "there is no ticket t9");
}

#[tokio::test]
async fn the_same_command_twice_acts_once_even_over_a_restart() {
    let place = worked_on("t1").await;
    let first = ask(&place.engine, "t1", resolve(), None, 10).await.unwrap();
    let again = ask(&place.engine, "t1", resolve(), None, 10).await.unwrap();
    assert_eq!(first, again);
    let place = place.restarted().await;
    let end = place.engine.end();
    let later = ask(&place.engine, "t1", resolve(), None, 10).await.unwrap();
    assert_eq!((later.position, later.version, place.engine.end()), (first.position, first.version, end));
}

#[tokio::test]
async fn sixteen_at_once_resolve_a_ticket_once() {
    let place = worked_on("t1").await;
    let mut tasks = Vec::new();
    for number in 0..16 {
        let engine = place.engine.clone();
        tasks.push(tokio::spawn(async move { ask(&engine, "t1", resolve(), None, 100 + number).await }));
    }
    let mut done = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => done += 1,
            Err(error) => assert!(error.to_string().contains("it is so already"), "{error}"),
        }
    }
    assert_eq!(done, 1);
}

async fn merge(
    engine: &Engine,
    secondary: (&str, Option<u64>),
    primary: &str,
    number: u128,
) -> Result<Version, EngineError> {
    let lead = name("lead");
    let asker = TicketAsker { actor: &lead, command_id: command(number) };
    let (from, into) = (id(secondary.0), id(primary));
    let secondary = OneTicket { ticket: &from, expected: secondary.1.map(Version) };
    let primary = OneTicket { ticket: &into, expected: None };
    engine.merge_tickets(&site(), secondary, primary, &asker).await.map(|done| done.version)
}

#[tokio::test]
async fn a_merge_changes_both_tickets_in_one_append_or_neither() {
    let place = worked_on("t1").await;
    let engine = &place.engine;
    let mut other = repair("t2");
    other.opening.contact = Some(ContactId(name("call-2")));
    open(engine, other, 20).await.unwrap();
    all(engine, "t2", 21, [accept()]).await;
    let end = engine.end();
    let stale = merge(engine, ("t2", Some(1)), "t1", 30).await.unwrap_err();
    assert!(stale.to_string().contains("expects version 1"), "{stale}");
    assert_eq!(engine.end(), end, "neither has changed");
    assert_eq!(merge(engine, ("t2", Some(2)), "t1", 31).await.unwrap(), Version(3));
    let (gone, kept) = (view(engine, "t2"), view(engine, "t1"));
    assert_eq!((gone.state.status, gone.state.merged_into), (Status::Merged, Some(id("t1"))));
    assert_eq!((kept.state.absorbed, kept.state.contacts), (1, vec![ContactId(name("call-2"))]));
    let page = engine.read_log(end.next(), 9, &pegcount_log::Filter::default()).await.unwrap();
    let streams: Vec<_> = page.events.iter().map(|event| event.stream.id.to_string()).collect();
    assert_eq!(streams, ["t2", "t1", "t1"]);
    assert!(page.events.iter().all(|event| event.stream.kind == StreamKind::Ticket));
    assert_eq!(
        merge(engine, ("t2", Some(2)), "t1", 31).await.unwrap(),
        Version(3),
        "asked again, it is answered again"
    );
    let more = ask(engine, "t2", reopen(), None, 32).await.unwrap_err();
    assert!(more.to_string().contains("that is for good"), "{more}");
}

#[tokio::test]
async fn a_part_is_split_off_with_the_customer_and_the_group_of_the_whole() {
    let place = place().await;
    let engine = &place.engine;
    let mut whole = OpenTicket { caller: Some("555 1".to_owned()), ..repair("t1") };
    whole.opening.group = Some(TeamId(name("pipes")));
    open(engine, whole, 1).await.unwrap();
    let (lead, whole) = (name("lead"), id("t1"));
    let asker = TicketAsker { actor: &lead, command_id: command(2) };
    let part = OneTicket { ticket: &whole, expected: Some(Version(1)) };
    let done = engine.split_ticket(&site(), part, repair("t1b"), &asker).await.unwrap();
    assert_eq!(done.version, Version(2));
    let (whole, part) = (view(engine, "t1").state, view(engine, "t1b").state);
    assert_eq!(part.links, [(id("t1"), LinkKind::SplitFrom)]);
    assert_eq!(whole.links, [(id("t1b"), LinkKind::SplitInto)]);
    assert_eq!((part.facts.customer, part.group), (whole.facts.customer, whole.group));
}

#[tokio::test]
async fn no_ticket_becomes_a_part_of_itself_over_others() {
    let place = place().await;
    let engine = &place.engine;
    for (ticket, number) in [("a", 1), ("b", 2), ("c", 3)] {
        open(engine, repair(ticket), number).await.unwrap();
    }
    let link = async |one: &str, other: &str, number| {
        let (lead, one, other) = (name("lead"), id(one), id(other));
        let asker = TicketAsker { actor: &lead, command_id: command(number) };
        let at = |ticket| OneTicket { ticket, expected: None };
        engine.link_tickets(&site(), at(&one), at(&other), LinkKind::Parent, &asker).await
    };
    link("a", "b", 10).await.unwrap();
    link("b", "c", 11).await.unwrap();
    let circle = link("c", "a", 12).await.unwrap_err();
    assert!(circle.to_string().contains("ticket c would become a part of itself"), "{circle}");
    assert_eq!(view(engine, "c").state.links, [(id("b"), LinkKind::Child)]);
    assert_eq!(link("a", "b", 13).await.unwrap().version, Version(2), "it is so already");
}

/// 30 tickets: every third severe, every second ann's; all but the first five accepted by bob.
async fn thirty() -> Place {
    let place = place().await;
    for number in 0..30_u32 {
        let mut one = repair(&format!("t{number:02}"));
        one.opening
            .set
            .push(FieldValue::Category(CategoryId(name(["pipes", "roof"][usize::from(number % 2 == 0)]))));
        if number % 3 == 0 {
            one.opening.set.push(FieldValue::Severity(Severity::Major));
        }
        open(&place.engine, one, 100 + u128::from(number)).await.unwrap();
        if number >= 5 {
            ask(&place.engine, &format!("t{number:02}"), accept(), None, 200 + u128::from(number))
                .await
                .unwrap();
        }
    }
    place
}

fn listed(engine: &Engine, filter: &TicketFilter, order: TicketOrder) -> Vec<String> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = engine.list_tickets(&site(), filter, order, after, 4);
        found.extend(page.tickets.iter().map(|view| view.ticket.to_string()));
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

#[tokio::test]
async fn a_list_holds_what_was_asked_for_once_in_the_order_asked_for() {
    let place = thirty().await;
    let filter = TicketFilter {
        severities: vec![Severity::Major],
        categories: vec![CategoryId(name("roof"))],
        owners: vec![agent("bob")],
        ..TicketFilter::default()
    };
    assert_eq!(listed(&place.engine, &filter, TicketOrder::Oldest), ["t06", "t12", "t18", "t24"]);
    assert_eq!(listed(&place.engine, &filter, TicketOrder::Newest), ["t24", "t18", "t12", "t06"]);
    let new = TicketFilter { statuses: vec![Status::New], ..TicketFilter::default() };
    assert_eq!(listed(&place.engine, &new, TicketOrder::Oldest), ["t00", "t01", "t02", "t03", "t04"]);
    let none = TicketFilter { groups: vec![TeamId(name("nobody's"))], ..TicketFilter::default() };
    assert!(listed(&place.engine, &none, TicketOrder::Oldest).is_empty());
    assert_eq!(listed(&place.engine, &TicketFilter::default(), TicketOrder::Newest).len(), 30);
}

#[tokio::test]
async fn what_moves_between_two_pages_is_neither_told_twice_nor_hides_others() {
    let place = thirty().await;
    let engine = &place.engine;
    let filter = TicketFilter { unowned: true, ..TicketFilter::default() };
    let first = engine.list_tickets(&site(), &filter, TicketOrder::Oldest, None, 2);
    let told = |page: &pegcount_engine::TicketPage| -> Vec<String> {
        page.tickets.iter().map(|view| view.ticket.to_string()).collect()
    };
    assert_eq!(told(&first), ["t00", "t01"]);
    ask(engine, "t00", accept(), None, 300).await.unwrap();
    ask(engine, "t01", accept(), None, 301).await.unwrap();
    let place = place.restarted().await;
    let second = place.engine.list_tickets(&site(), &filter, TicketOrder::Oldest, first.next, 2);
    assert_eq!(told(&second), ["t02", "t03"]);
}

/// Promises that a ticket is resolved so long after now.
async fn promise(place: &Place, ticket: &str, within: Micros, number: u128) {
    let due = place.clock.now().plus(within);
    let promise = TicketCommand::Promise { target: TargetKind::Resolve, due, by: Promiser::Agent };
    ask(&place.engine, ticket, promise, None, number).await.unwrap();
}

#[tokio::test]
async fn tickets_are_found_by_when_they_are_due_and_whether_they_were_missed() {
    let place = thirty().await;
    for (ticket, minutes, number) in [("t07", 90, 1), ("t08", 20, 2), ("t09", 50, 3)] {
        promise(&place, ticket, Micros(minutes * Micros::MINUTE.0), number).await;
    }
    let filter = TicketFilter { due_within: Some(Micros::HOUR), ..TicketFilter::default() };
    assert_eq!(listed(&place.engine, &filter, TicketOrder::Due), ["t08", "t09"]);
    assert_eq!(listed(&place.engine, &filter, TicketOrder::Newest), ["t09", "t08"]);
    place.clock.set(MORNING.plus(Micros(30 * Micros::MINUTE.0)));
    assert_eq!(listed(&place.engine, &filter, TicketOrder::Due), ["t08", "t09", "t07"]);
    let breached = TicketFilter { breached: Some(true), ..TicketFilter::default() };
    assert_eq!(listed(&place.engine, &breached, TicketOrder::Oldest), ["t08"]);
    all(&place.engine, "t08", 10, [classify(), resolve()]).await;
    assert_eq!(listed(&place.engine, &breached, TicketOrder::Oldest), ["t08"], "missed is missed");
}

#[tokio::test]
async fn an_urgent_ticket_is_due_in_two_hours_with_nothing_defined() {
    let place = place().await;
    let mut urgent = repair("t1");
    urgent.opening.set.push(FieldValue::Urgency(Urgency::Urgent));
    open(&place.engine, urgent, 1).await.unwrap();
    let view = view(&place.engine, "t1");
    let clock = view.deadlines.clock(TargetKind::FirstResponse).unwrap();
    assert_eq!(clock.due, Some(MORNING.plus(Micros(2 * Micros::HOUR.0))));
}

fn told(update: &TicketUpdate) -> (bool, Vec<String>, Vec<String>) {
    let tickets = update.tickets.iter().map(|view| view.ticket.to_string()).collect();
    (update.whole, tickets, update.gone.iter().map(ToString::to_string).collect())
}

#[tokio::test]
async fn a_watched_list_is_told_whole_and_then_what_comes_and_goes_by_events_and_by_time_alone() {
    let place = thirty().await;
    let engine = &place.engine;
    promise(&place, "t08", Micros(90 * Micros::MINUTE.0), 1).await;
    promise(&place, "t09", Micros(20 * Micros::MINUTE.0), 2).await;
    let filter = TicketFilter {
        owners: vec![agent("bob")],
        due_within: Some(Micros(30 * Micros::MINUTE.0)),
        ..TicketFilter::default()
    };
    let mut watch = engine.watch_tickets(site(), filter);
    let next = async |watch: &mut pegcount_engine::TicketWatch| told(&watch.next().await.unwrap().unwrap());
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    assert_eq!(next(&mut watch).await, (true, texts(&["t09"]), Vec::new()));
    promise(&place, "t11", Micros(10 * Micros::MINUTE.0), 3).await;
    assert_eq!(next(&mut watch).await, (false, texts(&["t11"]), Vec::new()));
    all(engine, "t09", 10, [classify(), resolve()]).await;
    let gone = loop {
        let update = next(&mut watch).await;
        if !update.2.is_empty() {
            break update;
        }
    };
    assert_eq!(gone, (false, Vec::new(), texts(&["t09"])));
    let (clock, before) = (place.clock.clone(), MORNING.plus(Micros(61 * Micros::MINUTE.0)));
    let time_passes = tokio::spawn(async move { clock.set(before) });
    let coming = next(&mut watch).await;
    time_passes.await.unwrap();
    assert_eq!(coming, (false, texts(&["t08"]), Vec::new()), "nothing but time has passed");
}

#[tokio::test]
async fn a_list_that_is_too_long_to_watch_is_refused_with_the_limit() {
    let place = place().await;
    let engine = &place.engine;
    let opened = (0..=WATCHED_TICKETS_MAX).map(|number| async move {
        open(engine, repair(&format!("t{number}")), u128::try_from(number).unwrap() + 1).await.unwrap();
    });
    let opened = futures_util::StreamExt::buffer_unordered(futures_util::stream::iter(opened), 128);
    futures_util::StreamExt::collect::<()>(opened).await;
    let refused = engine.watch_tickets(site(), TicketFilter::default()).next().await.unwrap_err();
    assert!(refused.to_string().contains("more than 2000 tickets"), "{refused}");
    let few = TicketFilter { owners: vec![agent("bob")], ..TicketFilter::default() };
    assert!(engine.watch_tickets(site(), few).next().await.unwrap().unwrap().tickets.is_empty());
}

#[tokio::test]
async fn a_history_tells_every_event_and_what_became_of_each_target() {
    let place = worked_on("t1").await;
    promise(&place, "t1", Micros::HOUR, 9).await;
    place.clock.set(MORNING.plus(Micros(2 * Micros::HOUR.0)));
    all(&place.engine, "t1", 10, [resolve(), close()]).await;
    let history = place.engine.ticket_history(&site(), &id("t1")).await.unwrap();
    let types: Vec<_> = history.steps.iter().map(|step| step.event.event_type().name()).collect();
    assert_eq!(
        types,
        [
            "ticket.opened",
            "ticket.accepted",
            "ticket.classified",
            "ticket.promised",
            "ticket.resolved",
            "ticket.closed"
        ]
    );
    let versions: Vec<_> = history.steps.iter().map(|step| step.version.0).collect();
    assert_eq!(versions, [1, 2, 3, 4, 5, 6]);
    let promised = history.targets.iter().find(|target| target.clock.kind == TargetKind::Resolve).unwrap();
    assert!(promised.clock.missed, "an hour was promised, two have passed");
    let absent = place.engine.ticket_history(&site(), &id("t9")).await.unwrap_err();
    assert_eq!(absent.to_string(), "there is no ticket t9");
}

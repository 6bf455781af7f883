//! History that is closed and archived: no figure changes, and nothing that comes afterwards counts otherwise.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod oracle;
mod support;

use oracle::{
    compare::{SITES, apply, in_words, names, questions, range, seeds, shrink, some},
    story::{Arrival, Dice, tell},
};
use pegcount_domain::{
    envelope::{Position, Recorded, StreamKind, StreamName},
    event::{Event, LegRef, QueueExit},
    ids::{ContactId, Key, Name, SiteId},
    ticketing::TicketEvent,
    time::Micros,
};
use pegcount_kpi::{
    AnomalyKind, Attribution, Correction, ExplainQuery, Kpi, Part, PartError, Query, QueryError, Variant,
};
use pegcount_proto::stored::FiguresArchive;
use prost::Message;
use support::{Centre, DAY, amount, ended, query, t};

/// Seeds unless the environment says otherwise.
const SEEDS: u64 = 2;
/// Longer than any day.
const DAYS_FIXED: Micros = Micros(26 * Micros::HOUR.0);
/// Stories that follow on each other.
const STORIES: u64 = 4;

/// What a story says, some days later, about other contacts and tickets.
fn later(history: Vec<Recorded>, story: u64, by: Micros, after: Position) -> Vec<Recorded> {
    let other = |key: Key| Key(key.0 ^ u128::from(story).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C));
    let contact = |contact: ContactId<Key>| ContactId(other(contact.0));
    let moved = |mut one: Recorded| {
        one.position = Position(one.position.0 + after.0);
        one.occurred_at = one.occurred_at.plus(by);
        one.recorded_at = one.recorded_at.plus(by);
        if let Some(place) = &mut one.source_seq {
            place.epoch.0 ^= u128::from(story) << 32;
        }
        if matches!(one.stream.kind, StreamKind::Contact | StreamKind::Ticket) {
            one.stream.id = other(one.stream.id);
        }
        one.event = moved_event(one.event, by, after, &contact);
        one
    };
    history.into_iter().map(moved).collect()
}

fn moved_event(
    event: Event<Key>,
    by: Micros,
    after: Position,
    contact: &impl Fn(ContactId<Key>) -> ContactId<Key>,
) -> Event<Key> {
    match event {
        Event::Leg { leg, step } => Event::Leg { leg: LegRef { contact: contact(leg.contact), ..leg }, step },
        Event::OutboundAssigned { contact: own, leg } => {
            Event::OutboundAssigned { contact: contact(own), leg }
        }
        Event::ContactStarted { channel, direction, entry, customer, journey, callback, priority } => {
            let journey = journey.map(contact);
            Event::ContactStarted { channel, direction, entry, customer, journey, callback, priority }
        }
        Event::Ticket(TicketEvent::Opened(mut opening)) => {
            opening.contact = opening.contact.map(contact);
            Event::Ticket(TicketEvent::Opened(opening))
        }
        Event::ConnectionLost { last_heard } => Event::ConnectionLost { last_heard: last_heard.plus(by) },
        Event::QueueDefined(mut queue) => {
            queue.valid_from = queue.valid_from.plus(by);
            Event::QueueDefined(queue)
        }
        Event::AgentDefined(mut agent) => {
            agent.valid_from = agent.valid_from.plus(by);
            Event::AgentDefined(agent)
        }
        Event::FormulaDefined(mut formula) => {
            formula.valid_from = formula.valid_from.plus(by);
            Event::FormulaDefined(formula)
        }
        Event::SiteDefined(mut site) => {
            site.valid_from = site.valid_from.plus(by);
            Event::SiteDefined(site)
        }
        Event::AuthorityDefined(mut authority) => {
            authority.valid_from = authority.valid_from.plus(by);
            Event::AuthorityDefined(authority)
        }
        Event::AllowanceDefined(mut allowance) => {
            allowance.valid_from = allowance.valid_from.plus(by);
            Event::AllowanceDefined(allowance)
        }
        Event::TargetDefined(mut target) => {
            target.valid_from = target.valid_from.plus(by);
            Event::TargetDefined(target)
        }
        Event::ReasonDefined(mut reason) => {
            reason.valid_from = reason.valid_from.plus(by);
            Event::ReasonDefined(reason)
        }
        Event::Annulled { target, reason } => Event::Annulled { target: target + after.0, reason },
        Event::Amended { target, reason, occurred_at, event } => Event::Amended {
            target: target + after.0,
            reason,
            occurred_at: occurred_at.plus(by),
            event: Box::new(moved_event(*event, by, after, contact)),
        },
        other => other,
    }
}

/// The earliest instant at which any of these facts is in force.
fn begins(history: &[Recorded]) -> Micros {
    let of = |one: &Recorded| match &one.event {
        Event::ConnectionLost { last_heard } => one.occurred_at.min(*last_heard),
        Event::Amended { occurred_at, .. } => one.occurred_at.min(*occurred_at),
        _ => one.occurred_at,
    };
    history.iter().map(of).min().unwrap()
}

/// Reference data that comes after a closing says nothing of what was before.
fn in_force_from(mut history: Vec<Recorded>, now: Micros) -> Vec<Recorded> {
    for one in &mut history {
        match &mut one.event {
            Event::QueueDefined(queue) => queue.valid_from = queue.valid_from.max(now),
            Event::AgentDefined(agent) => agent.valid_from = agent.valid_from.max(now),
            Event::FormulaDefined(formula) => formula.valid_from = formula.valid_from.max(now),
            // Up to the end of the day in which history is closed days stay as they are.
            Event::SiteDefined(site) => site.valid_from = site.valid_from.max(now.plus(DAYS_FIXED)),
            Event::AuthorityDefined(authority) => authority.valid_from = authority.valid_from.max(now),
            Event::AllowanceDefined(allowance) => allowance.valid_from = allowance.valid_from.max(now),
            Event::ReasonDefined(reason) => reason.valid_from = reason.valid_from.max(now),
            Event::TargetDefined(target) => target.valid_from = target.valid_from.max(now),
            _ => {}
        }
    }
    history
}

/// Several stories, days apart; after each, history is closed up to some instant before the next.
fn long_story(seed: u64, arrival: Arrival) -> Vec<Recorded> {
    let mut dice = Dice(seed ^ 0xC105E);
    let mut all: Vec<Recorded> = Vec::new();
    for story in 0..STORIES {
        let history = tell(seed * STORIES + story, 5, arrival);
        let starts = begins(&history);
        let until = all.last().map_or(starts, |_| range(&all).1);
        let by = until.plus(Micros(dice.below(20 * 24 * 60) * Micros::MINUTE.0)).minus(starts);
        let after = all.last().map_or(Position::START, |last| last.position);
        let history = later(history, story, by, Position(after.0 + 2));
        let now = begins(&history);
        let before = now.minus(Micros(dice.below(4) * dice.below(3 * 24 * 60) * Micros::MINUTE.0));
        let recorded_at = all.last().map_or(now, |last| last.recorded_at).max(before);
        for (site, position) in SITES.into_iter().zip(after.0 + 1..).filter(|_| story > 0) {
            all.push(Recorded {
                position: Position(position),
                stream: StreamName {
                    site: support::key(site),
                    kind: StreamKind::Definition,
                    id: support::key("history"),
                },
                occurred_at: recorded_at,
                recorded_at,
                source: support::key("engine"),
                source_seq: None,
                event: Event::HistoryClosed { before },
            });
        }
        all.extend(if story > 0 { in_force_from(history, now) } else { history });
    }
    all
}

/// Folds a history; some of the events go into figures that have been archived and restored.
fn folded(history: &[Recorded], closes: bool, mut archives: impl FnMut(&Recorded) -> bool) -> Kpi {
    let (mut kpi, names) = (some(history.len().try_into().unwrap()), names());
    for recorded in history {
        if !closes && matches!(recorded.event, Event::HistoryClosed { .. }) {
            continue;
        }
        apply(&mut kpi, recorded, &names);
        if archives(recorded) {
            kpi = Kpi::restored(&kpi.archived()).unwrap();
        }
    }
    kpi
}

/// In which way two folds of a history tell different things from `since` on.
fn difference(one: &Kpi, other: &Kpi, history: &[Recorded], since: Micros, chance: u64) -> Option<String> {
    let (from, to) = range(history);
    let mut dice = Dice(chance);
    let instants = [
        to.plus(Micros(20 * 24 * Micros::HOUR.0)),
        since,
        since.plus(Micros(dice.below((to.minus(since).0 / 1_000_000).max(1)) * 1_000_000)),
    ];
    for site in SITES {
        for as_of in instants {
            for asked in questions(site, (from, to), as_of, dice.roll()) {
                // Another target cannot be forced on days whose history is closed.
                let variant = Variant { efficiency_target: None, ..asked.variant };
                let asked = Query { variant, ..asked };
                let (one, other) = (one.query(&asked).unwrap(), other.query(&asked).unwrap());
                if one.rows != other.rows {
                    let row = one.rows.iter().zip(&other.rows).find(|(one, other)| one != other);
                    return Some(format!(
                        "{site} as of {as_of} {:?} {}: {row:?}",
                        asked.by, asked.attribution
                    ));
                }
            }
        }
        let id = SiteId(Name::new(site).unwrap());
        if one.anomalies(&id) != other.anomalies(&id) {
            return Some(format!("{site}: {:?} and {:?} are odd", one.anomalies(&id), other.anomalies(&id)));
        }
        let (one, other) = (one.corrections(&id), other.corrections(&id));
        if one != other {
            let only = |list: &[Correction], in_other: &[Correction]| {
                list.iter().find(|own| !in_other.contains(own)).copied()
            };
            return Some(format!(
                "{site}: not the same corrections: {:?} and {:?}",
                only(&one, &other),
                only(&other, &one)
            ));
        }
    }
    None
}

/// The last instant up to which history is closed.
fn closed_before(history: &[Recorded]) -> Option<Micros> {
    let closes = history.iter().filter_map(|recorded| match recorded.event {
        Event::HistoryClosed { before } => Some(before),
        _ => None,
    });
    closes.max()
}

fn check(first: u64, arrival: Arrival, differs: impl Fn(&[Recorded], u64) -> Option<String>) {
    for seed in seeds(first, SEEDS) {
        let history = long_story(seed, arrival);
        if differs(&history, seed).is_some() {
            let short = shrink(history, |history| differs(history, seed).is_some());
            let words = differs(&short, seed).unwrap();
            panic!("{arrival:?}: seed {seed}: {words}\n{}", in_words(&short));
        }
    }
}

/// A short history may speak of what was closed: then nothing is promised.
fn keeps_its_word(history: &[Recorded]) -> bool {
    let mut closed = Micros(i64::MIN);
    history.iter().all(|recorded| {
        if let Event::HistoryClosed { before } = recorded.event {
            closed = closed.max(before);
        }
        begins(std::slice::from_ref(recorded)) >= closed
    })
}

fn closing_differs(history: &[Recorded], seed: u64) -> Option<String> {
    let since = closed_before(history).filter(|_| keeps_its_word(history))?;
    let (open, closed) = (folded(history, false, |_| false), folded(history, true, |_| false));
    difference(&open, &closed, history, since, seed)
}

#[test]
fn closing_history_changes_no_figure_that_was_and_none_that_comes() {
    check(0, Arrival::InOrder, closing_differs);
    check(1_000, Arrival::ALittleLate, closing_differs);
    check(2_000, Arrival::Anyhow, closing_differs);
}

fn archiving_differs(history: &[Recorded], seed: u64) -> Option<String> {
    let since = closed_before(history).unwrap_or(Micros(0));
    let mut dice = Dice(seed ^ 0xA6C);
    let straight = folded(history, true, |_| false);
    let archived = folded(history, true, |_| dice.below(40) == 0);
    difference(&straight, &archived, history, since, seed)
}

#[test]
fn figures_that_were_archived_and_restored_go_on_as_if_nothing_had_been() {
    check(3_000, Arrival::InOrder, archiving_differs);
    check(4_000, Arrival::ALittleLate, archiving_differs);
    check(5_000, Arrival::Anyhow, archiving_differs);
}

/// Figures taken apart and put together again.
fn through_parts(kpi: &Kpi) -> Kpi {
    let mut parts = Vec::new();
    kpi.parts::<PartError>(|bytes| {
        parts.push(Part::read(&bytes)?);
        Ok(())
    })
    .unwrap();
    Kpi::assembled(parts).unwrap()
}

fn parts_differ(history: &[Recorded], seed: u64) -> Option<String> {
    let since = closed_before(history).unwrap_or(Micros(0));
    let (mut dice, names) = (Dice(seed ^ 0x9A27), names());
    let straight = folded(history, true, |_| false);
    let mut kpi = some(seed);
    for recorded in history {
        apply(&mut kpi, recorded, &names);
        if dice.below(40) == 0 {
            kpi = through_parts(&kpi);
        }
    }
    difference(&straight, &kpi, history, since, seed)
}

#[test]
fn figures_that_were_taken_apart_and_put_together_anywhere_go_on_as_if_nothing_had_been() {
    check(6_000, Arrival::InOrder, parts_differ);
    check(7_000, Arrival::ALittleLate, parts_differ);
    check(8_000, Arrival::Anyhow, parts_differ);
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let mut centre = Centre::new();
    centre.sign_in("ann", "9");
    centre.switch("ann", "9:10", "c1", "sales", ended());
    let mut parts = Vec::new();
    centre
        .kpi
        .parts::<PartError>(|bytes| {
            parts.push(bytes);
            Ok(())
        })
        .unwrap();
    let read = |parts: &[Vec<u8>]| parts.iter().map(|bytes| Part::read(bytes)).collect::<Result<Vec<_>, _>>();
    assert!(Kpi::assembled(read(&parts).unwrap()).is_ok());
    let said = |parts: &[Vec<u8>]| Kpi::assembled(read(parts).unwrap()).unwrap_err().to_string();
    let fit = "the parts of the figures do not fit together: ";
    assert_eq!(said(&parts[..parts.len() - 1]), format!("{fit}the last is missing"));
    assert_eq!(said(&parts[1..]), format!("{fit}they do not begin with the first"));
    let units_first = [&parts[..1], &parts[2..]].concat();
    assert_eq!(said(&units_first), format!("{fit}a site comes after its units"));
    for bytes in &parts {
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                // Anything but a panic: its keeper's checksum tells what was flipped.
                let _ = Part::read(&flipped);
            }
        }
    }
}

/// The units that an archive of the centre's site keeps: contacts, customer lines, facts of agents.
fn kept(centre: &Centre) -> (usize, usize, usize) {
    let archive = FiguresArchive::decode(centre.kpi.archived().as_slice()).unwrap();
    let site = &archive.sites[0];
    let chapters = site.agents.iter().flat_map(|agent| agent.chapters.iter().chain(&agent.present));
    (site.contacts.len(), site.lines.len(), chapters.map(|chapter| chapter.facts.len()).sum())
}

#[test]
fn what_is_over_takes_no_room() {
    let mut centre = Centre::new();
    for day in 0..30 {
        let at = |hour: i64, minute: i64| format!("{}:{minute:02}", day * 24 + hour);
        centre.sign_in("ann", &at(9, 0));
        for call in 0..6 {
            let contact = format!("call {day} {call}");
            centre.start(&contact, &at(10 + call, 0), "hotline", &format!("customer {call}"));
            centre.enter(&contact, &at(10 + call, 0), "visit", "sales");
            centre.leave(&contact, &at(10 + call, 1), "visit", QueueExit::Answered);
            centre.talk("ann", &contact, "sales", &at(10 + call, 1), &at(10 + call, 9));
            centre.end(&contact, &at(10 + call, 9));
        }
        centre.sign_out("ann", &at(17, 0));
    }
    let asked = query("north", DAY, t("720"), &[], t("2000"));
    let figures = centre.kpi.query(&asked).unwrap();
    assert_eq!(kept(&centre), (180, 6, 30 * 14));
    // The last ten days stay: a customer's matter can come again for seven days after each call.
    centre.record(StreamKind::Definition, "history", t("720"), Event::HistoryClosed { before: t("480") });
    let (contacts, lines, facts) = kept(&centre);
    assert_eq!((contacts, lines), (17 * 6, 6));
    assert!((10 * 14..11 * 14 + 64).contains(&facts), "{facts} facts are kept");
    centre.record(StreamKind::Definition, "history", t("1000"), Event::HistoryClosed { before: t("1000") });
    assert_eq!(kept(&centre), (0, 0, 0));
    assert_eq!(centre.kpi.query(&asked).unwrap().rows, figures.rows);
}

/// History may be closed in the midst of a month, and its folder opened again, before the month ends.
#[test]
fn a_month_whose_days_are_closed_is_measured_when_it_ends_also_after_a_restart() {
    let figures = [false, true].map(|restarts| {
        let mut centre = Centre::new();
        centre.sign_in("ann", "9");
        centre.ready("ann", "9");
        centre.sign_out("ann", "12");
        let close = Event::HistoryClosed { before: t("100") };
        centre.record(StreamKind::Definition, "history", t("200"), close);
        if restarts {
            centre.kpi = Kpi::restored(&centre.kpi.archived()).unwrap();
        }
        let asked = query("north", DAY, t("1000"), &[], t("1000"));
        let month =
            |centre: &Centre| amount(&centre.kpi.query(&asked).unwrap().rows[0], "agent_months_measured");
        assert_eq!(month(&centre), 1);
        // With the next fact the month goes into the books.
        centre.sign_in("bob", "900");
        assert_eq!(month(&centre), 1);
        centre.kpi.archived()
    });
    assert!(figures[0] == figures[1], "the same books");
}

/// A call of an hour ago is over, its day is closed, and a fact of it comes.
#[test]
fn a_fact_from_before_is_kept_and_marked_and_changes_nothing() {
    let mut centre = Centre::new();
    centre.sign_in("ann", "9");
    centre.talk("ann", "c1", "sales", "9:10", "9:20");
    centre.end("c1", "9:20");
    centre.sign_out("ann", "17");
    let before = centre.ask("0", "24", &[]);
    centre.record(StreamKind::Definition, "history", t("30"), Event::HistoryClosed { before: t("24") });
    let late = centre.switch("ann", "10", "c2", "sales", ended());
    assert_eq!(centre.ask("0", "24", &[]).rows, before.rows);
    let site = SiteId(Name::new("north").unwrap());
    let marks = centre.kpi.anomalies(&site);
    assert!(marks.iter().any(|mark| mark.position.0 == late && mark.kind == AnomalyKind::HistoryClosed));
}

#[test]
fn what_needs_events_that_are_forgotten_says_so() {
    let mut centre = Centre::new();
    centre.sign_in("ann", "9");
    centre.talk("ann", "c1", "sales", "9:10", "9:20");
    centre.end("c1", "9:20");
    centre.record(StreamKind::Definition, "history", t("30"), Event::HistoryClosed { before: t("24") });
    let asked = Query { as_of: t("9:15"), ..query("north", DAY, t("24"), &[], t("40")) };
    let closed_before = t("24");
    assert_eq!(centre.kpi.query(&asked), Err(QueryError::Closed { as_of: t("9:15"), closed_before }));
    let explain = ExplainQuery {
        query: Query { as_of: t("40"), attribution: Attribution::Event, ..asked },
        cell: Vec::new(),
        column: "handled".to_owned(),
        skip: 0,
        limit: 10,
    };
    let told = centre.kpi.explain(&explain).unwrap_err();
    assert_eq!(told, QueryError::EventsGone { from: DAY, closed_before });
    assert_eq!(
        told.to_string(),
        "history before 2026-03-03T00:00:00Z is closed: its figures stand, but what is behind those from \
         2026-03-02T00:00:00Z on is gone; explain a range from then on"
    );
}

#[test]
fn bytes_that_are_no_archive_are_refused() {
    let mut centre = Centre::new();
    centre.sign_in("ann", "9");
    centre.switch("ann", "9:10", "c1", "sales", ended());
    let bytes = centre.kpi.archived();
    assert_eq!(Kpi::restored(&bytes).unwrap().archived(), bytes);
    assert!(Kpi::restored(&bytes[..bytes.len() - 1]).is_err());
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            // Anything but a panic: its keeper's checksum tells what was flipped.
            let _ = Kpi::restored(&flipped);
        }
    }
}

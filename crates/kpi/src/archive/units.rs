//! Agents, contacts, customer lines and tickets.

use bytes::Bytes;
use pegcount_domain::time::Micros;
use pegcount_proto::stored;
use smallvec::SmallVec;

use super::{
    ArchiveError, Counts, Places,
    days::{archived_days, archived_months, ledger_of},
    facts::{
        agent_fact, agent_fact_of, contact_fact, contact_fact_of, dims, dims_of, part, ticket_fact,
        ticket_fact_of,
    },
    key_bytes, key_of, place, places,
};
use crate::{
    agent::{
        chapter::Chapter,
        clock::{Carried, Clock, Reason, Session, Standing},
        unit::AgentUnit,
    },
    cells::Detail,
    contact::{ContactUnit, LegEntry, LegOutcome, Settled},
    fact::{AgentFact, Mark, Slot},
    line::{Item, Line, WrapUp},
    site::{
        Site, Units,
        resting::{Resting, Rests},
    },
    ticket::{TicketUnit, class::Class},
};

type Read<T> = Result<T, ArchiveError>;

pub(super) fn archive(site: &Site, at: &Places, figures: &mut stored::SiteFigures) {
    figures.agents = archived(&site.agents, |unit, key| agent(unit, key, at));
    figures.contacts = archived_resting(&site.contacts, |unit, key| contact(unit, key, at));
    figures.lines = archived_resting(&site.lines, |unit, key| line(unit, key, at));
    figures.tickets = archived_resting(&site.tickets, |unit, key| ticket(unit, key, at));
    figures.classes = site.classes.all().iter().map(class).collect();
}

/// Units in the order of their places; of one without a key it is empty.
fn archived<T, M>(units: &Units<T>, message: impl Fn(&T, Bytes) -> M) -> Vec<M> {
    let keys = units.keys();
    let key = |slot| keys.get(&slot).copied().map(key_bytes).unwrap_or_default();
    units.iter().map(|(slot, unit)| message(unit, key(slot))).collect()
}

fn archived_resting<T: Rests, M>(units: &Resting<T>, message: impl Fn(&T, Bytes) -> M) -> Vec<M> {
    let key = |slot| units.key(slot).map(key_bytes).unwrap_or_default();
    units.iter().map(|(slot, unit)| message(&unit, key(slot))).collect()
}

pub(super) fn restore(site: &mut Site, figures: &stored::SiteFigures, counts: Counts) -> Read<()> {
    for unit in &figures.agents {
        let key = if unit.key.is_empty() { None } else { Some(key_of(&unit.key)?) };
        site.agents.put_back(key, agent_of(unit, counts)?);
    }
    for unit in &figures.contacts {
        let mut contact = contact_of(unit, counts)?;
        if contact.settled.is_none() {
            contact.list_open(site.contacts.next(), &mut site.open);
        }
        site.contacts.put_back(key_of(&unit.key)?, contact);
    }
    for unit in &figures.lines {
        site.lines.put_back(key_of(&unit.key)?, line_of(unit, counts)?);
    }
    for unit in &figures.tickets {
        site.tickets.put_back(key_of(&unit.key)?, ticket_of(unit, counts)?);
    }
    Ok(())
}

fn agent(unit: &AgentUnit, key: Bytes, at: &Places) -> stored::AgentUnit {
    let chapter = |start: &Carried, facts: &[AgentFact]| stored::AgentChapter {
        start: Some(carried(start)),
        facts: facts.iter().map(|fact| agent_fact(fact, at)).collect(),
    };
    stored::AgentUnit {
        key,
        number: unit.id.0,
        mark: unit.mark.0,
        chapters: unit
            .chapters
            .iter()
            .map(Chapter::open)
            .map(|closed| chapter(&closed.start, &closed.facts))
            .collect(),
        present: Some(chapter(&unit.start, &unit.facts)),
        folded: u32::try_from(unit.folded).unwrap_or(u32::MAX),
        carried: Some(carried(&unit.carried)),
        days: archived_days(&unit.ledger),
        months: archived_months(&unit.ledger),
    }
}

fn agent_of(unit: &stored::AgentUnit, counts: Counts) -> Read<AgentUnit> {
    let mut out = if unit.key.is_empty() {
        AgentUnit::nobody()
    } else {
        AgentUnit::new(counts.name(unit.number)?, Mark(unit.mark))
    };
    let facts = |chapter: &stored::AgentChapter| {
        chapter.facts.iter().map(|fact| agent_fact_of(fact, counts)).collect::<Read<Vec<_>>>()
    };
    for chapter in &unit.chapters {
        let start = carried_of(chapter.start.as_ref(), counts)?;
        out.chapters.push(Chapter::close(&start, &facts(chapter)?));
    }
    let present = part(unit.present.as_ref())?;
    let folded = usize::try_from(unit.folded).unwrap_or(usize::MAX);
    let state = (carried_of(present.start.as_ref(), counts)?, carried_of(unit.carried.as_ref(), counts)?);
    if !out.go_on_from(state, facts(present)?, folded) {
        return Err(ArchiveError::Wrong("more facts of an agent stand in the cells than there are"));
    }
    out.ledger = ledger_of(unit, counts)?;
    Ok(out)
}

fn carried(carried: &Carried) -> stored::Carried {
    let (session, lost_until) = match carried.session {
        Session::Out => (0, 0),
        Session::In => (1, 0),
        Session::Lost { until } => (2, until.0),
    };
    let (ready, reason) = match carried.standing {
        Standing::Ready => (true, 0),
        Standing::Away(reason) => (false, reason.detail().0),
    };
    let clock = match carried.clock {
        Clock::Off => 0,
        Clock::Unsigned => 1,
        Clock::Occupied => 2,
        Clock::Lost => 3,
        Clock::Ringing => 4,
        Clock::Dialing => 5,
        Clock::Away(_) => 6,
        Clock::Ready => 7,
    };
    let clock_reason = carried.clock.detail().0;
    let clock_since = carried.clock_since.0;
    stored::Carried { session, lost_until, ready, reason, clock, clock_reason, clock_since }
}

fn carried_of(carried: Option<&stored::Carried>, counts: Counts) -> Read<Carried> {
    let carried = part(carried)?;
    let unknown = ArchiveError::Wrong("a code is unknown");
    let reason = |detail: u32| match Reason::of_machine(Detail(detail)) {
        Some(reason) => Ok(reason),
        None => counts.name(detail).map(Reason::Code),
    };
    Ok(Carried {
        session: match carried.session {
            0 => Session::Out,
            1 => Session::In,
            2 => Session::Lost { until: Micros(carried.lost_until) },
            _ => return Err(unknown),
        },
        standing: if carried.ready { Standing::Ready } else { Standing::Away(reason(carried.reason)?) },
        clock: match carried.clock {
            0 => Clock::Off,
            1 => Clock::Unsigned,
            2 => Clock::Occupied,
            3 => Clock::Lost,
            4 => Clock::Ringing,
            5 => Clock::Dialing,
            6 => Clock::Away(reason(carried.clock_reason)?),
            7 => Clock::Ready,
            _ => return Err(unknown),
        },
        clock_since: Micros(carried.clock_since),
    })
}

fn contact(unit: &ContactUnit, key: Bytes, at: &Places) -> stored::ContactUnit {
    stored::ContactUnit {
        key,
        mark: unit.mark.0,
        facts: unit.facts.iter().map(|fact| contact_fact(fact, at)).collect(),
        legs: unit.legs.iter().map(|entry| leg(entry, at)).collect(),
        followed_in: places(&at.lines, &unit.followed_in),
        tickets: places(&at.tickets, &unit.tickets),
        nobody: unit.nobody.map(|slot| place(&at.agents, slot)),
        settled: unit.settled.is_some(),
        line: unit.settled.and_then(|settled| settled.line).map(|slot| place(&at.lines, slot)),
        last_effect: unit.settled.map_or(0, |settled| settled.last_effect.0),
    }
}

fn contact_of(unit: &stored::ContactUnit, counts: Counts) -> Read<ContactUnit> {
    let settled = Settled {
        line: unit.line.map(|place| counts.line(place)).transpose()?,
        last_effect: Micros(unit.last_effect),
    };
    Ok(ContactUnit {
        mark: Mark(unit.mark),
        facts: unit.facts.iter().map(|fact| contact_fact_of(fact, counts)).collect::<Read<_>>()?,
        legs: unit.legs.iter().map(|entry| leg_of(entry, counts)).collect::<Read<_>>()?,
        followed_in: unit.followed_in.iter().map(|place| counts.line(*place)).collect::<Read<_>>()?,
        tickets: unit.tickets.iter().map(|place| counts.ticket(*place)).collect::<Read<_>>()?,
        nobody: unit.nobody.map(|place| counts.agent(place)).transpose()?,
        settled: unit.settled.then_some(settled),
        is_listed: false,
    })
}

fn leg(entry: &LegEntry, at: &Places) -> stored::LegEntry {
    let outcome = &entry.outcome;
    stored::LegEntry {
        leg: entry.leg.0,
        agent: place(&at.agents, entry.agent),
        who: entry.who.0,
        first_at: entry.first_at.0,
        settled: entry.settled,
        outcome: Some(stored::LegOutcome {
            visit: outcome.visit.0,
            queue: outcome.queue.0,
            agent: outcome.agent.0,
            team: outcome.team.0,
            channel: outcome.channel.into(),
            rang: outcome.rang.0,
            answered_at: micros(outcome.answered_at),
            completed_at: micros(outcome.completed_at),
            handle: outcome.handle.0,
            handled_until: micros(outcome.handled_until),
            transferred_to_queue: outcome.transferred_to_queue,
        }),
    }
}

fn leg_of(entry: &stored::LegEntry, counts: Counts) -> Read<LegEntry> {
    let outcome = part(entry.outcome.as_ref())?;
    let outcome = LegOutcome {
        visit: Mark(outcome.visit),
        queue: counts.name(outcome.queue)?,
        agent: counts.name(outcome.agent)?,
        team: counts.name(outcome.team)?,
        channel: u8::try_from(outcome.channel).map_err(|_| ArchiveError::Wrong("a code is unknown"))?,
        rang: Micros(outcome.rang),
        answered_at: outcome.answered_at.map(Micros),
        completed_at: outcome.completed_at.map(Micros),
        handle: Micros(outcome.handle),
        handled_until: outcome.handled_until.map(Micros),
        transferred_to_queue: outcome.transferred_to_queue,
    };
    let agent = counts.agent(entry.agent)?;
    let entered = LegEntry::new(Mark(entry.leg), agent, Mark(entry.who), Micros(entry.first_at));
    Ok(LegEntry { settled: entry.settled, outcome, ..entered })
}

fn line(unit: &Line, key: Bytes, at: &Places) -> stored::LineUnit {
    let item = |(contact, item): &(Slot, Item)| stored::LineItem {
        contact: place(&at.contacts, *contact),
        mark: item.mark.0,
        started: item.started.0,
        ended_at: micros(item.ended_at),
        answered_at: micros(item.answered_at),
        completed_at: micros(item.completed_at),
        at_entry: Some(dims(&item.at_entry)),
        credited: Some(dims(&item.credited)),
        asked_for_queue: item.asked_for_queue,
        from_customer: item.from_customer,
        journey: item.journey.map(|slot| place(&at.contacts, slot)),
        callback: item.callback,
        topic: item.topic.0,
        wrapped_at: item.wrap_up.map(|wrap_up| wrap_up.at.0),
        resolved: item.wrap_up.is_some_and(|wrap_up| wrap_up.resolved),
        transferred: item.transferred,
    };
    stored::LineUnit {
        key,
        items: unit.items.iter().map(item).collect(),
        tickets: places(&at.tickets, &unit.tickets),
    }
}

fn line_of(unit: &stored::LineUnit, counts: Counts) -> Read<Line> {
    let item = |item: &stored::LineItem| -> Read<(Slot, Item)> {
        let wrap_up = |at| WrapUp { at: Micros(at), resolved: item.resolved };
        let found = Item {
            mark: Mark(item.mark),
            started: Micros(item.started),
            ended_at: item.ended_at.map(Micros),
            answered_at: item.answered_at.map(Micros),
            completed_at: item.completed_at.map(Micros),
            at_entry: dims_of(part(item.at_entry.as_ref())?, counts)?,
            credited: dims_of(part(item.credited.as_ref())?, counts)?,
            asked_for_queue: item.asked_for_queue,
            from_customer: item.from_customer,
            journey: item.journey.map(|place| counts.contact(place)).transpose()?,
            callback: item.callback,
            topic: Mark(item.topic),
            wrap_up: item.wrapped_at.map(wrap_up),
            transferred: item.transferred,
        };
        Ok((counts.contact(item.contact)?, found))
    };
    let tickets: Read<SmallVec<[Slot; 1]>> = unit.tickets.iter().map(|place| counts.ticket(*place)).collect();
    Ok(Line { items: unit.items.iter().map(item).collect::<Read<_>>()?, tickets: tickets? })
}

fn ticket(unit: &TicketUnit, key: Bytes, at: &Places) -> stored::TicketUnit {
    stored::TicketUnit {
        key,
        facts: unit.facts.iter().map(|fact| ticket_fact(fact, at)).collect(),
        line: unit.line.map(|slot| place(&at.lines, slot)),
    }
}

fn ticket_of(unit: &stored::TicketUnit, counts: Counts) -> Read<TicketUnit> {
    Ok(TicketUnit {
        facts: unit.facts.iter().map(|fact| ticket_fact_of(fact, counts)).collect::<Read<_>>()?,
        line: unit.line.map(|place| counts.line(place)).transpose()?,
        ..TicketUnit::default()
    })
}

fn class(class: &Class) -> stored::TicketClass {
    let Class { kind, category, tier, region, channel } = class;
    stored::TicketClass {
        kind: kind.0,
        category: category.0,
        tier: tier.0,
        region: region.0,
        channel: channel.0,
    }
}

pub(super) fn class_of(class: &stored::TicketClass, counts: Counts) -> Read<Class> {
    Ok(Class {
        kind: counts.name(class.kind)?,
        category: counts.name(class.category)?,
        tier: counts.name(class.tier)?,
        region: counts.name(class.region)?,
        channel: counts.name(class.channel)?,
    })
}

fn micros(at: Option<Micros>) -> Option<i64> {
    at.map(|at| at.0)
}

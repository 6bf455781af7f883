//! A customer's line as bytes: some 60 of a contact instead of 190.
//!
//! Invariant: what is read is what was written.

use pegcount_domain::time::Micros;

use crate::{
    cells::Dims,
    fact::{Mark, Slot},
    line::{Item, Line, WrapUp},
    names::Id,
    packed::bytes::{Reader, Writer},
};

// What of a contact there is.
const ENDED: u64 = 1;
const ANSWERED: u64 = 2;
const COMPLETED: u64 = 4;
const ASKED_FOR_QUEUE: u64 = 8;
const FROM_CUSTOMER: u64 = 16;
const JOURNEY: u64 = 32;
const CALLBACK: u64 = 64;
const WRAPPED_UP: u64 = 128;
const RESOLVED: u64 = 256;
const TRANSFERRED: u64 = 512;
const TOPIC: u64 = 1_024;

pub(crate) fn write(line: &Line, out: &mut Writer) {
    let Line { items, tickets } = line;
    out.number(u64::try_from(items.len()).unwrap_or(u64::MAX));
    let mut last = Micros::ZERO;
    for (slot, item) in items {
        out.number(slot.0.into());
        write_item(item, last, out);
        last = item.started;
    }
    out.number(u64::try_from(tickets.len()).unwrap_or(u64::MAX));
    tickets.iter().for_each(|slot| out.number(slot.0.into()));
}

pub(crate) fn read(bytes: &[u8]) -> Line {
    let mut from = Reader::new(bytes);
    let mut last = Micros::ZERO;
    let items = (0..from.small()).map(|_| {
        let slot = Slot(from.small());
        let item = read_item(last, &mut from);
        last = item.started;
        (slot, item)
    });
    let items = items.collect();
    let tickets = (0..from.small()).map(|_| Slot(from.small())).collect();
    debug_assert!(from.is_done());
    Line { items, tickets }
}

fn write_item(item: &Item, last: Micros, out: &mut Writer) {
    let Item {
        mark,
        started,
        ended_at,
        answered_at,
        completed_at,
        at_entry,
        credited,
        asked_for_queue,
        from_customer,
        journey,
        callback,
        topic,
        wrap_up,
        transferred,
    } = item;
    let says = |is: bool, flag: u64| if is { flag } else { 0 };
    out.number(
        says(ended_at.is_some(), ENDED)
            | says(answered_at.is_some(), ANSWERED)
            | says(completed_at.is_some(), COMPLETED)
            | says(*asked_for_queue, ASKED_FOR_QUEUE)
            | says(*from_customer, FROM_CUSTOMER)
            | says(journey.is_some(), JOURNEY)
            | says(*callback, CALLBACK)
            | says(wrap_up.is_some(), WRAPPED_UP)
            | says(wrap_up.is_some_and(|wrap_up| wrap_up.resolved), RESOLVED)
            | says(*transferred, TRANSFERRED)
            | says(*topic != Mark::NONE, TOPIC),
    );
    out.random(mark.0);
    out.near_at(*started, last);
    let wrapped_at = wrap_up.map(|wrap_up| wrap_up.at);
    for at in [*ended_at, *answered_at, *completed_at, wrapped_at].into_iter().flatten() {
        out.near_at(at, *started);
    }
    write_dims(at_entry, out);
    write_dims(credited, out);
    if let Some(journey) = journey {
        out.number(journey.0.into());
    }
    if *topic != Mark::NONE {
        out.random(topic.0);
    }
}

fn read_item(last: Micros, from: &mut Reader<'_>) -> Item {
    let flags = from.number();
    let has = |flag: u64| flags & flag != 0;
    let mark = Mark(from.random());
    let started = from.near_at(last);
    let [ended_at, answered_at, completed_at, wrapped_at] =
        [ENDED, ANSWERED, COMPLETED, WRAPPED_UP].map(|flag| has(flag).then(|| from.near_at(started)));
    let (at_entry, credited) = (read_dims(from), read_dims(from));
    Item {
        mark,
        started,
        ended_at,
        answered_at,
        completed_at,
        at_entry,
        credited,
        asked_for_queue: has(ASKED_FOR_QUEUE),
        from_customer: has(FROM_CUSTOMER),
        journey: has(JOURNEY).then(|| Slot(from.small())),
        callback: has(CALLBACK),
        topic: if has(TOPIC) { Mark(from.random()) } else { Mark::NONE },
        wrap_up: wrapped_at.map(|at| WrapUp { at, resolved: has(RESOLVED) }),
        transferred: has(TRANSFERRED),
    }
}

// A bit for each dimension that is not none.
const FIELDS: usize = 9;

/// Writes dimensions: a number that says which there are, and those.
#[inline]
pub(crate) fn write_dims(dims: &Dims, out: &mut Writer) {
    let fields = fields(dims);
    let there = (0..).zip(&fields).filter(|(_, field)| **field != 0).fold(0, |all, (bit, _)| all | 1 << bit);
    out.number(there);
    fields.iter().filter(|field| **field != 0).for_each(|field| out.number((*field).into()));
}

fn fields(dims: &Dims) -> [u32; FIELDS] {
    let Dims { agent, team, queue, entry, channel, direction, priority, version, detail } = *dims;
    // The most frequent ones first: then they take one byte.
    [
        agent.0,
        team.0,
        queue.0,
        channel.into(),
        direction.into(),
        version.into(),
        entry.0,
        priority.into(),
        detail.0,
    ]
}

/// Reads dimensions.
#[inline]
pub(crate) fn read_dims(from: &mut Reader<'_>) -> Dims {
    let there = from.number();
    let mut fields = [0; FIELDS];
    for (bit, field) in (0..).zip(&mut fields) {
        if there >> bit & 1 == 1 {
            *field = from.small();
        }
    }
    let [agent, team, queue, channel, direction, version, entry, priority, detail] = fields;
    let code = |code: u32| u8::try_from(code).unwrap_or_default();
    Dims {
        agent: Id(agent),
        team: Id(team),
        queue: Id(queue),
        entry: Id(entry),
        channel: code(channel),
        direction: code(direction),
        priority: code(priority),
        version: code(version),
        detail: crate::cells::Detail(detail),
    }
}

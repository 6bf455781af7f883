//! A contact as bytes: some 130 of a call instead of 590.
//!
//! Invariant: what is read is what was written.

use pegcount_domain::time::Micros;
use smallvec::SmallVec;

use crate::{
    contact::{ContactBody, ContactFact, ContactUnit, LegEntry, LegOutcome, Settled},
    fact::{Mark, Slot},
    names::Id,
    packed::{
        bytes::{Reader, Writer},
        stamps::Stamps,
    },
};

// What of a leg's outcome there is.
const ANSWERED: u8 = 1;
const COMPLETED: u8 = 2;
const HANDLED: u8 = 4;
const TRANSFERRED: u8 = 8;
const SETTLED: u8 = 16;
const VISIT: u8 = 32;
/// All of the outcome is nothing.
const NOTHING: u8 = 64;

pub(crate) fn write(unit: &ContactUnit, out: &mut Writer) {
    let ContactUnit { mark, facts, legs, followed_in, tickets, nobody, settled, is_listed } = unit;
    let begin = unit.first_at().unwrap_or_default();
    out.random(mark.0);
    out.near_at(begin, Micros::ZERO);
    let mut stamps = Stamps::from(begin);
    length(facts.len(), out);
    for fact in facts {
        stamps.write(&fact.stamp, out);
        out.other(&fact.body);
    }
    length(legs.len(), out);
    for entry in legs {
        leg(entry, begin, out);
    }
    for list in [followed_in, tickets] {
        length(list.len(), out);
        list.iter().for_each(|slot| out.number(slot.0.into()));
    }
    out.other(&(*nobody, settled.map(|settled| settled.line), *is_listed));
    out.near_at(settled.map_or(begin, |settled| settled.last_effect), begin);
}

pub(crate) fn read(bytes: &[u8]) -> ContactUnit {
    let mut from = Reader::new(bytes);
    let mark = Mark(from.random());
    let begin = from.near_at(Micros::ZERO);
    let mut stamps = Stamps::from(begin);
    let count = from.small();
    let mut facts = Vec::with_capacity(usize::try_from(count).unwrap_or_default());
    for _ in 0..count {
        let stamp = stamps.read(&mut from);
        facts.extend(from.other::<ContactBody>().map(|body| ContactFact { stamp, body }));
    }
    let legs = (0..from.small()).map(|_| leg_of(begin, &mut from)).collect();
    let [followed_in, tickets] =
        [(); 2].map(|()| (0..from.small()).map(|_| Slot(from.small())).collect::<SmallVec<[Slot; 1]>>());
    let (nobody, line, is_listed): (_, Option<Option<Slot>>, _) = from.other().unwrap_or_default();
    let last_effect = from.near_at(begin);
    debug_assert!(from.is_done());
    let settled = line.map(|line| Settled { line, last_effect });
    ContactUnit { mark, facts, legs, followed_in, tickets, nobody, settled, is_listed }
}

fn length(length: usize, out: &mut Writer) {
    out.number(u64::try_from(length).unwrap_or(u64::MAX));
}

fn leg(entry: &LegEntry, begin: Micros, out: &mut Writer) {
    let LegEntry { leg, agent, who, first_at, settled, outcome } = entry;
    let is_nothing = *outcome == LegOutcome::default();
    let says = |is: bool, flag: u8| if is { flag } else { 0 };
    out.byte(
        says(outcome.answered_at.is_some(), ANSWERED)
            | says(outcome.completed_at.is_some(), COMPLETED)
            | says(outcome.handled_until.is_some(), HANDLED)
            | says(outcome.transferred_to_queue, TRANSFERRED)
            | says(*settled, SETTLED)
            | says(outcome.visit != Mark::NONE, VISIT)
            | says(is_nothing, NOTHING),
    );
    out.random(leg.0);
    out.number(agent.0.into());
    out.random(who.0);
    out.near_at(*first_at, begin);
    if is_nothing {
        return;
    }
    if outcome.visit != Mark::NONE {
        out.random(outcome.visit.0);
    }
    for id in [outcome.queue, outcome.agent, outcome.team] {
        out.number(id.0.into());
    }
    out.byte(outcome.channel);
    out.near_at(outcome.rang, Micros::ZERO);
    out.near_at(outcome.handle, Micros::ZERO);
    let mut last = *first_at;
    for at in [outcome.answered_at, outcome.completed_at, outcome.handled_until].into_iter().flatten() {
        out.near_at(at, last);
        last = at;
    }
}

fn leg_of(begin: Micros, from: &mut Reader<'_>) -> LegEntry {
    let flags = from.byte();
    let leg = Mark(from.random());
    let agent = Slot(from.small());
    let who = Mark(from.random());
    let first_at = from.near_at(begin);
    let settled = flags & SETTLED != 0;
    if flags & NOTHING != 0 {
        return LegEntry { leg, agent, who, first_at, settled, outcome: LegOutcome::default() };
    }
    let visit = if flags & VISIT != 0 { Mark(from.random()) } else { Mark::NONE };
    let [queue, by, team] = [(); 3].map(|()| Id(from.small()));
    let channel = from.byte();
    let (rang, handle) = (from.near_at(Micros::ZERO), from.near_at(Micros::ZERO));
    let mut last = first_at;
    let [answered_at, completed_at, handled_until] = [ANSWERED, COMPLETED, HANDLED].map(|flag| {
        (flags & flag != 0).then(|| {
            last = from.near_at(last);
            last
        })
    });
    let transferred_to_queue = flags & TRANSFERRED != 0;
    let outcome = LegOutcome {
        visit,
        queue,
        agent: by,
        team,
        channel,
        rang,
        answered_at,
        completed_at,
        handle,
        handled_until,
        transferred_to_queue,
    };
    LegEntry { leg, agent, who, first_at, settled, outcome }
}

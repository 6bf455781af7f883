//! An agent's closed chapter as bytes: some 20 a fact instead of 80.
//!
//! A leg's facts mostly say the same of it, so each says only what differs from the leg's fact before. Invariant: what is
//! read is what was written.

use pegcount_domain::event::{Channel, Direction};
use smallvec::SmallVec;

use crate::{
    agent::clock::Carried,
    fact::{AgentBody, AgentFact, LegFact, Mark, Slot, Step},
    names::Id,
    packed::{
        bytes::{Reader, Writer},
        stamps::Stamps,
    },
};

// What a leg's fact says otherwise than the one before it of the same leg.
const VISIT: u8 = 1;
const CONTACT: u8 = 2;
const QUEUE: u8 = 4;
const CHANNEL: u8 = 8;
const DIRECTION: u8 = 16;
const NAMES_AGENT: u8 = 32;
/// No leg's fact.
const OTHER: u8 = 64;

/// A leg, as its last fact told of it.
#[derive(Clone, Copy)]
struct Known {
    leg: Mark,
    visit: Mark,
    contact: Slot,
    queue: Id,
    channel: Option<Channel>,
    direction: Option<Direction>,
}

#[derive(Default)]
struct Legs(SmallVec<[Known; 8]>);

impl Legs {
    /// The place of a leg, which may be new.
    fn place(&mut self, leg: Mark) -> (usize, bool) {
        if let Some(place) = self.0.iter().rposition(|known| known.leg == leg) {
            return (place, false);
        }
        self.add(leg);
        (self.0.len() - 1, true)
    }

    fn add(&mut self, leg: Mark) {
        let (visit, contact, queue, channel, direction) = (Mark::NONE, Slot(0), Id::NONE, None, None);
        self.0.push(Known { leg, visit, contact, queue, channel, direction });
    }
}

/// Writes how a chapter began, and its facts.
pub(crate) fn write(start: &Carried, facts: &[AgentFact], out: &mut Writer) {
    out.other(start);
    let (mut stamps, mut legs) = (Stamps::from(start.clock_since), Legs::default());
    for fact in facts {
        stamps.write(&fact.stamp, out);
        match &fact.body {
            AgentBody::Leg(leg) => legs.write(leg, out),
            body => {
                out.byte(OTHER);
                out.other(body);
            }
        }
    }
}

/// Reads how the chapter began, and so many facts.
pub(crate) fn read(bytes: &[u8], count: usize) -> (Carried, Vec<AgentFact>) {
    let mut from = Reader::new(bytes);
    let start: Carried = from.other().unwrap_or_default();
    let (mut stamps, mut legs) = (Stamps::from(start.clock_since), Legs::default());
    let mut facts = Vec::with_capacity(count);
    for _ in 0..count {
        let stamp = stamps.read(&mut from);
        let flags = from.byte();
        let body = if flags == OTHER { from.other() } else { legs.read(flags, &mut from) };
        facts.extend(body.map(|body| AgentFact { stamp, body }));
    }
    debug_assert!(from.is_done());
    (start, facts)
}

impl Legs {
    fn write(&mut self, leg: &LegFact, out: &mut Writer) {
        let (place, is_new) = self.place(leg.leg);
        let Some(known) = self.0.get_mut(place) else { return };
        let says = |differs: bool, flag: u8| if differs { flag } else { 0 };
        let flags = says(leg.visit != known.visit, VISIT)
            | says(leg.contact != known.contact, CONTACT)
            | says(leg.queue != known.queue, QUEUE)
            | says(leg.channel != known.channel, CHANNEL)
            | says(leg.direction != known.direction, DIRECTION)
            | says(leg.names_agent, NAMES_AGENT);
        out.byte(flags);
        out.number(u64::try_from(place).unwrap_or(u64::MAX));
        if is_new {
            out.random(leg.leg.0);
        }
        if flags & VISIT != 0 {
            out.random(leg.visit.0);
        }
        if flags & CONTACT != 0 {
            out.number(leg.contact.0.into());
        }
        if flags & QUEUE != 0 {
            out.number(leg.queue.0.into());
        }
        if flags & CHANNEL != 0 {
            out.other(&leg.channel);
        }
        if flags & DIRECTION != 0 {
            out.other(&leg.direction);
        }
        out.other(&leg.step);
        let LegFact { visit, contact, queue, channel, direction, .. } = *leg;
        *known = Known { leg: leg.leg, visit, contact, queue, channel, direction };
    }

    fn read(&mut self, flags: u8, from: &mut Reader<'_>) -> Option<AgentBody> {
        let place = usize::try_from(from.number()).ok()?;
        if place >= self.0.len() {
            self.add(Mark(from.random()));
        }
        let known = self.0.get_mut(place)?;
        if flags & VISIT != 0 {
            known.visit = Mark(from.random());
        }
        if flags & CONTACT != 0 {
            known.contact = Slot(from.small());
        }
        if flags & QUEUE != 0 {
            known.queue = Id(from.small());
        }
        if flags & CHANNEL != 0 {
            known.channel = from.other()?;
        }
        if flags & DIRECTION != 0 {
            known.direction = from.other()?;
        }
        let step: Step = from.other()?;
        let Known { leg, visit, contact, queue, channel, direction } = *known;
        let names_agent = flags & NAMES_AGENT != 0;
        Some(AgentBody::Leg(LegFact { leg, visit, contact, queue, channel, direction, names_agent, step }))
    }
}

//! A ticket as bytes.
//!
//! How far it has come is not kept: that is made of its facts. Invariant: what is read is what was written.

use pegcount_domain::time::Micros;

use crate::{
    packed::{
        bytes::{Reader, Writer},
        stamps::Stamps,
    },
    ticket::{TicketFact, TicketUnit},
};

pub(crate) fn write(unit: &TicketUnit, out: &mut Writer) {
    let TicketUnit { facts, line, reach, course: _ } = unit;
    let begin = facts.first().map_or(Micros::ZERO, |fact| fact.stamp.at);
    out.near_at(begin, Micros::ZERO);
    out.near_at(*reach, begin);
    out.other(line);
    out.number(u64::try_from(facts.len()).unwrap_or(u64::MAX));
    let mut stamps = Stamps::from(begin);
    for TicketFact { stamp, event, said } in facts {
        stamps.write(stamp, out);
        out.other(event);
        out.other(said);
    }
}

pub(crate) fn read(bytes: &[u8]) -> TicketUnit {
    let mut from = Reader::new(bytes);
    let begin = from.near_at(Micros::ZERO);
    let reach = from.near_at(begin);
    let line = from.other().unwrap_or_default();
    let count = from.small();
    let mut facts = Vec::with_capacity(usize::try_from(count).unwrap_or_default());
    let mut stamps = Stamps::from(begin);
    for _ in 0..count {
        let stamp = stamps.read(&mut from);
        let event = from.other();
        let said = from.other().unwrap_or_default();
        facts.extend(event.map(|event| TicketFact { stamp, event, said }));
    }
    debug_assert!(from.is_done());
    TicketUnit { facts, line, reach, course: None }
}

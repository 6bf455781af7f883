//! Slots beyond the first: how long an agent had them, and how long they were taken (KPIS.md §4, occupancy of several
//! channels).
//!
//! An agent has as many slots as chats at once are allowed. A chat, e-mail or message takes one, as long as it occupies the
//! agent; a call takes all of them, since nothing else can be taken beside it. The first slot's time is the agent clock's; here
//! only the others are counted, so an agent with one slot costs nothing. Invariant: at no instant are more slots taken than
//! there are.

use pegcount_domain::{agent::Phase, event::Channel, time::Micros};

use crate::{
    agent::{
        clock::Clock,
        emit::{Output, Whose},
        fold::Walk,
        leg::Leg,
    },
    cells::{Dims, Part},
    day::What,
    measure::Measure,
};

/// What takes an agent's slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Load {
    #[default]
    Nothing,
    /// So many chats and the like.
    Some(u32),
    /// A call.
    All,
}

impl Load {
    /// How many slots beyond the first it takes, of so many.
    fn extra(self, slots: u32) -> u32 {
        match self {
            Self::Nothing => 0,
            Self::Some(taken) => taken.min(slots).saturating_sub(1),
            Self::All => slots.saturating_sub(1),
        }
    }
}

/// The load of a signed-in agent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Loaded {
    load: Load,
    since: Micros,
}

impl Walk<'_> {
    /// Brings the load in line with the legs, and emits the span that this closes.
    pub(super) fn tick_slots(&mut self, at: Micros) {
        let load = self.load();
        if load != self.loaded.load {
            self.emit_load(at);
            self.loaded = Loaded { load, since: at };
        }
    }

    fn load(&self) -> Load {
        if self.carried.clock != Clock::Occupied {
            return Load::Nothing;
        }
        let taking = self.legs.iter().filter(|leg| leg.phase.is_some_and(Phase::occupies));
        taking.fold(Load::Nothing, |load, leg: &Leg| match (load, leg.channel()) {
            (_, None | Some(Channel::Voice)) | (Load::All, _) => Load::All,
            (Load::Some(taken), _) => Load::Some(taken + 1),
            (Load::Nothing, _) => Load::Some(1),
        })
    }

    /// Counts the slots that have been taken since the load last changed.
    pub(super) fn emit_load(&mut self, at: Micros) {
        let Loaded { load, since } = self.loaded;
        if load != Load::Nothing && self.whose.has_clock {
            self.out.contributions.source(Part::Between, since, at);
            let extra = |slots| load.extra(slots);
            emit(self.out, self.whose, self.own(), Measure::ExtraSlotsBusyTime, (since, at), extra);
        }
    }
}

impl Walk<'_> {
    /// Says what of the slots goes on at an instant, and until when.
    pub(super) fn slots_go_on(&mut self, at: Micros) {
        let whose = self.whose;
        let after = whose.slots.partition_point(|(since, _)| *since <= at);
        let slots =
            after.checked_sub(1).and_then(|index| whose.slots.get(index)).map_or(1, |(_, slots)| *slots);
        let had = if self.carried.clock.what() == What::Available { slots.saturating_sub(1) } else { 0 };
        let (dims, taken) = (self.own(), self.loaded.load.extra(slots));
        for (measure, count) in [(Measure::ExtraSlotsTime, had), (Measure::ExtraSlotsBusyTime, taken)] {
            (0..count).for_each(|_| self.out.goes_on(whose, dims, measure, at));
        }
        if let (Some((change, _)), Some(going_on)) = (whose.slots.get(after), &mut self.out.going_on) {
            going_on.ends(*change);
        }
    }
}

/// Counts the slots beyond the first that an available agent had.
pub(super) fn emit_slots(out: &mut Output, whose: &Whose<'_>, dims: Dims, since: Micros, at: Micros) {
    emit(out, whose, dims, Measure::ExtraSlotsTime, (since, at), |slots| slots.saturating_sub(1));
}

/// A span as often as `extra` says of the slots that there were, cut where their number changes.
fn emit(
    out: &mut Output,
    whose: &Whose<'_>,
    dims: Dims,
    measure: Measure,
    (from, to): (Micros, Micros),
    extra: impl Fn(u32) -> u32,
) {
    let after = whose.slots.partition_point(|(since, _)| *since <= from);
    let first = after.checked_sub(1).and_then(|index| whose.slots.get(index)).map_or(1, |(_, slots)| *slots);
    let (mut start, mut slots) = (from, first);
    let changes = whose.slots.iter().skip(after).take_while(|(since, _)| *since < to);
    for (until, next) in changes.copied().chain([(to, 1)]) {
        for _ in 0..extra(slots) {
            out.span(whose, dims, &[measure], start, until);
        }
        (start, slots) = (until, next);
    }
}

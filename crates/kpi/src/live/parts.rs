//! What one open unit adds to the books at an instant, kept so that it can be taken away again.
//!
//! Invariant: a part gives the same amounts whenever it is asked, as lines over time, until its unit changes or its
//! `until` comes.

use pegcount_domain::time::{Interval, Micros, Span};
use smallvec::SmallVec;

use crate::{
    agent::{
        emit::{Output as AgentOutput, Told},
        standing::{Standing, State},
        unit::AgentUnit,
    },
    cells::{Attribution, Contribution, Dims},
    contact::{
        ContactUnit, LegEntry, LegOutcome,
        fold::{Crossing, Output as ContactOutput, fold},
    },
    fact::Slot,
    line::{self, Item},
    live::deltas::{Cell, Line, Sink, put},
    measure::Measure,
    reference::Reference,
    site::{Site, days::DaysRead},
};

/// An agent's open part.
#[derive(Debug, Default)]
pub(crate) struct AgentPart {
    cells: Box<[Contribution]>,
    /// What grows, from `at` on.
    spans: Box<[(Measure, Dims)]>,
    at: Micros,
    /// The states at the ends of intervals that the books lack, or (-1) have too much.
    standings: Box<[(Standing, i64)]>,
    /// The present state, if it is signed in.
    signed_in: Option<(Dims, State)>,
    /// What its open legs have come to.
    pub(crate) told: SmallVec<[Told; 1]>,
}

impl AgentPart {
    /// Of an agent in whose history nothing lies later than `at`; and when it changes by itself.
    pub(crate) fn of(
        unit: &AgentUnit,
        site: &Site,
        at: Micros,
        [minus, plus]: &mut [AgentOutput; 2],
    ) -> (Self, Option<Micros>) {
        minus.clear();
        plus.clear();
        let clock = unit.read(&site.reference, (at, at), minus, plus);
        let state = State::of(clock).filter(|_| unit.has_clock);
        let team = site.reference.team(unit.id, at);
        let signed_in = state.map(|state| (Dims { agent: unit.id, team, ..Dims::default() }, state));
        let mut days = DaysRead::of(site, at, Span::new(Micros(i64::MIN), Micros::MAX));
        days.take(unit, &minus.pieces.list, &plus.pieces.list);
        let taken = minus.contributions.iter().map(|one| Contribution { amount: -one.amount, ..one });
        let cells = taken.chain(plus.contributions.iter()).chain(days.contributions).collect();
        let taken = minus.standings.iter().map(|standing| (*standing, -1));
        let standings = taken.chain(plus.standings.iter().map(|standing| (*standing, 1))).collect();
        let (spans, until) = match &plus.going_on {
            Some(going_on) => (going_on.spans.as_slice().into(), going_on.until),
            None => (Box::default(), None),
        };
        let until = [until, days.next_change].into_iter().flatten().min();
        let told = plus.outcomes.iter().copied().collect();
        (Self { cells, spans, at, standings, signed_in, told }, until)
    }

    /// Whether anything of it grows.
    pub(crate) fn grows(&self) -> bool {
        !self.spans.is_empty()
    }

    /// Adds it, or takes it away.
    pub(crate) fn give(&self, base: Micros, sign: i64, sink: &mut impl Sink) {
        self.cells.iter().for_each(|contribution| put(sink, contribution, sign));
        let interval = Interval::containing(self.at);
        for (measure, dims) in &self.spans {
            let line = Line { at_base: -self.at.minus(base).0 * sign, rate: sign };
            let attribution = Attribution::Event;
            sink.cell(Cell { measure: *measure, attribution, interval, dims: *dims }, line);
        }
        self.standings.iter().for_each(|(standing, own)| sink.standing(standing, own * sign));
        if let Some((dims, state)) = &self.signed_in {
            sink.signed_in(dims, *state, sign);
        }
    }

    /// What a leg of a contact has come to, if it is open.
    pub(crate) fn outcome(&self, contact: Slot, entry: &LegEntry, unit: &AgentUnit) -> Option<LegOutcome> {
        let told = self
            .told
            .iter()
            .find(|told| told.contact == contact && told.leg == entry.leg && told.outcome.agent == unit.id);
        told.map(|told| told.outcome)
    }
}

/// An open contact's part.
#[derive(Debug, Default)]
pub(crate) struct ContactPart {
    cells: Box<[Contribution]>,
    crossings: SmallVec<[Crossing; 1]>,
    waiting: SmallVec<[(Dims, Micros); 1]>,
    /// As its customer's line sees it.
    pub(crate) item: Option<(Slot, Item)>,
}

impl ContactPart {
    /// Of an open contact whose legs have come so far; and when it changes by itself.
    pub(crate) fn of(
        unit: &ContactUnit,
        legs: &[LegOutcome],
        reference: &Reference,
        at: Micros,
        out: &mut ContactOutput,
    ) -> (Self, Option<Micros>) {
        out.clear();
        let outcome = fold(unit, legs, reference, at, out);
        if let Some(outcome) = outcome.filter(|outcome| outcome.line.is_none()) {
            line::unidentified(&outcome.item, &mut out.contributions);
        }
        let part = Self {
            cells: out.contributions.iter().collect(),
            crossings: out.crossings.iter().copied().collect(),
            waiting: out.waiting.iter().copied().collect(),
            item: outcome.and_then(|outcome| Some((outcome.line?, outcome.item))),
        };
        (part, out.next_change)
    }

    /// The intervals in which it counts.
    pub(crate) fn intervals(&self) -> impl Iterator<Item = Interval> {
        self.cells.iter().map(|contribution| contribution.interval)
    }

    /// Whether a visit of it waits.
    pub(crate) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Adds it, or takes it away.
    pub(crate) fn give(&self, sign: i64, sink: &mut impl Sink) {
        self.cells.iter().for_each(|contribution| put(sink, contribution, sign));
        self.crossings.iter().for_each(|crossing| sink.crossing(crossing, sign));
        self.waiting.iter().for_each(|(dims, entered)| sink.waiting(dims, *entered, sign));
    }
}

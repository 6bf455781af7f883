//! What is open, for questions about the present: as it is kept, unit by unit, not folded anew.
//!
//! Invariant: right after a step an answer made of it is the one that a fold of all open units gives as of that instant.

use pegcount_domain::time::Micros;

use super::Follower;
use crate::{
    agent::standing::{Standing, State},
    cells::{Attribution, Contribution, Dims},
    contact::fold::Crossing,
    kpi::Kpi,
    live::deltas::{Cell, Line, Sink, put},
    query::{Query, cut, plan::Plan},
    site::{explain::Wanted, read::Overlay},
};

impl Follower {
    /// Whether it has just been brought to a query's instant, and keeps all that the query needs.
    pub(crate) fn stands_for(&self, kpi: &Kpi, query: &Query) -> bool {
        let is_followed = kpi.site(&query.site).is_some_and(|site| site.books.feed.is_some());
        is_followed
            && self.is_present
            && self.site == query.site
            && self.as_of == query.as_of
            && self.position == kpi.position()
            && query.last.is_none()
    }

    /// Whether the last step looked at all the units that are wanted.
    pub(crate) fn keeps(&self, wanted: Wanted) -> bool {
        !wanted.lines || self.lines_left.is_empty()
    }

    /// What is open at the instant of the last step, of the measures that a plan needs under an attribution.
    pub(crate) fn overlay(&self, wanted: Wanted, plan: &Plan, asked: Attribution) -> Overlay {
        let passed = self.as_of.minus(self.base);
        let mut open = Open { overlay: Overlay::default(), passed, plan, asked };
        if wanted.agents || wanted.days || plan.needs_states {
            self.agents.iter().for_each(|part| part.give(self.base, 1, &mut open));
        }
        if wanted.contacts || wanted.lines {
            self.contacts.values().for_each(|part| part.give(1, &mut open));
        }
        let lines = self.lines.values().flatten().filter(|_| wanted.lines);
        lines.chain(&self.matured).for_each(|contribution| put(&mut open, contribution, 1));
        open.overlay
    }
}

/// Takes in what is open.
struct Open<'p> {
    overlay: Overlay,
    /// Since the base of lines.
    passed: Micros,
    plan: &'p Plan,
    asked: Attribution,
}

impl Sink for Open<'_> {
    #[inline]
    fn cell(&mut self, cell: Cell, line: Line) {
        let Cell { measure, attribution, interval, dims } = cell;
        let is_read = || cut::attribution(measure.sheet(), self.asked) == attribution;
        if self.plan.slot(measure).is_some() && is_read() {
            let amount = line.at_base + line.rate * self.passed.0;
            self.overlay.contributions.push(Contribution { measure, attribution, interval, dims, amount });
        }
    }

    fn crossing(&mut self, crossing: &Crossing, sign: i64) {
        debug_assert_eq!(sign, 1, "an open visit waits");
        self.overlay.crossings.push(*crossing);
    }

    fn waiting(&mut self, dims: &Dims, entered: Micros, sign: i64) {
        debug_assert_eq!(sign, 1, "an open visit waits");
        self.overlay.waiting.push((*dims, entered));
    }

    fn standing(&mut self, standing: &Standing, sign: i64) {
        self.overlay.standings.push((*standing, sign));
    }

    fn signed_in(&mut self, dims: &Dims, state: State, sign: i64) {
        debug_assert_eq!(sign, 1, "an agent stands in one state");
        self.overlay.signed_in.push((*dims, state));
    }
}

//! Corrections: how a late, amended or annulled fact changed figures of intervals that had closed (KPIS.md §6).
//!
//! Derived, never stored: what the figures were as of the moment of recording without the fact, and with it. Maturing
//! is not a correction, nor is history that is loaded long after (imports). Invariant: a correction is listed only
//! for an interval that had closed, with the grace, when the fact was recorded.

use std::collections::BTreeMap;

use pegcount_domain::{
    envelope::{Position, Recorded},
    event::Event,
    time::{Interval, Micros},
};
use serde::{Deserialize, Serialize};

use crate::{
    cells::{Attribution, Contribution, Dims},
    measure::Measure,
};

/// An interval counts as closed this long after its end: facts take their time.
pub const CORRECTION_GRACE: Micros = Micros(15 * Micros::MINUTE.0);
/// Facts that are later than this are history being loaded, or marked as very late: they list no corrections.
pub const CORRECTION_AGE_MAX: Micros = Micros(30 * 24 * Micros::HOUR.0);
/// At most so many corrections are remembered per site; the oldest go first.
pub const CORRECTIONS_MAX: usize = 100_000;

/// One figure that changed after its interval had closed, under `Attribution::Event`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// The event that changed it.
    pub position: Position,
    /// When that was recorded.
    pub recorded_at: Micros,
    /// The interval.
    pub interval: Interval,
    /// The measure.
    pub measure: Measure,
    /// By how much; over all agents, queues and so on that the event touched.
    pub difference: i64,
}

/// The corrections of one site.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Corrections {
    list: std::collections::VecDeque<Correction>,
}

impl Corrections {
    /// Whether an event may change an interval that has closed.
    pub(crate) fn concerns(recorded: &Recorded) -> bool {
        // The second asks less often: an interval ends after all that lies in it.
        let is_old = |at: Micros| at.plus(CORRECTION_GRACE) < recorded.recorded_at;
        let is_closed =
            |at| is_old(at) && Interval::containing(at).end().plus(CORRECTION_GRACE) < recorded.recorded_at;
        match &recorded.event {
            Event::Annulled { .. } | Event::Amended { .. } => true,
            Event::QueueDefined(queue) => is_closed(queue.valid_from),
            Event::AgentDefined(agent) => is_closed(agent.valid_from),
            Event::FormulaDefined(formula) => is_closed(formula.valid_from),
            Event::AuthorityDefined(authority) => is_closed(authority.valid_from),
            Event::SiteDefined(site) => is_closed(site.valid_from),
            Event::AllowanceDefined(allowance) => is_closed(allowance.valid_from),
            Event::ReasonDefined(reason) => is_closed(reason.valid_from),
            Event::TargetDefined(target) => is_closed(target.valid_from),
            Event::CalendarDefined(calendar) => is_closed(calendar.valid_from),
            Event::CalendarChanged(changed) => is_closed(changed.change.valid_from),
            Event::TicketPoliciesDefined(policies) => is_closed(policies.valid_from),
            _ => {
                let age = recorded.recorded_at.minus(recorded.occurred_at);
                is_closed(recorded.occurred_at) && age <= CORRECTION_AGE_MAX
            }
        }
    }

    /// Lists what an event changed: in the books, and in what was open before and after.
    pub(crate) fn derive(
        &mut self,
        recorded: &Recorded,
        journal: &[Contribution],
        before: &[Contribution],
        after: &[Contribution],
    ) {
        let mut net: BTreeMap<(Interval, Measure, Dims), i64> = BTreeMap::new();
        for (list, sign) in [(journal, 1), (before, -1), (after, 1)] {
            for contribution in
                list.iter().filter(|c| c.attribution == Attribution::Event && c.measure.sheet().is_shown())
            {
                let key = (contribution.interval, contribution.measure, contribution.dims);
                *net.entry(key).or_default() += contribution.amount * sign;
            }
        }
        let mut sums: BTreeMap<(Interval, Measure), i64> = BTreeMap::new();
        for ((interval, measure, _), difference) in net {
            *sums.entry((interval, measure)).or_default() += difference;
        }
        let (position, recorded_at) = (recorded.position, recorded.recorded_at);
        for ((interval, measure), difference) in sums {
            if difference != 0 && interval.end().plus(CORRECTION_GRACE) < recorded_at {
                self.list.push_back(Correction { position, recorded_at, interval, measure, difference });
            }
        }
        while self.list.len() > CORRECTIONS_MAX {
            self.list.pop_front();
        }
    }

    /// Takes back what was remembered, in the same order.
    pub(crate) fn put_back(&mut self, one: Correction) {
        self.list.push_back(one);
    }

    /// All that are remembered, in the order of their causes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Correction> {
        self.list.iter().copied()
    }
}

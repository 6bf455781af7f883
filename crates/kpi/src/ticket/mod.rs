//! The ticket's unit: its facts in time order, and what they give into the cells (KPIS.md §3).
//!
//! - [`facts`]: what is kept of an event; [`class`]: kind, category, tier, region and channel as one number
//! - [`course`]: the ticket as it goes on, fact by fact; [`owed`]: its targets and promises; [`spent`]: the time it took
//! - [`giving`]: counts with their dimensions; [`words`]: what a ticket is, told
//!
//! Not for deciding what may be done to a ticket, nor for when a target is due: those are the domain's. Invariant: what a unit
//! gives as of an instant depends on its facts up to it and on the definitions alone, and what comes due with no event
//! is said beforehand, with its instant.

pub(crate) mod class;
pub(crate) mod course;
pub(crate) mod facts;
mod giving;
mod owed;
mod spent;
pub(crate) mod words;

use pegcount_domain::{ticketing::TicketEvent, time::Micros};

pub(crate) use self::{
    class::Classes,
    course::{Course, Ground},
    facts::{Said, TicketFact},
};
use crate::{
    anomaly::{Anomaly, AnomalyKind},
    cells::Contributions,
    fact::{Mark, Slot},
    packed::{self, Packed, bytes::Writer},
    site::resting::Rests,
};

/// One ticket.
#[derive(Debug)]
pub(crate) struct TicketUnit {
    /// In the order of their stamps.
    pub(crate) facts: Vec<TicketFact>,
    /// The customer line that it stands in.
    pub(crate) line: Option<Slot>,
    /// The last instant at which a definition can make it count otherwise: the last one, while anything is owed.
    pub(crate) reach: Micros,
    /// How far it has come with all its facts, as it stands in the books; made when it is needed.
    pub(crate) course: Option<Box<Course>>,
}

impl Default for TicketUnit {
    fn default() -> Self {
        Self { facts: Vec::new(), line: None, reach: Micros(i64::MIN), course: None }
    }
}

impl Rests for TicketUnit {
    fn may_rest(&self) -> bool {
        true
    }

    fn pack(&self, out: &mut Writer) {
        packed::ticket::write(self, out);
    }

    fn unpack(packed: &Packed) -> Self {
        packed::ticket::read(packed.bytes())
    }
}

impl TicketUnit {
    fn by(&self, as_of: Micros) -> impl Iterator<Item = &TicketFact> {
        self.facts.iter().take_while(move |fact| fact.stamp.at <= as_of)
    }

    /// What the opening said, if by `as_of`.
    pub(crate) fn opened(&self, as_of: Micros) -> Option<Said> {
        self.by(as_of).find_map(|fact| fact.said.as_deref().copied())
    }

    pub(crate) fn topic(&self) -> Mark {
        self.opened(Micros::MAX).map_or(Mark::NONE, |opened| opened.topic)
    }

    /// When it was first resolved, if by `as_of`.
    pub(crate) fn first_resolved(&self, as_of: Micros) -> Option<Micros> {
        let mut by_now = self.by(as_of);
        by_now.find(|fact| matches!(fact.event, TicketEvent::Resolved { .. })).map(|fact| fact.stamp.at)
    }

    /// When it was first opened again after `resolved`, if by `as_of`.
    pub(crate) fn reopened_after(&self, resolved: Micros, as_of: Micros) -> Option<Micros> {
        let mut after = self.by(as_of).filter(|fact| fact.stamp.at >= resolved);
        after.find(|fact| matches!(fact.event, TicketEvent::Reopened { .. })).map(|fact| fact.stamp.at)
    }

    /// The last instant at which a fact changes a figure.
    pub(crate) fn last_effect(&self) -> Micros {
        self.facts.last().map_or(Micros(i64::MIN), |fact| fact.stamp.at)
    }

    /// Folds the ticket as of an instant; how far it has come by then.
    pub(crate) fn fold(
        &self,
        ground: Ground<'_>,
        as_of: Micros,
        out: &mut Contributions,
        anomalies: &mut Vec<Anomaly>,
    ) -> Option<Course> {
        let class = ground.classes.of(self.by(as_of));
        let mut course: Option<Course> = None;
        for fact in self.by(as_of) {
            let is_expected = if let Some(course) = &mut course {
                course.step(fact, ground, out)
            } else {
                course = Course::open(fact, class, ground, out);
                course.is_some()
            };
            if !is_expected {
                anomalies.push(odd(fact));
            }
        }
        if let Some(course) = &course {
            course.pending(ground, out);
        }
        course
    }
}

/// The mark of a fact that the ticket's state does not allow.
pub(crate) fn odd(fact: &TicketFact) -> Anomaly {
    Anomaly { position: fact.stamp.position, kind: AnomalyKind::TicketStepUnexpected }
}

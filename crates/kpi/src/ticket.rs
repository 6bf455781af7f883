//! The ticket's unit, thin for now: opened, resolved, reopened, closed (KPIS.md §3).
//!
//! Invariant: a reopening is counted where the resolution was that it undoes, and to whoever resolved.

use pegcount_domain::time::Micros;
use serde::{Deserialize, Serialize};

use crate::{
    anomaly::{Anomaly, AnomalyKind},
    cells::{Attribution, Contributions, Dims, Part},
    fact::{Mark, Slot, Stamp},
    measure::Measure,
    names::Id,
    reference::Reference,
};

/// What a ticket's unit keeps. `by` names the agent and, for the opening, the queue.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum TicketBody {
    Opened(Opened),
    Resolved { by: Dims },
    Reopened,
    Closed { by: Dims },
}

/// What the opening said.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Opened {
    pub(crate) contact: Option<Slot>,
    /// The customer's line.
    pub(crate) customer: Option<Slot>,
    pub(crate) topic: Mark,
    pub(crate) by: Dims,
}

/// One fact of a ticket's unit.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct TicketFact {
    pub(crate) stamp: Stamp,
    pub(crate) body: TicketBody,
}

/// One ticket.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct TicketUnit {
    /// In the order of their stamps.
    pub(crate) facts: Vec<TicketFact>,
    /// The customer line that it stands in.
    pub(crate) line: Option<Slot>,
}

impl TicketUnit {
    /// What the opening said, if by `as_of`.
    pub(crate) fn opened(&self, as_of: Micros) -> Option<Opened> {
        let mut by_now = self.facts.iter().filter(|fact| fact.stamp.at <= as_of);
        by_now.find_map(|fact| match fact.body {
            TicketBody::Opened(opened) => Some(opened),
            _ => None,
        })
    }

    pub(crate) fn topic(&self) -> Mark {
        self.opened(Micros::MAX).map_or(Mark::NONE, |opened| opened.topic)
    }

    /// When it was first resolved, if by `as_of`.
    pub(crate) fn first_resolved(&self, as_of: Micros) -> Option<Micros> {
        let mut by_now = self.facts.iter().filter(|fact| fact.stamp.at <= as_of);
        by_now.find(|fact| matches!(fact.body, TicketBody::Resolved { .. })).map(|fact| fact.stamp.at)
    }

    /// When it was first opened again after `resolved`, if by `as_of`.
    pub(crate) fn reopened_after(&self, resolved: Micros, as_of: Micros) -> Option<Micros> {
        let mut after = self.facts.iter().filter(|fact| fact.stamp.at >= resolved && fact.stamp.at <= as_of);
        after.find(|fact| matches!(fact.body, TicketBody::Reopened)).map(|fact| fact.stamp.at)
    }

    /// The last instant at which it changes a figure.
    pub(crate) fn last_effect(&self) -> Micros {
        self.facts.last().map_or(Micros(i64::MIN), |fact| fact.stamp.at)
    }

    /// Folds the ticket as of an instant.
    pub(crate) fn fold(
        &self,
        reference: &Reference,
        as_of: Micros,
        out: &mut Contributions,
        anomalies: &mut Vec<Anomaly>,
    ) {
        let queue = self.opened(as_of).map_or(Id::NONE, |opened| opened.by.queue);
        let (mut opened, mut closed) = (false, false);
        let mut resolved: Option<(Micros, Dims)> = None;
        for fact in self.facts.iter().take_while(|fact| fact.stamp.at <= as_of) {
            let at = fact.stamp.at;
            let mut count = |at, by: Dims, measure| {
                let team = reference.team(by.agent, at);
                out.source(Part::Between, at, at);
                out.at(at, Attribution::Event, Dims { team, queue, ..by }, measure, 1);
            };
            let expected = match fact.body {
                TicketBody::Opened(said) if !opened => {
                    opened = true;
                    count(at, said.by, Measure::TicketsOpened);
                    true
                }
                TicketBody::Resolved { by } if resolved.is_none() => {
                    resolved = Some((at, by));
                    count(at, by, Measure::TicketsResolved);
                    opened
                }
                TicketBody::Reopened if resolved.is_some() => {
                    if let Some((at, by)) = resolved.take() {
                        count(at, by, Measure::TicketsReopened);
                    }
                    closed = false;
                    true
                }
                TicketBody::Closed { by } if !closed => {
                    closed = true;
                    count(at, by, Measure::TicketsClosed);
                    opened
                }
                _ => false,
            };
            if !expected {
                let (position, kind) = (fact.stamp.position, AnomalyKind::TicketStepUnexpected);
                anomalies.push(Anomaly { position, kind });
            }
        }
    }
}

//! Marks on facts that the rules do not allow: kept, said, never thrown away (KPIS.md §6).
//!
//! Invariant: a mark is derived by a fold, so a late fact can make it or clear it; it never changes a figure.

use std::{collections::BTreeMap, fmt};

use pegcount_domain::{agent::Anomaly as AgentAnomaly, envelope::Position};

/// Why a fact is odd; displays as a plain sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnomalyKind {
    /// A fact about an agent or a leg.
    Agent(AgentAnomaly),
    /// A visit that ended and never began: its entry was synthesised.
    EntrySynthesised,
    /// A visit that began twice.
    VisitEnteredTwice,
    /// A visit that ended twice.
    VisitLeftTwice,
    /// A visit that ended before it began: its wait is 0.
    VisitLeftBeforeEntered,
    /// A visit that nobody ended; the contact's end, or its answer in another visit, did.
    VisitLeftOpen,
    /// Answered, or abandoned, in two visits at once: the first answer, or the longest wait, counts.
    VisitEndedElsewhere,
    /// A contact that started twice.
    ContactStartedTwice,
    /// A contact that ended twice.
    ContactEndedTwice,
    /// A step that the ticket's state does not allow.
    TicketStepUnexpected,
    /// A correction of a fact that is not there.
    TargetUnknown,
}

impl fmt::Display for AnomalyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Agent(anomaly) => anomaly.text(),
            Self::EntrySynthesised => "the visit had never begun: its entry was synthesised",
            Self::VisitEnteredTwice => "the visit had begun already",
            Self::VisitLeftTwice => "the visit had ended already",
            Self::VisitLeftBeforeEntered => "the visit ended before it began: its wait is 0",
            Self::VisitLeftOpen => "nobody ended the visit: the contact's end or its answer did",
            Self::VisitEndedElsewhere => "answered or abandoned in two visits at once: one counts",
            Self::ContactStartedTwice => "the contact had started already",
            Self::ContactEndedTwice => "the contact had ended already",
            Self::TicketStepUnexpected => "the ticket's state does not allow the step",
            Self::TargetUnknown => "a correction of a fact that is not there",
        })
    }
}

/// One mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Anomaly {
    /// The marked fact.
    pub position: Position,
    /// Why.
    pub kind: AnomalyKind,
}

/// The marks of one site.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks(BTreeMap<Anomaly, i64>);

impl Marks {
    /// Adds or takes away.
    pub(crate) fn add(&mut self, marks: &[Anomaly], sign: i64) {
        for mark in marks {
            let count = self.0.entry(*mark).or_default();
            *count += sign;
            if *count == 0 {
                self.0.remove(mark);
            }
        }
    }

    /// All of them, by position.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Anomaly> {
        self.0.keys().copied()
    }
}

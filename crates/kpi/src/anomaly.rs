//! Marks on facts that the rules do not allow: kept, said, never thrown away (KPIS.md §6).
//!
//! Invariant: a mark is derived by a fold, so a late fact can make it or clear it; it never changes a figure.

use std::{collections::BTreeMap, fmt};

use pegcount_domain::{agent::Anomaly as AgentAnomaly, envelope::Position};
use serde::{Deserialize, Serialize};

/// Why a fact is odd; displays as a plain sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
    /// A fact from before the instant up to which history is closed.
    HistoryClosed,
    /// A report of a leg that is not believed, and that no report of whoever is believed confirms.
    ReportsDiffer,
}

/// Codes from here on are those of agents' marks.
const AGENT_CODES: u32 = 100;

impl AnomalyKind {
    const OWN: [(Self, u32); 12] = [
        (Self::EntrySynthesised, 1),
        (Self::VisitEnteredTwice, 2),
        (Self::VisitLeftTwice, 3),
        (Self::VisitLeftBeforeEntered, 4),
        (Self::VisitLeftOpen, 5),
        (Self::VisitEndedElsewhere, 6),
        (Self::ContactStartedTwice, 7),
        (Self::ContactEndedTwice, 8),
        (Self::TicketStepUnexpected, 9),
        (Self::TargetUnknown, 10),
        (Self::HistoryClosed, 11),
        (Self::ReportsDiffer, 20),
    ];

    /// One word for it; all marks of the agent's machine share one.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Agent(_) => "agent_step_unexpected",
            Self::EntrySynthesised => "entry_synthesised",
            Self::VisitEnteredTwice => "visit_entered_twice",
            Self::VisitLeftTwice => "visit_left_twice",
            Self::VisitLeftBeforeEntered => "visit_left_before_entered",
            Self::VisitLeftOpen => "visit_left_open",
            Self::VisitEndedElsewhere => "visit_ended_elsewhere",
            Self::ContactStartedTwice => "contact_started_twice",
            Self::ContactEndedTwice => "contact_ended_twice",
            Self::TicketStepUnexpected => "ticket_step_unexpected",
            Self::TargetUnknown => "target_unknown",
            Self::HistoryClosed => "history_closed",
            Self::ReportsDiffer => "reports_differ",
        }
    }

    /// The words of all kinds.
    pub fn words() -> Vec<&'static str> {
        let own = Self::OWN.iter().map(|(kind, _)| kind.word());
        own.chain(AgentAnomaly::ALL.first().map(|first| Self::Agent(*first).word())).collect()
    }

    /// The number by which it is stored; never given to another meaning.
    pub fn code(self) -> u32 {
        if let Self::Agent(anomaly) = self {
            let agents = (AGENT_CODES..).zip(AgentAnomaly::ALL);
            return agents.into_iter().find(|(_, known)| *known == anomaly).map_or(0, |(code, _)| code);
        }
        Self::OWN.iter().find(|(known, _)| *known == self).map_or(0, |(_, code)| *code)
    }

    /// The one with this number.
    pub fn from_code(code: u32) -> Option<Self> {
        if code >= AGENT_CODES {
            let mut agents = (AGENT_CODES..).zip(AgentAnomaly::ALL);
            return agents.find(|(known, _)| *known == code).map(|(_, anomaly)| Self::Agent(anomaly));
        }
        Self::OWN.iter().find(|(_, known)| *known == code).map(|(kind, _)| *kind)
    }
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
            Self::ReportsDiffer => {
                "softphone and exchange differ: the other one is believed, and says otherwise"
            }
            Self::HistoryClosed => "history is closed there: the fact changes no figure",
        })
    }
}

/// One mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Anomaly {
    /// The marked fact.
    pub position: Position,
    /// Why.
    pub kind: AnomalyKind,
}

/// The marks of one site.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
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

    /// All of them, by position, with how often each was found.
    pub(crate) fn counted(&self) -> impl Iterator<Item = (Anomaly, i64)> {
        self.0.iter().map(|(mark, count)| (*mark, *count))
    }

    /// All of them, by position.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Anomaly> {
        self.0.keys().copied()
    }
}

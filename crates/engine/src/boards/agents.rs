//! Agents as they are now.
//!
//! The latest facts of each agent are kept so that a late, amended or annulled one can be folded in its place; what is
//! older is folded into a base and stands. Figures do not come from here: the KPI folds know all of history.
//!
//! Invariant: `current` is `base` with the recent facts applied in time order.

use std::collections::VecDeque;

use pegcount_domain::{
    agent::{AgentState, Anomaly, Policies},
    envelope::{Position, SourceSeq, Version},
    event::Event,
    ids::{AgentId, SiteId, TeamId},
    time::Micros,
};
use serde::{Deserialize, Serialize};

use super::history::{History, Inserted};

/// The latest facts that can still be folded in their place.
const RECENT_MAX: usize = 16;
/// While a connection is lost, the facts since the loss are kept, up to so many: the same boot that returns annuls the
/// loss, and by then its spooled facts have come.
const SINCE_LOSS_MAX: usize = 4_096;
/// The latest anomalies that are shown.
const ANOMALIES_MAX: usize = 16;

/// A fact that was not expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkedFact {
    /// Where it is.
    pub position: Position,
    /// When it happened.
    pub occurred_at: Micros,
    /// Why it was not expected.
    pub anomaly: Anomaly,
}

/// One agent as it is now.
#[derive(Clone, Debug)]
pub struct AgentView {
    /// Its site.
    pub site: SiteId,
    /// Its team now.
    pub team: Option<TeamId>,
    /// Session, intent, slots, clock.
    pub state: AgentState,
    /// The agent stream's version.
    pub version: Version,
    /// Facts that were not expected, the latest last.
    pub anomalies: Vec<MarkedFact>,
    /// The log position up to which this has been folded.
    pub position: Position,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Folded {
    state: AgentState,
    anomalies: VecDeque<MarkedFact>,
}

impl Folded {
    fn apply(
        &mut self,
        event: &Event,
        at: Micros,
        position: Position,
        policies: &impl Policies<pegcount_domain::ids::Name>,
    ) {
        if let Some(anomaly) = self.state.apply(event, at, policies).anomaly {
            if self.anomalies.len() == ANOMALIES_MAX {
                self.anomalies.pop_front();
            }
            self.anomalies.push_back(MarkedFact { position, occurred_at: at, anomaly });
        }
    }
}

/// One agent on the board.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AgentEntry {
    base: Folded,
    recent: History,
    current: Folded,
    pub(crate) version: Version,
    /// The last connection-lost event and the last sign of life before it, while it has not been answered.
    pub(crate) lost: Option<(Position, Micros)>,
}

impl AgentEntry {
    pub(crate) fn new(agent: AgentId) -> Self {
        let folded = Folded { state: AgentState::new(agent), anomalies: VecDeque::new() };
        Self {
            base: folded.clone(),
            recent: History::default(),
            current: folded,
            version: Version(0),
            lost: None,
        }
    }

    /// Takes one event of the agent's stream, or a leg's step of a contact's stream, in.
    pub(crate) fn insert(
        &mut self,
        position: Position,
        at: Micros,
        source_seq: Option<SourceSeq>,
        event: &Event,
        policies: &impl Policies<pegcount_domain::ids::Name>,
    ) {
        let mut answered = false;
        match event {
            Event::ConnectionLost { last_heard } => self.lost = Some((position, *last_heard)),
            Event::ConnectionRestored | Event::SignedOut | Event::SignedIn => answered = self.lost.is_some(),
            Event::Annulled { target, .. } => {
                answered = self.lost.is_some_and(|(lost, _)| lost == Position(*target));
            }
            _ => {}
        }
        match self.recent.insert(position, at, source_seq, event) {
            Inserted::Last => {
                let at = self.recent.newest().unwrap_or(at);
                self.current.apply(event, at, position, policies);
            }
            Inserted::Earlier => {
                self.current = self.base.clone();
                for fact in self.recent.facts() {
                    self.current.apply(&fact.event, fact.at, fact.position, policies);
                }
            }
            Inserted::Unknown => {}
        }
        if answered {
            self.lost = None;
        }
        while self.recent.len() > RECENT_MAX && !self.keeps_loss() {
            if let Some(fact) = self.recent.take_oldest() {
                self.base.apply(&fact.event, fact.at, fact.position, policies);
            }
        }
    }

    /// Whether the oldest fact is a loss that may still be annulled.
    fn keeps_loss(&self) -> bool {
        let oldest = self.recent.oldest();
        self.lost.is_some_and(|(lost, _)| oldest == Some(lost)) && self.recent.len() <= SINCE_LOSS_MAX
    }

    /// The state at `now`: what has come due by then has taken effect.
    pub(crate) fn state_at(&self, now: Micros) -> AgentState {
        let mut state = self.current.state.clone();
        state.advance(now);
        state
    }

    pub(crate) fn anomalies(&self) -> Vec<MarkedFact> {
        self.current.anomalies.iter().cloned().collect()
    }
}

//! What was in force when: queues' thresholds and after-call work, agents' teams.
//!
//! A thin index over the domain's definitions: by small number and without a search where nothing is defined, since
//! every visit and every leg asks. Invariant: it says what [`Definitions`] says, in force at the instant asked about.

use pegcount_domain::{
    agent::AfterCallPolicy,
    definitions::Definitions,
    event::{Event, QueueDefinition},
    ids::{AgentId, Key, QueueId, TeamId},
    time::{Micros, Span},
};
use serde::{Deserialize, Serialize};

use crate::names::{Id, Names};

/// The reference data of one site.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Reference {
    definitions: Definitions<Key>,
    /// For each small number, the queue's definitions by `valid_from`.
    queues: Vec<Vec<QueueDefinition<Key>>>,
    /// For each small number, the agent's teams by their first instant.
    teams: Vec<Vec<(Micros, Id)>>,
}

/// A queue's thresholds (durations).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thresholds {
    pub(crate) threshold: Micros,
    pub(crate) short: Micros,
    pub(crate) rings: Micros,
}

impl Reference {
    /// Takes a definition in. True if an answer may have changed.
    pub(crate) fn apply(&mut self, event: &Event<Key>, names: &mut Names) -> bool {
        if !self.definitions.apply(event) {
            return false;
        }
        if let Event::AgentDefined(agent) = event {
            self.learn_teams(agent.agent, names);
        }
        if let Event::QueueDefined(queue) = event {
            let index = names.id(queue.queue.0).0 as usize;
            if self.queues.len() <= index {
                self.queues.resize_with(index + 1, Vec::new);
            }
            if let Some(history) = self.queues.get_mut(index) {
                history.retain(|known| known.valid_from != queue.valid_from);
                history.push(*queue);
                history.sort_unstable_by_key(|known| known.valid_from);
            }
        }
        true
    }

    /// All of it.
    pub(crate) fn definitions(&self) -> &Definitions<Key> {
        &self.definitions
    }

    #[inline]
    fn queue(&self, queue: Id, at: Micros) -> Option<&QueueDefinition<Key>> {
        let history = self.queues.get(queue.0 as usize)?;
        let after = history.partition_point(|known| known.valid_from <= at);
        history.get(after.checked_sub(1)?)
    }

    /// The thresholds of `queue` in force at `at`.
    pub(crate) fn thresholds(&self, queue: Id, at: Micros) -> Thresholds {
        let default = QueueDefinition::default_for(QueueId(Key::default()));
        let known = self.queue(queue, at).unwrap_or(&default);
        Thresholds { threshold: known.threshold, short: known.short, rings: known.rings }
    }

    /// How after-call work goes in `queue` at `at`.
    pub(crate) fn after_call(&self, queue: Id, at: Micros) -> AfterCallPolicy {
        self.queue(queue, at).map_or_else(AfterCallPolicy::default, |known| AfterCallPolicy {
            end: known.after_call_end,
            timer: known.after_call_timer,
            on_contact: known.after_call_on_contact,
        })
    }

    /// The teams of an agent: from when, which; sorted, and before the first: none.
    pub(crate) fn teams(&self, agent: Id) -> &[(Micros, Id)] {
        self.teams.get(agent.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// The team of an agent at `at`.
    pub(crate) fn team(&self, agent: Id, at: Micros) -> Id {
        let teams = self.teams(agent);
        let after = teams.partition_point(|(from, _)| *from <= at);
        after.checked_sub(1).and_then(|index| teams.get(index)).map_or(Id::NONE, |(_, team)| *team)
    }

    fn learn_teams(&mut self, agent: AgentId<Key>, names: &mut Names) {
        let ever = Span::new(Micros(i64::MIN), Micros::MAX);
        let mut id =
            |at| self.definitions.team_at(&agent, at).map_or(Id::NONE, |TeamId(team)| names.id(team));
        let changes = self.definitions.team_changes(&agent, ever);
        let first = Some((ever.start, id(ever.start))).filter(|(_, team)| *team != Id::NONE);
        let teams = first.into_iter().chain(changes.into_iter().map(|at| (at, id(at)))).collect();
        let index = names.id(agent.0).0 as usize;
        if self.teams.len() <= index {
            self.teams.resize_with(index + 1, Vec::new);
        }
        if let Some(known) = self.teams.get_mut(index) {
            *known = teams;
        }
    }
}

//! Teams and agents. Memberships and chat slots of an agent come from two kinds of entries and become one line of time.

use std::collections::{BTreeMap, BTreeSet};

use pegcount_domain::{
    definitions::CHAT_SLOTS_DEFAULT,
    event::{AgentDefinition, Event, TeamDefinition, check_chat_slots},
    ids::{AgentId, Name, TeamId},
    time::Micros,
};
use toml::Spanned;

use super::{Read, Reader};
use crate::site_file::{AgentEntry, Member, TeamEntry};

/// An agent's line of time: team and chat slots, each from an instant on.
#[derive(Default)]
struct Life {
    teams: BTreeMap<Micros, Option<TeamId>>,
    slots: BTreeMap<Micros, u32>,
}

impl Reader<'_> {
    /// Teams, and agents with the teams that they belong to.
    pub(super) fn people(&self, teams: &[TeamEntry], agents: &[AgentEntry]) -> Read<Vec<Event>> {
        let mut lives: BTreeMap<AgentId, Life> = BTreeMap::new();
        let mut leavings: Vec<(AgentId, Micros)> = Vec::new();
        let mut events = Vec::new();
        for entry in teams {
            let id = self.name("team", &entry.team)?;
            let key = format!("team {id}: members");
            for member in &entry.members {
                let (agent, from, until) = self.member(&key, member)?;
                let life = lives.entry(agent.clone()).or_default();
                if life.teams.insert(from, Some(TeamId(id.clone()))).is_some() {
                    let reason = format!("has {agent}, who joins another team at the same instant");
                    return Err(self.wrong(&key, member, reason));
                }
                leavings.extend(until.map(|until| (agent, until)));
            }
            let at = |key: &str| format!("team {id}: {key}");
            events.push(Event::TeamDefined(TeamDefinition {
                label: self.label(&at("label"), entry.label.as_ref())?,
                valid_from: self.since(&at("valid_from"), entry.valid_from.as_ref())?,
                team: TeamId(id),
            }));
        }
        // Who leaves one team to join another at that instant joins the other.
        for (agent, until) in leavings {
            lives.entry(agent).or_default().teams.entry(until).or_insert(None);
        }
        for entry in agents {
            let id = self.name("agent", &entry.agent)?;
            let at = |key: &str| format!("agent {id}: {key}");
            let slots = entry.chat_slots.as_ref().map_or(Ok(CHAT_SLOTS_DEFAULT), |given| {
                let checked = check_chat_slots(*given.get_ref()).map(|()| *given.get_ref());
                checked.map_err(|reason| self.wrong(&at("chat_slots"), given, reason))
            })?;
            let from = self.since(&at("valid_from"), entry.valid_from.as_ref())?;
            let life = lives.entry(AgentId(id.clone())).or_default();
            if life.slots.insert(from, slots).is_some() {
                return Err(self.wrong(
                    &at("valid_from"),
                    &entry.agent,
                    "stands twice for the agent; say it once",
                ));
            }
        }
        events.extend(lives.into_iter().flat_map(|(agent, life)| life.definitions(&agent)));
        Ok(events)
    }

    fn member(&self, key: &str, member: &Spanned<Member>) -> Read<(AgentId, Micros, Option<Micros>)> {
        let (agent, from, until) = match member.get_ref() {
            Member::Always(agent) => (agent, None, None),
            Member::Dated { agent, from, until } => (agent, from.as_ref(), until.as_ref()),
        };
        let agent = Name::new(agent)
            .map_err(|error| self.wrong(key, member, format!("has an agent that {error}")))?;
        let instant = |text: Option<&String>| text.map(|text| self.instant(key, member, text)).transpose();
        let (from, until) = (instant(from)?.unwrap_or(Micros::ZERO), instant(until)?);
        if until.is_some_and(|until| until <= from) {
            return Err(self.wrong(
                key,
                member,
                format!("has {agent} until before it joins; swap the dates"),
            ));
        }
        Ok((AgentId(agent), from, until))
    }
}

impl Life {
    /// A definition wherever the team or the slots change, and one at the beginning.
    fn definitions(&self, agent: &AgentId) -> Vec<Event> {
        let instants: BTreeSet<Micros> = self.teams.keys().chain(self.slots.keys()).copied().collect();
        let mut last: Option<(Option<TeamId>, u32)> = None;
        let mut events = Vec::new();
        for valid_from in instants {
            let team = self.teams.range(..=valid_from).next_back().and_then(|(_, team)| team.clone());
            let chat_slots =
                self.slots.range(..=valid_from).next_back().map_or(CHAT_SLOTS_DEFAULT, |(_, slots)| *slots);
            let now = (team.clone(), chat_slots);
            if last.as_ref() != Some(&now) {
                let agent = agent.clone();
                events.push(Event::AgentDefined(AgentDefinition { agent, team, chat_slots, valid_from }));
                last = Some(now);
            }
        }
        events
    }
}

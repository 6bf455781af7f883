//! Reference data as of any instant: queues, reasons, agents and their teams, targets, calendars, formula versions, the
//! site's zone, what is allowed on a day, who is believed.
//!
//! For folds and decisions that ask "what held then?" (KPIS.md §1, effective-dated). Not for who is *undeclared*:
//! that is whoever meets a name and finds [`Definitions::knows_queue`] or [`Definitions::knows_agent`] false.
//!
//! Invariant: the history of each thing is sorted by `valid_from`, one entry per instant; of two definitions for the
//! same instant the one applied last holds, so that folding the definition stream again gives the same answers.

use std::hash::Hash;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::{
    allowance::{AllowanceDefinition, SiteDefinition},
    authority::AuthorityDefinition,
    calendar::{CalendarDefinition, Date},
    deadlines::PolicySet,
    event::{AgentDefinition, Event, QueueDefinition, ReasonDefinition, TeamDefinition},
    formula::FormulaDefinition,
    ids::{AgentId, Name, QueueId, ReasonCode, TeamId, TicketKind},
    target::TargetDefinition,
    ticketing::KindRules,
    time::{Micros, Span},
    working::CalendarChange,
};

/// Chats at once of an agent that nobody has defined.
pub const CHAT_SLOTS_DEFAULT: u32 = 1;

/// What one site's definition stream says, effective-dated.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "N: Serialize", deserialize = "N: Deserialize<'de> + Eq + Hash"))]
pub struct Definitions<N = Name> {
    queues: FxHashMap<QueueId<N>, History<QueueDefinition<N>>>,
    reasons: FxHashMap<ReasonCode<N>, History<ReasonDefinition<N>>>,
    agents: FxHashMap<AgentId<N>, History<AgentDefinition<N>>>,
    teams: FxHashMap<TeamId<N>, History<TeamDefinition<N>>>,
    targets: FxHashMap<N, History<TargetDefinition<N>>>,
    calendars: FxHashMap<N, History<CalendarDefinition<N>>>,
    /// One line of time for the whole site: which version is in force.
    formulas: History<FormulaDefinition<N>>,
    sites: History<SiteDefinition>,
    authorities: History<AuthorityDefinition>,
    allowances: FxHashMap<Option<TeamId<N>>, History<AllowanceDefinition<N>>>,
    kinds: FxHashMap<TicketKind<N>, History<KindRules<N>>>,
    policies: History<PolicySet<N>>,
    changes: FxHashMap<(N, Date), History<CalendarChange<N>>>,
}

impl<N> Default for Definitions<N> {
    fn default() -> Self {
        Self {
            queues: FxHashMap::default(),
            reasons: FxHashMap::default(),
            agents: FxHashMap::default(),
            teams: FxHashMap::default(),
            targets: FxHashMap::default(),
            calendars: FxHashMap::default(),
            formulas: History(Vec::new()),
            sites: History(Vec::new()),
            authorities: History(Vec::new()),
            allowances: FxHashMap::default(),
            kinds: FxHashMap::default(),
            policies: History(Vec::new()),
            changes: FxHashMap::default(),
        }
    }
}

impl<N: Hash + Eq + Clone> Definitions<N> {
    /// Nothing defined yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a definition in; every other event does nothing. True if any answer may have changed: an identical
    /// definition changes nothing and need not be written again.
    pub fn apply(&mut self, event: &Event<N>) -> bool {
        match event {
            Event::QueueDefined(queue) => insert(&mut self.queues, queue.queue.clone(), queue),
            Event::ReasonDefined(reason) => insert(&mut self.reasons, reason.reason.clone(), reason),
            Event::AgentDefined(agent) => insert(&mut self.agents, agent.agent.clone(), agent),
            Event::TeamDefined(team) => insert(&mut self.teams, team.team.clone(), team),
            Event::TargetDefined(target) => insert(&mut self.targets, target.target.clone(), &**target),
            Event::CalendarDefined(calendar) => {
                insert(&mut self.calendars, calendar.calendar.clone(), &**calendar)
            }
            Event::FormulaDefined(formula) => self.formulas.insert(formula),
            Event::SiteDefined(site) => self.sites.insert(site),
            Event::AuthorityDefined(authority) => self.authorities.insert(authority),
            Event::AllowanceDefined(allowance) => {
                insert(&mut self.allowances, allowance.team.clone(), allowance)
            }
            Event::TicketKindDefined(kind) => insert(&mut self.kinds, kind.kind.clone(), &**kind),
            Event::TicketPoliciesDefined(policies) => self.policies.insert(policies),
            Event::CalendarChanged(change) => insert(&mut self.changes, changed(change), &**change),
            _ => false,
        }
    }

    /// The queue's definition in force at `at`; [`QueueDefinition::default_for`] if none is.
    pub fn queue_at(&self, queue: &QueueId<N>, at: Micros) -> QueueDefinition<N> {
        let defined = self.queue_defined_at(queue, at).cloned();
        defined.unwrap_or_else(|| QueueDefinition::default_for(queue.clone()))
    }

    /// The queue's definition in force at `at`, if any.
    pub fn queue_defined_at(&self, queue: &QueueId<N>, at: Micros) -> Option<&QueueDefinition<N>> {
        self.queues.get(queue)?.at(at)
    }

    /// The reason's definition in force at `at`, if any.
    pub fn reason_at(&self, reason: &ReasonCode<N>, at: Micros) -> Option<&ReasonDefinition<N>> {
        self.reasons.get(reason)?.at(at)
    }

    /// The agent's definition in force at `at`, if any.
    pub fn agent_at(&self, agent: &AgentId<N>, at: Micros) -> Option<&AgentDefinition<N>> {
        self.agents.get(agent)?.at(at)
    }

    /// The team that the agent belongs to at `at`, if any.
    pub fn team_at(&self, agent: &AgentId<N>, at: Micros) -> Option<TeamId<N>> {
        self.agent_at(agent, at)?.team.clone()
    }

    /// How many chats the agent may hold at once at `at`; at least 1.
    pub fn chat_slots_at(&self, agent: &AgentId<N>, at: Micros) -> u32 {
        self.agent_at(agent, at).map_or(CHAT_SLOTS_DEFAULT, AgentDefinition::slots)
    }

    /// The instants strictly inside `span` at which the agent's team becomes another one, in order. Cutting the
    /// span there gives parts that each belong to one team.
    pub fn team_changes(&self, agent: &AgentId<N>, span: Span) -> Vec<Micros> {
        let Some(history) = self.agents.get(agent) else { return Vec::new() };
        let mut team = history.at(span.start).and_then(|defined| defined.team.as_ref());
        let mut changes = Vec::new();
        for defined in history.after(span.start).take_while(|defined| defined.valid_from < span.end) {
            if defined.team.as_ref() != team {
                team = defined.team.as_ref();
                changes.push(defined.valid_from);
            }
        }
        changes
    }

    /// Whether an event says exactly what stands already.
    pub fn holds(&self, event: &Event<N>) -> bool {
        match event {
            Event::QueueDefined(queue) => holds(&self.queues, &queue.queue, queue),
            Event::ReasonDefined(reason) => holds(&self.reasons, &reason.reason, reason),
            Event::AgentDefined(agent) => holds(&self.agents, &agent.agent, agent),
            Event::TeamDefined(team) => holds(&self.teams, &team.team, team),
            Event::TargetDefined(target) => holds(&self.targets, &target.target, &**target),
            Event::CalendarDefined(calendar) => holds(&self.calendars, &calendar.calendar, &**calendar),
            Event::FormulaDefined(formula) => self.formulas.0.contains(formula),
            Event::SiteDefined(site) => self.sites.0.contains(site),
            Event::AuthorityDefined(authority) => self.authorities.0.contains(authority),
            Event::AllowanceDefined(allowance) => holds(&self.allowances, &allowance.team, allowance),
            Event::TicketKindDefined(kind) => holds(&self.kinds, &kind.kind, &**kind),
            Event::TicketPoliciesDefined(policies) => self.policies.0.contains(policies),
            Event::CalendarChanged(change) => holds(&self.changes, &changed(change), &**change),
            _ => false,
        }
    }

    /// What a formula version's number means; none: nobody has defined it, and it is not the built-in one.
    pub fn formula(&self, number: u8) -> Option<FormulaDefinition<N>> {
        let defined = self.formulas.0.iter().rev().find(|formula| formula.number == number).cloned();
        let built_in = FormulaDefinition::built_in();
        defined.or_else(|| (number == built_in.number).then_some(built_in))
    }

    /// Whether the queue is defined, at any instant.
    pub fn knows_queue(&self, queue: &QueueId<N>) -> bool {
        self.queues.contains_key(queue)
    }

    /// Whether the agent is defined, at any instant.
    pub fn knows_agent(&self, agent: &AgentId<N>) -> bool {
        self.agents.contains_key(agent)
    }

    /// Every definition of every queue, each queue's in order of `valid_from`; queues in no order.
    pub fn queues(&self) -> impl Iterator<Item = &QueueDefinition<N>> {
        self.queues.values().flat_map(|history| history.0.iter())
    }

    /// Every definition of every reason, each reason's in order of `valid_from`; reasons in no order.
    pub fn reasons(&self) -> impl Iterator<Item = &ReasonDefinition<N>> {
        self.reasons.values().flat_map(|history| history.0.iter())
    }

    /// The site's own definitions, in order of `valid_from`.
    pub fn sites(&self) -> impl Iterator<Item = &SiteDefinition> {
        self.sites.0.iter()
    }

    /// Who is believed for which field of a leg, in order of `valid_from`.
    pub fn authorities(&self) -> impl Iterator<Item = &AuthorityDefinition> {
        self.authorities.0.iter()
    }

    /// Who is believed for which field of a leg whose earliest report is of `at`, if anything is defined.
    pub fn authority_at(&self, at: Micros) -> Option<&AuthorityDefinition> {
        self.authorities.at(at)
    }

    /// Every definition of what is allowed, each team's in order of `valid_from`; teams in no order.
    pub fn allowances(&self) -> impl Iterator<Item = &AllowanceDefinition<N>> {
        self.allowances.values().flat_map(|history| history.0.iter())
    }

    /// What a kind of ticket needs at `at`; none if nobody has defined it by then.
    pub fn kind_at(&self, kind: &TicketKind<N>, at: Micros) -> Option<&KindRules<N>> {
        self.kinds.get(kind).and_then(|history| history.at(at))
    }

    /// Every definition of every kind of ticket, each kind's in order of `valid_from`; kinds in no order.
    pub fn kinds(&self) -> impl Iterator<Item = &KindRules<N>> {
        self.kinds.values().flat_map(|history| history.0.iter())
    }

    /// The site's deadline policies, in order of `valid_from`.
    pub fn policies(&self) -> impl Iterator<Item = &PolicySet<N>> {
        self.policies.0.iter()
    }

    /// Every one-off change of every calendar, those of one date in order of `valid_from`; else in no order.
    pub fn calendar_changes(&self) -> impl Iterator<Item = &CalendarChange<N>> {
        self.changes.values().flat_map(|history| history.0.iter())
    }

    /// Every definition of every agent, each agent's in order of `valid_from`; agents in no order.
    pub fn agents(&self) -> impl Iterator<Item = &AgentDefinition<N>> {
        self.agents.values().flat_map(|history| history.0.iter())
    }

    /// Every definition of every team, each team's in order of `valid_from`; teams in no order.
    pub fn teams(&self) -> impl Iterator<Item = &TeamDefinition<N>> {
        self.teams.values().flat_map(|history| history.0.iter())
    }

    /// Every definition of every target, each target's in order of `valid_from`; targets in no order.
    pub fn targets(&self) -> impl Iterator<Item = &TargetDefinition<N>> {
        self.targets.values().flat_map(|history| history.0.iter())
    }

    /// Every definition of every calendar, each calendar's in order of `valid_from`; calendars in no order.
    pub fn calendars(&self) -> impl Iterator<Item = &CalendarDefinition<N>> {
        self.calendars.values().flat_map(|history| history.0.iter())
    }

    /// Every coming into force of a formula version, in order of `valid_from`; before the first: the built-in one.
    pub fn formulas(&self) -> impl Iterator<Item = &FormulaDefinition<N>> {
        self.formulas.0.iter()
    }
}

/// The one of `list` that is in force at `at`: the last that begins by then. `list` is sorted by `from`.
#[inline]
pub fn in_force<T>(list: &[T], at: Micros, from: impl Fn(&T) -> Micros) -> Option<&T> {
    let begun = list.partition_point(|one| from(one) <= at);
    list.get(begun.checked_sub(1)?)
}

/// A definition with a date.
trait Dated: Clone + PartialEq {
    fn valid_from(&self) -> Micros;
}

macro_rules! dated {
    ($($definition:ident)+) => {$(
        impl<N: Clone + Eq> Dated for $definition<N> {
            fn valid_from(&self) -> Micros {
                self.valid_from
            }
        }
    )+};
}

dated!(QueueDefinition ReasonDefinition AgentDefinition TeamDefinition TargetDefinition CalendarDefinition FormulaDefinition AllowanceDefinition KindRules PolicySet);

impl<N: Clone + Eq> Dated for CalendarChange<N> {
    fn valid_from(&self) -> Micros {
        self.change.valid_from
    }
}

/// What a one-off change is of.
fn changed<N: Clone>(change: &CalendarChange<N>) -> (N, Date) {
    (change.calendar.clone(), change.change.date)
}

impl Dated for AuthorityDefinition {
    fn valid_from(&self) -> Micros {
        self.valid_from
    }
}

impl Dated for SiteDefinition {
    fn valid_from(&self) -> Micros {
        self.valid_from
    }
}

/// The definitions of one thing, sorted by date, one per date.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct History<D>(Vec<D>);

impl<D: Dated> History<D> {
    /// Returns whether it was new.
    fn insert(&mut self, definition: &D) -> bool {
        match self.0.binary_search_by_key(&definition.valid_from(), Dated::valid_from) {
            Ok(index) => match self.0.get_mut(index) {
                Some(same) if same == definition => false,
                Some(other) => {
                    *other = definition.clone();
                    true
                }
                None => false,
            },
            Err(index) => {
                self.0.insert(index, definition.clone());
                true
            }
        }
    }

    fn at(&self, at: Micros) -> Option<&D> {
        in_force(&self.0, at, Dated::valid_from)
    }

    fn after(&self, at: Micros) -> impl Iterator<Item = &D> {
        self.0.iter().skip_while(move |definition| definition.valid_from() <= at)
    }
}

fn holds<I: Hash + Eq, D: Dated>(map: &FxHashMap<I, History<D>>, id: &I, definition: &D) -> bool {
    map.get(id).is_some_and(|history| history.0.contains(definition))
}

fn insert<I: Hash + Eq, D: Dated>(map: &mut FxHashMap<I, History<D>>, id: I, definition: &D) -> bool {
    map.entry(id).or_insert_with(|| History(Vec::new())).insert(definition)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(team: Option<&'static str>, valid_from: i64) -> Event {
        Event::AgentDefined(AgentDefinition {
            agent: ann(),
            team: team.map(|team| TeamId(Name::fixed(team))),
            chat_slots: 0,
            valid_from: Micros(valid_from),
        })
    }

    fn ann() -> AgentId {
        AgentId(Name::fixed("ann"))
    }

    fn team(name: &'static str) -> TeamId {
        TeamId(Name::fixed(name))
    }

    #[test]
    fn what_was_in_force_then_holds_whatever_the_order_of_learning_it() {
        let mut learned = Definitions::new();
        for event in [agent(Some("red"), 10), agent(Some("blue"), 30), agent(None, 20)] {
            assert!(learned.apply(&event));
        }
        let at = |at| learned.team_at(&ann(), Micros(at));
        assert_eq!((at(9), at(10), at(19)), (None, Some(team("red")), Some(team("red"))));
        assert_eq!((at(20), at(29), at(30)), (None, None, Some(team("blue"))));
    }

    #[test]
    fn of_two_definitions_for_one_instant_the_last_holds_and_an_identical_one_changes_nothing() {
        let mut definitions = Definitions::new();
        assert!(definitions.apply(&agent(Some("red"), 10)));
        assert!(!definitions.apply(&agent(Some("red"), 10)));
        assert!(definitions.apply(&agent(Some("blue"), 10)));
        assert_eq!(definitions.team_at(&ann(), Micros(10)), Some(team("blue")));
        assert_eq!(definitions.agents().count(), 1);
    }

    #[test]
    fn a_queue_that_nobody_defined_has_the_default_and_one_defined_later_has_it_until_then() {
        let queue = QueueId(Name::fixed("PS"));
        let mut definitions = Definitions::new();
        assert!(!definitions.knows_queue(&queue));
        let defined = QueueDefinition {
            threshold: Some(Micros::from_secs(60)),
            valid_from: Micros(100),
            ..QueueDefinition::default_for(queue.clone())
        };
        definitions.apply(&Event::QueueDefined(defined));
        assert!(definitions.knows_queue(&queue));
        assert_eq!(definitions.queue_at(&queue, Micros(99)).threshold, None);
        assert_eq!(definitions.queue_at(&queue, Micros(100)).threshold, Some(Micros::from_secs(60)));
    }

    #[test]
    fn a_span_is_cut_where_the_team_changes_and_nowhere_else() {
        let mut definitions = Definitions::new();
        for event in [
            agent(Some("red"), 10),
            agent(Some("red"), 15), // a new definition of the same team is no change
            agent(Some("blue"), 20),
            agent(None, 30),
            agent(Some("red"), 40),
        ] {
            definitions.apply(&event);
        }
        let cuts = |start, end| {
            let changes = definitions.team_changes(&ann(), Span::new(Micros(start), Micros(end)));
            changes.into_iter().map(|at| at.0).collect::<Vec<_>>()
        };
        assert_eq!(cuts(0, 50), [10, 20, 30, 40]);
        assert_eq!(cuts(10, 40), [20, 30]);
        assert_eq!(cuts(20, 21), [0; 0]);
        assert_eq!(
            definitions.team_changes(&AgentId(Name::fixed("bob")), Span::new(Micros(0), Micros(9))),
            []
        );
    }

    #[test]
    fn an_agent_has_at_least_one_chat_slot() {
        let mut definitions = Definitions::new();
        assert_eq!(definitions.chat_slots_at(&ann(), Micros(0)), 1);
        definitions.apply(&agent(None, 0));
        assert_eq!(definitions.chat_slots_at(&ann(), Micros(0)), 1);
    }
}

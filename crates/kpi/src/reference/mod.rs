//! What was in force when: the formula version, queues' thresholds and after-call work, agents' teams and slots, who is
//! believed, the site's days and what is allowed on them ([`days`]), what tickets' targets are reckoned by ([`tickets`]).
//!
//! A thin index over the domain's definitions: by small number and without a search where nothing is defined, since
//! every visit and every leg asks. Invariant: it says what [`Definitions`] says, in force at the instant asked about.

use pegcount_domain::{
    agent::AfterCallPolicy,
    deadlines::World,
    definitions::{Definitions, in_force},
    event::{Event, QueueDefinition},
    formula::{FORMULA_BUILT_IN, Forms, FormulaDefinition, Rules},
    ids::{AgentId, Key, TeamId},
    time::{Micros, Span},
};
use serde::{Deserialize, Serialize};

mod days;
mod tickets;

pub use self::days::EfficiencyTarget;
pub(crate) use self::days::{Allowance, Meals, ReasonLimits};
use self::{days::DayRules, tickets::TicketRules};
use crate::{
    agent::authority::Beliefs,
    cells::Detail,
    day::calendar::Calendar,
    names::{Id, Names},
};

/// What a formula version says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Law {
    pub(crate) number: u8,
    pub(crate) rules: Rules,
    pub(crate) forms: Forms,
}

impl<N> From<&FormulaDefinition<N>> for Law {
    fn from(formula: &FormulaDefinition<N>) -> Self {
        Self { number: formula.number, rules: formula.rules, forms: formula.forms }
    }
}

impl Default for Law {
    fn default() -> Self {
        Self::from(&FormulaDefinition::<Key>::built_in())
    }
}

/// Which version is in force when.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Laws {
    /// Until the first change, or throughout if it is forced.
    first: Law,
    /// From when on, which; sorted.
    later: Vec<(Micros, Law)>,
    forced: bool,
}

impl Laws {
    #[inline]
    fn at(&self, at: Micros) -> &Law {
        if self.later.is_empty() {
            return &self.first;
        }
        in_force(&self.later, at, |(from, _)| *from).map_or(&self.first, |(_, law)| law)
    }

    fn all(&self) -> impl Iterator<Item = &Law> {
        std::iter::once(&self.first).chain(self.later.iter().map(|(_, law)| law))
    }
}

/// The reference data of one site.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Reference {
    definitions: Definitions<Key>,
    laws: Laws,
    /// For each small number, the queue's definitions by `valid_from`.
    queues: Vec<Vec<QueueDefinition<Key>>>,
    /// For each small number, the agent's teams by their first instant.
    teams: Vec<Vec<(Micros, Id)>>,
    /// For each small number, the agent's slots by their first instant; empty: never more than one.
    slots: Vec<Vec<(Micros, u32)>>,
    /// Who is believed, from each instant on; sorted.
    beliefs: Vec<(Micros, Beliefs)>,
    calendar: Calendar,
    /// Days before this instant stay as they are, whatever zone is defined.
    days_fixed_to: Micros,
    rules: DayRules,
    tickets: TicketRules,
}

impl Default for Reference {
    fn default() -> Self {
        Self {
            definitions: Definitions::default(),
            laws: Laws::default(),
            queues: Vec::new(),
            teams: Vec::new(),
            slots: Vec::new(),
            beliefs: Vec::new(),
            calendar: Calendar::default(),
            days_fixed_to: Micros(i64::MIN),
            rules: DayRules::default(),
            tickets: TicketRules::default(),
        }
    }
}

/// The team at an instant, of those from each instant on.
pub(crate) fn team_at(teams: &[(Micros, Id)], at: Micros) -> Id {
    in_force(teams, at, |(from, _)| *from).map_or(Id::NONE, |(_, team)| *team)
}

/// A queue's thresholds (durations).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thresholds {
    pub(crate) threshold: Micros,
    pub(crate) short: Micros,
    pub(crate) rings: Micros,
    /// The formula version's number.
    pub(crate) version: u8,
}

impl Reference {
    /// Takes a definition in. True if an answer may have changed.
    pub(crate) fn apply(&mut self, event: &Event<Key>, names: &mut Names) -> bool {
        if !self.definitions.apply(event) {
            return false;
        }
        if let Event::AgentDefined(agent) = event {
            self.learn_teams(agent.agent, names);
            self.learn_slots(agent.agent, names);
        }
        if let Event::SiteDefined(site) = event {
            self.learn_zone(site.valid_from);
        }
        if let Event::AuthorityDefined(_) = event {
            let all = self.definitions.authorities();
            self.beliefs = all.map(|one| (one.valid_from, Beliefs::of(one))).collect();
        }
        self.rules.learn(event, &self.definitions, names);
        if TicketRules::are_of(event) {
            self.tickets.learn(&self.definitions, names);
        }
        if let Event::FormulaDefined(_) = event
            && !self.laws.forced
        {
            let dated = self.definitions.formulas().map(|formula| (formula.valid_from, Law::from(formula)));
            self.laws.later = dated.collect();
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

    /// Learns the words that have a meaning of their own, by the seed of all fingerprints.
    pub(crate) fn know_words(&mut self, seed: u64, names: &mut Names) {
        self.tickets.know_words(seed, names);
    }

    /// The instant from which on a definition may have targets of tickets reckoned anew; none if it does not.
    pub(crate) fn reckons_targets_from(event: &Event<Key>) -> Option<Micros> {
        match event {
            Event::CalendarDefined(calendar) => Some(calendar.valid_from),
            // What was worked of the date before stays worked, but a due time after it may move.
            Event::CalendarChanged(changed) => Some(changed.change.valid_from),
            Event::SiteDefined(site) => Some(site.valid_from),
            Event::TicketPoliciesDefined(policies) => Some(policies.valid_from),
            _ => None,
        }
    }

    /// What tickets' targets are reckoned by.
    pub(crate) fn world(&self) -> &World<Id> {
        self.tickets.world()
    }

    /// The calendar that every site has.
    pub(crate) fn standard_calendar(&self) -> Id {
        self.tickets.standard_calendar()
    }

    /// Whether tickets of a kind are complaints.
    pub(crate) fn is_complaint(&self, kind: Id) -> bool {
        self.tickets.is_complaint(kind)
    }

    /// Reckons by this version throughout, whatever is in force.
    pub(crate) fn force(&mut self, law: Law) {
        self.laws = Laws { first: law, later: Vec::new(), forced: true };
    }

    /// Whether another version comes into force, ever.
    pub(crate) fn has_changes(&self) -> bool {
        !self.laws.later.is_empty()
    }

    /// All versions: those in force at some time, and those that can be asked for.
    pub(crate) fn all_laws(&self) -> Vec<Law> {
        let mut laws: Vec<Law> = self.laws.all().copied().collect();
        laws.extend(self.definitions.formulas().map(Law::from));
        laws.push(Law::default());
        let mut numbers = Vec::new();
        laws.retain(|law| {
            let is_new = !numbers.contains(&law.number);
            numbers.push(law.number);
            is_new
        });
        laws
    }

    /// Whether one version holds throughout.
    pub(crate) fn is_forced(&self) -> bool {
        self.laws.forced
    }

    /// The version with this number, if there is one.
    pub(crate) fn law_named(&self, number: u8) -> Option<Law> {
        if self.laws.forced && self.laws.first.number == number {
            return Some(self.laws.first);
        }
        self.definitions.formula(number).as_ref().map(Law::from)
    }

    /// The numbers of all versions.
    pub(crate) fn law_numbers(&self) -> Vec<u8> {
        let defined = self.definitions.formulas().map(|formula| formula.number);
        let mut numbers: Vec<u8> = defined.chain([FORMULA_BUILT_IN]).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// The formula version in force at `at`.
    #[inline]
    pub(crate) fn law(&self, at: Micros) -> &Law {
        self.laws.at(at)
    }

    /// Whether every version that was in force by `until` counts as `law` does, so that only the ratios differ.
    pub(crate) fn counts_as(&self, law: &Law, until: Micros) -> bool {
        let later = self.laws.later.iter().take_while(|(from, _)| *from <= until).map(|(_, law)| law);
        std::iter::once(&self.laws.first).chain(later).all(|known| known.rules == law.rules)
    }

    /// The longest time that any version looks back or ahead at other contacts of a customer.
    pub(crate) fn longest_window(&self) -> Micros {
        let windows = self.laws.all().map(|law| law.rules.fcr_window.max(law.rules.repeat_window));
        windows.fold(Micros::ZERO, Micros::max)
    }

    /// The longest time within which any version takes a contact for a further attempt.
    pub(crate) fn longest_attempt(&self) -> Micros {
        self.laws.all().map(|law| law.rules.attempt_window).fold(Micros::ZERO, Micros::max)
    }

    /// All of it.
    pub(crate) fn definitions(&self) -> &Definitions<Key> {
        &self.definitions
    }

    /// The definition of `queue` in force at `at`.
    #[inline]
    pub(crate) fn queue(&self, queue: Id, at: Micros) -> Option<&QueueDefinition<Key>> {
        in_force(self.queues.get(queue.0 as usize)?, at, |known| known.valid_from)
    }

    /// The thresholds of `queue` in force at `at`: its own, else the formula's.
    pub(crate) fn thresholds(&self, queue: Id, at: Micros) -> Thresholds {
        let law = self.law(at);
        let Rules { threshold, short, rings, .. } = law.rules;
        let known = self.queue(queue, at);
        let own = |own: fn(&QueueDefinition<Key>) -> Option<Micros>, default| {
            known.and_then(own).unwrap_or(default)
        };
        Thresholds {
            threshold: own(|queue| queue.threshold, threshold),
            short: own(|queue| queue.short, short),
            rings: own(|queue| queue.rings, rings),
            version: law.number,
        }
    }

    /// How after-call work goes in `queue` at `at`.
    pub(crate) fn after_call(&self, queue: Id, at: Micros) -> AfterCallPolicy {
        self.queue(queue, at).map(QueueDefinition::after_call).unwrap_or_default()
    }

    /// Who is believed for which field of a leg whose earliest report is of `at`.
    #[inline]
    pub(crate) fn beliefs(&self, at: Micros) -> Beliefs {
        in_force(&self.beliefs, at, |(from, _)| *from).map(|(_, beliefs)| *beliefs).unwrap_or_default()
    }

    /// The teams of an agent: from when, which; sorted, and before the first: none.
    pub(crate) fn teams(&self, agent: Id) -> &[(Micros, Id)] {
        self.teams.get(agent.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// The team of an agent at `at`.
    pub(crate) fn team(&self, agent: Id, at: Micros) -> Id {
        team_at(self.teams(agent), at)
    }

    /// A zone was defined; before the instant up to which days are fixed it changes nothing.
    fn learn_zone(&mut self, valid_from: Micros) {
        let from = valid_from.max(self.days_fixed_to);
        let in_force = self.definitions.sites().filter(|site| site.valid_from <= from).last();
        if let Some(site) = in_force {
            self.calendar.define(from, &site.time_zone);
        }
    }

    /// Days that begin before an instant stay as they are from now on.
    pub(crate) fn fix_days(&mut self, before: Micros) {
        let day = self.calendar.day(before);
        let to = if day.start == before { before } else { day.end };
        self.days_fixed_to = self.days_fixed_to.max(to);
    }

    /// Up to which instant days are fixed.
    pub(crate) fn days_fixed_to(&self) -> Micros {
        self.days_fixed_to
    }

    /// Goes on with these days.
    pub(crate) fn set_calendar(&mut self, calendar: Calendar, fixed_to: Micros) {
        (self.calendar, self.days_fixed_to) = (calendar, fixed_to);
    }

    /// The site's days.
    pub(crate) fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// The instant from which on a definition has days judged anew; none if it does not.
    pub(crate) fn judges_days_from(&self, event: &Event<Key>) -> Option<Micros> {
        self.rules.judges_from(event, &self.definitions)
    }

    /// What agents of `team` are allowed on a day that begins at `start`.
    pub(crate) fn allowance(&self, team: Id, start: Micros) -> Option<&Allowance> {
        self.rules.allowance(team, start)
    }

    /// Whether time away for a reason is productive, on a day that begins at `start`.
    pub(crate) fn is_productive(&self, reason: Detail, start: Micros) -> bool {
        self.rules.is_productive(reason, start)
    }

    /// The limits of a reason under an allowance, on a day that begins at `start`.
    pub(crate) fn limits(&self, under: Option<&Allowance>, reason: Detail, start: Micros) -> ReasonLimits {
        self.rules.limits(under, reason, start)
    }

    /// The efficiency target of an agent of `team` for a day or a month that begins at `start`.
    pub(crate) fn efficiency_target(&self, agent: Id, team: Id, start: Micros) -> EfficiencyTarget {
        self.rules.efficiency_target(agent, team, start).unwrap_or_default()
    }

    /// The slots of an agent: from when, how many; sorted, and before the first: one. None: never more than one.
    pub(crate) fn slots(&self, agent: Id) -> &[(Micros, u32)] {
        self.slots.get(agent.0 as usize).map_or(&[], Vec::as_slice)
    }

    fn learn_slots(&mut self, agent: AgentId<Key>, names: &mut Names) {
        let own = self.definitions.agents().filter(|defined| defined.agent == agent);
        let mut slots: Vec<_> = own.map(|defined| (defined.valid_from, defined.chat_slots.max(1))).collect();
        slots.sort_unstable();
        if slots.iter().all(|(_, slots)| *slots == 1) {
            slots.clear();
        }
        let index = names.id(agent.0).0 as usize;
        if self.slots.len() <= index {
            self.slots.resize_with(index + 1, Vec::new);
        }
        if let Some(known) = self.slots.get_mut(index) {
            *known = slots;
        }
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

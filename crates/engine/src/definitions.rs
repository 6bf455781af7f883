//! Reference data comes in: queues, reasons, agents, teams, formula versions, targets, calendars, the site's zone, what is
//! allowed on a day, who is believed. Definitions are events like any other.
//!
//! Invariant: what is defined already, exactly so, is not written again; a formula version's number means one content.

use pegcount_domain::{
    allowance::{AllowanceDefinition, SiteDefinition},
    authority::AuthorityDefinition,
    calendar::CalendarDefinition,
    deadlines::PolicySet,
    envelope::{Position, StreamKind, StreamName},
    event::{AgentDefinition, Event, QueueDefinition, ReasonDefinition, TeamDefinition},
    formula::{FORMULA_WINDOW_MAX, FormulaDefinition},
    ids::{Name, SiteId},
    target::TargetDefinition,
    ticketing::KindRules,
    time::Micros,
    working::{CalendarChange, WorkingHistory, WorkingRules},
};
use pegcount_log::{Append, AppendError, Expected};
use smallvec::smallvec;

use crate::{
    engine::Engine,
    error::EngineError,
    ingest::new_event,
    options::{DECISIONS_MAX, DEFINITIONS_MAX},
    source::ENGINE_SOURCE,
};

/// The id of a site's one stream of definitions.
pub(crate) const ALL: Name = Name::fixed("all");

/// All that is defined at a site, and what was seen without a definition.
#[derive(Clone, Debug, Default)]
pub struct Defined {
    /// Queues, every version of each.
    pub queues: Vec<QueueDefinition>,
    /// Reasons, every version of each.
    pub reasons: Vec<ReasonDefinition>,
    /// Agents, every version of each.
    pub agents: Vec<AgentDefinition>,
    /// Teams, every version of each.
    pub teams: Vec<TeamDefinition>,
    /// Targets, every version of each.
    pub targets: Vec<TargetDefinition>,
    /// Calendars, every version of each.
    pub calendars: Vec<CalendarDefinition>,
    /// Comings into force of formula versions.
    pub formulas: Vec<FormulaDefinition>,
    /// The site's zone, every version of it.
    pub sites: Vec<SiteDefinition>,
    /// What is allowed on a day, every version for each team.
    pub allowances: Vec<AllowanceDefinition>,
    /// Who is believed for which field of a leg, every version of it.
    pub authorities: Vec<AuthorityDefinition>,
    /// What kinds of tickets need, every version of each.
    pub kinds: Vec<KindRules>,
    /// Deadline policies, every version of them.
    pub policies: Vec<PolicySet>,
    /// One-off changes of calendars.
    pub calendar_changes: Vec<CalendarChange>,
    /// Agents that facts named and nobody defined.
    pub undeclared_agents: Vec<Name>,
    /// Queues that facts named and nobody defined.
    pub undeclared_queues: Vec<Name>,
}

impl Defined {
    /// All definitions as the events that wrote them, by kind, id and date.
    pub fn events(&self) -> Vec<Event> {
        let queues = self.queues.iter().cloned().map(Event::QueueDefined);
        let reasons = self.reasons.iter().cloned().map(Event::ReasonDefined);
        let agents = self.agents.iter().cloned().map(Event::AgentDefined);
        let teams = self.teams.iter().cloned().map(Event::TeamDefined);
        let formulas = self.formulas.iter().cloned().map(|one| Event::FormulaDefined(Box::new(one)));
        let targets = self.targets.iter().cloned().map(|one| Event::TargetDefined(Box::new(one)));
        let calendars = self.calendars.iter().cloned().map(|one| Event::CalendarDefined(Box::new(one)));
        let people = queues.chain(reasons).chain(agents).chain(teams);
        let sites = self.sites.iter().cloned().map(Event::SiteDefined);
        let allowances = self.allowances.iter().cloned().map(Event::AllowanceDefined);
        let authorities = self.authorities.iter().cloned().map(Event::AuthorityDefined);
        let days = sites.chain(allowances).chain(authorities);
        let changes = self.calendar_changes.iter().cloned().map(|one| Event::CalendarChanged(Box::new(one)));
        let kinds = self.kinds.iter().cloned().map(|one| Event::TicketKindDefined(Box::new(one)));
        let policies = self.policies.iter().cloned().map(|one| Event::TicketPoliciesDefined(Box::new(one)));
        let tickets = changes.chain(kinds).chain(policies);
        people.chain(formulas).chain(targets).chain(calendars).chain(days).chain(tickets).collect()
    }
}

impl Engine {
    /// Writes the definitions that are new or changed; returns how many, and the position of the last.
    ///
    /// `events` hold definitions only; others are refused. Errors: too many, the log's.
    pub async fn define(
        &self,
        site: &SiteId,
        actor: &Name,
        events: Vec<Event>,
    ) -> Result<(usize, Position), EngineError> {
        if events.len() > DEFINITIONS_MAX {
            let reason =
                format!("holds {}; the limit is {DEFINITIONS_MAX}: send them in parts", events.len());
            return Err(EngineError::invalid("definitions", reason));
        }
        for (index, event) in events.iter().enumerate() {
            check(event).map_err(|reason| EngineError::invalid(format!("definitions[{index}]"), reason))?;
        }
        for (index, event) in events.iter().enumerate() {
            if let Event::SiteDefined(SiteDefinition { time_zone, .. }) = event
                && !pegcount_kpi::is_known_zone(time_zone)
            {
                let reason = format!(
                    "is {:?}, which the time zone database does not know; use a name like Europe/Berlin",
                    time_zone.as_str()
                );
                return Err(EngineError::invalid(format!("definitions[{index}].site.time_zone"), reason));
            }
        }
        let stream = StreamName { site: site.0.clone(), kind: StreamKind::Definition, id: ALL };
        for _ in 0..DECISIONS_MAX {
            let version = self.log.version(&stream)?;
            self.caught_up(self.log.end()).await?;
            let new = self.boards.state().read().new_definitions(site, &events);
            self.check_formulas(site, &new)?;
            if new.is_empty() {
                return Ok((0, Position::START));
            }
            let now = self.clock.now();
            let count = new.len();
            // A frame holds some hundred events; a few hundred definitions are one append, more are several.
            let append = Append {
                source: Name::fixed(ENGINE_SOURCE),
                batch: None,
                skip_to: None,
                expected: smallvec![(stream.clone(), Expected::Version(version))],
                events: new
                    .iter()
                    .map(|event| new_event(stream.clone(), event, now, now, actor.clone()))
                    .collect(),
            };
            match self.log.append(append).await {
                Ok(done) => {
                    self.caught_up(done.last).await?;
                    return Ok((count, done.last));
                }
                Err(AppendError::WrongVersion { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(EngineError::Precondition(format!(
            "somebody else defines at {site} all the time; tried {DECISIONS_MAX} times: try again later"
        )))
    }

    /// A formula version's number means the same for ever.
    fn check_formulas(&self, site: &SiteId, new: &[Event]) -> Result<(), EngineError> {
        let boards = self.boards.state().read();
        let formula = |event: &'_ Event| match event {
            Event::FormulaDefined(formula) => Some((**formula).clone()),
            _ => None,
        };
        for (index, one) in new.iter().enumerate() {
            let Some(one) = formula(one) else { continue };
            let told = new.iter().take(index).filter_map(formula).find(|known| known.number == one.number);
            let known = told.or_else(|| boards.formula(site, one.number));
            if let Some(known) = known.filter(|known| !known.same_content(&one)) {
                return Err(EngineError::Precondition(format!(
                    "formula version {} stands for something else: {}; a version never changes: give yours a new number",
                    one.number,
                    difference(&known, &one)
                )));
            }
        }
        Ok(())
    }

    /// Whether a formula version has been defined at `site`, or is the built-in one.
    pub(crate) fn is_defined(&self, site: &SiteId, version: u8) -> bool {
        self.boards.state().read().formula(site, version).is_some()
    }

    /// All that is defined at `site`.
    pub fn defined(&self, site: &SiteId) -> Defined {
        self.boards.state().read().defined(site)
    }
}

/// Whether a definition can be meant so; in words what is wrong, after its name.
pub(crate) fn check(event: &Event) -> Result<(), String> {
    match event {
        Event::QueueDefined(queue) => queue
            .check_timer()
            .map_err(|reason| format!("(queue {}): after_call_timer {reason}", queue.queue)),
        Event::FormulaDefined(formula) => check_formula(formula),
        Event::TargetDefined(target) => check_target(target),
        Event::CalendarDefined(calendar) => check_calendar(calendar),
        Event::CalendarChanged(change) => check_change(change),
        Event::TicketKindDefined(kind) => {
            kind.check().map_err(|(field, reason)| format!("(ticket_kind {}): {field} {reason}", kind.kind))
        }
        Event::TicketPoliciesDefined(policies) => {
            policies.check().map_err(|(field, reason)| format!("(ticket_policies): {field} {reason}"))
        }
        other if other.is_definition() => Ok(()),
        other => Err(format!("is {}, which defines nothing", other.event_type().name())),
    }
}

fn check_formula(formula: &FormulaDefinition) -> Result<(), String> {
    let rules = &formula.rules;
    let named = |what: &str| format!("(formula {}) has a {what}", formula.number);
    if formula.number == 0 {
        return Err("is a formula without a number; give 1 to 255".to_owned());
    }
    let windows = [
        ("attempt_window", rules.attempt_window),
        ("fcr_window", rules.fcr_window),
        ("repeat_window", rules.repeat_window),
    ];
    for (what, window) in windows {
        if window > FORMULA_WINDOW_MAX {
            let (days, limit) = (days(window), days(FORMULA_WINDOW_MAX));
            return Err(format!("{} of {days} days; the limit is {limit} days", named(what)));
        }
    }
    let lengths = [
        ("threshold", rules.threshold),
        ("short", rules.short),
        ("rings", rules.rings),
        ("short_handle", rules.short_handle),
    ];
    let negative = lengths.into_iter().chain(windows).find(|(_, length)| *length < Micros::ZERO);
    match negative {
        Some((what, length)) => Err(format!("{} of {length}; a duration is not negative", named(what))),
        None => Ok(()),
    }
}

fn days(window: Micros) -> i64 {
    window.0.div_euclid(24 * Micros::HOUR.0)
}

fn check_target(target: &TargetDefinition) -> Result<(), String> {
    let column = target.column.as_str();
    if pegcount_kpi::describe().iter().any(|known| known.name == column) {
        return Ok(());
    }
    Err(format!(
        "(target {}) is of `{column}`, which is no column; `pegcount kpi --columns help` lists them",
        target.target
    ))
}

fn check_change(change: &CalendarChange) -> Result<(), String> {
    let alone = WorkingHistory { rules: Vec::new(), changes: vec![change.change.clone()] };
    alone.check().map_err(|error| format!("(calendar_change of {}): {error}", change.calendar))
}

fn check_calendar(calendar: &CalendarDefinition) -> Result<(), String> {
    let name = &calendar.calendar;
    let working = WorkingHistory::of(WorkingRules::from(calendar));
    working.check().map_err(|error| format!("(calendar {name}): {error}"))?;
    let holidays = calendar.holidays.iter().map(|day| day.date);
    let mut dates: Vec<_> = holidays.chain(calendar.make_up_days.iter().map(|day| day.date)).collect();
    dates.sort_unstable();
    match dates.windows(2).find(|pair| matches!(pair, [one, other] if one == other)) {
        Some([date, _]) => Err(format!("(calendar {name}) says {date} twice; say it once")),
        _ => Ok(()),
    }
}

/// The first thing in which two versions differ, in words.
fn difference(known: &FormulaDefinition, one: &FormulaDefinition) -> String {
    let (a, b) = (&known.rules, &one.rules);
    let lengths = [
        ("threshold", a.threshold, b.threshold),
        ("short", a.short, b.short),
        ("rings", a.rings, b.rings),
        ("short_handle", a.short_handle, b.short_handle),
        ("attempt_window", a.attempt_window, b.attempt_window),
        ("fcr_window", a.fcr_window, b.fcr_window),
        ("repeat_window", a.repeat_window, b.repeat_window),
    ];
    let words = [
        ("fcr_identity", a.fcr_identity.word(), b.fcr_identity.word()),
        ("fcr_repeats", a.fcr_repeats.word(), b.fcr_repeats.word()),
        ("fcr_transfer", a.fcr_transfer.word(), b.fcr_transfer.word()),
        ("aht", known.forms.aht.word(), one.forms.aht.word()),
        ("abandon_rate", known.forms.abandon_rate.word(), one.forms.abandon_rate.word()),
        ("service_level", known.forms.service_level.word(), one.forms.service_level.word()),
        ("occupancy", known.forms.occupancy.word(), one.forms.occupancy.word()),
        ("fcr", known.forms.fcr.word(), one.forms.fcr.word()),
    ];
    let length = lengths.iter().find(|(_, a, b)| a != b);
    let length = length.map(|(what, a, b)| format!("its {what} is {a}, not {b}"));
    let word =
        || words.iter().find(|(_, a, b)| a != b).map(|(what, a, b)| format!("its {what} is {a}, not {b}"));
    length.or_else(word).unwrap_or_default()
}

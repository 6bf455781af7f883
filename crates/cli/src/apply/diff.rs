//! What a site's file would change: added, changed, unchanged, and what is defined but not in the file.
//!
//! Nothing is ever taken away: definitions are events. Invariant: what is listed as added or changed is exactly what would
//! be written.

#[path = "diff_tickets.rs"]
mod tickets;

use std::fmt::Write;

use jiff::tz::TimeZone;
use pegcount_domain::{
    allowance::AllowanceDefinition,
    authority::{AuthorityDefinition, LegField},
    calendar::CalendarDefinition,
    event::{AgentDefinition, Event, QueueDefinition, ReasonDefinition},
    formula::FormulaDefinition,
    ids::Name,
    target::{TargetDefinition, TargetScope},
    time::Micros,
};

use crate::{
    site_file::{
        text::{written, written_minute},
        write::decimal,
    },
    when,
};

/// The differences between a file and what is defined.
#[derive(Debug, Default)]
pub(super) struct Diff {
    /// Not there yet.
    pub(super) added: Vec<Line>,
    /// There already from that instant on, or before it, and otherwise.
    pub(super) changed: Vec<Line>,
    /// There exactly so.
    pub(super) unchanged: usize,
    /// There, and not in the file: it stays.
    pub(super) not_in_file: Vec<Line>,
    /// What is to be written.
    pub(super) events: Vec<Event>,
}

/// One definition, for the eye.
#[derive(Debug)]
pub(super) struct Line {
    what: String,
    from: Micros,
    /// What it says, or what changes.
    fields: Vec<String>,
}

/// Which thing, from when on, and what is said of it.
struct Facts {
    what: String,
    from: Micros,
    fields: Vec<(&'static str, String)>,
}

/// Which thing, and what is said of it, field by field.
type Told = (String, Vec<(&'static str, String)>);

impl Diff {
    /// Compares a file's definitions with those that stand.
    pub(super) fn of(file: &[Event], standing: &[Event]) -> Self {
        let mut diff = Self::default();
        for event in file {
            if standing.contains(event) {
                diff.unchanged += 1;
                continue;
            }
            let new = facts(event);
            let known = standing.iter().map(facts).filter(|known| known.what == new.what);
            let before = known.filter(|known| known.from <= new.from).max_by_key(|known| known.from);
            let line = |fields| Line { what: new.what.clone(), from: new.from, fields };
            match before {
                Some(before) => diff.changed.push(line(changes(&before, &new))),
                None => diff.added.push(line(said(&new))),
            }
            diff.events.push(event.clone());
        }
        let in_file: Vec<(String, Micros)> =
            file.iter().map(facts).map(|known| (known.what, known.from)).collect();
        for known in standing.iter().map(facts) {
            if !in_file.iter().any(|(what, from)| *what == known.what && *from == known.from) {
                let fields = said(&known);
                diff.not_in_file.push(Line { what: known.what, from: known.from, fields });
            }
        }
        diff
    }

    /// The earliest instant from which on anything becomes otherwise.
    pub(super) fn reaches_back_to(&self) -> Option<Micros> {
        self.added.iter().chain(&self.changed).map(|line| line.from).min()
    }

    /// For the eye: a line for each, with a sign before it.
    pub(super) fn words(&self, zone: &TimeZone) -> String {
        let mut text = String::new();
        for (sign, lines) in [("+", &self.added), ("~", &self.changed), ("?", &self.not_in_file)] {
            for line in lines {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{sign} {}", line.words(zone));
            }
        }
        let (added, changed, unchanged) = (self.added.len(), self.changed.len(), self.unchanged);
        let _ = write!(text, "{added} added (+), {changed} changed (~), {unchanged} unchanged");
        if !self.not_in_file.is_empty() {
            let _ = write!(text, ", {} not in the file (?), which stay", self.not_in_file.len());
        }
        text
    }
}

impl Line {
    fn words(&self, zone: &TimeZone) -> String {
        let from = if self.from <= Micros::ZERO {
            "since ever".to_owned()
        } else {
            format!("from {}", when::short(self.from, zone))
        };
        let fields =
            if self.fields.is_empty() { String::new() } else { format!(": {}", self.fields.join(", ")) };
        format!("{} {from}{fields}", self.what)
    }
}

fn said(facts: &Facts) -> Vec<String> {
    let told = facts.fields.iter().filter(|(_, value)| !value.is_empty());
    told.map(|(key, value)| format!("{key} {value}")).collect()
}

fn changes(before: &Facts, after: &Facts) -> Vec<String> {
    let shown = |value: &str| if value.is_empty() { "none".to_owned() } else { value.to_owned() };
    let pairs = before.fields.iter().zip(&after.fields).filter(|((_, a), (_, b))| a != b);
    let mut list: Vec<String> =
        pairs.map(|((key, a), (_, b))| format!("{key} {} → {}", shown(a), shown(b))).collect();
    if list.is_empty() {
        list.push("the same as before it".to_owned());
    }
    list
}

fn name(name: Option<&Name>) -> String {
    name.map(ToString::to_string).unwrap_or_default()
}

fn length(length: Option<Micros>) -> String {
    length.map(written).unwrap_or_default()
}

fn yes(is_so: bool) -> String {
    if is_so { "yes".to_owned() } else { String::new() }
}

fn facts(event: &Event) -> Facts {
    let (what, fields) = told(event);
    Facts { what, from: event.valid_from().unwrap_or(Micros::ZERO), fields }
}

fn told(event: &Event) -> Told {
    match event {
        Event::QueueDefined(queue) => of_queue(queue),
        Event::ReasonDefined(reason) => of_reason(reason),
        Event::AgentDefined(agent) => of_agent(agent),
        Event::TeamDefined(team) => {
            (format!("team {}", team.team), vec![("label", name(team.label.as_ref()))])
        }
        Event::FormulaDefined(formula) => of_formula(formula),
        Event::TargetDefined(target) => of_target(target),
        Event::CalendarDefined(calendar) => of_calendar(calendar),
        Event::CalendarChanged(change) => tickets::of_change(change),
        Event::TicketKindDefined(kind) => tickets::of_kind(kind),
        Event::TicketPoliciesDefined(set) => tickets::of_policies(set),
        Event::SiteDefined(site) => {
            ("site".to_owned(), vec![("time_zone", site.time_zone.as_str().to_owned())])
        }
        Event::AllowanceDefined(allowance) => of_allowance(allowance),
        Event::AuthorityDefined(authority) => (
            "authority".to_owned(),
            LegField::ALL.iter().map(|field| (field.word(), believed(authority, *field))).collect(),
        ),
        other => (other.event_type().name().to_owned(), Vec::new()),
    }
}

fn of_queue(queue: &QueueDefinition) -> Told {
    (
        format!("queue {}", queue.queue),
        vec![
            ("label", name(queue.label.as_ref())),
            ("threshold", length(queue.threshold)),
            ("short", length(queue.short)),
            ("rings", length(queue.rings)),
            ("after_call", queue.after_call_end.word().to_owned()),
            ("after_call_timer", length(Some(queue.after_call_timer).filter(|timer| *timer > Micros::ZERO))),
            ("after_call_on_contact", queue.after_call_on_contact.word().to_owned()),
        ],
    )
}

fn of_reason(reason: &ReasonDefinition) -> Told {
    (
        format!("reason {}", reason.reason),
        vec![
            ("label", name(reason.label.as_ref())),
            ("productive", yes(reason.productive)),
            ("paid", yes(reason.paid)),
            ("longest", length(reason.longest)),
        ],
    )
}

fn of_agent(agent: &AgentDefinition) -> Told {
    (
        format!("agent {}", agent.agent),
        vec![
            ("team", name(agent.team.as_ref().map(|team| &team.0))),
            ("chat_slots", agent.chat_slots.to_string()),
        ],
    )
}

/// All comings into force are one line of time: what changes is told against the version before.
fn of_formula(formula: &FormulaDefinition) -> Told {
    let mut fields = vec![("version", formula.number.to_string()), ("name", name(formula.name.as_ref()))];
    fields.extend(formula.rules.lengths().map(|(key, length)| (key, written(length))));
    fields.extend(formula.words().map(|(key, word)| (key, word.to_owned())));
    ("formula".to_owned(), fields)
}

fn of_target(target: &TargetDefinition) -> Told {
    let (level, _, of) = target.scope.parts();
    let scope = match of {
        Some(of) => format!("{level} {of}"),
        None if target.scope == TargetScope::Site => level.to_owned(),
        None => format!("each {level}"),
    };
    let value = target.value.map(|value| format!("{} {}", target.comparison.word(), decimal(value)));
    (
        format!("target {}", target.target),
        vec![
            ("column", target.column.as_str().to_owned()),
            ("value", value.unwrap_or_else(|| "retired".to_owned())),
            ("for", scope),
        ],
    )
}

fn of_calendar(calendar: &CalendarDefinition) -> Told {
    let windows = calendar.windows.iter().map(|window| {
        let (from, to) = (written_minute(window.from), written_minute(window.to));
        format!("{} {from}–{to}", window.day.word())
    });
    let holidays = calendar.holidays.iter().map(|day| day.date.to_string());
    let made_up = calendar.make_up_days.iter().map(|day| format!("{} like {}", day.date, day.like.word()));
    let join = |items: Vec<String>| items.join(" ");
    (
        format!("calendar {}", calendar.calendar),
        vec![
            ("time_zone", calendar.time_zone.to_string()),
            ("windows", join(windows.collect())),
            ("holidays", join(holidays.collect())),
            ("make_up_days", join(made_up.collect())),
        ],
    )
}

/// Who is believed, where that is not as by default.
fn believed(authority: &AuthorityDefinition, field: LegField) -> String {
    let said = authority.believed(field);
    if said == field.believed_by_default() { String::new() } else { said.word().to_owned() }
}

fn of_allowance(allowance: &AllowanceDefinition) -> Told {
    let limits = |longest: Option<Micros>, total: Option<Micros>, count: Option<u32>| {
        let mut words = String::new();
        let lengths = [("longest", longest), ("total", total)];
        for (key, length) in lengths.into_iter().filter_map(|(key, length)| Some((key, length?))) {
            let _ = write!(words, " {key} {}", written(length));
        }
        if let Some(count) = count {
            let _ = write!(words, " at most {count}");
        }
        words
    };
    let reasons = allowance
        .reasons
        .iter()
        .map(|one| format!("reason {}{}", one.reason, limits(one.longest, one.total, one.count)));
    let meals = allowance.meals.as_ref().map(|meals| {
        let reasons: Vec<String> = meals.reasons.iter().map(ToString::to_string).collect();
        let hours = meals.hours.map(|hours| {
            format!(" from {} to {}", written_minute(hours.from_minute), written_minute(hours.to_minute))
        });
        let limits = limits(meals.longest, None, meals.count);
        format!("{}{limits}{}", reasons.join(" "), hours.unwrap_or_default())
    });
    (
        format!("allowance {}", allowance.team.as_ref().map_or("for all", |team| team.as_str())),
        vec![
            ("total", length(allowance.total)),
            ("sign_ins", allowance.sign_ins.map(|count| count.to_string()).unwrap_or_default()),
            ("limits", reasons.collect::<Vec<_>>().join(", ")),
            ("meals", meals.unwrap_or_default()),
        ],
    )
}

#[cfg(test)]
mod tests {
    use pegcount_domain::ids::QueueId;

    use super::*;

    fn queue(threshold: i64, from: i64) -> Event {
        Event::QueueDefined(QueueDefinition {
            threshold: Some(Micros::from_secs(threshold)),
            valid_from: Micros::from_secs(from),
            ..QueueDefinition::default_for(QueueId(Name::fixed("sales")))
        })
    }

    #[test]
    fn what_is_new_changed_the_same_and_only_there_is_told_apart_with_dates() {
        let march = 1_772_323_200;
        let day = 86_400;
        let standing = [
            queue(20, 0),
            queue(40, march),
            Event::AgentDefined(AgentDefinition {
                agent: pegcount_domain::ids::AgentId(Name::fixed("ben")),
                team: None,
                chat_slots: 1,
                valid_from: Micros::ZERO,
            }),
        ];
        let file = [queue(20, 0), queue(30, march), queue(35, march + day)];
        let diff = Diff::of(&file, &standing);
        let expected = "~ queue sales from 2026-03-01: threshold 40s → 30s\n\
                        ~ queue sales from 2026-03-02: threshold 40s → 35s\n\
                        ? agent ben since ever: chat_slots 1\n\
                        0 added (+), 2 changed (~), 1 unchanged, 1 not in the file (?), which stay";
        assert_eq!(diff.words(&TimeZone::UTC), expected);
        assert_eq!(diff.events, [queue(30, march), queue(35, march + day)]);
        assert_eq!(diff.reaches_back_to(), Some(Micros::from_secs(march)));
    }

    #[test]
    fn nothing_to_do_is_nothing_to_write() {
        let diff = Diff::of(&[queue(20, 0)], &[queue(20, 0)]);
        assert!(diff.events.is_empty());
        assert_eq!(diff.words(&TimeZone::UTC), "0 added (+), 0 changed (~), 1 unchanged");
    }
}

//! Definitions as a site's file: what `pegcount definitions` prints.
//!
//! Invariant: read again it gives the same definitions, an agent's that change nothing left out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{Display, Write},
};

use jiff::tz::TimeZone;
use pegcount_domain::{
    allowance::{AllowanceDefinition, SiteDefinition},
    authority::{AuthorityDefinition, Reporter},
    calendar::{CalendarDefinition, Weekday},
    event::{AfterCallEnd, AfterCallOnContact, AgentDefinition, Event, QueueDefinition, ReasonDefinition},
    formula::FormulaDefinition,
    ids::{AgentId, Name, TeamId},
    target::{TARGET_UNIT, TargetDefinition},
    time::Micros,
};

use super::text;
use crate::when;

/// A file that says these definitions; dates are written in the zone that the site has since ever, or else in UTC.
pub(crate) fn file(site: &str, events: &[Event]) -> String {
    let since_ever = events.iter().find_map(|event| match event {
        Event::SiteDefined(site) if site.valid_from <= Micros::ZERO => Some(site.time_zone.as_str()),
        _ => None,
    });
    let zone = since_ever.and_then(|name| when::zone(name).ok()).unwrap_or(TimeZone::UTC);
    let mut out = Out { text: String::new(), zone };
    out.entry("[site]");
    out.text("name", Some(site));
    out.text("time_zone", since_ever);
    let agents = events.iter().filter_map(|event| match event {
        Event::AgentDefined(agent) => Some(agent),
        _ => None,
    });
    let people = People::of(agents);
    let mut told = BTreeSet::new();
    for event in events {
        match event {
            Event::QueueDefined(queue) => out.queue(queue),
            Event::ReasonDefined(reason) => out.reason(reason),
            Event::TeamDefined(team) => {
                let members = people.teams.get(&team.team).filter(|_| told.insert(team.team.clone()));
                out.team(&team.team, team.label.as_ref(), team.valid_from, members);
            }
            Event::FormulaDefined(formula) => out.formula(formula),
            Event::TargetDefined(target) => out.target(target),
            Event::CalendarDefined(calendar) => out.calendar(calendar),
            Event::SiteDefined(site) => out.zone(site),
            Event::AllowanceDefined(allowance) => out.allowance(allowance),
            Event::AuthorityDefined(authority) => out.authority(authority),
            Event::CalendarChanged(change) => out.calendar_change(change),
            Event::TicketKindDefined(kind) => out.ticket_kind(kind),
            Event::TicketPoliciesDefined(set) => out.ticket_policies(set),
            _ => {}
        }
    }
    for (team, members) in people.teams.iter().filter(|(team, _)| !told.contains(*team)) {
        out.team(team, None, Micros::ZERO, Some(members));
    }
    for (agent, slots) in &people.slots {
        for (from, slots) in slots {
            out.entry("[[agent]]");
            out.name("agent", &agent.0);
            if *slots != 1 {
                out.line("chat_slots", slots);
            }
            out.since(*from);
        }
    }
    out.text
}

/// An agent in a team, from and until when.
struct Membership {
    agent: AgentId,
    from: Micros,
    until: Option<Micros>,
}

/// Agents' lines of time, by team and by agent.
#[derive(Default)]
struct People {
    teams: BTreeMap<TeamId, Vec<Membership>>,
    /// Of those who have more chat slots than one, or no team at all.
    slots: BTreeMap<AgentId, Vec<(Micros, u32)>>,
}

impl People {
    fn of<'a>(agents: impl Iterator<Item = &'a AgentDefinition>) -> Self {
        let mut lives: BTreeMap<AgentId, BTreeMap<Micros, &AgentDefinition>> = BTreeMap::new();
        for agent in agents {
            lives.entry(agent.agent.clone()).or_default().insert(agent.valid_from, agent);
        }
        let mut people = Self::default();
        for (agent, life) in lives {
            let mut team: Option<TeamId> = None;
            for (from, defined) in &life {
                if defined.team == team {
                    continue;
                }
                if let Some(known) = team.as_ref().and_then(|left| people.teams.get_mut(left)?.last_mut()) {
                    known.until = Some(*from);
                }
                if let Some(joined) = &defined.team {
                    let membership = Membership { agent: agent.clone(), from: *from, until: None };
                    people.teams.entry(joined.clone()).or_default().push(membership);
                }
                team.clone_from(&defined.team);
            }
            let in_team = life.values().any(|defined| defined.team.is_some());
            let mut slots: Vec<(Micros, u32)> =
                life.iter().map(|(from, defined)| (*from, defined.chat_slots)).collect();
            slots.dedup_by_key(|(_, slots)| *slots);
            if !in_team || slots.iter().any(|(_, slots)| *slots != 1) {
                people.slots.insert(agent, slots);
            }
        }
        people
    }
}

/// The file so far.
pub(super) struct Out {
    text: String,
    zone: TimeZone,
}

/// A text in quotes. What JSON escapes, TOML reads alike.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl Out {
    pub(super) fn entry(&mut self, head: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(head);
        self.text.push('\n');
    }

    pub(super) fn line(&mut self, key: &str, value: impl Display) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{key} = {value}");
    }

    pub(super) fn text(&mut self, key: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.line(key, quoted(text));
        }
    }

    pub(super) fn name(&mut self, key: &str, name: &Name) {
        self.text(key, Some(name.as_str()));
    }

    pub(super) fn length(&mut self, key: &str, length: Option<Micros>) {
        self.text(key, length.map(text::written).as_deref());
    }

    fn instant(&self, at: Micros) -> String {
        quoted(&when::exact(at, &self.zone))
    }

    pub(super) fn since(&mut self, from: Micros) {
        if from > Micros::ZERO {
            let from = self.instant(from);
            self.line("valid_from", from);
        }
    }

    fn queue(&mut self, queue: &QueueDefinition) {
        self.entry("[[queue]]");
        self.name("queue", &queue.queue.0);
        self.text("label", queue.label.as_ref().map(Name::as_str));
        self.length("threshold", queue.threshold);
        self.length("short", queue.short);
        self.length("rings", queue.rings);
        if queue.after_call_end != AfterCallEnd::ByAgent {
            self.text("after_call", Some(queue.after_call_end.word()));
        }
        let timed = queue.after_call_end == AfterCallEnd::ByTimer;
        self.length("after_call_timer", timed.then_some(queue.after_call_timer));
        if queue.after_call_on_contact != AfterCallOnContact::Ends {
            self.text("after_call_on_contact", Some(queue.after_call_on_contact.word()));
        }
        self.since(queue.valid_from);
    }

    fn reason(&mut self, reason: &ReasonDefinition) {
        self.entry("[[reason]]");
        self.name("reason", &reason.reason.0);
        self.text("label", reason.label.as_ref().map(Name::as_str));
        for (key, is_so) in [("productive", reason.productive), ("paid", reason.paid)] {
            if is_so {
                self.line(key, true);
            }
        }
        self.length("longest", reason.longest);
        self.since(reason.valid_from);
    }

    fn team(&mut self, team: &TeamId, label: Option<&Name>, from: Micros, members: Option<&Vec<Membership>>) {
        self.entry("[[team]]");
        self.name("team", &team.0);
        self.text("label", label.map(Name::as_str));
        self.since(from);
        let Some(members) = members else { return };
        self.text.push_str("members = [\n");
        for member in members {
            let agent = quoted(member.agent.as_str());
            let mut dates = String::new();
            if member.from > Micros::ZERO {
                let _ = write!(dates, ", from = {}", self.instant(member.from));
            }
            if let Some(until) = member.until {
                let _ = write!(dates, ", until = {}", self.instant(until));
            }
            let member = if dates.is_empty() { agent } else { format!("{{ agent = {agent}{dates} }}") };
            let _ = writeln!(self.text, "    {member},");
        }
        self.text.push_str("]\n");
    }

    fn formula(&mut self, formula: &FormulaDefinition) {
        self.entry("[[formula]]");
        self.line("number", formula.number);
        self.text("name", formula.name.as_ref().map(Name::as_str));
        self.text("notes", formula.notes.as_ref().map(Name::as_str));
        self.since(formula.valid_from);
        let usual = FormulaDefinition::<Name>::built_in();
        for ((key, length), (_, usual)) in formula.rules.lengths().into_iter().zip(usual.rules.lengths()) {
            self.length(key, (length != usual).then_some(length));
        }
        for ((key, word), (_, usual)) in formula.words().into_iter().zip(usual.words()) {
            self.text(key, (word != usual).then_some(word));
        }
    }

    fn target(&mut self, target: &TargetDefinition) {
        self.entry("[[target]]");
        self.name("target", &target.target);
        self.text("column", Some(target.column.as_str()));
        self.text("comparison", Some(target.comparison.word()));
        match target.value {
            Some(value) => self.line("value", decimal(value)),
            None => self.line("retired", true),
        }
        let (scope, _, of) = target.scope.parts();
        self.text("scope", Some(scope));
        self.text("of", of.map(Name::as_str));
        self.since(target.valid_from);
    }

    fn calendar(&mut self, calendar: &CalendarDefinition) {
        self.entry("[[calendar]]");
        self.name("calendar", &calendar.calendar);
        self.name("time_zone", &calendar.time_zone);
        let mut hours: BTreeMap<(u16, u16), Vec<Weekday>> = BTreeMap::new();
        for window in &calendar.windows {
            hours.entry((window.from, window.to)).or_default().push(window.day);
        }
        let windows = hours.into_iter().map(|((from, to), days)| {
            let days: Vec<_> = days.into_iter().map(|day| quoted(day.word())).collect();
            let (from, to) = (text::written_minute(from), text::written_minute(to));
            format!("{{ days = [{}], from = \"{from}\", to = \"{to}\" }}", days.join(", "))
        });
        let windows = windows.collect();
        self.list("windows", windows);
        let holidays = calendar.holidays.iter().map(|day| {
            let name = day.name.as_ref().map(|name| format!(", name = {}", quoted(name.as_str())));
            format!("{{ date = \"{}\"{} }}", day.date, name.unwrap_or_default())
        });
        self.list("holidays", holidays.collect());
        let made_up = calendar.make_up_days.iter();
        let made_up =
            made_up.map(|day| format!("{{ date = \"{}\", like = \"{}\" }}", day.date, day.like.word()));
        self.list("make_up_days", made_up.collect());
        self.since(calendar.valid_from);
    }

    /// The one since ever stands at the file's head.
    fn zone(&mut self, site: &SiteDefinition) {
        if site.valid_from > Micros::ZERO {
            self.entry("[[zone]]");
            self.text("time_zone", Some(site.time_zone.as_str()));
            self.since(site.valid_from);
        }
    }

    fn allowance(&mut self, allowance: &AllowanceDefinition) {
        self.entry("[[allowance]]");
        self.text("team", allowance.team.as_ref().map(TeamId::as_str));
        self.length("total", allowance.total);
        if let Some(sign_ins) = allowance.sign_ins {
            self.line("sign_ins", sign_ins);
        }
        let reasons = allowance.reasons.iter().map(|reason| {
            let limits = [("longest", reason.longest), ("total", reason.total)];
            inline([named("reason", reason.reason.as_str())], limits, reason.count, [])
        });
        self.list("reasons", reasons.collect());
        if let Some(meals) = &allowance.meals {
            let reasons: Vec<String> = meals.reasons.iter().map(|reason| quoted(reason.as_str())).collect();
            let hours = meals.hours.map(|hours| {
                let (from, to) =
                    (text::written_minute(hours.from_minute), text::written_minute(hours.to_minute));
                format!("hours = {{ from = \"{from}\", to = \"{to}\" }}")
            });
            let reasons = format!("reasons = [{}]", reasons.join(", "));
            self.line("meals", inline([reasons], [("longest", meals.longest)], meals.count, hours));
        }
        self.since(allowance.valid_from);
    }

    fn authority(&mut self, authority: &AuthorityDefinition) {
        self.entry("[[authority]]");
        for reporter in Reporter::ALL {
            let own = authority.believed.iter().filter(|(_, believed)| believed == reporter);
            let fields: Vec<String> = own.map(|(field, _)| quoted(field.word())).collect();
            if !fields.is_empty() {
                self.line(reporter.word(), format!("[{}]", fields.join(", ")));
            }
        }
        self.since(authority.valid_from);
    }

    pub(super) fn list(&mut self, key: &str, items: Vec<String>) {
        if items.is_empty() {
            return;
        }
        let _ = writeln!(self.text, "{key} = [");
        for item in items {
            let _ = writeln!(self.text, "    {item},");
        }
        self.text.push_str("]\n");
    }
}

fn named(key: &str, text: &str) -> String {
    format!("{key} = {}", quoted(text))
}

/// An inline table of what limits something.
fn inline<const N: usize>(
    first: [String; 1],
    lengths: [(&str, Option<Micros>); N],
    count: Option<u32>,
    last: impl IntoIterator<Item = String>,
) -> String {
    let lengths = lengths.into_iter().filter_map(|(key, length)| Some(named(key, &text::written(length?))));
    let count = count.map(|count| format!("count = {count}"));
    let parts: Vec<String> = first.into_iter().chain(lengths).chain(count).chain(last).collect();
    format!("{{ {} }}", parts.join(", "))
}

/// Millionths as a decimal.
pub(crate) fn decimal(millionths: i64) -> String {
    let sign = if millionths < 0 { "-" } else { "" };
    let (whole, fraction) =
        (millionths.unsigned_abs() / TARGET_UNIT.unsigned_abs(), millionths.unsigned_abs() % 1_000_000);
    if fraction == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{}", format!("{fraction:06}").trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::site_file::read::read;

    const EVERYTHING: &str = include_str!("../../../../deploy/site.toml");

    #[test]
    fn the_example_site_reads_back_as_it_was_after_it_is_written() {
        let first = read(Path::new("site.toml"), EVERYTHING).unwrap();
        let written = file("main", &first.events);
        let again = read(Path::new("site.toml"), &written).unwrap();
        let sorted = |events: &[Event]| {
            let mut words: Vec<String> = events.iter().map(|event| format!("{event:?}")).collect();
            words.sort();
            words
        };
        assert_eq!(sorted(&again.events), sorted(&first.events), "{written}");
        assert_eq!(file("main", &again.events), written);
    }

    #[test]
    fn millionths_are_written_without_what_says_nothing() {
        assert_eq!([980_000, 20_000_000, -500_000, 1].map(decimal), ["0.98", "20", "-0.5", "0.000001"]);
    }
}

//! A site's file into definitions: every entry checked, every error with its file, line and key.
//!
//! Memberships and chat slots of an agent come from two kinds of entries and become one line of time. Invariant: nothing is
//! guessed: what is not understood is refused with what would be.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use jiff::tz::TimeZone;
use pegcount_domain::{
    calendar::{CalendarDefinition, Holiday, MakeUpDay, Weekday, Window},
    event::{
        AfterCallEnd, AfterCallOnContact, AgentDefinition, Event, QueueDefinition, ReasonDefinition,
        TeamDefinition,
    },
    formula::{
        AbandonForm, Forms, FormulaDefinition, HandleTimeForm, Identity, OccupancyForm, Repeats,
        ResolutionForm, Rules, ServiceLevelForm, TransferRule,
    },
    ids::{AgentId, Name, QueueId, ReasonCode, TeamId},
    target::{Comparison, TARGET_UNIT, TargetDefinition, TargetScope},
    time::Micros,
};
use pegcount_kpi::Unit;
use toml::Spanned;

use super::{
    AgentEntry, Amount, CalendarEntry, FormulaEntry, Member, QueueEntry, ReasonEntry, SiteFile, TargetEntry,
    TeamEntry, Text, text,
};
use crate::when;

/// Why a file is no site.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SiteFileError {
    /// It is no such file.
    #[error("{}: {source}", .path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What the reader of TOML says.
        source: Box<toml::de::Error>,
    },
    /// A value is not what it should be.
    #[error("{}, line {line}: {key} {reason}", .path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// The key, with the entry that it stands in.
        key: String,
        /// What is wrong, and what would do.
        reason: String,
    },
}

type Read<T> = Result<T, SiteFileError>;

/// What a file says.
#[derive(Debug)]
pub(crate) struct SiteRead {
    /// The site's name, if it says one.
    pub(crate) site: Option<String>,
    /// The zone that its dates are meant in.
    pub(crate) zone: TimeZone,
    /// Its definitions, by kind.
    pub(crate) events: Vec<Event>,
}

/// Reads a file's text.
pub(crate) fn read(path: &Path, content: &str) -> Read<SiteRead> {
    let file: SiteFile = toml::from_str(content)
        .map_err(|source| SiteFileError::Form { path: path.to_owned(), source: Box::new(source) })?;
    let mut reader = Reader { path, content, zone: TimeZone::UTC };
    if let Some(zone) = &file.site.time_zone {
        let found = when::zone(zone.get_ref());
        reader.zone = found.map_err(|error| reader.wrong("site.time_zone", zone, error.to_string()))?;
    }
    let mut events = Vec::new();
    for queue in &file.queue {
        events.push(Event::QueueDefined(reader.queue(queue)?));
    }
    for reason in &file.reason {
        events.push(Event::ReasonDefined(reader.reason(reason)?));
    }
    events.extend(reader.people(&file.team, &file.agent)?);
    for formula in &file.formula {
        events.push(Event::FormulaDefined(Box::new(reader.formula(formula)?)));
    }
    for target in &file.target {
        events.push(Event::TargetDefined(Box::new(reader.target(target)?)));
    }
    for calendar in &file.calendar {
        events.push(Event::CalendarDefined(Box::new(reader.calendar(calendar)?)));
    }
    let site = file.site.name.map(Spanned::into_inner);
    Ok(SiteRead { site, zone: reader.zone, events })
}

struct Reader<'a> {
    path: &'a Path,
    content: &'a str,
    zone: TimeZone,
}

/// An agent's line of time: team and chat slots, each from an instant on.
#[derive(Default)]
struct Life {
    teams: BTreeMap<Micros, Option<TeamId>>,
    slots: BTreeMap<Micros, u32>,
}

impl Reader<'_> {
    fn wrong<T>(&self, key: &str, at: &Spanned<T>, reason: impl Into<String>) -> SiteFileError {
        let before = self.content.get(..at.span().start).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        SiteFileError::Value { path: self.path.to_owned(), line, key: key.to_owned(), reason: reason.into() }
    }

    fn name(&self, key: &str, at: &Text) -> Read<Name> {
        Name::new(at.get_ref()).map_err(|error| self.wrong(key, at, error.to_string()))
    }

    fn label(&self, key: &str, at: Option<&Text>) -> Read<Option<Name>> {
        at.map(|at| self.name(key, at)).transpose()
    }

    /// From when on; not said: since ever.
    fn since(&self, key: &str, at: Option<&Text>) -> Read<Micros> {
        let Some(at) = at else { return Ok(Micros::ZERO) };
        self.instant(key, at, at.get_ref())
    }

    fn instant<T>(&self, key: &str, at: &Spanned<T>, text: &str) -> Read<Micros> {
        let instant = when::instant(text, &self.zone);
        let instant = instant.map_err(|error| self.wrong(key, at, format!("is no instant: {error}")))?;
        if instant < Micros::ZERO {
            return Err(self.wrong(key, at, format!("is {text}; definitions begin in 1970 or later")));
        }
        Ok(instant)
    }

    fn length(&self, key: &str, at: Option<&Text>) -> Read<Option<Micros>> {
        let Some(at) = at else { return Ok(None) };
        let read = text::length(at.get_ref()).filter(|length| *length > Micros::ZERO);
        let refuse = || {
            let reason = format!("is `{}`; write a length such as 20s, 30min, 1h30min or 7d", at.get_ref());
            self.wrong(key, at, reason)
        };
        read.map(Some).ok_or_else(refuse)
    }

    fn word<T: Copy>(
        &self,
        key: &str,
        at: Option<&Text>,
        (all, word): (&[T], fn(T) -> &'static str),
        default: T,
    ) -> Read<T> {
        let Some(at) = at else { return Ok(default) };
        let found = all.iter().copied().find(|one| word(*one) == at.get_ref());
        found.ok_or_else(|| {
            let known: Vec<_> = all.iter().map(|one| word(*one)).collect();
            self.wrong(key, at, format!("is `{}`; it is one of {}", at.get_ref(), known.join(", ")))
        })
    }

    fn queue(&self, entry: &QueueEntry) -> Read<QueueDefinition> {
        let id = self.name("queue", &entry.queue)?;
        let at = |key: &str| format!("queue {id}: {key}");
        let default = QueueDefinition::default_for(QueueId(id.clone()));
        let after_call_end = self.word(
            &at("after_call"),
            entry.after_call.as_ref(),
            (AfterCallEnd::ALL, AfterCallEnd::word),
            default.after_call_end,
        )?;
        let timer = self.length(&at("after_call_timer"), entry.after_call_timer.as_ref())?;
        if (after_call_end == AfterCallEnd::ByTimer) != timer.is_some() {
            let place = entry.after_call_timer.as_ref().unwrap_or(&entry.queue);
            let reason = "belongs to after_call = \"by_timer\", and to nothing else: say both or neither";
            return Err(self.wrong(&at("after_call_timer"), place, reason));
        }
        Ok(QueueDefinition {
            label: self.label(&at("label"), entry.label.as_ref())?,
            threshold: self.length(&at("threshold"), entry.threshold.as_ref())?,
            short: self.length(&at("short"), entry.short.as_ref())?,
            rings: self.length(&at("rings"), entry.rings.as_ref())?,
            after_call_end,
            after_call_timer: timer.unwrap_or(Micros::ZERO),
            after_call_on_contact: self.word(
                &at("after_call_on_contact"),
                entry.after_call_on_contact.as_ref(),
                (AfterCallOnContact::ALL, AfterCallOnContact::word),
                default.after_call_on_contact,
            )?,
            valid_from: self.since(&at("valid_from"), entry.valid_from.as_ref())?,
            queue: default.queue,
        })
    }

    fn reason(&self, entry: &ReasonEntry) -> Read<ReasonDefinition> {
        let id = self.name("reason", &entry.reason)?;
        let at = |key: &str| format!("reason {id}: {key}");
        Ok(ReasonDefinition {
            label: self.label(&at("label"), entry.label.as_ref())?,
            productive: entry.productive,
            paid: entry.paid,
            longest: self.length(&at("longest"), entry.longest.as_ref())?,
            valid_from: self.since(&at("valid_from"), entry.valid_from.as_ref())?,
            reason: ReasonCode(id),
        })
    }

    /// Teams, and agents with the teams that they belong to.
    fn people(&self, teams: &[TeamEntry], agents: &[AgentEntry]) -> Read<Vec<Event>> {
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
            let slots = entry.chat_slots.as_ref().map_or(1, |slots| *slots.get_ref());
            if let Some(given) = entry.chat_slots.as_ref().filter(|_| !(1..=100).contains(&slots)) {
                return Err(self.wrong(&at("chat_slots"), given, format!("is {slots}; it is 1 to 100")));
            }
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

    fn formula(&self, entry: &FormulaEntry) -> Read<FormulaDefinition> {
        let number = *entry.number.get_ref();
        if number == 0 {
            return Err(self.wrong("formula: number", &entry.number, "is 0; give 1 to 255"));
        }
        let at = |key: &str| format!("formula {number}: {key}");
        let (rules, forms) = (Rules::default(), Forms::default());
        let length = |key: &str, given: &Option<Text>, default: Micros| {
            self.length(&at(key), given.as_ref()).map(|given| given.unwrap_or(default))
        };
        macro_rules! word {
            ($key:ident, $of:ident, $default:expr) => {
                self.word(&at(stringify!($key)), entry.$key.as_ref(), ($of::ALL, $of::word), $default)?
            };
        }
        Ok(FormulaDefinition {
            number,
            name: self.label(&at("name"), entry.name.as_ref())?,
            notes: self.label(&at("notes"), entry.notes.as_ref())?,
            rules: Rules {
                threshold: length("threshold", &entry.threshold, rules.threshold)?,
                short: length("short", &entry.short, rules.short)?,
                rings: length("rings", &entry.rings, rules.rings)?,
                short_handle: length("short_handle", &entry.short_handle, rules.short_handle)?,
                attempt_window: length("attempt_window", &entry.attempt_window, rules.attempt_window)?,
                fcr_window: length("fcr_window", &entry.fcr_window, rules.fcr_window)?,
                fcr_identity: word!(fcr_identity, Identity, rules.fcr_identity),
                fcr_repeats: word!(fcr_repeats, Repeats, rules.fcr_repeats),
                fcr_transfer: word!(fcr_transfer, TransferRule, rules.fcr_transfer),
                repeat_window: length("repeat_window", &entry.repeat_window, rules.repeat_window)?,
            },
            forms: Forms {
                aht: word!(aht, HandleTimeForm, forms.aht),
                abandon_rate: word!(abandon_rate, AbandonForm, forms.abandon_rate),
                service_level: word!(service_level, ServiceLevelForm, forms.service_level),
                occupancy: word!(occupancy, OccupancyForm, forms.occupancy),
                fcr: word!(fcr, ResolutionForm, forms.fcr),
            },
            valid_from: self.since(&at("valid_from"), entry.valid_from.as_ref())?,
        })
    }

    fn target(&self, entry: &TargetEntry) -> Read<TargetDefinition> {
        let id = self.name("target", &entry.target)?;
        let at = |key: &str| format!("target {id}: {key}");
        let column = entry.column.get_ref();
        let known = pegcount_kpi::describe().iter().find(|known| known.name == column);
        let known = known.ok_or_else(|| {
            let reason =
                format!("is `{column}`, which is no column; `pegcount kpi --columns help` lists them");
            self.wrong(&at("column"), &entry.column, reason)
        })?;
        let value = match (&entry.value, entry.retired) {
            (Some(value), false) => Some(self.amount(&at("value"), value, known.unit)?),
            (None, true) => None,
            _ => {
                let reason = "is needed, unless the target is `retired = true` from then on";
                return Err(self.wrong(&at("value"), &entry.target, reason));
            }
        };
        let of = self.label(&at("of"), entry.of.as_ref())?;
        let scope = match (entry.scope.get_ref().as_str(), of) {
            ("site", None) => TargetScope::Site,
            ("team", of) => TargetScope::Team(of),
            ("queue", of) => TargetScope::Queue(of),
            ("agent", of) => TargetScope::Agent(of),
            (word, _) => {
                let reason = format!("is `{word}`; it is site (without `of`), team, queue or agent");
                return Err(self.wrong(&at("scope"), &entry.scope, reason));
            }
        };
        Ok(TargetDefinition {
            column: self.name(&at("column"), &entry.column)?,
            scope,
            comparison: self.word(
                &at("comparison"),
                Some(&entry.comparison),
                (Comparison::ALL, Comparison::word),
                Comparison::AtLeast,
            )?,
            value,
            valid_from: self.since(&at("valid_from"), entry.valid_from.as_ref())?,
            target: id,
        })
    }

    /// In millionths of the column's unit.
    fn amount(&self, key: &str, at: &Spanned<Amount>, unit: Unit) -> Read<i64> {
        let read = match at.get_ref() {
            Amount::Whole(whole) => whole.checked_mul(TARGET_UNIT),
            Amount::Decimal(decimal) => millionths(&decimal.to_string()),
            Amount::Text(text) => match text.trim().strip_suffix('%') {
                Some(percent) if unit == Unit::Ratio => {
                    millionths(percent.trim()).filter(|value| value % 100 == 0).map(|value| value / 100)
                }
                None if unit == Unit::Duration => text::length(text).map(|length| length.0),
                _ => None,
            },
        };
        read.ok_or_else(|| {
            let example = match unit {
                Unit::Ratio => "a share such as 0.98 or \"98 %\", or a number an hour such as 20",
                Unit::Duration => "a length such as \"30s\", or seconds",
                Unit::Count => "a number",
            };
            self.wrong(key, at, format!("is not understood; write {example}, with at most 6 decimals"))
        })
    }

    fn calendar(&self, entry: &CalendarEntry) -> Read<CalendarDefinition> {
        let id = self.name("calendar", &entry.calendar)?;
        let at = |key: &str| format!("calendar {id}: {key}");
        when::zone(entry.time_zone.get_ref())
            .map_err(|error| self.wrong(&at("time_zone"), &entry.time_zone, error.to_string()))?;
        let mut windows = BTreeSet::new();
        for window in &entry.windows {
            let (from, to) = (
                self.minute(&at("windows.from"), &window.from)?,
                self.minute(&at("windows.to"), &window.to)?,
            );
            if from >= to {
                let reason = format!("is {}, not after {}", window.to.get_ref(), window.from.get_ref());
                return Err(self.wrong(&at("windows.to"), &window.to, reason));
            }
            for day in &window.days {
                windows.insert(Window { day: self.weekday(&at("windows.days"), day)?, from, to });
            }
        }
        let mut taken = BTreeSet::new();
        let mut day = |key: &str, date: &Text| {
            let read = self.date(&at(key), date)?;
            if taken.insert(read) {
                return Ok(read);
            }
            Err(self.wrong(&at(key), date, format!("is {read} once more; a day stands once in a calendar")))
        };
        let mut holidays = Vec::new();
        for holiday in &entry.holidays {
            let name = self.label(&at("holidays.name"), holiday.name.as_ref())?;
            holidays.push(Holiday { date: day("holidays.date", &holiday.date)?, name });
        }
        let mut make_up_days = Vec::new();
        for made_up in &entry.make_up_days {
            let like = self.weekday(&at("make_up_days.like"), &made_up.like)?;
            make_up_days.push(MakeUpDay { date: day("make_up_days.date", &made_up.date)?, like });
        }
        holidays.sort_unstable();
        make_up_days.sort_unstable();
        Ok(CalendarDefinition {
            time_zone: self.name(&at("time_zone"), &entry.time_zone)?,
            windows: windows.into_iter().collect(),
            holidays,
            make_up_days,
            valid_from: self.since(&at("valid_from"), entry.valid_from.as_ref())?,
            calendar: id,
        })
    }

    fn weekday(&self, key: &str, at: &Text) -> Read<Weekday> {
        self.word(key, Some(at), (Weekday::ALL, Weekday::word), Weekday::Monday)
    }

    fn date(&self, key: &str, at: &Text) -> Read<pegcount_domain::calendar::Date> {
        let refuse = || self.wrong(key, at, format!("is `{}`; write a day such as 2026-10-01", at.get_ref()));
        text::date(at.get_ref()).ok_or_else(refuse)
    }

    fn minute(&self, key: &str, at: &Text) -> Read<u16> {
        let refuse =
            || self.wrong(key, at, format!("is `{}`; write a time such as 08:30, up to 24:00", at.get_ref()));
        text::minute(at.get_ref()).ok_or_else(refuse)
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
            let chat_slots = self.slots.range(..=valid_from).next_back().map_or(1, |(_, slots)| *slots);
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

/// A decimal in millionths, exactly; none if it has more digits than that, or is no decimal.
fn millionths(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let negative = whole.starts_with('-');
    if fraction.len() > 6 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let fraction: i64 = format!("{fraction:0<6}").parse().ok()?;
    let fraction = if negative { -fraction } else { fraction };
    whole.checked_mul(TARGET_UNIT)?.checked_add(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(content: &str) -> Vec<Event> {
        read(Path::new("site.toml"), content).unwrap().events
    }

    fn refused(content: &str) -> String {
        read(Path::new("site.toml"), content).unwrap_err().to_string()
    }

    #[test]
    fn an_agents_teams_and_chat_slots_become_one_line_of_time() {
        let told = events(
            "[site]\ntime_zone = \"Asia/Shanghai\"\n\
             [[team]]\nteam = \"north\"\nmembers = [\"anna\", { agent = \"ben\", until = \"2026-03-01\" }]\n\
             [[team]]\nteam = \"south\"\nmembers = [{ agent = \"anna\", from = \"2026-06-01\" }]\n\
             [[agent]]\nagent = \"anna\"\nchat_slots = 3\n",
        );
        let agents: Vec<_> = told
            .iter()
            .filter_map(|event| match event {
                Event::AgentDefined(agent) => Some((
                    agent.agent.to_string(),
                    agent.team.as_ref().map(ToString::to_string),
                    agent.chat_slots,
                    agent.valid_from.0 / 1_000_000,
                )),
                _ => None,
            })
            .collect();
        let team = |name: &str| Some(name.to_owned());
        assert_eq!(
            agents,
            [
                ("anna".to_owned(), team("north"), 3, 0),
                ("anna".to_owned(), team("south"), 3, 1_780_243_200),
                ("ben".to_owned(), team("north"), 1, 0),
                ("ben".to_owned(), None, 1, 1_772_294_400),
            ]
        );
    }

    #[test]
    fn a_target_is_read_to_the_last_digit_in_its_columns_unit() {
        let value = |column: &str, value: &str| {
            let told = events(&format!(
                "[[target]]\ntarget = \"t\"\ncolumn = \"{column}\"\ncomparison = \">=\"\nvalue = {value}\nscope = \"site\""
            ));
            match told.as_slice() {
                [Event::TargetDefined(target)] => target.value.unwrap(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(value("abandon_rate", "0.98"), 980_000);
        assert_eq!(value("abandon_rate", "\"98 %\""), 980_000);
        assert_eq!(value("contacts_per_hour", "20"), 20_000_000);
        assert_eq!(value("aht", "\"4min\""), 240_000_000);
        assert_eq!(value("aht", "240"), 240_000_000);
    }

    #[test]
    fn what_is_wrong_is_told_with_file_line_and_key_and_with_what_would_do() {
        let wrong = refused("[[queue]]\nqueue = \"sales\"\nthreshold = \"20 seconds\"\n");
        let expected = "site.toml, line 3: queue sales: threshold is `20 seconds`; write a length such as 20s, 30min, \
                        1h30min or 7d";
        assert_eq!(wrong, expected);
        let unknown = refused("[[queue]]\nqueue = \"sales\"\ntreshold = \"20s\"\n");
        assert!(unknown.contains("line 3") && unknown.contains("treshold"), "{unknown}");
        let form = refused("[[formula]]\nnumber = 2\nfcr = \"issues\"\n");
        assert_eq!(form, "site.toml, line 3: formula 2: fcr is `issues`; it is one of issue, repeat");
        let twice = refused(
            "[[calendar]]\ncalendar = \"office\"\ntime_zone = \"UTC\"\nholidays = [{ date = \"2026-10-01\" }]\n\
             make_up_days = [{ date = \"2026-10-01\", like = \"monday\" }]\n",
        );
        assert!(
            twice.starts_with("site.toml, line 5: calendar office: make_up_days.date is 2026-10-01"),
            "{twice}"
        );
        let column = refused(
            "[[target]]\ntarget = \"t\"\ncolumn = \"happiness\"\ncomparison = \">\"\nvalue = 1\nscope = \"site\"\n",
        );
        assert!(column.contains("line 3: target t: column is `happiness`, which is no column"), "{column}");
    }
}

//! A site's file into definitions: every entry checked, every error with its file, line and key.
//!
//! - [`people`]: teams and agents; [`rules`]: formula versions, targets, calendars; [`days`]: zones, allowances, who is believed;
//!   [`tickets`]: kinds of tickets, deadline policies, one-off changes of calendars
//!
//! Invariant: nothing is guessed: what is not understood is refused with what would be.

mod days;
mod people;
mod rules;
mod tickets;

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use pegcount_domain::{
    event::{AfterCallEnd, AfterCallOnContact, Event, QueueDefinition, ReasonDefinition},
    ids::{Name, QueueId, ReasonCode},
    time::Micros,
};
use toml::Spanned;

pub(crate) use tickets::LEVEL;

use super::{QueueEntry, ReasonEntry, SiteFile, Text, text};
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
    /// The calendars that its policies name, each with what is wrong if it is defined nowhere.
    pub(crate) calendars: Vec<(String, SiteFileError)>,
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
    let mut events = reader.zones(&file)?;
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
    for allowance in &file.allowance {
        events.push(Event::AllowanceDefined(reader.allowance(allowance)?));
    }
    for authority in &file.authority {
        events.push(Event::AuthorityDefined(reader.authority(authority)?));
    }
    for change in &file.calendar_change {
        events.push(Event::CalendarChanged(Box::new(reader.calendar_change(change)?)));
    }
    for kind in &file.ticket_kind {
        events.push(Event::TicketKindDefined(Box::new(reader.ticket_kind(kind)?)));
    }
    for policies in &file.ticket_policies {
        events.push(Event::TicketPoliciesDefined(Box::new(reader.ticket_policies(policies)?)));
    }
    let calendars =
        file.ticket_policies.iter().flat_map(|policies| reader.calendars_named(policies)).collect();
    let site = file.site.name.map(Spanned::into_inner);
    Ok(SiteRead { site, zone: reader.zone, events, calendars })
}

struct Reader<'a> {
    path: &'a Path,
    content: &'a str,
    zone: TimeZone,
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

    /// More than nothing.
    fn length(&self, key: &str, at: Option<&Text>) -> Read<Option<Micros>> {
        self.at_least(Micros(1), key, at)
    }

    fn at_least(&self, least: Micros, key: &str, at: Option<&Text>) -> Read<Option<Micros>> {
        let Some(at) = at else { return Ok(None) };
        let read = text::length(at.get_ref()).filter(|length| *length >= least);
        let refuse = || {
            let reason = format!("is `{}`; write a length such as 20s, 30min, 1h30min or 7d", at.get_ref());
            self.wrong(key, at, reason)
        };
        read.map(Some).ok_or_else(refuse)
    }

    fn word<T>(&self, key: &str, at: &Text, from_word: fn(&str) -> Result<T, String>) -> Read<T> {
        from_word(at.get_ref()).map_err(|reason| self.wrong(key, at, reason))
    }

    fn word_or<T>(
        &self,
        default: T,
        key: &str,
        at: Option<&Text>,
        from_word: fn(&str) -> Result<T, String>,
    ) -> Read<T> {
        at.map_or(Ok(default), |at| self.word(key, at, from_word))
    }

    fn queue(&self, entry: &QueueEntry) -> Read<QueueDefinition> {
        let id = self.name("queue", &entry.queue)?;
        let at = |key: &str| format!("queue {id}: {key}");
        let default = QueueDefinition::default_for(QueueId(id.clone()));
        let timer = self.length(&at("after_call_timer"), entry.after_call_timer.as_ref())?;
        let queue = QueueDefinition {
            label: self.label(&at("label"), entry.label.as_ref())?,
            threshold: self.length(&at("threshold"), entry.threshold.as_ref())?,
            short: self.length(&at("short"), entry.short.as_ref())?,
            rings: self.length(&at("rings"), entry.rings.as_ref())?,
            after_call_end: self.word_or(
                default.after_call_end,
                &at("after_call"),
                entry.after_call.as_ref(),
                AfterCallEnd::from_word,
            )?,
            after_call_timer: timer.unwrap_or(Micros::ZERO),
            after_call_on_contact: self.word_or(
                default.after_call_on_contact,
                &at("after_call_on_contact"),
                entry.after_call_on_contact.as_ref(),
                AfterCallOnContact::from_word,
            )?,
            valid_from: self.since(&at("valid_from"), entry.valid_from.as_ref())?,
            queue: default.queue,
        };
        let place = entry.after_call_timer.as_ref().unwrap_or(&entry.queue);
        queue.check_timer().map_err(|reason| self.wrong(&at("after_call_timer"), place, reason))?;
        Ok(queue)
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

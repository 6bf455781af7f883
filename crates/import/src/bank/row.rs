//! One row, checked field by field.
//!
//! Invariant: a [`Row`] has only values that the format allows; what is odd but possible is left to the facts.

use jiff::civil::{Date, Time};
use pegcount_domain::ids::{AgentId, ContactId, EntryId, QueueId};

use super::{COLUMNS, report::BrokenLine};
use crate::lines::{LINE_BYTES_MAX, Line};

/// `vru+line`: four characters name the voice menu, two its line.
const MENU_CHARS: usize = 4;
const LINE_CHARS: usize = 2;
/// No wait, menu or service lasts longer: seconds of a day.
const DURATION_S_MAX: i64 = 24 * 3600;
/// What `server` says when nobody known served.
const NO_SERVER: &str = "NO_SERVER";
/// What `customer_id` says when nobody is identified.
const NO_CUSTOMER: &str = "0";
/// Two-digit years from here on are of the 20th century.
const CENTURY_PIVOT: i16 = 70;
const PRIORITY_MAX: u32 = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Agent,
    Hang,
    Phantom,
}

/// Two times of day and how long it took between them, as the row has it, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) start: Time,
    pub(super) end: Time,
    pub(super) seconds: i64,
}

impl Pair {
    /// 0:00:00 to 0:00:00 in 0 s: the format's word for "nothing there".
    pub(super) fn is_nothing(self) -> bool {
        self.start == Time::midnight() && self.end == Time::midnight() && self.seconds == 0
    }
}

#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) contact: ContactId,
    pub(super) entry: EntryId,
    pub(super) caller: Option<String>,
    pub(super) priority: u32,
    pub(super) queue: QueueId,
    pub(super) date: Date,
    pub(super) menu: Pair,
    pub(super) wait: Pair,
    pub(super) outcome: Outcome,
    pub(super) service: Pair,
    pub(super) server: Option<AgentId>,
}

/// The fields of a row, by column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a> {
    fields: [&'a str; COLUMNS.len()],
    line: u64,
}

impl<'a> Fields<'a> {
    pub(super) fn new(line: &Line<'a>) -> Result<Self, BrokenLine> {
        let broken = |column, reason| BrokenLine { line: line.number, column, reason };
        if line.cut {
            return Err(broken(None, format!("is longer than the limit of {LINE_BYTES_MAX} bytes")));
        }
        let count = line.bytes.split(|byte| *byte == b'\t').count();
        if count != COLUMNS.len() {
            let reason = format!("has {count} fields, and {} are needed, with tabs between", COLUMNS.len());
            return Err(broken(None, reason));
        }
        let mut fields = [""; COLUMNS.len()];
        let raw = line.bytes.split(|byte| *byte == b'\t');
        for ((field, bytes), column) in fields.iter_mut().zip(raw).zip(COLUMNS) {
            *field = std::str::from_utf8(bytes)
                .map_err(|error| broken(Some(column), format!("is not UTF-8 ({error})")))?;
        }
        Ok(Self { fields, line: line.number })
    }

    fn broken(&self, column: &'static str, reason: String) -> BrokenLine {
        BrokenLine { line: self.line, column: Some(column), reason }
    }

    fn get(&self, column: &'static str) -> &'a str {
        COLUMNS
            .iter()
            .position(|name| *name == column)
            .and_then(|at| self.fields.get(at))
            .copied()
            .unwrap_or("")
    }

    /// What the row ended as; the rest of a PHANTOM row need not make sense.
    pub(super) fn outcome(&self) -> Result<Outcome, BrokenLine> {
        match self.get("outcome") {
            "AGENT" => Ok(Outcome::Agent),
            "HANG" => Ok(Outcome::Hang),
            "PHANTOM" => Ok(Outcome::Phantom),
            other => Err(self.broken("outcome", format!("is {other:?}; it must be AGENT, HANG or PHANTOM"))),
        }
    }

    pub(super) fn row(&self, outcome: Outcome) -> Result<Row, BrokenLine> {
        let line = self.line_of_menu()?;
        let call = self.digits("call_id")?;
        let date_text = self.get("date");
        let date = self.date()?;
        let key = format!("{date_text}-{line}-{call}");
        let menu: String = line.chars().take(MENU_CHARS).collect();
        let caller = self.digits("customer_id")?;
        let server = self.get("server");
        let name = |column, error| self.broken(column, format!("{error}"));
        Ok(Row {
            contact: ContactId::new(&key).map_err(|error| name("call_id", error))?,
            entry: EntryId::new(&menu).map_err(|error| name("vru+line", error))?,
            caller: (caller != NO_CUSTOMER).then(|| caller.to_owned()),
            priority: self.priority()?,
            queue: QueueId::new(self.get("type")).map_err(|error| name("type", error))?,
            date,
            menu: self.pair("vru_entry", "vru_exit", "vru_time", -DURATION_S_MAX)?,
            wait: self.pair("q_start", "q_exit", "q_time", 0)?,
            outcome,
            service: self.pair("ser_start", "ser_exit", "ser_time", 0)?,
            server: match server {
                NO_SERVER => None,
                _ => Some(AgentId::new(server).map_err(|error| name("server", error))?),
            },
        })
    }

    fn line_of_menu(&self) -> Result<&'a str, BrokenLine> {
        let line = self.get("vru+line");
        if line.len() == MENU_CHARS + LINE_CHARS && line.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Ok(line);
        }
        Err(self.broken(
            "vru+line",
            format!("is {line:?}; it must be {MENU_CHARS} letters or digits for the menu and {LINE_CHARS} for its line"),
        ))
    }

    fn digits(&self, column: &'static str) -> Result<&'a str, BrokenLine> {
        let text = self.get(column);
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(text);
        }
        Err(self.broken(column, format!("is {text:?}; it must be a number")))
    }

    fn priority(&self) -> Result<u32, BrokenLine> {
        let text = self.digits("priority")?;
        text.parse()
            .ok()
            .filter(|priority| *priority <= PRIORITY_MAX)
            .ok_or_else(|| self.broken("priority", format!("is {text}; the limit is {PRIORITY_MAX}")))
    }

    fn date(&self) -> Result<Date, BrokenLine> {
        let text = self.get("date");
        let parsed = (text.len() == 6).then(|| {
            let part = |range: std::ops::Range<usize>| digits(text.get(range)?);
            let (year, month, day) = (part(0..2)?, part(2..4)?, part(4..6)?);
            let year = i16::from(year);
            Date::new(if year >= CENTURY_PIVOT { 1900 + year } else { 2000 + year }, month, day).ok()
        });
        parsed
            .flatten()
            .ok_or_else(|| self.broken("date", format!("is {text:?}; it must be a date as yymmdd")))
    }

    fn pair(
        &self,
        start: &'static str,
        end: &'static str,
        seconds: &'static str,
        seconds_min: i64,
    ) -> Result<Pair, BrokenLine> {
        Ok(Pair {
            start: self.time(start)?,
            end: self.time(end)?,
            seconds: self.seconds(seconds, seconds_min)?,
        })
    }

    fn time(&self, column: &'static str) -> Result<Time, BrokenLine> {
        let text = self.get(column);
        let parse = || {
            let mut parts = text.splitn(3, ':');
            let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
            if minute.len() != 2 || second.len() != 2 {
                return None;
            }
            Time::new(digits(hour)?, digits(minute)?, digits(second)?, 0).ok()
        };
        parse()
            .ok_or_else(|| self.broken(column, format!("is {text:?}; it must be a time of day as h:mm:ss")))
    }

    fn seconds(&self, column: &'static str, min: i64) -> Result<i64, BrokenLine> {
        let text = self.get(column);
        text.parse().ok().filter(|seconds| (min..=DURATION_S_MAX).contains(seconds)).ok_or_else(|| {
            self.broken(column, format!("is {text:?}; it must be seconds, {min} to {DURATION_S_MAX}"))
        })
    }
}

/// One or two digits and nothing else: no sign, no space.
fn digits(text: &str) -> Option<i8> {
    let shaped = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    shaped.then(|| text.parse().ok()).flatten()
}

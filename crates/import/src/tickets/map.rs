//! What a MAP.toml says: which columns hold what, and what their values mean.
//!
//! Nothing is guessed: a column that the map does not name is left out, and a value that it does not list is a broken row unless the map says
//! otherwise.
//!
//! Invariant: a [`TicketMap`] can be meant so; what is wrong with a file is said with its key and with what would do.

use std::collections::BTreeMap;

use pegcount_domain::ids::{AgentId, Name, ReasonCode, TicketKind};
use rustc_hash::FxHashMap;
use serde::Deserialize;

use super::{
    when::Form,
    words::{Holds, What},
};

/// Why a file is no map.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// It is no TOML, or has a key that no map has.
    #[error("{0}")]
    Form(Box<toml::de::Error>),
    /// A value is not what it should be.
    #[error("{key} {reason}")]
    Value {
        /// The key, with the entry that it stands in.
        key: String,
        /// What is wrong, and what would do.
        reason: String,
    },
}

/// The file, as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    columns: BTreeMap<String, String>,
    time: FileTime,
    #[serde(default)]
    defaults: FileDefaults,
    #[serde(default)]
    activity: Vec<FileActivity>,
    #[serde(default)]
    values: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    flags: FileFlags,
    #[serde(default)]
    attribute: Vec<FileAttribute>,
    #[serde(default)]
    seal: Vec<String>,
    #[serde(default)]
    drop: Vec<String>,
    others: Option<String>,
    unlisted: Option<String>,
    delimiter: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTime {
    format: String,
    zone: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileDefaults {
    kind: Option<String>,
    agent: Option<String>,
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileActivity {
    value: String,
    event: String,
    reason: Option<String>,
    level: Option<u8>,
    to: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileFlags {
    yes: Vec<String>,
    no: Vec<String>,
}

impl Default for FileFlags {
    fn default() -> Self {
        let words = |words: [&str; 5]| words.map(str::to_owned).into();
        Self { yes: words(["true", "yes", "Y", "1", "TRUE"]), no: words(["false", "no", "N", "0", "FALSE"]) }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileAttribute {
    column: String,
    name: Option<String>,
}

/// What a value of the column of activities means. Its place in the map's list is its rank among those of one instant.
#[derive(Clone, Debug)]
pub(super) struct Activity {
    pub(super) what: What,
    pub(super) reason: Option<ReasonCode>,
    /// Of [`What::Escalated`]: the level, and its name.
    pub(super) level: Option<(u8, Name)>,
}

/// What becomes of a row whose activity is not listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unlisted {
    /// It is broken.
    Broken,
    /// It says nothing but what its columns say.
    Nothing,
    /// It is left out.
    LeftOut,
}

/// What the columns of a file hold, and what their values mean.
#[derive(Clone, Debug)]
pub struct TicketMap {
    pub(super) ticket: String,
    /// The column of what happened, and whether it tells how the ticket stands, rather than what was done.
    pub(super) activity: (String, bool),
    pub(super) time: (String, Form),
    pub(super) columns: Vec<(Holds, String)>,
    pub(super) activities: Vec<Activity>,
    /// By the value: its place in `activities`.
    pub(super) by_value: FxHashMap<String, u32>,
    pub(super) values: FxHashMap<Holds, FxHashMap<String, String>>,
    pub(super) yes: Vec<String>,
    pub(super) no: Vec<String>,
    pub(super) attributes: Vec<(String, Name)>,
    pub(super) seal: Vec<String>,
    pub(super) drop: Vec<String>,
    pub(super) others_are_attributes: bool,
    pub(super) unlisted: Unlisted,
    pub(super) delimiter: u8,
    pub(super) kind: TicketKind,
    pub(super) agent: Option<AgentId>,
    pub(super) reason: ReasonCode,
}

fn wrong(key: impl Into<String>, reason: impl Into<String>) -> MapError {
    MapError::Value { key: key.into(), reason: reason.into() }
}

fn name(key: &str, text: &str) -> Result<Name, MapError> {
    Name::new(text).map_err(|error| wrong(key, error.to_string()))
}

/// The kind of a ticket, and the reason of what has one, of which neither a column nor the map says any.
const KIND: Name = Name::fixed("inquiry");
const REASON: Name = Name::fixed("imported");

impl TicketMap {
    /// Reads a map.
    pub fn parse(text: &str) -> Result<Self, MapError> {
        let file: File = toml::from_str(text).map_err(|error| MapError::Form(Box::new(error)))?;
        let (ticket, activity, time, columns) = columns(&file.columns)?;
        let form = Form::new(&file.time.format, file.time.zone.as_deref())
            .map_err(|(key, reason)| wrong(key, reason))?;
        let (activities, by_value) = activities(&file.activity, &columns)?;
        let seal = file.seal;
        let attributes = file.attribute.iter().map(|entry| {
            let name = name("attribute.name", entry.name.as_deref().unwrap_or(&entry.column))?;
            Ok((entry.column.clone(), name))
        });
        let default = |key, text: Option<&String>| text.map(|text| name(key, text)).transpose();
        let map = Self {
            ticket,
            activity,
            time: (time, form),
            values: values(&file.values, &columns)?,
            columns,
            activities,
            by_value,
            yes: file.flags.yes,
            no: file.flags.no,
            attributes: attributes.collect::<Result<_, MapError>>()?,
            seal,
            drop: file.drop,
            others_are_attributes: one_of("others", file.others.as_deref(), &["drop", "attribute"])? == 1,
            unlisted: match one_of("unlisted", file.unlisted.as_deref(), &["broken", "nothing", "left_out"])?
            {
                0 => Unlisted::Broken,
                1 => Unlisted::Nothing,
                _ => Unlisted::LeftOut,
            },
            delimiter: delimiter(file.delimiter.as_deref())?,
            kind: default("defaults.kind", file.defaults.kind.as_ref())?.map_or(TicketKind(KIND), TicketKind),
            agent: default("defaults.agent", file.defaults.agent.as_ref())?.map(AgentId),
            reason: default("defaults.reason", file.defaults.reason.as_ref())?
                .map_or(ReasonCode(REASON), ReasonCode),
        };
        map.check_columns_once()?;
        Ok(map)
    }

    /// A column is one thing: what is sealed or dropped is not told in the open beside.
    fn check_columns_once(&self) -> Result<(), MapError> {
        let columns =
            self.columns.iter().map(|(holds, column)| (format!("columns.{}", holds.word()), column));
        let attributes = self.attributes.iter().map(|(column, _)| ("attribute.column".to_owned(), column));
        let seal = self.seal.iter().map(|column| ("seal".to_owned(), column));
        let drop = self.drop.iter().map(|column| ("drop".to_owned(), column));
        let mut seen: FxHashMap<&str, String> = FxHashMap::default();
        for (key, column) in columns.chain(attributes).chain(seal).chain(drop) {
            let open = |key: &str| key != "seal" && key != "drop";
            if let Some(before) = seen.get(column.as_str())
                && !(open(before) && open(&key))
            {
                let reason =
                    format!("names the column {column:?}, and so does {before}; name it in one place");
                return Err(wrong(key, reason));
            }
            seen.insert(column, key);
        }
        Ok(())
    }
}

fn delimiter(text: Option<&str>) -> Result<u8, MapError> {
    match text.unwrap_or(",").as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
        _ => Err(wrong(
            "delimiter",
            format!("is {:?}; give one character, such as ; or \\t", text.unwrap_or("")),
        )),
    }
}

/// The place of a word in a list; 0 if none is said.
fn one_of(key: &str, text: Option<&str>, words: &[&str]) -> Result<usize, MapError> {
    let Some(text) = text else { return Ok(0) };
    let found = words.iter().position(|word| *word == text);
    found.ok_or_else(|| wrong(key, format!("is {text:?}; give one of {}", words.join(", "))))
}

type Columns = (String, (String, bool), String, Vec<(Holds, String)>);

fn columns(file: &BTreeMap<String, String>) -> Result<Columns, MapError> {
    let required = |key: &str| {
        let column = file.get(key).cloned();
        column.ok_or_else(|| wrong(format!("columns.{key}"), "is missing; name the column that holds it"))
    };
    let activity = match (file.get("activity"), file.get("state")) {
        (Some(column), None) => (column.clone(), false),
        (None, Some(column)) => (column.clone(), true),
        (Some(_), Some(_)) => {
            let reason =
                "is there, and so is columns.activity; a row tells what was done, or how the ticket stands";
            return Err(wrong("columns.state", reason));
        }
        (None, None) => {
            return Err(wrong("columns.activity", "is missing; name the column that says what happened"));
        }
    };
    let mut known = Vec::new();
    for (key, column) in file {
        if ["ticket", "activity", "state", "time"].contains(&key.as_str()) {
            continue;
        }
        let holds = Holds::from_word(key).ok_or_else(|| {
            let words = Holds::words();
            wrong(
                format!("columns.{key}"),
                format!("is not known; give ticket, activity or state, time, {words}"),
            )
        })?;
        known.push((holds, column.clone()));
    }
    Ok((required("ticket")?, activity, required("time")?, known))
}

type Activities = (Vec<Activity>, FxHashMap<String, u32>);

fn activities(file: &[FileActivity], columns: &[(Holds, String)]) -> Result<Activities, MapError> {
    let (mut activities, mut by_value) = (Vec::new(), FxHashMap::default());
    for entry in file {
        let key = |field: &str| format!("activity {:?}: {field}", entry.value);
        let what = What::from_word(&entry.event).ok_or_else(|| {
            wrong(key("event"), format!("is {:?}; give one of {}", entry.event, What::words()))
        })?;
        let reason = entry.reason.as_ref().map(|reason| name(&key("reason"), reason).map(ReasonCode));
        let level = match (what, entry.level, &entry.to) {
            (What::Escalated, Some(level), Some(to)) if level > 0 => Some((level, name(&key("to"), to)?)),
            (What::Escalated, ..) => {
                let reason = "is missing, or level is; say which level (from 1) it came before, and its name";
                return Err(wrong(key("to"), reason));
            }
            (_, None, None) => None,
            _ => return Err(wrong(key("level"), "and `to` belong to escalated alone; leave them out")),
        };
        if what == What::Merged && !columns.iter().any(|(holds, _)| *holds == Holds::MergedInto) {
            let reason = "is merged, and no column says into which ticket; name it as columns.merged_into";
            return Err(wrong(key("event"), reason));
        }
        let rank = u32::try_from(activities.len()).unwrap_or(u32::MAX);
        if by_value.insert(entry.value.clone(), rank).is_some() {
            return Err(wrong(key("value"), "is listed twice; list it once"));
        }
        activities.push(Activity { what, reason: reason.transpose()?, level });
    }
    if activities.is_empty() {
        return Err(wrong("activity", "is missing; list what the values of that column mean, at least one"));
    }
    // What is not listed, where the map lets it be.
    activities.push(Activity { what: What::Nothing, reason: None, level: None });
    Ok((activities, by_value))
}

type Values = FxHashMap<Holds, FxHashMap<String, String>>;

fn values(
    file: &BTreeMap<String, BTreeMap<String, String>>,
    columns: &[(Holds, String)],
) -> Result<Values, MapError> {
    let mut values = Values::default();
    for (word, means) in file {
        let key = format!("values.{word}");
        let holds = Holds::from_word(word)
            .ok_or_else(|| wrong(key.as_str(), format!("is not known; give one of {}", Holds::words())))?;
        if holds.is_flag() || holds == Holds::Customer {
            return Err(wrong(
                key,
                "is no list of names; use [flags] for flags, and leave customers as they are",
            ));
        }
        if !columns.iter().any(|(known, _)| *known == holds) {
            return Err(wrong(key, format!("is there, and columns.{word} is not; name the column")));
        }
        values.insert(holds, means.clone().into_iter().collect());
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        [columns]
        ticket = "Case ID"
        activity = "Activity"
        time = "Complete Timestamp"
        [time]
        format = "%Y/%m/%d %H:%M:%S"
        zone = "Europe/Rome"
        [[activity]]
        value = "Closed"
        event = "closed"
    "#;

    fn refusal(change: impl FnOnce(&str) -> String) -> String {
        TicketMap::parse(&change(GOOD)).unwrap_err().to_string()
    }

    #[test]
    fn a_map_needs_the_ticket_what_happened_and_when() {
        TicketMap::parse(GOOD).unwrap();
        let refused = refusal(|map| map.replace("activity = \"Activity\"", ""));
        assert_eq!(refused, "columns.activity is missing; name the column that says what happened");
        let refused = refusal(|map| map.replace("time = \"C", "tome = \"C"));
        assert!(
            refused
                .starts_with("columns.tome is not known; give ticket, activity or state, time, agent, group")
        );
        let refused = refusal(|map| map.replace("[[activity]]", "[[activities]]"));
        assert!(refused.contains("unknown field `activities`"), "{refused}");
    }

    #[test]
    fn what_a_value_means_is_one_of_the_words_that_are_named() {
        let refused = refusal(|map| map.replace("event = \"closed\"", "event = \"done\""));
        assert!(
            refused
                .starts_with("activity \"Closed\": event is \"done\"; give one of opened, accepted, class")
        );
        let refused = refusal(|map| map.replace("event = \"closed\"", "event = \"merged\""));
        assert!(refused.contains("name it as columns.merged_into"), "{refused}");
        let refused = refusal(|map| map.replace("event = \"closed\"", "event = \"escalated\""));
        assert!(refused.contains("say which level"), "{refused}");
    }

    #[test]
    fn a_column_that_is_sealed_or_dropped_is_nowhere_else() {
        let refused = refusal(|map| format!("seal = [\"Text\"]\ndrop = [\"Text\"]\n{map}"));
        assert_eq!(refused, "drop names the column \"Text\", and so does seal; name it in one place");
    }
}

//! One row, checked field by field, and packed for sorting.
//!
//! Invariant: whatever a packed row holds fits where it will go: names are names, flags are flags, texts are not too long. So what is made
//! of rows later cannot fail.

use std::borrow::Cow;

use csv::ByteRecord;
use pegcount_domain::{
    ids::{Name, TicketId},
    ticketing::{Severity, Urgency, Validity},
};

use super::{
    map::{TicketMap, Unlisted},
    when::Days,
    words::{Holds, What},
};

/// The longest text that is sealed, bytes of UTF-8.
const TEXT_BYTES_MAX: usize = 64 * 1024;
/// The longest number or address of a customer, bytes.
const CALLER_BYTES_MAX: usize = 256;
/// The most attributes of a ticket.
const ATTRIBUTES_MAX: usize = pegcount_domain::ticketing::state::ATTRIBUTES_MAX;

/// What a field of a packed row is.
#[derive(Clone, Debug)]
pub(super) enum Kept {
    /// Something the map knows.
    Known(Holds),
    /// An attribute of this name.
    Attribute(Name),
    /// A text to seal.
    Text,
}

/// Which columns of a file count, by their places.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    map: &'a TicketMap,
    ticket: usize,
    activity: usize,
    time: usize,
    /// Those that are packed, in this order.
    kept: Vec<(usize, Kept)>,
    columns: Vec<String>,
    /// Of the time's zone, what was found out last.
    days: Days,
}

/// Why a row is broken: its column, and the reason.
pub(super) type Broken = (Option<String>, String);

/// A row that counts.
pub(super) struct Checked<'r> {
    pub(super) ticket: &'r str,
    pub(super) at: i64,
    /// The place of what happened in the map's list.
    pub(super) rank: u32,
}

impl<'a> Plan<'a> {
    /// By the first row of a file; else what is wrong with it.
    pub(super) fn new(map: &'a TicketMap, header: &ByteRecord) -> Result<Self, String> {
        let text = |field: &[u8]| String::from_utf8_lossy(field).trim().to_owned();
        // Some spreadsheets put a byte order mark before everything.
        let mut columns: Vec<String> = header.iter().map(text).collect();
        if let Some(first) = columns.first_mut() {
            *first = first.trim_start_matches('\u{feff}').to_owned();
        }
        let place = |key: &str, column: &str| {
            let mut found = columns.iter().enumerate().filter(|(_, name)| *name == column).map(|(at, _)| at);
            match (found.next(), found.next()) {
                (Some(at), None) => Ok(at),
                (Some(_), Some(_)) => {
                    Err(format!("has the column {column:?} twice, which {key} of the map names"))
                }
                (None, _) => {
                    let known = columns.join(", ");
                    Err(format!("has no column {column:?}, which {key} of the map names; it has {known}"))
                }
            }
        };
        let ticket = place("columns.ticket", &map.ticket)?;
        let activity = place("columns.activity", &map.activity.0)?;
        let time = place("columns.time", &map.time.0)?;
        let mut kept = Vec::new();
        for (holds, column) in &map.columns {
            kept.push((place(&format!("columns.{}", holds.word()), column)?, Kept::Known(*holds)));
        }
        for (column, name) in &map.attributes {
            kept.push((place("attribute.column", column)?, Kept::Attribute(name.clone())));
        }
        for column in &map.seal {
            kept.push((place("seal", column)?, Kept::Text));
        }
        let dropped = map.drop.iter().map(|column| place("drop", column)).collect::<Result<Vec<_>, _>>()?;
        if map.others_are_attributes {
            for (at, column) in columns.iter().enumerate() {
                let known =
                    [ticket, activity, time].contains(&at) || kept.iter().any(|(known, _)| *known == at);
                if !known && !dropped.contains(&at) {
                    let name = Name::new(column).map_err(|error| {
                        format!("has a column {column:?}, which {error}; drop it in the map")
                    })?;
                    kept.push((at, Kept::Attribute(name)));
                }
            }
        }
        let attributes = kept.iter().filter(|(_, kept)| matches!(kept, Kept::Attribute(_))).count();
        if attributes > ATTRIBUTES_MAX {
            return Err(format!(
                "makes {attributes} attributes; a ticket has at most {ATTRIBUTES_MAX}: drop some"
            ));
        }
        Ok(Self { map, ticket, activity, time, kept, columns, days: Days::default() })
    }

    /// What the fields of a packed row are.
    pub(super) fn kept(&self) -> impl Iterator<Item = &Kept> {
        self.kept.iter().map(|(_, kept)| kept)
    }

    fn broken(&self, at: usize, reason: impl Into<String>) -> Broken {
        (self.columns.get(at).cloned(), reason.into())
    }

    fn text<'r>(&self, row: &'r ByteRecord, at: usize) -> Result<&'r str, Broken> {
        let bytes = row.get(at).unwrap_or_default();
        let text =
            std::str::from_utf8(bytes).map_err(|error| self.broken(at, format!("is not UTF-8 ({error})")))?;
        Ok(text.trim())
    }

    /// Checks a row and packs what counts of it into `packed`. None: the map leaves it out.
    pub(super) fn check<'r>(
        &self,
        row: &'r ByteRecord,
        packed: &mut Vec<u8>,
    ) -> Result<Option<Checked<'r>>, Broken> {
        packed.clear();
        if row.len() != self.columns.len() {
            let (found, needed) = (row.len(), self.columns.len());
            return Err((None, format!("has {found} fields, and the first row has {needed}")));
        }
        let activity = self.text(row, self.activity)?;
        let rank = match (self.map.by_value.get(activity), self.map.unlisted) {
            (Some(rank), _) => *rank,
            (None, Unlisted::LeftOut) => return Ok(None),
            (None, Unlisted::Nothing) => u32::try_from(self.map.by_value.len()).unwrap_or(u32::MAX),
            (None, Unlisted::Broken) => {
                let reason = format!("is {activity:?}, which the map does not list; list it as an activity");
                return Err(self.broken(self.activity, reason));
            }
        };
        let ticket = self.text(row, self.ticket)?;
        Name::check(ticket).map(TicketId).map_err(|error| self.broken(self.ticket, error.to_string()))?;
        let time = self.text(row, self.time)?;
        let at = self.map.time.1.read(time, &self.days).map_err(|reason| self.broken(self.time, reason))?.0;
        let (mut agent, mut into) = (self.map.agent.is_some(), false);
        for (place, kept) in &self.kept {
            let text = self.text(row, *place)?;
            let text = self.value(kept, text).map_err(|reason| self.broken(*place, reason))?;
            agent |= matches!(kept, Kept::Known(Holds::Agent)) && !text.is_empty();
            into |= matches!(kept, Kept::Known(Holds::MergedInto)) && !text.is_empty();
            let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
            packed.extend_from_slice(&length.to_le_bytes());
            packed.extend_from_slice(text.as_bytes());
        }
        let what = self.what(rank);
        if what == What::Accepted && !agent {
            let reason = format!("is {activity:?}, and no agent is named; give defaults.agent in the map");
            return Err(self.broken(self.activity, reason));
        }
        if what == What::Merged && !into {
            return Err(
                self.broken(self.activity, format!("is {activity:?}, and the row does not say into which"))
            );
        }
        Ok(Some(Checked { ticket, at, rank }))
    }

    fn what(&self, rank: u32) -> What {
        let activity = usize::try_from(rank).ok().and_then(|index| self.map.activities.get(index));
        activity.map_or(What::Nothing, |activity| activity.what)
    }

    /// A value as it goes on, in Pegcount's words; else what is wrong with it.
    fn value<'r>(&self, kept: &Kept, text: &'r str) -> Result<Cow<'r, str>, String> {
        if text.is_empty() {
            return Ok(Cow::Borrowed(text));
        }
        let holds = match kept {
            Kept::Known(holds) => *holds,
            Kept::Attribute(_) => {
                let seal = |error| format!("{error}; seal it in the map if it is free text");
                return Name::check(text).map(|()| Cow::Borrowed(text)).map_err(seal);
            }
            Kept::Text if text.len() > TEXT_BYTES_MAX => {
                return Err(format!("has {} bytes; the limit is {TEXT_BYTES_MAX}", text.len()));
            }
            Kept::Text => return Ok(Cow::Borrowed(text)),
        };
        if holds.is_flag() {
            let is = |words: &[String]| words.iter().any(|word| word == text);
            return match (is(&self.map.yes), is(&self.map.no)) {
                (true, _) => Ok(Cow::Borrowed("yes")),
                (_, true) => Ok(Cow::Borrowed("no")),
                _ => Err(format!("is {text:?}, which is neither a yes nor a no; list it in [flags]")),
            };
        }
        if holds == Holds::Customer {
            let bytes = text.len();
            // What it says is personal, and is not said again.
            return if bytes > CALLER_BYTES_MAX {
                Err(format!("has {bytes} bytes; the limit is {CALLER_BYTES_MAX}"))
            } else {
                Ok(Cow::Borrowed(text))
            };
        }
        let listed = self.map.values.get(&holds).and_then(|means| means.get(text));
        let value = listed.map_or(Cow::Borrowed(text), |means| Cow::Owned(means.clone()));
        Name::check(&value).map_err(|error| error.to_string())?;
        let known = match holds {
            Holds::Severity => Severity::from_word(&value).map(|_| ()),
            Holds::Urgency => Urgency::from_word(&value).map(|_| ()),
            Holds::Validity => Validity::from_word(&value).map(|_| ()),
            _ => Ok(()),
        };
        known.map_err(|reason| format!("{reason}, or is listed in [values.{}]", holds.word()))?;
        Ok(value)
    }
}

/// The fields of a packed row, `count` of them, in the plan's order.
pub(super) fn unpacked(packed: &[u8], count: usize) -> Vec<&str> {
    let mut rest = packed;
    let mut fields = Vec::with_capacity(count);
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let Some((field, after)) = after.split_at_checked(length) else { break };
        fields.push(std::str::from_utf8(field).unwrap_or_default());
        rest = after;
    }
    fields
}

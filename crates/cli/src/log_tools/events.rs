//! One event of a dump: as a message, as a line of JSON, and back.
//!
//! Invariant: an event comes back from either as it was. Of a line, what is there for reading only (`type`, `occurred_at`,
//! `body`) does not count: the type's number, the microseconds and the payload do.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use pegcount_domain::{
    envelope::{Position, StreamKind, StreamName, Version},
    event::EventType,
    ids::{CommandId, Epoch, Name},
    time::Micros,
};
use pegcount_log::{
    NewEvent,
    tools::{StoredEvent, StoredSeqs},
};
use pegcount_proto::stored::DumpedEvent;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::when;

/// A line of a dump.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    position: u64,
    site: String,
    kind: String,
    id: String,
    version: u64,
    #[serde(default)]
    r#type: String,
    type_number: u32,
    schema_version: u32,
    #[serde(default)]
    occurred_at: String,
    occurred_at_us: i64,
    source_time_us: i64,
    recorded_at_us: i64,
    actor: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on_behalf_of: Option<String>,
    source: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    source_epoch: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    source_seq: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    source_seq_to: u64,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    command_id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    correlation: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    causation: Option<u64>,
    names: Vec<String>,
    payload: String,
    #[serde(default)]
    body: Value,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The event as a message.
pub(super) fn message(stored: &StoredEvent) -> DumpedEvent {
    let event = &stored.event;
    let id = |id: Option<u128>| id.map(|id| id.to_be_bytes().to_vec().into()).unwrap_or_default();
    DumpedEvent {
        position: stored.position.0,
        site: event.stream.site.to_string(),
        kind: event.stream.kind.word().to_owned(),
        id: event.stream.id.to_string(),
        version: stored.version.0,
        type_number: event.event_type.0.into(),
        schema_version: event.schema_version.into(),
        occurred_at_us: event.occurred_at.0,
        source_time_us: event.source_time.0,
        recorded_at_us: stored.recorded_at.0,
        actor: event.actor.to_string(),
        on_behalf_of: event.on_behalf_of.as_ref().map(Name::to_string),
        source: stored.source.to_string(),
        source_epoch: id(stored.seqs.map(|seqs| seqs.epoch.0)),
        source_seq: stored.seqs.map_or(0, |seqs| seqs.first),
        source_seq_to: stored.seqs.map_or(0, |seqs| seqs.last),
        command_id: id(event.command_id.map(|id| id.0)),
        correlation: id(event.correlation),
        causation: event.causation.map(|position| position.0),
        names: event.names.iter().map(Name::to_string).collect(),
        payload: event.payload.to_vec().into(),
    }
}

/// The event of a message, or what is wrong with it.
pub(super) fn event(message: DumpedEvent) -> Result<StoredEvent, String> {
    let name = |field: &str, text: &str| Name::new(text).map_err(|error| format!("{field} {error}"));
    let kind = StreamKind::from_word(&message.kind);
    let small = |field: &str, number| u16::try_from(number).map_err(|_| format!("{field} is over 65535"));
    let epoch = id("source_epoch", &message.source_epoch)?.map(Epoch);
    let (first, last) = (message.source_seq, message.source_seq_to);
    let names = message.names.iter().map(|text| name("names", text));
    let event = NewEvent {
        stream: StreamName {
            site: name("site", &message.site)?,
            kind: kind.ok_or_else(|| format!("kind {:?} is none that there is", message.kind))?,
            id: name("id", &message.id)?,
        },
        event_type: EventType(small("type_number", message.type_number)?),
        schema_version: small("schema_version", message.schema_version)?,
        occurred_at: Micros(message.occurred_at_us),
        source_time: Micros(message.source_time_us),
        actor: name("actor", &message.actor)?,
        on_behalf_of: message.on_behalf_of.map(|text| name("on_behalf_of", &text)).transpose()?,
        command_id: id("command_id", &message.command_id)?.map(CommandId),
        correlation: id("correlation", &message.correlation)?,
        causation: message.causation.map(Position),
        names: names.collect::<Result<_, _>>()?,
        payload: message.payload.as_ref().into(),
    };
    Ok(StoredEvent {
        position: Position(message.position),
        version: Version(message.version),
        recorded_at: Micros(message.recorded_at_us),
        source: name("source", &message.source)?,
        seqs: epoch.map(|epoch| StoredSeqs { epoch, first, last }),
        event,
    })
}

fn id(field: &str, bytes: &[u8]) -> Result<Option<u128>, String> {
    match bytes {
        [] => Ok(None),
        bytes => match bytes.try_into() {
            Ok(bytes) => Ok(Some(u128::from_be_bytes(bytes))),
            Err(_) => Err(format!("{field} has {} bytes instead of 16", bytes.len())),
        },
    }
}

impl Line {
    /// The event as a line, with its payload in words as well.
    pub(super) fn of(stored: &StoredEvent) -> Self {
        let (message, event) = (message(stored), &stored.event);
        let name_of =
            |index: u32| usize::try_from(index).ok().and_then(|index| event.names.get(index)).cloned();
        let body = pegcount_proto::decode(event.event_type, event.schema_version, &event.payload, name_of);
        // An event of a newer program has its payload only.
        let body = body.ok().and_then(|body| serde_json::to_value(body).ok()).unwrap_or(Value::Null);
        Self {
            position: message.position,
            site: message.site,
            kind: message.kind,
            id: message.id,
            version: message.version,
            r#type: event.event_type.name().to_owned(),
            type_number: message.type_number,
            schema_version: message.schema_version,
            occurred_at: when::rfc3339(event.occurred_at, &TimeZone::UTC),
            occurred_at_us: message.occurred_at_us,
            source_time_us: message.source_time_us,
            recorded_at_us: message.recorded_at_us,
            actor: message.actor,
            on_behalf_of: message.on_behalf_of,
            source: message.source,
            source_epoch: hex(&message.source_epoch),
            source_seq: message.source_seq,
            source_seq_to: message.source_seq_to,
            command_id: hex(&message.command_id),
            correlation: hex(&message.correlation),
            causation: message.causation,
            names: message.names,
            payload: hex(&message.payload),
            body,
        }
    }

    /// The event of a line, or what is wrong with it.
    pub(super) fn event(self) -> Result<StoredEvent, String> {
        event(DumpedEvent {
            source_epoch: bytes("source_epoch", &self.source_epoch)?,
            command_id: bytes("command_id", &self.command_id)?,
            correlation: bytes("correlation", &self.correlation)?,
            payload: bytes("payload", &self.payload)?,
            position: self.position,
            site: self.site,
            kind: self.kind,
            id: self.id,
            version: self.version,
            type_number: self.type_number,
            schema_version: self.schema_version,
            occurred_at_us: self.occurred_at_us,
            source_time_us: self.source_time_us,
            recorded_at_us: self.recorded_at_us,
            actor: self.actor,
            on_behalf_of: self.on_behalf_of,
            source: self.source,
            source_seq: self.source_seq,
            source_seq_to: self.source_seq_to,
            causation: self.causation,
            names: self.names,
        })
    }
}

/// Two digits a byte.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn bytes(field: &str, hex: &str) -> Result<tonic::codegen::Bytes, String> {
    let digits: Option<Vec<u8>> =
        hex.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2));
    let digits = digits.ok_or_else(|| format!("{field} is not hexadecimal"))?;
    let pairs = digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit));
    Ok(pairs.collect())
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    use super::*;

    /// How many changed inputs each test tries.
    const ROUNDS: u32 = 20_000;

    fn sample() -> DumpedEvent {
        DumpedEvent {
            position: 7,
            site: "north".to_owned(),
            kind: "agent".to_owned(),
            id: "anna".to_owned(),
            version: 3,
            type_number: EventType::NOT_READY.0.into(),
            schema_version: 1,
            occurred_at_us: -5,
            source_time_us: 9,
            recorded_at_us: i64::MAX,
            actor: "pbx".to_owned(),
            on_behalf_of: Some("somebody".to_owned()),
            source: "phone".to_owned(),
            source_epoch: vec![9; 16].into(),
            source_seq: 4,
            source_seq_to: 6,
            command_id: vec![1; 16].into(),
            correlation: vec![0; 16].into(),
            causation: Some(2),
            names: vec!["lunch".to_owned(), "Köln".to_owned()],
            payload: vec![8, 1].into(),
        }
    }

    /// By the clock; printed, so that a failure can be repeated.
    fn random() -> StdRng {
        let seed = jiff::Timestamp::now().as_microsecond().unsigned_abs();
        println!("seed {seed}");
        StdRng::seed_from_u64(seed)
    }

    fn changed(bytes: &[u8], random: &mut StdRng) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..random.random_range(1..4) {
            let at = random.random_range(0..bytes.len());
            match random.random_range(0..4) {
                0 => bytes[at] ^= 1 << random.random_range(0..8),
                1 => bytes[at] = random.random(),
                2 => bytes.insert(at, random.random()),
                _ if bytes.len() > 1 => drop(bytes.remove(at)),
                _ => {}
            }
        }
        bytes
    }

    #[test]
    fn a_changed_message_is_an_event_that_comes_back_or_is_refused_in_words() {
        let (bytes, mut random) = (sample().encode_to_vec(), random());
        let mut read = 0;
        for _ in 0..ROUNDS {
            let Ok(changed) = DumpedEvent::decode(changed(&bytes, &mut random).as_slice()) else { continue };
            match event(changed) {
                Ok(stored) => {
                    read += 1;
                    let again = event(message(&stored)).unwrap();
                    assert_eq!(format!("{again:?}"), format!("{stored:?}"));
                }
                Err(what) => assert!(!what.is_empty()),
            }
        }
        assert!(read > ROUNDS / 100, "only {read} of {ROUNDS} changed messages were events at all");
    }

    #[test]
    fn a_changed_line_is_an_event_that_comes_back_or_is_refused_in_words() {
        let stored = event(sample()).unwrap();
        let (text, mut random) = (serde_json::to_vec(&Line::of(&stored)).unwrap(), random());
        let whole: Line = serde_json::from_slice(&text).unwrap();
        assert_eq!(format!("{:?}", whole.event().unwrap()), format!("{stored:?}"));
        let mut read = 0;
        for _ in 0..ROUNDS {
            let Ok(line) = serde_json::from_slice::<Line>(&changed(&text, &mut random)) else { continue };
            match line.event() {
                Ok(stored) => {
                    read += 1;
                    let again = Line::of(&stored).event().unwrap();
                    assert_eq!(format!("{again:?}"), format!("{stored:?}"));
                }
                Err(what) => assert!(!what.is_empty()),
            }
        }
        assert!(read > ROUNDS / 100, "only {read} of {ROUNDS} changed lines were events at all");
    }
}

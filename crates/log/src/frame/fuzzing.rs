//! Frames, for [`crate::fuzzing`]: as they lie on disk, and their bodies behind the checksum.

use pegcount_domain::{
    envelope::{Position, StreamKind, StreamName, Version},
    event::EventType,
    ids::{CommandId, Epoch, Name},
    time::Micros,
};
use smallvec::SmallVec;

use super::{
    Frame, FrameBuilder, Stamp,
    encode::{FRAME_MAGIC, HEADER_BYTES, Head},
    number,
};
use crate::{
    api::NewEvent,
    fuzzing::{Decoder, Outcome},
    tools::{FrameEncoder, StoredEvent},
};

pub(crate) fn decoders() -> Vec<Decoder> {
    vec![
        Decoder { name: "frame", samples: || samples(Some(1)), read, checksummed: true },
        Decoder { name: "frame_body", samples: bodies, read: read_body, checksummed: false },
    ]
}

/// Frames of 1, 7 and 40 events; the last one is worth compressing.
pub(crate) fn samples(zstd_level: Option<i32>) -> Vec<Vec<u8>> {
    let Ok(mut builder) = FrameBuilder::new(zstd_level) else { return Vec::new() };
    let mut frame = |count: u64| {
        for index in 0..count {
            let source = Name::fixed("phone");
            let seq = index * 2 + 1;
            builder.push(
                &event(index),
                &Stamp {
                    position: Position(1_000 + index),
                    version: Version(index / 3 + 1),
                    recorded_at: Micros(1_772_355_600_000_000 + seq.cast_signed() % 5),
                    source: &source,
                    seqs: (index % 4 != 0).then_some((Epoch(9), seq, seq + index % 2)),
                },
            );
        }
        builder.finish(count == 7).1
    };
    [1, 7, 40].map(&mut frame).into()
}

fn event(index: u64) -> NewEvent {
    let id = ["anna", "Köln 漢", "b"].into_iter().cycle().nth(usize::try_from(index % 3).unwrap_or(0));
    let often = index.is_multiple_of(5);
    NewEvent {
        stream: StreamName {
            site: Name::fixed("north"),
            kind: StreamKind::Contact,
            id: Name::fixed(id.unwrap_or("a")),
        },
        event_type: EventType::LEG_OFFERED,
        schema_version: if often { 300 } else { 1 },
        occurred_at: Micros(1_772_355_599_000_000 + index.cast_signed()),
        source_time: Micros(if often { i64::MIN } else { 1_772_355_599_000_000 }),
        actor: Name::fixed("pbx"),
        on_behalf_of: often.then(|| Name::fixed("somebody")),
        command_id: often.then_some(CommandId(u128::MAX)),
        correlation: often.then_some(3),
        causation: often.then_some(Position(77)),
        names: SmallVec::from_iter([Name::fixed("anna"), Name::fixed("sales")]),
        payload: SmallVec::from_slice(&[8, 1, 16, 2]),
    }
}

fn read(bytes: &[u8]) -> Outcome {
    let Ok(frame) = Frame::decode(bytes) else { return Ok(None) };
    let walked = frame.events().count();
    if walked != frame.len() || frame.is_empty() {
        return Err(format!("{walked} of {} events can be walked through", frame.len()));
    }
    let trimmed = frame.trimmed(frame.last());
    if trimmed.len() != 1 || trimmed.last() != frame.last() {
        return Err(format!("trimmed to its last event it has {}", trimmed.len()));
    }
    built_anew(&frame)?;
    Ok(Some(format!("{frame:?}")))
}

/// A frame whose texts are names says the same when it is built anew.
fn built_anew(frame: &Frame) -> Result<(), String> {
    let Ok(events) = StoredEvent::all_of(frame) else { return Ok(()) };
    let bytes = FrameEncoder::default().encode(frame).map_err(|error| error.to_string())?;
    let again = Frame::decode(&bytes).map_err(|error| format!("built anew it is no frame: {error}"))?;
    let again = StoredEvent::all_of(&again).map_err(|error| error.to_string())?;
    if format!("{events:?}") == format!("{again:?}") {
        Ok(())
    } else {
        Err(format!("{events:?} is {again:?} when it is built anew"))
    }
}

/// How many events, two bytes, and then a body.
fn bodies() -> Vec<Vec<u8>> {
    let body = |bytes: Vec<u8>| {
        let frame = Frame::decode(&bytes).ok()?;
        let count = u16::try_from(frame.len()).ok()?;
        Some([count.to_le_bytes().as_slice(), bytes.get(HEADER_BYTES..)?].concat())
    };
    samples(None).into_iter().filter_map(body).collect()
}

fn read_body(bytes: &[u8]) -> Outcome {
    let Some((count, body)) = bytes.split_first_chunk::<2>() else { return Ok(None) };
    let count = number(usize::from(u16::from_le_bytes(*count)));
    let head = Head { magic: FRAME_MAGIC, flags: 0, first: 1_000, count };
    let bytes = head.framed(body, body.len());
    read(&bytes)
}

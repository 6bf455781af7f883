//! What is built comes back; what is damaged is an error; nothing panics.

use pegcount_domain::{
    envelope::{Position, StreamKind, StreamName, Version},
    event::EventType,
    ids::{CommandId, Epoch, Name},
    time::Micros,
};
use proptest::prelude::*;
use smallvec::SmallVec;

use super::{Frame, FrameBuilder, FrameError, PageBuilder, Stamp, encode::HEADER_BYTES};
use crate::{
    api::NewEvent,
    limits::{EVENT_BYTES_MAX, FRAME_BYTES_MAX, FRAME_EVENTS_MAX},
};

#[derive(Clone, Debug)]
struct Given {
    event: NewEvent,
    source: Name,
    seqs: Option<(Epoch, u64, u64)>,
    version: u64,
    recorded_at: i64,
}

fn a_name() -> impl Strategy<Value = Name> {
    prop_oneof!["[a-d]", "[a-zäß漢 ]{1,40}"].prop_map(|text| Name::new(&text).unwrap())
}

fn an_event() -> impl Strategy<Value = NewEvent> {
    let kind = prop::sample::select(StreamKind::ALL.to_vec());
    let stream = (a_name(), kind, a_name()).prop_map(|(site, kind, id)| StreamName { site, kind, id });
    let time = prop_oneof![any::<i64>(), 1_700_000_000_000_000_i64..1_700_000_900_000_000];
    let times = (time.clone(), prop::option::of(time));
    let ids =
        (prop::option::of(any::<u128>()), prop::option::of(any::<u128>()), prop::option::of(any::<u64>()));
    let names = prop::collection::vec(a_name(), 0..9);
    let payload = prop::collection::vec(any::<u8>(), 0..60);
    let who = (a_name(), prop::option::of(a_name()));
    let what = (any::<u16>(), prop_oneof![Just(1_u16), any::<u16>()]);
    (stream, what, times, who, ids, names, payload).prop_map(
        |(stream, what, times, who, ids, names, payload)| NewEvent {
            stream,
            event_type: EventType(what.0),
            schema_version: what.1,
            occurred_at: Micros(times.0),
            source_time: Micros(times.1.unwrap_or(times.0)),
            actor: who.0,
            on_behalf_of: who.1,
            command_id: ids.0.map(CommandId),
            correlation: ids.1,
            causation: ids.2.map(Position),
            names: names.into(),
            payload: SmallVec::from_vec(payload),
        },
    )
}

prop_compose! {
    fn given_event()(
        event in an_event(), source in a_name(),
        seqs in prop::option::of((0_u128..3, 1_u64..1 << 62, prop_oneof![Just(0_u64), 0_u64..1 << 40])),
        version in prop_oneof![1_u64..4, 1_u64..u64::MAX], recorded_at in any::<i64>(),
    ) -> Given {
        let seqs = seqs.map(|(epoch, first, span)| (Epoch(epoch), first, first + span));
        Given { event, source, seqs, version, recorded_at }
    }
}

fn build(given: &[Given], first: u64, level: Option<i32>, more: bool) -> (Frame, Vec<u8>) {
    let mut builder = FrameBuilder::new(level).unwrap();
    for (given, position) in given.iter().zip(first..) {
        assert!(builder.fits(&given.event, &given.source));
        builder.push(
            &given.event,
            &Stamp {
                position: Position(position),
                version: Version(given.version),
                recorded_at: Micros(given.recorded_at),
                source: &given.source,
                seqs: given.seqs,
            },
        );
    }
    builder.finish(more)
}

fn assert_holds(frame: &Frame, given: &[Given], first: u64) {
    assert_eq!(frame.len(), given.len());
    for ((got, given), position) in frame.events().zip(given).zip(first..) {
        let (envelope, event) = (got.envelope, &given.event);
        assert_eq!((envelope.position.0, envelope.version.0), (position, given.version));
        assert_eq!(envelope.stream.to_string(), event.stream.to_string());
        assert_eq!((envelope.event_type, envelope.schema_version), (event.event_type, event.schema_version));
        let future = event.occurred_at.0 > given.recorded_at;
        assert_eq!(
            (envelope.occurred_at.0, envelope.clamped),
            (event.occurred_at.0.min(given.recorded_at), future)
        );
        assert_eq!(envelope.source_time, event.source_time);
        assert_eq!(envelope.recorded_at.0, given.recorded_at);
        assert_eq!(envelope.actor, event.actor.as_str());
        assert_eq!(envelope.on_behalf_of, event.on_behalf_of.as_ref().map(Name::as_str));
        assert_eq!(envelope.source, given.source.as_str());
        let seqs = envelope.source_seq.zip(got.seq_to).map(|(at, to)| (at.epoch, at.seq, to));
        assert_eq!(seqs, given.seqs);
        assert_eq!((envelope.command_id, envelope.correlation), (event.command_id, event.correlation));
        assert_eq!(envelope.causation, event.causation);
        assert_eq!(envelope.payload, event.payload.as_slice());
        let names: Vec<_> = got.names.iter().map(|name| frame.text(*name)).collect();
        assert_eq!(names, event.names.iter().map(Name::as_str).collect::<Vec<_>>());
    }
}

fn sample() -> Vec<Given> {
    let name = |text: &str| Name::new(text).unwrap();
    let given = |n: u8| Given {
        event: NewEvent {
            stream: StreamName { site: name("site"), kind: StreamKind::Agent, id: name("agent") },
            event_type: EventType::READY,
            schema_version: 1,
            occurred_at: Micros(1_000_000 + i64::from(n)),
            source_time: Micros(1_000_000),
            actor: name("actor"),
            on_behalf_of: None,
            command_id: None,
            correlation: None,
            causation: None,
            names: SmallVec::from_iter([name("a name"), name("another")]),
            payload: SmallVec::from_slice(b"the same payload again"),
        },
        source: name("source"),
        seqs: Some((Epoch(1), u64::from(n) + 1, u64::from(n) + 1)),
        version: u64::from(n) + 1,
        recorded_at: 2_000_000,
    };
    (0..40).map(given).collect()
}

/// The page of the events that a frame has of its first event's stream, if their versions are dense.
fn page_of(frame: &Frame) -> Option<(PageBuilder, Vec<u32>)> {
    let stream = frame.events().next()?.envelope.stream;
    let name = |text: &str| Name::new(text).unwrap();
    let stream = StreamName { site: name(stream.site), kind: stream.kind, id: name(stream.id) };
    let records: Vec<_> = frame.records_of(&stream).collect();
    if records.windows(2).any(|pair| pair[0].1.checked_add(1) != Some(pair[1].1)) {
        return None;
    }
    let mut page = PageBuilder::new(frame, records[0].0)?;
    records.iter().skip(1).for_each(|(record, _)| page.push(frame, *record).unwrap());
    Some((page, records.into_iter().map(|(record, _)| record).collect()))
}

proptest! {
    #[test]
    fn a_page_says_of_its_events_what_their_frame_says(
        mut given in prop::collection::vec(given_event(), 1..40), first in 1_u64..1 << 60,
        dense in any::<bool>(), level in prop::sample::select(vec![None, Some(1)]),
    ) {
        if dense {
            let stream = given[0].event.stream.clone();
            for (given, version) in given.iter_mut().filter(|given| given.event.payload.len() % 3 > 0).zip(7..) {
                given.event.stream.clone_from(&stream);
                given.version = version;
            }
            given.retain(|given| given.event.stream != stream || given.event.payload.len() % 3 > 0);
            prop_assume!(!given.is_empty());
        }
        let (frame, _) = build(&given, first, None, false);
        let Some((page, records)) = page_of(&frame) else { return Ok(()) };
        let bytes = match level {
            None => page.raw(),
            Some(level) => page.finish(&mut zstd::bulk::Compressor::new(level).unwrap()),
        };
        let decoded = Frame::decode_page(&bytes).unwrap();
        prop_assert_eq!(decoded.len(), records.len());
        for (got, record) in decoded.events().zip(&records) {
            let from = frame.event_of_record(*record).unwrap();
            prop_assert_eq!(format!("{:?}", got.envelope), format!("{:?}", from.envelope));
            prop_assert_eq!(got.seq_to, from.seq_to);
            let texts = |frame: &Frame, event: &crate::FrameEvent<'_>| -> Vec<String> {
                let numbers = [event.site, event.id, event.source].into_iter().chain(event.names.iter().copied());
                numbers.map(|number| frame.text(number).to_owned()).collect()
            };
            prop_assert_eq!(texts(&decoded, &got), texts(&frame, &from));
            prop_assert_eq!(decoded.told_at(got.envelope.position), frame.told_at(from.envelope.position));
        }
        prop_assert_eq!((decoded.first(), decoded.last()), (
            frame.event_of_record(records[0]).unwrap().envelope.position,
            frame.event_of_record(*records.last().unwrap()).unwrap().envelope.position,
        ));
        prop_assert!(Frame::decode(&bytes).is_err(), "a page is not taken for a frame");
    }

    #[test]
    fn what_is_built_comes_back(
        given in prop::collection::vec(given_event(), 1..40), first in 1_u64..1 << 60,
        level in prop::sample::select(vec![None, Some(1)]), more in any::<bool>(),
    ) {
        let (frame, bytes) = build(&given, first, level, more);
        prop_assert!(bytes.len() <= FRAME_BYTES_MAX);
        assert_holds(&frame, &given, first);
        let decoded = Frame::decode(&bytes).unwrap();
        prop_assert_eq!(&decoded, &frame);
        prop_assert_eq!(Frame::more_follows(&bytes), more);
        assert_holds(&decoded, &given, first);
    }

    #[test]
    fn random_bytes_are_an_error(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Frame::decode(&bytes).is_err());
    }

    // A checksum that fits, to get behind it: whatever the body says, decoding gives an error or a frame that can be
    // walked through.
    #[test]
    fn a_wrong_body_under_a_right_checksum_never_panics(
        given in prop::collection::vec(given_event(), 1..6),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let (_, mut bytes) = build(&given, 1, None, false);
        if let Some(cut) = cut {
            let cut = HEADER_BYTES + cut.index(bytes.len() - HEADER_BYTES);
            bytes.truncate(cut);
        }
        let body = bytes.len() - HEADER_BYTES;
        if body > 0 {
            for (index, value) in changes {
                bytes[HEADER_BYTES + index.index(body)] = value;
            }
        }
        let length = u32::try_from(body).unwrap().to_le_bytes();
        bytes[20..24].copy_from_slice(&length);
        bytes[24..28].copy_from_slice(&length);
        let crc = crc32c::crc32c_append(crc32c::crc32c(&bytes[..28]), &bytes[HEADER_BYTES..]);
        bytes[28..32].copy_from_slice(&crc.to_le_bytes());
        if let Ok(frame) = Frame::decode(&bytes) {
            prop_assert_eq!(frame.events().count(), frame.len());
        }
    }
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed() {
    for level in [None, Some(1)] {
        let (_, bytes) = build(&sample(), 1, level, false);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Frame::decode(&flipped).is_err(), "bit {bit}");
        }
        for cut in 0..bytes.len() {
            assert!(Frame::decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        assert!(Frame::decode(&[&bytes[..], b"x"].concat()).is_err());
    }
}

#[test]
fn a_newer_frame_says_so() {
    let (_, mut bytes) = build(&sample(), 1, None, false);
    bytes[4] = 9;
    assert_eq!(Frame::decode(&bytes).unwrap_err(), FrameError::Newer { found: 9, flags: 0 });
}

#[test]
fn compression_is_used_where_it_pays_and_only_there() {
    let (_, long) = build(&sample(), 1, Some(1), false);
    let (_, raw) = build(&sample(), 1, None, false);
    assert!(long.len() < raw.len() / 2, "{} of {}", long.len(), raw.len());
    let (_, short) = build(&sample()[..1], 1, Some(1), false);
    assert_eq!(short, build(&sample()[..1], 1, None, false).1);
}

#[test]
fn a_text_is_stored_once() {
    let (frame, _) = build(&sample(), 1, None, false);
    assert_eq!(frame.text_count(), 6);
}

#[test]
fn a_frame_ends_before_it_grows_too_long() {
    let mut given = sample().remove(0);
    given.event.payload = (0..=255).cycle().take(EVENT_BYTES_MAX - 1_000).collect();
    let mut builder = FrameBuilder::new(None).unwrap();
    let stamp = Stamp {
        position: Position(1),
        version: Version(1),
        recorded_at: Micros(0),
        source: &given.source,
        seqs: None,
    };
    assert!(builder.fits(&given.event, &given.source));
    builder.push(&given.event, &stamp);
    assert!(!builder.fits(&given.event, &given.source));
    assert!(builder.finish(false).1.len() <= FRAME_BYTES_MAX);
    given.event.payload.clear();
    for position in 1..=u64::try_from(FRAME_EVENTS_MAX).unwrap() {
        assert!(builder.fits(&given.event, &given.source));
        builder
            .push(&given.event, &Stamp { position: Position(position), version: Version(position), ..stamp });
    }
    assert!(!builder.fits(&given.event, &given.source));
}

#[test]
fn a_trimmed_frame_shows_what_is_left() {
    let (frame, _) = build(&sample(), 11, None, false);
    let trimmed = frame.trimmed(Position(20));
    assert_eq!((trimmed.first(), trimmed.last(), trimmed.len()), (Position(20), Position(50), 31));
    let positions: Vec<_> = trimmed.events().map(|event| event.envelope.position.0).collect();
    assert_eq!(positions, (20..=50).collect::<Vec<_>>());
    assert_eq!(trimmed.trimmed(Position(5)), trimmed);
    assert_eq!(frame.trimmed(Position(1)), frame);
    assert!(frame.trimmed(Position(51)).is_empty());
}

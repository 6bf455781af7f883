//! `pegcount log stat`: what is in a log, for people and as JSON.
//!
//! Invariant: both say the same.

use std::{io::Write, path::Path};

use indicatif::HumanBytes;
use jiff::tz::TimeZone;
use pegcount_domain::time::Micros;
use pegcount_log::tools::{self, SegmentStat, Stat};
use serde_json::{Value, json};

use super::bar;
use crate::{args::StatArgs, error::CliError, figures::human::number, output, when};

/// The newest segments that the text lists; JSON has all of them.
const SEGMENTS_SHOWN: usize = 10;

/// Looks, and says what is there.
pub(crate) fn run(args: &StatArgs) -> Result<(), CliError> {
    let stat = tools::stat(&args.dir, args.kinds, &bar("counting"))?;
    if args.json { output::line(json(&stat)) } else { text(&stat) }
}

fn time(at: Micros) -> String {
    when::rfc3339(at, &TimeZone::UTC)
}

fn text(stat: &Stat) -> Result<(), CliError> {
    let mut out = output::out();
    writeln!(out, "{}", stat.dir.display())?;
    let times = stat.first_recorded_at.zip(stat.last_recorded_at);
    let recorded = times.map_or("-".to_owned(), |(first, last)| format!("{} to {}", time(first), time(last)));
    let sealed: u64 = stat.segments.iter().map(|segment| segment.bytes).sum();
    let hot = stat.hot.map_or_else(
        || "a server uses it, and only segments were looked at".to_owned(),
        |hot| {
            let events = number(hot.events);
            let (frames, frame_bytes) = (number(hot.frames), HumanBytes(hot.frame_bytes));
            format!(
                "{events} events in {frames} frames, {frame_bytes} ({} on disk)",
                HumanBytes(hot.disk_bytes)
            )
        },
    );
    let per_event = stat.bytes_per_event().map_or("-".to_owned(), |bytes| format!("{bytes:.1}"));
    for (word, value) in [
        ("format", stat.format.to_string()),
        ("incarnation", format!("{:032x}", stat.incarnation.0)),
        ("events", number(stat.events())),
        ("first position", number(stat.first.0)),
        ("last position", number(stat.end.0)),
        ("recorded", recorded),
        ("streams", number(stat.streams)),
        ("segments", format!("{}, {}", number(count(&stat.segments)), HumanBytes(sealed))),
        ("dropped", dropped(stat)),
        ("archives", archives(stat)),
        ("hot end", hot),
        ("bytes per event", per_event),
    ] {
        writeln!(out, "  {word:<16}{value}")?;
    }
    writeln!(out, "largest streams")?;
    for stream in &stat.largest {
        writeln!(out, "  {:>12}  {}", number(stream.events), stream.name)?;
    }
    if let Some(kinds) = &stat.kinds {
        writeln!(out, "events by kind of stream")?;
        for (kind, events) in kinds {
            writeln!(out, "  {:>12}  {}", number(*events), kind.word())?;
        }
    }
    segments(&mut out, &stat.segments)?;
    Ok(out.flush()?)
}

fn dropped(stat: &Stat) -> String {
    stat.stub.map_or("nothing".to_owned(), |stub| {
        format!(
            "positions up to {}, recorded until {}; {} holds the heads of {} streams and {} counters",
            number(stub.last.0),
            time(stub.last_recorded_at),
            HumanBytes(stub.bytes),
            number(stub.streams),
            number(stub.counters),
        )
    })
}

fn archives(stat: &Stat) -> String {
    let archives = stat
        .archives
        .iter()
        .map(|archive| format!("at position {} ({})", number(archive.position.0), HumanBytes(archive.bytes)));
    let archives = archives.collect::<Vec<_>>().join(", ");
    if archives.is_empty() { "none".to_owned() } else { archives }
}

fn segments(out: &mut impl Write, segments: &[SegmentStat]) -> Result<(), CliError> {
    if segments.is_empty() {
        return Ok(());
    }
    let left_out = segments.len().saturating_sub(SEGMENTS_SHOWN);
    let older = if left_out > 0 {
        format!(" (the newest; {left_out} older ones with --json)")
    } else {
        String::new()
    };
    writeln!(out, "segments{older}")?;
    let mut table = output::plain_table();
    table.set_header(["number", "first", "last", "size", "frames", "streams", "recorded until"]);
    for segment in segments.iter().skip(left_out) {
        table.add_row([
            segment.number.to_string(),
            number(segment.first.0),
            number(segment.last.0),
            HumanBytes(segment.bytes).to_string(),
            number(segment.frames),
            number(segment.streams),
            time(segment.last_recorded_at),
        ]);
    }
    Ok(writeln!(out, "{}", output::shown(table))?)
}

fn count<T>(items: &[T]) -> u64 {
    items.len().try_into().unwrap_or(u64::MAX)
}

fn json(stat: &Stat) -> Value {
    let segment = |segment: &SegmentStat| {
        json!({
            "number": segment.number,
            "first": segment.first.0,
            "last": segment.last.0,
            "bytes": segment.bytes,
            "frames": segment.frames,
            "frame_bytes": segment.frame_bytes,
            "streams": segment.streams,
            "last_recorded_at_us": segment.last_recorded_at.0,
        })
    };
    let hot = stat.hot.map(|hot| {
        json!({
            "databases": hot.databases,
            "frames": hot.frames,
            "events": hot.events,
            "frame_bytes": hot.frame_bytes,
            "disk_bytes": hot.disk_bytes,
        })
    });
    let stub = stat.stub.map(|stub| {
        json!({
            "number": stub.number,
            "last": stub.last.0,
            "bytes": stub.bytes,
            "streams": stub.streams,
            "counters": stub.counters,
            "last_recorded_at_us": stub.last_recorded_at.0,
        })
    });
    let archives = stat.archives.iter().map(
        |archive| json!({ "number": archive.number, "position": archive.position.0, "bytes": archive.bytes }),
    );
    let largest = stat.largest.iter().map(|stream| json!({ "stream": stream.name, "events": stream.events }));
    let kinds = stat.kinds.as_ref().map(|kinds| {
        let kinds = kinds.iter().map(|(kind, events)| (kind.word().to_owned(), json!(events)));
        kinds.collect::<serde_json::Map<_, _>>()
    });
    json!({
        "dir": shown(&stat.dir),
        "format": stat.format,
        "incarnation": format!("{:032x}", stat.incarnation.0),
        "first": stat.first.0,
        "end": stat.end.0,
        "first_recorded_at_us": stat.first_recorded_at.map(|at| at.0),
        "last_recorded_at_us": stat.last_recorded_at.map(|at| at.0),
        "streams": stat.streams,
        "bytes_per_event": stat.bytes_per_event(),
        "hot": hot,
        "stub": stub,
        "archives": archives.collect::<Vec<_>>(),
        "largest_streams": largest.collect::<Vec<_>>(),
        "events_by_kind": kinds,
        "segments": stat.segments.iter().map(segment).collect::<Vec<_>>(),
    })
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

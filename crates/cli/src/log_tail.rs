//! `pegcount log tail`: events as they stand in the log.
//!
//! Invariant: events come in the order of their positions (or the other way round), none left out that passes the
//! filter, none twice.

use std::io::Write;

use jiff::tz::TimeZone;
use pegcount_client::Api;
use pegcount_domain::{
    envelope::{Position, StreamKind},
    event::EventType,
    time::Micros,
};
use pegcount_engine::{Engine, ReadEvent};
use pegcount_log::{Direction, Filter, ReadQuery};
use pegcount_proto::v1::{GetLogStatusRequest, LogEvent, LogFilter, ReadLogRequest, SubscribeLogRequest};
use serde_json::{Value, json};
use tokio_stream::StreamExt;

use crate::{
    args::{Format, TailArgs},
    error::CliError,
    output, patience,
    target::{self, Missing, Target},
    when,
};

const PAGE_EVENTS: u32 = 1_000;

/// Prints the events that are asked for.
pub(crate) async fn run(args: TailArgs) -> Result<(), CliError> {
    let filter = filter(&args)?;
    let mut writer = Writer::new(args.format)?;
    match Target::open(&args.target, Missing::Refuse).await? {
        Target::Server(api) => from_server(&api, &args, &mut writer).await,
        Target::Folder(engine) => {
            let printed = from_folder(&engine, &args, filter, &mut writer).await;
            engine.close().await?;
            printed
        }
    }
}

fn filter(args: &TailArgs) -> Result<Filter, CliError> {
    let site = args.site.as_deref().map(|text| target::name("--site", text)).transpose()?;
    let kind = args.kind.as_deref().map(kind).transpose()?;
    let types = args.types.iter().map(|name| event_type(name)).collect::<Result<_, _>>()?;
    Ok(Filter { site, kind, id: None, types })
}

fn event_type(name: &str) -> Result<EventType, CliError> {
    EventType::from_name(name).ok_or_else(|| {
        let known: Vec<_> = EventType::ALL.iter().map(|known| known.name()).collect();
        CliError::Argument(format!("there is no type of event `{name}`; the types are {}", known.join(", ")))
    })
}

fn kind(word: &str) -> Result<StreamKind, CliError> {
    StreamKind::from_word(word).ok_or_else(|| {
        let known: Vec<_> = StreamKind::ALL.iter().map(|kind| kind.word()).collect();
        CliError::Argument(format!(
            "there are no streams of kind `{word}`; the kinds are {}",
            known.join(", ")
        ))
    })
}

/// Which way to read, from where, and how many events at most.
struct Way {
    backward: bool,
    from: u64,
    left: u64,
}

impl Way {
    /// As asked; if not, so many positions before `end`, or backward from it.
    fn new(args: &TailArgs, end: u64) -> Self {
        if args.backward {
            return Self { backward: true, from: args.from.unwrap_or(end).min(end), left: args.last };
        }
        let from = args.from.unwrap_or_else(|| (end + 1).saturating_sub(args.last)).max(1);
        Self { backward: false, from, left: u64::MAX }
    }

    /// Whether there is more to read, when the log ends at `end`.
    fn goes_on(&self, end: u64) -> bool {
        self.left > 0 && if self.backward { self.from > 0 } else { self.from <= end }
    }

    /// How many events the next page has at most.
    fn limit(&self) -> u32 {
        u32::try_from(self.left).unwrap_or(PAGE_EVENTS).min(PAGE_EVENTS)
    }

    /// A page of so many events has been read.
    fn passed(&mut self, events: usize, next: u64) {
        self.left = self.left.saturating_sub(u64::try_from(events).unwrap_or(u64::MAX));
        self.from = next;
    }
}

async fn from_folder(
    engine: &Engine,
    args: &TailArgs,
    filter: Filter,
    writer: &mut Writer,
) -> Result<(), CliError> {
    let end = engine.end();
    let mut way = Way::new(args, end.0);
    while way.goes_on(end.0) {
        let direction = if way.backward { Direction::Backward } else { Direction::Forward };
        let limit = usize::try_from(way.limit()).unwrap_or(usize::MAX);
        let query = ReadQuery { from: Position(way.from), direction, filter: filter.clone(), limit };
        let page = engine.read_log_page(&query).await?;
        for event in &page.events {
            writer.write(&line_of(event))?;
        }
        way.passed(page.events.len(), page.next.0);
    }
    writer.flush()
}

async fn from_server(api: &Api, args: &TailArgs, writer: &mut Writer) -> Result<(), CliError> {
    let mut log = api.log();
    let filter = LogFilter {
        site: args.site.clone().unwrap_or_default(),
        kind: args.kind.clone().unwrap_or_default(),
        stream: String::new(),
        types: args.types.clone(),
    };
    let end = log.get_log_status(GetLogStatusRequest {}).await?.into_inner().end_position;
    let mut way = Way::new(args, end);
    if args.follow {
        return follow(api, filter, way.from, writer).await;
    }
    while way.goes_on(end) {
        let (filter, limit) = (Some(filter.clone()), way.limit());
        let request = ReadLogRequest { from_position: way.from, limit, filter, backward: way.backward };
        let page = log.read_log(request).await?.into_inner();
        for event in &page.events {
            writer.write(event)?;
        }
        way.passed(page.events.len(), page.next_position);
    }
    writer.flush()
}

/// Prints what is there and what comes, over restarts of the server too, without end.
async fn follow(
    api: &Api,
    filter: LogFilter,
    from_position: u64,
    writer: &mut Writer,
) -> Result<(), CliError> {
    let mut resume_token = tonic::codegen::Bytes::new();
    loop {
        let (filter, resume_token_now) = (Some(filter.clone()), resume_token.clone());
        let request = SubscribeLogRequest { from_position, filter, resume_token: resume_token_now };
        let mut stream = match api.log().subscribe_log(request).await {
            Ok(answer) => answer.into_inner(),
            Err(status) if !resume_token.is_empty() && patience::is_passing(&status) => {
                patience::wait(&status).await;
                continue;
            }
            Err(status) => return Err(status.into()),
        };
        while let Some(answer) = stream.next().await {
            let answer = match answer {
                Ok(answer) => answer,
                Err(status) if !resume_token.is_empty() && patience::is_passing(&status) => break,
                Err(status) => return Err(status.into()),
            };
            for event in &answer.events {
                writer.write(event)?;
            }
            writer.flush()?;
            resume_token = answer.resume_token;
        }
    }
}

/// The event as the contract has it, so that both ways print the same.
fn line_of(event: &ReadEvent) -> LogEvent {
    LogEvent {
        position: event.position.0,
        stream: event.stream.to_string(),
        version: event.version.0,
        r#type: event.event_type.name().to_owned(),
        schema_version: event.schema_version.into(),
        occurred_at_us: event.occurred_at.0,
        source_time_us: event.source_time.0,
        recorded_at_us: event.recorded_at.0,
        actor: event.actor.to_string(),
        on_behalf_of: event.on_behalf_of.as_ref().map(ToString::to_string).unwrap_or_default(),
        source: event.source.to_string(),
        source_epoch: event.source_seq.map(|seq| bytes(seq.epoch.0)).unwrap_or_default(),
        source_seq: event.source_seq.map_or(0, |seq| seq.seq),
        command_id: event.command_id.map(|id| bytes(id.0)).unwrap_or_default(),
        body_json: serde_json::to_string(&event.event).unwrap_or_default(),
        clamped: event.clamped,
    }
}

fn bytes(number: u128) -> tonic::codegen::Bytes {
    number.to_be_bytes().to_vec().into()
}

enum Writer {
    Text(std::io::StdoutLock<'static>),
    Json(std::io::StdoutLock<'static>),
    Csv(Box<csv::Writer<std::io::StdoutLock<'static>>>),
}

const FIELDS: [&str; 9] =
    ["position", "stream", "version", "type", "occurred_at", "recorded_at", "actor", "source", "body"];

impl Writer {
    fn new(format: Format) -> Result<Self, CliError> {
        let out = output::out();
        Ok(match format {
            Format::Table => Self::Text(out),
            Format::Json => Self::Json(out),
            Format::Csv => {
                let mut csv = csv::Writer::from_writer(out);
                csv.write_record(FIELDS)?;
                Self::Csv(Box::new(csv))
            }
        })
    }

    fn write(&mut self, event: &LogEvent) -> Result<(), CliError> {
        let time = |micros| when::rfc3339(Micros(micros), &TimeZone::UTC);
        match self {
            Self::Text(out) => writeln!(
                out,
                "{:>8}  {}  {} v{}  {}  by {}  {}",
                event.position,
                time(event.occurred_at_us),
                event.stream,
                event.version,
                event.r#type,
                event.actor,
                event.body_json,
            )?,
            Self::Json(out) => {
                let body: Value = serde_json::from_str(&event.body_json).unwrap_or(Value::Null);
                let object = json!({
                    "position": event.position,
                    "stream": event.stream,
                    "version": event.version,
                    "type": event.r#type,
                    "schema_version": event.schema_version,
                    "occurred_at_us": event.occurred_at_us,
                    "source_time_us": event.source_time_us,
                    "recorded_at_us": event.recorded_at_us,
                    "clamped": event.clamped,
                    "actor": event.actor,
                    "source": event.source,
                    "source_epoch": output::hex(&event.source_epoch),
                    "source_seq": event.source_seq,
                    "body": body,
                });
                writeln!(out, "{object}")?;
            }
            Self::Csv(out) => out.write_record([
                &event.position.to_string(),
                &event.stream,
                &event.version.to_string(),
                &event.r#type,
                &time(event.occurred_at_us),
                &time(event.recorded_at_us),
                &event.actor,
                &event.source,
                &event.body_json,
            ])?,
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), CliError> {
        match self {
            Self::Text(out) | Self::Json(out) => out.flush()?,
            Self::Csv(out) => out.flush()?,
        }
        Ok(())
    }
}

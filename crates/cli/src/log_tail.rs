//! `pegcount log tail`: events as they stand in the log.
//!
//! Invariant: events come in the order of their positions, none left out that passes the filter, none twice.

use std::io::Write;

use jiff::tz::TimeZone;
use pegcount_client::Api;
use pegcount_domain::{
    envelope::{Position, StreamKind},
    time::Micros,
};
use pegcount_engine::{Engine, ReadEvent};
use pegcount_log::Filter;
use pegcount_proto::v1::{GetLogStatusRequest, LogEvent, LogFilter, ReadLogRequest, SubscribeLogRequest};
use serde_json::{Value, json};
use smallvec::SmallVec;
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
    let kind = args.kind.as_deref().map(kind).transpose()?;
    let mut writer = Writer::new(args.format)?;
    match Target::open(&args.target, Missing::Refuse).await? {
        Target::Server(api) => from_server(&api, &args, &mut writer).await,
        Target::Folder(engine) => {
            let printed = from_folder(&engine, &args, kind, &mut writer).await;
            engine.close().await?;
            printed
        }
    }
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

/// Where to begin: as asked, or so many positions before the end.
fn first(args: &TailArgs, end: u64) -> u64 {
    args.from.unwrap_or_else(|| (end + 1).saturating_sub(args.last)).max(1)
}

async fn from_folder(
    engine: &Engine,
    args: &TailArgs,
    kind: Option<StreamKind>,
    writer: &mut Writer,
) -> Result<(), CliError> {
    let site = args.site.as_deref().map(|text| target::name("--site", text)).transpose()?;
    let filter = Filter { site, kind, id: None, types: SmallVec::new() };
    let end = engine.end();
    let mut next = Position(first(args, end.0));
    while next <= end {
        let page = engine.read_log(next, usize::try_from(PAGE_EVENTS).unwrap_or(usize::MAX), &filter).await?;
        for event in &page.events {
            writer.write(&line_of(event))?;
        }
        next = page.next;
    }
    writer.flush()
}

async fn from_server(api: &Api, args: &TailArgs, writer: &mut Writer) -> Result<(), CliError> {
    let mut log = api.log();
    let filter = LogFilter {
        site: args.site.clone().unwrap_or_default(),
        kind: args.kind.clone().unwrap_or_default(),
        stream: String::new(),
    };
    let end = log.get_log_status(GetLogStatusRequest {}).await?.into_inner().end_position;
    let mut from_position = first(args, end);
    if args.follow {
        return follow(api, filter, from_position, writer).await;
    }
    while from_position <= end {
        let request = ReadLogRequest { from_position, limit: PAGE_EVENTS, filter: Some(filter.clone()) };
        let page = log.read_log(request).await?.into_inner();
        for event in &page.events {
            writer.write(event)?;
        }
        from_position = page.next_position;
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

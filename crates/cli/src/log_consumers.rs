//! `pegcount log consumers`: who follows the log under a name, and how far behind each is.
//!
//! Works on the log alone: nothing is folded. Invariant: a server and a folder give the same words for the same state.

use comfy_table::CellAlignment;
use indicatif::HumanDuration;
use jiff::tz::TimeZone;
use pegcount_client::Api;
use pegcount_domain::time::Micros;
use pegcount_engine::EngineError;
use pegcount_log::{ConsumerName, ConsumerStatus, EventLog, LogError, SledLog, SledOptions};
use pegcount_proto::v1::{self, DeleteConsumerRequest, ListConsumersRequest};
use serde::Serialize;

use crate::{args::ConsumersArgs, error::CliError, output, target, when};

/// One consumer, in words.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Line {
    site: Option<String>,
    consumer: String,
    owner: String,
    confirmed_position: u64,
    events_behind: u64,
    confirmed_at: Option<String>,
    since_confirm_us: i64,
    connected: bool,
}

/// Deletes one if asked to, and prints all that are left.
pub(crate) async fn run(args: ConsumersArgs) -> Result<(), CliError> {
    let lines = match &args.target.server {
        Some(url) => from_server(&target::connect(url, &args.target).await?, &args).await?,
        None => from_folder(&args).await?,
    };
    let seconds = |micros| format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    let records = lines.iter().map(|line| row(line, "", seconds));
    output::list(args.format, || table(&lines), &FIELDS, records, std::iter::once(serde_json::json!(lines)))
}

async fn from_server(api: &Api, args: &ConsumersArgs) -> Result<Vec<Line>, CliError> {
    let mut log = api.log();
    if let Some(name) = &args.delete {
        let site = args.site.clone().unwrap_or_default();
        log.delete_consumer(DeleteConsumerRequest { site, name: name.clone() }).await?;
    }
    let consumers = log.list_consumers(ListConsumersRequest {}).await?.into_inner().consumers;
    Ok(consumers.into_iter().map(of_wire).collect())
}

async fn from_folder(args: &ConsumersArgs) -> Result<Vec<Line>, CliError> {
    let dir = target::data_dir(&args.target);
    if !dir.join("log").is_dir() {
        return Err(CliError::NoFolder { dir });
    }
    let failed = |error: LogError| target::locked(EngineError::from(error), &dir);
    // Only looking leaves the folder as it is.
    let options = SledOptions { read_only: args.delete.is_none(), ..SledOptions::new(dir.join("log")) };
    let log = SledLog::open(options).map_err(failed)?;
    if let Some(name) = &args.delete {
        let site = args.site.as_deref().map(|site| target::name("--site", site)).transpose()?;
        let name = ConsumerName { site, name: target::name("--delete", name)? };
        log.consumers().delete(&name, None).map_err(EngineError::from)?;
    }
    let all = log.consumers().list().map_err(EngineError::from)?;
    log.close().await.map_err(failed)?;
    Ok(all.iter().map(of_log).collect())
}

fn time(at: Micros) -> String {
    when::rfc3339(at, &TimeZone::UTC)
}

fn of_log(one: &ConsumerStatus) -> Line {
    Line {
        site: one.name.site.as_ref().map(ToString::to_string),
        consumer: one.name.name.to_string(),
        owner: one.owner.to_string(),
        confirmed_position: one.confirmed.0,
        events_behind: one.behind,
        confirmed_at: one.confirmed_at.map(time),
        since_confirm_us: one.since_confirm.0,
        connected: one.connected,
    }
}

fn of_wire(one: v1::ConsumerStatus) -> Line {
    Line {
        site: (!one.site.is_empty()).then_some(one.site),
        consumer: one.name,
        owner: one.owner,
        confirmed_position: one.confirmed_position,
        events_behind: one.events_behind,
        confirmed_at: one.confirmed_at_us.map(|at| time(Micros(at))),
        since_confirm_us: one.since_confirm_us,
        connected: one.connected,
    }
}

const FIELDS: [&str; 8] =
    ["site", "consumer", "owner", "confirmed", "behind", "confirmed_at", "since_confirm_s", "connected"];

fn table(lines: &[Line]) -> String {
    if lines.is_empty() {
        return "nobody follows this log under a name".to_owned();
    }
    let mut table = output::plain_table();
    table.set_header([
        "site",
        "consumer",
        "owner",
        "confirmed",
        "behind",
        "confirmed at",
        "since",
        "connected",
    ]);
    for line in lines {
        table.add_row(row(line, "-", |micros| {
            let length = std::time::Duration::from_micros(micros.try_into().unwrap_or_default());
            HumanDuration(length).to_string()
        }));
    }
    for number in [3, 4] {
        if let Some(column) = table.column_mut(number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    output::shown(table)
}

fn row(line: &Line, absent: &str, length: impl Fn(i64) -> String) -> [String; 8] {
    [
        line.site.clone().unwrap_or_else(|| "*".to_owned()),
        line.consumer.clone(),
        line.owner.clone(),
        line.confirmed_position.to_string(),
        line.events_behind.to_string(),
        line.confirmed_at.clone().unwrap_or_else(|| absent.to_owned()),
        length(line.since_confirm_us),
        if line.connected { "yes" } else { "no" }.to_owned(),
    ]
}

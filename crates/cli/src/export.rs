//! `pegcount export`: days of a site as files.
//!
//! Invariant: a run ends well only if every day was published or has not changed; ^C leaves no half day.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use comfy_table::{Cell as Field, CellAlignment};
use indicatif::HumanBytes;
use jiff::civil::Date;
use pegcount_domain::envelope::Position;
use pegcount_export::{
    Format, Manifest, Outcome, Progress, Request, dictionary, publish, published, tables::Table,
};

use crate::{
    args::{ExportColumnsArgs, ExportCommand, ExportListArgs, ExportRunArgs, ExportVerifyArgs},
    error::CliError,
    figures::human,
    output,
    progress::Bar,
    target::{self, Missing},
    when,
};

/// Does what was asked.
pub(crate) async fn run(command: ExportCommand) -> Result<(), CliError> {
    match command {
        ExportCommand::Run(args) => export(args).await,
        ExportCommand::List(args) => list(&args),
        ExportCommand::Verify(args) => verify(&args),
        ExportCommand::Columns(args) => columns(&args),
    }
}

async fn export(args: ExportRunArgs) -> Result<(), CliError> {
    let days = days(&args)?;
    let zone = args.time_zone.as_deref().map(when::zone).transpose()?;
    let mut formats: Vec<Format> = args.format.clone();
    formats.sort_unstable();
    formats.dedup();
    let mut request = Request {
        site: target::site(&args.site)?,
        date: Date::ZERO,
        zone,
        destination: args.dest.clone(),
        formats,
        bom: args.bom,
        position: args.position.map(Position),
    };
    let engine = target::open_folder(&args.data_dir, Missing::Refuse).await?;
    let cancelled = Arc::new(AtomicBool::new(false));
    let waiting = {
        let cancelled = Arc::clone(&cancelled);
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                cancelled.store(true, Ordering::Relaxed);
            }
        })
    };
    let mut ended = Ok(());
    for date in days {
        request.date = date;
        let bar = Bar::new("{prefix} {bar:40} {pos} of {len} tables · {msg}");
        bar.0.set_prefix(date.to_string());
        let mut tell = |now: Progress| {
            bar.0.set_length(u64::try_from(now.of).unwrap_or(0));
            bar.0.set_position(u64::try_from(now.steps).unwrap_or(0));
            bar.0.set_message(format!("{}, {} rows", now.table.name(), human::number(now.rows)));
        };
        let outcome = publish(&engine, &request, &cancelled, &mut tell).await;
        drop(bar);
        ended = match outcome {
            Ok(outcome) => show(&outcome, args.json),
            Err(error) => Err(error.into()),
        };
        if ended.is_err() {
            break;
        }
    }
    waiting.abort();
    engine.close().await?;
    ended
}

/// The days asked for, in order.
fn days(args: &ExportRunArgs) -> Result<Vec<Date>, CliError> {
    let (Some(from), Some(to)) = (args.from, args.to) else { return Ok(args.date.into_iter().collect()) };
    if to <= from {
        return Err(CliError::Argument(format!("--to ({to}) does not lie after --from ({from})")));
    }
    Ok(from.series(jiff::Span::new().days(1)).take_while(|day| *day < to).collect())
}

fn show(outcome: &Outcome, json: bool) -> Result<(), CliError> {
    let (word, newest) = match outcome {
        Outcome::Published(newest) => ("published", newest),
        Outcome::Unchanged(newest) => ("unchanged", newest),
    };
    let manifest = &newest.manifest;
    if json {
        let mut object = object(&newest.place, manifest);
        object.insert("outcome".to_owned(), word.into());
        return output::line(serde_json::Value::Object(object));
    }
    let rows = human::number(manifest.rows());
    let text = match outcome {
        Outcome::Published(_) => {
            let replaces = manifest.replaces.as_ref().map(|old| {
                let count = human::number(old.differences);
                let figures = if old.differences == 1 { "figure differs" } else { "figures differ" };
                format!("; {count} {figures} from revision {}", old.revision)
            });
            format!(
                "{} {}: published revision {} in {}, {rows} rows, {}, at log position {}{}",
                manifest.site,
                manifest.date,
                manifest.revision,
                newest.place.display(),
                HumanBytes(manifest.bytes()),
                manifest.position,
                replaces.unwrap_or_default()
            )
        }
        Outcome::Unchanged(_) => format!(
            "{} {}: nothing differs from revision {}; nothing was published",
            manifest.site, manifest.date, manifest.revision
        ),
    };
    output::line(text)
}

fn object(place: &Path, manifest: &Manifest) -> serde_json::Map<String, serde_json::Value> {
    let mut object = match serde_json::to_value(manifest) {
        Ok(serde_json::Value::Object(object)) => object,
        _ => serde_json::Map::new(),
    };
    object.insert("place".to_owned(), place.display().to_string().into());
    object.insert("rows".to_owned(), manifest.rows().into());
    object.insert("bytes".to_owned(), manifest.bytes().into());
    object
}

fn list(args: &ExportListArgs) -> Result<(), CliError> {
    let found = published::list(&args.dir)?;
    if args.json {
        return found.iter().try_for_each(|(place, manifest)| {
            output::line(serde_json::Value::Object(object(place, manifest)))
        });
    }
    if found.is_empty() {
        return output::line(format!("nothing is published in {}", args.dir.display()));
    }
    let mut table = output::plain_table();
    table.set_header(["site", "date", "revision", "position", "formats", "rows", "bytes", "differences"]);
    let right = |text: String| Field::new(text).set_alignment(CellAlignment::Right);
    for (_, manifest) in &found {
        let differences = manifest.replaces.as_ref().map(|old| human::number(old.differences));
        table.add_row([
            Field::new(&manifest.site),
            Field::new(&manifest.date),
            right(manifest.revision.to_string()),
            right(format!("#{}", manifest.position)),
            Field::new(manifest.formats.join(",")),
            right(human::number(manifest.rows())),
            right(HumanBytes(manifest.bytes()).to_string()),
            right(differences.unwrap_or_default()),
        ]);
    }
    output::line(output::shown(table))
}

fn verify(args: &ExportVerifyArgs) -> Result<(), CliError> {
    let found = match Manifest::read(&args.dir)? {
        Some(manifest) => vec![(args.dir.clone(), manifest)],
        None => published::list(&args.dir)?,
    };
    if found.is_empty() {
        return Err(CliError::Argument(format!("nothing is published in {}", args.dir.display())));
    }
    let mut count = 0_u64;
    for (place, manifest) in &found {
        let wrong = published::verify(place, manifest);
        count += u64::try_from(wrong.len()).unwrap_or(u64::MAX);
        let head = format!("{} {} revision {}", manifest.site, manifest.date, manifest.revision);
        match wrong.as_slice() {
            [] => output::line(format!("{head}: as it was published"))?,
            wrong => wrong.iter().try_for_each(|what| output::line(format!("{head}: {what}")))?,
        }
    }
    match count {
        0 => Ok(()),
        count => Err(CliError::ExportDamaged { dir: args.dir.clone(), count }),
    }
}

fn columns(args: &ExportColumnsArgs) -> Result<(), CliError> {
    if args.json {
        return output::line(format!("{:#}", dictionary::json()));
    }
    for own in Table::ALL {
        output::line(format!("{}: {}", own.name(), own.meaning()))?;
        let mut table = output::plain_table();
        table.set_header(["column", "type", "unit", "meaning"]);
        for column in own.columns() {
            table.add_row([&column.name, column.kind.word(), column.unit, &column.meaning]);
        }
        output::line(format!("{}\n", output::shown(table)))?;
    }
    Ok(())
}

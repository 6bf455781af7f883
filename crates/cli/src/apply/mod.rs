//! `pegcount apply`: a site's file into definitions, after showing what they change; `pegcount definitions`: the other way.
//!
//! Invariant: nothing is written that has not been shown, and nothing without consent.

mod diff;

use std::{
    fs,
    io::{self, IsTerminal, Write},
    path::Path,
};

use indicatif::ProgressBar;
use jiff::tz::TimeZone;
use pegcount_client::Api;
use pegcount_domain::{
    event::Event,
    ids::{Name, SiteId},
};
use pegcount_engine::{STANDARD_CALENDAR, options::DEFINITIONS_MAX};
use pegcount_proto::v1::{self, DefineRequest, ListDefinitionsRequest, RecomputationPurpose};
use pegcount_server::wire;

use crate::{
    args::{ApplyArgs, DefinitionsArgs},
    error::CliError,
    output, recomputing,
    site_file::{read, write},
    target::{self, Missing, Target},
    when,
};
use diff::Diff;

/// Who defines in a folder when no server, and so no token, is there.
const ACTOR: Name = Name::fixed("command line");

/// `pegcount apply FILE`.
pub(crate) async fn run(args: ApplyArgs) -> Result<(), CliError> {
    let content = fs::read_to_string(&args.file).map_err(|source| CliError::File {
        action: "read",
        path: args.file.clone(),
        source,
    })?;
    let file = read::read(&args.file, &content)?;
    let site = the_site(&args.file, args.site.as_deref(), file.site.as_deref())?;
    let missing = if args.dry_run { Missing::Refuse } else { Missing::Make };
    match Target::open(&args.target, missing).await {
        Ok(target) => {
            let done = apply(&args, &target, &site, file).await;
            target.close().await?;
            done
        }
        // To look makes no folder; where there is none, nothing is defined.
        Err(CliError::NoFolder { .. }) => shown(&args, &site, file, &[]).map(drop),
        Err(error) => Err(error),
    }
}

async fn apply(
    args: &ApplyArgs,
    target: &Target,
    site: &SiteId,
    file: read::SiteRead,
) -> Result<(), CliError> {
    let zone = file.zone.clone();
    let Some(diff) = shown(args, site, file, &defined(target, site).await?)? else { return Ok(()) };
    if !args.yes && !consents(&diff, site, &zone)? {
        return output::line("nothing was written");
    }
    let written = define(target, site, diff.events).await?;
    output::line(format!("{written} definitions written at {site}"))?;
    if let (Target::Server(api), false) = (target, args.no_wait) {
        wait(api, site).await?;
    }
    Ok(())
}

/// Shows what the file changes; gives it if it is to be written.
fn shown(
    args: &ApplyArgs,
    site: &SiteId,
    file: read::SiteRead,
    standing: &[Event],
) -> Result<Option<Diff>, CliError> {
    check_calendars(file.calendars, &file.events.iter().chain(standing))?;
    let diff = Diff::of(&file.events, standing);
    output::line(diff.words(&file.zone))?;
    if diff.events.is_empty() {
        output::line(format!("nothing to do: {site} is as the file says"))?;
        return Ok(None);
    }
    if args.dry_run {
        output::line("nothing was written (--dry-run)")?;
        return Ok(None);
    }
    Ok(Some(diff))
}

/// Policies count by calendars that are there.
pub(crate) fn check_calendars<'e>(
    named: Vec<(String, read::SiteFileError)>,
    definitions: &(impl Iterator<Item = &'e Event> + Clone),
) -> Result<(), CliError> {
    let is_defined = |name: &str| {
        let mut definitions = definitions.clone();
        let defines = |event: &Event| matches!(event, Event::CalendarDefined(calendar) if calendar.calendar.as_str() == name);
        name == STANDARD_CALENDAR.as_str() || definitions.any(defines)
    };
    match named.into_iter().find(|(name, _)| !is_defined(name)) {
        Some((_, wrong)) => Err(wrong.into()),
        None => Ok(()),
    }
}

/// The site of the argument, or else the file's.
pub(crate) fn the_site(path: &Path, argument: Option<&str>, file: Option<&str>) -> Result<SiteId, CliError> {
    match (argument, file) {
        (Some(argument), Some(file)) if argument != file => Err(CliError::Argument(format!(
            "--site is {argument}, and {} is for {file}: say one, or make them the same",
            path.display()
        ))),
        (Some(site), _) | (None, Some(site)) => target::site(site),
        (None, None) => Err(CliError::Argument(format!(
            "--site is missing, and {} names none: say whose definitions these are, or write [site] name = \"…\"",
            path.display()
        ))),
    }
}

/// All that is defined.
pub(crate) async fn defined(target: &Target, site: &SiteId) -> Result<Vec<Event>, CliError> {
    match target {
        Target::Folder(engine) => Ok(engine.defined(site).events()),
        Target::Server(api) => defined_at(api, site).await,
    }
}

/// All that is defined at a server.
pub(crate) async fn defined_at(api: &Api, site: &SiteId) -> Result<Vec<Event>, CliError> {
    let request = ListDefinitionsRequest { site: site.to_string() };
    let listed = api.definitions().list_definitions(request).await?.into_inner();
    let events = listed.definitions.iter().map(wire::definition);
    Ok(events.collect::<Result<_, _>>()?)
}

/// Asks whoever sits there.
fn consents(diff: &Diff, site: &SiteId, zone: &TimeZone) -> Result<bool, CliError> {
    if !io::stdin().is_terminal() {
        return Err(CliError::Argument(
            "nobody is there to ask: say --yes to write these definitions, or --dry-run to only look"
                .to_owned(),
        ));
    }
    let back = diff.reaches_back_to().filter(|from| *from < pegcount_clock::system_now());
    let back = back.map_or_else(String::new, |from| {
        let from = if from.0 <= 0 { "the beginning".to_owned() } else { when::short(from, zone) };
        format!("; figures from {from} on may change")
    });
    let mut err = io::stderr();
    write!(err, "write these {} definitions at {site}{back}? [y/N] ", diff.events.len())?;
    err.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// Writes them, in parts if they are more than one request takes.
async fn define(target: &Target, site: &SiteId, events: Vec<Event>) -> Result<usize, CliError> {
    let mut written = 0;
    for part in events.chunks(DEFINITIONS_MAX) {
        written += match target {
            Target::Folder(engine) => engine.define(site, &ACTOR, part.to_vec()).await?.0,
            Target::Server(api) => {
                let definitions = part.iter().filter_map(wire::definition_message).collect();
                let request = DefineRequest { site: site.to_string(), definitions };
                let done = api.definitions().define(request).await?.into_inner();
                usize::try_from(done.written).unwrap_or(usize::MAX)
            }
        };
    }
    Ok(written)
}

/// Waits until the figures stand on what was written.
async fn wait(api: &Api, site: &SiteId) -> Result<(), CliError> {
    let for_definitions = |one: &v1::Recomputation| one.purpose() == RecomputationPurpose::Definitions;
    let bar: ProgressBar = recomputing::bar("taking the definitions in");
    let mut waited = false;
    while let Some(one) = recomputing::of_server(api, site).await?.into_iter().find(for_definitions) {
        waited = true;
        recomputing::show(&bar, &one);
        recomputing::pause().await;
    }
    bar.finish_and_clear();
    if waited { output::line("the figures stand on them now") } else { Ok(()) }
}

/// `pegcount definitions`.
pub(crate) async fn show(args: DefinitionsArgs) -> Result<(), CliError> {
    let site = target::site(&args.site)?;
    let target = Target::open(&args.target, Missing::Refuse).await?;
    let events = defined(&target, &site).await;
    target.close().await?;
    let text = write::file(site.as_str(), &events?);
    let mut out = output::out();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

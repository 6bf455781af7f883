//! Publishing one day of one site: written aside, read back, checked, and given its name.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use jiff::{civil::Date, tz::TimeZone};
use pegcount_domain::{envelope::Position, ids::SiteId};
use pegcount_engine::{Engine, Standing};

use crate::{
    PROGRAM_VERSION, SCHEMA_VERSION,
    cell::Cell,
    check,
    day::{LocalDay, date_number, utc},
    dictionary,
    differ::Revisions,
    error::ExportError,
    folder::{self, Folder},
    manifest::{FileEntry, Manifest, Replaces, digest, write_durably},
    rows::Source,
    tables::Table,
    write::{Format, TableWriter, file_name},
};

/// The dictionary's file.
const DICTIONARY: &str = "dictionary.json";

/// What is to be published, and where.
#[derive(Clone, Debug)]
pub struct Request {
    /// Whose day.
    pub site: SiteId,
    /// The local day.
    pub date: Date,
    /// The zone that cuts it; none: the site's own at that day.
    pub zone: Option<TimeZone>,
    /// The folder.
    pub destination: PathBuf,
    /// In which formats; each once.
    pub formats: Vec<Format>,
    /// Begin CSV with a byte order mark, for spreadsheets.
    pub bom: bool,
    /// Count the log up to here; none: all of it.
    pub position: Option<Position>,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The table being written or checked.
    pub table: Table,
    /// How many of its rows have been written.
    pub rows: u64,
    /// Tables that are done: each is written, then checked.
    pub steps: usize,
    /// Of so many.
    pub of: usize,
}

/// A revision that is there now.
#[derive(Clone, Debug)]
pub struct Published {
    /// Where it lies.
    pub place: PathBuf,
    /// What it is.
    pub manifest: Manifest,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A new revision.
    Published(Box<Published>),
    /// Nothing of the day differs from its newest revision; nothing was published.
    Unchanged(Box<Published>),
}

impl Outcome {
    /// The revision that is the newest now.
    pub fn newest(&self) -> &Published {
        match self {
            Self::Published(published) | Self::Unchanged(published) => published,
        }
    }
}

/// Publishes one day of one site, if it differs from what is published of it.
///
/// `tell` hears how far it is; `cancelled` ends it soon after it is set. Errors: nothing was published then, and nothing is
/// left behind.
pub async fn publish(
    engine: &Arc<Engine>,
    request: &Request,
    cancelled: &AtomicBool,
    tell: &mut (dyn FnMut(Progress) + Send),
) -> Result<Outcome, ExportError> {
    let site = request.site.to_string();
    folder::check_site(&site)?;
    let end = engine.end();
    engine.caught_up(end).await?;
    check_known(engine, &request.site)?;
    let day = LocalDay::of(request.date, zone(engine, request)?)?;
    let now = engine.clock().now();
    if now < day.span.end {
        return Err(ExportError::NotOver {
            date: day.date.to_string(),
            zone: zone_name(&day.zone),
            end: day.local(day.span.end),
            now: utc(now.0),
        });
    }
    let position = request.position.unwrap_or(end);
    if position > end {
        return Err(ExportError::Beyond { asked: position.0, end: end.0 });
    }
    let standing = Standing { site: request.site.clone(), range: day.span, as_of: day.span.end, position };
    let source = Source { engine, standing, day: &day };
    let folder = Folder::take(&request.destination)?;
    let made = folder.aside()?;
    let mut run = Run { source, request, dir: made.path(), cancelled, tell, steps: 0, files: Vec::new() };
    let all = Table::ALL.into_iter().filter(|table| *table != Table::Correction);
    for table in all {
        run.table(table).await?;
    }
    let before = folder.newest(&site, &day.date.to_string())?;
    if let Some((place, manifest)) = before.as_ref().filter(|(_, before)| run.equals(before)) {
        let published = Published { place: place.clone(), manifest: manifest.clone() };
        return Ok(Outcome::Unchanged(Box::new(published)));
    }
    let manifest = run.finish(before.as_ref()).await?;
    manifest.write(made.path())?;
    if cancelled.load(Ordering::Relaxed) {
        return Err(ExportError::Cancelled);
    }
    let place = folder.publish(made, &manifest)?;
    Ok(Outcome::Published(Box::new(Published { place, manifest })))
}

/// The zone that cuts the day.
fn zone(engine: &Engine, request: &Request) -> Result<TimeZone, ExportError> {
    if let Some(zone) = &request.zone {
        return Ok(zone.clone());
    }
    let noon = request.date.at(12, 0, 0, 0).to_zoned(TimeZone::UTC);
    let noon = noon.map_or(i64::MAX, |noon| noon.timestamp().as_microsecond());
    let sites = engine.defined(&request.site).sites;
    let in_force = sites.iter().filter(|site| site.valid_from.0 <= noon).max_by_key(|site| site.valid_from);
    let known = in_force.or_else(|| sites.iter().min_by_key(|site| site.valid_from));
    let known = known.and_then(|site| TimeZone::get(site.time_zone.as_str()).ok());
    known.ok_or_else(|| ExportError::NoZone { site: request.site.to_string() })
}

fn zone_name(zone: &TimeZone) -> String {
    zone.iana_name().unwrap_or("UTC").to_owned()
}

struct Run<'a> {
    source: Source<'a>,
    request: &'a Request,
    dir: &'a Path,
    cancelled: &'a AtomicBool,
    tell: &'a mut (dyn FnMut(Progress) + Send),
    steps: usize,
    files: Vec<FileEntry>,
}

impl Run<'_> {
    fn writer(&self, table: Table) -> Result<TableWriter, ExportError> {
        TableWriter::create(table, self.dir, &self.request.formats, self.request.bom)
    }

    /// Writes a table, reads it back and compares it.
    async fn table(&mut self, table: Table) -> Result<(), ExportError> {
        let mut writer = self.writer(table)?;
        let (steps, cancelled, tell) = (self.steps, self.cancelled, &mut self.tell);
        let mut step = |rows: u64| {
            tell(Progress { table, rows, steps, of: Table::ALL.len() });
            if cancelled.load(Ordering::Relaxed) { Err(ExportError::Cancelled) } else { Ok(()) }
        };
        step(0)?;
        self.source.fill(table, &mut writer, &mut step).await?;
        let rows = writer.finish()?;
        step(rows)?;
        for format in &self.request.formats {
            check::table(&self.source, self.dir, table, *format).await?;
        }
        self.enter(table, rows)?;
        self.steps += 1;
        Ok(())
    }

    /// Reads a table's files back into the manifest.
    fn enter(&mut self, table: Table, rows: u64) -> Result<(), ExportError> {
        for format in &self.request.formats {
            let name = file_name(table, *format);
            let (bytes, sha256) = digest(&self.dir.join(&name))?;
            let table = Some(table.name().to_owned());
            self.files.push(FileEntry { name, table, format: format.word().to_owned(), rows, bytes, sha256 });
        }
        Ok(())
    }

    /// Whether all files but those that tell of revisions are the same.
    fn equals(&self, before: &Manifest) -> bool {
        let own = |files: &[FileEntry]| -> Vec<FileEntry> {
            let mut own: Vec<FileEntry> = files
                .iter()
                .filter(|file| file.table.as_deref().is_some_and(|table| table != Table::Correction.name()))
                .cloned()
                .collect();
            own.sort_by(|one, other| one.name.cmp(&other.name));
            own
        };
        own(&self.files) == own(&before.files)
    }

    /// Writes what has changed, the dictionary, and says what the revision is.
    async fn finish(&mut self, before: Option<&(PathBuf, Manifest)>) -> Result<Manifest, ExportError> {
        let answer = self.source.ask(&[], vec!["offered".to_owned()]).await?;
        let mut writer = self.writer(Table::Correction)?;
        if let Some((place, old)) = before {
            self.differences(place, old, answer.formula_version, &mut writer).await?;
        }
        let differences = writer.finish()?;
        self.enter(Table::Correction, differences)?;
        let text = serde_json::to_vec_pretty(&dictionary::json())
            .map_err(|error| ExportError::Write { table: DICTIONARY.to_owned(), what: error.to_string() })?;
        let path = self.dir.join(DICTIONARY);
        write_durably(&path, &text)?;
        let (bytes, sha256) = digest(&path)?;
        let mut files = std::mem::take(&mut self.files);
        let (name, format) = (DICTIONARY.to_owned(), "json".to_owned());
        files.push(FileEntry { name, table: None, format, rows: 0, bytes, sha256 });
        files.sort_by(|one, other| one.name.cmp(&other.name));
        let (day, standing) = (self.source.day, &self.source.standing);
        let replaces =
            before.map(|(_, old)| Replaces { revision: old.revision, position: old.position, differences });
        Ok(Manifest {
            site: standing.site.to_string(),
            date: day.date.to_string(),
            time_zone: zone_name(&day.zone),
            from_us: day.span.start.0,
            to_us: day.span.end.0,
            revision: before.map_or(1, |(_, old)| old.revision + 1),
            incarnation: format!("{:032x}", self.source.engine.incarnation().0),
            position: standing.position.0,
            as_of_us: standing.as_of.0,
            formula_version: answer.formula_version,
            formula_versions: answer.formula_versions.to_vec(),
            schema_version: SCHEMA_VERSION.to_owned(),
            program_version: PROGRAM_VERSION.to_owned(),
            formats: self.request.formats.iter().map(|format| format.word().to_owned()).collect(),
            bom: self.request.bom,
            replaces,
            files,
        })
    }

    async fn differences(
        &self,
        place: &Path,
        old: &Manifest,
        formula_version: u8,
        writer: &mut TableWriter,
    ) -> Result<(), ExportError> {
        let format = old.formats.iter().find_map(|word| word.parse().ok());
        let (Some(was), Some(is)) = (format, self.request.formats.first()) else { return Ok(()) };
        let mut causes = self.source.engine.day_corrections(&self.source.standing).await?;
        causes.retain(|one| one.position.0 > old.position);
        let begin = vec![
            Cell::Text(self.source.standing.site.to_string()),
            Cell::Date(date_number(self.source.day.date)),
        ];
        let revisions = Revisions {
            old: (place, was),
            new: (self.dir, *is),
            causes: &causes,
            other_formula: old.formula_version != formula_version,
            begin,
        };
        revisions.write(writer)
    }
}

/// Errors: a site of which nothing is known; an empty day of one that is known is published.
fn check_known(engine: &Engine, site: &SiteId) -> Result<(), ExportError> {
    let known = engine.sites();
    if known.contains(site) {
        return Ok(());
    }
    let names: Vec<String> = known.iter().map(ToString::to_string).collect();
    let known = if names.is_empty() {
        "there is no site yet".to_owned()
    } else {
        format!("known sites: {}", names.join(", "))
    };
    Err(ExportError::UnknownSite { site: site.to_string(), known })
}

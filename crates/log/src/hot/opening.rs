//! Opens a log's folder: from FORMAT, mark and manifest to segments and databases, and from them to what the threads
//! begin with.
//!
//! Not for starting them. Invariant: nothing is written or removed before everything that the manifest names has been
//! read and reaches the mark; a log opened read-only is left as it is.

use std::{
    collections::VecDeque,
    io::{self, ErrorKind},
    sync::Arc,
};

use pegcount_domain::{envelope::Position, ids::Incarnation, time::Micros};
use smallvec::SmallVec;

use super::{
    bell::Bell,
    database::Database,
    durable::Durable,
    folder::{FORMAT, FORMAT_FILE, Folder, Format, database_path, failed, mark_path},
    manifest::Manifest,
    mark::MarkFile,
    open::{Found, Scan, damaged, remove_torn},
    options::SledOptions,
    store::{Held, SledStore, Store},
};
use crate::{
    api::{Durability, LogError},
    content::Fingerprints,
    frame::Frame,
    keys::LogKey,
    pages::PageFile,
    segment::{Kind, Memory, Segment, Shelf, Shelved},
};

/// A log that was read and is ready to go on.
pub(super) struct Opened {
    pub(super) folder: Folder,
    pub(super) incarnation: Incarnation,
    pub(super) key: LogKey,
    pub(super) manifest: Manifest,
    pub(super) shelf: Arc<Shelf>,
    pub(super) store: Arc<SledStore>,
    pub(super) durable: Arc<Durable>,
    pub(super) bell: Arc<Bell>,
    pub(super) found: Found,
}

/// Opens the log in `options.dir`, or makes one.
pub(super) fn open(options: &SledOptions) -> Result<Opened, LogError> {
    let format_path = options.dir.join(FORMAT_FILE);
    if options.read_only && !format_path.exists() {
        return Err(failed("open", &format_path)(io::Error::from(ErrorKind::NotFound)));
    }
    let folder = Folder::open(&options.dir)?;
    let format = folder.read_format()?;
    let (mark, marked) = MarkFile::open(&mark_path(&options.dir), format.is_none())?;
    let new = format.is_none();
    let older = format.as_ref().is_some_and(|format| format.number < FORMAT);
    let (incarnation, key, as_it_is) = match format {
        Some(Format { incarnation, key: Some(key), .. }) => (incarnation, key, true),
        Some(Format { incarnation, key: None, .. }) => (incarnation, random_key(options)?, false),
        None => (Incarnation(uuid::Uuid::new_v4().as_u128()), random_key(options)?, false),
    };
    let mut manifest = manifest(options, new, as_it_is)?;
    let memory = Memory { filters: options.filter_bytes, blocks: options.index_cache_bytes };
    let mut opening = Opening {
        options,
        new,
        marked,
        shelf: Arc::new(Shelf::new(memory)),
        last_recorded_at: Micros(i64::MIN),
        databases: SmallVec::new(),
        torn: None,
    };
    opening.segments(&manifest, incarnation)?;
    for archive in &manifest.history.archives {
        opening.tolerated(archive.look(&options.dir))?;
    }
    let durable = Arc::new(Durable::new(key.names(), Arc::clone(&opening.shelf)));
    let mut found = opening.databases(&manifest, &durable, &key)?;
    opening.check(&found, &mark)?;

    let bell = Arc::default();
    let Opening { shelf, databases, torn, .. } = opening;
    let (sealed, dir) = (Arc::clone(&shelf), options.dir.clone());
    let store = SledStore::new(databases, sealed, mark, dir, Arc::clone(&bell), options.seal_bytes.max(1));
    if !options.read_only {
        if let Some((database, group)) = torn {
            remove_torn(&database, &group)?;
        }
        if options.durability == Durability::PowerLoss && found.end > marked {
            let marking = store.write_mark(found.end).and_then(|()| store.sync_mark());
            marking.map_err(failed("write", &mark_path(&options.dir)))?;
        }
        if !as_it_is {
            // A crash between leaves FORMAT as it was: then the manifest is not believed, and written again.
            manifest.write(&options.dir)?;
            folder.write_format(incarnation, &key, false)?;
        } else if older {
            // Before anything is added that programs of its format cannot read.
            folder.write_format(incarnation, &key, manifest.history.stub.is_some())?;
        }
        manifest.remove_unnamed(&options.dir)?;
    }
    durable.load(std::mem::take(&mut found.sealing), std::mem::take(&mut found.hot));
    durable.show_end(found.end);
    let store = Arc::new(store);
    Ok(Opened { folder, incarnation, key, manifest, shelf, store, durable, bell, found })
}

/// What belongs to the log; `as_it_is` if FORMAT is of a format with a manifest, `new` if there is none.
fn manifest(options: &SledOptions, new: bool, as_it_is: bool) -> Result<Manifest, LogError> {
    if as_it_is {
        return Manifest::required(&options.dir);
    }
    if new
        && let Some(left) = Manifest::read(&options.dir)?
        && left.hot > Manifest::first().hot
    {
        let what = "history has been sealed, but there is no FORMAT file".to_owned();
        return Err(damaged(&options.dir.join(FORMAT_FILE), Position(1), what));
    }
    // Either there is none, or it was written for a FORMAT that did not come to be.
    Ok(Manifest::first())
}

fn random_key(options: &SledOptions) -> Result<LogKey, LogError> {
    LogKey::random().map_err(failed("get random bytes for", &options.dir))
}

struct Opening<'a> {
    options: &'a SledOptions,
    /// There is no FORMAT yet.
    new: bool,
    /// What had been acknowledged.
    marked: Position,
    shelf: Arc<Shelf>,
    last_recorded_at: Micros,
    databases: SmallVec<[Held; 2]>,
    /// A group that is not complete, at the end of a database.
    torn: Option<(Arc<Database>, VecDeque<Frame>)>,
}

impl Opening<'_> {
    /// Damage is an error, but for a log that is opened read-only: then it is none.
    fn tolerated<T>(&self, result: Result<T, LogError>) -> Result<Option<T>, LogError> {
        match result {
            Err(error @ LogError::Damaged { .. }) if self.options.read_only => {
                tracing::warn!(%error, "opening what can be read of a damaged log");
                Ok(None)
            }
            result => result.map(Some),
        }
    }

    fn segments(&mut self, manifest: &Manifest, incarnation: Incarnation) -> Result<(), LogError> {
        let dir = &self.options.dir;
        for named in manifest.history.stub.iter().chain(&manifest.history.segments) {
            let segment = Segment::open(dir, *named, incarnation).and_then(|segment| {
                let recorded_at = segment.last_recorded_at();
                let shelved = Shelved::new(segment)?;
                // A stub has its own numbers, and no pages.
                if self.options.page_memory_bytes > 0
                    && named.kind == Kind::Segment
                    && let Some(pages) = PageFile::open(dir, named, incarnation)
                {
                    shelved.set_pages(pages);
                }
                Ok((recorded_at, shelved))
            });
            match segment {
                Ok((recorded_at, segment)) => {
                    self.last_recorded_at = self.last_recorded_at.max(recorded_at);
                    self.shelf.add(segment);
                }
                Err(error) => {
                    let unreadable = Segment::unreadable(dir, *named, &error);
                    self.tolerated::<()>(Err(error))?;
                    self.shelf.add(Shelved::unreadable(unreadable));
                }
            }
        }
        Ok(())
    }

    fn databases(&mut self, manifest: &Manifest, durable: &Durable, key: &LogKey) -> Result<Found, LogError> {
        let mut found = Found::after(self.shelf.end(), self.last_recorded_at);
        let mut said = Fingerprints::new(key);
        for number in manifest.sealing.into_iter().chain([manifest.hot]) {
            let Some(database) = self.tolerated(self.database(number))? else { break };
            found.next_database();
            let database = Arc::new(database);
            self.databases.push((found.end.next(), Arc::clone(&database)));
            let mut scan = Scan { names: &durable.names, said: &mut said, found: &mut found };
            let read = scan.read(&database);
            let Some(group) = self.tolerated(read)? else { break };
            if !group.is_empty() {
                self.torn = Some((database, group));
            }
        }
        Ok(found)
    }

    fn database(&self, number: u64) -> Result<Database, LogError> {
        let dir = database_path(&self.options.dir, number);
        // sled would make an empty one.
        if !self.new && !dir.join("db").exists() {
            let what = "the database is missing".to_owned();
            return Err(damaged(&dir, self.shelf.end().next(), what));
        }
        Database::open(self.options, number, self.marked)
    }

    fn check(&self, found: &Found, mark: &MarkFile) -> Result<(), LogError> {
        let (end, marked) = (found.end, self.marked);
        if end < marked {
            let what = format!("positions up to {marked} were acknowledged, but the log ends at {end}");
            self.tolerated::<()>(Err(damaged(mark.path(), end.next(), what)))?;
        }
        if self.new && end > Position::START {
            let what = "there are events, but no FORMAT file".to_owned();
            return Err(damaged(&self.options.dir.join(FORMAT_FILE), Position(1), what));
        }
        Ok(())
    }
}

//! A folder in which days are published: `site=<S>/date=<D>/rev=<N>/`.
//!
//! A revision is made aside, in the same folder, and takes its name by one rename once it is whole and durable. Invariant: a
//! folder `rev=<N>` holds a whole revision; what is made aside goes with its run, or at the next one.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::{error::ExportError, manifest::Manifest};

const LOCK: &str = ".pegcount-export.lock";
const ASIDE: &str = ".aside-";

/// A destination, held by one run.
pub(crate) struct Folder {
    root: PathBuf,
    _lock: File,
}

impl Folder {
    /// Takes a folder, made if it is not there, and clears away what a killed run left.
    ///
    /// Errors: another run holds it.
    pub(crate) fn take(root: &Path) -> Result<Self, ExportError> {
        fs::create_dir_all(root).map_err(ExportError::file("make", root))?;
        let path = root.join(LOCK);
        let lock = File::create(&path).map_err(ExportError::file("create", &path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ExportError::Busy { path: root.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(ExportError::file("lock", path)(error)),
        }
        for entry in fs::read_dir(root).map_err(ExportError::file("list", root))? {
            let entry = entry.map_err(ExportError::file("list", root))?;
            if entry.file_name().to_string_lossy().starts_with(ASIDE) {
                fs::remove_dir_all(entry.path()).map_err(ExportError::file("remove", entry.path()))?;
            }
        }
        Ok(Self { root: root.to_owned(), _lock: lock })
    }

    /// A place to make a revision in; it goes when it is dropped.
    pub(crate) fn aside(&self) -> Result<TempDir, ExportError> {
        let made = tempfile::Builder::new().prefix(ASIDE).tempdir_in(&self.root);
        made.map_err(ExportError::file("make a folder in", &self.root))
    }

    /// The newest revision of a day, and where it lies.
    pub(crate) fn newest(&self, site: &str, date: &str) -> Result<Option<(PathBuf, Manifest)>, ExportError> {
        Ok(revisions(&day_dir(&self.root, site, date))?.pop())
    }

    /// Gives what was made aside its name.
    pub(crate) fn publish(&self, made: TempDir, manifest: &Manifest) -> Result<PathBuf, ExportError> {
        let day = day_dir(&self.root, &manifest.site, &manifest.date);
        fs::create_dir_all(&day).map_err(ExportError::file("make", &day))?;
        sync(made.path())?;
        let place = day.join(format!("rev={}", manifest.revision));
        fs::rename(made.path(), &place).map_err(ExportError::file("publish", &place))?;
        // Nothing is left of the place aside.
        let _ = made.keep();
        for dir in place.ancestors().skip(1).take_while(|dir| dir.starts_with(&self.root)) {
            sync(dir)?;
        }
        Ok(place)
    }
}

fn sync(dir: &Path) -> Result<(), ExportError> {
    let synced = File::open(dir).and_then(|dir| dir.sync_all());
    synced.map_err(ExportError::file("sync", dir))
}

fn day_dir(root: &Path, site: &str, date: &str) -> PathBuf {
    root.join(format!("site={site}")).join(format!("date={date}"))
}

/// The folders in `dir` whose names begin with `prefix`, with the rest of their names, sorted.
pub(crate) fn parts(dir: &Path, prefix: &str) -> Result<Vec<(String, PathBuf)>, ExportError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(ExportError::file("list", dir)(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(ExportError::file("list", dir))?;
        if let Some(rest) = entry.file_name().to_str().and_then(|name| name.strip_prefix(prefix)) {
            found.push((rest.to_owned(), entry.path()));
        }
    }
    found.sort();
    Ok(found)
}

/// The revisions of a day's folder, by number.
pub(crate) fn revisions(day: &Path) -> Result<Vec<(PathBuf, Manifest)>, ExportError> {
    let mut found = Vec::new();
    for (_, dir) in parts(day, "rev=")? {
        if let Some(manifest) = Manifest::read(&dir)? {
            found.push((dir, manifest));
        }
    }
    found.sort_by_key(|(_, manifest)| manifest.revision);
    Ok(found)
}

/// Whether a site's name can be part of a folder's.
pub(crate) fn check_site(site: &str) -> Result<(), ExportError> {
    if site.starts_with('.') || site.contains(['/', '\\', '=', '\0']) {
        return Err(ExportError::SiteName { site: site.to_owned() });
    }
    Ok(())
}

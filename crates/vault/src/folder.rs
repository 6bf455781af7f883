//! The vault's folder: its lock, and files that are there whole or not at all.
//!
//! Invariant: a file made by [`Folder::make_file`] is never half there, whenever the power goes.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read, Write},
    path::{Path, PathBuf},
};

use crate::{
    append::bytes_of,
    error::{VaultError, failed},
};

/// An opened folder; nobody else has it until it is dropped.
pub(crate) struct Folder {
    dir: PathBuf,
    lock: File,
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A program that is just being started has all of this one's files for a moment, and closing one of two does not
        // unlock: whoever opened the folder then would be refused.
        let _ = self.lock.unlock();
    }
}

impl Folder {
    /// Makes the folder if need be, readable by its owner only, and locks it.
    pub(crate) fn open(dir: &Path) -> Result<Self, VaultError> {
        if !dir.exists() {
            make_private_dir(dir).map_err(failed("make folder", dir))?;
            if let Some(parent) = dir.canonicalize().ok().as_deref().and_then(Path::parent) {
                sync_dir(parent)?;
            }
        }
        let path = dir.join("LOCK");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(failed("open lock", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { dir: dir.to_owned(), lock }),
            Err(TryLockError::WouldBlock) => Err(VaultError::Locked { path: dir.to_owned() }),
            Err(TryLockError::Error(error)) => Err(failed("lock", &path)(error)),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The bytes of a file, which is made of `new` first if it is not there.
    pub(crate) fn bytes_or_make(
        &self,
        name: &str,
        new: impl FnOnce() -> Vec<u8>,
    ) -> Result<Vec<u8>, VaultError> {
        if let Some(bytes) = bytes_of(&self.path(name))? {
            return Ok(bytes);
        }
        let bytes = new();
        self.make_file(name, &bytes)?;
        Ok(bytes)
    }

    /// Makes a file for its owner's eyes only, durably: aside, synced, renamed, the folder synced.
    pub(crate) fn make_file(&self, name: &str, bytes: &[u8]) -> Result<(), VaultError> {
        make_file_at(&self.path(name), bytes)
    }

    /// The same in the place of one that is there, whose bytes are overwritten before it goes.
    pub(crate) fn replace_file(&self, name: &str, bytes: &[u8]) -> Result<(), VaultError> {
        let path = self.path(name);
        let mut before = OpenOptions::new().write(true).open(&path).map_err(failed("open", &path))?;
        let length = before.metadata().map_err(failed("look at", &path))?.len();
        self.make_file(name, bytes)?;
        let mut zeros = std::io::repeat(0).take(length);
        let mut overwrite = || std::io::copy(&mut zeros, &mut before).and_then(|_| before.sync_data());
        overwrite().map_err(failed("overwrite what was", &path))
    }

    /// Copies files into the empty or missing folder `to`, durably.
    pub(crate) fn copy_files(&self, names: &[&str], to: &Path) -> Result<(), VaultError> {
        if !to.exists() {
            make_private_dir(to).map_err(failed("make folder", to))?;
        }
        if fs::read_dir(to).map_err(failed("read folder", to))?.next().is_some() {
            return Err(VaultError::NotEmpty { path: to.to_owned() });
        }
        for name in names {
            let (path, copy) = (self.path(name), to.join(name));
            let copied = fs::copy(&path, &copy).and_then(|_| File::open(&copy)?.sync_all());
            copied.map_err(failed("copy", &path))?;
        }
        sync_dir(to)
    }
}

/// Makes a file for its owner's eyes only, durably: aside, synced, renamed, the folder synced.
pub(crate) fn make_file_at(path: &Path, bytes: &[u8]) -> Result<(), VaultError> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".new");
    let aside = PathBuf::from(aside);
    let make = || {
        // A leftover of a start that was cut short may have other rights.
        if aside.exists() {
            fs::remove_file(&aside)?;
        }
        let mut file = private(OpenOptions::new().write(true).create_new(true)).open(&aside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&aside, path)
    };
    make().map_err(failed("make", path))?;
    sync_dir(path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

/// Makes the names in `dir` durable. Windows has no such call and needs none.
fn sync_dir(dir: &Path) -> Result<(), VaultError> {
    if cfg!(windows) {
        return Ok(());
    }
    File::open(dir).and_then(|file| file.sync_all()).map_err(failed("sync folder", dir))
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(unix)]
fn make_private_dir(dir: &Path) -> std::io::Result<()> {
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut builder = fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700).create(dir)
}

#[cfg(not(unix))]
fn make_private_dir(dir: &Path) -> std::io::Result<()> {
    fs::create_dir_all(dir)
}

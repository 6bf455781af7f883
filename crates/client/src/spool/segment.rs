//! One file of the spool: records of ascending seq; its name is its first seq.
//!
//! Invariant: a file is only ever appended to, cut at its end, or removed whole; so the name of the last file keeps
//! the counter even when every record before it is gone.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use super::{
    error::SpoolError,
    record::{Parsed, parse, resync},
};

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) first: u64,
    pub(crate) bytes: u64,
}

impl Segment {
    pub(crate) fn path(&self, folder: &Path) -> PathBuf {
        folder.join(self.name())
    }

    /// The file's name in its folder.
    pub(crate) fn name(&self) -> String {
        format!("{:020}.seg", self.first)
    }

    /// The files of a folder, in the order of their seqs.
    pub(crate) fn list(folder: &Path) -> Result<Vec<Self>, SpoolError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).map_err(SpoolError::io("list", folder))? {
            let entry = entry.map_err(SpoolError::io("list", folder))?;
            let name = entry.file_name();
            let first = name.to_str().and_then(|name| name.strip_suffix(".seg")?.parse().ok());
            if let Some(first) = first {
                let bytes = entry.metadata().map_err(SpoolError::io("look at", entry.path()))?.len();
                found.push(Self { first, bytes });
            }
        }
        found.sort_by_key(|segment| segment.first);
        Ok(found)
    }

    /// Makes an empty file, and makes its name durable if `durable`; after a failure there is no such file.
    pub(crate) fn create(folder: &Path, first: u64, durable: bool) -> Result<(Self, File), SpoolError> {
        Self::create_synced(folder, first, |folder| if durable { sync_folder(folder) } else { Ok(()) })
    }

    fn create_synced(
        folder: &Path,
        first: u64,
        sync: impl FnOnce(&Path) -> Result<(), SpoolError>,
    ) -> Result<(Self, File), SpoolError> {
        let segment = Self { first, bytes: 0 };
        let path = segment.path(folder);
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create_new(true)
            .open(&path)
            .map_err(SpoolError::io("create", &path))?;
        if let Err(error) = sync(folder) {
            // Left there, it would be in the way of the next attempt, and its name would be taken for the counter.
            if let Err(left) = fs::remove_file(&path) {
                tracing::warn!(file = %path.display(), %left, "could not remove a file that could not be made whole");
            }
            return Err(error);
        }
        Ok((segment, file))
    }

    /// Opens the last file for appending: cuts a torn tail, and says which seq comes next.
    pub(crate) fn reopen(mut self, folder: &Path) -> Result<(Self, File, u64), SpoolError> {
        let path = self.path(folder);
        let bytes = fs::read(&path).map_err(SpoolError::io("read", &path))?;
        let (mut at, mut whole, mut next) = (0, 0, self.first);
        loop {
            match parse(&bytes, at) {
                Parsed::Record { record, next: after } => {
                    next = next.max(record.seq + 1);
                    (at, whole) = (after, after);
                }
                Parsed::Short | Parsed::Damaged => match resync(&bytes, at, next.saturating_sub(1)) {
                    Some(found) => at = found,
                    None => break,
                },
            }
        }
        let file =
            OpenOptions::new().read(true).append(true).open(&path).map_err(SpoolError::io("open", &path))?;
        if whole < bytes.len() {
            tracing::warn!(file = %path.display(), cut = bytes.len() - whole, "cut a torn tail off the spool");
            self.bytes = u64::try_from(whole).unwrap_or(u64::MAX);
            file.set_len(self.bytes).map_err(SpoolError::io("cut", &path))?;
            file.sync_data().map_err(SpoolError::io("sync", &path))?;
        }
        Ok((self, file, next))
    }

    /// Appends `bytes`; after a failure the file is as before, or the error says that it is not.
    pub(crate) fn append(
        &mut self,
        folder: &Path,
        file: &mut File,
        bytes: &[u8],
        durable: bool,
    ) -> Result<(), SpoolError> {
        let written = file.write_all(bytes).and_then(|()| if durable { file.sync_data() } else { Ok(()) });
        match written {
            Ok(()) => {
                self.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                Ok(())
            }
            // After a failed sync nobody knows what the disk holds: then cutting does not help.
            Err(source) if file.set_len(self.bytes).is_ok() && file.sync_data().is_ok() => {
                Err(SpoolError::io("write", self.path(folder))(source))
            }
            Err(_) => Err(SpoolError::Poisoned),
        }
    }
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), SpoolError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(SpoolError::io("sync", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_whose_name_could_not_be_made_durable_is_gone_and_can_be_made_again() {
        let folder = tempfile::TempDir::new().unwrap();
        let failed = |_: &Path| Err(SpoolError::Poisoned);
        assert!(Segment::create_synced(folder.path(), 7, failed).is_err());
        assert_eq!(Segment::list(folder.path()).unwrap(), []);
        assert_eq!(Segment::create(folder.path(), 7, true).unwrap().0.first, 7);
    }
}

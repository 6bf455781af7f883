//! Small private files: readable by their owner only, and durable once written.
//!
//! Invariant: a file is either not there or whole, since it is written aside, synced and renamed.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::Path,
};

use crate::error::ServeError;

/// The file's bytes; none if it is not there.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, ServeError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ServeError::File { action: "read", path: path.to_owned(), source }),
    }
}

/// Writes `bytes` to `path`, for its owner's eyes only.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), ServeError> {
    let wrong = |source| ServeError::File { action: "write", path: path.to_owned(), source };
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(dir).map_err(wrong)?;
    let aside = path.with_extension("new");
    let mut file = private(&aside).map_err(wrong)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(wrong)?;
    fs::rename(&aside, path).map_err(wrong)?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(wrong)
}

#[cfg(unix)]
fn private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    // A file that was left over keeps its own mode otherwise.
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    Ok(file)
}

#[cfg(not(unix))]
fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).open(path)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_private_file_is_for_its_owner_only_whatever_was_left_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/token.key");
        fs::create_dir_all(dir.path().join("deep")).unwrap();
        fs::write(path.with_extension("new"), b"left over").unwrap();
        write_private(&path, b"secret").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read_if_there(&path).unwrap().unwrap(), b"secret");
        assert_eq!(read_if_there(&dir.path().join("none")).unwrap(), None);
    }
}

//! Where the server of a folder listens, for other commands that meet its lock.
//!
//! Not for finding servers over the network. Invariant: the file is there from the moment that the server listens
//! until it ends; one that a killed server left behind is believed only while the folder is locked.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::error::CliError;

const FILE: &str = "address";

/// The note that a server listens; gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Posted(PathBuf);

/// Notes that the server of `data_dir` listens at `url`.
pub(crate) fn post(data_dir: &Path, url: &str) -> Result<Posted, CliError> {
    let path = data_dir.join(FILE);
    fs::write(&path, format!("{url}\n")).map_err(|source| CliError::File {
        action: "write",
        path: path.clone(),
        source,
    })?;
    Ok(Posted(path))
}

/// Where the server of `data_dir` listens, if one has said so.
pub(crate) fn posted(data_dir: &Path) -> Option<String> {
    let text = fs::read_to_string(data_dir.join(FILE)).ok()?;
    let url = text.trim();
    (!url.is_empty()).then(|| url.to_owned())
}

impl Drop for Posted {
    fn drop(&mut self) {
        match fs::remove_file(&self.0) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(path = %self.0.display(), %error, "the address file stays behind"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_there_exactly_while_the_server_is() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(posted(dir.path()), None);
        let note = post(dir.path(), "http://127.0.0.1:7474").unwrap();
        assert_eq!(posted(dir.path()).as_deref(), Some("http://127.0.0.1:7474"));
        drop(note);
        assert_eq!(posted(dir.path()), None);
    }
}

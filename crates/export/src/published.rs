//! What is published in a folder, and whether it still is what was published.

use std::path::{Path, PathBuf};

use crate::{
    check::sums_of_levels,
    error::ExportError,
    folder::{parts, revisions},
    manifest::{Manifest, digest},
    read,
    tables::Table,
    write::Format,
};

/// All revisions below a folder, by site, date and number. A folder that is not there has none.
pub fn list(root: &Path) -> Result<Vec<(PathBuf, Manifest)>, ExportError> {
    let mut found = Vec::new();
    for (_, site) in parts(root, "site=")? {
        for (_, day) in parts(&site, "date=")? {
            found.extend(revisions(&day)?);
        }
    }
    Ok(found)
}

/// What of a revision is not as its manifest says, in words; nothing: all is.
pub fn verify(dir: &Path, manifest: &Manifest) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in &manifest.files {
        let path = dir.join(&file.name);
        match digest(&path) {
            Err(error) => wrong.push(error.to_string()),
            Ok((bytes, _)) if bytes != file.bytes => {
                wrong.push(format!("{} has {bytes} bytes; the manifest says {}", path.display(), file.bytes));
            }
            Ok((_, sha256)) if sha256 != file.sha256 => {
                wrong.push(format!(
                    "{} has been changed: its SHA-256 is {sha256}, not {}",
                    path.display(),
                    file.sha256
                ));
            }
            Ok(_) => wrong.extend(rows_differ(dir, file).err()),
        }
    }
    if wrong.is_empty() && manifest.schema_version == crate::SCHEMA_VERSION {
        for format in manifest.formats.iter().filter_map(|word| word.parse::<Format>().ok()) {
            wrong.extend(sums_of_levels(dir, format).err().map(|error| error.to_string()));
        }
    }
    wrong
}

fn rows_differ(dir: &Path, file: &crate::manifest::FileEntry) -> Result<(), String> {
    let table = Table::ALL.into_iter().find(|table| Some(table.name()) == file.table.as_deref());
    let (Some(table), Ok(format)) = (table, file.format.parse()) else { return Ok(()) };
    let rows = read::open(dir, table, format).map_err(|error| error.to_string())?;
    let mut count = 0_u64;
    for row in rows {
        row.map_err(|error| error.to_string())?;
        count += 1;
    }
    if count == file.rows {
        return Ok(());
    }
    Err(format!("{} has {count} rows; the manifest says {}", dir.join(&file.name).display(), file.rows))
}

//! Rows into files, a batch at a time.

mod csv;
mod json;
mod parquet;

use std::{fs::File, path::Path};

use crate::{
    cell::{Column, Row},
    error::ExportError,
    tables::Table,
};

/// How many rows are held before they are written.
pub(crate) const BATCH: usize = 2_048;

/// What files look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Apache Parquet, compressed with zstd.
    Parquet,
    /// Comma-separated (RFC 4180), UTF-8.
    Csv,
    /// One JSON object a line.
    Ndjson,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Parquet, Self::Csv, Self::Ndjson];

    /// Its word, and the end of its files' names.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|format| format.word() == word);
        found.ok_or_else(|| format!("`{word}` is not one of parquet, csv, ndjson"))
    }
}

/// One file being written.
trait Sheet: Send {
    fn write(&mut self, columns: &[Column], rows: &[Row]) -> Result<(), String>;
    /// Ends the file and makes it durable.
    fn finish(self: Box<Self>) -> Result<(), String>;
}

/// One table being written, in all formats asked for.
pub(crate) struct TableWriter {
    table: Table,
    columns: Vec<Column>,
    sheets: Vec<Box<dyn Sheet>>,
    batch: Vec<Row>,
    /// How many rows it has been given.
    pub(crate) rows: u64,
}

impl TableWriter {
    pub(crate) fn create(
        table: Table,
        dir: &Path,
        formats: &[Format],
        bom: bool,
    ) -> Result<Self, ExportError> {
        let columns = table.columns();
        let mut sheets: Vec<Box<dyn Sheet>> = Vec::new();
        for format in formats {
            let path = dir.join(file_name(table, *format));
            let file = File::create_new(&path).map_err(ExportError::file("create", &path))?;
            let made: Result<Box<dyn Sheet>, String> = match format {
                Format::Parquet => {
                    parquet::Parquet::new(file, table, &columns).map(|sheet| Box::new(sheet) as _)
                }
                Format::Csv => csv::Csv::new(file, &columns, bom).map(|sheet| Box::new(sheet) as _),
                Format::Ndjson => Ok(Box::new(json::Json::new(file))),
            };
            sheets.push(made.map_err(|what| ExportError::Write { table: table.name().to_owned(), what })?);
        }
        Ok(Self { table, columns, sheets, batch: Vec::with_capacity(BATCH), rows: 0 })
    }

    pub(crate) fn push(&mut self, row: Row) -> Result<(), ExportError> {
        self.batch.push(row);
        self.rows += 1;
        if self.batch.len() >= BATCH { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), ExportError> {
        for sheet in &mut self.sheets {
            let written = sheet.write(&self.columns, &self.batch);
            written.map_err(|what| ExportError::Write { table: self.table.name().to_owned(), what })?;
        }
        self.batch.clear();
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<u64, ExportError> {
        self.flush()?;
        for sheet in self.sheets {
            let ended = sheet.finish();
            ended.map_err(|what| ExportError::Write { table: self.table.name().to_owned(), what })?;
        }
        Ok(self.rows)
    }
}

/// The file of a table.
pub(crate) fn file_name(table: Table, format: Format) -> String {
    format!("{}.{}", table.name(), format.word())
}

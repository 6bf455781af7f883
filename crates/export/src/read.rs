//! Files back into rows, a batch at a time: what checks and comparisons look at instead of what was meant to be written.
//!
//! A column that a file does not have is none in every row: an older revision's files may have fewer.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use arrow_array::{
    Array, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::{
    cell::{Cell, Column, Kind, Row},
    error::ExportError,
    tables::Table,
    write::{BATCH, Format, file_name},
};

/// The rows of a file; the first one that cannot be read is the last.
pub(crate) struct Rows {
    inner: Box<dyn Iterator<Item = Result<Row, ExportError>>>,
}

impl Iterator for Rows {
    type Item = Result<Row, ExportError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.inner.next()
    }
}

/// Opens a table's file in `dir`.
pub(crate) fn open(dir: &Path, table: Table, format: Format) -> Result<Rows, ExportError> {
    let path = dir.join(file_name(table, format));
    let file = File::open(&path).map_err(ExportError::file("read", &path))?;
    let columns = table.columns();
    let inner: Box<dyn Iterator<Item = _>> = match format {
        Format::Parquet => parquet(file, columns, path)?,
        Format::Csv => csv(file, columns, path)?,
        Format::Ndjson => ndjson(file, columns, path),
    };
    Ok(Rows { inner })
}

fn damaged(path: &Path, what: &dyn ToString) -> ExportError {
    ExportError::Damaged { path: path.to_owned(), what: what.to_string() }
}

type Boxed = Box<dyn Iterator<Item = Result<Row, ExportError>>>;

fn parquet(file: File, columns: Vec<Column>, path: PathBuf) -> Result<Boxed, ExportError> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| damaged(&path, &error))?;
    let reader = reader.with_batch_size(BATCH).build().map_err(|error| damaged(&path, &error))?;
    Ok(Box::new(reader.flat_map(move |batch| {
        let rows: Vec<Result<Row, ExportError>> = match batch {
            Ok(batch) => (0..batch.num_rows())
                .map(|index| {
                    row_of(&batch, index, &columns)
                        .ok_or_else(|| damaged(&path, &"a column is of another type"))
                })
                .collect(),
            Err(error) => vec![Err(damaged(&path, &error))],
        };
        rows
    })))
}

fn row_of(batch: &RecordBatch, index: usize, columns: &[Column]) -> Option<Row> {
    columns.iter().map(|column| cell_of(batch, index, column)).collect()
}

fn cell_of(batch: &RecordBatch, index: usize, column: &Column) -> Option<Cell> {
    let Some(array) = batch.column_by_name(&column.name) else { return Some(Cell::None) };
    let array = array.as_any();
    let cell = match column.kind {
        Kind::Text => {
            let array: &StringArray = array.downcast_ref()?;
            (!array.is_null(index)).then(|| Cell::Text(array.value(index).to_owned()))
        }
        Kind::Int => {
            let array: &Int64Array = array.downcast_ref()?;
            (!array.is_null(index)).then(|| Cell::Int(array.value(index)))
        }
        Kind::Real => {
            let array: &Float64Array = array.downcast_ref()?;
            (!array.is_null(index)).then(|| Cell::Real(array.value(index)))
        }
        Kind::Instant => {
            let array: &TimestampMicrosecondArray = array.downcast_ref()?;
            (!array.is_null(index)).then(|| Cell::Instant(array.value(index)))
        }
        Kind::Date => {
            let array: &Date32Array = array.downcast_ref()?;
            (!array.is_null(index)).then(|| Cell::Date(array.value(index)))
        }
    };
    Some(cell.unwrap_or(Cell::None))
}

fn csv(file: File, columns: Vec<Column>, path: PathBuf) -> Result<Boxed, ExportError> {
    let mut file = BufReader::new(file);
    let begin = file.fill_buf().map_err(ExportError::file("read", &path))?;
    if begin.starts_with("\u{feff}".as_bytes()) {
        file.consume("\u{feff}".len());
    }
    let mut reader = ::csv::Reader::from_reader(file);
    let header = reader.headers().map_err(|error| damaged(&path, &error))?;
    let places: Vec<Option<usize>> =
        columns.iter().map(|column| header.iter().position(|name| name == column.name)).collect();
    Ok(Box::new(reader.into_records().map(move |record| {
        let record = record.map_err(|error| damaged(&path, &error))?;
        let cells = columns.iter().zip(&places).map(|(column, place)| {
            let text = place.and_then(|place| record.get(place)).unwrap_or_default();
            let what = || format!("`{text}` is no {} for {}", column.kind.word(), column.name);
            Cell::parse(column.kind, text).ok_or_else(|| damaged(&path, &what()))
        });
        cells.collect()
    })))
}

fn ndjson(file: impl Read + 'static, columns: Vec<Column>, path: PathBuf) -> Boxed {
    Box::new(BufReader::new(file).lines().map(move |line| {
        let line = line.map_err(ExportError::file("read", &path))?;
        let value: Value = serde_json::from_str(&line).map_err(|error| damaged(&path, &error))?;
        let cells = columns.iter().map(|column| {
            let value = value.get(&column.name).unwrap_or(&Value::Null);
            let what = || format!("`{value}` is no {} for {}", column.kind.word(), column.name);
            json_cell(column.kind, value).ok_or_else(|| damaged(&path, &what()))
        });
        cells.collect()
    }))
}

fn json_cell(kind: Kind, value: &Value) -> Option<Cell> {
    match (kind, value) {
        (_, Value::Null) => Some(Cell::None),
        (Kind::Int, value) => value.as_i64().map(Cell::Int),
        (Kind::Real, value) => value.as_f64().map(Cell::Real),
        (Kind::Text, value) => Some(Cell::Text(value.as_str()?.to_owned())),
        (_, value) => Cell::parse(kind, value.as_str()?),
    }
}

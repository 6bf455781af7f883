//! Parquet: zstd, statistics, bounded row groups; instants as UTC timestamps, days as dates.

use std::{collections::HashMap, fs::File, sync::Arc};

use arrow_array::{
    ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    file::properties::WriterProperties,
};

use super::Sheet;
use crate::{
    SCHEMA_VERSION,
    cell::{Cell, Column, Kind, Row},
    tables::Table,
};

/// How many rows a row group has at most.
const GROUP: usize = 65_536;

pub(super) struct Parquet {
    writer: ArrowWriter<File>,
    schema: Arc<Schema>,
}

impl Parquet {
    pub(super) fn new(file: File, table: Table, columns: &[Column]) -> Result<Self, String> {
        let schema = Arc::new(schema(table, columns));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(GROUP))
            .set_created_by(format!("pegcount {}", crate::PROGRAM_VERSION))
            .build();
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties));
        Ok(Self { writer: writer.map_err(|error| error.to_string())?, schema })
    }
}

fn schema(table: Table, columns: &[Column]) -> Schema {
    let fields = columns.iter().map(|column| {
        let kind = match column.kind {
            Kind::Text => DataType::Utf8,
            Kind::Int => DataType::Int64,
            Kind::Real => DataType::Float64,
            Kind::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Kind::Date => DataType::Date32,
        };
        Field::new(&column.name, kind, true)
    });
    let about = [("pegcount.table", table.name()), ("pegcount.schema_version", SCHEMA_VERSION)];
    let about: HashMap<String, String> =
        about.map(|(key, value)| (key.to_owned(), value.to_owned())).into_iter().collect();
    Schema::new_with_metadata(fields.collect::<Vec<_>>(), about)
}

fn array(kind: Kind, place: usize, rows: &[Row]) -> ArrayRef {
    let cells = rows.iter().map(|row| row.get(place).unwrap_or(&Cell::None));
    match kind {
        Kind::Text => {
            let texts =
                cells.map(|cell| if let Cell::Text(text) = cell { Some(text.as_str()) } else { None });
            Arc::new(texts.collect::<StringArray>())
        }
        Kind::Int => {
            let numbers = cells.map(|cell| if let Cell::Int(number) = cell { Some(*number) } else { None });
            Arc::new(numbers.collect::<Int64Array>())
        }
        Kind::Real => {
            let numbers = cells.map(|cell| if let Cell::Real(number) = cell { Some(*number) } else { None });
            Arc::new(numbers.collect::<Float64Array>())
        }
        Kind::Instant => {
            let instants = cells.map(|cell| if let Cell::Instant(at) = cell { Some(*at) } else { None });
            Arc::new(instants.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
        }
        Kind::Date => {
            let days = cells.map(|cell| if let Cell::Date(day) = cell { Some(*day) } else { None });
            Arc::new(days.collect::<Date32Array>())
        }
    }
}

impl Sheet for Parquet {
    fn write(&mut self, columns: &[Column], rows: &[Row]) -> Result<(), String> {
        if rows.is_empty() {
            return Ok(());
        }
        let arrays = columns.iter().enumerate().map(|(place, column)| array(column.kind, place, rows));
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays.collect());
        let batch = batch.map_err(|error| error.to_string())?;
        self.writer.write(&batch).map_err(|error| error.to_string())
    }

    fn finish(self: Box<Self>) -> Result<(), String> {
        let file = self.writer.into_inner().map_err(|error| error.to_string())?;
        file.sync_all().map_err(|error| error.to_string())
    }
}

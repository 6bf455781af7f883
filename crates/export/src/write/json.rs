//! One JSON object a line, in the order of the columns; none is `null`.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
};

use serde_json::Value;

use super::Sheet;
use crate::cell::{Cell, Column, Row};

pub(super) struct Json(BufWriter<File>);

impl Json {
    pub(super) fn new(file: File) -> Self {
        Self(BufWriter::new(file))
    }

    fn line(&mut self, columns: &[Column], row: &Row) -> io::Result<()> {
        for (index, (column, cell)) in columns.iter().zip(row).enumerate() {
            self.0.write_all(if index == 0 { b"{" } else { b"," })?;
            serde_json::to_writer(&mut self.0, &column.name)?;
            self.0.write_all(b":")?;
            serde_json::to_writer(&mut self.0, &value(cell))?;
        }
        self.0.write_all(b"}\n")
    }
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::None => Value::Null,
        Cell::Int(number) => (*number).into(),
        Cell::Real(number) => (*number).into(),
        other => other.shown().into(),
    }
}

impl Sheet for Json {
    fn write(&mut self, columns: &[Column], rows: &[Row]) -> Result<(), String> {
        rows.iter().try_for_each(|row| self.line(columns, row)).map_err(|error| error.to_string())
    }

    fn finish(self: Box<Self>) -> Result<(), String> {
        let file = self.0.into_inner().map_err(|error| error.error().to_string())?;
        file.sync_all().map_err(|error| error.to_string())
    }
}
